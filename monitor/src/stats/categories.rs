//! Two mixes of categories.

use super::divergence::total_variation;
use super::gamma::{chi_square_tail, ln_factorial};

/// How far two mixes are apart, and its probability under no difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// Total variation: half the sum of the differences of shares, in `[0, 1]`.
    pub distance: f64,
    /// Of Fisher's exact test for two categories, of Pearson's χ² test for more.
    pub p_value: f64,
}

/// Fewest documents that a cell of the χ² table may expect; rarer categories are put together.
const LEAST_EXPECTED: f64 = 5.0;

/// Counts a category of (baseline, window); none where either has no document.
pub fn compare(counts: &[(u64, u64)]) -> Option<Mix> {
    let (m, n) = totals(counts);
    if m == 0 || n == 0 {
        return None;
    }
    let share = |count: u64, of: u64| count as f64 / of as f64;
    let distance = total_variation(counts.iter().map(|&(b, w)| (share(b, m), share(w, n))));
    let pooled = pool(counts);
    let p_value = match pooled.as_slice() {
        [] | [_] => 1.0,
        [one, other] => fisher(*one, *other),
        more => pearson(more),
    };
    Some(Mix { distance, p_value })
}

fn totals(counts: &[(u64, u64)]) -> (u64, u64) {
    counts.iter().fold((0, 0), |(m, n), (b, w)| (m + b, n + w))
}

/// Empty categories dropped; where more than two are left, those too rare for the χ² distribution put together.
fn pool(counts: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let (m, n) = totals(counts);
    let fewest = m.min(n) as f64 / (m + n) as f64;
    let mut kept: Vec<(u64, u64)> = counts.iter().copied().filter(|(b, w)| b + w > 0).collect();
    kept.sort_unstable_by_key(|(b, w)| std::cmp::Reverse(b + w));
    while let [_, .., before, last] = kept.as_mut_slice() {
        if kept_enough(*last, fewest) {
            break;
        }
        *before = (before.0 + last.0, before.1 + last.1);
        kept.pop();
    }
    kept
}

fn kept_enough((b, w): (u64, u64), fewest: f64) -> bool {
    (b + w) as f64 * fewest >= LEAST_EXPECTED
}

/// Fisher's exact test, two-sided: the tables with the same margins that are no likelier than this one.
pub(super) fn fisher((a, b): (u64, u64), (c, d): (u64, u64)) -> f64 {
    let (row, column, all) = (a + c, a + b, a + b + c + d);
    let fixed = [row, all - row, column, all - column].map(ln_factorial).iter().sum::<f64>() - ln_factorial(all);
    let ln_p = |x: u64| fixed - [x, row - x, column - x, all + x - row - column].map(ln_factorial).iter().sum::<f64>();
    let observed = ln_p(a);
    let least = (row + column).saturating_sub(all);
    let p: f64 = (least..=row.min(column)).map(ln_p).filter(|&p| p <= observed + 1e-7).map(f64::exp).sum();
    p.min(1.0)
}

/// Pearson's χ² test of homogeneity, no continuity correction.
fn pearson(counts: &[(u64, u64)]) -> f64 {
    let (m, n) = totals(counts);
    let all = (m + n) as f64;
    let chi_square: f64 = counts
        .iter()
        .map(|&(b, w)| {
            let (in_baseline, in_window) = ((b + w) as f64 * m as f64 / all, (b + w) as f64 * n as f64 / all);
            (b as f64 - in_baseline).powi(2) / in_baseline + (w as f64 - in_window).powi(2) / in_window
        })
        .sum();
    chi_square_tail(chi_square, (counts.len() - 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lady_tasting_tea() {
        // Fisher 1935: three of four right; two-sided 34/70.
        let mix = compare(&[(3, 1), (1, 3)]).unwrap();
        assert!((mix.p_value - 34.0 / 70.0).abs() < 1e-9, "{mix:?}");
        assert_eq!(mix.distance, 0.5);
    }

    #[test]
    fn rare_categories_are_put_together() {
        // 2 + 1 documents expect under 5 in the window: together with 1 + 3 they are enough only with a third.
        assert_eq!(pool(&[(0, 0), (50, 50), (40, 40), (6, 5), (2, 1), (1, 3)]), [(50, 50), (40, 40), (9, 9)]);
    }

    #[test]
    fn one_category_is_no_difference() {
        assert_eq!(compare(&[(10, 5)]), Some(Mix { distance: 0.0, p_value: 1.0 }));
        assert_eq!(compare(&[(10, 0)]), None);
    }
}
