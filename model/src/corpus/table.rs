//! Counting the documents of keys.

use super::places::mix;

/// A key, the documents that hold it, and the last of them plus one.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) key: u64,
    /// 0: free.
    pub(super) frequency: u32,
    last: u32,
}

const FREE: Slot = Slot { key: 0, frequency: 0, last: 0 };

/// Slots at the start, at most: where there are many more places than that, it is one key that comes again and again.
const MOST: usize = 1 << 16;

/// A table that is used again and again.
#[derive(Default)]
pub(super) struct Table {
    /// A power of two, at most two thirds full.
    slots: Vec<Slot>,
    used: usize,
}

impl Table {
    /// Empties it, for so many places, at which keys come again.
    pub(super) fn clear(&mut self, places: usize) {
        self.slots.clear();
        self.slots.resize((places / 2).clamp(64, MOST).next_power_of_two(), FREE);
        self.used = 0;
    }

    /// The keys counted, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.frequency > 0)
    }

    /// A key with this hash in a document that stands for `weight`; the places of a document come one after the other.
    #[inline]
    pub(super) fn add(&mut self, key: u64, hash: u64, document: u32, weight: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.frequency == 0 {
                *slot = Slot { key, frequency: weight, last: document + 1 };
                self.used += 1;
                if self.used * 3 > self.slots.len() * 2 {
                    self.grow();
                }
                return;
            }
            if slot.key == key {
                if slot.last != document + 1 {
                    slot.last = document + 1;
                    slot.frequency = slot.frequency.saturating_add(weight);
                }
                return;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let old = std::mem::replace(&mut self.slots, vec![FREE; mask + 1]);
        for slot in old.into_iter().filter(|slot| slot.frequency > 0) {
            let mut at = mix(slot.key) as usize & mask;
            while self.slots[at].frequency > 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}
