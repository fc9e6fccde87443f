//! The search for `C` by cross-validation on the training channel.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use model::{Algorithm, Classifier, Dataset, FitError, Settings, fit_classifier};
use ndarray::Array1;
use report::evaluation::{Candidate, Tuning};

use crate::fit;
use crate::folds::{Fold, stratified};
use crate::hyperparameters::{Hyperparameters, Tune};
use crate::parallel;

/// What is tried, ascending: a factor of about three a step, over the range where text of any length has its best.
const CANDIDATES: [f64; 5] = [0.3, 1.0, 3.0, 10.0, 30.0];

/// `auto` searches from this many rows; with fewer the folds' figures are mostly chance.
const ROWS_FOR_AUTO: usize = 500;

/// From this many rows on, three folds measure as well as five.
const ROWS_FOR_THREE_FOLDS: usize = 10_000;

/// A search needs this many rows at all.
pub const LEAST_ROWS: usize = 10;

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

/// Compares [`CANDIDATES`] on stratified folds of `dataset`. Returns the table and the `C` that won.
pub fn search(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<(Tuning, f64), FitError> {
    let rows = dataset.records.rows();
    let folds = if rows < ROWS_FOR_THREE_FOLDS { 5 } else { 3 };
    let targets = dataset.targets.to_vec();
    let folds = stratified(&targets, classes, folds, settings.seed);
    let measured = parallel::map(folds.len(), |fold| measure(settings, dataset, classes, &folds[fold]));
    let by_fold = measured.into_iter().collect::<Result<Vec<_>, _>>()?;
    let accuracies: Vec<Vec<f64>> =
        (0..CANDIDATES.len()).map(|at| by_fold.iter().map(|fold| fold[at]).collect()).collect();
    let (chosen, reason) = choose(&accuracies);
    let candidate = |(c, accuracies): (&f64, &Vec<f64>)| {
        let (mean, standard_error) = mean_and_error(accuracies);
        Candidate { parameters: BTreeMap::from([("C".into(), c.to_string())]), mean, standard_error }
    };
    let tuning = Tuning {
        folds: folds.len() as u64,
        metric: "accuracy".into(),
        candidates: CANDIDATES.iter().zip(&accuracies).map(candidate).collect(),
        chosen,
        reason,
    };
    Ok((tuning, CANDIDATES[chosen]))
}

/// Accuracy of every candidate on one fold. Each starts from the one before: their weights are near.
fn measure(settings: &Settings, dataset: &Dataset, classes: usize, fold: &Fold) -> Result<Vec<f64>, FitError> {
    let part = |rows: &[usize]| {
        let targets: Array1<usize> = rows.iter().map(|&row| dataset.targets[row]).collect();
        DatasetBase::new(dataset.records.select(rows), targets)
    };
    let (learned, held_out) = (part(&fold.fit), part(&fold.held_out));
    let mut start: Option<Classifier> = None;
    let mut accuracies = Vec::with_capacity(CANDIDATES.len());
    for c in CANDIDATES {
        let settings = Settings { c, ..settings.clone() };
        let fitted = fit_classifier(&settings, &learned, classes, start.as_ref())?;
        accuracies.push(fit::accuracy(&fitted.classifier, &held_out));
        start = Some(fitted.classifier);
    }
    Ok(accuracies)
}

/// The winner among ascending candidates by their accuracies a fold, and why.
///
/// It is the smallest candidate that does not fall short of the best mean by more than one standard error of their
/// difference over the folds (the one-standard-error rule of Breiman et al. 1984, paired because the folds are the
/// same for all).
fn choose(accuracies: &[Vec<f64>]) -> (usize, String) {
    let means: Vec<f64> = accuracies.iter().map(|candidate| mean_and_error(candidate).0).collect();
    let best = (0..means.len()).rev().max_by(|&a, &b| means[a].total_cmp(&means[b])).unwrap_or(0);
    let good_enough = |&at: &usize| {
        let differences: Vec<f64> = accuracies[best].iter().zip(&accuracies[at]).map(|(a, b)| a - b).collect();
        let (mean, error) = mean_and_error(&differences);
        mean <= error
    };
    let chosen = (0..best).find(good_enough).unwrap_or(best);
    let reason = if chosen == best {
        format!("C = {} has the best mean accuracy", CANDIDATES[best])
    } else {
        format!(
            "C = {} is the smallest within one standard error of the best, C = {}",
            CANDIDATES[chosen], CANDIDATES[best]
        )
    };
    (chosen, reason)
}

/// Mean and its standard error, `s / √n` with `n - 1` in the variance.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}
