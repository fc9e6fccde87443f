//! A text's terms, found on the mapped vocabulary and counted.
//!
//! Everything a text needs is kept in buffers of the thread, so that a term costs no allocation.

use std::cell::Cell;
use std::hint::{black_box, select_unpredictable};
use std::sync::Mutex;

use crate::artifact::Artifact;
use crate::artifact::known::{Known, TOGETHER};
use crate::artifact::mapped::Checked;
use crate::artifact::tensors::float;
use crate::lexicon::Unit;
use crate::records::TermFrequency;
use crate::tfidf::{AnalyzerKind, Norm, TfidfParams};
use crate::vocabulary::{Kind, NONE};

/// What of a text is read for terms.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// Words.
    Words,
    /// Characters across words, n-grams of so many at least.
    Chars(usize),
    /// Characters within what white space parts, likewise.
    Pieces(usize),
    /// Words, and characters as [`Pieces`](Self::Pieces).
    WordsAndPieces(usize),
}

impl Reading {
    pub(super) fn of(params: &TfidfParams) -> Self {
        match params.analyzer {
            AnalyzerKind::Word => Reading::Words,
            AnalyzerKind::Char => Reading::Chars(params.ngram_range.0),
            AnalyzerKind::CharWb => Reading::Pieces(params.ngram_range.0),
            AnalyzerKind::WordCharWb => Reading::WordsAndPieces(params.char_ngram_range.0),
        }
    }

    /// Units of the kinds of terms, in their order.
    pub(super) fn units(self) -> &'static [Unit] {
        match self {
            Reading::Words => &[Unit::Word],
            Reading::Chars(_) | Reading::Pieces(_) => &[Unit::Char],
            Reading::WordsAndPieces(_) => &[Unit::Word, Unit::Char],
        }
    }
}

/// What counts count for, those of nearly all terms at hand.
#[derive(Debug)]
pub(super) struct Tf {
    first: [f64; 16],
    all: TermFrequency,
}

impl Tf {
    pub(super) fn new(all: TermFrequency) -> Self {
        Tf { first: std::array::from_fn(|before| all.of(before as u32 + 1)), all }
    }

    /// The value of a count, `≥ 1`.
    #[inline]
    pub(super) fn of(&self, count: u32) -> f64 {
        match self.first.get(count as usize - 1) {
            Some(&value) => value,
            None => self.all.of(count),
        }
    }
}

/// Buffers a thread keeps between documents.
#[derive(Default)]
pub(super) struct Scratch {
    /// The document, preprocessed.
    pub(super) text: String,
    units: Vec<u32>,
    grams: Vec<u32>,
    hits: Vec<u32>,
    table: Vec<u32>,
    known: Known,
    /// (row, count) of the terms, each once, in the order of their first occurrence; by group.
    pub(super) found: Vec<(u32, u32)>,
    /// Where each group ends in `found`.
    pub(super) groups: Vec<usize>,
    /// A number a weight vector.
    pub(super) scores: Vec<f64>,
    /// Of one group, likewise.
    pub(super) sums: Vec<f64>,
    /// A number a set of scales.
    pub(super) sizes: Vec<f64>,
}

/// Buffers that outlive their threads, at most: a thread that is started for a part of some texts goes on with the words
/// that the one before it knew.
const LEFT_AT_MOST: usize = 16;

static LEFT: Mutex<Vec<Scratch>> = Mutex::new(Vec::new());

/// A thread's buffers, while they are not in use.
struct Own(Cell<Option<Box<Scratch>>>);

impl Drop for Own {
    fn drop(&mut self) {
        if let (Some(scratch), Ok(mut left)) = (self.0.take(), LEFT.lock())
            && left.len() < LEFT_AT_MOST
        {
            left.push(*scratch);
        }
    }
}

thread_local! {
    static SCRATCH: Own = const { Own(Cell::new(None)) };
}

/// Runs with this thread's buffers; within it, another call has buffers of its own.
pub(super) fn with_scratch<R>(run: impl FnOnce(&mut Scratch) -> R) -> R {
    let left = || LEFT.lock().ok().and_then(|mut left| left.pop()).map(Box::new);
    let mut scratch = SCRATCH.with(|own| own.0.take()).or_else(left).unwrap_or_default();
    let result = run(&mut scratch);
    // A giant document's buffers are not kept.
    if scratch.hits.capacity() <= 1 << 20 && scratch.text.capacity() <= 1 << 22 {
        SCRATCH.with(|own| own.0.set(Some(scratch)));
    }
    result
}

impl Artifact {
    /// Finds the terms of `text`.
    pub(super) fn read(&self, text: &str, scratch: &mut Scratch) -> Checked<()> {
        let mut buffer = std::mem::take(&mut scratch.text);
        scratch.found.clear();
        scratch.groups.clear();
        let prepared = self.analyzer.prepare(text, &mut buffer);
        let result = self.vocabulary.kinds().iter().try_for_each(|kind| {
            scratch.hits.clear();
            match (kind.unit, self.reading) {
                (Unit::Word, _) => self.words(kind, prepared, scratch)?,
                (_, Reading::Chars(shortest)) => self.chars(kind, shortest, prepared, scratch)?,
                (_, Reading::Pieces(shortest) | Reading::WordsAndPieces(shortest)) => {
                    self.pieces(kind, shortest, prepared, scratch)?;
                }
                (_, Reading::Words) => {}
            }
            count(&scratch.hits, &mut scratch.table, &mut scratch.found, self.tensors.ahead());
            scratch.groups.push(scratch.found.len());
            Ok(())
        });
        scratch.text = buffer;
        result
    }

    fn words(&self, kind: &Kind, prepared: &str, scratch: &mut Scratch) -> Checked<()> {
        scratch.units.clear();
        let Scratch { units, known, .. } = scratch;
        let (bytes, mut damage) = (prepared.as_bytes(), None);
        // Words are cut first and looked up then, so many at a time: either is a short loop.
        let (mut places, mut count) = ([(0, 0); TOGETHER], 0);
        let mut look = |places: &[(usize, usize)]| {
            let look = |places: &[_], numbers: &mut [_]| self.vocabulary.units(kind, bytes, places, numbers);
            if let Err(reason) = known.units(self.id, bytes, places, units, look) {
                damage = Some(reason);
            }
        };
        self.analyzer.word_spans(prepared, |start, end| {
            places[count] = (start, end);
            count += 1;
            if count == TOGETHER {
                look(&places);
                count = 0;
            }
        });
        look(&places[..count]);
        damage.map_or(Ok(()), Err)?;
        self.hits(kind, 1, usize::MAX, scratch)
    }

    fn chars(&self, kind: &Kind, shortest: usize, prepared: &str, scratch: &mut Scratch) -> Checked<()> {
        scratch.units.clear();
        let (units, mut damage) = (&mut scratch.units, None);
        self.analyzer.chars(prepared, |c| match self.char(kind, c) {
            Ok(unit) => units.push(unit),
            Err(reason) => damage = Some(reason),
        });
        damage.map_or(Ok(()), Err)?;
        self.hits(kind, shortest, usize::MAX, scratch)
    }

    fn pieces(&self, kind: &Kind, shortest: usize, prepared: &str, scratch: &mut Scratch) -> Checked<()> {
        let space = self.char(kind, ' ')?;
        let mut damage = None;
        self.analyzer.pieces(prepared, |piece| {
            let mut read = || {
                scratch.units.clear();
                scratch.units.push(space);
                for c in piece.chars() {
                    scratch.units.push(self.char(kind, c)?);
                }
                scratch.units.push(space);
                // A piece shorter than the shortest is a term once, whole.
                self.hits(kind, shortest.min(scratch.units.len()), usize::MAX, scratch)
            };
            if damage.is_none() {
                damage = read().err();
            }
        });
        damage.map_or(Ok(()), Err)
    }

    /// The number of a character; those of ASCII are looked up once.
    #[inline]
    fn char(&self, kind: &Kind, c: char) -> Checked<u32> {
        let look = |c: char| self.vocabulary.unit(kind, c.encode_utf8(&mut [0; 4]).as_bytes());
        if !c.is_ascii() {
            return look(c);
        }
        let ascii = match self.ascii.get() {
            Some(ascii) => ascii,
            None => {
                let mut ascii = [NONE; 128];
                for (unit, c) in ascii.iter_mut().zip('\0'..) {
                    *unit = look(c)?;
                }
                self.ascii.get_or_init(|| ascii)
            }
        };
        Ok(ascii[c as usize])
    }

    /// Adds the rows of the terms of `shortest` to `longest` units in a row.
    fn hits(&self, kind: &Kind, shortest: usize, longest: usize, scratch: &mut Scratch) -> Checked<()> {
        let Scratch { units, grams, hits, .. } = scratch;
        grams.clone_from(units);
        for n in 1..=kind.longest().min(units.len()).min(longest) {
            if n > 1 {
                self.vocabulary.lengthen(kind, n, units, grams)?;
            }
            if n >= shortest {
                self.vocabulary.rows(kind, n, grams, hits)?;
            }
        }
        Ok(())
    }

    /// The value of each term found with the scales of set `set`, in their order.
    pub(super) fn values(&self, scratch: &Scratch, set: usize, values: &mut Vec<f64>) -> Checked<()> {
        values.clear();
        let tf = &self.tf;
        let mut start = 0;
        for &end in &scratch.groups {
            let mut size = 0.0;
            for &(row, count) in &scratch.found[start..end] {
                let scale = self.tensors.term(row)?[set];
                let value = float(scale) * tf.of(count);
                size += self.size(value);
                values.push(value);
            }
            let scale = self.row_scale(size);
            values[start..end].iter_mut().for_each(|value| *value *= scale);
            start = end;
        }
        Ok(())
    }

    /// What a value adds to the norm before the root is drawn.
    #[inline]
    pub(super) fn size(&self, value: f64) -> f64 {
        match self.manifest.tfidf.norm {
            Some(Norm::L1) => value.abs(),
            _ => value * value,
        }
    }

    /// What the values of a group are multiplied with, from the sum of their sizes.
    #[inline]
    pub(super) fn row_scale(&self, size: f64) -> f64 {
        match self.manifest.tfidf.norm {
            Some(Norm::L1) if size > 0.0 => 1.0 / size,
            Some(Norm::L2) if size > 0.0 => 1.0 / size.sqrt(),
            _ => 1.0,
        }
    }
}

/// Adds each row once, with how often it comes; `table` holds places in `found`, and fits the nearest cache for all but
/// giant texts.
///
/// `ahead` are numbers of the rows, so many each, which are asked for here already: memory gives them meanwhile.
fn count(hits: &[u32], table: &mut Vec<u32>, found: &mut Vec<(u32, u32)>, ahead: (&[[u8; 4]], usize)) {
    // Room for few collisions, and for no more than twice as many where the text is long.
    let slots = hits.len() * if hits.len() < 1 << 12 { 4 } else { 2 };
    let bits = slots.next_power_of_two().trailing_zeros().clamp(7, 31);
    table.clear();
    table.resize(1 << bits, 0);
    let start = found.len();
    found.resize(start + hits.len() + 1, (NONE, 0));
    let places = &mut found[start..];
    // The sizes of sentences and of reviews are known to the compiler, which then has nothing to check.
    let used = match (bits, &mut table[..]) {
        (7, table) => table.first_chunk_mut::<{ 1 << 7 }>().map_or(0, |table| counted(hits, table, 7, places, ahead)),
        (11, table) => {
            table.first_chunk_mut::<{ 1 << 11 }>().map_or(0, |table| counted(hits, table, 11, places, ahead))
        }
        (bits, table) => counted(hits, table, bits, places, ahead),
    };
    found.truncate(start + used);
}

/// How many rows there are, each once, now in `places`: one place more than `hits`.
///
/// Whether a row is new is known to nobody before, so that both cases are one: it is written where it stands, or behind
/// the last.
#[inline(always)]
fn counted(
    hits: &[u32],
    table: &mut [u32],
    bits: u32,
    places: &mut [(u32, u32)],
    (ahead, width): (&[[u8; 4]], usize),
) -> usize {
    // A slot holds how far before the end of all places its row's is; 0, as in empty slots, leads to one that is nobody's,
    // and there the row at hand is found, with a count of 0.
    let (end, last, mut used, mut touched) = (hits.len(), table.len() - 1, 0, 0);
    places[end].1 = 0;
    for &row in hits {
        places[end].0 = row;
        touched ^= ahead.get(row as usize * width).map_or(0, |number| number[0]);
        let mut slot = (row.wrapping_mul(0x9E37_79B1) >> (32 - bits)) as usize;
        loop {
            let place = end - table[slot] as usize;
            let (here, count) = places[place];
            if here == row {
                let new = place == end;
                let place = select_unpredictable(new, used, place);
                used += usize::from(new);
                places[place] = (row, count + 1);
                table[slot] = (end - place) as u32;
                break;
            }
            slot = (slot + 1) & last;
        }
    }
    black_box(touched);
    used
}
