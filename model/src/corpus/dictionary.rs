//! Strings to numbers in order of first sight: one arena of bytes, one open-addressing table.

use xxhash_rust::xxh3::xxh3_64;

/// Distinct strings, numbered from 0.
#[derive(Debug)]
pub(super) struct Dictionary {
    arena: String,
    /// End of each string in `arena`; it begins where the one before ends.
    ends: Vec<u32>,
    hashes: Vec<u64>,
    /// High half of the hash, number + 1; 0 is free. A power of two, at most half full.
    slots: Vec<(u32, u32)>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Dictionary { arena: String::new(), ends: Vec::new(), hashes: Vec::new(), slots: vec![(0, 0); 1 << 10] }
    }
}

/// The hash that [`Dictionary::find`] and [`Dictionary::intern`] want.
#[inline]
pub(super) fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
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

    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, u64)> {
        (0..).zip(&self.hashes).map(|(number, &hash)| (self.text(number), hash))
    }

    /// The number of `text`, or the slot where it would go.
    #[inline]
    fn place(&self, text: &str, hash: u64) -> Result<u32, usize> {
        let tag = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                (_, 0) => return Err(slot),
                (found, next) if found == tag && self.text(next - 1) == text => return Ok(next - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// The number of `text`, where it was seen.
    #[inline]
    pub(super) fn find(&self, text: &str, hash: u64) -> Option<u32> {
        self.place(text, hash).ok()
    }

    /// The number of `text`, a new one where it was not seen; none past 2³² bytes or 2³¹ strings.
    #[inline]
    pub(super) fn intern(&mut self, text: &str, hash: u64) -> Option<u32> {
        self.place(text, hash).ok().or_else(|| self.add(text, hash))
    }

    #[cold]
    fn add(&mut self, text: &str, hash: u64) -> Option<u32> {
        let end = u32::try_from(self.arena.len() + text.len()).ok()?;
        if self.len() >= 1 << 31 {
            return None;
        }
        if self.len() * 2 >= self.slots.len() {
            self.grow();
        }
        // A slot that was found before growing may have moved.
        let slot = self.place(text, hash).err()?;
        self.arena.push_str(text);
        self.ends.push(end);
        self.hashes.push(hash);
        let next = self.ends.len() as u32;
        self.slots[slot] = ((hash >> 32) as u32, next);
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
        let mut dictionary = Dictionary::default();
        let mut map = HashMap::new();
        for i in 0..20_000u32 {
            let text = format!("t{}", i.wrapping_mul(2_654_435_761) % 9_001);
            let next = map.len() as u32;
            assert_eq!(dictionary.find(&text, hash(&text)), map.get(&text).copied());
            let number = *map.entry(text.clone()).or_insert(next);
            assert_eq!(dictionary.intern(&text, hash(&text)), Some(number));
            assert_eq!(dictionary.text(number), text);
        }
        assert_eq!(dictionary.len(), map.len());
        assert!(dictionary.texts().eq((0..map.len() as u32).map(|n| (dictionary.text(n), hash(dictionary.text(n))))));
    }
}
