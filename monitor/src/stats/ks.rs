//! The two-sample Kolmogorov–Smirnov test, exact with ties.

use crate::stats::sketch::Sketch;

/// What counts as a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// The window's values lie elsewhere, above or below.
    Different,
    /// The window's values lie above the baseline's; lower ones are no difference.
    Greater,
}

/// Largest distance between the two distribution functions and its probability under no difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ks {
    /// In `[0, 1]`.
    pub distance: f64,
    /// Probability of a distance at least this large when both samples come from one distribution.
    pub p_value: f64,
}

/// Above this many cells of the exact recursion (a second's work or so) the limiting distribution is used: both
/// samples are then far larger than it needs, and with ties it errs towards no alarm.
const EXACT_CELLS: u64 = 100_000_000;

/// Compares `window` with `baseline`; none where either is empty.
pub fn two_sample(baseline: &Sketch, window: &Sketch, alternative: Alternative) -> Option<Ks> {
    let (m, n) = (baseline.count(), window.count());
    if m == 0 || n == 0 {
        return None;
    }
    let ties = ties(baseline, window);
    // Distances are kept as integers: `i/m - j/n` times `m·n`.
    let mut steps = (0i128, 0i128);
    let mut distance = 0;
    for &(of_baseline, of_window) in &ties {
        steps.0 += i128::from(of_baseline) * i128::from(n);
        steps.1 += i128::from(of_window) * i128::from(m);
        distance = distance.max(apart(steps.0 - steps.1, alternative));
    }
    let cells = m.saturating_mul(n);
    let d = distance as f64 / (m as f64 * n as f64);
    let p_value = match distance {
        0 => 1.0,
        _ if cells <= EXACT_CELLS => exact(&ties, m, n, distance as i64, alternative),
        _ => limit(d, m as f64, n as f64, alternative),
    };
    Some(Ks { distance: d, p_value: p_value.clamp(0.0, 1.0) })
}

/// The window's distribution function lies lower where its values are greater.
fn apart(baseline_minus_window: i128, alternative: Alternative) -> i128 {
    match alternative {
        Alternative::Different => baseline_minus_window.abs(),
        Alternative::Greater => baseline_minus_window.max(0),
    }
}

/// How often each distinct value occurs in (baseline, window), ascending.
fn ties(baseline: &Sketch, window: &Sketch) -> Vec<(u64, u64)> {
    let mut window = window.items().iter().copied().peekable();
    let mut baseline = baseline.items().iter().copied().peekable();
    let mut ties = Vec::new();
    loop {
        let value = match (baseline.peek(), window.peek()) {
            (Some(&(b, _)), Some(&(w, _))) => b.min(w),
            (Some(&(b, _)), None) => b,
            (None, Some(&(w, _))) => w,
            (None, None) => return ties,
        };
        let mut counts = (0, 0);
        while let Some((_, count)) = baseline.next_if(|(b, _)| *b <= value) {
            counts.0 += count;
        }
        while let Some((_, count)) = window.next_if(|(w, _)| *w <= value) {
            counts.1 += count;
        }
        ties.push(counts);
    }
}

/// Probability that a random order of the pooled sample, its ties kept, somewhere reaches `distance` (times `m·n`).
/// Only ends of ties are looked at (Schröer and Trenkler 1995). One row of the lattice at a time: a path to `(i, j)`
/// came from `(i-1, j)` with probability `i/(i+j)`, else from `(i, j-1)`.
fn exact(ties: &[(u64, u64)], m: u64, n: u64, distance: i64, alternative: Alternative) -> f64 {
    let mut ends = vec![false; (m + n + 1) as usize];
    let mut position = 0;
    for (of_baseline, of_window) in ties {
        position += (of_baseline + of_window) as usize;
        ends[position] = true;
    }
    let (rows, columns) = (m as usize, n as usize);
    let (row_step, column_step) = (n as i64, m as i64);
    let reached = |i: usize, j: usize| {
        let apart = i as i64 * row_step - j as i64 * column_step;
        let apart = if alternative == Alternative::Different { apart.abs() } else { apart };
        apart >= distance && ends[i + j]
    };
    let mut chance = vec![0.0f64; columns + 1];
    for i in 0..=rows {
        for j in 0..=columns {
            chance[j] = if reached(i, j) {
                1.0
            } else {
                match (i, j) {
                    (0, 0) => 0.0,
                    (0, _) => chance[j - 1],
                    (_, 0) => chance[j],
                    _ => {
                        let all = (i + j) as f64;
                        (i as f64 / all) * chance[j] + (j as f64 / all) * chance[j - 1]
                    }
                }
            };
        }
    }
    chance[columns]
}

/// Kolmogorov's limiting distribution (two-sided), Smirnov's (one-sided).
fn limit(d: f64, m: f64, n: f64, alternative: Alternative) -> f64 {
    let z2 = d * d * m * n / (m + n);
    match alternative {
        Alternative::Greater => (-2.0 * z2).exp(),
        // The series needs its terms to shrink; under z = 0.2 the probability is 1 to sixteen digits.
        Alternative::Different if z2 < 0.04 => 1.0,
        Alternative::Different => (1..=100).map(f64::from).fold(0.0, |sum, k| {
            let sign = if k % 2.0 == 1.0 { 2.0 } else { -2.0 };
            sum + sign * (-2.0 * k * k * z2).exp()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(values: &[f64]) -> Sketch {
        Sketch::of(values)
    }

    #[test]
    fn a_hand_counted_case() {
        // Two against two, all distinct and apart: 2 of the 6 orders are as extreme, 1 of them on this side.
        let (low, high) = ([1.0, 2.0], [3.0, 4.0]);
        let two = two_sample(&sketch(&low), &sketch(&high), Alternative::Different).unwrap();
        assert_eq!(two.distance, 1.0);
        assert!((two.p_value - 2.0 / 6.0).abs() < 1e-12, "{two:?}");
        let greater = two_sample(&sketch(&low), &sketch(&high), Alternative::Greater).unwrap();
        assert!((greater.p_value - 1.0 / 6.0).abs() < 1e-12, "{greater:?}");
        let lower = two_sample(&sketch(&high), &sketch(&low), Alternative::Greater).unwrap();
        assert_eq!((lower.distance, lower.p_value), (0.0, 1.0));
    }

    #[test]
    fn the_limit_meets_the_exact_value() {
        let baseline: Vec<f64> = (0..1000).map(f64::from).collect();
        for (shift, alternative) in [(40.5, Alternative::Different), (60.5, Alternative::Greater)] {
            let window: Vec<f64> = (0..900).map(|v| f64::from(v) + shift).collect();
            let exact = two_sample(&sketch(&baseline), &sketch(&window), alternative).unwrap();
            let limit = limit(exact.distance, 1000.0, 900.0, alternative);
            assert!((exact.p_value / limit - 1.0).abs() < 0.2, "{exact:?} against {limit}");
        }
    }

    #[test]
    fn nothing_has_no_distance() {
        assert_eq!(two_sample(&sketch(&[]), &sketch(&[1.0]), Alternative::Different), None);
        assert_eq!(two_sample(&sketch(&[1.0]), &sketch(&[]), Alternative::Different), None);
        let same = two_sample(&sketch(&[1.0; 9]), &sketch(&[1.0; 4]), Alternative::Different).unwrap();
        assert_eq!((same.distance, same.p_value), (0.0, 1.0));
    }
}
