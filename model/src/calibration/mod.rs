//! Scores to probabilities that can be believed: Platt's sigmoid or a temperature, learned from held-out scores.
//!
//! A margin is no log-odds, and a regularised classifier is less sure than it could be. What is learned here, from scores
//! of rows that the classifier has not seen, is two numbers a class or one number in all; ranks within a class stay.

mod platt;
mod temperature;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// Parts that the held-out rows are cut into to choose among the calibrations.
const FOLDS: usize = 5;

/// How scores become probabilities. Two classes have one score, that of class 1; more have one each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    /// As they are: `σ(s)` of one score, the softmax of several.
    #[default]
    None,
    /// `σ(a·s + b)`, a pair a score; normalised over the classes where there are several scores (Platt 1999; Zadrozny &
    /// Elkan 2002, section 4).
    Platt {
        /// Slopes, `≥ 0`, shape `(vectors,)`.
        a: Vec<f64>,
        /// Offsets, shape `(vectors,)`.
        b: Vec<f64>,
    },
    /// `softmax(s / t)`, or `σ(s / t)` of one score (Guo et al. 2017, section 4.2): the most probable class stays.
    Temperature {
        /// Above 0; above 1 makes less sure.
        t: f64,
    },
}

impl Calibration {
    /// Learns from held-out `scores`, shape `(rows, vectors)`, of rows whose classes are `targets`: the calibration whose
    /// log loss, estimated by five-fold cross-fitting within these rows, is the smallest; of equals the simplest.
    ///
    /// [`None`](Calibration::None) where neither is better on the rows themselves, where there are no rows, or where a
    /// score is not finite. Deterministic, of any order of folds: rows are dealt out class by class.
    ///
    /// # Panics
    /// Where shapes do not fit each other or a target is not below `classes`: the caller's mistake.
    pub fn fit(scores: ArrayView2<f64>, targets: &[usize], classes: usize) -> Calibration {
        assert_eq!(scores.nrows(), targets.len(), "a target a row");
        assert_eq!(scores.ncols(), if classes == 2 { 1 } else { classes }, "a score a class, or one of two classes");
        assert!(targets.iter().all(|&target| target < classes), "targets are below the number of classes");
        if targets.is_empty() || scores.iter().any(|score| !score.is_finite()) {
            return Calibration::None;
        }
        let folds = deal(targets, classes);
        let all: Vec<usize> = (0..targets.len()).collect();
        let uncalibrated = Calibration::None.loss(scores, targets, &all);
        let mut best = (Calibration::None, uncalibrated);
        for learn in [temperature::fit, platt::fit] {
            let mut loss = 0.0;
            for fold in 0..FOLDS {
                let (held, rest): (Vec<usize>, Vec<usize>) = all.iter().partition(|&&row| folds[row] == fold);
                loss += learn(scores, targets, &rest).loss(scores, targets, &held);
            }
            if loss < best.1 {
                let learned = learn(scores, targets, &all);
                if learned.loss(scores, targets, &all) < uncalibrated {
                    best = (learned, loss);
                }
            }
        }
        best.0
    }

    /// Platt's sigmoid, learned from all rows of held-out `scores`, shape `(rows, vectors)`, all finite.
    ///
    /// # Panics
    /// Where there is not a target a row.
    pub fn platt(scores: ArrayView2<f64>, targets: &[usize]) -> Calibration {
        platt::fit(scores, targets, &(0..scores.nrows()).collect::<Vec<_>>())
    }

    /// A temperature, learned likewise.
    ///
    /// # Panics
    /// Where there is not a target a row, below the number of classes.
    pub fn temperature(scores: ArrayView2<f64>, targets: &[usize]) -> Calibration {
        temperature::fit(scores, targets, &(0..scores.nrows()).collect::<Vec<_>>())
    }

    /// Probabilities of the classes, summing to 1, of one row's `scores`, shape `(vectors,)`.
    ///
    /// # Panics
    /// Where `probabilities` is not of as many classes (two for one score), or this calibration is of other scores: see
    /// [`check`](Self::check).
    pub fn apply(&self, scores: &[f64], probabilities: &mut [f64]) {
        self.log_probabilities(scores, probabilities);
        probabilities.iter_mut().for_each(|p| *p = p.exp());
        let sum: f64 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|p| *p /= sum);
    }

    /// [`apply`](Self::apply) to each row of `scores`, shape `(rows, vectors)`; shape `(rows, classes)` back.
    pub fn probabilities(&self, scores: ArrayView2<f64>) -> Array2<f64> {
        let mut probabilities = Array2::zeros((scores.nrows(), scores.ncols().max(2)));
        let mut row = vec![0.0; scores.ncols()];
        for (scores, mut probabilities) in scores.rows().into_iter().zip(probabilities.rows_mut()) {
            row.iter_mut().zip(scores).for_each(|(to, &from)| *to = from);
            self.apply(&row, probabilities.as_slice_mut().expect("rows of a new array are contiguous"));
        }
        probabilities
    }

    /// Refuses what was not learned from `vectors` scores a row, or holds what no fit would leave.
    pub fn check(&self, vectors: usize) -> Result<(), String> {
        match self {
            Calibration::None => Ok(()),
            Calibration::Temperature { t } if t.is_finite() && *t > 0.0 => Ok(()),
            Calibration::Temperature { t } => Err(format!("the temperature is {t}; expected a finite number above 0")),
            Calibration::Platt { a, b } if (a.len(), b.len()) != (vectors, vectors) => Err(format!(
                "Platt's sigmoid has {} slopes and {} offsets; expected {vectors} of each",
                a.len(),
                b.len()
            )),
            Calibration::Platt { a, b } => {
                match a.iter().chain(b).find(|v| !v.is_finite()).or_else(|| a.iter().find(|a| **a < 0.0)) {
                    None => Ok(()),
                    Some(v) => Err(format!("Platt's sigmoid holds {v}; expected finite numbers, slopes of 0 or more")),
                }
            }
        }
    }

    /// Sum of the log losses of `rows`, nats.
    fn loss(&self, scores: ArrayView2<f64>, targets: &[usize], rows: &[usize]) -> f64 {
        let (mut row, mut logs) = (vec![0.0; scores.ncols()], vec![0.0; scores.ncols().max(2)]);
        let loss = |&i: &usize| {
            row.iter_mut().zip(scores.row(i)).for_each(|(to, &from)| *to = from);
            self.log_probabilities(&row, &mut logs);
            -logs[targets[i]]
        };
        rows.iter().map(loss).sum()
    }

    /// In logarithms, so that no score is too large.
    fn log_probabilities(&self, scores: &[f64], logs: &mut [f64]) {
        assert_eq!(logs.len(), scores.len().max(2), "a probability a class");
        if let &[score] = scores {
            let z = match self {
                Calibration::None => score,
                Calibration::Platt { a, b } => a[0] * score + b[0],
                Calibration::Temperature { t } => score / t,
            };
            (logs[0], logs[1]) = (-softplus(z), -softplus(-z));
            return;
        }
        match self {
            Calibration::None => logs.copy_from_slice(scores),
            Calibration::Temperature { t } => logs.iter_mut().zip(scores).for_each(|(log, score)| *log = score / t),
            Calibration::Platt { a, b } => {
                for (i, (log, score)) in logs.iter_mut().zip(scores).enumerate() {
                    *log = -softplus(-(a[i] * score + b[i]));
                }
            }
        }
        let most = logs.iter().fold(f64::NEG_INFINITY, |most, &log| most.max(log));
        let all = most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln();
        logs.iter_mut().for_each(|log| *log -= all);
    }
}

/// `ln(1 + exp(z))`.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// `1 / (1 + exp(-z))`.
fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) }
}

/// A fold for each row, each class's rows in turn.
fn deal(targets: &[usize], classes: usize) -> Vec<usize> {
    let mut next: Vec<usize> = (0..classes).collect();
    let deal = |&target: &usize| {
        next[target] += 1;
        next[target] % FOLDS
    };
    targets.iter().map(deal).collect()
}
