//! The measured quality of an artifact on a test channel: `evaluation.json`.

mod html;
mod markdown;

pub use html::html;
pub use markdown::markdown;

use std::collections::BTreeMap;

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
    /// Mean of `-ln p(actual class)`, probabilities clipped to `[1e-15, 1]`.
    pub log_loss: f64,
    /// Area under the ROC curve of the positive class; none with more than two classes or one class alone.
    pub roc_auc: Option<f64>,
}

/// One class's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// Points of the ROC curve, both lists of one length, ascending from `(0, 0)` to `(1, 1)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocCurve {
    /// Horizontal positions.
    pub false_positive_rates: Vec<f64>,
    /// Vertical positions.
    pub true_positive_rates: Vec<f64>,
}

/// The terms that speak most for one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassTerms {
    /// Class name.
    pub class: String,
    /// Heaviest first; weights are positive.
    pub terms: Vec<TermWeight>,
}

/// A term and its weight in the class's score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermWeight {
    /// The term.
    pub term: String,
    /// Weight per unit of the term's TF-IDF value.
    pub weight: f64,
}

/// A wrong prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// The document, cut to 500 characters.
    pub text: String,
    /// Its label.
    pub actual: String,
    /// What was predicted.
    pub predicted: String,
    /// Probability of the predicted class.
    pub score: f64,
}

/// A document and the prediction that the live endpoint must repeat to 1e-6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// The document.
    pub text: String,
    /// Predicted class.
    pub label: String,
    /// Probability of the predicted class.
    pub score: f64,
    /// Probability a class.
    pub probabilities: BTreeMap<String, f64>,
}

/// What was fitted, on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Documents fitted on.
    pub rows: u64,
    /// Documents a class.
    pub class_rows: BTreeMap<String, u64>,
    /// Terms in the vocabulary.
    pub terms: u64,
    /// Stored values of the records.
    pub non_zeros: u64,
    /// Settings as used, after `auto` was decided and tuning done; hyperparameter names.
    pub parameters: BTreeMap<String, String>,
    /// Iterations of the solver; none where it has none.
    pub iterations: Option<u64>,
    /// Whether the solver ended by its tolerance.
    pub converged: Option<bool>,
    /// Wall time of reading, featurizing and fitting, seconds.
    pub seconds: f64,
    /// Version of Sagebrush.
    pub version: String,
}

/// The search for settings by cross-validation on the training channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Folds.
    pub folds: u64,
    /// What was compared: `accuracy`.
    pub metric: String,
    /// In the order tried.
    pub candidates: Vec<Candidate>,
    /// Index of the winner.
    pub chosen: usize,
    /// Why it won, a sentence.
    pub reason: String,
}

/// One candidate of the search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The settings that differ between candidates.
    pub parameters: BTreeMap<String, String>,
    /// Mean of the metric over the folds.
    pub mean: f64,
    /// Its standard error over the folds.
    pub standard_error: f64,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataFile {
    /// `train`, `validation` or `test`.
    pub channel: String,
    /// Path below the channel.
    pub name: String,
    /// Size, bytes.
    pub bytes: u64,
    /// SHA-256 of the file as it lies there, lower-case hexadecimal.
    pub sha256: String,
    /// Documents in it.
    pub rows: u64,
}
