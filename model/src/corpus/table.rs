//! Counting keys: a table of those that matter, behind a sketch of all.

use super::places::{Place, mix};

/// A key, the documents that hold it, and the last of them plus one.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) key: u64,
    pub(super) frequency: u32,
    last: u32,
}

pub(super) const FREE: Slot = Slot { key: u64::MAX, frequency: 0, last: 0 };

pub(super) struct Table {
    pub(super) slots: Vec<Slot>,
    pub(super) shift: u32,
    used: usize,
}

impl Table {
    pub(super) fn new(expected: usize) -> Self {
        let bits = (expected * 3 / 2 + 64).next_power_of_two().trailing_zeros();
        Table { slots: vec![FREE; 1 << bits], shift: 64 - bits, used: 0 }
    }

    #[inline]
    pub(super) fn add(&mut self, &Place { key, hash, document }: &Place, weight: u32) {
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
    pub(super) fn grow(&mut self) {
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
pub(super) struct Sketch {
    words: Vec<u64>,
    shift: u32,
}

impl Sketch {
    /// A bucket for four places: n-grams come again, and a sketch that stays in cache is worth more than a sharp one.
    pub(super) fn new(places: usize) -> Self {
        let bits = (places / 4).next_power_of_two().trailing_zeros().clamp(10, 34);
        Sketch { words: vec![0; 1 << (bits - 5)], shift: 64 - bits }
    }

    #[inline]
    pub(super) fn add(&mut self, hash: u64, weight: u32) {
        let bucket = (hash >> self.shift) as usize;
        let (word, at) = (&mut self.words[bucket >> 5], (bucket & 31) * 2);
        let count = *word >> at & 3;
        let more = (3 - count).min(u64::from(weight));
        *word += more << at;
    }

    #[inline]
    pub(super) fn count(&self, hash: u64) -> u32 {
        let bucket = (hash >> self.shift) as usize;
        (self.words[bucket >> 5] >> ((bucket & 31) * 2) & 3) as u32
    }

    /// Buckets that reached `least`.
    pub(super) fn reached(&self, least: u32) -> usize {
        let odd = 0x5555_5555_5555_5555;
        let count = |word: &u64| match least {
            3 => word & word >> 1 & odd,
            _ => word >> 1 & odd,
        };
        self.words.iter().map(|word| count(word).count_ones() as usize).sum()
    }
}
