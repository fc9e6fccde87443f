//! The parameters of features and what they mean, by scikit-learn's names; [`corpus`](crate::corpus) does the work.

mod params;

pub use params::{AnalyzerKind, Frequency, Norm, StopWords, StripAccents, TfidfParams, TokenPattern, Weighting};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FitError;

    #[test]
    fn nothing_to_learn_is_an_error() {
        let params = |min_df, max_df| TfidfParams { min_df, max_df, ..TfidfParams::default() };
        let every = Frequency::Proportion(1.0);
        let fit = |params: TfidfParams, documents: &[&str]| params.fit_transform(documents, &[], 0).unwrap_err();
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
    fn terms_of_each_kind() {
        let of = |analyzer, ngram_range, stop_words| TfidfParams {
            analyzer,
            ngram_range,
            stop_words,
            ..TfidfParams::default()
        };
        let cases: [(TfidfParams, &str, &[&str]); 6] = [
            (of(AnalyzerKind::Word, (1, 2), None), "Not so good", &["good", "not", "not so", "so", "so good"]),
            // Stop words go before n-grams are made, so the words around them meet.
            (of(AnalyzerKind::Word, (2, 2), Some(StopWords::English)), "bad and ugly", &["bad ugly"]),
            (of(AnalyzerKind::Char, (1, 2), None), "a  b", &[" ", " b", "a", "a ", "b"]),
            (of(AnalyzerKind::Char, (1, 1), None), "a\n", &["\n", "a"]),
            (of(AnalyzerKind::CharWb, (3, 5), None), "ab", &[" ab", " ab ", "ab "]),
            (of(AnalyzerKind::CharWb, (5, 6), None), "ab c", &[" ab ", " c "]),
        ];
        for (params, text, want) in cases {
            let (featurizer, _) = params.fit_transform(&[text], &[], 0).unwrap();
            let mut terms = featurizer.terms();
            terms.sort();
            assert_eq!(terms, want, "{text}");
        }
    }

    #[test]
    fn a_tie_for_max_features_goes_to_the_first_term() {
        let params = TfidfParams { max_features: Some(2), ngram_range: (1, 1), ..TfidfParams::default() };
        let (featurizer, _) = params.fit_transform(&["zebra zebra cat ant bee"], &[], 0).unwrap();
        let mut terms = featurizer.terms();
        terms.sort();
        assert_eq!(terms, ["ant", "zebra"]);
    }
}
