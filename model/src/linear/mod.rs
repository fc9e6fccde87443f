//! Linear classifiers on sparse records: one weight vector for two classes, else one a class.
//!
//! [`LinearParams`] are checked and then fitted (linfa's `ParamGuard` and `Fit`).

mod fit;
mod hot;
mod kernel;
mod layout;
mod linfa_solver;
mod link;
mod loss;
mod matrix;
mod newton;
mod params;
mod precondition;
mod tiles;
mod vectors;
mod watch;

use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2, s};

pub(crate) use fit::count_rows;
pub(crate) use linfa_solver::fit_linfa;
pub use link::Link;
pub use newton::Convergence;
pub use params::{LinearParams, LinearValidParams};
pub use watch::{Progress, Watch};

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

    /// Scores before the link, shape `(rows, vectors)`. Where the records have a set of scales a class, each class's score is of
    /// its own.
    ///
    /// # Panics
    /// Where `records` are of another vocabulary.
    pub fn scores(&self, records: &Records) -> Array2<f64> {
        assert_eq!(records.columns(), self.weights.nrows(), "records and weights are of one vocabulary");
        let vectors = self.intercept.len();
        if records.sets() == 1 || vectors == 1 {
            return matrix::scores(records, self.weights.view(), &self.intercept.to_vec());
        }
        let mut scores = Array2::zeros((records.rows(), vectors));
        for vector in 0..vectors {
            let weights = self.weights.slice(s![.., vector..=vector]);
            let of_class = matrix::scores(&records.set(vector), weights, &[self.intercept[vector]]);
            scores.column_mut(vector).assign(&of_class.column(0));
        }
        scores
    }

    /// Probabilities of the classes, shape `(rows, classes)`; rows sum to 1.
    ///
    /// # Panics
    /// Where `records` are of another vocabulary.
    pub fn probabilities(&self, records: &Records) -> Array2<f64> {
        let scores = self.scores(records);
        let mut probabilities = vec![0.0; records.rows() * self.classes()];
        for (row, probabilities) in probabilities.chunks_exact_mut(self.classes()).enumerate() {
            self.link.apply(&scores.row(row).to_vec(), probabilities);
        }
        let (rows, classes) = (records.rows(), self.classes());
        Array2::from_shape_fn((rows, classes), |(row, class)| probabilities[row * classes + class])
    }

    /// Every weight moved towards its vector's mean magnitude, of which it keeps the share `beta`:
    /// `β w + (1 - β) mean|w|` (Wang & Manning 2012, section 2.3). Meant for NB weighting, whose values have the signs.
    pub fn interpolated(&self, beta: f64) -> Linear {
        let mut linear = self.clone();
        if beta != 1.0 && !linear.weights.is_empty() {
            for mut vector in linear.weights.columns_mut() {
                let mean = vector.iter().map(|weight| weight.abs()).sum::<f64>() / vector.len() as f64;
                vector.mapv_inplace(|weight| beta * weight + (1.0 - beta) * mean);
            }
        }
        linear
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

/// The class of the greatest probability; the first of equals.
pub fn most_probable<'p>(probabilities: impl IntoIterator<Item = &'p f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &probability) in probabilities.into_iter().enumerate() {
        if probability > best.1 {
            best = (class, probability);
        }
    }
    best.0
}
