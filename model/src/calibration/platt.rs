//! Platt's sigmoid (Platt 1999), by Newton's method with backtracking (Lin, Lin & Weng 2007, algorithm 1).

use ndarray::ArrayView2;

use super::{Calibration, sigmoid, softplus};

/// A sigmoid for each score against the rest.
pub(super) fn fit(scores: ArrayView2<f64>, targets: &[usize], rows: &[usize]) -> Calibration {
    let one = |vector: usize| {
        let class = if scores.ncols() == 1 { 1 } else { vector };
        let rows: Vec<(f64, bool)> = rows.iter().map(|&row| (scores[(row, vector)], targets[row] == class)).collect();
        sigmoid_of(&rows)
    };
    let (a, b) = (0..scores.ncols()).map(one).unzip();
    Calibration::Platt { a, b }
}

/// The slope and offset of `σ(a·s + b)`. Targets are smoothed, `(n₊ + 1) / (n₊ + 2)` and `1 / (n₋ + 2)`, so that rows
/// that are told apart without a mistake leave a finite slope. A slope that came out below 0 (scores that are wrong more
/// often than right) is held at 0, so that a higher score never makes a class less probable.
fn sigmoid_of(rows: &[(f64, bool)]) -> (f64, f64) {
    let positive = rows.iter().filter(|row| row.1).count() as f64;
    let negative = rows.len() as f64 - positive;
    let smoothed =
        |positive_row| if positive_row { (positive + 1.0) / (positive + 2.0) } else { 1.0 / (negative + 2.0) };
    // Newton's steps are well conditioned for scores of any unit.
    let unit = rows.iter().fold(0.0f64, |most, row| most.max(row.0.abs()));
    let unit = if unit > 0.0 { unit } else { 1.0 };
    let rows: Vec<(f64, f64)> = rows.iter().map(|row| (row.0 / unit, smoothed(row.1))).collect();
    let b = ((positive + 1.0) / (negative + 1.0)).ln();
    let (a, b) = match newton(&rows, b, true) {
        (a, _) if a < 0.0 => newton(&rows, b, false),
        fitted => fitted,
    };
    (a / unit, b)
}

/// Minimises the cross entropy with the smoothed targets from `(0, b)`; without a slope where it is not `sloped`.
fn newton(rows: &[(f64, f64)], b: f64, sloped: bool) -> (f64, f64) {
    // Lin, Lin & Weng: -ln-likelihood of target t at z is softplus(z) - t·z.
    let loss = |a: f64, b: f64| -> f64 { rows.iter().map(|&(s, t)| softplus(a * s + b) - t * (a * s + b)).sum() };
    let (mut a, mut b) = (0.0, b);
    let mut now = loss(a, b);
    for _ in 0..100 {
        let (mut h11, mut h22, mut h21, mut g1, mut g2) = (1e-12, 1e-12, 0.0, 0.0, 0.0);
        for &(s, t) in rows {
            let p = sigmoid(a * s + b);
            let (d1, d2) = (p - t, p * (1.0 - p));
            g2 += d1;
            h22 += d2;
            if sloped {
                g1 += s * d1;
                h11 += s * s * d2;
                h21 += s * d2;
            }
        }
        if g1.abs().max(g2.abs()) < 1e-10 * rows.len() as f64 {
            break;
        }
        let determinant = h11 * h22 - h21 * h21;
        let (da, db) = (-(h22 * g1 - h21 * g2) / determinant, -(h11 * g2 - h21 * g1) / determinant);
        let downhill = g1 * da + g2 * db;
        let mut step = 1.0;
        let next = loop {
            let (a, b) = (a + step * da, b + step * db);
            let next = loss(a, b);
            if next < now + 1e-4 * step * downhill {
                break Some((a, b, next));
            }
            step /= 2.0;
            if step < 1e-10 {
                break None;
            }
        };
        let Some(next) = next else { break };
        (a, b, now) = next;
    }
    (a, b)
}
