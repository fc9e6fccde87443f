//! The gate's evidence out of the bucket: the job's predictions, the test files as they were uploaded, the artifacts.

use gate::{Asked, Columns, Evidence};
use report::{Evaluation, GateReport};
use trainer::{
    contract::{InputMode, Source},
    hyperparameters::Hyperparameters,
    predictions::Predictions,
    reading::{Channel, Options, problems::Problems},
};

use crate::{
    artifact, bucket, champion,
    error::{self, Failure, Result},
    names,
    run_record::{DataPart, TrainingPart},
    seen::{self, Trained},
    settings::Settings,
    stages::Context,
};

/// Seed of what is drawn where the training has none.
const SEED: u64 = 42;

/// Judges the job's artifact by the settings' rules.
pub async fn judge(
    context: &Context,
    data: &DataPart,
    training: &TrainingPart,
    evaluation: &Evaluation,
    predictions: Vec<u8>,
) -> Result<GateReport> {
    let own = artifact::fetch(context, &training.model_uri).await?;
    let rival = champion::champion(context, &training.job).await?;
    let theirs = match &rival {
        Some(rival) => Some(artifact::fetch(context, &rival.model_uri).await.map_err(|e| {
            e.hint(format!(
                "the champion {} cannot be compared with; reject it in the registry, or restore its artifact",
                rival.package
            ))
        })?),
        None => None,
    };
    let learned = match &rival {
        Some(rival) => Some(Trained::fetch(context, &rival.package).await),
        None => None,
    };
    let test = Test::fetch(context, data, training).await?;
    let (settings, training) = (context.settings.clone(), training.clone());
    let evaluation = evaluation.clone();
    let work = move || {
        let predictions = Predictions::parse(&predictions)
            .map_err(|e| Failure::new(format!("predictions.jsonl of {}: {e}", training.job)))?;
        let texts = test.texts()?.texts;
        let columns = test.columns()?;
        let champion = rival.zip(theirs.as_ref()).map(|(rival, theirs)| (rival.package, rival.job, &theirs.artifact));
        let evidence = Evidence::gather(predictions, texts, &own.artifact, champion, columns);
        let mut evidence = evidence.map_err(|why| Failure::new("the gate has no evidence").because(why))?;
        if let (Some(rival), Some(learned)) = (&mut evidence.rival, learned) {
            match learned.and_then(|learned| learned.rows_of(&evidence.texts)) {
                Ok(rows) => rival.seen = Some(rows),
                Err(why) => evidence.notes.push(format!(
                    "whether the champion was trained on some of these rows is not known: {}",
                    why.in_a_line()
                )),
            }
        }
        let rules = settings.gate.all_rules();
        let asked = asked(&settings, &training, &rules);
        gate::judge(&evidence, &evaluation, &own.artifact, &asked)
            .map_err(|why| Failure::usage(format!("{}: {why}", settings.source())))
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| Failure::new("the judging broke off").because(e))?
}

fn asked<'a>(settings: &'a Settings, training: &'a TrainingPart, rules: &'a [gate::Rule]) -> Asked<'a> {
    let gate = &settings.gate;
    Asked {
        job: &training.job,
        rules,
        on_insufficient: gate.on_insufficient,
        confidence: gate.confidence,
        favourable: gate.favourable_class.as_deref(),
        identity_terms: &gate.identity_terms,
        business: &settings.business,
        seed: training.hyperparameters.get("seed").and_then(|seed| seed.parse().ok()).unwrap_or(SEED),
    }
}

/// The test channel's files in a folder, the very versions that were recorded.
pub struct Test {
    folder: tempfile::TempDir,
    data: DataPart,
    training: TrainingPart,
}

impl Test {
    /// Downloads them.
    pub async fn fetch(context: &Context, data: &DataPart, training: &TrainingPart) -> Result<Self> {
        let folder = seen::download(context, data, &data.test.files).await?;
        Ok(Test { folder, data: data.clone(), training: training.clone() })
    }

    /// The documents and their labels, as the job read them.
    pub fn texts(&self) -> Result<Texts> {
        let asked = Hyperparameters::parse(self.training.hyperparameters.clone())
            .map_err(|e| Failure::new("the job's hyperparameters cannot be read").because(e))?;
        let options = Options { on_bad_rows: asked.on_bad_rows, ..Options::new(asked.columns) };
        let source = Source { folder: self.folder.path().into(), mode: InputMode::File, content_type: None };
        let mut problems = Problems::default();
        let Channel { texts, label_of, summary } = Channel::collect("test", &source, &options, &mut problems);
        if !problems.is_empty() {
            return Err(Failure::new("the test files cannot be read again").because(problems));
        }
        Ok(Texts { texts, label_of, labels: summary.labels.into_iter().map(|label| label.name).collect() })
    }

    fn columns(&self) -> Result<Columns> {
        let mut columns = Columns::default();
        for file in &self.data.test.files {
            let failed = || error::io(format!("{}: cannot be read", file.name));
            let bytes = std::fs::read(self.folder.path().join(&file.name)).map_err(failed())?;
            columns.add(&file.name, &bytes, &self.data.text_column, &self.data.label_column).map_err(failed())?;
        }
        Ok(columns)
    }
}

/// Documents of the test channel.
pub struct Texts {
    /// In file order.
    pub texts: Vec<String>,
    label_of: Vec<usize>,
    labels: Vec<String>,
}

impl Texts {
    /// The label of a row.
    pub fn label(&self, row: usize) -> String {
        self.labels[self.label_of[row]].clone()
    }
}

/// The gate's report at `uri`, if it is the one with that digest.
pub async fn stored(context: &Context, uri: &str, sha256: &str) -> Result<GateReport> {
    let again = "run `evaluate` again";
    let bytes = bucket::get(&context.aws.s3, uri).await?;
    let bytes = bytes.ok_or_else(|| Failure::new(format!("{uri} is gone")).hint(again))?;
    if names::sha256(&bytes) != sha256 {
        return Err(Failure::new(format!("{uri} is not the gate's report of the run record")).hint(again));
    }
    serde_json::from_slice(&bytes)
        .map_err(|e| Failure::new(format!("{uri}: the gate's report cannot be read")).because(e).hint(again))
}
