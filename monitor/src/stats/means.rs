//! Two means of many values each.

use super::gamma::chi_square_tail;
use super::interval::Z95;
use super::sample::Moments;

/// How far two means are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// Window less baseline.
    pub change: f64,
    /// Half the width of its 95 % interval.
    pub error: f64,
    /// The change in standard deviations of the baseline's values; 0 where they have none.
    pub standardised: f64,
    /// Two-sided, by the normal distribution (both samples are large, or the change must be).
    pub p_value: f64,
}

/// None where either has fewer than two values.
pub fn compare(baseline: &Moments, window: &Moments) -> Option<Apart> {
    if baseline.count < 2 || window.count < 2 {
        return None;
    }
    let change = window.mean - baseline.mean;
    let of = |m: &Moments| m.squares / (m.count - 1) as f64 / m.count as f64;
    let variance = of(baseline) + of(window);
    let p_value = match variance {
        v if v > 0.0 => chi_square_tail(change * change / v, 1.0),
        _ if change == 0.0 => 1.0,
        _ => 0.0,
    };
    let spread = baseline.variance().sqrt();
    let standardised = if spread > 0.0 { change / spread } else { 0.0 };
    Some(Apart { change, error: Z95 * variance.sqrt(), standardised, p_value })
}

/// Probability that a standard normal variable exceeds `z`.
pub fn normal_tail(z: f64) -> f64 {
    let both = chi_square_tail(z * z, 1.0) / 2.0;
    if z >= 0.0 { both } else { 1.0 - both }
}
