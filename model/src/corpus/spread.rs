//! Places spread over blocks by the hash of what stands there.
//!
//! What is looked up at every place of a text lies anywhere in a table that is larger than the caches. So places are
//! first written down in blocks: of one block after the other, what is looked up stays in cache.

use std::ops::Range;

use super::places::{KEY_BITS, Places, mix};

/// So many of `of` equal ranges of the hashes, from `first` on: a block each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ranges {
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) of: u64,
}

/// Blocks that are written to at once: so many, each at another place in memory, are no burden yet.
const MOST_BLOCKS: usize = 1 << 9;

impl Ranges {
    /// All hashes, in about so many blocks.
    pub(super) fn all(blocks: usize) -> Self {
        let count = blocks.clamp(1, MOST_BLOCKS) as u64;
        Ranges { first: 0, count, of: count }
    }

    /// All hashes in so many rounds of about so many blocks.
    pub(super) fn rounds(rounds: usize, blocks: usize) -> impl Iterator<Item = Self> {
        let Ranges { count, .. } = Self::all(blocks);
        (0..rounds as u64).map(move |round| Ranges { first: round * count, count, of: rounds as u64 * count })
    }

    /// The block of a hash, below `count` if it has one.
    #[inline]
    pub(super) fn block(self, hash: u64) -> usize {
        (((hash >> 32) * self.of) >> 32).wrapping_sub(self.first) as usize
    }

    #[inline]
    pub(super) fn hold(self, hash: u64) -> bool {
        self.block(hash) < self.count as usize
    }
}

/// Places that are looked at before those of them that have a block are added.
const BATCH: usize = 32;

/// Entries of a page: so many that what is read of it is more than what is waited for at its beginning.
const PAGE: usize = 1 << 11;
/// Entries that are kept though they are not needed just now.
const SPARE: usize = 1 << 22;

/// Places by block, in the order in which they were added: key and, above it, the last bits of the document. Where the
/// other bits of it are not those of the place before, an entry of theirs comes first.
#[derive(Default)]
pub(super) struct Spread {
    ranges: Ranges,
    /// Pages one after the other. They are used again and again: memory that was never written to is dear.
    entries: Vec<u64>,
    used: usize,
    blocks: Vec<Block>,
}

#[derive(Default, Clone)]
struct Block {
    /// Where each page starts.
    pages: Vec<usize>,
    /// Where the next entry goes; at the end of a page it has none.
    next: usize,
    /// The document's other bits.
    high: u32,
}

/// Bits of the document in an entry.
const LOW_BITS: u32 = u64::BITS - KEY_BITS;
/// An entry of the other bits, without them: no n-gram has that key.
const HIGH: u64 = ((1 << KEY_BITS) - 1) & !((1 << (u32::BITS - LOW_BITS)) - 1);
const KEY: u64 = (1 << KEY_BITS) - 1;

impl Spread {
    /// Empties it, for about so many places.
    pub(super) fn clear(&mut self, ranges: Ranges, places: usize) {
        self.ranges = ranges;
        self.used = 0;
        self.blocks.clear();
        self.blocks.resize(ranges.count as usize, Block::default());
        // What is not used is not given by the system either.
        let most = places + places / 2 + (ranges.count as usize + 1) * PAGE;
        if !(most..=most + SPARE).contains(&self.entries.len()) {
            self.entries = Vec::new();
            self.entries = vec![0; most];
        }
    }

    /// Adds the places of some documents with the numbers that they have.
    pub(super) fn add(&mut self, places: Places<'_>, documents: Range<usize>, number_of: impl Fn(usize) -> u32) {
        let (mut batch, mut length) = ([(0, 0, 0); BATCH], 0);
        for document in documents {
            let number = number_of(document);
            for (key, whole) in places.keys(document) {
                let block = self.ranges.block(mix(key));
                batch[length] = (key, block, number);
                // No branch here would be foreseen.
                length += usize::from(whole & (block < self.blocks.len()));
                if length == BATCH {
                    batch.iter().for_each(|&place| self.add_place(place));
                    length = 0;
                }
            }
        }
        batch[..length].iter().for_each(|&place| self.add_place(place));
    }

    #[inline]
    fn add_place(&mut self, (key, block, document): (u64, usize, u32)) {
        let high = document >> LOW_BITS;
        if self.blocks[block].high != high {
            self.blocks[block].high = high;
            self.push(block, HIGH | u64::from(high));
        }
        self.push(block, u64::from(document) << KEY_BITS | key);
    }

    #[inline]
    fn push(&mut self, block: usize, entry: u64) {
        let block = &mut self.blocks[block];
        if block.next.is_multiple_of(PAGE) {
            block.next = self.used;
            block.pages.push(self.used);
            self.used += PAGE;
            if self.used > self.entries.len() {
                self.entries.resize(self.used * 5 / 4, 0);
            }
        }
        self.entries[block.next] = entry;
        block.next += 1;
    }

    /// Where the entries of a block are.
    fn pages(&self, block: usize) -> impl Iterator<Item = Range<usize>> + use<'_> {
        let block = &self.blocks[block];
        let (last, whole) = block.pages.split_last().map_or((None, &[][..]), |(&last, whole)| (Some(last), whole));
        whole.iter().map(|&start| start..start + PAGE).chain(last.map(|start| start..block.next))
    }

    /// Entries of a block, at most.
    pub(super) fn length(&self, block: usize) -> usize {
        self.blocks[block].pages.len() * PAGE
    }

    /// Keys and documents of a block.
    #[inline]
    pub(super) fn each(&self, block: usize, mut visit: impl FnMut(u64, u32)) {
        let mut high = 0;
        for page in self.pages(block) {
            for &entry in &self.entries[page] {
                match entry & HIGH == HIGH {
                    true => high = (entry & !HIGH) << LOW_BITS,
                    false => visit(entry & KEY, (high | entry >> KEY_BITS) as u32),
                }
            }
        }
    }

    /// Puts numbers in the place of a block's keys; all documents must have been 0.
    #[inline]
    pub(super) fn replace(&mut self, block: usize, number_of: impl Fn(u64) -> u32) {
        let pages: Vec<Range<usize>> = self.pages(block).collect();
        for page in pages {
            self.entries[page].iter_mut().for_each(|entry| *entry = u64::from(number_of(*entry)));
        }
    }

    /// Reads the entries again, in the order in which they were added.
    pub(super) fn reader(&self) -> Reader<'_> {
        let start = |block: &Block| block.pages.first().copied().unwrap_or_default();
        Reader { spread: self, next: self.blocks.iter().map(|block| (start(block), 0)).collect() }
    }
}

/// Where the entries of every block were read to: the next, and its page's place among those of the block.
pub(super) struct Reader<'s> {
    spread: &'s Spread,
    next: Vec<(usize, usize)>,
}

impl Reader<'_> {
    /// The next entry of the block with this hash.
    #[inline]
    pub(super) fn next(&mut self, hash: u64) -> u32 {
        let block = self.spread.ranges.block(hash);
        let (at, page) = &mut self.next[block];
        let entry = self.spread.entries[*at];
        *at += 1;
        if *at % PAGE == 0 {
            *page += 1;
            *at = self.spread.blocks[block].pages.get(*page).copied().unwrap_or_default();
        }
        entry as u32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::places::key;
    use super::super::stream::{NONE, Stream};
    use super::*;

    proptest! {
        /// By block, in order, each place with its document, whatever its number; and read again in the order of the text.
        #[test]
        fn what_is_spread_is_read(
            documents in proptest::collection::vec(proptest::collection::vec(0..40u32, 0..90), 1..60),
            gaps in 1..2_000u32,
            (rounds, blocks) in (1..4usize, 1..9usize),
        ) {
            let mut stream = Stream::default();
            for document in &documents {
                stream.push(document.iter().map(|&unit| if unit == 7 { NONE } else { unit }));
            }
            let (chunk, n) = (&stream.chunks[0], 2);
            let places = Places { units: chunk, prefixes: chunk, n };
            let mut want = Vec::new();
            for (number, document) in (0..).zip(&documents) {
                let whole = document.windows(n).filter(|pair| !pair.contains(&7));
                want.extend(whole.map(|pair| (key(pair[0], pair[1]), number * gaps)));
            }
            let (mut spread, mut found) = (Spread::default(), Vec::new());
            for ranges in Ranges::rounds(rounds, blocks) {
                spread.clear(ranges, 10);
                spread.add(places, 0..documents.len(), |document| document as u32 * gaps);
                for block in 0..blocks {
                    let mut own = Vec::new();
                    spread.each(block, |key, document| own.push((key, document)));
                    prop_assert!(own.len() <= spread.length(block));
                    prop_assert!(own.iter().all(|&(key, _)| ranges.block(mix(key)) == block));
                    prop_assert!(own.is_sorted_by_key(|&(_, document)| document));
                    found.extend(own);
                }
            }
            let mut sorted = want.clone();
            sorted.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, sorted);

            spread.clear(Ranges::all(blocks), want.len());
            spread.add(places, 0..documents.len(), |_| 0);
            (0..blocks).for_each(|block| spread.replace(block, |key| key as u32 ^ 5));
            let mut reader = spread.reader();
            for (key, _) in want {
                prop_assert_eq!(reader.next(mix(key)), key as u32 ^ 5);
            }
        }
    }

    #[test]
    fn a_block_has_many_pages() {
        let mut stream = Stream::default();
        stream.push((0..3 * PAGE as u32 + 9).map(|at| at % 2));
        let (chunk, mut spread) = (&stream.chunks[0], Spread::default());
        let places = Places { units: chunk, prefixes: chunk, n: 2 };
        spread.clear(Ranges::all(3), 1);
        spread.add(places, 0..1, |_| u32::MAX);
        let mut count = 0;
        (0..3).for_each(|block| spread.each(block, |_, document| count += usize::from(document == u32::MAX)));
        assert_eq!(count, 3 * PAGE + 8);
    }
}
