//! How right the predictions are, as far as it is known.

use serde::{Deserialize, Serialize};

/// Estimated from confidence, without labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccuracyEstimate {
    /// The estimate.
    pub accuracy: f64,
    /// From what it would be if all that is hardly learned were chance, to what if none were; the samples' error beside.
    pub interval: (f64, f64),
    /// Held-out accuracy, moved by the change of the mean confidence.
    pub by_confidence: f64,
    /// The same, if the classes are as frequent as they were on the held-out documents.
    pub by_mix: f64,
    /// Accuracy on the held-out documents.
    pub baseline: f64,
    /// Held-out documents.
    pub baseline_documents: u64,
    /// Why it should not be relied on, if so.
    pub unreliable: Option<String>,
}

/// Measured on predictions whose labels came later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredAccuracy {
    /// All of them.
    pub all: SliceAccuracy,
    /// Parts of them.
    pub slices: Vec<SliceAccuracy>,
    /// Accuracy on the held-out documents, if known.
    pub baseline: Option<f64>,
}

/// Of one slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceAccuracy {
    /// Its name; empty of all.
    pub slice: String,
    /// Share predicted rightly.
    pub accuracy: f64,
    /// Wilson's 95 % interval.
    pub interval: (f64, f64),
    /// Predictions with labels.
    pub documents: u64,
}
