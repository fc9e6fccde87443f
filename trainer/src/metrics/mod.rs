//! How good predictions are: the figures of [`report::Evaluation`], as scikit-learn defines them.

mod roc;

use report::evaluation::{Average, ClassMetrics, Metrics, RocCurve};

/// Probabilities below this count as this in the log loss.
const LEAST_PROBABILITY: f64 = 1e-15;

/// One document's actual class and what was predicted for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Index of the actual class.
    pub actual: usize,
    /// Index of the predicted class.
    pub predicted: usize,
    /// Probability a class; they sum to 1.
    pub probabilities: Vec<f64>,
}

impl Outcome {
    /// The most probable class is the predicted one, of equals the first.
    pub fn of(actual: usize, probabilities: Vec<f64>) -> Self {
        let classes = probabilities.iter().enumerate().rev();
        let predicted = classes.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class);
        Self { actual, predicted, probabilities }
    }
}

/// All figures of one set of outcomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Headline figures.
    pub metrics: Metrics,
    /// One entry a class.
    pub per_class: Vec<ClassMetrics>,
    /// Outcomes by `[actual][predicted]`.
    pub confusion: Vec<Vec<u64>>,
    /// Of the second of two classes; none with more, or where only one occurs.
    pub roc_curve: Option<RocCurve>,
}

/// Share of outcomes whose prediction is the actual class; 0 of none.
pub fn accuracy(outcomes: &[Outcome]) -> f64 {
    ratio(outcomes.iter().filter(|outcome| outcome.actual == outcome.predicted).count() as u64, outcomes.len() as u64)
}

/// Measures `outcomes` over `classes`, whose indices they use.
pub fn measure(outcomes: &[Outcome], classes: &[String]) -> Measured {
    let confusion = confusion(outcomes, classes.len());
    let per_class: Vec<ClassMetrics> =
        classes.iter().enumerate().map(|(index, class)| class_metrics(&confusion, index, class)).collect();
    let roc = match classes.len() {
        2 => roc::curve(outcomes.iter().map(|outcome| (outcome.probabilities[1], outcome.actual == 1))),
        _ => None,
    };
    let (average, [precision, recall, f1]) = headline(&per_class);
    let metrics = Metrics {
        accuracy: accuracy(outcomes),
        average,
        precision,
        recall,
        f1,
        log_loss: log_loss(outcomes),
        roc_auc: roc.as_ref().map(|(area, _)| *area),
    };
    Measured { metrics, per_class, confusion, roc_curve: roc.map(|(_, curve)| curve) }
}

/// Precision, recall and F1: the second of two classes, else the mean over all classes.
fn headline(per_class: &[ClassMetrics]) -> (Average, [f64; 3]) {
    let figures = |class: &ClassMetrics| [class.precision, class.recall, class.f1];
    if let [_, positive] = per_class {
        return (Average::Binary, figures(positive));
    }
    let mut mean = [0.0; 3];
    for class in per_class {
        for (sum, figure) in mean.iter_mut().zip(figures(class)) {
            *sum += figure / per_class.len() as f64;
        }
    }
    (Average::Macro, mean)
}

fn confusion(outcomes: &[Outcome], classes: usize) -> Vec<Vec<u64>> {
    let mut confusion = vec![vec![0; classes]; classes];
    for outcome in outcomes {
        confusion[outcome.actual][outcome.predicted] += 1;
    }
    confusion
}

fn class_metrics(confusion: &[Vec<u64>], index: usize, class: &str) -> ClassMetrics {
    let found = confusion[index][index];
    let support = confusion[index].iter().sum();
    let predicted = confusion.iter().map(|row| row[index]).sum();
    ClassMetrics {
        class: class.into(),
        precision: ratio(found, predicted),
        recall: ratio(found, support),
        f1: ratio(2 * found, predicted + support),
        support,
    }
}

/// Mean of `-ln p(actual class)`, nats, each `p` at least 1e-15; 0 of no outcomes.
pub fn log_loss(outcomes: &[Outcome]) -> f64 {
    let loss = |outcome: &Outcome| -outcome.probabilities[outcome.actual].clamp(LEAST_PROBABILITY, 1.0).ln();
    outcomes.iter().map(loss).sum::<f64>() / outcomes.len().max(1) as f64
}

/// 0 where the whole is nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
