//! From documents and targets to a classifier, and the settings that made it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use linfa::DatasetBase;
use model::{Algorithm, Calibration, Classifier, FitError, Fitted, Settings, TextClassifier, fit_classifier};
use ndarray::Array1;
use report::evaluation::Tuning;
use serde_json::Value;

use crate::checkpoint::{Checkpoint, Decided};
use crate::contract::ContractError;
use crate::hyperparameters::{Hyperparameters, NAMES, is_idle};
use crate::log::say;
use crate::signals::{Signals, Stop};
use crate::tune;

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The search needs more rows.
    #[error("tune = \"cv\" needs {} rows or more; train has {rows}", tune::LEAST_ROWS)]
    TooFewRows {
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
pub struct Outcome {
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
    /// The signal that ended it early.
    pub stopped: Option<Stop>,
}

/// Fits on `texts` and their class indices in `targets`. The texts are dropped as soon as they are records.
pub fn fit(job: &Job<'_>, texts: Vec<String>, targets: Vec<usize>) -> Result<Outcome, Error> {
    let Job { asked, classes, signals, .. } = *job;
    let taken_up = take_up(job);
    let mut settings = asked.settings.clone();
    let search = taken_up.is_none() && tune::wanted(asked, texts.len());
    if search && texts.len() < tune::LEAST_ROWS {
        return Err(Error::TooFewRows { rows: texts.len() });
    }
    let clock = Instant::now();
    signals.enter("counting");
    let (tfidf, records) = settings.tfidf.fit_transform(&texts)?;
    drop(texts);
    let (rows, terms, non_zeros) = (records.rows() as u64, records.columns() as u64, records.non_zeros());
    say!("terms: {terms}, in {non_zeros} places of {rows} documents ({:.1} s)", clock.elapsed().as_secs_f64());
    let dataset = DatasetBase::new(records, Array1::from(targets));
    let mut decided = Decided { settings: settings.clone(), tuning: None, calibration: Calibration::None };
    if search {
        signals.enter("tuning");
        tune::tighten(asked, &mut settings);
        let clock = Instant::now();
        let (table, c) = tune::search(&settings, &dataset, classes.len())?;
        log_tuning(&table, clock.elapsed().as_secs_f64());
        settings.c = c;
        decided.tuning = Some(table);
    }
    let start = taken_up.map(|checkpoint| {
        decided = checkpoint.decided.clone();
        checkpoint.start()
    });
    decided.settings = settings.clone();
    if settings.algorithm == Algorithm::Logistic {
        signals.hold("fitting");
    } else {
        signals.enter("fitting");
    }
    let clock = Instant::now();
    let Fitted { classifier, solver, iterations, converged, notes } =
        fit_classifier(&settings, &dataset, classes.len(), start.as_ref())?;
    log_solver(solver, iterations, converged, &settings, clock.elapsed().as_secs_f64());
    notes.iter().for_each(|note| say!("{note}"));
    let stopped = signals.came().filter(|_| converged == Some(false));
    if let (Some(stop), Classifier::Linear(linear)) = (stopped, &classifier) {
        let checkpoint = Checkpoint { decided: decided.clone(), linear: linear.clone() };
        let path = checkpoint.write(&job.checkpoints, &job.identity)?;
        say!("{}: the solver stopped before its tolerance; it can go on from {}", stop.name(), path.display());
    }
    Ok(Outcome {
        parameters: parameters(asked, &settings, solver, decided.tuning.is_some()),
        classifier: TextClassifier { tfidf, classifier, classes: classes.to_vec() },
        tuning: decided.tuning,
        rows,
        terms,
        non_zeros,
        iterations,
        converged,
        stopped,
    })
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

fn log_tuning(tuning: &Tuning, seconds: f64) {
    say!("tuning: {}-fold cross-validation on train ({seconds:.1} s)", tuning.folds);
    for (at, candidate) in tuning.candidates.iter().enumerate() {
        let parameters: Vec<String> =
            candidate.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let mark = if at == tuning.chosen { " <- chosen" } else { "" };
        say!(
            "  {:<8} {} {:.4} +- {:.4}{mark}",
            parameters.join(", "),
            tuning.metric,
            candidate.mean,
            candidate.standard_error
        );
    }
    say!("  {}", tuning.reason);
}

fn log_solver(solver: &str, iterations: Option<u64>, converged: Option<bool>, settings: &Settings, seconds: f64) {
    let iterations = iterations.map(|n| format!(", {n} iterations")).unwrap_or_default();
    say!("solver: {solver}{iterations} ({seconds:.1} s)");
    if converged == Some(false) {
        say!("solver: stopped at max_iter = {} before its tolerance {}", settings.max_iter, settings.tol);
    }
}

/// Settings as used, by hyperparameter name: what `auto` became, what the search chose; those without effect left out.
fn parameters(asked: &Hyperparameters, settings: &Settings, solver: &str, tuned: bool) -> BTreeMap<String, String> {
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
    set("tune", if tuned { "cv" } else { "none" });
    if settings.algorithm == Algorithm::Logistic {
        set("solver", solver);
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
