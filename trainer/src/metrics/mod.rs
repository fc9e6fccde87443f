//! How good predictions are: the figures of [`report::Evaluation`], as scikit-learn defines them.

mod bootstrap;
mod confusion;
mod ranking;
mod reliability;

pub use bootstrap::{Bootstrap, intervals};
pub use reliability::{bins, brier, calibration_error};

use report::Evaluation;
use report::evaluation::{
    Average, Averages, ClassCurves, ClassMetrics, Metrics, Quality, ReliabilityBin, RocCurve, ScoreHistogram,
};

use confusion::{averages, balanced_accuracy, class_metrics, matthews, ratio};
use ranking::Ranking;

/// Probabilities are at least this, and at most 1 less this, in the log loss (scikit-learn's, of doubles).
const LEAST_PROBABILITY: f64 = f64::EPSILON;

/// Classes whose curves are kept where there are more than two.
const CURVES: usize = 20;
/// Points of each of those curves; a curve of two classes has 200.
const POINTS_OF_MANY: usize = 50;
const POINTS: usize = 200;

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

/// All figures of one set of outcomes, but for the intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Headline figures.
    pub metrics: Metrics,
    /// Figures beside them.
    pub quality: Quality,
    /// One entry a class.
    pub per_class: Vec<ClassMetrics>,
    /// Outcomes by `[actual][predicted]`.
    pub confusion: Vec<Vec<u64>>,
    /// Of the second of two classes; none with more, or where only one occurs.
    pub roc_curve: Option<RocCurve>,
    /// Of the second of two classes; with more, of each of the first 20 that occur against the rest.
    pub curves: Vec<ClassCurves>,
    /// Confidence against accuracy.
    pub reliability: Vec<ReliabilityBin>,
    /// Probabilities by actual class.
    pub histogram: ScoreHistogram,
}

/// Share of outcomes whose prediction is the actual class; 0 of none.
pub fn accuracy(outcomes: &[Outcome]) -> f64 {
    ratio(outcomes.iter().filter(|outcome| outcome.actual == outcome.predicted).count() as u64, outcomes.len() as u64)
}

/// Mean of `-ln p(actual class)`, nats, each `p` clipped to `[ε, 1 - ε]` (scikit-learn's `log_loss`); 0 of no outcomes.
pub fn log_loss(outcomes: &[Outcome]) -> f64 {
    outcomes.iter().map(loss).sum::<f64>() / outcomes.len().max(1) as f64
}

fn loss(outcome: &Outcome) -> f64 {
    -outcome.probabilities[outcome.actual].clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY).ln()
}

/// What the predicted classes alone say.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// One entry a class; areas are left out.
    pub per_class: Vec<ClassMetrics>,
    /// Mean recall over the classes that occur.
    pub balanced_accuracy: f64,
    /// Unweighted means.
    pub macro_average: Averages,
    /// Means by documents.
    pub weighted: Averages,
    /// Over all classes.
    pub matthews: f64,
}

/// Counts pairs of an actual and a predicted class: what [`measure`] measures of them, without the cost of ranking.
pub fn counted(pairs: impl Iterator<Item = (usize, usize)>, classes: &[String]) -> Counted {
    let confusion = confusion::confusion(pairs, classes.len());
    let per_class: Vec<ClassMetrics> =
        classes.iter().enumerate().map(|(index, class)| class_metrics(&confusion, index, class)).collect();
    Counted {
        balanced_accuracy: balanced_accuracy(&per_class),
        macro_average: averages(&per_class, |_| 1.0),
        weighted: averages(&per_class, |class| class.support as f64),
        matthews: matthews(&confusion),
        per_class,
    }
}

/// Measures `outcomes` over `classes`, whose indices they use.
pub fn measure(outcomes: &[Outcome], classes: &[String]) -> Measured {
    let pairs = || outcomes.iter().map(|outcome| (outcome.actual, outcome.predicted));
    let confusion = confusion::confusion(pairs(), classes.len());
    let Counted { mut per_class, balanced_accuracy, macro_average, weighted, matthews } = counted(pairs(), classes);
    let mut curves = Vec::new();
    for (index, class) in per_class.iter_mut().enumerate() {
        let ranking = Ranking::of(outcomes.iter().map(|o| (o.probabilities[index], o.actual == index)));
        (class.roc_auc, class.average_precision) = (ranking.roc_auc(), ranking.average_precision());
        let points = match (classes.len(), index) {
            (2, 1) => POINTS,
            (3.., ..CURVES) => POINTS_OF_MANY,
            _ => continue,
        };
        if let (Some(roc), Some(precision_recall)) = (ranking.roc_curve(points), ranking.precision_recall_curve(points))
        {
            curves.push(ClassCurves { class: class.class.clone(), roc, precision_recall });
        }
    }
    let reliability = reliability::bins(outcomes);
    let accuracy = accuracy(outcomes);
    let two = if let [_, positive] = &per_class[..] { Some(positive) } else { None };
    let mean_of = |figure: fn(&ClassMetrics) -> Option<f64>, by_support: bool| mean(&per_class, figure, by_support);
    let area = |by_support: bool| match two {
        Some(positive) => positive.roc_auc,
        None => mean_of(|class| class.roc_auc, by_support),
    };
    let roc_auc = area(false);
    let quality = Quality {
        balanced_accuracy,
        macro_average,
        weighted,
        micro: Averages { precision: accuracy, recall: accuracy, f1: accuracy },
        roc_auc_macro: roc_auc,
        roc_auc_weighted: area(true),
        average_precision: match two {
            Some(positive) => positive.average_precision,
            None => mean_of(|class| class.average_precision, false),
        },
        average_precision_weighted: mean_of(|class| class.average_precision, true),
        brier: reliability::brier(outcomes),
        matthews,
        calibration_error: calibration_error(&reliability),
    };
    let (average, headline) = match two {
        Some(positive) => {
            let (precision, recall, f1) = (positive.precision, positive.recall, positive.f1);
            (Average::Binary, Averages { precision, recall, f1 })
        }
        None => (Average::Macro, macro_average),
    };
    let metrics = Metrics {
        accuracy,
        average,
        precision: headline.precision,
        recall: headline.recall,
        f1: headline.f1,
        log_loss: log_loss(outcomes),
        roc_auc,
    };
    let roc_curve = two.and_then(|_| curves.first()).map(|curves| curves.roc.clone());
    let histogram = reliability::histogram(outcomes, classes);
    Measured { metrics, quality, per_class, confusion, roc_curve, curves, reliability, histogram }
}

/// Mean over the classes that have the figure, each weighing 1 or its documents; none where no class has it.
fn mean(per_class: &[ClassMetrics], figure: fn(&ClassMetrics) -> Option<f64>, by_support: bool) -> Option<f64> {
    let known = || per_class.iter().filter_map(|class| Some((class, figure(class)?)));
    let weight = |class: &ClassMetrics| if by_support { class.support as f64 } else { 1.0 };
    let total: f64 = known().map(|(class, _)| weight(class)).sum();
    (total > 0.0).then(|| known().map(|(class, value)| weight(class) * value).sum::<f64>() / total)
}

/// The figures that `train` prints, by the names under which metric definitions find them.
pub fn headline(evaluation: &Evaluation) -> Vec<(&'static str, f64)> {
    let m = &evaluation.metrics;
    let mut all = vec![
        ("accuracy", m.accuracy),
        ("precision", m.precision),
        ("recall", m.recall),
        ("f1", m.f1),
        ("log_loss", m.log_loss),
    ];
    all.extend(m.roc_auc.map(|area| ("roc_auc", area)));
    let Some(q) = &evaluation.quality else { return all };
    all.extend([
        ("balanced_accuracy", q.balanced_accuracy),
        ("macro_f1", q.macro_average.f1),
        ("weighted_f1", q.weighted.f1),
    ]);
    all.extend(q.average_precision.map(|area| ("average_precision", area)));
    all.extend([("brier", q.brier), ("matthews", q.matthews), ("calibration_error", q.calibration_error)]);
    all
}
