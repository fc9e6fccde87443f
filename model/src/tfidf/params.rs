//! The parameters of TF-IDF, with scikit-learn's names and meaning.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::records::TermFrequency;
use crate::settings::{SettingError, from_str};

/// Text to weighted terms, as scikit-learn's `TfidfVectorizer` by the same parameter names.
///
/// Three defaults are this project's rather than scikit-learn's: `ngram_range` 1,2, `sublinear_tf` true, and the token
/// pattern is fixed to scikit-learn's default `(?u)\b\w\w+\b`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TfidfParams {
    /// What a term is made of. Default `word`.
    pub analyzer: AnalyzerKind,
    /// What a word is. Default `word`.
    pub token_pattern: TokenPattern,
    /// Shortest and longest n-gram, `1 ≤ first ≤ second`: of words, or of characters where the analyzer is `char` or
    /// `char_wb`. Default 1,2.
    pub ngram_range: (usize, usize),
    /// Shortest and longest n-gram of characters where the analyzer is `word+char_wb`. Default 3,6.
    pub char_ngram_range: (usize, usize),
    /// What a term's count is multiplied with. Default `tfidf`.
    pub weighting: Weighting,
    /// Lowercase as Python's `str.lower`, before accents are stripped. Default true.
    pub lowercase: bool,
    /// Strip accents. Default none.
    pub strip_accents: Option<StripAccents>,
    /// Words that are dropped before n-grams are made (`word` only, as scikit-learn). Default none.
    pub stop_words: Option<StopWords>,
    /// Terms in fewer documents are dropped. Default 1.
    pub min_df: Frequency,
    /// Terms in more documents are dropped. Default 1.0.
    pub max_df: Frequency,
    /// Keep only so many terms, those that occur most often. Default none: all.
    pub max_features: Option<usize>,
    /// Count a term once a document. Default false.
    pub binary: bool,
    /// Multiply by the inverse document frequency. Default true.
    pub use_idf: bool,
    /// Add one document that holds every term, so that no division is by zero. Default true.
    pub smooth_idf: bool,
    /// Term frequency `1 + ln(count)` rather than `count`. Default true.
    pub sublinear_tf: bool,
    /// Scale every document to unit norm. Default `l2`.
    pub norm: Option<Norm>,
}

impl Default for TfidfParams {
    fn default() -> Self {
        TfidfParams {
            analyzer: AnalyzerKind::Word,
            token_pattern: TokenPattern::Word,
            ngram_range: (1, 2),
            char_ngram_range: (3, 6),
            weighting: Weighting::Tfidf,
            lowercase: true,
            strip_accents: None,
            stop_words: None,
            min_df: Frequency::Count(1),
            max_df: Frequency::Proportion(1.0),
            max_features: None,
            binary: false,
            use_idf: true,
            smooth_idf: true,
            sublinear_tf: true,
            norm: Some(Norm::L2),
        }
    }
}

impl TfidfParams {
    /// What counts count for: NB weighting takes them as binary.
    pub fn term_frequency(&self) -> TermFrequency {
        match (self.binary || self.weighting == Weighting::Nb, self.sublinear_tf) {
            (true, _) => TermFrequency::Binary,
            (false, true) => TermFrequency::Sublinear,
            (false, false) => TermFrequency::Count,
        }
    }

    /// Refuses what no fit could use, naming the value.
    pub fn check(&self) -> Result<(), SettingError> {
        for (name, (shortest, longest)) in
            [("ngram_range", self.ngram_range), ("char_ngram_range", self.char_ngram_range)]
        {
            if shortest == 0 || shortest > longest {
                let found = format!("{shortest},{longest}");
                return Err(SettingError::new(name, found, "two numbers, 1 ≤ first ≤ second"));
            }
        }
        self.min_df.check("min_df", 0)?;
        self.max_df.check("max_df", 1)?;
        match self.max_features {
            Some(0) => Err(SettingError::new("max_features", 0, "1 or more")),
            _ => Ok(()),
        }
    }
}

/// What a term is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalyzerKind {
    /// Words of two characters or more.
    Word,
    /// Characters, across words.
    Char,
    /// Characters within words, padded with a space at either end.
    CharWb,
    /// The terms of `word` and of `char_wb` side by side, each normalised by itself.
    #[serde(rename = "word+char_wb")]
    WordCharWb,
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPattern {
    /// Two or more word characters: scikit-learn's default, `(?u)\b\w\w+\b`.
    Word,
    /// One or more word characters, or one character that is neither of a word nor white space: `(?u)\w+|[^\w\s]`.
    WordPunct,
}

/// What a term's count is multiplied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// The inverse document frequency.
    Tfidf,
    /// The log-count ratio of the class against the rest; counts are binary (Wang & Manning 2012, α = 1).
    Nb,
}

/// How accents are stripped, after compatibility decomposition (NFKD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StripAccents {
    /// All that is not ASCII is dropped.
    Ascii,
    /// Combining characters are dropped.
    Unicode,
}

/// Words that are dropped before n-grams are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWords {
    /// scikit-learn's English list.
    English,
    /// These, compared with tokens after lowercasing and stripping.
    List(Vec<String>),
}

/// Scale of a document's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Magnitudes sum to 1.
    L1,
    /// Squares sum to 1.
    L2,
}

/// A number of documents: `2` is a count, `0.5` and `1.0` a proportion of all (as scikit-learn tells them apart).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Frequency {
    /// So many documents.
    Count(u64),
    /// So large a share of the documents, 0 to 1.
    Proportion(f64),
}

impl Frequency {
    /// The number of documents meant, of `documents`; not rounded, as in scikit-learn.
    pub fn of(self, documents: usize) -> f64 {
        match self {
            Frequency::Count(count) => count as f64,
            Frequency::Proportion(share) => share * documents as f64,
        }
    }

    fn check(self, name: &'static str, least: u64) -> Result<(), SettingError> {
        match self {
            Frequency::Count(count) if count >= least => Ok(()),
            Frequency::Proportion(share) if (0.0..=1.0).contains(&share) => Ok(()),
            found => Err(SettingError::new(name, found, format!("a count from {least}, or a proportion 0.0 to 1.0"))),
        }
    }
}

impl std::fmt::Display for Frequency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Frequency::Count(count) => write!(f, "{count}"),
            Frequency::Proportion(share) => write!(f, "{share:?}"),
        }
    }
}

impl FromStr for Frequency {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        if let Ok(count) = text.parse() {
            return Ok(Frequency::Count(count));
        }
        match text.parse() {
            Ok(share) => Ok(Frequency::Proportion(share)),
            Err(_) => {
                Err(SettingError::new("document frequency", text, "a count such as 2, or a proportion such as 0.5"))
            }
        }
    }
}

from_str!(AnalyzerKind, "analyzer", "word" => AnalyzerKind::Word, "char" => AnalyzerKind::Char, "char_wb" => AnalyzerKind::CharWb, "word+char_wb" => AnalyzerKind::WordCharWb);
from_str!(TokenPattern, "token_pattern", "word" => TokenPattern::Word, "word_punct" => TokenPattern::WordPunct);
from_str!(Weighting, "weighting", "tfidf" => Weighting::Tfidf, "nb" => Weighting::Nb);
from_str!(StripAccents, "strip_accents", "ascii" => StripAccents::Ascii, "unicode" => StripAccents::Unicode);
from_str!(Norm, "norm", "l1" => Norm::L1, "l2" => Norm::L2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequency_is_a_count_or_a_proportion() {
        for (text, frequency, of_200) in [
            ("1", Frequency::Count(1), 1.0),
            ("1.0", Frequency::Proportion(1.0), 200.0),
            ("0.25", Frequency::Proportion(0.25), 50.0),
        ] {
            assert_eq!(text.parse::<Frequency>(), Ok(frequency));
            assert_eq!(frequency.to_string(), text);
            assert_eq!(frequency.of(200), of_200, "{text}");
        }
        assert!("many".parse::<Frequency>().is_err());
        assert!(Frequency::Proportion(1.5).check("max_df", 1).is_err());
        assert!(Frequency::Proportion(f64::NAN).check("max_df", 1).is_err());
        assert!(Frequency::Count(0).check("max_df", 1).is_err());
    }
}
