//! What to count: everything about the counts that a search over candidates holds fixed.

use std::path::PathBuf;

use crate::tfidf::{AnalyzerKind, Frequency, StopWords, StripAccents, TfidfParams, TokenPattern};

/// How characters are cut into n-grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharKind {
    /// Across words.
    Char,
    /// Within what white space parts, padded with a space at either end.
    CharWb,
}

/// What a [`CorpusBuilder`](super::CorpusBuilder) counts. Names that [`TfidfParams`] has mean the same here.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusParams {
    /// Lowercase first.
    pub lowercase: bool,
    /// Strip accents after that.
    pub strip_accents: Option<StripAccents>,
    /// Words dropped before n-grams of words are made.
    pub stop_words: Option<StopWords>,
    /// What a word is.
    pub token_pattern: TokenPattern,
    /// N-grams of words to count, shortest and longest; none where not.
    pub words: Option<(usize, usize)>,
    /// N-grams of characters to count, how and which; none where not.
    pub chars: Option<(CharKind, usize, usize)>,
    /// N-grams in fewer documents are pruned while counting (0 and 1: none): a candidate with a lower `min_df` does not see
    /// them.
    pub least_df: u32,
    /// Threads to count with; 0: as many as there are cores. Results do not depend on it.
    pub threads: usize,
    /// Bytes that counting, and a solver after it, may take, as near as an estimate goes; half of them for words and counts, of which
    /// the rest goes [`aside`](Self::aside), and rare n-grams are pruned to keep to the other half. None: any.
    pub max_memory: Option<u64>,
    /// Folder of a disk for what finds no room, in files without a name; none: it stays in memory.
    pub aside: Option<PathBuf>,
}

impl CorpusParams {
    /// What `params` needs, and no more: a `min_df` that is a number of documents prunes while counting.
    pub fn of(params: &TfidfParams) -> Self {
        let range = params.ngram_range;
        let (words, chars) = match params.analyzer {
            AnalyzerKind::Word => (Some(range), None),
            AnalyzerKind::Char => (None, Some((CharKind::Char, range.0, range.1))),
            AnalyzerKind::CharWb => (None, Some((CharKind::CharWb, range.0, range.1))),
            AnalyzerKind::WordCharWb => {
                (Some(range), Some((CharKind::CharWb, params.char_ngram_range.0, params.char_ngram_range.1)))
            }
        };
        CorpusParams {
            lowercase: params.lowercase,
            strip_accents: params.strip_accents,
            stop_words: params.stop_words.clone(),
            token_pattern: params.token_pattern,
            words,
            chars,
            least_df: match params.min_df {
                Frequency::Count(count) => u32::try_from(count).unwrap_or(u32::MAX),
                Frequency::Proportion(_) => 1,
            },
            threads: 0,
            max_memory: None,
            aside: None,
        }
    }

    /// The text's way to units: what the analyzer needs to know of these.
    pub(super) fn analysis(&self) -> TfidfParams {
        TfidfParams {
            analyzer: if self.words.is_some() { AnalyzerKind::WordCharWb } else { AnalyzerKind::Char },
            lowercase: self.lowercase,
            strip_accents: self.strip_accents,
            stop_words: self.stop_words.clone(),
            token_pattern: self.token_pattern,
            ..TfidfParams::default()
        }
    }
}
