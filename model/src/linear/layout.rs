//! Where a solver's numbers lie: which columns have coordinates, which not, and who works on what.
//!
//! **Coordinates.** Of each block the [`HOT`] most frequent columns have one each, and the intercept. The other columns have none: under
//! an L2 penalty the best weights are sums of rows, and so are all weights between 0 and them, so that a number a row says all
//! there is to say of them (the representer theorem; Schölkopf, Herbrich & Smola 2001). What they do to the scores is a product
//! with `K = X Xᵀ`, which is read column by column and needs no vector as long as the vocabulary.
//!
//! **Singles.** A column that stands in one row alone does nothing but lengthen that row: of them all, a row keeps one number, its
//! share of the diagonal of `K`. Columns are sorted by document frequency, so that they are each block's end, and each row's.
//!
//! **Memory.** Once a tile is made the counts need not be read again: those that nobody else holds are let go of, row by row.
//!
//! **Chunks** of rows share out the work on the coordinates, **lanes** of columns that on the rest. The data fix how many there
//! are, so that no result tells who worked on them.

use std::ops::Range;
use std::sync::Arc;

use crate::counts::Counts;
use crate::linear::hot::{self, HOT, Hot};
use crate::linear::kernel::Kernel;
use crate::linear::tiles::{self, Cold};
use crate::records::Records;
use crate::threads;

/// Rows whose sums are taken together.
pub(super) const ROWS: usize = 256;
/// Values times vectors that are worth a chunk.
const WORTH: u64 = 1 << 18;
/// Columns that a tile goes past while it reads a value.
const COLUMNS: u64 = 4;
/// Chunks and lanes at most: more threads than this do not help a solver.
const CHUNKS: usize = 4;

/// Of one block.
#[derive(Debug)]
struct Columns {
    /// Columns before this one have a coordinate each.
    hot: usize,
    /// Columns from this one on stand in one row at most.
    head: usize,
    /// Coordinate of the first.
    first: usize,
}

/// Rows that are read together: by block, their values in columns that have coordinates.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) rows: Range<usize>,
    pub(super) hot: Vec<Hot>,
}

/// Rows, and by lane and block their values in columns that have none.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) rows: Range<usize>,
    pub(super) lanes: Vec<Vec<Cold>>,
}

/// Packed entries of single terms: of each row and block its own, one after the other.
#[derive(Debug, Default)]
struct Singles {
    entries: Vec<u32>,
    ends: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Layout {
    blocks: Vec<Columns>,
    parts: Vec<Part>,
    /// Of `parts`.
    chunks: Vec<Range<usize>>,
    tiles: Vec<Tile>,
    /// By lane and block: columns of the block.
    lanes: Vec<Vec<Range<usize>>>,
    singles: Option<Singles>,
    coordinates: usize,
}

impl Layout {
    /// Of `counts`, the blocks of `records`, for `vectors` weights a column.
    pub(super) fn new(records: &Records, counts: Vec<Arc<Counts>>, vectors: usize) -> Self {
        Self::with(records, counts, vectors, HOT)
    }

    /// With so many columns of a block that have coordinates at most, up to [`HOT`].
    pub(super) fn with(records: &Records, counts: Vec<Arc<Counts>>, vectors: usize, most: usize) -> Self {
        let (kernel, documents) = (Kernel::new(records.term_frequency()), records.documents());
        let frequencies = frequencies(documents, &counts, &kernel);
        let (mut blocks, mut first) = (Vec::new(), 0);
        for frequencies in &frequencies {
            let hot = frequencies.len().min(most);
            let head = frequencies.iter().rposition(|&rows| rows > 1).map_or(0, |last| last + 1).max(hot);
            blocks.push(Columns { hot, head, first });
            first += hot;
        }
        let values: u64 = frequencies.iter().flatten().map(|&rows| u64::from(rows)).sum();
        let count = match values * vectors as u64 {
            little if little < 2 * WORTH => 1,
            much if much < CHUNKS as u64 * WORTH => 2,
            _ => CHUNKS,
        };
        let tiles = tiles::ranges(records.rows(), vectors);
        let lanes = lanes(&blocks, &frequencies, count, tiles.len() as u64);
        drop(frequencies);
        let single = blocks.iter().zip(&counts).any(|(own, counts)| own.head < counts.columns());
        let mut layout = Layout {
            blocks,
            parts: Vec::new(),
            chunks: Vec::new(),
            tiles: Vec::new(),
            lanes,
            singles: single.then(Singles::default),
            coordinates: first + 1,
        };
        let chunks = row_chunks(documents, &counts, count);
        let mut counts: Vec<Counts> = counts.into_iter().map(|counts| Counts::clone(&counts)).collect();
        let ascending = documents.is_sorted();
        for rows in tiles {
            let own = &documents[rows.clone()];
            let cuts = layout.add_parts(&counts, documents, parts(&rows, &chunks, hot::rows(vectors)));
            layout.add_singles(&counts, own, &cuts);
            let lanes = layout.tile(&counts, own, &cuts);
            layout.tiles.push(Tile { rows, lanes });
            if let Some(&last) = own.last().filter(|_| ascending) {
                counts.iter_mut().for_each(|counts| counts.keep(last as usize..counts.rows()));
            }
        }
        let part = |row: usize| layout.parts.partition_point(|part| part.rows.start < row);
        layout.chunks = chunks.into_iter().map(|rows| part(rows.start)..part(rows.end)).collect();
        layout
    }

    /// Adds what these rows have in columns with coordinates. By row and block, and there by lane: where in the row's packed entries
    /// the lane begins; and where the last one ends.
    fn add_parts(&mut self, counts: &[Counts], documents: &[u32], rows: Vec<Range<usize>>) -> Vec<u32> {
        let each = self.blocks.len() * (self.lanes.len() + 1);
        let made = threads::map(rows.len(), |part| {
            let documents = &documents[rows[part].clone()];
            let (mut hot, mut cuts) = (Vec::new(), vec![0; documents.len() * each]);
            for (at, (counts, own)) in counts.iter().zip(&self.blocks).enumerate() {
                let (of_block, ends) = Hot::new(counts, documents, own.hot);
                hot.push(of_block);
                for (row, (&document, end)) in documents.iter().zip(ends).enumerate() {
                    let cuts = &mut cuts[row * each + at * (self.lanes.len() + 1)..][..self.lanes.len() + 1];
                    self.cut(counts.packed(document as usize), at, end, cuts);
                }
            }
            (hot, cuts)
        });
        let (hot, cuts): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        self.parts.extend(rows.into_iter().zip(hot).map(|(rows, hot)| Part { rows, hot }));
        cuts.concat()
    }

    /// Where each lane begins in a row's packed entries of a block, and where the last one ends; the first begins at `start`.
    fn cut(&self, packed: &[u32], block: usize, start: u32, cuts: &mut [u32]) {
        cuts[0] = start;
        let (mut at, mut rest) = (start, Kernel::columns(&packed[start as usize..]).peekable());
        for (lane, cut) in self.lanes.iter().zip(&mut cuts[1..]) {
            while let Some((_, length)) = rest.next_if(|&(column, _)| column < lane[block].end) {
                at += length;
            }
            *cut = at;
        }
    }

    /// Adds what these documents, the next rows, have of single terms.
    fn add_singles(&mut self, counts: &[Counts], documents: &[u32], cuts: &[u32]) {
        let Some(Singles { entries, ends }) = &mut self.singles else { return };
        let mut last = cuts.iter().skip(self.lanes.len()).step_by(self.lanes.len() + 1);
        for &document in documents {
            for counts in counts {
                let own = counts.packed(document as usize);
                entries.extend_from_slice(last.next().map_or(&[], |&cut| &own[cut as usize..]));
                ends.push(entries.len());
            }
        }
    }

    /// What these documents have in columns without coordinates, by lane and block.
    fn tile(&self, counts: &[Counts], documents: &[u32], cuts: &[u32]) -> Vec<Vec<Cold>> {
        let (lanes, blocks) = (self.lanes.len(), self.blocks.len());
        let mut made = threads::map(lanes * blocks, |at| {
            let (lane, block) = (at / blocks, at % blocks);
            let before = self.lanes[lane][..block].iter().map(Range::len).sum();
            let own = |(row, &document): (usize, &u32)| {
                let cuts = &cuts[(row * blocks + block) * (lanes + 1) + lane..];
                (row, &counts[block].packed(document as usize)[cuts[0] as usize..cuts[1] as usize])
            };
            Cold::new(documents.iter().enumerate().map(own), self.lanes[lane][block].clone(), before)
        })
        .into_iter();
        (0..lanes).map(|_| made.by_ref().take(blocks).collect()).collect()
    }

    /// Number of coordinates, of one vector.
    pub(super) fn coordinates(&self) -> usize {
        self.coordinates
    }

    /// Whether there are columns without coordinates.
    pub(super) fn implicit(&self) -> bool {
        self.singles.is_some() || self.lanes.iter().flatten().any(|columns| !columns.is_empty())
    }

    /// Whether there are columns that stand in one row alone, past those with coordinates.
    pub(super) fn singles(&self) -> bool {
        self.singles.is_some()
    }

    /// What is read by one thread each, in order.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[Part]> {
        self.chunks.iter().map(|parts| &self.parts[parts.clone()])
    }

    pub(super) fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// By lane and block: columns of the block.
    pub(super) fn lanes(&self) -> &[Vec<Range<usize>>] {
        &self.lanes
    }

    /// Number of a block's columns that have a coordinate each.
    pub(super) fn hot(&self, block: usize) -> usize {
        self.blocks[block].hot
    }

    /// Coordinate of a block's first column.
    pub(super) fn first(&self, block: usize) -> usize {
        self.blocks[block].first
    }

    /// A row's packed entries of single terms of a block.
    #[inline]
    pub(super) fn single_terms(&self, row: usize, block: usize) -> &[u32] {
        let Some(Singles { entries, ends }) = &self.singles else { return &[] };
        let at = row * self.blocks.len() + block;
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        &entries[start..ends[at]]
    }
}

/// Of each block, in how many of the documents each column stands.
fn frequencies(documents: &[u32], counts: &[Arc<Counts>], kernel: &Kernel) -> Vec<Vec<u32>> {
    let of_block = |counts: &Arc<Counts>| {
        let rows = row_chunks(documents, std::slice::from_ref(counts), threads::count());
        let counted = threads::each(rows, |rows| {
            let mut frequencies = vec![0u32; counts.columns()];
            for &document in &documents[rows] {
                for (column, ..) in kernel.entries(counts.packed(document as usize)) {
                    frequencies[column] = frequencies[column].saturating_add(1);
                }
            }
            frequencies
        });
        let add = |mut all: Vec<u32>, part: Vec<u32>| {
            all.iter_mut().zip(part).for_each(|(all, part)| *all = all.saturating_add(part));
            all
        };
        counted.into_iter().reduce(add).unwrap_or_default()
    };
    counts.iter().map(of_block).collect()
}

/// Columns without coordinates that take about equally long, by lane and block: each tile goes past all columns of a lane.
fn lanes(blocks: &[Columns], frequencies: &[Vec<u32>], count: usize, tiles: u64) -> Vec<Vec<Range<usize>>> {
    let work = |&rows: &u32| u64::from(rows) + if tiles > 1 { tiles / COLUMNS } else { 0 };
    let mut lanes = vec![Vec::new(); count];
    for (own, frequencies) in blocks.iter().zip(frequencies) {
        let frequencies = &frequencies[own.hot..own.head];
        let total: u64 = frequencies.iter().map(work).sum();
        let (mut bounds, mut before) = (vec![own.hot], 0);
        for (column, rows) in (own.hot..).zip(frequencies) {
            if before * count as u64 >= bounds.len() as u64 * total && bounds.len() < count {
                bounds.push(column);
            }
            before += work(rows);
        }
        bounds.resize(count + 1, own.head);
        for (lane, bounds) in lanes.iter_mut().zip(bounds.windows(2)) {
            lane.push(bounds[0]..bounds[1]);
        }
    }
    lanes
}

/// These rows where a chunk ends in parts, each of `most` rows at most and of about equally many.
fn parts(rows: &Range<usize>, chunks: &[Range<usize>], most: usize) -> Vec<Range<usize>> {
    let within = chunks.iter().map(|chunk| rows.start.max(chunk.start)..rows.end.min(chunk.end));
    let part = |rows: Range<usize>| {
        let count = rows.len().div_ceil(most);
        (0..count).map(move |part| rows.start + rows.len() * part / count..rows.start + rows.len() * (part + 1) / count)
    };
    within.flat_map(part).collect()
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
