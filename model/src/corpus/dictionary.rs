//! Strings to numbers in order of first sight: one arena of bytes, one open-addressing table.
//!
//! A string of up to 16 bytes, as nearly all words are, stands in its slot of the table, so that to know it takes one cache
//! line and no loop over bytes; of a longer one there is a hash in the slot, and the arena decides.

use xxhash_rust::xxh3::xxh3_64;

/// Distinct strings, numbered from 0.
#[derive(Debug)]
pub(super) struct Dictionary {
    arena: String,
    /// End of each string in `arena`; it begins where the one before ends.
    ends: Vec<u32>,
    /// A power of two, at most half full.
    slots: Vec<Slot>,
}

/// A string's place in the table.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: Key,
    /// Number + 1; 0 is free.
    next: u32,
}

/// A string, or what tells it from nearly all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// Of up to 16 bytes the bytes, padded with 0; of more a hash.
    halves: [u64; 2],
    /// Bytes.
    length: u32,
}

/// Longest string that its key holds whole, bytes.
const WHOLE: usize = 16;

impl Key {
    /// What [`Dictionary::intern`] wants.
    pub(super) fn new(text: &str) -> Self {
        Self::within(text, text)
    }

    /// The same of a part of a text, read at once with what follows it there.
    #[inline]
    pub(super) fn within(text: &str, part: &str) -> Self {
        let (bytes, start) = (part.as_bytes(), (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize));
        if bytes.len() > WHOLE {
            return Key { halves: [xxh3_64(bytes), 0], length: bytes.len() as u32 };
        }
        let padded = match text.as_bytes().get(start..).and_then(|rest| rest.first_chunk::<WHOLE>()) {
            Some(chunk) => u128::from_le_bytes(*chunk) & MASKS[bytes.len()],
            None => {
                let mut chunk = [0; WHOLE];
                chunk[..bytes.len()].copy_from_slice(bytes);
                u128::from_le_bytes(chunk)
            }
        };
        Key { halves: [padded as u64, (padded >> 64) as u64], length: bytes.len() as u32 }
    }

    /// Well mixed in all bits: two halves multiplied, folded (as wyhash does).
    #[inline]
    fn hash(self) -> u64 {
        let [a, b] = self.halves;
        let product = u128::from(a ^ 0x9E37_79B9_7F4A_7C15)
            * u128::from(b ^ 0xD6E8_FEB8_6659_FD93 ^ u64::from(self.length) << 56);
        let folded = product as u64 ^ (product >> 64) as u64;
        (folded ^ folded >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ folded
    }
}

/// By length: as many low bytes.
static MASKS: [u128; WHOLE + 1] = {
    let mut masks = [u128::MAX; WHOLE + 1];
    let mut length = 0;
    while length < WHOLE {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
};

impl Default for Dictionary {
    fn default() -> Self {
        Dictionary { arena: String::new(), ends: Vec::new(), slots: vec![Slot::default(); 1 << 10] }
    }
}

impl Dictionary {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.arena.len()
    }

    #[inline]
    pub(super) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        &self.arena[start..self.ends[number] as usize]
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.len() as u32).map(|number| self.text(number))
    }

    /// The strings from number `first` on, one after the other, and where each ends there.
    pub(super) fn since(&self, first: usize) -> (String, Vec<usize>) {
        let start = first.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        (self.arena[start..].to_owned(), self.ends[first..].iter().map(|&end| end as usize - start).collect())
    }

    /// The number of `text`, or the slot where it would go.
    #[inline]
    fn place(&self, text: &str, key: Key) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = key.hash() as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.next == 0 {
                return Err(at);
            }
            if slot.key == key && (text.len() <= WHOLE || self.text(slot.next - 1) == text) {
                return Ok(slot.next - 1);
            }
            at = (at + 1) & mask;
        }
    }

    /// The number of `text`, a new one where it was not seen; none past 2³² bytes or 2³¹ strings.
    #[inline]
    pub(super) fn intern(&mut self, text: &str, key: Key) -> Option<u32> {
        self.place(text, key).ok().or_else(|| self.add(text, key))
    }

    #[cold]
    fn add(&mut self, text: &str, key: Key) -> Option<u32> {
        let end = u32::try_from(self.arena.len() + text.len()).ok()?;
        if self.len() >= 1 << 31 {
            return None;
        }
        if self.len() * 2 >= self.slots.len() {
            self.grow();
        }
        // A slot that was found before growing may have moved.
        let at = self.place(text, key).err()?;
        self.arena.push_str(text);
        self.ends.push(end);
        self.slots[at] = Slot { key, next: self.ends.len() as u32 };
        self.slots[at].next.checked_sub(1)
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); mask + 1]);
        for slot in old.into_iter().filter(|slot| slot.next != 0) {
            let mut at = slot.key.hash() as usize & mask;
            while self.slots[at].next != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_a_hash_maps() {
        let mut dictionary = Dictionary::default();
        let mut map = HashMap::new();
        for i in 0..20_000u32 {
            let text = format!("{}t", i.wrapping_mul(2_654_435_761) % 9_001).repeat(i as usize % 7);
            let next = map.len() as u32;
            assert_eq!(dictionary.place(&text, Key::new(&text)).ok(), map.get(&text).copied());
            let number = *map.entry(text.clone()).or_insert(next);
            assert_eq!(dictionary.intern(&text, Key::new(&text)), Some(number));
            assert_eq!(dictionary.text(number), text);
        }
        assert_eq!(dictionary.len(), map.len());
        assert!(dictionary.texts().eq((0..map.len() as u32).map(|number| dictionary.text(number))));
    }

    proptest! {
        /// Strings of up to 16 bytes are told apart by their keys alone.
        #[test]
        fn keys_are_strings(a in "[ab]{0,17}", b in "[ab]{0,17}", rest in "[abé]{0,20}") {
            prop_assert_eq!(Key::new(&a) == Key::new(&b), a == b);
            let text = [a.as_str(), b.as_str(), &rest].concat();
            prop_assert_eq!(Key::within(&text, &text[a.len()..a.len() + b.len()]), Key::new(&b));
        }
    }
}
