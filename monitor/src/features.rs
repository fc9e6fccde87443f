//! What is measured of a document and its prediction, by the names that stand in `statistics.json`.

use std::collections::BTreeMap;

use crate::known_terms::TextFeatures;
use crate::stats::ks::Alternative;

/// The predicted class, the one feature that is no number.
pub const PREDICTED_LABEL: &str = "predicted_label";

/// Features that are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numeric {
    /// Characters of the document.
    TextLength,
    /// Tokens of the document.
    TermCount,
    /// Share of its tokens that the baseline's text does not have.
    UnknownTerms,
    /// Probability of the predicted class.
    Score,
}

impl Numeric {
    /// In the order of the files.
    pub const ALL: [Self; 4] = [Self::TextLength, Self::TermCount, Self::UnknownTerms, Self::Score];

    /// As in `statistics.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::TextLength => "text_length",
            Self::TermCount => "term_count",
            Self::UnknownTerms => "unknown_terms",
            Self::Score => "score",
        }
    }

    /// For a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::TextLength => "length, characters",
            Self::TermCount => "length, terms",
            Self::UnknownTerms => "terms the baseline does not know, share",
            Self::Score => "score of the predicted label",
        }
    }

    /// Whether values are whole numbers.
    pub fn is_integral(self) -> bool {
        matches!(self, Self::TextLength | Self::TermCount)
    }

    /// What counts as drift. Fewer unknown terms are none: such traffic repeats what the artifact was trained on.
    pub fn alternative(self) -> Alternative {
        match self {
            Self::UnknownTerms => Alternative::Greater,
            _ => Alternative::Different,
        }
    }
}

/// The features of many documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Documents, whether or not both their halves are there.
    pub documents: u64,
    values: [Vec<f64>; 4],
    labels: BTreeMap<String, u64>,
}

impl Columns {
    /// Of so many documents, with no feature yet.
    pub fn of(documents: u64) -> Self {
        Self { documents, ..Self::default() }
    }

    /// Values of a feature, in the order of the documents that have it.
    pub fn values(&self, feature: Numeric) -> &[f64] {
        &self.values[feature as usize]
    }

    /// Documents a predicted label.
    pub fn labels(&self) -> &BTreeMap<String, u64> {
        &self.labels
    }

    /// Documents that have a prediction.
    pub fn labelled(&self) -> u64 {
        self.labels.values().sum()
    }

    /// A document's text.
    pub fn add_text(&mut self, features: TextFeatures) {
        self.values[Numeric::TextLength as usize].push(features.characters as f64);
        self.values[Numeric::TermCount as usize].push(features.terms as f64);
        self.values[Numeric::UnknownTerms as usize].push(features.unknown_share());
    }

    /// A document's prediction.
    pub fn add_prediction(&mut self, label: &str, score: f64) {
        self.values[Numeric::Score as usize].push(score);
        match self.labels.get_mut(label) {
            Some(documents) => *documents += 1,
            None => {
                self.labels.insert(label.to_string(), 1);
            }
        }
    }
}
