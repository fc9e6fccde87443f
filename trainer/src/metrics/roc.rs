//! The ROC curve and the area under it.

use report::evaluation::RocCurve;

/// Most points of a curve that is kept; the area is always of the whole one.
const POINTS: usize = 200;

/// Area and curve of `(score, is positive)` pairs; none where one of the two kinds is missing.
///
/// Equal scores are one step, so the area is that of the trapezoids: the probability that a positive scores above a
/// negative, ties counting half (Fawcett 2006).
pub fn curve(scored: impl Iterator<Item = (f64, bool)>) -> Option<(f64, RocCurve)> {
    let mut scored: Vec<(f64, bool)> = scored.collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = scored.iter().filter(|(_, positive)| *positive).count() as u64;
    let negatives = scored.len() as u64 - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut above, mut points) = ((0u64, 0u64), vec![(0u64, 0u64)]);
    // Twice the area in units of one positive times one negative: whole numbers, so exact.
    let mut area = 0u128;
    for step in scored.chunk_by(|a, b| a.0 == b.0) {
        let hits = step.iter().filter(|(_, positive)| *positive).count() as u64;
        let misses = step.len() as u64 - hits;
        area += u128::from(misses) * u128::from(2 * above.1 + hits);
        above = (above.0 + misses, above.1 + hits);
        points.push(above);
    }
    let points = thin(corners(points));
    let curve = RocCurve {
        false_positive_rates: points.iter().map(|point| point.0 as f64 / negatives as f64).collect(),
        true_positive_rates: points.iter().map(|point| point.1 as f64 / positives as f64).collect(),
    };
    Some((area as f64 / 2.0 / (positives as f64 * negatives as f64), curve))
}

/// Leaves out points on the straight line between their neighbours.
fn corners(points: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    let mut kept: Vec<(u64, u64)> = Vec::new();
    for point in points {
        if let [.., a, b] = kept[..] {
            let straight =
                u128::from(b.0 - a.0) * u128::from(point.1 - b.1) == u128::from(b.1 - a.1) * u128::from(point.0 - b.0);
            if straight {
                kept.pop();
            }
        }
        kept.push(point);
    }
    kept
}

/// At most [`POINTS`] of the points, evenly spread, first and last among them.
fn thin(points: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    if points.len() <= POINTS {
        return points;
    }
    let last = points.len() - 1;
    (0..POINTS).map(|n| points[n * last / (POINTS - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas() {
        type Scored = [(f64, bool)];
        let cases: [(&Scored, Option<f64>); 6] = [
            (&[(0.9, true), (0.1, false)], Some(1.0)),
            (&[(0.1, true), (0.9, false)], Some(0.0)),
            (&[(0.5, true), (0.5, false)], Some(0.5)),
            (&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)], Some(0.75)),
            (&[(0.1, false)], None),
            (&[], None),
        ];
        for (scored, want) in cases {
            assert_eq!(curve(scored.iter().copied()).map(|(area, _)| area), want, "{scored:?}");
        }
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_ends() {
        let scored = (0..5000).map(|n| (f64::from(n), n % 3 == 0 || n % 7 == 0));
        let (_, curve) = curve(scored).unwrap();
        assert_eq!(curve.false_positive_rates.len(), POINTS);
        assert_eq!((curve.false_positive_rates[0], curve.true_positive_rates[0]), (0.0, 0.0));
        assert_eq!((curve.false_positive_rates[POINTS - 1], curve.true_positive_rates[POINTS - 1]), (1.0, 1.0));
        assert!(curve.false_positive_rates.is_sorted() && curve.true_positive_rates.is_sorted());
    }
}
