//! The window in time, its records, its rules.

use serde::{Deserialize, Serialize};

/// A part of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeSlot {
    /// Its start, RFC 3339.
    pub start: String,
    /// Documents.
    pub documents: u64,
    /// Mean share of unknown terms; none without texts.
    pub unknown: Option<f64>,
    /// Mean log-odds of the first weight vector; none without texts or where the classifier is not linear.
    pub score: Option<f64>,
    /// Estimated accuracy.
    pub accuracy: Option<f64>,
    /// Share of the class that is watched in [`Timeline::class`].
    pub class_share: Option<f64>,
}

/// The window in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Class whose share is drawn: of two the second, else the most frequent.
    pub class: String,
    /// The baseline's figures, in the order of a slot's: unknown, score, accuracy, class share.
    pub baseline: [Option<f64>; 4],
    /// Slots that have documents.
    pub slots: Vec<TimeSlot>,
}

/// Records of a kind that nobody should have sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordCheck {
    /// Its name in rules.
    pub kind: String,
    /// For a person: "with an e-mail address".
    pub title: String,
    /// Documents; none of them is copied.
    pub documents: u64,
}

/// A business rule and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleVerdict {
    /// Its name.
    pub name: String,
    /// As it was written.
    pub rule: String,
    /// Whether it is violated; none where a figure it needs is missing.
    pub violated: Option<bool>,
    /// Its figures, each with its value if there is one.
    pub figures: Vec<(String, Option<f64>)>,
}

/// A request's text, shown only where the configuration allows texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The moved term that it is an example of.
    pub term: String,
    /// The beginning of the text.
    pub text: String,
}
