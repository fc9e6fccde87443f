//! One training job from its folder to its artifact.

use std::collections::BTreeMap;
use std::time::Instant;

use model::{Artifact, ArtifactError, DataDigest, Provenance};
use report::evaluation::{DataFile, Training};

use crate::checkpoint::{self, Checkpoint};
use crate::classes::{ClassError, Classes};
use crate::contract::{ContractError, MlRoot, write_aside};
use crate::data::{self, Data};
use crate::evaluation::{self, Background, Labelled};
use crate::fit::{self, Job};
use crate::hyperparameters::{HyperparameterError, Hyperparameters};
use crate::log::say;
use crate::metrics;
use crate::predictions::Predictions;
use crate::progress::{Progress, Unit};
use crate::reading::Summary;
use crate::reading::problems::Problems;
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
    say!("train {VERSION} on {} threads", model::threads::count());
    let clock = Instant::now();
    let Data { counter, labels, train, validation, test, warnings } =
        Data::read(&root.channels()?, &asked, root.output()).map_err(TrainError::Data)?;
    let classes = Classes::of(&train.labels)?;
    let of_channel = |channel: &Option<_>| channel.as_ref().map(|channel| classes.targets_of(channel)).transpose();
    let (validation_targets, test_targets) = (of_channel(&validation)?, of_channel(&test)?);
    let targets = classes.targets(&train.labels, labels.iter().map(|&label| label as usize))?;
    drop(labels);
    let class_rows = data::class_rows(&train);
    let counts: Vec<String> = class_rows.iter().map(|(class, rows)| format!("{class}: {rows}")).collect();
    say!("classes: {} ({})", counts.len(), counts.join(", "));

    signals.enter("counting");
    let counting = Instant::now();
    let progress = Progress::begin("count", Unit::Documents, None);
    let counted = counter.finish(classes.names().len())?;
    drop(progress);
    say!("counted: {} terms ({:.2} s)", counted.corpus.terms(), counting.elapsed().as_secs_f64());
    let identity = checkpoint::identity(&asked, &train.files);
    let checkpoints = root.checkpoints();
    let job = Job { asked: &asked, classes: classes.names(), signals: &signals, checkpoints, identity };
    let fitted = fit::fit(&job, counted, targets)?;
    let seconds = clock.elapsed().as_secs_f64();

    signals.hold("saving");
    let writing = Instant::now();
    let mut settings = fitted.parameters.clone();
    if let Some(converged) = fitted.converged.filter(|_| fitted.stopped.is_some()) {
        settings.insert("converged".into(), converged.to_string());
    }
    if !fitted.pruned.is_empty() {
        settings.insert("pruned".into(), fitted.pruned.join("; "));
    }
    let summaries: Vec<&Summary> = data::summaries(&train, &validation, &test).collect();
    let files: Vec<DataFile> = summaries.iter().flat_map(|summary| summary.files.clone()).collect();
    let mut dropped = BTreeMap::new();
    for rows in summaries.iter().flat_map(|summary| &summary.dropped) {
        *dropped.entry(rows.reason.clone()).or_default() += rows.rows;
    }
    let provenance = Provenance {
        asked: asked.values.clone(),
        settings,
        dropped,
        data: files.iter().map(digest).collect(),
        class_rows: class_rows.clone(),
        version: VERSION.into(),
        metrics: cross_validated(&fitted),
    };
    fitted.classifier.save(&root.model(), &provenance)?;
    drop(fitted.classifier);
    // What is measured is what will be served: the artifact as it lies there.
    let artifact = Artifact::open(&root.model())?;
    artifact.verify()?;
    let seconds_writing = writing.elapsed().as_secs_f64();
    say!("artifact: {} ({} bytes, {seconds_writing:.2} s)", root.model().display(), artifact.bytes());
    // An evaluation of an earlier artifact would pass for this one's.
    root.remove_stale(&root.evaluation())?;
    root.remove_stale(&root.page())?;
    root.remove_stale(&root.predictions())?;
    signals.saved();
    if let Some(stop) = fitted.stopped {
        say!("{}: stopped; the artifact is of a solver that has not converged, no evaluation is written", stop.name());
        return Ok(Ended::Stopped(stop));
    }
    Checkpoint::remove(&root.checkpoints())?;

    signals.enter("evaluating");
    let documents = [&validation, &test].into_iter().flatten().map(|channel| channel.texts.len() as u64).sum();
    let progress = Progress::begin("evaluate", Unit::Documents, Some(documents));
    let predicted = || progress.advance(1);
    if let (Some(channel), Some(targets)) = (&validation, &validation_targets) {
        let outcomes = evaluation::predict(&artifact, &Labelled { texts: &channel.texts, targets }, &predicted)?;
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
    let background = Background { training, tuning: fitted.tuning, data: files };
    let labelled = Labelled { texts: &channel.texts, targets };
    let (mut evaluation, outcomes) = evaluation::evaluate(&artifact, &labelled, background, &predicted)?;
    evaluation.dropped = summaries.iter().flat_map(|summary| summary.dropped.clone()).collect();
    evaluation.warnings = warnings;
    evaluation.calibration = fitted.calibration;
    drop(progress);
    signals.hold("writing the evaluation");
    let predictions = Predictions::of(artifact.classes(), &channel.texts, &outcomes);
    write_aside(&root.predictions(), &predictions.to_bytes()?)?;
    write_aside(&root.evaluation(), &serde_json::to_vec_pretty(&evaluation)?)?;
    write_aside(&root.page(), report::evaluation::html(&evaluation).as_bytes())?;
    // One line that the job's metric definitions read.
    let headline = metrics::headline(&evaluation);
    say!("{}", headline.iter().map(|(name, value)| format!("{name}={value:.6};")).collect::<Vec<_>>().join(" "));
    say!(
        "evaluation: {} ({} documents), as a page: {}",
        root.evaluation().display(),
        evaluation.rows,
        root.page().display()
    );
    Ok(Ended::Trained)
}

fn digest(file: &DataFile) -> DataDigest {
    let DataFile { channel, name, bytes, sha256, rows } = file.clone();
    DataDigest { channel, name, bytes, sha256, rows }
}

/// What the search measured of the chosen settings. The test channel's figures cannot stand in the artifact that they
/// are measured of.
fn cross_validated(fitted: &fit::Fit) -> BTreeMap<String, f64> {
    let chosen = fitted.tuning.as_ref().and_then(|tuning| tuning.candidates.get(tuning.chosen));
    chosen.map(|candidate| ("cross_validated_accuracy".to_owned(), candidate.mean)).into_iter().collect()
}
