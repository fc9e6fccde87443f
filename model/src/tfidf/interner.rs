//! Terms to numbers in order of first sight: one arena of bytes, one open-addressing table.

use xxhash_rust::xxh3::xxh3_64;

/// Terms seen in a fit, numbered from 0.
#[derive(Debug)]
pub(super) struct Interner {
    arena: Vec<u8>,
    /// End of each term in `arena`; it begins where the one before ends.
    ends: Vec<u32>,
    hashes: Vec<u64>,
    /// High half of the hash, number + 1; 0 is free. A power of two, at most two thirds full.
    slots: Vec<(u32, u32)>,
    /// Whether a term was turned away for want of 32-bit numbers.
    overflowed: bool,
}

impl Interner {
    pub(super) fn new() -> Self {
        Interner {
            arena: Vec::new(),
            ends: Vec::new(),
            hashes: Vec::new(),
            slots: vec![(0, 0); 1 << 12],
            overflowed: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.arena.len()
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn term(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        &self.arena[start..self.ends[number] as usize]
    }

    pub(super) fn hash(&self, number: u32) -> u64 {
        self.hashes[number as usize]
    }

    /// The number of `term`, a new one where it was not seen; none past 32 bits.
    #[inline]
    pub(super) fn intern(&mut self, term: &[u8]) -> Option<u32> {
        let hash = xxh3_64(term);
        let tag = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                (_, 0) => return self.add(term, hash, slot),
                (found, next) if found == tag && self.term(next - 1) == term => return Some(next - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    #[cold]
    fn add(&mut self, term: &[u8], hash: u64, slot: usize) -> Option<u32> {
        let (Ok(next), Ok(end)) = (u32::try_from(self.len() + 1), u32::try_from(self.arena.len() + term.len())) else {
            self.overflowed = true;
            return None;
        };
        self.arena.extend_from_slice(term);
        self.ends.push(end);
        self.hashes.push(hash);
        self.slots[slot] = ((hash >> 32) as u32, next);
        if self.len() * 3 > self.slots.len() * 2 {
            self.grow();
        }
        Some(next - 1)
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 4 - 1;
        self.slots = vec![(0, 0); mask + 1];
        for (number, &hash) in (1..).zip(&self.hashes) {
            let mut slot = hash as usize & mask;
            while self.slots[slot].1 != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = ((hash >> 32) as u32, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn numbers_are_a_hash_maps() {
        let mut interner = Interner::new();
        let mut map = HashMap::new();
        for i in 0..20_000u32 {
            let term = format!("t{}", i.wrapping_mul(2_654_435_761) % 9_001);
            let next = map.len() as u32;
            let number = *map.entry(term.clone()).or_insert(next);
            assert_eq!(interner.intern(term.as_bytes()), Some(number));
            assert_eq!(interner.term(number), term.as_bytes());
        }
        assert_eq!(interner.len(), map.len());
    }
}
