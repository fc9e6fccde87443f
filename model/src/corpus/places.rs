//! Where n-grams stand, and what tells them apart.

use super::stream::{Chunk, NONE};

/// Bits of a number: of units and of n-grams there are fewer than [`MOST_COLUMNS`](crate::counts::MOST_COLUMNS).
const BITS: u32 = 28;
/// Bits of a key.
pub(super) const KEY_BITS: u32 = 2 * BITS;

/// An n-gram: the number of its first n - 1 units as one, and of the last.
#[inline]
pub(super) fn key(prefix: u32, unit: u32) -> u64 {
    u64::from(prefix) << BITS | u64::from(unit)
}

/// Prefix and unit of a key.
#[inline]
pub(super) fn parts_of(key: u64) -> (u32, u32) {
    ((key >> BITS) as u32, key as u32 & ((1 << BITS) - 1))
}

#[inline]
pub(super) fn mix(key: u64) -> u64 {
    let mixed = (key ^ key >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// Where n-grams of `n` units stand in a chunk: units, and the numbers of the (n - 1)-grams at the same places.
#[derive(Clone, Copy)]
pub(super) struct Places<'c> {
    pub(super) units: &'c Chunk,
    pub(super) prefixes: &'c Chunk,
    pub(super) n: usize,
}

impl Places<'_> {
    pub(super) fn count(&self) -> usize {
        (0..self.units.documents()).map(|i| (self.units.span(i).len() + 1).saturating_sub(self.n)).sum()
    }

    /// Keys at the places of a document, and whether neither prefix nor unit was pruned.
    #[inline]
    pub(super) fn keys(&self, document: usize) -> impl Iterator<Item = (u64, bool)> {
        let last = self.units.document(document).get(self.n - 1..).unwrap_or_default();
        let both = self.prefixes.document(document).iter().zip(last);
        both.map(|(&prefix, &unit)| (key(prefix, unit), (prefix != NONE) & (unit != NONE)))
    }
}
