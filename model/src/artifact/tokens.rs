//! What terms are made of, for those who watch texts rather than classify them.

use crate::artifact::Artifact;
use crate::artifact::record::Reading;

impl Artifact {
    /// Visits the tokens of `text`, preprocessed, in order, as often as they come: what terms are made of.
    ///
    /// Words (without stop words) where the analyzer has words; else n-grams of characters of the shortest length.
    pub fn tokens(&self, text: &str, visit: &mut dyn FnMut(&str)) {
        let mut buffer = String::new();
        let prepared = self.analyzer.prepare(text, &mut buffer);
        match self.reading {
            Reading::Words | Reading::WordsAndPieces(_) => self.analyzer.words(prepared, visit),
            Reading::Chars(shortest) => {
                let mut chars = String::with_capacity(prepared.len());
                self.analyzer.chars(prepared, |c| chars.push(c));
                windows(&chars, shortest, visit);
            }
            Reading::Pieces(shortest) => {
                let mut padded = String::new();
                self.analyzer.pieces(prepared, |piece| {
                    padded.clear();
                    padded.extend([" ", piece, " "]);
                    // As short a piece is a token once, whole.
                    windows(&padded, shortest.min(padded.chars().count()), visit);
                });
            }
        }
    }
}

/// Visits every `n` characters in a row.
fn windows(text: &str, n: usize, visit: &mut dyn FnMut(&str)) {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let starts = ends.clone();
    starts.zip(ends.skip(n)).for_each(|(start, end)| visit(&text[start..end]));
}
