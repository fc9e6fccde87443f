//! The n-grams of one length: which there are, in how many documents, and their numbers at every place.
//!
//! An n-gram is the number of the (n - 1)-gram at a place and the unit n - 1 places on: one `u64`, so that no text is
//! hashed, and a place whose beginning was pruned costs nothing. Numbers are by document frequency, most first, then by
//! key: they depend on the documents alone. Each thread owns the keys of its shares of the hash and passes over all
//! places; a sketch of two bits a bucket keeps what cannot reach the least frequency out of the table.

use super::parallel;
use super::stream::{Chunk, NONE, Stream};

/// The n-grams of one length.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// By number: the number of the (n - 1)-gram and of the unit; in the first level the unit's alone.
    pub(super) keys: Vec<u64>,
    /// By number: documents that hold it (for the n-grams of pieces: at most so many).
    pub(super) frequencies: Vec<u32>,
    /// Places where an n-gram could stand.
    pub(super) places: u64,
}

#[inline]
fn key(prefix: u32, unit: u32) -> u64 {
    u64::from(prefix) << 32 | u64::from(unit)
}

/// Prefix and unit of a key.
#[inline]
pub(super) fn parts_of(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

#[inline]
fn mix(key: u64) -> u64 {
    let mixed = (key ^ key >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// Numbers in the order of (frequency falling, then `order`): the old number of each new one.
pub(super) fn by_frequency(frequencies: &[u32], least: u32) -> Vec<u32> {
    let mut kept: Vec<u32> = (0..frequencies.len() as u32).filter(|&n| frequencies[n as usize] >= least).collect();
    kept.sort_by_key(|&number| std::cmp::Reverse(frequencies[number as usize]));
    kept
}

/// Where n-grams of `n` units stand: units, and the numbers of the (n - 1)-grams at the same places.
#[derive(Clone, Copy)]
pub(super) struct Places<'s> {
    pub(super) units: &'s Stream,
    pub(super) prefixes: &'s Stream,
    pub(super) n: usize,
}

impl Places<'_> {
    /// Visits, some at a time, what stands at the places whose n-gram is of the share.
    #[inline]
    fn visit(&self, share: Share, mut visit: impl FnMut(&[Place])) {
        let mut document = 0;
        let (mut batch, mut length) = ([Place::default(); BATCH], 0);
        for (units, prefixes) in self.units.chunks.iter().zip(&self.prefixes.chunks) {
            for i in 0..units.documents() {
                let (units, prefixes) = (units.document(i), prefixes.document(i));
                if units.len() >= self.n {
                    for (&prefix, &unit) in prefixes.iter().zip(&units[self.n - 1..]) {
                        let key = key(prefix, unit);
                        let hash = mix(key);
                        batch[length] = Place { key, hash, document };
                        // No branch here would be foreseen.
                        length += usize::from((prefix != NONE) & (unit != NONE) & share.owns(hash));
                        if length == BATCH {
                            visit(&batch);
                            length = 0;
                        }
                    }
                }
                document += 1;
            }
        }
        visit(&batch[..length]);
    }
}

/// Entries looked up together, so that their cache misses overlap.
const BATCH: usize = 32;

/// An n-gram in a document.
#[derive(Clone, Copy, Default)]
struct Place {
    key: u64,
    hash: u64,
    document: u32,
}

/// The n-grams that are counted together: those whose hash's low bits are of share `number` of `of`.
#[derive(Clone, Copy)]
struct Share {
    number: u64,
    of: u64,
}

/// Places a share has at most, about: what it counts in should not outgrow the caches by far.
const SHARE: usize = 1 << 24;

impl Share {
    #[inline]
    fn owns(self, hash: u64) -> bool {
        (hash & 0xFFFF) * self.of >> 16 == self.number
    }
}

/// A key, the documents that hold it, and the last of them plus one.
#[derive(Clone, Copy)]
struct Slot {
    key: u64,
    frequency: u32,
    last: u32,
}

const FREE: Slot = Slot { key: u64::MAX, frequency: 0, last: 0 };

struct Table {
    slots: Vec<Slot>,
    shift: u32,
    used: usize,
}

impl Table {
    fn new(expected: usize) -> Self {
        let bits = (expected * 3 / 2 + 64).next_power_of_two().trailing_zeros();
        Table { slots: vec![FREE; 1 << bits], shift: 64 - bits, used: 0 }
    }

    #[inline]
    fn add(&mut self, &Place { key, hash, document }: &Place, weight: u32) {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = &mut self.slots[at];
            if slot.key == key {
                if slot.last != document + 1 {
                    slot.last = document + 1;
                    slot.frequency = slot.frequency.saturating_add(weight);
                }
                return;
            }
            if slot.key == FREE.key {
                *slot = Slot { key, frequency: weight, last: document + 1 };
                self.used += 1;
                if self.used * 3 > self.slots.len() * 2 {
                    self.grow();
                }
                return;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.shift -= 1;
        self.slots = vec![FREE; old.len() * 2];
        let mask = self.slots.len() - 1;
        for slot in old.into_iter().filter(|slot| slot.key != FREE.key) {
            let mut at = (mix(slot.key) >> self.shift) as usize;
            while self.slots[at].key != FREE.key {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}

/// Counts to three in two bits a bucket: never less than what was added to any key of the bucket.
struct Sketch {
    words: Vec<u64>,
    shift: u32,
}

impl Sketch {
    /// A bucket for four places: n-grams come again, and a sketch that stays in cache is worth more than a sharp one.
    fn new(places: usize) -> Self {
        let bits = (places / 4).next_power_of_two().trailing_zeros().clamp(10, 34);
        Sketch { words: vec![0; 1 << (bits - 5)], shift: 64 - bits }
    }

    #[inline]
    fn add(&mut self, hash: u64, weight: u32) {
        let bucket = (hash >> self.shift) as usize;
        let (word, at) = (&mut self.words[bucket >> 5], (bucket & 31) * 2);
        let count = *word >> at & 3;
        let more = (3 - count).min(u64::from(weight));
        *word += more << at;
    }

    #[inline]
    fn count(&self, hash: u64) -> u32 {
        let bucket = (hash >> self.shift) as usize;
        (self.words[bucket >> 5] >> ((bucket & 31) * 2) & 3) as u32
    }

    /// Buckets that reached `least`.
    fn reached(&self, least: u32) -> usize {
        let odd = 0x5555_5555_5555_5555;
        let count = |word: &u64| match least {
            3 => word & word >> 1 & odd,
            _ => word >> 1 & odd,
        };
        self.words.iter().map(|word| count(word).count_ones() as usize).sum()
    }
}

/// The n-grams in `least` documents or more. `weights`: documents that each document of the streams stands for (1 where
/// none are given).
pub(super) fn count(places: Places<'_>, weights: Option<&[u32]>, least: u32, threads: usize) -> Level {
    let weight = |document: u32| weights.map_or(1, |weights| weights[document as usize]);
    let long = |chunk: &Chunk| -> usize {
        (0..chunk.documents()).map(|i| (chunk.span(i).len() + 1).saturating_sub(places.n)).sum()
    };
    let all: usize = places.units.chunks.iter().map(long).sum();
    // Each share passes over all places; the fewer they are the better, as many as there are threads at least.
    let shares = threads * all.div_ceil(SHARE * threads).max(1);
    let mut found = parallel::map(threads, shares, |number| {
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
    let mut merged = found.pop().unwrap_or_default();
    for more in found {
        merged = merge(merged, more);
    }
    Level {
        keys: merged.iter().map(|&(_, key)| key).collect(),
        frequencies: merged.iter().map(|&(rest, _)| u32::MAX - rest).collect(),
        places: all as u64,
    }
}

fn merge(left: Vec<(u32, u64)>, right: Vec<(u32, u64)>) -> Vec<(u32, u64)> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut right = right.into_iter().peekable();
    for item in left {
        while let Some(first) = right.next_if(|other| *other < item) {
            merged.push(first);
        }
        merged.push(item);
    }
    merged.extend(right);
    merged
}

/// Keys to numbers: slots of the number plus one and, above it, four bits of the hash.
struct Index<'l> {
    keys: &'l [u64],
    slots: Vec<u32>,
    shift: u32,
}

const NUMBER: u32 = (1 << 28) - 1;

impl<'l> Index<'l> {
    /// At most 2²⁸ - 1 keys.
    fn new(keys: &'l [u64]) -> Self {
        let bits = (keys.len() * 2 + 2).next_power_of_two().trailing_zeros();
        let mut index = Index { keys, slots: vec![0; 1 << bits], shift: 64 - bits };
        let mask = index.slots.len() - 1;
        for (number, &key) in (1u32..).zip(keys) {
            let hash = mix(key);
            let mut at = (hash >> index.shift) as usize;
            while index.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            index.slots[at] = Self::tag(hash) | number;
        }
        index
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
}

/// The numbers of the level's n-grams at every place; [`NONE`] where none of them begins.
pub(super) fn number(places: Places<'_>, level: &Level, threads: usize) -> Stream {
    let index = Index::new(&level.keys);
    let mut chunks = Vec::new();
    for (units, prefixes) in places.units.chunks.iter().zip(&places.prefixes.chunks) {
        let mut numbers = vec![NONE; units.numbers.len()];
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
            let mut batch = [(0u64, 0u64, 0usize); BATCH];
            let mut length = 0;
            for i in documents.clone() {
                let span = units.span(i);
                let (units, prefixes) = (units.document(i), prefixes.document(i));
                if units.len() < places.n {
                    continue;
                }
                for (at, (&prefix, &unit)) in (span.start - *start..).zip(prefixes.iter().zip(&units[places.n - 1..])) {
                    if prefix == NONE || unit == NONE {
                        continue;
                    }
                    let key = key(prefix, unit);
                    batch[length] = (key, mix(key), at);
                    length += 1;
                    if length == BATCH {
                        length = 0;
                        let first = batch.map(|(_, hash, _)| index.slots[(hash >> index.shift) as usize]);
                        for (&(key, hash, at), first) in batch.iter().zip(first) {
                            numbers[at] = index.find(key, hash, first);
                        }
                    }
                }
            }
            for &(key, hash, at) in &batch[..length] {
                numbers[at] = index.find(key, hash, index.slots[(hash >> index.shift) as usize]);
            }
        });
        chunks.push(Chunk { numbers, ends: units.ends.clone() });
    }
    Stream { chunks }
}
