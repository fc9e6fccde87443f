//! Streams of units to counted n-grams of every length.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::counts::{Counts, MOST_COLUMNS};
use crate::error::FitError;
use crate::lexicon::Unit;

use super::builder::Interned;
use super::grams::{self, Index, Level, Prune};
use super::places::Places;
use super::rows::{self, Lists};
use super::stream::{NONE, Stream};

/// The n-grams of words or of characters, without their counts.
#[derive(Debug)]
pub(super) struct Grams {
    pub(super) unit: Unit,
    /// By the number of the unit.
    pub(super) units: Vec<Box<str>>,
    /// `levels[n - 1]`: the n-grams of `n` units by number, each a key of the number of its beginning and its last unit.
    pub(super) levels: Vec<Vec<u64>>,
}

/// Counts of the n-grams of one length.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) counts: Arc<Counts>,
    /// Documents that hold each column.
    pub(super) frequencies: Arc<[u32]>,
    /// The number of each column's n-gram; none where they are the same.
    pub(super) grams: Option<Arc<[u32]>>,
    /// Whether a document held any, pruned or not.
    pub(super) any: bool,
}

/// What was counted of words, or of characters.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) grams: Arc<Grams>,
    pub(super) shortest: usize,
    pub(super) longest: usize,
    /// Whether n-grams are of pieces, so that a short piece is an n-gram whatever the range.
    pub(super) pieces: bool,
    /// `counted[n - 1]`.
    pub(super) counted: Vec<Option<Counted>>,
}

/// Bytes that counting may take, and what was pruned for it.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) most: Option<u64>,
    pub(super) notes: Vec<String>,
}

impl Memory {
    /// What n-grams of `n` units may take beside streams of `numbers` numbers; an eighth of all whatever those take.
    fn prune(&self, least: u32, numbers: usize, n: usize) -> Prune {
        // The units, and the n-grams at their places: of the length before, and of this one.
        let streams = numbers as u64 * if n == 2 { 8 } else { 12 };
        Prune { least, bytes: self.most.map(|most| most.saturating_sub(streams).max(most / 8)) }
    }

    fn note(&mut self, unit: Unit, n: usize, asked: u32, least: u32) {
        if let Some(most) = self.most.filter(|_| least > asked.max(1)) {
            let units = if unit == Unit::Word { "words" } else { "characters" };
            self.notes.push(format!(
                "n-grams of {n} {units} in fewer than {least} documents were pruned to keep within {most} bytes \
                 (max_memory); {asked} was asked"
            ));
        }
    }
}

/// Documents as units.
pub(super) enum Source {
    /// Numbers of a dictionary.
    Words(Interned),
    /// Code points.
    Chars(Stream),
}

fn too_large(terms: usize) -> Result<(), FitError> {
    match terms < MOST_COLUMNS {
        true => Ok(()),
        false => Err(FitError::VocabularyTooLarge { terms, bytes: terms * 8 }),
    }
}

/// Number of Unicode's code points.
const CODE_POINTS: usize = 0x11_0000;

fn character(code_point: u32) -> Box<str> {
    char::from_u32(code_point).map_or_else(Box::default, |c| c.to_string().into())
}

/// Numbers units by (documents falling, bytes) in the stream; gives them and their documents. `text` of an old number.
fn number_units<'t, T: Ord + 't>(
    stream: &mut Stream,
    frequencies: &[u32],
    least: u32,
    threads: usize,
    text: impl Fn(u32) -> T,
) -> (Vec<u32>, Vec<u32>) {
    let least = least.max(1);
    let mut kept: Vec<u32> = (0..frequencies.len() as u32).filter(|&n| frequencies[n as usize] >= least).collect();
    kept.sort_unstable_by(|&a, &b| {
        let order = |n: u32| Reverse(frequencies[n as usize]);
        order(a).cmp(&order(b)).then_with(|| text(a).cmp(&text(b)))
    });
    let mut numbers = vec![NONE; frequencies.len()];
    for (number, &old) in (0..).zip(&kept) {
        numbers[old as usize] = number;
    }
    stream.renumber(&numbers, threads);
    let frequencies = kept.iter().map(|&old| frequencies[old as usize]).collect();
    (kept, frequencies)
}

/// No row yet of so many.
fn empty(columns: usize, rows: usize) -> Counts {
    let mut counts = Counts::new(columns);
    counts.reserve(rows);
    counts
}

/// Counts the n-grams of `source` from the shortest to the longest; those in fewer than `least` documents are pruned.
pub(super) fn count(
    source: Source,
    (shortest, longest): (usize, usize),
    (least, memory): (u32, &mut Memory),
    threads: usize,
) -> Result<Kind, FitError> {
    let (unit, mut stream, texts, frequencies);
    match source {
        Source::Words(interned) => {
            let dictionary = interned.dictionary;
            stream = interned.stream;
            let documents = stream.frequencies(dictionary.len(), threads);
            let (kept, kept_documents) = number_units(&mut stream, &documents, least, threads, |n| dictionary.text(n));
            texts = kept.into_iter().map(|old| dictionary.text(old).into()).collect::<Vec<Box<str>>>();
            frequencies = kept_documents;
            unit = Unit::Word;
        }
        Source::Chars(chars) => {
            stream = chars;
            let documents = stream.frequencies(CODE_POINTS, threads);
            let (kept, kept_documents) = number_units(&mut stream, &documents, least, threads, |n| n);
            texts = kept.into_iter().map(character).collect();
            frequencies = kept_documents;
            unit = Unit::Char;
        }
    }
    too_large(texts.len())?;
    let any = stream.numbers() > 0;
    let documents = stream.documents();
    let mut levels = vec![(0..texts.len() as u64).collect::<Vec<u64>>()];
    // By length: the counts as they grow, the documents of each column, whether there was any place.
    let mut counted: Vec<(Counts, Vec<u32>, bool)> = vec![(empty(frequencies.len(), documents), frequencies, any)];
    let mut before: Option<Stream> = None;
    for n in 2..=longest {
        let places = Places { units: &stream, prefixes: before.as_ref().unwrap_or(&stream), n };
        let prune = memory.prune(least, stream.numbers(), n);
        let level = grams::count(places, None, prune, threads);
        memory.note(unit, n, least, level.least);
        too_large(level.keys.len())?;
        let index = Index::new(&level.keys);
        counted.push((empty(level.keys.len(), documents), level.frequencies, level.places > 0));
        let mut numbers = Stream::default();
        // The streams are freed as what is made of them grows: the one before with this level, the units with the last.
        let mut prefixes = before.take().map(|before| before.chunks.into_iter());
        for units in &mut stream.chunks {
            let prefix = prefixes.as_mut().and_then(Iterator::next);
            let own = index.number(units, prefix.as_ref().unwrap_or(units), n, threads);
            if let Some(prefix) = prefix.filter(|_| n > shortest) {
                rows::add(&mut counted[n - 2].0, &prefix, threads);
            }
            if n < longest {
                numbers.chunks.push(own);
                continue;
            }
            rows::add(&mut counted[n - 1].0, &own, threads);
            drop(own);
            let units = std::mem::take(units);
            if shortest == 1 {
                rows::add(&mut counted[0].0, &units, threads);
            }
        }
        before = Some(numbers);
        drop(index);
        levels.push(level.keys);
    }
    if longest == 1 {
        stream.chunks.drain(..).for_each(|chunk| rows::add(&mut counted[0].0, &chunk, threads));
    }
    let counted = (1..).zip(counted).map(|(n, (counts, frequencies, any))| {
        let (counts, frequencies) = (Arc::new(counts), frequencies.into());
        (n >= shortest).then_some(Counted { counts, frequencies, grams: None, any })
    });
    let counted = counted.collect();
    let grams = Arc::new(Grams { unit, units: texts, levels });
    Ok(Kind { grams, shortest, longest, pieces: false, counted })
}

/// The same for the n-grams of characters of pieces, each padded with a space at either end (`char_wb`).
pub(super) fn count_pieces(
    interned: Interned,
    (shortest, longest): (usize, usize),
    (least, memory): (u32, &mut Memory),
    threads: usize,
) -> Result<Kind, FitError> {
    let Interned { dictionary, stream, .. } = interned;
    // Documents that hold each piece bound those that hold its n-grams from below and, summed, from above.
    let weights = stream.frequencies(dictionary.len(), threads);
    let mut chars = Stream::default();
    for piece in dictionary.texts() {
        let padded = std::iter::once(' ').chain(piece.chars()).chain(std::iter::once(' '));
        chars.push(padded.map(u32::from));
    }
    drop(dictionary);
    let mut bounds = vec![(0u32, 0u32); CODE_POINTS];
    let mut piece = 0;
    for chunk in &chars.chunks {
        for i in 0..chunk.documents() {
            for &c in chunk.document(i) {
                let (bound, last) = &mut bounds[c as usize];
                if *last != piece + 1 {
                    *last = piece + 1;
                    *bound = bound.saturating_add(weights[piece as usize]);
                }
            }
            piece += 1;
        }
    }
    let bounds: Vec<u32> = bounds.into_iter().map(|(bound, _)| bound).collect();
    let (kept, frequencies) = number_units(&mut chars, &bounds, least, threads, |n| n);
    let units: Vec<Box<str>> = kept.into_iter().map(character).collect();
    let any = chars.numbers() > 0;
    let mut levels: Vec<Vec<u64>> = Vec::new();
    let mut counted = vec![None; longest];
    let mut before: Option<Stream> = None;
    let mut level = Level { keys: (0..units.len() as u64).collect(), frequencies, places: 0, least };
    for n in 1..=longest {
        if n > 1 {
            let places = Places { units: &chars, prefixes: before.as_ref().unwrap_or(&chars), n };
            let prune = memory.prune(least, stream.numbers() + chars.numbers(), n);
            level = grams::count(places, Some(&weights), prune, threads);
            memory.note(Unit::Char, n, least, level.least);
            too_large(level.keys.len())?;
            let index = Index::new(&level.keys);
            let prefixes = before.as_ref().unwrap_or(&chars).chunks.iter();
            let numbers = chars.chunks.iter().zip(prefixes);
            let numbers = numbers.map(|(units, prefixes)| index.number(units, prefixes, n, threads)).collect();
            before = Some(Stream { chunks: numbers });
        }
        // A piece shorter than the shortest n-gram is a term once, whole.
        let whole = (n < shortest).then_some(n);
        if n >= shortest || n >= 3 {
            let lists = Lists { lists: before.as_ref().unwrap_or(&chars), distinct: level.keys.len(), whole };
            let done = rows::of_pieces(&stream, lists, least, threads);
            counted[n - 1] = Some(Counted {
                counts: Arc::new(done.counts),
                frequencies: done.frequencies.into(),
                grams: Some(done.grams.into()),
                any,
            });
        }
        levels.push(std::mem::take(&mut level.keys));
    }
    let grams = Arc::new(Grams { unit: Unit::Char, units, levels });
    Ok(Kind { grams, shortest, longest, pieces: true, counted })
}
