//! From counted documents and targets to a classifier, and the settings that made it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use linfa::DatasetBase;
use model::{
    Algorithm, Calibration, Classifier, Corpus, FitError, FitOptions, Fitted, Settings, TextClassifier, Watch,
    fit_classifier_with,
};
use ndarray::Array1;
use report::evaluation::{Calibrated, Tuning};
use serde_json::Value;

use crate::calibrating;
use crate::checkpoint::{Checkpoint, Decided};
use crate::contract::ContractError;
use crate::counting::Counted;
use crate::hyperparameters::{Hyperparameters, NAMES, is_idle};
use crate::log::say;
use crate::progress::{Progress, Unit};
use crate::signals::{Signals, Stop};
use crate::tune::{self, Data};

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What learns from held-out rows needs more.
    #[error("{asked} needs {} rows or more; train has {rows}", tune::LEAST_ROWS)]
    TooFewRows {
        /// What was asked for.
        asked: &'static str,
        /// Rows of the training channel.
        rows: usize,
    },
    /// The model's own reason.
    #[error(transparent)]
    Model(#[from] FitError),
    /// The checkpoint cannot be left.
    #[error(transparent)]
    Checkpoint(#[from] ContractError),
}

/// What a fit is part of.
pub struct Job<'a> {
    /// What is asked for.
    pub asked: &'a Hyperparameters,
    /// Labels of the classes, ascending.
    pub classes: &'a [String],
    /// Who may ask for the end.
    pub signals: &'a Signals,
    /// Where an interrupted fit is left.
    pub checkpoints: PathBuf,
    /// Of data and hyperparameters.
    pub identity: String,
}

/// What was fitted, and how.
pub struct Fit {
    /// Text to class.
    pub classifier: TextClassifier,
    /// Settings as used, by hyperparameter name.
    pub parameters: BTreeMap<String, String>,
    /// The search, where there was one.
    pub tuning: Option<Tuning>,
    /// Documents.
    pub rows: u64,
    /// Terms in the vocabulary.
    pub terms: u64,
    /// Values in the records.
    pub non_zeros: u64,
    /// Of the solver.
    pub iterations: Option<u64>,
    /// Whether the solver ended by its tolerance.
    pub converged: Option<bool>,
    /// What made its scores probabilities, where that was learned.
    pub calibration: Option<Calibrated>,
    /// What was pruned to keep to the memory allowed, as sentences.
    pub pruned: Vec<String>,
    /// The signal that ended it early.
    pub stopped: Option<Stop>,
}

/// Searches where the job is one that does, fits, calibrates. `targets` are the documents' class indices.
pub fn fit(job: &Job<'_>, counted: Counted, targets: Vec<usize>) -> Result<Fit, Error> {
    let Job { asked, classes, signals, .. } = *job;
    let Counted { corpus, search } = counted;
    let pruned = corpus.pruned().to_vec();
    for note in pruned.iter().map(String::as_str).chain(corpus.aside()) {
        say!("memory: {note}");
    }
    let (decided, start) = match take_up(job) {
        Some(Checkpoint { decided, linear }) => (decided, Some(Classifier::Linear(linear))),
        None => (decide(job, &corpus, &targets, search)?, None),
    };
    let settings = &decided.settings;
    let clock = Instant::now();
    signals.enter("weighting");
    let (featurizer, records) = corpus.featurize(&settings.tfidf, None, &targets, classes.len())?;
    drop(corpus);
    let (rows, terms, non_zeros) = (records.rows() as u64, records.columns() as u64, records.non_zeros());
    let dataset = DatasetBase::new(records, Array1::from(targets));
    if settings.algorithm == Algorithm::Logistic {
        signals.hold("fitting");
    } else {
        signals.enter("fitting");
    }
    say!("weighted: {terms} terms in {non_zeros} places of {rows} documents ({:.2} s)", clock.elapsed().as_secs_f64());
    let clock = Instant::now();
    let progress = Progress::begin("fit", Unit::Steps, None);
    let step = |_| progress.advance(1);
    let watch = Watch { stop: Some(signals.flag()), progress: Some(&step) };
    let options = FitOptions { start: start.as_ref(), watch };
    // The weights as the solver leaves them: interpolated they are no place to start from.
    let solved = Settings { beta: 1.0, ..settings.clone() };
    let fitted = fit_classifier_with(&solved, dataset, classes.len(), options)?;
    drop(progress);
    let Fitted { classifier, solver, iterations, converged, notes } = fitted;
    for note in notes {
        say!("{note}");
    }
    log_solver(solver, iterations, converged, settings, clock.elapsed().as_secs_f64());
    let stopped = signals.came().filter(|_| converged == Some(false));
    if let (Some(stop), Classifier::Linear(linear)) = (stopped, &classifier) {
        let checkpoint = Checkpoint { decided: decided.clone(), linear: linear.clone() };
        let path = checkpoint.write(&job.checkpoints, &job.identity)?;
        say!("{}: the solver stopped before its tolerance; it can go on from {}", stop.name(), path.display());
    }
    let parameters = parameters(asked, &decided, solver);
    let classifier = match classifier {
        Classifier::Linear(linear) => Classifier::Linear(linear.interpolated(settings.beta)),
        other => other,
    };
    let Decided { tuning, calibration, calibrated, .. } = decided;
    let classifier = TextClassifier { featurizer, classifier, calibration, classes: classes.to_vec() };
    Ok(Fit {
        classifier,
        parameters,
        tuning,
        rows,
        terms,
        non_zeros,
        iterations,
        converged,
        calibration: calibrated,
        pruned,
        stopped,
    })
}

/// Settings and calibration: searched for, or as asked.
fn decide(job: &Job<'_>, corpus: &Corpus, targets: &[usize], search: bool) -> Result<Decided, Error> {
    let settings = job.asked.settings.clone();
    let classes = job.classes.len();
    let clock = Instant::now();
    if search {
        job.signals.enter("tuning");
        let progress = Progress::begin("tune", Unit::Fits, None);
        let fitted = || progress.advance(1);
        let found = tune::search(Data { corpus, targets, classes, fitted: &fitted }, job.asked)?;
        drop(progress);
        tune::log(&found.tuning, clock.elapsed().as_secs_f64());
        let (calibration, calibrated) = calibrating::learn(job.asked.calibrate, found.held_out, classes);
        return Ok(Decided { settings: found.settings, tuning: Some(found.tuning), calibration, calibrated });
    }
    if settings.algorithm != Algorithm::Logistic || !calibrating::wanted(job.asked, targets.len())? {
        return Ok(Decided { settings, tuning: None, calibration: Calibration::None, calibrated: None });
    }
    job.signals.enter("calibrating");
    let progress = Progress::begin("hold out", Unit::Fits, None);
    let fitted = || progress.advance(1);
    let held_out = tune::held_out(Data { corpus, targets, classes, fitted: &fitted }, &settings)?;
    drop(progress);
    let (calibration, calibrated) = calibrating::learn(job.asked.calibrate, held_out, classes);
    say!("calibrated ({:.2} s)", clock.elapsed().as_secs_f64());
    Ok(Decided { settings, tuning: None, calibration, calibrated })
}

/// The checkpoint of an earlier, interrupted run of this job.
fn take_up(job: &Job<'_>) -> Option<Checkpoint> {
    match Checkpoint::read(&job.checkpoints, &job.identity) {
        Ok(Some(checkpoint)) => {
            say!("checkpoint: an interrupted fit of this job is taken up from {}", job.checkpoints.display());
            Some(checkpoint)
        }
        Ok(None) => None,
        Err(passed) => {
            say!("checkpoint: the one in {} {passed}: it is passed over", job.checkpoints.display());
            None
        }
    }
}

fn log_solver(solver: &str, iterations_taken: Option<u64>, converged: Option<bool>, settings: &Settings, seconds: f64) {
    let iterations = iterations_taken.map(|n| format!(", {n} iterations")).unwrap_or_default();
    say!("solver: {solver}{iterations} ({seconds:.2} s)");
    if converged == Some(false) && iterations_taken.is_some_and(|taken| taken >= settings.max_iter) {
        say!("solver: stopped at max_iter = {} before its tolerance {}", settings.max_iter, settings.tol);
    }
}

/// Settings as used, by hyperparameter name: what `auto` became, what the search chose; those without effect left out.
fn parameters(asked: &Hyperparameters, decided: &Decided, solver: &str) -> BTreeMap<String, String> {
    let settings = &decided.settings;
    let typed = match serde_json::to_value(settings) {
        Ok(Value::Object(typed)) => typed,
        // Settings are plain data, which serialises.
        _ => Default::default(),
    };
    let shown = typed.iter().filter(|(name, _)| NAMES.contains(&name.as_str()) && !is_idle(name, settings));
    let mut parameters: BTreeMap<String, String> =
        shown.map(|(name, value)| (name.clone(), plain(name, value))).collect();
    let mut set = |name: &str, value: &str| parameters.insert(name.to_owned(), value.to_owned());
    set("text_column", &asked.columns.text);
    set("label_column", &asked.columns.label);
    set("tune", if decided.tuning.is_some() { "cv" } else { "none" });
    if settings.algorithm == Algorithm::Logistic {
        set("solver", solver);
        set("calibration", calibrating::name(&decided.calibration));
    }
    parameters
}

/// A value as a hyperparameter is written: `1,2`, `none`, `10`; with a point where it is a share of the documents.
fn plain(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| plain(name, item)).collect::<Vec<_>>().join(","),
        Value::Number(number) => {
            match number.as_f64().filter(|_| number.is_f64() && !matches!(name, "min_df" | "max_df")) {
                Some(number) => number.to_string(),
                None => number.to_string(),
            }
        }
        other => other.to_string(),
    }
}
