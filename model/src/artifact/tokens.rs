//! What terms are made of, for those who watch texts rather than classify them.

use crate::artifact::Artifact;
use crate::artifact::record::Reading;
use crate::error::ArtifactError;
use crate::lexicon::Unit;
use crate::vocabulary::NONE;

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

    /// How many words `text` has (characters, where the analyzer has no words), and how many of them are in no term.
    pub fn unknown_units(&self, text: &str) -> Result<(usize, usize), ArtifactError> {
        let mut buffer = String::new();
        let prepared = self.analyzer.prepare(text, &mut buffer);
        let (mut units, mut unknown, mut damage) = (0, 0, None);
        let Some(kind) = self.vocabulary.kinds().first() else { return Ok((0, 0)) };
        let mut visit = |unit: &str| {
            units += 1;
            match self.vocabulary.unit(kind, unit.as_bytes()) {
                Ok(number) => unknown += usize::from(number == NONE),
                Err(reason) => damage = Some(*reason),
            }
        };
        match kind.unit {
            Unit::Word => self.analyzer.words(prepared, visit),
            Unit::Char => self.analyzer.chars(prepared, |c| visit(c.encode_utf8(&mut [0; 4]))),
        }
        damage.map_or(Ok((units, unknown)), Err)
    }
}

/// Visits every `n` characters in a row.
fn windows(text: &str, n: usize, visit: &mut dyn FnMut(&str)) {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let starts = ends.clone();
    starts.zip(ends.skip(n)).for_each(|(start, end)| visit(&text[start..end]));
}
