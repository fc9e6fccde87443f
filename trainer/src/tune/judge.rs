//! What held-out scores are worth: calibrated as they will be, by log loss and accuracy.

use ndarray::{Array2, ArrayView2, Axis, concatenate};

/// Most steps of Newton's method for two numbers.
const STEPS: usize = 12;

/// Of a row's log loss; the greatest is 1/4.
const LEAST_CURVATURE: f64 = 2.5e-4;

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
    let classes = scores.ncols().max(2);
    let mut probabilities = Array2::zeros((scores.nrows(), classes));
    for (vector, scores) in scores.columns().into_iter().enumerate() {
        let class = if classes == 2 { 1 } else { vector };
        let rows: Vec<(f64, f64)> =
            scores.iter().zip(actual).map(|(&score, &actual)| (score, f64::from(u8::from(actual == class)))).collect();
        let (slope, offset) = sigmoid(&rows);
        for (&(score, _), mut row) in rows.iter().zip(probabilities.rows_mut()) {
            row[class] = logistic(slope * score + offset).max(f64::EPSILON);
        }
    }
    for mut row in probabilities.rows_mut() {
        if classes == 2 {
            row[0] = 1.0 - row[1];
        } else {
            let sum = row.sum();
            row /= sum;
        }
    }
    probabilities
}

/// Slope and offset of the sigmoid of the least log loss of rows `(score, 0 or 1)`, by Newton's method. The curvature is
/// bounded from below by a thousandth of a row's greatest, so that separable rows end at a finite slope.
fn sigmoid(rows: &[(f64, f64)]) -> (f64, f64) {
    let n = rows.len().max(1) as f64;
    let unit = (rows.iter().map(|(score, _)| score * score).sum::<f64>() / n).sqrt().max(f64::MIN_POSITIVE);
    let share = (rows.iter().map(|(_, is)| is).sum::<f64>() + 1.0) / (n + 2.0);
    let (mut slope, mut offset) = (0.0, (share / (1.0 - share)).ln());
    for _ in 0..STEPS {
        let [mut g0, mut g1, mut h00, mut h01, mut h11] = [0.0; 5];
        for &(score, is) in rows {
            let x = score / unit;
            let p = logistic(slope * x + offset);
            let (gradient, curvature) = (p - is, (p * (1.0 - p)).max(LEAST_CURVATURE));
            g0 += gradient;
            g1 += gradient * x;
            h00 += curvature;
            h01 += curvature * x;
            h11 += curvature * x * x;
        }
        let determinant = h00 * h11 - h01 * h01;
        if determinant <= f64::EPSILON * h00 * h11 {
            break;
        }
        slope -= (h00 * g1 - h01 * g0) / determinant;
        offset -= (h11 * g0 - h01 * g1) / determinant;
        if g0.abs().max(g1.abs()) < 1e-6 * n {
            break;
        }
    }
    (slope / unit, offset)
}

/// `1 / (1 + exp(-x))`.
fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
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
    fn standard_errors() {
        let (mean, error) = mean_and_error([0.7, 0.8, 0.9].into_iter());
        assert!((mean - 0.8).abs() < 1e-12 && (error - 0.1 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(mean_and_error([0.5].into_iter()), (0.5, 0.0));
    }
}
