//! What a share of documents says about the share of all documents: Clopper & Pearson's bounds (1934), and the number of
//! documents that a claim needs.
//!
//! The bounds are the exact ones: whatever the true share, they hold at least as often as they say. Wilson's are shorter and
//! hold so often only on average over shares; a gate should not pass by the luck of the share.

use super::incomplete_beta;

/// Most documents that are advised.
const MOST_ROWS: f64 = 1e9;

/// Which side a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The true share is above.
    Above,
    /// The true share is below.
    Below,
}

/// The share that the true one is above with confidence `1 - alpha`, where `right` of `rows` were (`0 ≤ right ≤ rows`).
pub fn lower(right: f64, rows: f64, alpha: f64) -> f64 {
    if right <= 0.0 || rows <= 0.0 {
        return 0.0;
    }
    solve(|share| incomplete_beta(right, rows - right + 1.0, share) < alpha)
}

/// The share that the true one is below with confidence `1 - alpha`.
pub fn upper(right: f64, rows: f64, alpha: f64) -> f64 {
    if rows <= 0.0 { 1.0 } else { 1.0 - lower(rows - right, rows, alpha) }
}

/// Both ends, `level` between them.
pub fn two_sided(right: f64, rows: f64, level: f64) -> (f64, f64) {
    let alpha = (1.0 - level) / 2.0;
    (lower(right, rows, alpha), upper(right, rows, alpha))
}

/// Where `below` turns false, in `[0, 1]`.
fn solve(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The share of `rows` nearest to `bound` that shows the true share to be on that side of it; none where not even all (or
/// none) of so few rows would.
pub fn least_share(rows: u64, bound: f64, alpha: f64, side: Side) -> Option<f64> {
    if side == Side::Below {
        return least_share(rows, 1.0 - bound, alpha, Side::Above).map(|share| 1.0 - share);
    }
    let n = rows as f64;
    let shows = |right: u64| lower(right as f64, n, alpha) > bound;
    if rows == 0 || !shows(rows) {
        return None;
    }
    let (mut fails, mut holds) = (0, rows);
    while holds - fails > 1 {
        let middle = fails + (holds - fails) / 2;
        if shows(middle) { holds = middle } else { fails = middle }
    }
    Some(holds as f64 / n)
}

/// Rows with which `share` of them shows the true share to be on that side of `bound`; none where it is not on that side
/// itself, or a thousand million would not do.
pub fn rows_needed(share: f64, bound: f64, alpha: f64, side: Side) -> Option<u64> {
    if side == Side::Below {
        return rows_needed(1.0 - share, 1.0 - bound, alpha, Side::Above);
    }
    let shows = |rows: f64| lower(share * rows, rows, alpha) > bound;
    if share <= bound {
        return None;
    }
    least_rows(shows)
}

/// The least number of rows that shows it, where more rows show it as well; none where a thousand million would not do.
pub(super) fn least_rows(shows: impl Fn(f64) -> bool) -> Option<u64> {
    let mut holds = 1.0;
    while !shows(holds) {
        holds *= 2.0;
        if holds > MOST_ROWS {
            return None;
        }
    }
    let mut fails = f64::floor(holds / 2.0);
    while holds - fails > 1.0 {
        let middle = f64::floor(0.5 * (holds + fails));
        if shows(middle) { holds = middle } else { fails = middle }
    }
    Some(holds as u64)
}
