//! Where terms stand in a text, so that they can be shown in it.
//!
//! The text is read once more, each unit with its place. Nothing of this is on the path of a prediction.

use std::collections::HashMap;
use std::ops::Range;

use crate::analyzer::Origins;
use crate::artifact::Artifact;
use crate::artifact::mapped::Checked;
use crate::artifact::record::Reading;
use crate::lexicon::Unit;
use crate::vocabulary::{Kind, NONE};

/// Places that are told of one term: the first so many in the text.
pub const MOST_SPANS: usize = 100;

/// Characters of the text as it came, in Unicode code points, from the first up to but without the last.
pub type Span = Range<usize>;

impl Artifact {
    /// The places of each term of `rows` in `text`, ascending, the first [`MOST_SPANS`] of each.
    ///
    /// An n-gram of words reaches from its first word's beginning to its last word's end, with whatever is between. The
    /// spaces that `char_wb` pads with stand nowhere: a term of nothing else has no place.
    pub(super) fn spans(&self, text: &str, rows: &[u32]) -> Checked<Vec<Vec<Span>>> {
        let wanted: HashMap<u32, usize> = rows.iter().copied().zip(0..).collect();
        let mut found = vec![Vec::new(); rows.len()];
        let mut buffer = String::new();
        let prepared = self.analyzer.prepare(text, &mut buffer);
        for kind in self.vocabulary.kinds() {
            let mut places = Places { prepared, at: 0, origins: self.analyzer.origins(text) };
            let mut walk =
                Walk { artifact: self, kind, wanted: &wanted, found: &mut found, units: vec![], spans: vec![] };
            match (kind.unit, self.reading) {
                (Unit::Word, _) => {
                    self.analyzer.words(prepared, |word| walk.add(word, places.of(word)));
                    walk.run(1)?;
                }
                (_, Reading::Chars(shortest)) => {
                    let mut utf8 = [0; 4];
                    let mut add = |c: char, width| walk.add(c.encode_utf8(&mut utf8), places.next(width));
                    self.analyzer.chars_with_widths(prepared, &mut add);
                    walk.run(shortest)?;
                }
                (_, Reading::Pieces(shortest) | Reading::WordsAndPieces(shortest)) => {
                    let mut read = Ok(());
                    self.analyzer.pieces(prepared, |piece| {
                        if read.is_ok() {
                            read = walk.piece(piece, shortest, &mut places);
                        }
                    });
                    read?;
                }
                (_, Reading::Words) => {}
            }
        }
        Ok(found)
    }
}

/// Walks the prepared text and the original side by side.
struct Places<'t> {
    prepared: &'t str,
    /// Byte of the prepared text that was reached.
    at: usize,
    origins: Origins<'t>,
}

impl Places<'_> {
    /// Of a slice of the prepared text that is not before any asked for.
    fn of(&mut self, part: &str) -> Span {
        self.skip_to(part);
        self.next(part.chars().count())
    }

    fn skip_to(&mut self, part: &str) {
        let start = part.as_ptr() as usize - self.prepared.as_ptr() as usize;
        for _ in self.prepared[self.at..start].chars() {
            self.origins.next();
        }
        self.at = start;
    }

    /// Of the next `count` characters.
    fn next(&mut self, count: usize) -> Span {
        let mut span = Span::default();
        for (i, (c, origin)) in self.prepared[self.at..].chars().zip(self.origins.by_ref().take(count)).enumerate() {
            self.at += c.len_utf8();
            let start = if i == 0 { origin.start } else { span.start };
            span = start..origin.end;
        }
        span
    }
}

/// Finds the wanted terms among units in a row.
struct Walk<'a> {
    artifact: &'a Artifact,
    kind: &'a Kind,
    wanted: &'a HashMap<u32, usize>,
    found: &'a mut [Vec<Span>],
    /// Numbers of the units; what could not be read is told by [`run`](Self::run).
    units: Vec<Checked<u32>>,
    spans: Vec<Span>,
}

impl Walk<'_> {
    fn add(&mut self, unit: &str, span: Span) {
        self.units.push(self.artifact.vocabulary.unit(self.kind, unit.as_bytes()));
        self.spans.push(span);
    }

    /// A piece between its two spaces.
    fn piece(&mut self, piece: &str, shortest: usize, places: &mut Places<'_>) -> Checked<()> {
        places.skip_to(piece);
        let mut utf8 = [0; 4];
        for c in piece.chars() {
            let span = places.next(1);
            if self.spans.is_empty() {
                self.add(" ", span.start..span.start);
            }
            self.add(c.encode_utf8(&mut utf8), span);
        }
        let end = self.spans.last().map_or(0, |span| span.end);
        self.add(" ", end..end);
        self.run(shortest.min(self.units.len()))
    }

    /// Looks at the grams of `shortest` units or more in those added, which are then forgotten.
    fn run(&mut self, shortest: usize) -> Checked<()> {
        let (vocabulary, kind) = (&self.artifact.vocabulary, self.kind);
        let units = self.units.drain(..).collect::<Checked<Vec<u32>>>()?;
        let mut grams = units.clone();
        for n in 1..=kind.longest().min(units.len()) {
            if n > 1 {
                vocabulary.lengthen(kind, n, &units, &mut grams)?;
            }
            if n < shortest || !vocabulary.has_terms(kind, n) {
                continue;
            }
            for (at, &gram) in grams.iter().enumerate().filter(|(_, gram)| **gram != NONE) {
                let row = vocabulary.row(kind, n, gram)?;
                if let Some(&place) = self.wanted.get(&row) {
                    let span = self.spans[at].start..self.spans[at + n - 1].end;
                    let spans = &mut self.found[place];
                    if !span.is_empty() && spans.len() < MOST_SPANS {
                        spans.push(span);
                    }
                }
            }
        }
        self.spans.clear();
        Ok(())
    }
}
