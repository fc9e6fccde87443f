//! The difference of two accuracies on the same documents: Tango's score interval (1998), which holds for few documents too,
//! and where no prediction differs.

use super::Discordant;
use super::binomial::least_rows;

/// The end of the one-sided interval of `(won - lost) / rows`: with `z` above 0 the lower end at that normal quantile, below 0
/// the upper one. `rows` of at least 1.
pub fn tango(pairs: Discordant, rows: u64, z: f64) -> f64 {
    end(pairs.won as f64, pairs.lost as f64, rows as f64, z)
}

/// Rows with which the lower end would be above `bound`, were there as many pairs of each kind in a row as here; none where the
/// difference itself is not above it, or a thousand million would not do.
pub fn tango_rows(pairs: Discordant, rows: u64, z: f64, bound: f64) -> Option<u64> {
    let n = rows as f64;
    let (won, lost) = (pairs.won as f64 / n, pairs.lost as f64 / n);
    let shows = |rows: f64| end(won * rows, lost * rows, rows, z) > bound;
    if won - lost <= bound {
        return None;
    }
    least_rows(shows)
}

fn end(won: f64, lost: f64, n: f64, z: f64) -> f64 {
    let score = |difference: f64| {
        // The share of lost documents that is most likely where the difference is as supposed.
        let a = 2.0 * n;
        let b = -won - lost + (2.0 * n - won + lost) * difference;
        let c = -lost * difference * (1.0 - difference);
        let share = ((b * b - 4.0 * a * c).max(0.0).sqrt() - b) / (2.0 * a);
        let variance = n * (2.0 * share + difference * (1.0 - difference));
        (won - lost - n * difference) / variance.max(f64::MIN_POSITIVE).sqrt()
    };
    // The score falls as the supposed difference rises.
    let (mut low, mut high) = (-1.0 + 1e-12, 1.0 - 1e-12);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if score(middle) > z { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
