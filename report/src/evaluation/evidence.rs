//! What a reader can check by eye: terms, mistakes, golden documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The terms that speak most for one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassTerms {
    /// Class name.
    pub class: String,
    /// Heaviest first; weights are positive.
    pub terms: Vec<TermWeight>,
}

/// A term and how much it speaks for the class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermWeight {
    /// The term.
    pub term: String,
    /// What the term adds to the class's score where it stands once, before the document is normalised: scale times weight.
    pub weight: f64,
}

/// A wrong prediction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// The document, cut to 500 characters.
    pub text: String,
    /// Its label.
    pub actual: String,
    /// What was predicted.
    pub predicted: String,
    /// Probability of the predicted class.
    pub score: f64,
    /// The terms that moved the score most, strongest first; empty where the classifier is not linear.
    #[serde(default)]
    pub terms: Vec<TermContribution>,
}

/// What a term added to the score of the predicted class; above 0 it spoke for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermContribution {
    /// The term.
    pub term: String,
    /// Weight times value, in units of the score before the link.
    pub contribution: f64,
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
