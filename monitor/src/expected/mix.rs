//! Predictions as they would be if the classes were as frequent as they used to be.

use crate::stats::divergence::total_variation;

/// Rounds at most: each brings the shares nearer.
const ROUNDS: usize = 500;
/// Ends where no class's share is off by more.
const STILL: f64 = 1e-4;

/// Mean probability of each class; nothing of no document.
pub(super) fn mean(probabilities: &[Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; probabilities.first().map_or(0, Vec::len)];
    probabilities.iter().for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, p)| *sum += p));
    sums.iter_mut().for_each(|sum| *sum /= probabilities.len() as f64);
    sums
}

/// Total variation: the largest change of any set of classes' share.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    total_variation(a.iter().copied().zip(b.iter().copied()))
}

/// Mean chance that the most probable class is right: as `probabilities` say, and as they say once a factor for each class
/// has made their means those of `mix`.
///
/// The factors are found by turns, a class's share made right and then each document's sum (Sinkhorn 1964): what is
/// asked for is the nearest set of probabilities, in relative entropy, with these shares. It is the entropic kin of the
/// optimal transport by which Lu et al. (2023, "Characterizing out-of-distribution error via optimal transport") estimate.
pub(super) fn right(probabilities: &[Vec<f64>], mix: &[f64]) -> (f64, f64) {
    let mut rows = probabilities.to_vec();
    for _ in 0..ROUNDS {
        let shares = mean(&rows);
        if distance(&shares, mix) < STILL {
            break;
        }
        let factors: Vec<f64> =
            shares.iter().zip(mix).map(|(&share, &wanted)| if share > 0.0 { wanted / share } else { 1.0 }).collect();
        for row in &mut rows {
            row.iter_mut().zip(&factors).for_each(|(p, factor)| *p *= factor);
            let sum: f64 = row.iter().sum();
            if sum > 0.0 {
                row.iter_mut().for_each(|p| *p /= sum);
            }
        }
    }
    let documents = probabilities.len() as f64;
    let (as_is, restored) = probabilities.iter().zip(&rows).fold((0.0, 0.0), |(as_is, restored), (row, other)| {
        let (class, p) = super::most(row);
        (as_is + p, restored + other[class])
    });
    (as_is / documents, restored / documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_first(p: &[f64]) -> Vec<Vec<f64>> {
        p.iter().map(|&p| vec![p, 1.0 - p]).collect()
    }

    #[test]
    fn the_same_mix_changes_nothing() {
        let (as_is, restored) = right(&of_first(&[0.9, 0.7, 0.2, 0.2]), &[0.5, 0.5]);
        assert_eq!((as_is, restored), (0.8, 0.8));
    }

    #[test]
    fn two_classes_move_by_one_factor_of_their_odds() {
        // Three of four are called the first class, and half should be.
        let (as_is, restored) = right(&of_first(&[0.8, 0.8, 0.8, 0.4]), &[0.5, 0.5]);
        let moved = |p: f64, factor: f64| p / (p + factor * (1.0 - p));
        // By bisection, what the factor is.
        let (mut low, mut high) = (1.0, 100.0);
        for _ in 0..100 {
            let factor = (low + high) / 2.0;
            let share = (3.0 * moved(0.8, factor) + moved(0.4, factor)) / 4.0;
            if share > 0.5 { low = factor } else { high = factor }
        }
        let wanted = (3.0 * moved(0.8, low) + 1.0 - moved(0.4, low)) / 4.0;
        assert!((as_is - 0.75).abs() < 1e-12 && (restored - wanted).abs() < 1e-3, "{as_is} {restored} {wanted}");
        assert!(restored < as_is);
    }

    #[test]
    fn several_classes_get_their_shares_and_a_lost_one_does_no_harm() {
        let rows = vec![vec![0.7, 0.2, 0.1, 0.0], vec![0.6, 0.3, 0.1, 0.0], vec![0.1, 0.2, 0.7, 0.0]];
        let (as_is, restored) = right(&rows, &[0.3, 0.3, 0.3, 0.1]);
        assert!((as_is - 2.0 / 3.0).abs() < 1e-12 && restored < as_is && restored > 0.3, "{as_is} {restored}");
    }
}
