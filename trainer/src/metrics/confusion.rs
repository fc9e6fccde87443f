//! Figures of the confusion matrix.
//!
//! linfa's `ConfusionMatrix` has accuracy, precision, recall, F1 and Matthews as well, but rounds them to single precision,
//! which is far from 1e-9, and means of three and more classes it takes otherwise; a test holds ours against it where both
//! mean the same.

use report::evaluation::{Averages, ClassMetrics};

/// Pairs by `[actual class][predicted class]`.
pub fn confusion(pairs: impl Iterator<Item = (usize, usize)>, classes: usize) -> Vec<Vec<u64>> {
    let mut confusion = vec![vec![0; classes]; classes];
    for (actual, predicted) in pairs {
        confusion[actual][predicted] += 1;
    }
    confusion
}

/// Precision, recall, F1 and support of one class; its areas are left to be filled.
pub fn class_metrics(confusion: &[Vec<u64>], index: usize, class: &str) -> ClassMetrics {
    let found = confusion[index][index];
    let support = confusion[index].iter().sum();
    let predicted = confusion.iter().map(|row| row[index]).sum();
    ClassMetrics {
        class: class.into(),
        precision: ratio(found, predicted),
        recall: ratio(found, support),
        f1: ratio(2 * found, predicted + support),
        support,
        ..ClassMetrics::default()
    }
}

/// Means of the per-class figures, each class weighing what `weight` says; 0 where nothing weighs.
pub fn averages(per_class: &[ClassMetrics], weight: impl Fn(&ClassMetrics) -> f64) -> Averages {
    let total: f64 = per_class.iter().map(&weight).sum();
    let mean = |figure: fn(&ClassMetrics) -> f64| {
        let sum: f64 = per_class.iter().map(|class| weight(class) * figure(class)).sum();
        if total > 0.0 { sum / total } else { 0.0 }
    };
    Averages {
        precision: mean(|class| class.precision),
        recall: mean(|class| class.recall),
        f1: mean(|class| class.f1),
    }
}

/// Mean recall over the classes that occur; 0 of no outcomes.
pub fn balanced_accuracy(per_class: &[ClassMetrics]) -> f64 {
    averages(per_class, |class| if class.support > 0 { 1.0 } else { 0.0 }).recall
}

/// Matthews correlation coefficient of any number of classes (Gorodkin 2004); 0 where one side is constant.
pub fn matthews(confusion: &[Vec<u64>]) -> f64 {
    let actual: Vec<f64> = confusion.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let predicted: Vec<f64> =
        (0..confusion.len()).map(|class| confusion.iter().map(|row| row[class]).sum::<u64>() as f64).collect();
    let all: f64 = actual.iter().sum();
    let right: f64 = (0..confusion.len()).map(|class| confusion[class][class] as f64).sum();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = |sums: &[f64]| all * all - dot(sums, sums);
    let (above, below) = (right * all - dot(&actual, &predicted), spread(&actual) * spread(&predicted));
    if below > 0.0 { above / below.sqrt() } else { 0.0 }
}

/// 0 where the whole is nothing.
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use linfa::metrics::ToConfusionMatrix;
    use ndarray::Array1;

    use super::*;

    #[test]
    fn two_classes_are_linfas_to_single_precision() {
        let pairs: Vec<(usize, usize)> = (0..97).map(|n| (n * n % 5 % 2, n * 7 % 11 % 2)).collect();
        let actual: Array1<bool> = pairs.iter().map(|pair| pair.0 == 1).collect();
        let predicted: Array1<bool> = pairs.iter().map(|pair| pair.1 == 1).collect();
        let theirs = predicted.confusion_matrix(&actual).unwrap();
        let ours = confusion(pairs.iter().copied(), 2);
        let positive = class_metrics(&ours, 1, "1");
        for (what, ours, theirs) in [
            ("accuracy", ratio(ours[0][0] + ours[1][1], 97), theirs.accuracy()),
            ("matthews", matthews(&ours), theirs.mcc()),
            ("f1", positive.f1, theirs.f1_score()),
        ] {
            assert!((ours - f64::from(theirs)).abs() < 1e-6, "{what}: {ours}, linfa {theirs}");
        }
    }
}
