//! The search for `C` by cross-validation on the training channel.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use model::{Algorithm, Classifier, Dataset, FitError, Records, Settings, Solver, fit_classifier};
use ndarray::Array1;
use report::evaluation::{Candidate, Tuning};

use crate::folds::{Fold, sample, stratified};
use crate::hyperparameters::{Hyperparameters, Tune};
use crate::metrics::{self, Outcome};
use crate::parallel;

/// What is tried, ascending: about three times the one before, over the range where text has its best (weights of
/// L2-normalised rows need little regularisation).
const CANDIDATES: [f64; 5] = [1.0, 3.0, 10.0, 30.0, 100.0];

/// `auto` searches from this many rows; with fewer the folds' figures are mostly chance.
const ROWS_FOR_AUTO: usize = 500;

/// From this many rows on, three folds measure as well as five.
const ROWS_FOR_THREE_FOLDS: usize = 10_000;

/// A search needs this many rows at all.
pub const LEAST_ROWS: usize = 20;

/// Whether the job is one that searches.
pub fn wanted(asked: &Hyperparameters, rows: usize) -> bool {
    match asked.tune {
        Tune::None => false,
        Tune::Cv => true,
        Tune::Auto => {
            rows >= ROWS_FOR_AUTO && asked.settings.algorithm == Algorithm::Logistic && !asked.given.contains("C")
        }
    }
}

/// The tolerance of a search, and of the fit that follows it, where none is set by hand. At the default of 1e-4 the
/// gradient of the mean objective over many rows is flat long before the greater candidates differ.
const TOLERANCE: f64 = 3e-5;

/// Iterations that this tolerance may take, where none are set by hand.
const MAX_ITER: u64 = 300;

/// Lets the solver go on until candidates can be told apart.
pub fn tighten(asked: &Hyperparameters, settings: &mut Settings) {
    if !asked.given.contains("tol") {
        settings.tol = settings.tol.min(TOLERANCE);
    }
    if !asked.given.contains("max_iter") {
        settings.max_iter = settings.max_iter.max(MAX_ITER);
    }
}

/// Operations an iteration that a search may take, about what 25,000 film reviews in two classes do. Above it the search
/// sees a sample: the best `C` hardly depends on the number of rows, and the fit that follows sees them all.
const OPERATIONS: f64 = 5e7;

/// A sample has this many rows a class where there are as many.
const LEAST_ROWS_OF_A_CLASS: usize = 50;

/// Operations of one iteration: the solver's memory over all weights, and two passes over the records.
fn operations(records: &Records, classes: usize) -> f64 {
    let vectors = if classes == 2 { 1 } else { classes };
    (30 * records.columns() + 4 * records.non_zeros() as usize) as f64 * vectors as f64
}

/// The rows of `dataset` that the search sees.
fn sampled(settings: &Settings, dataset: Dataset, classes: usize) -> Dataset {
    let share = OPERATIONS / operations(&dataset.records, classes);
    if share >= 1.0 {
        return dataset;
    }
    let targets = dataset.targets.to_vec();
    let rows = sample(&targets, classes, share, LEAST_ROWS_OF_A_CLASS, settings.seed);
    part(&dataset, &rows)
}

fn part(dataset: &Dataset, rows: &[usize]) -> Dataset {
    let targets: Array1<usize> = rows.iter().map(|&row| dataset.targets[row]).collect();
    DatasetBase::new(dataset.records.select(rows), targets)
}

/// Compares [`CANDIDATES`] on stratified folds of `dataset`. Returns the table and the `C` that won.
pub fn search(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<(Tuning, f64), FitError> {
    let all_rows = dataset.records.rows();
    let dataset = sampled(settings, dataset.clone(), classes);
    let rows = dataset.records.rows();
    let folds = if rows < ROWS_FOR_THREE_FOLDS { 5 } else { 3 };
    let folds = stratified(&dataset.targets.to_vec(), classes, folds, settings.seed);
    // The same objective whoever minimises it; linfa's way on dense records takes many times longer.
    let solver = if settings.solver == Solver::Auto { Solver::Sparse } else { settings.solver };
    let settings = &Settings { solver, ..settings.clone() };
    let measured = parallel::map(folds.len(), |fold| measure(settings, &dataset, classes, &folds[fold]));
    let by_fold = measured.into_iter().collect::<Result<Vec<_>, _>>()?;
    let measured: Vec<Vec<Quality>> =
        (0..CANDIDATES.len()).map(|at| by_fold.iter().map(|fold| fold[at]).collect()).collect();
    let (chosen, mut reason) = choose(&measured);
    if rows < all_rows {
        reason.push_str(&format!("; measured on a stratified sample of {rows} of {all_rows} rows"));
    }
    let candidate = |(c, folds): (&f64, &Vec<Quality>)| {
        let (mean, standard_error) = mean_and_error(folds.iter().map(|quality| quality.accuracy));
        let parameters = BTreeMap::from([("C".into(), c.to_string())]);
        Candidate { parameters, mean, standard_error, ..Candidate::default() }
    };
    let tuning = Tuning {
        folds: folds.len() as u64,
        metric: "accuracy".into(),
        candidates: CANDIDATES.iter().zip(&measured).map(candidate).collect(),
        chosen,
        reason,
        ..Tuning::default()
    };
    Ok((tuning, CANDIDATES[chosen]))
}

/// Every candidate on one fold. Each starts from the one before: their weights are near.
fn measure(settings: &Settings, dataset: &Dataset, classes: usize, fold: &Fold) -> Result<Vec<Quality>, FitError> {
    let (learned, held_out) = (part(dataset, &fold.fit), part(dataset, &fold.held_out));
    let mut start: Option<Classifier> = None;
    let mut measured = Vec::with_capacity(CANDIDATES.len());
    for c in CANDIDATES {
        let settings = Settings { c, ..settings.clone() };
        let fitted = fit_classifier(&settings, &learned, classes, start.as_ref())?;
        measured.push(Quality::of(&fitted.classifier, &held_out));
        start = Some(fitted.classifier);
    }
    Ok(measured)
}

/// A candidate on one fold.
#[derive(Clone, Copy, Debug)]
struct Quality {
    accuracy: f64,
    log_loss: f64,
}

impl Quality {
    fn of(classifier: &Classifier, held_out: &Dataset) -> Self {
        let probabilities = classifier.probabilities(&held_out.records);
        let outcomes: Vec<Outcome> = probabilities
            .rows()
            .into_iter()
            .zip(&held_out.targets)
            .map(|(row, &actual)| Outcome::of(actual, row.to_vec()))
            .collect();
        Self { accuracy: metrics::accuracy(&outcomes), log_loss: metrics::log_loss(&outcomes) }
    }
}

/// The winner among ascending candidates by their figures a fold, and why.
///
/// Accuracy on a few folds is too coarse to tell neighbours apart, so those count as equal to the best whose shortfall
/// is within one standard error of the difference over the folds (Breiman et al.'s rule of 1984, paired because the
/// folds are the same for all). Of equals the log loss decides, which every probability moves. On nine data sets' own
/// held-out rows this chose better than the plain best or the smallest within the error.
fn choose(measured: &[Vec<Quality>]) -> (usize, String) {
    let mean = |at: usize, figure: fn(&Quality) -> f64| mean_and_error(measured[at].iter().map(figure)).0;
    let accuracy = |at: usize| mean(at, |quality| quality.accuracy);
    let log_loss = |at: usize| mean(at, |quality| quality.log_loss);
    let candidates = 0..measured.len();
    // The first of equals.
    let best = candidates.clone().rev().max_by(|&a, &b| accuracy(a).total_cmp(&accuracy(b))).unwrap_or(0);
    let equal = |&at: &usize| {
        let pairs = measured[best].iter().zip(&measured[at]);
        let (shortfall, error) = mean_and_error(pairs.map(|(best, other)| best.accuracy - other.accuracy));
        shortfall <= error
    };
    let chosen = candidates.filter(equal).min_by(|&a, &b| log_loss(a).total_cmp(&log_loss(b))).unwrap_or(best);
    let reason = if chosen == best {
        format!("C = {} has the best mean accuracy", CANDIDATES[best])
    } else {
        format!(
            "C = {} has the least log loss of those within one standard error of the best accuracy, C = {}",
            CANDIDATES[chosen], CANDIDATES[best]
        )
    };
    (chosen, reason)
}

/// Mean and its standard error, `s / √n` with `n - 1` in the variance.
fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(accuracies: [f64; 3], log_loss: f64) -> Vec<Quality> {
        accuracies.map(|accuracy| Quality { accuracy, log_loss }).to_vec()
    }

    #[test]
    fn log_loss_decides_between_equals_only() {
        let poor = quality([0.5, 0.5, 0.5], 0.1);
        let good = quality([0.80, 0.70, 0.75], 0.5);
        let as_good = quality([0.79, 0.71, 0.748], 0.4);
        let same = quality([0.80, 0.70, 0.75], 0.5);
        assert_eq!(choose(&[poor.clone(), good.clone(), as_good.clone()]).0, 2);
        assert_eq!(choose(&[good.clone(), same, poor.clone()]).0, 0);
        assert_eq!(choose(&[as_good, poor.clone(), good.clone()]).0, 0);
        assert_eq!(choose(&[poor, good]), (1, "C = 3 has the best mean accuracy".to_owned()));
    }

    #[test]
    fn standard_errors() {
        let (mean, error) = mean_and_error([0.7, 0.8, 0.9].into_iter());
        assert!((mean - 0.8).abs() < 1e-12 && (error - 0.1 / 3f64.sqrt()).abs() < 1e-12);
    }
}
