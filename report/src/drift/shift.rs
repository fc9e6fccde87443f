//! What moved, and what that does to the model's scores.

use serde::{Deserialize, Serialize};

/// A term whose rate differs from the baseline's by more than chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermShift {
    /// The term: a token of the analyzer.
    pub term: String,
    /// Share of the baseline's documents that hold it.
    pub baseline: f64,
    /// Share of the window's.
    pub window: f64,
    /// Adjusted for the number of terms tested (Benjamini & Hochberg 1995).
    pub p_value: f64,
    /// Whether the model has it in its vocabulary; what it does not have it cannot see.
    pub seen_by_model: bool,
}

/// The change of the mean log-odds of one class, term by term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreShift {
    /// The class that a higher score speaks for.
    pub class: String,
    /// Mean over the baseline's documents, as they were calibrated.
    pub baseline: f64,
    /// Mean of the window's.
    pub window: f64,
    /// `window - baseline`: the sum of the contributions of all terms.
    pub change: f64,
    /// Half the width of its 95 % interval.
    pub error: f64,
    /// What the strongest terms add to it, strongest first.
    pub terms: Vec<TermImpact>,
    /// What all other terms add.
    pub rest: f64,
}

/// What the change of one term's mean value adds to the change of the mean log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermImpact {
    /// A term of the model's vocabulary.
    pub term: String,
    /// Its weight for the class, in log-odds.
    pub weight: f64,
    /// Mean of its value over the baseline's documents, normalisation included.
    pub baseline: f64,
    /// Over the window's.
    pub window: f64,
    /// `weight · (window - baseline)`.
    pub contribution: f64,
}

/// A classifier that tells documents of the window from those of the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainClassifier {
    /// Cross-validated area under the ROC curve: 0.5 where nothing tells them apart, 1 where all does.
    pub auc: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
    /// Documents of the baseline it learned from.
    pub baseline_documents: u64,
    /// Documents of the window.
    pub window_documents: u64,
    /// Terms that speak most for the window (above 0) and for the baseline (below), by weight times difference of rates.
    pub terms: Vec<DomainTerm>,
}

/// One of its terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainTerm {
    /// The term.
    pub term: String,
    /// What it adds to the difference of the mean scores of both sides; above 0 where the window has more of it.
    pub contribution: f64,
}

impl TermShift {
    /// `window - baseline`.
    pub fn difference(&self) -> f64 {
        self.window - self.baseline
    }
}
