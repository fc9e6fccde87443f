//! Stratified folds: every fold has its share of every class.

use model::SplitMix64;

/// Rows to learn from and rows to measure, both ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Learned from.
    pub fit: Vec<usize>,
    /// Measured.
    pub held_out: Vec<usize>,
}

/// Deals the rows of each class, shuffled, round the folds. Every row is held out once, but for the row of a class that
/// has no other: it is always learned from.
pub fn stratified(targets: &[usize], classes: usize, folds: usize, seed: u64) -> Vec<Fold> {
    let mut random = SplitMix64::new(seed, 0);
    let mut fold_of = vec![None; targets.len()];
    let mut dealt = 0;
    for class in 0..classes {
        let mut rows: Vec<usize> = (0..targets.len()).filter(|&row| targets[row] == class).collect();
        let count = rows.len();
        random.draw(&mut rows, count);
        if rows.len() < 2 {
            continue;
        }
        for row in rows {
            fold_of[row] = Some(dealt % folds);
            dealt += 1;
        }
    }
    let split = |fold: usize| {
        let (held_out, fit) = (0..targets.len()).partition(|&row| fold_of[row] == Some(fold));
        Fold { fit, held_out }
    };
    (0..folds).map(split).collect()
}

/// About `share` of the rows, of every class alike, but `least` of each class that has them; ascending.
pub fn sample(targets: &[usize], classes: usize, share: f64, least: usize, seed: u64) -> Vec<usize> {
    let mut random = SplitMix64::new(seed, 0);
    let mut sample = Vec::new();
    for class in 0..classes {
        let mut rows: Vec<usize> = (0..targets.len()).filter(|&row| targets[row] == class).collect();
        let count = ((rows.len() as f64 * share).ceil() as usize).max(least);
        random.draw(&mut rows, count);
        rows.truncate(count);
        sample.append(&mut rows);
    }
    sample.sort_unstable();
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_share_of_every_class() {
        let targets: Vec<usize> = (0..1000).map(|row| if row < 3 { 2 } else { row % 2 }).collect();
        let rows = sample(&targets, 3, 0.1, 10, 42);
        assert!(rows.is_sorted_by(|a, b| a < b));
        let of = |class: usize| rows.iter().filter(|&&row| targets[row] == class).count();
        assert_eq!((of(0), of(1), of(2)), (50, 50, 3));
        assert_eq!(rows, sample(&targets, 3, 0.1, 10, 42));
        assert_eq!(sample(&targets, 3, 1.0, 10, 42), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn every_row_is_held_out_once_and_classes_are_spread() {
        let targets: Vec<usize> = (0..103).map(|row| usize::from(row % 3 == 0) + usize::from(row == 50) * 2).collect();
        let folds = stratified(&targets, 3, 5, 42);
        let mut seen = vec![0; targets.len()];
        for fold in &folds {
            assert_eq!(fold.fit.len() + fold.held_out.len(), targets.len());
            assert!((20..=21).contains(&fold.held_out.len()));
            let ones = fold.held_out.iter().filter(|&&row| targets[row] == 1).count();
            assert!((6..=8).contains(&ones), "{ones}");
            fold.held_out.iter().for_each(|&row| seen[row] += 1);
        }
        // Row 50 is alone in its class.
        assert!(seen.iter().enumerate().all(|(row, &times)| times == usize::from(row != 50)));
        assert_eq!(folds, stratified(&targets, 3, 5, 42));
        assert_ne!(folds, stratified(&targets, 3, 5, 43));
    }
}
