//! The vocabulary: terms ascending by code point, found by a hash index that is part of the bytes.
//!
//! The bytes are the same in memory and in an artifact's `vocabulary.bin`, so that a mapped file needs no rebuilding.
//! All numbers are little-endian:
//!
//! | at | what |
//! | --- | --- |
//! | 0 | `SAGEVOCB` |
//! | 8 | version, u32: 1 |
//! | 12 | zero, u32 |
//! | 16 | number of terms `n`, u64 |
//! | 24 | bytes of the terms `b`, u64 |
//! | 32 | slots of the index `s`, u64: a power of two, at least `n + 1` |
//! | 40 | `n + 1` offsets, u32: term `i` is bytes `offset[i] .. offset[i + 1]` of the terms |
//! | 44 + 4n | `s` slots of two u32: the high half of the hash, the term's number + 1 (0 where the slot is free) |
//! | 44 + 4n + 8s | the terms' UTF-8, one after the other |
//!
//! A term's hash is xxh3 (64 bit, seed 0) of its bytes; its search begins at slot `hash mod s` and goes on by one.

use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"SAGEVOCB";
const VERSION: u32 = 1;
const HEADER: usize = 40;

/// Terms ascending, and the way from a term to its number.
#[derive(Debug, Clone)]
pub(crate) struct Vocabulary<B> {
    bytes: B,
    terms: usize,
    slots: usize,
}

impl Vocabulary<Vec<u8>> {
    /// From terms that ascend, with their hashes; fewer than 2³² of them, of less than 4 GiB.
    pub(super) fn build<'t>(terms: impl ExactSizeIterator<Item = (&'t [u8], u64)> + Clone) -> Self {
        let count = terms.len();
        let arena: usize = terms.clone().map(|(term, _)| term.len()).sum();
        // At most three quarters full.
        let slots = (count + count / 3 + 1).next_power_of_two();
        let mut bytes = Vec::with_capacity(HEADER + (count + 1) * 4 + slots * 8 + arena);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        for number in [count, arena, slots] {
            bytes.extend_from_slice(&(number as u64).to_le_bytes());
        }
        let mut offset = 0u32;
        bytes.extend_from_slice(&offset.to_le_bytes());
        for (term, _) in terms.clone() {
            offset += term.len() as u32;
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        let index = bytes.len();
        bytes.resize(index + slots * 8, 0);
        for (number, (_, hash)) in (1u32..).zip(terms.clone()) {
            let mut slot = hash as usize & (slots - 1);
            while u32_at(&bytes, index + slot * 8 + 4) != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            let at = index + slot * 8;
            bytes[at..at + 4].copy_from_slice(&((hash >> 32) as u32).to_le_bytes());
            bytes[at + 4..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        terms.for_each(|(term, _)| bytes.extend_from_slice(term));
        Vocabulary { bytes, terms: count, slots }
    }
}

impl<B: AsRef<[u8]>> Vocabulary<B> {
    /// From bytes of any origin, each checked; else what is wrong with them.
    pub(crate) fn from_bytes(bytes: B) -> Result<Self, String> {
        let all = bytes.as_ref();
        if all.len() < HEADER || &all[..8] != MAGIC {
            return Err("it does not begin as a vocabulary does".into());
        }
        if u32_at(all, 8) != VERSION {
            return Err(format!("it is a vocabulary of version {}; expected {VERSION}", u32_at(all, 8)));
        }
        let [terms, arena, slots] = [16, 24, 32].map(|at| u64_at(all, at));
        let length = terms
            .checked_mul(4)
            .and_then(|offsets| offsets.checked_add(HEADER as u64 + 4))
            .and_then(|length| length.checked_add(slots.checked_mul(8)?))
            .and_then(|length| length.checked_add(arena));
        if length != Some(all.len() as u64) {
            let found = all.len();
            return Err(format!("{found} bytes are not {terms} terms of {arena} bytes and {slots} slots"));
        }
        if !slots.is_power_of_two() || slots <= terms {
            return Err(format!("an index of {slots} slots cannot hold {terms} terms"));
        }
        // Both fit: together they are no longer than the bytes at hand.
        let vocabulary = Vocabulary { bytes, terms: terms as usize, slots: slots as usize };
        vocabulary.check_terms()?;
        vocabulary.check_index()?;
        Ok(vocabulary)
    }

    fn check_terms(&self) -> Result<(), String> {
        let arena = self.arena();
        let text = std::str::from_utf8(arena).map_err(|e| format!("its terms are not UTF-8: {e}"))?;
        let (first, last) = (self.offset(0), self.offset(self.terms));
        if first != 0 || last != arena.len() {
            return Err(format!("its terms span {first} to {last}; expected 0 to {}", arena.len()));
        }
        let mut before: &[u8] = &[];
        for number in 0..self.terms {
            let (start, end) = (self.offset(number), self.offset(number + 1));
            if start >= end || !text.is_char_boundary(end) {
                return Err(format!("term {number} spans {start} to {end}, which is no text"));
            }
            let term = &arena[start..end];
            if number > 0 && before >= term {
                return Err(format!("term {number} does not come after the one before it"));
            }
            before = term;
        }
        Ok(())
    }

    fn check_index(&self) -> Result<(), String> {
        let index = &self.all()[self.index_at()..self.arena_at()];
        let mut used = 0;
        for slot in index.chunks_exact(8) {
            let number = u32_at(slot, 4) as usize;
            if number > self.terms {
                return Err(format!("its index names term {number} of {}", self.terms));
            }
            used += usize::from(number != 0);
        }
        if used != self.terms {
            return Err(format!("its index holds {used} terms of {}", self.terms));
        }
        Ok(())
    }

    /// Number of terms.
    pub(crate) fn len(&self) -> usize {
        self.terms
    }

    /// The whole layout, as on disk.
    pub(crate) fn all(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Term `number`, if there is one.
    pub(crate) fn term(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let bytes = (number < self.terms).then(|| &self.arena()[self.offset(number)..self.offset(number + 1)])?;
        std::str::from_utf8(bytes).ok()
    }

    /// The number of `term`, if it was kept.
    #[inline]
    pub(crate) fn find(&self, term: &[u8]) -> Option<u32> {
        let hash = xxh3_64(term);
        let tag = (hash >> 32) as u32;
        let (all, index, arena) = (self.all(), self.index_at(), self.arena());
        let mut slot = hash as usize & (self.slots - 1);
        // A slot is free always (there are more slots than terms), so the search ends.
        loop {
            let at = index + slot * 8;
            let next = u32_at(all, at + 4);
            if next == 0 {
                return None;
            }
            if u32_at(all, at) == tag {
                let number = next as usize - 1;
                if &arena[self.offset(number)..self.offset(number + 1)] == term {
                    return Some(next - 1);
                }
            }
            slot = (slot + 1) & (self.slots - 1);
        }
    }

    fn index_at(&self) -> usize {
        HEADER + (self.terms + 1) * 4
    }

    fn arena_at(&self) -> usize {
        self.index_at() + self.slots * 8
    }

    fn arena(&self) -> &[u8] {
        &self.all()[self.arena_at()..]
    }

    fn offset(&self, number: usize) -> usize {
        u32_at(self.all(), HEADER + number * 4) as usize
    }
}

#[inline]
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use proptest::prelude::*;

    use super::*;

    fn build(terms: &BTreeSet<String>) -> Vocabulary<Vec<u8>> {
        let terms: Vec<_> = terms.iter().map(|term| (term.as_bytes(), xxh3_64(term.as_bytes()))).collect();
        Vocabulary::build(terms.into_iter())
    }

    proptest! {
        #[test]
        fn lookup_is_a_hash_maps(
            terms in proptest::collection::btree_set("[a-dé가 ]{1,4}", 0..60),
            others in proptest::collection::vec("[a-dé가 ]{0,4}", 0..60),
        ) {
            let vocabulary = Vocabulary::from_bytes(build(&terms).bytes).unwrap();
            let map: HashMap<&str, u32> = terms.iter().map(String::as_str).zip(0..).collect();
            prop_assert_eq!(vocabulary.len(), terms.len());
            for term in terms.iter().chain(&others) {
                prop_assert_eq!(vocabulary.find(term.as_bytes()), map.get(term.as_str()).copied());
            }
            for (number, term) in terms.iter().enumerate() {
                prop_assert_eq!(vocabulary.term(number as u32), Some(term.as_str()));
            }
            prop_assert_eq!(vocabulary.term(terms.len() as u32), None);
        }

        #[test]
        fn any_change_is_refused_or_harmless(at in any::<prop::sample::Index>(), bit in 0..8u8, cut in any::<prop::sample::Index>()) {
            let terms: BTreeSet<String> = ["ab", "abc", "für", "가나", "zz"].map(String::from).into();
            let whole = build(&terms).bytes;
            prop_assert!(Vocabulary::from_bytes(whole[..cut.index(whole.len())].to_vec()).is_err());
            let mut flipped = whole.clone();
            let at = at.index(flipped.len());
            flipped[at] ^= 1 << bit;
            if let Ok(vocabulary) = Vocabulary::from_bytes(flipped) {
                for term in &terms {
                    vocabulary.find(term.as_bytes());
                }
                prop_assert!((0..5).all(|number| vocabulary.term(number).is_some()));
            }
        }
    }
}
