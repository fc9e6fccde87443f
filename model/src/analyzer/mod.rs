//! Text to units: preprocess, split, drop stop words; what each step does is scikit-learn's.
//!
//! Units (words, pieces between white space, characters) are visited as slices of the text or of a buffer kept between
//! documents, so that a unit costs no allocation. N-grams are made of their numbers: by [`corpus`](crate::corpus) where
//! they are counted, by the vocabulary where they are looked up.

mod chars;
mod origins;
mod preprocess;
mod stop_words;
mod words;

use std::collections::HashSet;

use crate::tfidf::{AnalyzerKind, StopWords, StripAccents, TfidfParams, TokenPattern};
pub(crate) use chars::is_space;
pub(crate) use origins::Origins;

/// Text to terms, ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Analyzer {
    lowercase: bool,
    strip_accents: Option<StripAccents>,
    stop_words: Option<HashSet<Box<str>>>,
    token_pattern: TokenPattern,
}

impl Analyzer {
    pub(crate) fn new(params: &TfidfParams) -> Self {
        let words = matches!(params.analyzer, AnalyzerKind::Word | AnalyzerKind::WordCharWb);
        let stop_words = params.stop_words.as_ref().filter(|_| words).map(|stop_words| match stop_words {
            StopWords::English => stop_words::ENGLISH.iter().map(|&word| word.into()).collect(),
            StopWords::List(list) => list.iter().map(|word| word.as_str().into()).collect(),
        });
        Analyzer {
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

    /// Of each character of the prepared `text`, the characters of `text` that it comes from.
    pub(crate) fn origins<'t>(&self, text: &'t str) -> Origins<'t> {
        Origins::new(text, self.lowercase, self.strip_accents)
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

    /// Visits where each of these words begins and ends.
    #[inline]
    pub(crate) fn word_spans(&self, prepared: &str, mut visit: impl FnMut(usize, usize)) {
        match (&self.stop_words, self.token_pattern) {
            (None, TokenPattern::Word) => words::spans(prepared, visit),
            _ => self.words(prepared, |word| {
                let start = word.as_ptr().addr() - prepared.as_ptr().addr();
                visit(start, start + word.len());
            }),
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
    pub(crate) fn chars(&self, prepared: &str, mut visit: impl FnMut(char)) {
        self.chars_with_widths(prepared, |c, _| visit(c));
    }

    /// Likewise, each with the number of characters of the prepared text that it stands for.
    #[inline]
    pub(crate) fn chars_with_widths(&self, prepared: &str, visit: impl FnMut(char, usize)) {
        spaces_normalised(prepared, visit);
    }
}

/// Two or more white spaces become one space; one alone stays what it is (scikit-learn's `\s\s+`).
#[inline]
fn spaces_normalised(text: &str, mut visit: impl FnMut(char, usize)) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_space(c) && chars.next_if(|&next| is_space(next)).is_some() {
            let mut width = 2;
            while chars.next_if(|&next| is_space(next)).is_some() {
                width += 1;
            }
            visit(' ', width);
        } else {
            visit(c, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_each_kind() {
        let params = TfidfParams { stop_words: Some(StopWords::English), ..TfidfParams::default() };
        let marks = TfidfParams { token_pattern: TokenPattern::WordPunct, ..TfidfParams::default() };
        let chars_alone = TfidfParams { analyzer: AnalyzerKind::Char, ..params.clone() };
        let units = |params: &TfidfParams, text: &str| {
            let (analyzer, mut buffer) = (Analyzer::new(params), String::new());
            let prepared = analyzer.prepare(text, &mut buffer);
            let (mut words, mut pieces, mut chars) = (Vec::new(), Vec::new(), String::new());
            analyzer.words(prepared, |word| words.push(word.to_owned()));
            analyzer.pieces(prepared, |piece| pieces.push(piece.to_owned()));
            analyzer.chars(prepared, |c| chars.push(c));
            (words.join("|"), pieces.join("|"), chars)
        };
        for (params, text, words, pieces, chars) in [
            (&params, "Bad and\t UGLY!", "bad|ugly", "bad|and|ugly!", "bad and ugly!"),
            (&marks, "Bad and a\nb!", "bad|and|a|b|!", "bad|and|a|b!", "bad and a\nb!"),
            // Stop words are words': characters keep theirs.
            (&chars_alone, "Not so", "not|so", "not|so", "not so"),
            (&params, "", "", "", ""),
        ] {
            assert_eq!(units(params, text), (words.into(), pieces.into(), chars.into()), "{text}");
        }
    }

    #[test]
    fn a_text_is_not_copied_where_nothing_changes() {
        let params = TfidfParams { lowercase: false, ..TfidfParams::default() };
        let (text, mut buffer) = ("As It Is", String::new());
        assert_eq!(Analyzer::new(&params).prepare(text, &mut buffer).as_ptr(), text.as_ptr());
    }
}
