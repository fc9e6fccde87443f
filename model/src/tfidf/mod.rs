//! Documents to records of weighted terms: what scikit-learn's `TfidfVectorizer` computes, number for number.

mod fit;
mod interner;
mod params;
pub(crate) mod vocabulary;
pub(crate) mod weigh;

pub use params::{AnalyzerKind, Frequency, Norm, StopWords, StripAccents, TfidfParams, TokenPattern, Weighting};

use crate::analyzer::{Analyzer, Scratch};
use crate::records::Records;
use vocabulary::Vocabulary;

/// Fitted TF-IDF: the vocabulary and the inverse document frequencies of the documents it was fitted on.
#[derive(Debug, Clone)]
pub struct Tfidf {
    params: TfidfParams,
    analyzer: Analyzer,
    vocabulary: Vocabulary<Vec<u8>>,
    idf: Vec<f64>,
}

impl Tfidf {
    /// The records of `documents`, shape (documents, terms). Terms that are not in the vocabulary count for nothing.
    pub fn transform<D: AsRef<str>>(&self, documents: &[D]) -> Records {
        let mut counts = crate::counts::Counts::new(self.len());
        let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
        for document in documents {
            hits.clear();
            self.analyzer
                .terms(document.as_ref(), &mut scratch, |term| hits.extend(self.vocabulary.find(term.as_bytes())));
            hits.sort_unstable();
            counts.push_row(hits.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)));
        }
        self.records(counts)
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.vocabulary.len()
    }

    /// Whether there are no terms (never after a fit).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The terms, ascending by code point; a term's place is its column.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|number| self.vocabulary.term(number as u32).unwrap_or_default())
    }

    /// The column of `term`, if it was kept.
    pub fn column(&self, term: &str) -> Option<u32> {
        self.vocabulary.find(term.as_bytes())
    }

    /// Inverse document frequency of each term, at least 1; all 1 where `use_idf` is false. Shape `(terms,)`.
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// What it was fitted with.
    pub fn params(&self) -> &TfidfParams {
        &self.params
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary<Vec<u8>> {
        &self.vocabulary
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::FitError;

    #[test]
    fn nothing_to_learn_is_an_error() {
        let params = |min_df, max_df| TfidfParams { min_df, max_df, ..TfidfParams::default() };
        let every = Frequency::Proportion(1.0);
        let fit = |params: TfidfParams, documents: &[&str]| params.fit_tfidf(documents).unwrap_err();
        assert!(matches!(fit(params(Frequency::Count(1), every), &[]), FitError::EmptyVocabulary { documents: 0 }));
        assert!(matches!(
            fit(params(Frequency::Count(1), every), &["", "a ! b"]),
            FitError::EmptyVocabulary { documents: 2 }
        ));
        assert!(matches!(
            fit(params(Frequency::Count(2), every), &["one", "two"]),
            FitError::NothingRemains { min_df: 2.0, max_df: 2.0 }
        ));
        assert!(matches!(
            fit(params(Frequency::Count(3), every), &["one", "two"]),
            FitError::CrossedFrequencies { min_df: 3.0, max_df: 2.0 }
        ));
    }

    #[test]
    fn a_tie_for_max_features_goes_to_the_first_term() {
        let params = TfidfParams { max_features: Some(2), ngram_range: (1, 1), ..TfidfParams::default() };
        let (tfidf, _) = params.fit_tfidf(&["zebra zebra cat ant bee"]).unwrap();
        assert_eq!(tfidf.terms().collect::<Vec<_>>(), ["ant", "zebra"]);
    }

    fn any_params() -> impl Strategy<Value = TfidfParams> {
        let kind = prop_oneof![Just(AnalyzerKind::Word), Just(AnalyzerKind::Char), Just(AnalyzerKind::CharWb)];
        let norm = prop_oneof![Just(None), Just(Some(Norm::L1)), Just(Some(Norm::L2))];
        (kind, 1..3usize, 0..2usize, any::<[bool; 4]>(), norm).prop_map(|(analyzer, n, more, flags, norm)| {
            TfidfParams {
                analyzer,
                ngram_range: (n, n + more),
                binary: flags[0],
                use_idf: flags[1],
                smooth_idf: flags[2],
                sublinear_tf: flags[3],
                norm,
                ..TfidfParams::default()
            }
        })
    }

    proptest! {
        #[test]
        fn fit_transform_is_transform(
            documents in proptest::collection::vec("([a-cé가]{1,3}[ ,\n]{1,2}){0,8}", 1..8),
            params in any_params(),
        ) {
            if let Ok((tfidf, records)) = params.fit_tfidf(&documents) {
                prop_assert_eq!(records.to_dense(), tfidf.transform(&documents).to_dense());
                let terms: Vec<&str> = tfidf.terms().collect();
                prop_assert!(terms.is_sorted());
                prop_assert_eq!((records.rows(), records.columns()), (documents.len(), terms.len()));
                for row in 0..records.rows() {
                    let (columns, values): (Vec<usize>, Vec<f64>) = records.row(row).unzip();
                    prop_assert!(columns.is_sorted_by(|a, b| a < b) && columns.iter().all(|&c| c < terms.len()));
                    let size: f64 = match params.norm {
                        Some(Norm::L1) => values.iter().sum(),
                        _ => values.iter().map(|v| v * v).sum(),
                    };
                    prop_assert!(params.norm.is_none() || columns.is_empty() || (size - 1.0).abs() < 1e-12);
                }
            }
        }
    }
}
