//! Figures, intervals and curves of an evaluation.

use serde::{Deserialize, Serialize};

/// Figures beside the headline ones, as scikit-learn defines them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Mean recall over the classes that occur (`balanced_accuracy_score`).
    pub balanced_accuracy: f64,
    /// Unweighted means over all classes; a class that neither occurs nor is predicted counts 0.
    #[serde(rename = "macro")]
    pub macro_average: Averages,
    /// Means weighted by each class's documents.
    pub weighted: Averages,
    /// Over all decisions together: each of the three is the accuracy, since a document has one class.
    pub micro: Averages,
    /// Mean of each class's one-vs-rest ROC AUC, over the classes that occur; of two classes the positive one's.
    pub roc_auc_macro: Option<f64>,
    /// The same weighted by documents; of two classes the positive one's too.
    pub roc_auc_weighted: Option<f64>,
    /// Average precision `Σ (Rₙ - Rₙ₋₁) Pₙ` over distinct scores: of the positive class; with more than two classes the mean
    /// of each against the rest, over those that occur.
    pub average_precision: Option<f64>,
    /// The one-vs-rest mean weighted by documents; of two classes, over both.
    pub average_precision_weighted: Option<f64>,
    /// Brier score: of two classes the mean of `(p - y)²` of the positive one, `[0, 1]`; of more the mean of the sum over
    /// classes, `[0, 2]` (`brier_score_loss`).
    pub brier: f64,
    /// Matthews correlation coefficient over all classes, `[-1, 1]` (Gorodkin 2004); 0 where it has no value.
    pub matthews: f64,
    /// Expected calibration error: over 15 bins of equal width on the predicted class's probability, `(k/15, (k+1)/15]`,
    /// the mean of `|accuracy - mean probability|` weighted by documents (Guo et al. 2017), `[0, 1]`.
    pub calibration_error: f64,
}

/// Precision, recall and F1, each in `[0, 1]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Averages {
    /// Of the predicted, the share that is.
    pub precision: f64,
    /// Of those that are, the share that was found.
    pub recall: f64,
    /// Harmonic mean of both, averaged after it was taken.
    pub f1: f64,
}

/// The artifact as the job saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArtifactFigures {
    /// Size of its files, bytes.
    pub bytes: u64,
    /// Documents of the test channel that were timed, one by one on one thread, without HTTP.
    pub latency_documents: u64,
    /// Time of a document that half of them do not exceed, milliseconds.
    pub latency_p50_ms: f64,
    /// Time that 99 of 100 do not exceed, milliseconds.
    pub latency_p99_ms: f64,
}

/// A confidence interval by bootstrap: documents drawn again within each actual class, percentiles of the figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// `accuracy`, `macro_f1`, `log_loss` or `roc_auc`.
    pub metric: String,
    /// The figure itself.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of resamples between the ends: 0.95.
    pub level: f64,
    /// Resamples drawn.
    pub resamples: u64,
}

/// One class against the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassCurves {
    /// Class name.
    pub class: String,
    /// Its ROC curve.
    pub roc: RocCurve,
    /// Its precision-recall curve.
    pub precision_recall: PrecisionRecallCurve,
}

/// Points of the ROC curve, both lists of one length, ascending from `(0, 0)` to `(1, 1)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocCurve {
    /// Horizontal positions.
    pub false_positive_rates: Vec<f64>,
    /// Vertical positions.
    pub true_positive_rates: Vec<f64>,
}

/// Points of the precision-recall curve, both lists of one length, recall ascending from 0 to 1. The first point is that of
/// the highest score, drawn back to recall 0; at most 200 points, each exactly on the curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecallCurve {
    /// Horizontal positions.
    pub recalls: Vec<f64>,
    /// Vertical positions.
    pub precisions: Vec<f64>,
}

/// Documents whose predicted class has a probability in `(low, high]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Documents.
    pub documents: u64,
    /// Their mean probability; 0 of none.
    pub confidence: f64,
    /// Share of them predicted right; 0 of none.
    pub accuracy: f64,
}

/// Documents by probability, in bins of equal width over `[0, 1]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreHistogram {
    /// Whose probability: the positive class's; none: each document's own class's.
    pub of: Option<String>,
    /// One entry a class.
    pub series: Vec<ScoreSeries>,
}

/// One actual class's documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreSeries {
    /// Class name.
    pub class: String,
    /// Documents a bin; all series have as many bins.
    pub documents: Vec<u64>,
}
