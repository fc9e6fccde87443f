//! The baseline: made once from labelled files and, if there is any, from the first healthy days of traffic; loaded by
//! each run.
//!
//! Text is described by the traffic, else by the files that the artifact was trained on. Predictions and scores are
//! described by the traffic, else by held-out files, else not at all: on its own training text an artifact is surer and
//! righter than it will ever be again, and knows every term. What is unknown to the model is told by the training text.

mod files;
mod make;

use std::collections::BTreeMap;
use std::path::Path;

use model::Artifact;
use serde::{Deserialize, Serialize};

use crate::constraints::Constraints;
use crate::domain::Bag;
use crate::error::{MonitorError, Result};
use crate::expected::AccuracyBaseline;
use crate::files::read_json;
use crate::known_terms::KnownTerms;
use crate::statistics::Statistics;
use crate::stats::sample::Moments;

pub use make::make;

const STATISTICS: &str = "statistics.json";
const CONSTRAINTS: &str = "constraints.json";
const INFO: &str = "baseline.json";
const TERMS: &str = "baseline_terms.csv.gz";
const VALUES: &str = "baseline_values.safetensors";
const SAMPLE: &str = "baseline_sample.jsonl.gz";
/// The value of [`Info::format`].
const FORMAT: &str = "sagebrush.baseline/3";

/// `baseline.json`: what Model Monitor's files have no room for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Names the format of this file and of those beside it.
    pub format: String,
    /// Documents of the training text.
    pub documents: u64,
    /// What text is held against.
    pub reference: Reference,
    /// Its documents.
    pub reference_documents: u64,
    /// Held-out documents; none where there were no such files.
    pub held_out_documents: Option<u64>,
    /// Fewest documents that hold a known token.
    pub least_documents: u32,
    /// Known tokens.
    pub known_terms: u64,
    /// Documents a language, of a sample.
    pub languages: BTreeMap<String, u64>,
    /// Scores of the documents that values are of, a weight vector; empty where there are none.
    pub scores: Vec<Moments>,
    /// What held-out labels say of confidence; none where there are too few.
    pub accuracy: Option<AccuracyBaseline>,
    /// How text is split, by hyperparameter.
    pub analyzer: serde_json::Value,
    /// Checksum of the artifact's manifest.
    pub artifact: String,
}

/// What text is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// What the artifact was trained on.
    TrainingText,
    /// Captures of the first healthy days.
    Traffic,
}

/// Means over the documents that predictions are described by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Means {
    /// Of each term's values, shape (terms, sets); empty where unknown.
    pub values: Vec<f64>,
    /// Scores, a weight vector.
    pub scores: Vec<Moments>,
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
    /// Tokens of the training text, and of the traffic.
    pub terms: KnownTerms,
    /// Mean values.
    pub means: Means,
    /// A random few of the reference's documents.
    pub sample: Vec<Bag>,
}

/// The settings that decide what a token is.
fn analyzer(artifact: &Artifact) -> serde_json::Value {
    let params = serde_json::to_value(&artifact.manifest().tfidf).unwrap_or_default();
    ["analyzer", "lowercase", "strip_accents", "stop_words"].iter().map(|&name| (name, params[name].clone())).collect()
}

impl Baseline {
    /// Loads the files that [`make`] left beside `statistics`, and refuses those of another analyzer than `artifact`'s.
    /// Mean values of another artifact are left out: they are of other terms.
    pub fn load(statistics: &Path, constraints: &Path, artifact: &Artifact) -> Result<Self> {
        let folder = statistics.parent().unwrap_or(Path::new("."));
        let info: Info = read_json(&folder.join(INFO), "what a baseline job leaves beside statistics.json")?;
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
        let same = info.artifact == artifact.manifest().checksum && !info.scores.is_empty();
        let expected = artifact.terms() * artifact.value_sets();
        let values = if same { files::load_values(&folder.join(VALUES), expected)? } else { Vec::new() };
        Ok(Self {
            statistics: read_json(statistics, "Model Monitor's statistics")?,
            constraints: read_json(constraints, "Model Monitor's constraints")?,
            terms: KnownTerms::load(&folder.join(TERMS), info.least_documents)?,
            means: Means { values, scores: info.scores.clone() },
            sample: files::load_sample(&folder.join(SAMPLE))?,
            info,
        })
    }
}
