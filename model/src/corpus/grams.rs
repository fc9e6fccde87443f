//! The n-grams of one length: which there are, in how many documents, and their numbers at every place.
//!
//! An n-gram is the number of the (n - 1)-gram at a place and the unit n - 1 places on: one `u64`, so that no text is
//! hashed, and a place whose beginning was pruned costs nothing. Numbers are by document frequency, most first, then by
//! key: they depend on the documents alone. Places are spread over blocks by their hash, by threads that share out the
//! documents; then each block is counted, or numbered, by itself.

use std::ops::Range;

use crate::threads;

use super::memory::Limits;
use super::parallel;
use super::places::{Places, key, mix, parts_of};
use super::spread::{Ranges, Spread};
use super::stream::{Chunk, NONE, Part, Stream};
use super::table::Table;

/// What is pruned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prune {
    /// N-grams in fewer documents.
    pub(super) least: u32,
    /// And the rarest beyond this.
    pub(super) limits: Option<Limits>,
    /// Places that are counted at once, at most.
    pub(super) places: usize,
}

/// Places of a round, so many in memory at once, where that does not make more rounds than this: each passes over all places.
const ROUND: usize = 1 << 25;
const ROUNDS: usize = 8;
/// Places of a block, about, and keys of a block of the index: what they lead to stays in cache.
const BLOCK: usize = 1 << 15;
const KEYS: usize = 1 << 13;

/// Fewer keys than this are put into an index faster by one thread: another would only wait for memory with it.
const FEW: usize = 1 << 20;

/// Places of documents that are numbered together, at least and at most.
const LEAST_RANGE: usize = 1 << 20;
const MOST_RANGE: usize = 1 << 22;

/// Where memory is short, the n-grams of so many places are counted first, or one in 64 if those are more.
const SAMPLE: usize = 1 << 20;
const MOST_OF_SAMPLE: u64 = 64;

/// The n-grams of one length.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// By number: the number of the (n - 1)-gram and of the unit; in the first level the unit's alone.
    pub(super) keys: Vec<u64>,
    /// By number: documents that hold it (for the n-grams of pieces: at most so many).
    pub(super) frequencies: Vec<u32>,
    /// Places where an n-gram could stand.
    pub(super) places: u64,
    /// The least frequency that was kept to.
    pub(super) least: u32,
}

/// Numbers in the order of (frequency falling, then `order`): the old number of each new one.
pub(super) fn by_frequency(frequencies: &[u32], least: u32) -> Vec<u32> {
    let mut kept: Vec<u32> = (0..frequencies.len() as u32).filter(|&n| frequencies[n as usize] >= least).collect();
    kept.sort_by_key(|&number| std::cmp::Reverse(frequencies[number as usize]));
    kept
}

/// The n-grams of `n` units in `least` documents or more, of streams of units and of the numbers of (n - 1)-grams. `weights`:
/// documents that each document of the streams stands for (1 where none are given). A thread for each of `spread`.
pub(super) fn count(
    (units, prefixes, n): (&Stream, &Stream, usize),
    weights: Option<&[u32]>,
    prune: Prune,
    spread: &mut [Spread],
) -> Level {
    let weight = |document: u32| weights.map_or(1, |weights| weights[document as usize].max(1));
    let places = |chunk: usize| Places { units: &units.chunks[chunk], prefixes: &prefixes.chunks[chunk], n };
    let all = (0..units.chunks.len()).map(|chunk| places(chunk).count()).sum();
    let parts = units.parts(spread.len());
    let documents = if weights.is_some() { 1 } else { prune.least };
    let least = match prune.limits.filter(|limits| !limits.fit(all, documents)) {
        None => prune.least,
        Some(limits) => {
            let of = (all / SAMPLE).clamp(1, MOST_OF_SAMPLE as usize) as u64;
            let (frequencies, total) = sample(of, parts.iter().map(|part| (places(part.chunk), part)), weight);
            limits.least_of_sample(frequencies, of, total, prune.least)
        }
    };
    let rounds = all.div_ceil(ROUND.max(all.div_ceil(ROUNDS)).min(prune.places)).max(1);
    let mut counters: Vec<(Table, Vec<(u32, u64)>)> = Vec::new();
    counters.resize_with(spread.len(), Default::default);
    for ranges in Ranges::rounds(rounds, all / rounds / BLOCK) {
        let each = all / rounds / spread.len();
        spread.iter_mut().for_each(|spread| spread.clear(ranges, each));
        parallel::with(spread, parts.len(), |spread, part| {
            let part = &parts[part];
            let first = part.first - part.documents.start;
            spread.add(places(part.chunk), part.documents.clone(), |document| (first + document) as u32);
        });
        parallel::with(&mut counters, ranges.count as usize, |(table, kept), block| {
            table.clear(spread.iter().map(|spread| spread.length(block)).sum());
            for spread in spread.iter() {
                spread.each(block, |key, document| table.add(key, mix(key), document, weight(document)));
            }
            let frequent = table.keys().filter(|slot| slot.frequency >= least);
            kept.extend(frequent.map(|slot| (u32::MAX - slot.frequency, slot.key)));
        });
    }
    parallel::each(counters.len(), &mut counters, |_, (_, kept)| kept.sort_unstable());
    let kept = threads::merged(&counters.iter().map(|(_, kept)| &kept[..]).collect::<Vec<_>>(), Ord::cmp);
    Level {
        keys: kept.iter().map(|&(_, key)| key).collect(),
        frequencies: kept.iter().map(|&(rest, _)| u32::MAX - rest).collect(),
        places: all as u64,
        least,
    }
}

/// The documents of every n-gram of one range in `of` of the hashes, so that they depend on the documents alone; and of how
/// many places all n-grams are, each for as many documents as its own stands for.
fn sample<'p>(
    of: u64,
    parts: impl Iterator<Item = (Places<'p>, &'p Part)>,
    weight: impl Fn(u32) -> u32,
) -> (Vec<u32>, u64) {
    let (mut table, mut total, range) = (Table::default(), 0, Ranges { first: 0, count: 1, of });
    table.clear(0);
    for (places, part) in parts {
        for (document, number) in part.documents.clone().zip(part.first as u32..) {
            for (key, _) in places.keys(document).filter(|&(_, whole)| whole) {
                total += u64::from(weight(number));
                let hash = mix(key);
                if range.hold(hash) {
                    table.add(key, hash, number, weight(number));
                }
            }
        }
    }
    (table.keys().map(|slot| slot.frequency).collect(), total)
}

/// Keys of a level to its numbers.
pub(super) struct Index {
    /// In the order of the hashes: prefix and unit of a key, and its number plus one; 0 is free.
    slots: Vec<[u32; 3]>,
    shift: u32,
    /// Of the hashes, so that the slots of one stay in cache.
    ranges: Ranges,
}

impl Index {
    /// At most 2³² - 2 keys.
    pub(super) fn new(keys: &[u64]) -> Self {
        let bits = (keys.len() * 3 / 2 + 2).next_power_of_two().trailing_zeros();
        let (mut slots, shift) = (vec![[0; 3]; 1 << bits], 64 - bits);
        // Each thread fills a range of the slots; what finds none left there comes last.
        let range = slots.len().div_ceil(if keys.len() < FEW { 1 } else { threads::count() });
        let late = threads::share(slots.chunks_mut(range).enumerate().collect(), |(number, own)| {
            let (first, mut late) = (number * range, Vec::new());
            for (number, &key) in (1u32..).zip(keys) {
                let Some(at) = ((mix(key) >> shift) as usize).checked_sub(first).filter(|&at| at < own.len()) else {
                    continue;
                };
                match own[at..].iter_mut().find(|slot| slot[2] == 0) {
                    Some(slot) => *slot = Self::slot(key, number),
                    None => late.push((key, number)),
                }
            }
            late
        });
        let mask = slots.len() - 1;
        for (key, number) in late.into_iter().flatten() {
            let mut at = (mix(key) >> shift) as usize;
            while slots[at][2] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = Self::slot(key, number);
        }
        Index { slots, shift, ranges: Ranges::all(keys.len() / KEYS) }
    }

    fn slot(key: u64, number: u32) -> [u32; 3] {
        let (prefix, unit) = parts_of(key);
        [prefix, unit, number]
    }

    #[inline]
    fn find(&self, wanted: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (mix(wanted) >> self.shift) as usize;
        loop {
            let [prefix, unit, number] = self.slots[at];
            if number == 0 || key(prefix, unit) == wanted {
                return number.wrapping_sub(1);
            }
            at = (at + 1) & mask;
        }
    }

    /// Replaces the documents in all blocks by the numbers of the n-grams, [`NONE`] for those that are not here.
    fn number(&self, spread: &mut Spread) {
        let start_of = |block: usize| block * self.slots.len() / self.ranges.count as usize;
        for block in 0..self.ranges.count as usize {
            // One line after the other is fetched faster than what hashes lead to.
            let lines = self.slots[start_of(block)..start_of(block + 1)].iter().step_by(64 / size_of::<[u32; 3]>());
            std::hint::black_box(lines.fold(0, |sum, slot| sum ^ slot[2]));
            spread.replace(block, |key| self.find(key));
        }
    }

    /// Documents in ranges to be visited one after the other: of as many places as there are slots to be fetched for them.
    pub(super) fn ranges(&self, units: &Chunk, documents: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        units.ranges(documents, self.slots.len().clamp(LEAST_RANGE, MOST_RANGE))
    }

    /// The numbers of the n-grams at the places of every document of a range, in order, [`NONE`] where there are none.
    pub(super) fn visit(
        &self,
        places: Places<'_>,
        documents: Range<usize>,
        spread: &mut Spread,
        mut visit: impl FnMut(usize, &[u32]),
    ) {
        spread.clear(self.ranges, places.units.span_of(&documents).len());
        spread.add(places, documents.clone(), |_| 0);
        self.number(spread);
        let (mut found, mut numbers) = (spread.reader(), Vec::new());
        for document in documents {
            numbers.clear();
            let keys = places.keys(document);
            numbers.extend(keys.map(|(key, whole)| if whole { found.next(mix(key)) } else { NONE }));
            visit(document, &numbers);
        }
    }

    /// The same of all documents of a chunk, as one of numbers.
    pub(super) fn chunk(&self, places: Places<'_>, spread: &mut [Spread]) -> Chunk {
        // Memory is given where it is first written to: by the thread that has the share.
        let units = places.units;
        let mut numbers = vec![0; units.numbers.len()];
        let mut shares = Vec::new();
        let mut rest = &mut numbers[..];
        for (documents, spread) in units.split(spread.len()).into_iter().zip(spread) {
            let span = units.span_of(&documents);
            let (share, after) = rest.split_at_mut(span.len());
            shares.push((documents, span.start, share, spread));
            rest = after;
        }
        parallel::each(shares.len(), &mut shares, |_, (documents, start, numbers, spread)| {
            numbers.fill(NONE);
            for documents in self.ranges(units, documents.clone()) {
                self.visit(places, documents, spread, |document, own| {
                    numbers[units.span(document).start - *start..][..own.len()].copy_from_slice(own);
                });
            }
        });
        Chunk { numbers: numbers.into(), ends: units.ends.clone() }
    }
}
