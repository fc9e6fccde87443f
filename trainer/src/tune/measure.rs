//! Candidates on folds: learned from one part of the rows, scored on the other.

use linfa::DatasetBase;
use model::{Classifier, Corpus, FitError, Linear, Settings, Solver, fit_classifier, threads};
use ndarray::Array1;

use super::judge::HeldOut;
use crate::folds::Fold;

/// How much sooner than the last fit a candidate's stops: what it has left to gain does not change who is better.
const LOOSER: f64 = 10.0;

/// Counted documents and their classes.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    /// Counts of all n-grams that a candidate may want.
    pub corpus: &'a Corpus,
    /// Class indices, one a document.
    pub targets: &'a [usize],
    /// Number of classes.
    pub classes: usize,
    /// Called after each fit of a candidate.
    pub fitted: &'a (dyn Fn() + Sync),
}

/// Candidates that share their records, on one fold. They are fitted in their order, each from the one before.
pub struct Task<'a> {
    /// Equal but for `C` and the loss.
    pub candidates: Vec<&'a Settings>,
    /// Whether scores of the mean magnitudes are wanted, for `beta`.
    pub means: bool,
    pub fold: &'a Fold,
}

/// What a task gives.
pub struct Done {
    /// Of each candidate.
    pub held_out: Vec<HeldOut>,
    /// Values in the records that were learned from.
    pub non_zeros: u64,
}

impl Data<'_> {
    /// Does the tasks in parallel; results in their order.
    pub fn measure(&self, tasks: &[Task<'_>]) -> Vec<Result<Done, FitError>> {
        threads::map(tasks.len(), |at| self.one(&tasks[at]))
    }

    fn one(&self, task: &Task<'_>) -> Result<Done, FitError> {
        let Task { candidates, means, fold } = task;
        let (_, records) = self.corpus.featurize(&candidates[0].tfidf, Some(&fold.fit), self.targets, self.classes)?;
        let targets: Array1<usize> = fold.fit.iter().map(|&row| self.targets[row]).collect();
        let learned = DatasetBase::new(records.select(&fold.fit), targets);
        let unseen = records.select(&fold.held_out);
        let mut start: Option<Classifier> = None;
        let mut held_out = Vec::with_capacity(candidates.len());
        for settings in candidates {
            // Weights as fitted: beta is a matter of scores. The same objective whoever minimises it, and linfa's way
            // on dense records takes many times longer.
            let solver = if settings.solver == Solver::Auto { Solver::Sparse } else { settings.solver };
            let tol = settings.tol * LOOSER;
            let settings = Settings { beta: 1.0, solver, tol, ..(*settings).clone() };
            let fitted = fit_classifier(&settings, &learned, self.classes, start.as_ref())?.classifier;
            if let Classifier::Linear(linear) = &fitted {
                held_out.push(HeldOut {
                    rows: fold.held_out.clone(),
                    scores: linear.scores(&unseen),
                    of_means: means.then(|| of_means(linear).scores(&unseen)),
                });
            }
            start = Some(fitted);
            (self.fitted)();
        }
        Ok(Done { held_out, non_zeros: learned.records.non_zeros() })
    }
}

/// Every weight replaced by the mean magnitude of its vector (Wang & Manning 2012, section 2.3).
fn of_means(linear: &Linear) -> Linear {
    let mut linear = linear.clone();
    for mut vector in linear.weights.columns_mut() {
        let mean = vector.iter().map(|weight| weight.abs()).sum::<f64>() / vector.len().max(1) as f64;
        vector.fill(mean);
    }
    linear
}
