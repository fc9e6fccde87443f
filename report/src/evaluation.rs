//! The measured quality of an artifact on a test channel: `evaluation.json`.

mod background;
mod evidence;
mod html;
mod markdown;
mod quality;

pub use background::{Calibrated, Candidate, DataFile, DataWarning, DroppedRows, Training, Tuning};
pub use evidence::{ClassTerms, Golden, Mistake, TermContribution, TermWeight};
pub use html::html;
pub use markdown::markdown;
pub use quality::{
    ArtifactFigures, Averages, ClassCurves, Interval, PrecisionRecallCurve, Quality, ReliabilityBin, RocCurve,
    ScoreHistogram, ScoreSeries,
};

use serde::{Deserialize, Serialize};

/// `evaluation.json`, what `train` writes to `/opt/ml/output/data` when there is a `test` channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Always [`FORMAT`]; another value is another file.
    pub format: String,
    /// Channel that was predicted: `test`.
    pub channel: String,
    /// Documents predicted.
    pub rows: u64,
    /// Class names in the artifact's order (ascending).
    pub classes: Vec<String>,
    /// Of two classes the second, whose precision, recall and F1 are the headline; none with more classes.
    pub positive_class: Option<String>,
    /// Headline figures.
    pub metrics: Metrics,
    /// One entry a class, in the order of `classes`.
    pub per_class: Vec<ClassMetrics>,
    /// Documents by `[actual class][predicted class]`, in the order of `classes`.
    pub confusion: Vec<Vec<u64>>,
    /// Of the positive class; none with more than two classes or with one class alone in the channel.
    pub roc_curve: Option<RocCurve>,
    /// The heaviest terms a class; empty where the classifier is not linear.
    pub strongest_terms: Vec<ClassTerms>,
    /// The most confident wrong predictions, worst first.
    pub mistakes: Vec<Mistake>,
    /// Documents and their predictions that a deployment must repeat.
    pub golden: Vec<Golden>,
    /// What was fitted, on what.
    pub training: Training,
    /// The search for settings, where there was one.
    pub tuning: Option<Tuning>,
    /// Every file that was read.
    pub data: Vec<DataFile>,
    /// Figures beside the headline ones; none in files of versions before them.
    #[serde(default)]
    pub quality: Option<Quality>,
    /// Confidence intervals of headline figures.
    #[serde(default)]
    pub intervals: Vec<Interval>,
    /// Of the positive class; with more than two classes of each against the rest, of the first 20.
    #[serde(default)]
    pub curves: Vec<ClassCurves>,
    /// Confidence against accuracy, bins ascending.
    #[serde(default)]
    pub reliability: Vec<ReliabilityBin>,
    /// How probabilities are spread, by actual class.
    #[serde(default)]
    pub histogram: Option<ScoreHistogram>,
    /// What turned scores into probabilities, where something did.
    #[serde(default)]
    pub calibration: Option<Calibrated>,
    /// What is odd about the data, and was taken nonetheless.
    #[serde(default)]
    pub warnings: Vec<DataWarning>,
    /// Rows that were left out, by channel and reason.
    #[serde(default)]
    pub dropped: Vec<DroppedRows>,
    /// Size and speed; none in files of versions before them.
    #[serde(default)]
    pub artifact: Option<ArtifactFigures>,
}

/// The value of [`Evaluation::format`].
pub const FORMAT: &str = "sagebrush.evaluation/1";

/// How a per-class figure becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Average {
    /// The positive class's own figure (two classes).
    Binary,
    /// The unweighted mean over the classes.
    Macro,
}

/// Headline figures, each in `[0, 1]` but for `log_loss` (nats, `≥ 0`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Share of documents whose predicted class is the actual one.
    pub accuracy: f64,
    /// How `precision`, `recall` and `f1` are averaged.
    pub average: Average,
    /// Of the documents predicted as the class, the share that is (0 where none was predicted).
    pub precision: f64,
    /// Of the documents of the class, the share that was found.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Mean of `-ln p(actual class)`, probabilities clipped to `[ε, 1 - ε]` with the `ε` of a double (scikit-learn's).
    pub log_loss: f64,
    /// Area under the ROC curve of the positive class; with more than two classes the mean of each against the rest,
    /// over those that occur; none where one class is alone.
    pub roc_auc: Option<f64>,
}

/// One class's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// Class name.
    pub class: String,
    /// As in [`Metrics::precision`].
    pub precision: f64,
    /// As in [`Metrics::recall`].
    pub recall: f64,
    /// As in [`Metrics::f1`].
    pub f1: f64,
    /// Documents of this class in the channel.
    pub support: u64,
    /// Area under the ROC curve of this class against the rest; none where it does not occur or nothing else does.
    #[serde(default)]
    pub roc_auc: Option<f64>,
    /// Average precision of this class against the rest; none where it does not occur.
    #[serde(default)]
    pub average_precision: Option<f64>,
}

/// The interval of `metric`, where there is one.
fn interval<'e>(evaluation: &'e Evaluation, metric: &str) -> Option<&'e Interval> {
    evaluation.intervals.iter().find(|interval| interval.metric == metric)
}
