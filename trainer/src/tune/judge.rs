//! What held-out scores are worth: calibrated as they will be, by log loss and accuracy.

use model::Calibration;
use ndarray::{Array2, ArrayView2, Axis, concatenate};

/// Scores of one fold's held-out rows.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// The rows, of all documents.
    pub rows: Vec<usize>,
    /// Of the weights as fitted, shape `(rows, vectors)`.
    pub scores: Array2<f64>,
    /// Of the weights' mean magnitude in every column, same shape, where other `beta` are to be compared.
    pub of_means: Option<Array2<f64>>,
}

impl HeldOut {
    /// Scores of the weights interpolated by `beta`.
    pub fn at(&self, beta: f64) -> Array2<f64> {
        match &self.of_means {
            Some(means) if beta != 1.0 => beta * &self.scores + (1.0 - beta) * means,
            _ => self.scores.clone(),
        }
    }
}

/// The scores of all `folds` one below the other, and their rows.
pub fn stack<'a>(folds: impl IntoIterator<Item = &'a HeldOut>, beta: f64) -> (Vec<usize>, Array2<f64>) {
    let (mut rows, mut scores) = (Vec::new(), Vec::new());
    for fold in folds {
        rows.extend_from_slice(&fold.rows);
        scores.push(fold.at(beta));
    }
    let views: Vec<ArrayView2<f64>> = scores.iter().map(Array2::view).collect();
    let stacked = concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, 1)));
    (rows, stacked)
}

/// A candidate as its folds show it, with the `beta` of the least log loss.
#[derive(Clone, Debug)]
pub struct Judged {
    pub beta: f64,
    /// Log loss of each held-out row, nats.
    losses: Vec<f64>,
    /// Accuracy of each fold.
    accuracies: Vec<f64>,
}

impl Judged {
    /// Judges one candidate by its folds.
    pub fn of(folds: &[&HeldOut], betas: &[f64], targets: &[usize]) -> Judged {
        let judged = betas.iter().map(|&beta| Judged::at(folds, beta, targets));
        // The first of equals: the weights as fitted.
        let better = |best: Judged, next: Judged| if next.log_loss() < best.log_loss() { next } else { best };
        judged.reduce(better).unwrap_or(Judged { beta: 1.0, losses: Vec::new(), accuracies: Vec::new() })
    }

    fn at(folds: &[&HeldOut], beta: f64, targets: &[usize]) -> Judged {
        let (rows, scores) = stack(folds.iter().copied(), beta);
        let actual: Vec<usize> = rows.iter().map(|&row| targets[row]).collect();
        let probabilities = calibrated(scores.view(), &actual);
        let mut rows = probabilities.rows().into_iter().zip(&actual);
        let (mut losses, mut accuracies) = (Vec::with_capacity(actual.len()), Vec::new());
        for fold in folds {
            let mut hits = 0;
            for (row, &actual) in rows.by_ref().take(fold.rows.len()) {
                losses.push(-row[actual].max(f64::EPSILON).ln());
                hits += usize::from((0..row.len()).all(|class| row[class] < row[actual] || class == actual));
            }
            accuracies.push(hits as f64 / fold.rows.len().max(1) as f64);
        }
        Judged { beta, losses, accuracies }
    }

    /// Mean log loss of the held-out rows, nats.
    pub fn log_loss(&self) -> f64 {
        mean_and_error(self.losses.iter().copied()).0
    }

    /// Mean accuracy over the folds and its standard error; 0 of one fold.
    pub fn accuracy(&self) -> (f64, f64) {
        mean_and_error(self.accuracies.iter().copied())
    }

    /// How much greater the mean log loss is than `other`'s on the same rows, and the standard error of that.
    pub fn excess(&self, other: &Judged) -> (f64, f64) {
        let pairs = self.losses.iter().zip(&other.losses);
        mean_and_error(pairs.map(|(own, other)| own - other))
    }

    pub fn folds(&self) -> usize {
        self.accuracies.len()
    }
}

/// Probabilities of the classes by Platt's sigmoid of these very scores, shape `(rows, classes)`: two numbers a score, which
/// as many rows cannot be fitted too well by. The artifact's calibration chooses among kinds by cross-fitting; to compare
/// candidates, one kind for all is fairer and twelve times cheaper.
fn calibrated(scores: ArrayView2<f64>, actual: &[usize]) -> Array2<f64> {
    Calibration::platt(scores, actual).probabilities(scores)
}

/// Mean and its standard error, `s / √n` with `n - 1` in the variance.
pub fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n.max(1.0);
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n.max(1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;

    /// Scores of 40 rows, the classes in turn; `strength` of them is signal.
    fn held_out(strength: f64, of_means: Option<f64>) -> HeldOut {
        let noise = |row: usize| ((row * 37 % 40) as f64 / 20.0 - 1.0) * 1.5;
        let sign = |row: usize| if row % 2 == 1 { 1.0 } else { -1.0 };
        let scores = |strength: f64| -> Array2<f64> {
            let column: Array1<f64> = (0..40).map(|row| strength * sign(row) + noise(row)).collect();
            column.insert_axis(Axis(1))
        };
        HeldOut { rows: (0..40).collect(), scores: scores(strength), of_means: of_means.map(scores) }
    }

    fn targets() -> Vec<usize> {
        (0..40).map(|row| row % 2).collect()
    }

    #[test]
    fn more_signal_has_less_log_loss() {
        let [weak, strong] = [0.3, 2.0].map(|s| Judged::of(&[&held_out(s, None)], &[1.0], &targets()));
        assert!(strong.log_loss() < weak.log_loss());
        assert!(strong.accuracy().0 > weak.accuracy().0);
        let (excess, error) = weak.excess(&strong);
        assert!(excess > 2.0 * error && error > 0.0, "{excess} {error}");
        assert_eq!(strong.excess(&strong), (0.0, 0.0));
    }

    #[test]
    fn beta_is_that_of_the_least_log_loss() {
        let betas = [1.0, 0.5, 0.1];
        assert_eq!(Judged::of(&[&held_out(0.3, Some(3.0))], &betas, &targets()).beta, 0.1);
        assert_eq!(Judged::of(&[&held_out(3.0, Some(0.0))], &betas, &targets()).beta, 1.0);
    }

    #[test]
    fn a_threshold_that_is_off_costs_nothing() {
        let mut shifted = held_out(2.0, None);
        shifted.scores += 5.0;
        let [judged, plain] = [shifted, held_out(2.0, None)].map(|f| Judged::of(&[&f], &[1.0], &targets()));
        assert!((judged.accuracy().0 - plain.accuracy().0).abs() < 0.06, "{judged:?} {plain:?}");
    }

    #[test]
    fn a_rare_class_and_strays_are_calibrated() {
        // One row in twenty is of class 1, a third of those lie as low as the others; and one row in thirty of class 0
        // lies high: full steps of Newton's method from a flat sigmoid lead further away each time.
        let targets: Vec<usize> = (0..2000).map(|row| usize::from(row % 20 == 3)).collect();
        let score = |row: usize| {
            let noise = ((row * 31 + 51) % 10) as f64 / 200.0;
            let lift = |all: bool, lift: f64| if all { lift } else { 0.0 };
            match targets[row] {
                1 => noise - 0.9 + lift(!(row / 20).is_multiple_of(3), 0.2 + 0.1 * (row / 20 % 10) as f64),
                _ => noise - 1.0 + lift(row.is_multiple_of(30), 1.2),
            }
        };
        let scores = Array2::from_shape_fn((2000, 1), |(row, _)| score(row));
        let judged = Judged::of(&[&HeldOut { rows: (0..2000).collect(), scores, of_means: None }], &[1.0], &targets);
        let of_shares = -(0.05 * 0.05f64.ln() + 0.95 * 0.95f64.ln());
        assert!(judged.log_loss() < of_shares, "{} of {of_shares}", judged.log_loss());
    }

    #[test]
    fn standard_errors() {
        let (mean, error) = mean_and_error([0.7, 0.8, 0.9].into_iter());
        assert!((mean - 0.8).abs() < 1e-12 && (error - 0.1 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(mean_and_error([0.5].into_iter()), (0.5, 0.0));
    }
}
