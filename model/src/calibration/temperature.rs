//! A temperature for all scores (Guo et al. 2017, section 4.2), by Newton's method on its inverse.

use ndarray::ArrayView2;

use super::{Calibration, sigmoid};

/// The temperature of the smallest log loss. The loss is convex in `u = 1 / t`: Newton's steps, cut to the bracket that
/// its slope's sign leaves. `u` stays where the largest difference of scores means odds of e^±0.001 to e^±1000.
pub(super) fn fit(scores: ArrayView2<f64>, targets: &[usize], rows: &[usize]) -> Calibration {
    let spread = |&row: &usize| match scores.row(row).as_slice() {
        Some(&[score]) => score.abs(),
        _ => {
            let bounds = scores.row(row).iter().fold((f64::MAX, f64::MIN), |(l, m), &s| (l.min(s), m.max(s)));
            bounds.1 - bounds.0
        }
    };
    let unit = rows.iter().map(spread).fold(0.0, f64::max);
    if !(unit > 0.0 && unit.is_finite()) {
        return Calibration::Temperature { t: 1.0 };
    }
    let (mut low, mut high) = (1e-3 / unit, 1e3 / unit);
    let mut u = 1f64.clamp(low, high);
    for _ in 0..60 {
        let (slope, curvature) = derivatives(scores, targets, rows, u);
        if slope > 0.0 {
            high = u;
        } else {
            low = u;
        }
        let newton = u - slope / curvature;
        let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
        let still = (next - u).abs() <= 1e-12 * u;
        u = next;
        if still {
            break;
        }
    }
    Calibration::Temperature { t: 1.0 / u }
}

/// First and second derivative of the summed log loss by `u`: the expected score less the true class's, and its variance.
fn derivatives(scores: ArrayView2<f64>, targets: &[usize], rows: &[usize], u: f64) -> (f64, f64) {
    let (mut slope, mut curvature) = (0.0, 0.0);
    for &row in rows {
        let (scores, target) = (scores.row(row), targets[row]);
        if scores.len() == 1 {
            let (s, p) = (scores[0], sigmoid(scores[0] * u));
            slope += s * (p - target as f64);
            curvature += s * s * p * (1.0 - p);
            continue;
        }
        let most = scores.iter().fold(f64::NEG_INFINITY, |most, &s| most.max(s));
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for &s in scores {
            let e = ((s - most) * u).exp();
            sum += e;
            first += e * (s - most);
            second += e * (s - most) * (s - most);
        }
        let mean = first / sum;
        slope += mean - (scores[target] - most);
        curvature += second / sum - mean * mean;
    }
    (slope, curvature)
}
