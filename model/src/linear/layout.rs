//! Where a solver's numbers lie: which columns it has, and who works on what.
//!
//! **Coordinates.** Each block's columns in order, without the tail of those that stand in one row at most; where there
//! are such tails, one coordinate a row for all that row's single terms together; at last the intercept. The terms that
//! stand in one document alone are exchangeable: under an L2 penalty the best weights of one row's are proportional to
//! their values, `wⱼ = u xⱼ / ‖x‖`, so that together they are one column of value `‖x‖`, and the minimum is the same.
//! Columns are sorted by document frequency, so that they are each block's end, and each row's.
//!
//! **Chunks.** The records are read in chunks of rows, each with sums of its own by coordinate, which are added in the chunks'
//! order. The data fix how many there are, so that the result does not tell who worked on them.
//!
//! **Memory.** A layout holds all that a solver reads, about three bytes a value; the counts are let go of, row by row, as it is made.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::counts::Counts;
use crate::linear::kernel::Kernel;
use crate::linear::tiles::{self, Part, Tile};
use crate::records::Records;
use crate::threads;

/// Rows whose sums are taken together.
pub(super) const ROWS: usize = 256;
/// Values times vectors that are worth a chunk.
const WORTH: u64 = 1 << 18;
/// Chunks at most: more threads than this do not help a solver, and each chunk costs a reading of all sums.
const CHUNKS: usize = 4;
/// Values a coordinate from which on there are more than two.
const VALUES: u64 = 16;

/// Of one block: how many columns have a coordinate each (the rest is the tail), and that of the first.
#[derive(Debug)]
struct Columns {
    head: usize,
    first: usize,
}

#[derive(Debug)]
pub(super) struct Layout {
    blocks: Vec<Columns>,
    tails: Tails,
    /// Of each chunk of rows, which part the rows in order.
    chunks: Vec<Vec<Tile>>,
    /// Coordinate of the first row's single terms, where they are merged.
    singles: Option<usize>,
    coordinates: usize,
}

/// What of rows' packed entries is merged: of each row and block its own, one after the other. Empty where nothing is.
#[derive(Debug, Default)]
struct Tails {
    entries: Vec<u32>,
    ends: Vec<usize>,
}

/// The counts that a chunk is made of, while it is.
type Own = Mutex<Vec<Counts>>;

impl Layout {
    /// Of `counts`, the blocks of `records`, for `vectors` weights a column.
    pub(super) fn new(records: &Records, counts: Vec<Arc<Counts>>, vectors: usize) -> Self {
        Self::with(records, counts, vectors, true)
    }

    pub(super) fn with(records: &Records, counts: Vec<Arc<Counts>>, vectors: usize, merge: bool) -> Self {
        let kernel = Kernel::new(records.term_frequency());
        let documents = records.documents();
        let (mut heads, mut values) = (Vec::new(), 0);
        let frequencies: Vec<Vec<u32>> = threads::map(counts.len(), |block| {
            let counts = &counts[block];
            let mut frequencies = vec![0u32; counts.columns()];
            for &document in documents {
                for (column, ..) in kernel.entries(counts.packed(document as usize)) {
                    frequencies[column] = frequencies[column].saturating_add(1);
                }
            }
            frequencies
        });
        for frequencies in &frequencies {
            heads.push(frequencies.iter().rposition(|&rows| rows > 1).map_or(0, |last| last + 1));
            values += frequencies.iter().map(|&rows| u64::from(rows)).sum::<u64>();
        }
        // Merging pays where the rows are fewer than the columns it saves.
        let saved: usize = frequencies.iter().zip(&heads).map(|(all, head)| all.len() - head).sum();
        let merge = merge && saved > documents.len();
        if !merge {
            heads = frequencies.iter().map(Vec::len).collect();
        }
        let mut first = 0;
        let mut blocks = Vec::new();
        for &head in &heads {
            blocks.push(Columns { head, first });
            first += head;
        }
        drop(frequencies);
        let singles = merge.then_some(first);
        let coordinates = first + if merge { documents.len() } else { 0 } + 1;
        let chunks = match values * vectors as u64 {
            little if little < 2 * WORTH => 1,
            much if much >= CHUNKS as u64 * WORTH && values >= VALUES * coordinates as u64 => CHUNKS,
            _ => 2,
        };
        let chunks = row_chunks(documents, &counts, chunks);
        let own: Vec<Own> = chunks.iter().map(|rows| Mutex::new(held(&counts, &documents[rows.clone()]))).collect();
        drop(counts);
        let ascending = documents.is_sorted();
        let made = threads::map(chunks.len(), |chunk| {
            let mut own = std::mem::take(&mut *own[chunk].lock().unwrap_or_else(PoisonError::into_inner));
            let (mut tiles, mut tails) = (Vec::new(), Tails::default());
            for rows in tiles::ranges(chunks[chunk].clone(), vectors) {
                let documents = &records.documents()[rows.clone()];
                if merge {
                    tails.add(&kernel, &own, documents, &heads);
                }
                let part = |(counts, &head): (&Counts, &usize)| Part::new(counts, documents, head, vectors);
                tiles.push(Tile { parts: own.iter().zip(&heads).map(part).collect(), rows });
                if let Some(&last) = documents.last().filter(|_| ascending) {
                    own.iter_mut().for_each(|counts| counts.keep(last as usize..counts.rows()));
                }
            }
            (tiles, tails)
        });
        let (mut chunks, mut tails) = (Vec::new(), Tails::default());
        for (tiles, own) in made {
            chunks.push(tiles);
            tails.append(own);
        }
        Layout { blocks, tails, chunks, singles, coordinates }
    }

    /// Number of coordinates, of one vector.
    pub(super) fn coordinates(&self) -> usize {
        self.coordinates
    }

    /// What is read by one thread each, in order.
    pub(super) fn chunks(&self) -> &[Vec<Tile>] {
        &self.chunks
    }

    /// Threads that are of use.
    pub(super) fn workers(&self) -> usize {
        threads::count().min(self.chunks.len())
    }

    /// Coordinate of the first row's single terms, where they are merged.
    pub(super) fn singles(&self) -> Option<usize> {
        self.singles
    }

    /// Number of a block's columns that have a coordinate each.
    pub(super) fn head(&self, block: usize) -> usize {
        self.blocks[block].head
    }

    /// Coordinate of a block's first column.
    pub(super) fn first(&self, block: usize) -> usize {
        self.blocks[block].first
    }

    /// What of a row's packed entries of a block is merged.
    #[inline]
    pub(super) fn tail(&self, row: usize, block: usize) -> &[u32] {
        let Tails { entries, ends } = &self.tails;
        let at = row * self.blocks.len() + block;
        let start = at.checked_sub(1).map_or(0, |before| ends.get(before).copied().unwrap_or(0));
        ends.get(at).map_or(&[], |&end| &entries[start..end])
    }
}

impl Tails {
    fn add(&mut self, kernel: &Kernel, counts: &[Counts], documents: &[u32], heads: &[usize]) {
        for &document in documents {
            for (counts, &head) in counts.iter().zip(heads) {
                let packed = counts.packed(document as usize);
                let before = kernel.entries(packed).take_while(|&(column, ..)| column < head);
                self.entries.extend_from_slice(&packed[before.map(|(.., length)| length).sum()..]);
                self.ends.push(self.entries.len());
            }
        }
    }

    fn append(&mut self, more: Tails) {
        let before = self.entries.len();
        self.entries.extend_from_slice(&more.entries);
        self.ends.extend(more.ends.into_iter().map(|end| before + end));
    }
}

/// Of each block what these documents need.
fn held(counts: &[Arc<Counts>], documents: &[u32]) -> Vec<Counts> {
    let range = documents.iter().min().zip(documents.iter().max());
    let range = range.map_or(0..0, |(&first, &last)| first as usize..last as usize + 1);
    let held = |counts: &Arc<Counts>| {
        let mut counts = Counts::clone(counts);
        counts.keep(range.clone());
        counts
    };
    counts.iter().map(held).collect()
}

/// Ranges of rows, the `documents`, with about equally many entries, each but the last of a multiple of [`ROWS`].
pub(super) fn row_chunks(documents: &[u32], counts: &[Arc<Counts>], count: usize) -> Vec<Range<usize>> {
    let length = |&document: &u32| counts.iter().map(|counts| counts.packed(document as usize).len()).sum::<usize>();
    let lengths: Vec<usize> = documents.chunks(ROWS).map(|rows| rows.iter().map(length).sum()).collect();
    let total: usize = lengths.iter().sum();
    let (mut bounds, mut before) = (vec![0], 0);
    for (at, length) in lengths.iter().enumerate() {
        if bounds.len() < count && before * count >= bounds.len() * total && at > 0 {
            bounds.push(at * ROWS);
        }
        before += length;
    }
    bounds.push(documents.len());
    bounds.windows(2).map(|pair| pair[0]..pair[1]).collect()
}
