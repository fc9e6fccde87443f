//! Scores to probabilities.

use serde::{Deserialize, Serialize};

/// How the scores of a linear classifier become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// One score, of the second of two classes: `1 / (1 + exp(-s))`.
    Logistic,
    /// A score a class: `exp(sₖ) / Σ exp(s)`.
    Softmax,
    /// A score a class, each fitted against the rest: `1 / (1 + exp(-sₖ))`, divided by their sum.
    Ovr,
}

impl Link {
    /// Probabilities of the classes into `probabilities`, shape `(classes,)`; they sum to 1.
    /// `scores`: shape `(1,)` for [`Logistic`](Link::Logistic), else `(classes,)`.
    ///
    /// # Panics
    /// Where the shapes are others.
    pub fn apply(self, scores: &[f64], probabilities: &mut [f64]) {
        match self {
            Link::Logistic => {
                assert_eq!((scores.len(), probabilities.len()), (1, 2), "one score, two classes");
                // Each from its own exponential: the smaller keeps its precision.
                (probabilities[0], probabilities[1]) = (logistic(-scores[0]), logistic(scores[0]));
            }
            Link::Softmax => {
                assert_eq!(scores.len(), probabilities.len(), "a score a class");
                let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                normalised(scores.iter().map(|score| (score - greatest).exp()), probabilities);
            }
            Link::Ovr => {
                assert_eq!(scores.len(), probabilities.len(), "a score a class");
                // Over the greatest of them, so that far-off scores do not all vanish.
                let greatest = scores.iter().copied().map(log_logistic).fold(f64::NEG_INFINITY, f64::max);
                normalised(scores.iter().map(|&score| (log_logistic(score) - greatest).exp()), probabilities);
            }
        }
    }
}

fn normalised(values: impl Iterator<Item = f64>, into: &mut [f64]) {
    let mut sum = 0.0;
    for (into, value) in into.iter_mut().zip(values) {
        *into = value;
        sum += value;
    }
    into.iter_mut().for_each(|value| *value /= sum);
}

/// `1 / (1 + exp(-x))`.
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `ln(1 + exp(x))`, without overflow.
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `ln(1 / (1 + exp(-x)))`, without underflow.
fn log_logistic(x: f64) -> f64 {
    -softplus(-x)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn probabilities_sum_to_one(scores in proptest::collection::vec(-1e6..1e6f64, 3), near in -5.0..5.0f64) {
            for (link, scores) in [(Link::Softmax, &scores[..]), (Link::Ovr, &scores), (Link::Logistic, &[near]), (Link::Logistic, &scores[..1])] {
                let mut probabilities = vec![f64::NAN; scores.len().max(2)];
                link.apply(scores, &mut probabilities);
                prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{link:?}: {probabilities:?}");
                prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }
    }

    #[test]
    fn one_against_the_rest_is_the_share_of_the_logistic_functions() {
        let mut probabilities = [0.0; 3];
        Link::Ovr.apply(&[0.0, 1.0, -2.0], &mut probabilities);
        let single = [0.0, 1.0, -2.0].map(logistic);
        let sum: f64 = single.iter().sum();
        for (found, single) in probabilities.iter().zip(single) {
            assert!((found - single / sum).abs() < 1e-15);
        }
    }

    #[test]
    fn softplus_neither_overflows_nor_vanishes() {
        assert_eq!(softplus(1000.0), 1000.0);
        assert_eq!(softplus(-1000.0), 0.0);
        assert!((softplus(-40.0) - (-40.0f64).exp()).abs() < 1e-30);
    }
}
