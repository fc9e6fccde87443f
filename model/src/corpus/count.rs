//! Streams of units to counted n-grams of every length.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::counts::{Counts, MOST_COLUMNS};
use crate::error::FitError;
use crate::lexicon::Unit;
use crate::threads;

use super::builder::Interned;
use super::grams::{self, Index, Level, Prune};
use super::memory::{Limits, Memory};
use super::places::Places;
use super::rows::{self, Lists};
use super::spread::Spread;
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

/// How n-grams are counted.
pub(super) struct Counting {
    /// Those in fewer documents are pruned.
    pub(super) least: u32,
    pub(super) memory: Memory,
    pub(super) threads: usize,
}

impl Counting {
    /// What is pruned of the n-grams of the next length; `terms`: whether they are any.
    fn prune(&mut self, terms: bool) -> Prune {
        let limits = self.memory.limits(terms);
        Prune { least: self.least, limits, places: self.memory.places() }
    }

    /// The least documents of units, which are terms or not, by what they have.
    fn least_of_units(&mut self, frequencies: &[u32], terms: bool) -> u32 {
        let limits = self.memory.limits(terms);
        limits.map_or(self.least, |limits| limits.least(frequencies.to_vec(), self.least))
    }
}

/// Numbers units by (documents falling, bytes) in the stream; gives them and their documents. `text` of an old number.
fn number_units<'t, T: Ord + 't>(
    stream: &mut Stream,
    frequencies: &[u32],
    least: u32,
    threads: usize,
    text: impl Fn(u32) -> T + Sync,
) -> (Vec<u32>, Vec<u32>) {
    let least = least.max(1);
    let kept: Vec<u32> = (0..frequencies.len() as u32).filter(|&n| frequencies[n as usize] >= least).collect();
    let kept = threads::sorted(kept, |&a, &b| {
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

/// One a thread.
fn spreads(threads: usize) -> Vec<Spread> {
    (0..threads.max(1)).map(|_| Spread::default()).collect()
}

/// Counts the n-grams of `source` from the shortest to the longest; those in fewer than `least` documents are pruned.
pub(super) fn count(
    source: Source,
    (shortest, longest): (usize, usize),
    counting: &mut Counting,
) -> Result<Kind, FitError> {
    let (unit, mut stream, texts, frequencies, least_units);
    let (least, threads) = (counting.least, counting.threads);
    match source {
        Source::Words(interned) => {
            let dictionary = interned.dictionary;
            stream = interned.stream;
            let documents = stream.frequencies(dictionary.len(), threads);
            least_units = counting.least_of_units(&documents, shortest == 1);
            let (kept, kept_documents) =
                number_units(&mut stream, &documents, least_units, threads, |n| dictionary.text(n));
            texts = kept.into_iter().map(|old| dictionary.text(old).into()).collect::<Vec<Box<str>>>();
            frequencies = kept_documents;
            unit = Unit::Word;
        }
        Source::Chars(chars) => {
            stream = chars;
            let documents = stream.frequencies(CODE_POINTS, threads);
            least_units = counting.least_of_units(&documents, shortest == 1);
            let (kept, kept_documents) = number_units(&mut stream, &documents, least_units, threads, |n| n);
            texts = kept.into_iter().map(character).collect();
            frequencies = kept_documents;
            unit = Unit::Char;
        }
    }
    too_large(texts.len())?;
    counting.memory.took((unit, 1), shortest == 1, &frequencies, [least, least_units]);
    let any = stream.numbers() > 0;
    let (documents, room) = (stream.documents(), stream.room.clone());
    let empty = |columns| {
        let mut counts = Counts::within(&room, columns);
        counts.reserve(documents);
        counts
    };
    let mut levels = vec![(0..texts.len() as u64).collect::<Vec<u64>>()];
    // By length: the counts as they grow, the documents of each column, whether there was any place.
    let mut counted: Vec<(Counts, Vec<u32>, bool)> = vec![(empty(frequencies.len()), frequencies, any)];
    let mut before: Option<Stream> = None;
    let mut spread = spreads(threads);
    for n in 2..=longest {
        let places = (&stream, before.as_ref().unwrap_or(&stream), n);
        let level = grams::count(places, None, counting.prune(n >= shortest), &mut spread);
        counting.memory.took((unit, n), n >= shortest, &level.frequencies, [least, level.least]);
        too_large(level.keys.len())?;
        let index = Index::new(&level.keys);
        counted.push((empty(level.keys.len()), level.frequencies, level.places > 0));
        let mut numbers = Stream::within(&room);
        // The streams are freed as what is made of them grows: the one before with this level, the units with the last.
        let mut prefixes = before.take().map(|before| before.chunks.into_iter());
        for units in &mut stream.chunks {
            let prefix = prefixes.as_mut().and_then(Iterator::next);
            let places = Places { units, prefixes: prefix.as_ref().unwrap_or(units), n };
            match n < longest {
                true => numbers.chunks.push(index.chunk(places, &mut spread)),
                false => rows::add_grams(&mut counted[n - 1].0, &index, places, &mut spread),
            }
            numbers.settle();
            if let Some(prefix) = prefix.filter(|_| n > shortest) {
                rows::add(&mut counted[n - 2].0, &prefix, threads);
            }
            if n < longest {
                continue;
            }
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
    let counted = (1..).zip(counted).map(|(n, (mut counts, frequencies, any))| {
        counts.settle();
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
    counting: &mut Counting,
) -> Result<Kind, FitError> {
    let (least, threads) = (counting.least, counting.threads);
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
    let mut spread = spreads(threads);
    let mut level = Level { keys: (0..units.len() as u64).collect(), frequencies, places: 0, least };
    for n in 1..=longest {
        // A piece shorter than the shortest n-gram is a term once, whole.
        let whole = (n < shortest).then_some(n);
        let terms = n >= shortest || n >= 3;
        let limits = counting.memory.limits(terms);
        if n > 1 {
            let places = (&chars, before.as_ref().unwrap_or(&chars), n);
            // Their documents are not known yet, only that they are no more than so many.
            let prune = Prune { least, limits: limits.map(Limits::of_counting), places: counting.memory.places() };
            level = grams::count(places, Some(&weights), prune, &mut spread);
            too_large(level.keys.len())?;
            let index = Index::new(&level.keys);
            let prefixes = before.as_ref().unwrap_or(&chars).chunks.iter();
            let numbers = chars.chunks.iter().zip(prefixes);
            let numbers = numbers.map(|(units, prefixes)| index.chunk(Places { units, prefixes, n }, &mut spread));
            let numbers = numbers.collect();
            before = Some(Stream { chunks: numbers, room: chars.room.clone() });
        }
        if terms {
            let lists = Lists { lists: before.as_ref().unwrap_or(&chars), distinct: level.keys.len(), whole };
            let least_of = |all: &[u32]| limits.map_or(least, |limits| limits.least(all.to_vec(), least));
            let done = rows::of_pieces(&stream, lists, least_of, threads);
            let kept = [least, level.least.max(done.least)];
            counting.memory.took((Unit::Char, n), true, &done.frequencies, kept);
            counted[n - 1] = Some(Counted {
                counts: Arc::new(done.counts),
                frequencies: done.frequencies.into(),
                grams: Some(done.grams.into()),
                any,
            });
        } else {
            counting.memory.took((Unit::Char, n), false, &[], [least, level.least]);
        }
        levels.push(std::mem::take(&mut level.keys));
    }
    let grams = Arc::new(Grams { unit: Unit::Char, units, levels });
    Ok(Kind { grams, shortest, longest, pieces: true, counted })
}
