//! Text to terms: preprocess, split, drop stop words, make n-grams; what each step does is scikit-learn's.
//!
//! Terms are visited as slices of a buffer that [`Scratch`] keeps between documents, so that a term costs no allocation:
//! words are written into it one space apart, and then every n-gram of them is a slice of it.

mod chars;
mod preprocess;
mod stop_words;
mod words;

use std::collections::HashSet;

use crate::tfidf::{AnalyzerKind, StopWords, StripAccents, TfidfParams, TokenPattern};
pub(crate) use chars::is_space;

/// Text to terms, ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Analyzer {
    kind: AnalyzerKind,
    shortest: usize,
    longest: usize,
    lowercase: bool,
    strip_accents: Option<StripAccents>,
    stop_words: Option<HashSet<Box<str>>>,
    token_pattern: TokenPattern,
}

/// Buffers kept between documents.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The document, preprocessed.
    text: String,
    /// What n-grams are slices of.
    joined: String,
    /// Begin and end of every word in `joined`.
    words: Vec<(usize, usize)>,
    /// Begin of every character in `joined`, and its length.
    chars: Vec<usize>,
}

impl Scratch {
    /// Bytes kept, roughly.
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.joined.capacity() + 16 * self.words.capacity() + 8 * self.chars.capacity()
    }
}

impl Analyzer {
    pub(crate) fn new(params: &TfidfParams) -> Self {
        let words = matches!(params.analyzer, AnalyzerKind::Word | AnalyzerKind::WordCharWb);
        let stop_words = params.stop_words.as_ref().filter(|_| words).map(|stop_words| match stop_words {
            StopWords::English => stop_words::ENGLISH.iter().map(|&word| word.into()).collect(),
            StopWords::List(list) => list.iter().map(|word| word.as_str().into()).collect(),
        });
        Analyzer {
            kind: params.analyzer,
            shortest: params.ngram_range.0,
            longest: params.ngram_range.1,
            lowercase: params.lowercase,
            strip_accents: params.strip_accents,
            stop_words,
            token_pattern: params.token_pattern,
        }
    }

    /// `text` as [`words`](Self::words), [`pieces`](Self::pieces) and [`chars`](Self::chars) want it: lowercased and
    /// stripped into the buffer, or as it came where neither is asked.
    #[inline]
    pub(crate) fn prepare<'t>(&self, text: &'t str, buffer: &'t mut String) -> &'t str {
        if !self.lowercase && self.strip_accents.is_none() {
            return text;
        }
        buffer.clear();
        preprocess::preprocess(text, self.lowercase, self.strip_accents, buffer);
        buffer
    }

    /// Visits the words of a prepared text, without stop words: the units of n-grams of words.
    #[inline]
    pub(crate) fn words<'t>(&self, prepared: &'t str, mut visit: impl FnMut(&'t str)) {
        match (&self.stop_words, self.token_pattern) {
            (None, TokenPattern::Word) => words::words(prepared, visit),
            (None, TokenPattern::WordPunct) => words::words_and_marks(prepared, visit),
            (Some(stops), pattern) => {
                let unless_stopped = |word| {
                    if !stops.contains(word) {
                        visit(word);
                    }
                };
                match pattern {
                    TokenPattern::Word => words::words(prepared, unless_stopped),
                    TokenPattern::WordPunct => words::words_and_marks(prepared, unless_stopped),
                }
            }
        }
    }

    /// Visits what white space parts in a prepared text, none of it empty: what `char_wb` pads with a space at either end
    /// and takes its n-grams from.
    #[inline]
    pub(crate) fn pieces<'t>(&self, prepared: &'t str, visit: impl FnMut(&'t str)) {
        words::pieces(prepared, visit);
    }

    /// Visits the characters of a prepared text as `char` sees them: two or more white spaces are one space.
    #[inline]
    pub(crate) fn chars(&self, prepared: &str, visit: impl FnMut(char)) {
        spaces_normalised(prepared, visit);
    }

    /// Visits the terms of `text`; one that comes again is visited again.
    pub(crate) fn terms(&self, text: &str, scratch: &mut Scratch, visit: impl FnMut(&str)) {
        self.ngrams(text, self.shortest, self.longest, scratch, visit);
    }

    /// Visits the shortest units that terms are made of: words, or the n-grams of characters of the shortest length.
    pub(crate) fn tokens(&self, text: &str, scratch: &mut Scratch, visit: impl FnMut(&str)) {
        let length = if self.kind == AnalyzerKind::Word { 1 } else { self.shortest };
        self.ngrams(text, length, length, scratch, visit);
    }

    fn ngrams(&self, text: &str, shortest: usize, longest: usize, scratch: &mut Scratch, mut visit: impl FnMut(&str)) {
        scratch.text.clear();
        preprocess::preprocess(text, self.lowercase, self.strip_accents, &mut scratch.text);
        match self.kind {
            AnalyzerKind::Word => self.word_ngrams(shortest, longest, scratch, visit),
            AnalyzerKind::Char => {
                scratch.joined.clear();
                spaces_normalised(&scratch.text, |c| scratch.joined.push(c));
                mark_chars(&scratch.joined, &mut scratch.chars);
                let (joined, chars) = (&scratch.joined, &scratch.chars);
                let length = chars.len() - 1;
                for n in shortest..=longest.min(length) {
                    chars.windows(n + 1).for_each(|window| visit(&joined[window[0]..window[n]]));
                }
            }
            AnalyzerKind::CharWb | AnalyzerKind::WordCharWb => {
                for word in scratch.text.split(is_space).filter(|word| !word.is_empty()) {
                    scratch.joined.clear();
                    scratch.joined.push(' ');
                    scratch.joined.push_str(word);
                    scratch.joined.push(' ');
                    mark_chars(&scratch.joined, &mut scratch.chars);
                    let (joined, chars) = (&scratch.joined, &scratch.chars);
                    let length = chars.len() - 1;
                    for n in shortest..=longest {
                        if n >= length {
                            // A word as short as this is a term once, whole.
                            visit(joined);
                            break;
                        }
                        chars.windows(n + 1).for_each(|window| visit(&joined[window[0]..window[n]]));
                    }
                }
            }
        }
    }

    fn word_ngrams(&self, shortest: usize, longest: usize, scratch: &mut Scratch, mut visit: impl FnMut(&str)) {
        let Scratch { text, joined, words: spans, .. } = scratch;
        if (shortest, longest) == (1, 1) {
            return self.words(text, visit);
        }
        joined.clear();
        spans.clear();
        self.words(text, |word| {
            if !joined.is_empty() {
                joined.push(' ');
            }
            let start = joined.len();
            joined.push_str(word);
            spans.push((start, joined.len()));
        });
        for n in shortest..=longest.min(spans.len()) {
            for span in spans.windows(n) {
                visit(&joined[span[0].0..span[n - 1].1]);
            }
        }
    }
}

/// Two or more white spaces become one space; one alone stays what it is (scikit-learn's `\s\s+`).
fn spaces_normalised(text: &str, mut visit: impl FnMut(char)) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_space(c) && chars.next_if(|&next| is_space(next)).is_some() {
            while chars.next_if(|&next| is_space(next)).is_some() {}
            visit(' ');
        } else {
            visit(c);
        }
    }
}

fn mark_chars(text: &str, chars: &mut Vec<usize>) {
    chars.clear();
    chars.extend(text.char_indices().map(|(at, _)| at));
    chars.push(text.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(params: TfidfParams, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        Analyzer::new(&params).terms(text, &mut Scratch::default(), |term| found.push(term.to_owned()));
        found
    }

    #[test]
    fn terms_of_each_kind() {
        let of = |analyzer, ngram_range, stop_words| TfidfParams {
            analyzer,
            ngram_range,
            stop_words,
            ..TfidfParams::default()
        };
        let cases: [(TfidfParams, &str, &[&str]); 7] = [
            (of(AnalyzerKind::Word, (1, 2), None), "Not so good", &["not", "so", "good", "not so", "so good"]),
            (of(AnalyzerKind::Word, (2, 3), None), "one", &[]),
            // Stop words go before n-grams are made, so the words around them meet.
            (of(AnalyzerKind::Word, (2, 2), Some(StopWords::English)), "bad and ugly", &["bad ugly"]),
            (of(AnalyzerKind::Char, (1, 2), None), "a  b", &["a", " ", "b", "a ", " b"]),
            (of(AnalyzerKind::Char, (1, 1), None), "a\n", &["a", "\n"]),
            (of(AnalyzerKind::CharWb, (3, 5), None), "ab", &[" ab", "ab ", " ab "]),
            (of(AnalyzerKind::CharWb, (5, 6), None), "ab c", &[" ab ", " c "]),
        ];
        for (params, text, want) in cases {
            assert_eq!(terms(params, text), want, "{text}");
        }
    }

    #[test]
    fn tokens_are_words_whatever_the_ngrams() {
        let params = TfidfParams { ngram_range: (2, 2), ..TfidfParams::default() };
        let mut found = Vec::new();
        Analyzer::new(&params).tokens("Not so", &mut Scratch::default(), |token| found.push(token.to_owned()));
        assert_eq!(found, ["not", "so"]);
    }
}
