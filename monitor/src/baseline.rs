//! The baseline: made once from labelled files, loaded by each run.
//!
//! Text is described by the files that the artifact was trained on. Predictions are described by held-out files where
//! there are any, else not at all: on its own training text an artifact is surer and righter than it will ever be again.

use std::path::Path;

use model::Artifact;
use serde::{Deserialize, Serialize};

use crate::constraints::{Constraints, MonitoringConfig};
use crate::error::{MonitorError, Result};
use crate::features::{Columns, Numeric, PREDICTED_LABEL};
use crate::known_terms::{Counter, KnownTerms, MOST};
use crate::settings::BaselineJob;
use crate::statistics::Statistics;
use crate::{archive, documents, files};

const STATISTICS: &str = "statistics.json";
const CONSTRAINTS: &str = "constraints.json";
const INFO: &str = "baseline.json";
const TERMS: &str = "baseline_terms.csv.gz";
/// The value of [`Info::format`].
const FORMAT: &str = "sagebrush.baseline/1";

/// `baseline.json`: what Model Monitor's files have no room for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Names the format of this file and of `baseline_terms.csv.gz`.
    pub format: String,
    /// Documents of the training text.
    pub documents: u64,
    /// Held-out documents; none where there were no such files.
    pub held_out_documents: Option<u64>,
    /// Fewest documents that hold a known token.
    pub least_documents: u32,
    /// Known tokens.
    pub known_terms: u64,
    /// How text is split, by hyperparameter.
    pub analyzer: serde_json::Value,
    /// Checksum of the artifact's manifest.
    pub artifact: String,
}

/// A baseline at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Of the baseline's documents.
    pub statistics: Statistics,
    /// What a window must keep to.
    pub constraints: Constraints,
    /// What belongs to neither.
    pub info: Info,
    /// Tokens of the training text.
    pub terms: KnownTerms,
}

/// Makes the baseline and leaves its four files in the job's output folder; says what was done.
pub fn make(job: &BaselineJob) -> Result<String> {
    let unpacked = archive::open(&job.model)?;
    let artifact = unpacked.artifact();
    let baseline = of(job, artifact)?;
    files::write_json(&job.output.join(STATISTICS), &baseline.statistics)?;
    files::write_json(&job.output.join(CONSTRAINTS), &baseline.constraints)?;
    baseline.terms.save(&job.output.join(TERMS))?;
    files::write_json(&job.output.join(INFO), &baseline.info)?;
    let held_out = match baseline.info.held_out_documents {
        Some(documents) => format!("{documents} held-out documents"),
        None => "no held-out documents: label mix and score will not be compared".into(),
    };
    Ok(format!(
        "baseline of {} documents with {} terms, {held_out}",
        baseline.info.documents, baseline.info.known_terms
    ))
}

/// Two passes over the training text: the second asks what the other documents know.
fn of(job: &BaselineJob, artifact: &Artifact) -> Result<Baseline> {
    let mut counter = Counter::default();
    documents::each(&job.dataset, &job.text_column, &mut |text| counter.add(artifact, text))?;
    let documents = counter.documents();
    if documents == 0 {
        return Err(MonitorError::Data {
            file: job.dataset.clone(),
            line: None,
            found: "no document".into(),
            expected: "the files that the artifact was trained on".into(),
        });
    }
    let terms = counter.finish(MOST);
    let mut columns = Columns::of(documents);
    documents::each(&job.dataset, &job.text_column, &mut |text| {
        columns.add_text(terms.baseline_document(artifact, text));
    })?;
    let held_out = job.held_out.as_deref().map(|folder| predict(folder, job, artifact, &mut columns)).transpose()?;
    let predicted = held_out.is_some();
    let wanted = |name: &str| predicted || (name != PREDICTED_LABEL && name != Numeric::Score.name());
    let of_feature = |name: &str| match held_out {
        Some(held_out) if name == PREDICTED_LABEL || name == Numeric::Score.name() => held_out,
        _ => documents,
    };
    let statistics = Statistics::of(&columns, &wanted, &of_feature);
    let constraints = Constraints::suggested(&statistics, artifact.classes(), &MonitoringConfig::default());
    let info = Info {
        format: FORMAT.into(),
        documents,
        held_out_documents: held_out,
        least_documents: terms.least(),
        known_terms: terms.len() as u64,
        analyzer: analyzer(artifact),
        artifact: artifact.manifest().checksum.clone(),
    };
    Ok(Baseline { statistics, constraints, info, terms })
}

fn predict(folder: &Path, job: &BaselineJob, artifact: &Artifact, columns: &mut Columns) -> Result<u64> {
    let mut documents = 0;
    let mut damage = None;
    documents::each(folder, &job.text_column, &mut |text| {
        let prediction = match artifact.predict(text) {
            Ok(prediction) => prediction,
            Err(damaged) => return damage = Some(damaged),
        };
        columns.add_prediction(&artifact.classes()[prediction.class], prediction.score());
        documents += 1;
    })?;
    match damage {
        None => Ok(documents),
        Some(damaged) => Err(damaged.into()),
    }
}

/// The settings that decide what a token is.
fn analyzer(artifact: &Artifact) -> serde_json::Value {
    let params = serde_json::to_value(&artifact.manifest().tfidf).unwrap_or_default();
    ["analyzer", "lowercase", "strip_accents", "stop_words"].iter().map(|&name| (name, params[name].clone())).collect()
}

impl Baseline {
    /// Loads the files that [`make`] left beside `statistics`, and refuses those of another analyzer than `artifact`'s.
    pub fn load(statistics: &Path, constraints: &Path, artifact: &Artifact) -> Result<Self> {
        let folder = statistics.parent().unwrap_or(Path::new("."));
        let info: Info = files::read_json(&folder.join(INFO), "what a baseline job leaves beside statistics.json")?;
        if info.format != FORMAT {
            return Err(MonitorError::Data {
                file: folder.join(INFO),
                line: None,
                found: format!("format `{}`", info.format),
                expected: format!("`{FORMAT}`; make the baseline again"),
            });
        }
        let now = analyzer(artifact);
        if info.analyzer != now {
            return Err(MonitorError::OtherAnalyzer {
                file: folder.join(INFO),
                baseline: info.analyzer.to_string(),
                artifact: now.to_string(),
            });
        }
        Ok(Self {
            statistics: files::read_json(statistics, "Model Monitor's statistics")?,
            constraints: files::read_json(constraints, "Model Monitor's constraints")?,
            terms: KnownTerms::load(&folder.join(TERMS), info.least_documents)?,
            info,
        })
    }
}
