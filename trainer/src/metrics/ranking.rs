//! One class against the rest by its scores: areas and curves.

use report::evaluation::{PrecisionRecallCurve, RocCurve};

/// How well scores put the documents of a class first.
pub struct Ranking {
    /// `(negatives, positives)` at or above each distinct score, highest score first; begins with `(0, 0)`.
    steps: Vec<(u64, u64)>,
}

impl Ranking {
    /// Of `(score, is positive)` pairs, in any order.
    pub fn of(scored: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut scored: Vec<(f64, bool)> = scored.collect();
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut at, mut steps) = ((0, 0), vec![(0, 0)]);
        for step in scored.chunk_by(|a, b| a.0 == b.0) {
            let hits = step.iter().filter(|(_, positive)| *positive).count() as u64;
            at = (at.0 + step.len() as u64 - hits, at.1 + hits);
            steps.push(at);
        }
        Self { steps }
    }

    fn negatives(&self) -> u64 {
        self.steps.last().map_or(0, |step| step.0)
    }

    fn positives(&self) -> u64 {
        self.steps.last().map_or(0, |step| step.1)
    }

    fn one_kind_alone(&self) -> bool {
        self.positives() == 0 || self.negatives() == 0
    }

    /// Area under the ROC curve; none where one of the two kinds is missing.
    ///
    /// Equal scores are one step, so the area is that of the trapezoids: the probability that a positive scores above a
    /// negative, ties counting half (Fawcett 2006).
    pub fn roc_auc(&self) -> Option<f64> {
        if self.one_kind_alone() {
            return None;
        }
        // Twice the area in units of one positive times one negative: whole numbers, so exact.
        let trapezoid = |pair: &[(u64, u64)]| u128::from(pair[1].0 - pair[0].0) * u128::from(pair[0].1 + pair[1].1);
        let area: u128 = self.steps.windows(2).map(trapezoid).sum();
        Some(area as f64 / 2.0 / (self.positives() as f64 * self.negatives() as f64))
    }

    /// `Σ (Rₙ - Rₙ₋₁) Pₙ` over the distinct scores, recall and precision at each (scikit-learn's
    /// `average_precision_score`: no interpolation); none without positives.
    pub fn average_precision(&self) -> Option<f64> {
        let positives = self.positives();
        let part = |pair: &[(u64, u64)]| (pair[1].1 - pair[0].1) as f64 * precision(pair[1]);
        (positives > 0).then(|| self.steps.windows(2).map(part).sum::<f64>() / positives as f64)
    }

    /// The ROC curve, of at most `points` of its corners; none where one of the two kinds is missing.
    pub fn roc_curve(&self, points: usize) -> Option<RocCurve> {
        if self.one_kind_alone() {
            return None;
        }
        let points = thin(corners(&self.steps), points);
        Some(RocCurve {
            false_positive_rates: points.iter().map(|point| point.0 as f64 / self.negatives() as f64).collect(),
            true_positive_rates: points.iter().map(|point| point.1 as f64 / self.positives() as f64).collect(),
        })
    }

    /// The precision-recall curve, at most `points` of it; none without positives.
    pub fn precision_recall_curve(&self, points: usize) -> Option<PrecisionRecallCurve> {
        let positives = self.positives();
        if positives == 0 {
            return None;
        }
        let steps = thin(self.steps[1..].to_vec(), points - 1);
        let first = precision(steps[0]);
        let recall = |step: &(u64, u64)| step.1 as f64 / positives as f64;
        Some(PrecisionRecallCurve {
            recalls: std::iter::once(0.0).chain(steps.iter().map(recall)).collect(),
            precisions: std::iter::once(first).chain(steps.iter().map(|&step| precision(step))).collect(),
        })
    }
}

fn precision((misses, hits): (u64, u64)) -> f64 {
    hits as f64 / (misses + hits).max(1) as f64
}

/// Leaves out points on the straight line between their neighbours.
fn corners(points: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut kept: Vec<(u64, u64)> = Vec::new();
    for &point in points {
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

/// At most `most` of the points, evenly spread, first and last among them.
fn thin(points: Vec<(u64, u64)>, most: usize) -> Vec<(u64, u64)> {
    if points.len() <= most {
        return points;
    }
    let last = points.len() - 1;
    (0..most).map(|n| points[n * last / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas() {
        type Scored = [(f64, bool)];
        let cases: [(&Scored, Option<f64>, Option<f64>); 7] = [
            (&[(0.9, true), (0.1, false)], Some(1.0), Some(1.0)),
            (&[(0.1, true), (0.9, false)], Some(0.0), Some(0.5)),
            (&[(0.5, true), (0.5, false)], Some(0.5), Some(0.5)),
            (&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)], Some(0.75), Some(0.5 + 1.0 / 3.0)),
            (&[(0.1, false)], None, None),
            (&[(0.1, true)], None, Some(1.0)),
            (&[], None, None),
        ];
        for (scored, area, precision) in cases {
            let ranking = Ranking::of(scored.iter().copied());
            assert_eq!((ranking.roc_auc(), ranking.average_precision()), (area, precision), "{scored:?}");
        }
    }

    const POINTS: usize = 200;

    #[test]
    fn long_curves_are_thinned_onto_themselves() {
        let scored = (0..5000u32).map(|n| (f64::from(n), n.is_multiple_of(3) || n.is_multiple_of(7)));
        let ranking = Ranking::of(scored);
        let (positives, negatives) = (ranking.positives() as f64, ranking.negatives() as f64);
        let roc = ranking.roc_curve(POINTS).unwrap();
        assert_eq!(roc.false_positive_rates.len(), POINTS);
        assert_eq!((roc.false_positive_rates[0], roc.true_positive_rates[0]), (0.0, 0.0));
        assert_eq!((roc.false_positive_rates[POINTS - 1], roc.true_positive_rates[POINTS - 1]), (1.0, 1.0));
        let on_curve =
            |x: f64, y: f64| ranking.steps.iter().any(|s| s.0 as f64 / negatives == x && s.1 as f64 / positives == y);
        assert!(roc.false_positive_rates.iter().zip(&roc.true_positive_rates).all(|(&x, &y)| on_curve(x, y)));
        let curve = ranking.precision_recall_curve(POINTS).unwrap();
        assert_eq!((curve.recalls.len(), curve.recalls[0], curve.recalls[POINTS - 1]), (POINTS, 0.0, 1.0));
        assert_eq!(curve.precisions[POINTS - 1], positives / 5000.0);
        let on_curve = |x: f64, y: f64| ranking.steps.iter().any(|&s| s.1 as f64 / positives == x && precision(s) == y);
        assert!(curve.recalls.iter().zip(&curve.precisions).skip(1).all(|(&x, &y)| on_curve(x, y)));
    }
}
