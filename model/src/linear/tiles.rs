//! Tiles: some rows' values, column after column; those of the rarer columns here, the others in [`hot`](super::hot).
//!
//! Row after row, the values of rare columns lead all over vectors that no near cache holds. Column after column those
//! vectors are read from one end to the other, and what is led to is the rows' numbers, few enough for a near cache.

use std::ops::Range;

use crate::counts::{COUNT_BITS, Counts, ESCAPE};
use crate::linear::hot::{self, HOT, Hot};
use crate::linear::kernel::Kernel;

/// A tile's rows times vectors: as many numbers as stay in a near cache.
const NUMBERS: usize = 1 << 16;

const ROW_BITS: u32 = 16;
/// Columns forward that an entry can go.
const FORWARD: u32 = (1 << (32 - ROW_BITS - COUNT_BITS)) - 1;

/// Some rows.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) rows: Range<usize>,
    /// By block.
    pub(super) parts: Vec<Part>,
}

/// The values of a tile's rows in a block.
#[derive(Debug)]
pub(super) struct Part {
    /// In columns below [`HOT`], of [`hot::rows`] each.
    pub(super) hot: Vec<Hot>,
    /// In columns from [`HOT`] on. An entry is `columns forward << 20 | row in the tile << 4 | code` with the codes of [`Counts`];
    /// code 0 only goes forward.
    pub(super) cold: Vec<u32>,
}

impl Part {
    /// Of these documents, the tile's rows, in columns below `head`; `vectors` numbers a row.
    pub(super) fn new(counts: &Counts, documents: &[u32], head: usize, vectors: usize) -> Self {
        let parts = documents.chunks(hot::rows(vectors)).map(|documents| Hot::new(counts, documents, head.min(HOT)));
        let (hot, cuts): (Vec<Hot>, Vec<Vec<u32>>) = parts.unzip();
        let cuts = cuts.concat();
        Part { hot, cold: cold(counts, documents, |row| cuts[row] as usize, head) }
    }
}

/// Parts of a chunk of rows that are a tile each.
pub(super) fn ranges(rows: Range<usize>, vectors: usize) -> impl Iterator<Item = Range<usize>> {
    let most = (NUMBERS / vectors).clamp(1, 1 << ROW_BITS);
    let count = rows.len().div_ceil(most).max(1);
    let bound = move |part: usize| rows.start + rows.len() * part / count;
    (0..count).map(move |part| bound(part)..bound(part + 1))
}

/// A block's values of these documents, the tile's rows, in columns [`HOT`]`..head`.
fn cold(counts: &Counts, documents: &[u32], cuts: impl Fn(usize) -> usize, head: usize) -> Vec<u32> {
    if head <= HOT {
        return Vec::new();
    }
    let mut starts = vec![0u32; head - HOT + 1];
    let each = |visit: &mut dyn FnMut(usize, u32, usize, Option<u32>)| {
        for (row, &document) in documents.iter().enumerate() {
            let mut rest = &counts.packed(document as usize)[cuts(row)..];
            while let Some((&entry, after)) = rest.split_first() {
                let column = (entry >> COUNT_BITS) as usize;
                if column >= head {
                    break;
                }
                let (count, after) = match (entry & ESCAPE, after) {
                    (ESCAPE, [count, after @ ..]) => (Some(*count), after),
                    _ => (None, after),
                };
                visit(row, entry & ESCAPE, column - HOT, count);
                rest = after;
            }
        }
    };
    each(&mut |_, _, column, count| starts[column + 1] += 1 + u32::from(count.is_some()));
    // Where a column's entries are far from those before, an entry goes there.
    let (mut total, mut last) = (0, 0);
    let mut jumps = Vec::new();
    for column in 0..head - HOT {
        let own = starts[column + 1];
        starts[column] = total;
        if own > 0 {
            let mut forward = (column - last) as u32;
            while forward > FORWARD {
                jumps.push(total);
                total += 1;
                forward -= FORWARD;
            }
            starts[column] = total;
            total += own;
            last = column;
        }
    }
    let mut entries = vec![0u32; total as usize];
    jumps.into_iter().for_each(|at| entries[at as usize] = FORWARD << (ROW_BITS + COUNT_BITS));
    each(&mut |row, code, column, count| {
        let at = &mut starts[column];
        entries[*at as usize] = (row as u32) << COUNT_BITS | code;
        *at += 1;
        if let Some(count) = count {
            entries[*at as usize] = count;
            *at += 1;
        }
    });
    // The first entry of each column goes forward from the column before.
    let (mut at, mut last) = (0usize, 0);
    for (column, &end) in starts[..head - HOT].iter().enumerate() {
        while at < end as usize && entries[at] == FORWARD << (ROW_BITS + COUNT_BITS) {
            at += 1;
            last += FORWARD as usize;
        }
        if at < end as usize {
            entries[at] |= ((column - last) as u32) << (ROW_BITS + COUNT_BITS);
            (last, at) = (column, end as usize);
        }
    }
    entries
}

impl Kernel<'_> {
    /// `along[row] += value · v[HOT + column]` of a tile's entries, `vectors` numbers each.
    pub(super) fn cold_dots(&self, entries: &[u32], v: &[f64], vectors: usize, along: &mut [f64]) {
        let v = v.get(HOT * vectors..).unwrap_or_default();
        if vectors == 1 {
            return self.cold(entries, |column, row, value| along[row] += value * v[column]);
        }
        self.cold(entries, |column, row, value| {
            let along = &mut along[row * vectors..][..vectors];
            along.iter_mut().zip(&v[column * vectors..]).for_each(|(along, v)| *along += value * v);
        });
    }

    /// `to[HOT + column] += value · along[row]` of a tile's entries, `vectors` numbers each.
    pub(super) fn cold_sums(&self, entries: &[u32], along: &[f64], vectors: usize, to: &mut [f64]) {
        let to = to.get_mut(HOT * vectors..).unwrap_or_default();
        if vectors == 1 {
            return self.cold(entries, |column, row, value| to[column] += value * along[row]);
        }
        self.cold(entries, |column, row, value| {
            let to = &mut to[column * vectors..][..vectors];
            to.iter_mut().zip(&along[row * vectors..]).for_each(|(to, along)| *to += value * along);
        });
    }

    #[inline(always)]
    fn cold(&self, entries: &[u32], mut run: impl FnMut(usize, usize, f64)) {
        let (mut column, mut rest) = (0, entries.iter());
        while let Some(&entry) = rest.next() {
            column += (entry >> (ROW_BITS + COUNT_BITS)) as usize;
            let row = (entry >> COUNT_BITS) as usize & ((1 << ROW_BITS) - 1);
            let value = match entry & ESCAPE {
                ESCAPE => rest.next().map_or(0.0, |&count| self.counted(count)),
                code => self.coded(code),
            };
            run(column, row, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::TermFrequency;

    proptest! {
        /// Against the plain loop, with columns so far apart that entries must go forward in steps.
        #[test]
        fn tiles_are_the_plain_loops(
            rows in proptest::collection::vec(
                proptest::collection::btree_map(0..HOT as u32 + 20_000, prop_oneof![1..3u32, 13..40u32], 0..9),
                1..20,
            ),
            head in HOT + 1..HOT + 20_000,
            vectors in 1..4usize,
        ) {
            let mut counts = Counts::new(HOT + 20_000);
            rows.iter().for_each(|row| counts.push_row(row.iter().map(|(&column, &count)| (column, count))));
            let (tf, documents) = (TermFrequency::Sublinear, (0..rows.len() as u32).rev().collect::<Vec<_>>());
            let kernel = Kernel::new(&tf);
            let cut = |row: usize| {
                let entries = kernel.entries(counts.packed(documents[row] as usize));
                entries.take_while(|&(column, ..)| column < HOT).map(|(.., length)| length).sum()
            };
            let entries = cold(&counts, &documents, cut, head);
            let number = |at: usize| (at % 7) as f64 - 3.0;
            let v: Vec<f64> = (0..head * vectors).map(number).collect();
            let mut along = vec![0.0; rows.len() * vectors];
            kernel.cold_dots(&entries, &v, vectors, &mut along);
            let (mut dots, mut sums) = (vec![0.0; along.len()], vec![0.5; v.len()]);
            for (row, &document) in documents.iter().enumerate() {
                for (&column, &count) in &rows[document as usize] {
                    let column = column as usize;
                    for k in (0..vectors).filter(|_| (HOT..head).contains(&column)) {
                        dots[row * vectors + k] += tf.of(count) * number(column * vectors + k);
                        sums[column * vectors + k] += tf.of(count) * number(row * vectors + k);
                    }
                }
            }
            prop_assert!(along.iter().zip(&dots).all(|(found, want)| (found - want).abs() < 1e-9));
            let slopes: Vec<f64> = (0..along.len()).map(number).collect();
            let mut to = vec![0.5; v.len()];
            kernel.cold_sums(&entries, &slopes, vectors, &mut to);
            prop_assert!(to.iter().zip(&sums).all(|(found, want)| (found - want).abs() < 1e-9));
        }
    }

    #[test]
    fn ranges_part_the_rows() {
        let found: Vec<Range<usize>> = ranges(5..5 + 3 * NUMBERS, 2).collect();
        assert_eq!(found.len(), 6);
        assert!(found.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!((found[0].start, found[5].end), (5, 5 + 3 * NUMBERS));
        assert_eq!(ranges(3..3, 1).last(), Some(3..3));
    }
}
