//! Linear classifiers on sparse records: one weight vector for two classes, else one a class.
//!
//! [`LinearParams`] are checked and then fitted (linfa's `ParamGuard` and `Fit`).

mod linfa_solver;
mod link;
mod objective;
mod params;
mod solver;

use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2, ArrayViewMut1};

pub(crate) use linfa_solver::fit_linfa;
pub use link::Link;
pub(crate) use objective::count_rows;
pub use params::{LinearParams, LinearValidParams};
pub use solver::Convergence;

use crate::records::Records;

/// A fitted linear classifier. A score is `intercept + Σ weight · value`: with two classes there is one, the second
/// class's; with `K > 2` there are `K`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// In the units of the records' values, shape `(terms, vectors)`: 1 vector for two classes, else one a class.
    pub weights: Array2<f64>,
    /// Shape `(vectors,)`.
    pub intercept: Array1<f64>,
    /// Scores to probabilities.
    pub link: Link,
}

impl Linear {
    /// Number of classes.
    pub fn classes(&self) -> usize {
        classes_of(self.intercept.len())
    }

    /// Scores before the link, shape `(rows, vectors)`.
    ///
    /// # Panics
    /// Where `records` are of another vocabulary.
    pub fn scores(&self, records: &Records) -> Array2<f64> {
        assert_eq!(records.columns(), self.weights.nrows(), "records and weights are of one vocabulary");
        let mut scores = Array2::zeros((records.rows(), self.intercept.len()));
        for (i, mut score) in scores.rows_mut().into_iter().enumerate() {
            score.assign(&self.intercept);
            for (column, value) in records.row(i) {
                score.scaled_add(value, &self.weights.row(column));
            }
        }
        scores
    }

    /// Probabilities of the classes, shape `(rows, classes)`; rows sum to 1.
    pub fn probabilities(&self, records: &Records) -> Array2<f64> {
        let scores = self.scores(records);
        let mut probabilities = Array2::zeros((records.rows(), self.classes()));
        for (score, probability) in scores.rows().into_iter().zip(probabilities.rows_mut()) {
            let (score, mut probability) = (score.to_vec(), probability);
            self.link.apply(&score, probability.as_slice_mut().expect("rows are contiguous"));
        }
        probabilities
    }
}

impl PredictInplace<Records, Array1<usize>> for Linear {
    fn predict_inplace<'a>(&'a self, records: &'a Records, classes: &mut Array1<usize>) {
        for (probabilities, class) in self.probabilities(records).rows().into_iter().zip(classes) {
            *class = most_probable(probabilities);
        }
    }

    fn default_target(&self, records: &Records) -> Array1<usize> {
        Array1::zeros(records.rows())
    }
}

/// Number of classes that so many weight vectors tell apart.
pub(crate) fn classes_of(vectors: usize) -> usize {
    vectors.max(2)
}

/// Number of weight vectors for so many classes.
pub(crate) fn vectors_of(classes: usize) -> usize {
    if classes == 2 { 1 } else { classes }
}

/// Scores to probabilities: the logistic function of one score, the softmax of several.
pub(crate) fn link(scores: impl Iterator<Item = f64> + Clone, mut probabilities: ArrayViewMut1<f64>) {
    if probabilities.len() == 2 {
        let second = scores.sum::<f64>();
        // Each from its own exponential: the smaller keeps its precision.
        (probabilities[0], probabilities[1]) = (link::logistic(-second), link::logistic(second));
        return;
    }
    let greatest = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (probability, score) in probabilities.iter_mut().zip(scores) {
        *probability = (score - greatest).exp();
        sum += *probability;
    }
    probabilities /= sum;
}

/// The class of the greatest probability; the first of equals.
pub(crate) fn most_probable<'p>(probabilities: impl IntoIterator<Item = &'p f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &probability) in probabilities.into_iter().enumerate() {
        if probability > best.1 {
            best = (class, probability);
        }
    }
    best.0
}
