//! Where a solver's numbers lie: which columns it has, and who works on what.
//!
//! **Coordinates.** Each block's columns in order, without the tail of those that stand in one row at most; where there
//! are such tails, one coordinate a row for all that row's single terms together; at last the intercept. The terms that
//! stand in one document alone are exchangeable: under an L2 penalty the best weights of one row's are proportional to
//! their values, `wⱼ = u xⱼ / ‖x‖`, so that together they are one column of value `‖x‖`, and the minimum is the same.
//! Columns are sorted by document frequency, so that they are each block's end, and each row's.
//!
//! **Parts.** The forward pass is split by rows. The backward pass is split by columns: each thread owns a range of every
//! block's and reads every row's share of it, so that a column's sum is taken in the order of the rows, by whomever.

use std::ops::Range;

use crate::linear::kernel::Kernel;
use crate::records::Records;
use crate::threads;

/// Rows whose sums are taken together, whatever the number of threads.
pub(super) const ROWS: usize = 256;
/// Values times vectors for which a thread more is worth its start.
const WORTH: u64 = 1 << 18;

/// Of one block: `bounds[t]..bounds[t + 1]` are the columns of part `t`, from the last on is the tail.
#[derive(Debug)]
struct Columns {
    bounds: Vec<usize>,
    /// Coordinate of the first column.
    first: usize,
}

#[derive(Debug)]
pub(super) struct Layout {
    blocks: Vec<Columns>,
    /// By row, block and part: where the part after begins in the row's packed entries. Empty where a row is one part.
    cuts: Vec<u32>,
    rows: Vec<Range<usize>>,
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
        let tails: usize = frequencies.iter().zip(&heads).map(|(all, head)| all.len() - head).sum();
        let merge = merge && tails > documents.len();
        if !merge {
            heads = frequencies.iter().map(Vec::len).collect();
        }
        let parts = parts(values, vectors);
        let mut first = 0;
        let mut blocks = Vec::new();
        for (frequencies, &head) in frequencies.iter().zip(&heads) {
            blocks.push(Columns { bounds: bounds(&frequencies[..head], parts), first });
            first += head;
        }
        drop(frequencies);
        let singles = merge.then_some(first);
        let coordinates = first + if merge { documents.len() } else { 0 } + 1;
        let rows = row_parts(records, parts);
        let cuts = if parts > 1 || merge { cuts(records, &kernel, &blocks, &rows) } else { Vec::new() };
        Layout { blocks, cuts, rows, singles, coordinates }
    }

    /// Every column a coordinate, split by rows alone: for the forward pass.
    pub(super) fn plain(records: &Records, vectors: usize) -> Self {
        let values: usize = records.documents().iter().map(|&document| length(records, document)).sum();
        let rows = row_parts(records, parts(values as u64, vectors));
        let starts = &records.starts()[..records.blocks().len()];
        let blocks = starts.iter().zip(records.blocks()).map(|(&first, block)| {
            let mut bounds = vec![block.counts.columns(); rows.len() + 1];
            bounds[0] = 0;
            Columns { bounds, first }
        });
        let blocks = blocks.collect();
        Layout { blocks, cuts: Vec::new(), rows, singles: None, coordinates: records.columns() + 1 }
    }

    /// Number of coordinates, of one vector.
    pub(super) fn coordinates(&self) -> usize {
        self.coordinates
    }

    pub(super) fn parts(&self) -> usize {
        self.rows.len()
    }

    /// Coordinate of the first row's single terms, where they are merged.
    pub(super) fn singles(&self) -> Option<usize> {
        self.singles
    }

    /// Number of a block's columns that have a coordinate each.
    pub(super) fn head(&self, block: usize) -> usize {
        self.blocks[block].bounds[self.parts()]
    }

    /// Coordinate of a block's first column.
    pub(super) fn first(&self, block: usize) -> usize {
        self.blocks[block].first
    }

    /// The columns of a block that are a part's.
    pub(super) fn columns(&self, block: usize, part: usize) -> Range<usize> {
        self.blocks[block].bounds[part]..self.blocks[block].bounds[part + 1]
    }

    /// The rows that are a part's.
    pub(super) fn rows(&self) -> &[Range<usize>] {
        &self.rows
    }

    /// What of a row's packed entries is in the columns of a part, and for the part after the last what is in the tail.
    #[inline]
    pub(super) fn share<'p>(&self, packed: &'p [u32], row: usize, block: usize, part: usize) -> &'p [u32] {
        let Some(cuts) = self.cuts_of(row, block) else { return if part == 0 { packed } else { &[] } };
        let start = if part == 0 { 0 } else { cuts[part - 1] as usize };
        let end = cuts.get(part).map_or(packed.len(), |&cut| cut as usize);
        &packed[start..end]
    }

    /// What of a row's packed entries is not in the tail.
    #[inline]
    pub(super) fn kept<'p>(&self, packed: &'p [u32], row: usize, block: usize) -> &'p [u32] {
        match self.cuts_of(row, block) {
            Some(cuts) => &packed[..cuts[cuts.len() - 1] as usize],
            None => packed,
        }
    }

    fn cuts_of(&self, row: usize, block: usize) -> Option<&[u32]> {
        let parts = self.parts();
        self.cuts.get((row * self.blocks.len() + block) * parts..)?.get(..parts)
    }

    /// A point's numbers by part: of each block, then of the rows' single terms. The intercepts are left out.
    pub(super) fn deal<'v>(&self, mut values: &'v mut [f64], vectors: usize) -> Vec<Vec<&'v mut [f64]>> {
        let mut parts: Vec<Vec<&mut [f64]>> = (0..self.parts()).map(|_| Vec::new()).collect();
        let mut take = |count: usize| values.split_off_mut(..count * vectors).unwrap_or_default();
        for block in 0..self.blocks.len() {
            for (part, pieces) in parts.iter_mut().enumerate() {
                pieces.push(take(self.columns(block, part).len()));
            }
        }
        if self.singles.is_some() {
            for (rows, pieces) in self.rows.iter().zip(&mut parts) {
                pieces.push(take(rows.len()));
            }
        }
        parts
    }
}

/// Threads that so many values are worth.
fn parts(values: u64, vectors: usize) -> usize {
    threads::count().min((values * vectors as u64 / WORTH) as usize).max(1)
}

/// Packed entries of a document.
fn length(records: &Records, document: u32) -> usize {
    records.blocks().iter().map(|block| block.counts.packed(document as usize).len()).sum()
}

/// Bounds of ranges of about equally many values.
fn bounds(frequencies: &[u32], parts: usize) -> Vec<usize> {
    let total: u64 = frequencies.iter().map(|&rows| u64::from(rows)).sum();
    let mut bounds = vec![0];
    let mut before = 0;
    for (column, &rows) in frequencies.iter().enumerate() {
        if bounds.len() < parts && before * parts as u64 >= bounds.len() as u64 * total && column > 0 {
            bounds.push(column);
        }
        before += u64::from(rows);
    }
    bounds.resize(parts, frequencies.len());
    bounds.push(frequencies.len());
    bounds
}

/// Ranges of rows with about equally many entries, each but the last of a multiple of [`ROWS`].
fn row_parts(records: &Records, parts: usize) -> Vec<Range<usize>> {
    let chunks: Vec<usize> = records
        .documents()
        .chunks(ROWS)
        .map(|chunk| chunk.iter().map(|&document| length(records, document)).sum())
        .collect();
    let total: usize = chunks.iter().sum();
    let (mut bounds, mut before) = (vec![0], 0);
    for (chunk, length) in chunks.iter().enumerate() {
        if bounds.len() < parts && before * parts >= bounds.len() * total && chunk > 0 {
            bounds.push(chunk * ROWS);
        }
        before += length;
    }
    bounds.resize(parts, records.rows());
    bounds.push(records.rows());
    bounds.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

fn cuts(records: &Records, kernel: &Kernel, blocks: &[Columns], rows: &[Range<usize>]) -> Vec<u32> {
    let of_rows = |rows: Range<usize>| {
        let mut cuts = Vec::with_capacity(rows.len() * blocks.len() * (blocks[0].bounds.len() - 1));
        for &document in &records.documents()[rows] {
            for (block, columns) in records.blocks().iter().zip(blocks) {
                let mut bounds = columns.bounds[1..].iter().peekable();
                let mut at = 0;
                for (column, _, length) in kernel.entries(block.counts.packed(document as usize)) {
                    while bounds.next_if(|&&bound| column >= bound).is_some() {
                        cuts.push(at);
                    }
                    if bounds.peek().is_none() {
                        break;
                    }
                    at += length as u32;
                }
                cuts.extend(bounds.map(|_| at));
            }
        }
        cuts
    };
    threads::each(rows.to_vec(), of_rows).concat()
}
