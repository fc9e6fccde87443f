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

use std::ops::Range;

use crate::linear::kernel::Kernel;
use crate::linear::tiles::{self, Part, Tile};
use crate::records::{Block, Records};
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
    /// By row and block: where in the row's packed entries the tail begins. Empty where nothing is merged.
    tails: Vec<u32>,
    /// Of each chunk of rows, which part the rows in order.
    chunks: Vec<Vec<Tile>>,
    /// Coordinate of the first row's single terms, where they are merged.
    singles: Option<usize>,
    coordinates: usize,
}

impl Layout {
    /// For `vectors` weights a column.
    pub(super) fn new(records: &Records, vectors: usize) -> Self {
        Self::with(records, vectors, true)
    }

    pub(super) fn with(records: &Records, vectors: usize, merge: bool) -> Self {
        let kernel = Kernel::new(records.term_frequency());
        let documents = records.documents();
        let (mut heads, mut values) = (Vec::new(), 0);
        let frequencies: Vec<Vec<u32>> = threads::map(records.blocks().len(), |block| {
            let counts = &records.blocks()[block].counts;
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
        let chunks = row_chunks(records, chunks);
        let tails = if merge { tails(records, &kernel, &heads) } else { Vec::new() };
        let tile = |rows: Range<usize>| {
            let documents = &records.documents()[rows.clone()];
            let part = |(block, &head): (&Block, &usize)| Part::new(&block.counts, documents, head, vectors);
            Tile { parts: records.blocks().iter().zip(&heads).map(part).collect(), rows }
        };
        let tiles = |rows: Range<usize>| tiles::ranges(rows, vectors).map(tile).collect();
        let chunks = threads::map(chunks.len(), |chunk| tiles(chunks[chunk].clone()));
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
    pub(super) fn tail<'p>(&self, packed: &'p [u32], row: usize, block: usize) -> &'p [u32] {
        self.tails.get(row * self.blocks.len() + block).map_or(&[], |&tail| &packed[tail as usize..])
    }
}

/// Packed entries of a document.
fn length(records: &Records, document: u32) -> usize {
    records.blocks().iter().map(|block| block.counts.packed(document as usize).len()).sum()
}

/// Ranges of rows with about equally many entries, each but the last of a multiple of [`ROWS`].
pub(super) fn row_chunks(records: &Records, count: usize) -> Vec<Range<usize>> {
    let lengths: Vec<usize> = records
        .documents()
        .chunks(ROWS)
        .map(|rows| rows.iter().map(|&document| length(records, document)).sum())
        .collect();
    let total: usize = lengths.iter().sum();
    let (mut bounds, mut before) = (vec![0], 0);
    for (at, length) in lengths.iter().enumerate() {
        if bounds.len() < count && before * count >= bounds.len() * total && at > 0 {
            bounds.push(at * ROWS);
        }
        before += length;
    }
    bounds.push(records.rows());
    bounds.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

fn tails(records: &Records, kernel: &Kernel, heads: &[usize]) -> Vec<u32> {
    let of_rows = |rows: Range<usize>| {
        let mut tails = Vec::with_capacity(rows.len() * heads.len());
        for &document in &records.documents()[rows] {
            for (block, &head) in records.blocks().iter().zip(heads) {
                let entries = kernel.entries(block.counts.packed(document as usize));
                let before = entries.take_while(|&(column, ..)| column < head);
                tails.push(before.map(|(.., length)| length as u32).sum());
            }
        }
        tails
    };
    threads::each(row_chunks(records, threads::count()), of_rows).concat()
}
