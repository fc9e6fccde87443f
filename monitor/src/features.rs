//! What is measured of a document and its prediction, by the names that stand in `statistics.json`.

use std::collections::BTreeMap;

use crate::known_terms::TextFeatures;
use crate::stats::ks::Alternative;
use crate::stats::sample::Sample;

/// The predicted class, the one feature that is no number.
pub const PREDICTED_LABEL: &str = "predicted_label";

/// Rates of all terms.
pub const TERMS: &str = "terms";
/// The mean score before calibration.
pub const LOG_ODDS: &str = "log_odds";
/// What a classifier can tell apart.
pub const DOMAIN: &str = "domain";
/// The mix of languages.
pub const LANGUAGE: &str = "language";
/// How right the predictions are, without labels or with them.
pub const ACCURACY: &str = "accuracy";
/// Differences that matter of what is no feature of a document, unless `constraints.json` says otherwise: of the rate of
/// any term, of the mean score in standard deviations, of the area under the ROC curve, of the mix of languages, of the
/// accuracy.
pub const OF_WINDOWS: [(&str, f64); 5] =
    [(TERMS, 0.05), (LOG_ODDS, 0.2), (DOMAIN, 0.6), (LANGUAGE, 0.1), (ACCURACY, 0.05)];

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
    values: [Sample; 4],
    labels: BTreeMap<String, u64>,
}

impl Columns {
    /// Of so many documents, with no feature yet.
    pub fn of(documents: u64) -> Self {
        Self { documents, ..Self::default() }
    }

    /// Values of a feature.
    pub fn values(&self, feature: Numeric) -> &Sample {
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

    /// Those of both.
    pub fn merge(&mut self, other: Columns) {
        self.documents += other.documents;
        self.values.iter_mut().zip(other.values).for_each(|(values, other)| values.merge(other));
        other.labels.into_iter().for_each(|(label, documents)| *self.labels.entry(label).or_default() += documents);
    }

    /// A document's text.
    pub fn add_text(&mut self, features: TextFeatures) {
        self.values[Numeric::TextLength as usize].add(features.characters as f64);
        self.values[Numeric::TermCount as usize].add(features.terms as f64);
        self.values[Numeric::UnknownTerms as usize].add(features.unknown_share());
    }

    /// A document's prediction.
    pub fn add_prediction(&mut self, label: &str, score: f64) {
        self.values[Numeric::Score as usize].add(score);
        match self.labels.get_mut(label) {
            Some(documents) => *documents += 1,
            None => {
                self.labels.insert(label.to_string(), 1);
            }
        }
    }
}
