//! One term's rate in two sets of documents.
//!
//! The likelihood ratio test (G) of the two-by-two table is near enough where the table is unremarkable. Where it is not,
//! only the tail counts, and there the approximation is off by orders of magnitude for rare terms: Fisher's exact test
//! says it then, unless counts are so large that both agree.

use super::categories::fisher;
use super::gamma::chi_square_tail;

/// Above this many documents that hold the term the approximation holds in the tail too.
const LARGE: u64 = 5000;
/// From this on exactness changes no verdict.
const UNREMARKABLE: f64 = 0.05;

/// Probability of rates at least this different under no difference; `(documents that hold it, all)`, baseline and window.
pub fn p_value(baseline: (u64, u64), window: (u64, u64)) -> f64 {
    let approximate = chi_square_tail(g(baseline, window), 1.0);
    if approximate > UNREMARKABLE || baseline.0 + window.0 > LARGE {
        return approximate;
    }
    fisher((baseline.0, window.0), (baseline.1 - baseline.0, window.1 - window.0))
}

/// `2 Σ observed ln(observed / expected)` of the two-by-two table.
pub fn g((a, m): (u64, u64), (b, n): (u64, u64)) -> f64 {
    let all = (m + n) as f64;
    let part = |observed: u64, column: u64, row: u64| match observed {
        0 => 0.0,
        _ => observed as f64 * (observed as f64 * all / (column as f64 * row as f64)).ln(),
    };
    let (with, without) = (a + b, m + n - a - b);
    let sum = part(a, m, with) + part(b, n, with) + part(m - a, m, without) + part(n - b, n, without);
    (2.0 * sum).max(0.0)
}
