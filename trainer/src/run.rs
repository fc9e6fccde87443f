//! One training job from its folder to its artifact.

use std::collections::BTreeMap;
use std::time::Instant;

use model::{Artifact, ArtifactError, DataDigest, Provenance};
use report::evaluation::{DataFile, Metrics, Training};

use crate::classes::{ClassError, Classes};
use crate::contract::{Channels, ContractError, MlRoot, Source, write_aside};
use crate::evaluation::{self, Background, Labelled};
use crate::checkpoint::{self, Checkpoint};
use crate::fit::{self, Job};
use crate::hyperparameters::{HyperparameterError, Hyperparameters};
use crate::log::say;
use crate::metrics;
use crate::reading::problems::Problems;
use crate::reading::{Channel, Columns};
use crate::signals::{Signals, Stop};

/// The version that the artifact and the evaluation bear.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a job failed; shown on stderr and left in `output/failure`.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The folder.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// What was asked for.
    #[error(transparent)]
    Hyperparameters(#[from] HyperparameterError),
    /// The files.
    #[error("{0}")]
    Data(Problems),
    /// The labels.
    #[error(transparent)]
    Classes(#[from] ClassError),
    /// The fit.
    #[error(transparent)]
    Fit(#[from] fit::Error),
    /// The artifact.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// Signals cannot be listened for.
    #[error("signals cannot be listened for: {0}")]
    Signals(#[from] std::io::Error),
    /// A figure of the evaluation is no number of JSON.
    #[error("the evaluation cannot be written: {0}")]
    Evaluation(#[from] serde_json::Error),
}

/// What the channels hold.
struct Data {
    train: Channel,
    validation: Option<Channel>,
    test: Option<Channel>,
}

/// How a job that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Trained,
    /// By a signal, with what had been reached left in `model/`.
    Stopped(Stop),
}

/// Trains. Nothing in `model/` or `output/data/` is touched before there is something to put there.
pub fn train(root: &MlRoot) -> Result<Ended, TrainError> {
    root.check_root()?;
    root.remove_stale(&root.failure())?;
    root.check_hosts()?;
    let asked = Hyperparameters::parse(root.hyperparameters()?)?;
    for note in &asked.notes {
        say!("{note}");
    }
    let signals = Signals::listen(root)?;
    signals.enter("reading");
    let clock = Instant::now();
    let Data { mut train, validation, test } = read(&root.channels()?, &asked.columns)?;
    let classes = Classes::of(&train)?;
    let targets = classes.targets(&train)?;
    let validation_targets = validation.as_ref().map(|channel| classes.targets(channel)).transpose()?;
    let test_targets = test.as_ref().map(|channel| classes.targets(channel)).transpose()?;
    let class_rows: BTreeMap<String, u64> = train.labels.iter().map(|label| (label.name.clone(), label.rows)).collect();
    let counts: Vec<String> = class_rows.iter().map(|(class, rows)| format!("{class}: {rows}")).collect();
    say!("classes: {} ({})", counts.len(), counts.join(", "));

    let texts = std::mem::take(&mut train.texts);
    let identity = checkpoint::identity(&asked, &train.files);
    let checkpoints = root.checkpoints();
    let job = Job { asked: &asked, classes: classes.names(), signals: &signals, checkpoints, identity };
    let fitted = fit::fit(&job, texts, targets)?;
    signals.hold("saving");
    let seconds = clock.elapsed().as_secs_f64();
    let provenance = Provenance {
        settings: fitted.parameters.clone(),
        data: train.files.iter().map(digest).collect(),
        class_rows: class_rows.clone(),
        version: VERSION.into(),
        metrics: cross_validated(&fitted),
    };
    fitted.classifier.save(&root.model(), &provenance)?;
    drop(fitted.classifier);
    // What is measured is what will be served: the artifact as it lies there.
    let artifact = Artifact::open(&root.model())?;
    say!("artifact: {} ({} bytes)", root.model().display(), artifact.bytes());
    // An evaluation of an earlier artifact would pass for this one's.
    root.remove_stale(&root.evaluation())?;
    signals.saved();
    if let Some(stop) = fitted.stopped {
        say!("{}: stopped; the artifact is of a solver that has not converged, no evaluation is written", stop.name());
        return Ok(Ended::Stopped(stop));
    }
    Checkpoint::remove(&root.checkpoints())?;
    signals.enter("evaluating");

    if let (Some(channel), Some(targets)) = (&validation, &validation_targets) {
        let outcomes = evaluation::predict(&artifact, &Labelled { texts: &channel.texts, targets });
        say!("validation_accuracy={:.6};", metrics::accuracy(&outcomes));
    }
    let (Some(channel), Some(targets)) = (&test, &test_targets) else {
        say!("no channel `test`: no evaluation is written");
        return Ok(Ended::Trained);
    };
    let training = Training {
        rows: fitted.rows,
        class_rows,
        terms: fitted.terms,
        non_zeros: fitted.non_zeros,
        parameters: fitted.parameters,
        iterations: fitted.iterations,
        converged: fitted.converged,
        seconds,
        version: VERSION.into(),
    };
    let data = [Some(&train), validation.as_ref(), test.as_ref()].into_iter().flatten();
    let data: Vec<DataFile> = data.flat_map(|channel| channel.files.clone()).collect();
    let background = Background { training, tuning: fitted.tuning, data };
    let evaluation = evaluation::evaluate(&artifact, &Labelled { texts: &channel.texts, targets }, background);
    signals.hold("writing the evaluation");
    write_aside(&root.evaluation(), &serde_json::to_vec_pretty(&evaluation)?)?;
    log_metrics(&evaluation.metrics);
    say!("evaluation: {} ({} documents)", root.evaluation().display(), evaluation.rows);
    Ok(Ended::Trained)
}

/// Reads every channel and tells of all faults together.
fn read(channels: &Channels, columns: &Columns) -> Result<Data, TrainError> {
    for name in &channels.ignored {
        say!("channel {name}: nothing reads it; there are train, validation and test");
    }
    let mut problems = Problems::default();
    let mut read = |name: &str, source: &Source| {
        let clock = Instant::now();
        let channel = Channel::read(name, &source.folder, columns, &mut problems);
        let bytes: u64 = channel.files.iter().map(|file| file.bytes).sum();
        let files = if channel.files.len() == 1 { "file" } else { "files" };
        say!(
            "channel {name}: {} rows in {} {files}, {bytes} bytes ({:.1} s)",
            channel.texts.len(),
            channel.files.len(),
            clock.elapsed().as_secs_f64()
        );
        channel
    };
    let train = read("train", &channels.train);
    let validation = channels.validation.as_ref().map(|source| read("validation", source));
    let test = channels.test.as_ref().map(|source| read("test", source));
    if problems.is_empty() { Ok(Data { train, validation, test }) } else { Err(TrainError::Data(problems)) }
}

fn digest(file: &DataFile) -> DataDigest {
    let DataFile { channel, name, bytes, sha256, rows } = file.clone();
    DataDigest { channel, name, bytes, sha256, rows }
}

/// What the search measured of the chosen settings. The test channel's figures cannot stand in the artifact that they
/// are measured of.
fn cross_validated(fitted: &fit::Outcome) -> BTreeMap<String, f64> {
    let chosen = fitted.tuning.as_ref().and_then(|tuning| tuning.candidates.get(tuning.chosen));
    chosen.map(|candidate| ("cross_validated_accuracy".to_owned(), candidate.mean)).into_iter().collect()
}

/// One line that the job's metric definitions read.
fn log_metrics(metrics: &Metrics) {
    let Metrics { accuracy, precision, recall, f1, log_loss, roc_auc, average: _ } = metrics;
    let area = roc_auc.map(|area| format!(" roc_auc={area:.6};")).unwrap_or_default();
    say!(
        "accuracy={accuracy:.6}; precision={precision:.6}; recall={recall:.6}; f1={f1:.6}; log_loss={log_loss:.6};{area}"
    );
}
