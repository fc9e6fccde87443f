//! The n-grams of one length: which there are, in how many documents, and their numbers at every place.
//!
//! An n-gram is the number of the (n - 1)-gram at a place and the unit n - 1 places on: one `u64`, so that no text is
//! hashed, and a place whose beginning was pruned costs nothing. Numbers are by document frequency, most first, then by
//! key: they depend on the documents alone. Each thread owns the keys of its shares of the hash and passes over all
//! places; a sketch of two bits a bucket keeps what cannot reach the least frequency out of the table.

use crate::threads;

use super::memory::Limits;
use super::parallel;
use super::places::{BATCH, LEAST_SHARE, Place, Places, SHARE, Share, key, mix};
use super::stream::{Chunk, NONE};
use super::table::{Sketch, Table};

/// What is pruned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prune {
    /// N-grams in fewer documents.
    pub(super) least: u32,
    /// And the rarest beyond this.
    pub(super) limits: Option<Limits>,
    /// Places of a share of the hashes, at most.
    pub(super) places: usize,
}

/// One n-gram in so many is counted first where memory is short.
const SAMPLE: u64 = 64;

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

/// The n-grams in `least` documents or more. `weights`: documents that each document of the streams stands for (1 where
/// none are given).
pub(super) fn count(places: Places<'_>, weights: Option<&[u32]>, prune: Prune, threads: usize) -> Level {
    let weight = |document: u32| weights.map_or(1, |weights| weights[document as usize]);
    let long = |chunk: &Chunk| -> usize {
        (0..chunk.documents()).map(|i| (chunk.span(i).len() + 1).saturating_sub(places.n)).sum()
    };
    let all: usize = places.units.chunks.iter().map(long).sum();
    let documents = if weights.is_some() { 1 } else { prune.least };
    let tight = prune.limits.filter(|limits| !limits.fit(all, documents));
    let least = tight.map_or(prune.least, |limits| limits.least(sample(places, weights), SAMPLE, prune.least));
    // Each share passes over all places; the fewer they are the better, as many as there are threads at least.
    let each = SHARE.min(prune.places.max(LEAST_SHARE));
    let shares = threads * all.div_ceil(each * threads).max(1);
    let found = parallel::map(threads, shares, |number| {
        let share = Share { number: number as u64, of: shares as u64 };
        let needed = least.min(3);
        let sketch = (needed >= 2).then(|| {
            let mut sketch = Sketch::new(all / shares);
            places.visit(share, |batch| {
                batch.iter().for_each(|place| sketch.add(place.hash, weight(place.document)));
            });
            sketch
        });
        let mut table = Table::new(sketch.as_ref().map_or(1 << 12, |sketch| sketch.reached(needed)));
        places.visit(share, |batch| {
            let mut passed = [Place::default(); BATCH];
            let mut length = 0;
            for place in batch {
                passed[length] = *place;
                length += usize::from(sketch.as_ref().is_none_or(|sketch| sketch.count(place.hash) >= needed));
            }
            // Touch them all before any is used.
            let warm = passed.map(|place| table.slots[(place.hash >> table.shift) as usize].frequency);
            std::hint::black_box(&warm);
            passed[..length].iter().for_each(|place| table.add(place, weight(place.document)));
        });
        let kept = table.slots.iter().filter(|slot| slot.frequency >= least.max(1));
        let mut kept: Vec<(u32, u64)> = kept.map(|slot| (u32::MAX - slot.frequency, slot.key)).collect();
        kept.sort_unstable();
        kept
    });
    let merged = threads::merged(&found.iter().map(|own| &own[..]).collect::<Vec<_>>(), Ord::cmp);
    drop(found);
    Level {
        keys: merged.iter().map(|&(_, key)| key).collect(),
        frequencies: merged.iter().map(|&(rest, _)| u32::MAX - rest).collect(),
        places: all as u64,
        least,
    }
}

/// The documents of every n-gram of one share of the hashes: so that they depend on the documents alone.
fn sample(places: Places<'_>, weights: Option<&[u32]>) -> Vec<u32> {
    let mut table = Table::new(1 << 12);
    places.visit(Share { number: 0, of: SAMPLE }, |batch| {
        for place in batch {
            table.add(place, weights.map_or(1, |weights| weights[place.document as usize]));
        }
    });
    table.slots.iter().map(|slot| slot.frequency).filter(|&frequency| frequency > 0).collect()
}

/// Keys of a level to its numbers: slots of the number plus one and, above it, four bits of the hash.
pub(super) struct Index<'l> {
    keys: &'l [u64],
    slots: Vec<u32>,
    shift: u32,
}

const NUMBER: u32 = (1 << 28) - 1;

impl<'l> Index<'l> {
    /// At most 2²⁸ - 1 keys.
    pub(super) fn new(keys: &'l [u64]) -> Self {
        let bits = (keys.len() * 2 + 2).next_power_of_two().trailing_zeros();
        let (mut slots, shift) = (vec![0; 1 << bits], 64 - bits);
        // Each thread fills a range of the slots; what finds none left there comes last.
        let range = slots.len().div_ceil(if keys.len() < 1 << 12 { 1 } else { threads::count() });
        let late = threads::share(slots.chunks_mut(range).enumerate().collect(), |(number, own)| {
            let (first, mut late) = (number * range, Vec::new());
            for (number, &key) in (1u32..).zip(keys) {
                let hash = mix(key);
                let Some(at) = ((hash >> shift) as usize).checked_sub(first).filter(|&at| at < own.len()) else {
                    continue;
                };
                match own[at..].iter_mut().find(|slot| **slot == 0) {
                    Some(slot) => *slot = Self::tag(hash) | number,
                    None => late.push(number),
                }
            }
            late
        });
        let mask = slots.len() - 1;
        for number in late.into_iter().flatten() {
            let hash = mix(keys[number as usize - 1]);
            let mut at = (hash >> shift) as usize;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = Self::tag(hash) | number;
        }
        Index { keys, slots, shift }
    }

    #[inline]
    fn tag(hash: u64) -> u32 {
        (hash as u32) << 28
    }

    #[inline]
    fn find(&self, key: u64, hash: u64, first: u32) -> u32 {
        let mask = self.slots.len() - 1;
        let (mut at, mut slot) = ((hash >> self.shift) as usize, first);
        loop {
            if slot == 0 {
                return NONE;
            }
            let number = (slot & NUMBER) - 1;
            if slot & !NUMBER == Self::tag(hash) && self.keys[number as usize] == key {
                return number;
            }
            at = (at + 1) & mask;
            slot = self.slots[at];
        }
    }

    /// The numbers of the n-grams of `n` units at every place of a chunk of units, of which `prefixes` are the (n - 1)-grams;
    /// [`NONE`] where none of them begins.
    pub(super) fn number(&self, units: &Chunk, prefixes: &Chunk, n: usize, threads: usize) -> Chunk {
        // Memory is given where it is first written to: by the thread that has the share.
        let mut numbers = vec![0; units.numbers.len()];
        let ranges = units.split(if threads < 2 { 1 } else { threads * 4 });
        let mut shares = Vec::new();
        let mut rest = &mut numbers[..];
        let mut start = 0;
        for range in ranges {
            let end = units.ends[range.end - 1];
            let (share, after) = rest.split_at_mut(end - start);
            shares.push((range, start, share));
            (rest, start) = (after, end);
        }
        parallel::each(threads, &mut shares, |_, (documents, start, numbers)| {
            numbers.fill(NONE);
            let mut batch = [(0u64, 0u64, 0usize); BATCH];
            let mut length = 0;
            for i in documents.clone() {
                let span = units.span(i);
                let (units, prefixes) = (units.document(i), prefixes.document(i));
                if units.len() < n {
                    continue;
                }
                for (at, (&prefix, &unit)) in (span.start - *start..).zip(prefixes.iter().zip(&units[n - 1..])) {
                    if prefix == NONE || unit == NONE {
                        continue;
                    }
                    let key = key(prefix, unit);
                    batch[length] = (key, mix(key), at);
                    length += 1;
                    if length == BATCH {
                        length = 0;
                        // Touch them all, and then the keys that they lead to, before any is used.
                        let first = batch.map(|(_, hash, _)| self.slots[(hash >> self.shift) as usize]);
                        let there =
                            first.map(|slot| self.keys.get(((slot & NUMBER) as usize).wrapping_sub(1)).copied());
                        for ((&(key, hash, at), first), there) in batch.iter().zip(first).zip(there) {
                            numbers[at] = match there == Some(key) {
                                true => (first & NUMBER) - 1,
                                false => self.find(key, hash, first),
                            };
                        }
                    }
                }
            }
            for &(key, hash, at) in &batch[..length] {
                numbers[at] = self.find(key, hash, self.slots[(hash >> self.shift) as usize]);
            }
        });
        Chunk { numbers: numbers.into(), ends: units.ends.clone() }
    }
}
