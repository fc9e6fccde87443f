//! Few rows' values of the most frequent columns, column after column, two bytes a value.
//!
//! What a value leads to is a number of its row, and those of so few rows stay in the nearest cache; the column's number is
//! in a register. Row after row, the same values would lead all over vectors that only a far cache holds.

use crate::counts::{COUNT_BITS, Counts, ESCAPE};
use crate::linear::kernel::Kernel;

/// Columns of a block that are read so. (Measured from 2¹² to 2¹⁶ on imdb, 100,000 and 1,000,000 synthetic rows: fewest is fastest;
/// rarer columns have too few values in a part to be worth their length.)
pub(super) const HOT: usize = 1 << 12;

const ROW_BITS: u32 = u16::BITS - COUNT_BITS;
/// Rows times vectors: as many numbers as stay in the nearest cache.
const NUMBERS: usize = 1 << ROW_BITS;

/// Of a block the values of some rows in columns below [`HOT`].
#[derive(Debug)]
pub(super) struct Hot {
    /// Values of each column, shape (columns,).
    lengths: Vec<u16>,
    /// Column after column, `row << 4 | code` with the codes of [`Counts`] below [`ESCAPE`].
    entries: Vec<u16>,
    large: Vec<Large>,
}

/// A count of [`ESCAPE`] or more.
#[derive(Debug)]
struct Large {
    column: u32,
    row: u32,
    count: u32,
}

/// Rows that are read together.
pub(super) fn rows(vectors: usize) -> usize {
    (NUMBERS / vectors).max(16)
}

impl Hot {
    /// Of these documents in columns below `columns`, of which there are [`HOT`] at most; and where in each document's packed
    /// entries the other columns begin.
    pub(super) fn new(counts: &Counts, documents: &[u32], columns: usize) -> (Self, Vec<u32>) {
        let mut starts = vec![0u32; columns + 1];
        let (mut cuts, mut large) = (Vec::with_capacity(documents.len()), Vec::new());
        for (row, &document) in (0..).zip(documents) {
            let packed = counts.packed(document as usize);
            let mut at = 0;
            while let Some((column, code)) = packed.get(at).map(parts).filter(|&(column, _)| column < columns) {
                at += 1;
                if code == ESCAPE {
                    large.push(Large { column: column as u32, row, count: packed[at] });
                    at += 1;
                } else {
                    starts[column + 1] += 1;
                }
            }
            cuts.push(at as u32);
        }
        let lengths = starts[1..].iter().map(|&length| length as u16).collect();
        for column in 0..columns {
            starts[column + 1] += starts[column];
        }
        let mut entries = vec![0; starts[columns] as usize];
        for (row, (&document, &cut)) in documents.iter().zip(&cuts).enumerate() {
            let mut packed = counts.packed(document as usize)[..cut as usize].iter();
            while let Some((column, code)) = packed.next().map(parts) {
                if code == ESCAPE {
                    packed.next();
                    continue;
                }
                let at = &mut starts[column];
                entries[*at as usize] = (row as u16) << COUNT_BITS | code as u16;
                *at += 1;
            }
        }
        (Hot { lengths, entries, large }, cuts)
    }

    /// Column and values.
    fn columns(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let mut rest = &self.entries[..];
        self.lengths.iter().enumerate().map(move |(column, &length)| {
            let (own, after) = rest.split_at(length as usize);
            rest = after;
            (column, own)
        })
    }
}

/// Column and code of an entry of [`Counts`].
#[inline]
fn parts(entry: &u32) -> (usize, u32) {
    ((entry >> COUNT_BITS) as usize, entry & ESCAPE)
}

/// Row and code of an entry.
#[inline]
fn row(entry: u16) -> (usize, u32) {
    ((entry >> COUNT_BITS) as usize, u32::from(entry) & ESCAPE)
}

impl Kernel<'_> {
    /// `along[row] += value · v[column]`, `vectors` numbers each. `along` has room for [`rows`], whatever there are.
    pub(super) fn hot_dots(&self, hot: &Hot, v: &[f64], vectors: usize, along: &mut [f64]) {
        match along.first_chunk_mut::<NUMBERS>() {
            Some(along) if vectors == 1 => {
                for ((_, own), v) in hot.columns().zip(v) {
                    for &entry in own {
                        let (row, code) = row(entry);
                        along[row] += self.coded(code) * v;
                    }
                }
            }
            _ => {
                for ((_, own), v) in hot.columns().zip(v.chunks_exact(vectors)) {
                    for &entry in own {
                        let (row, code) = row(entry);
                        add(&mut along[row * vectors..][..vectors], self.coded(code), v);
                    }
                }
            }
        }
        for Large { column, row, count } in &hot.large {
            let v = &v[*column as usize * vectors..][..vectors];
            add(&mut along[*row as usize * vectors..][..vectors], self.counted(*count), v);
        }
    }

    /// `to[column] += value · along[row]`, `vectors` numbers each; `along` as in [`hot_dots`](Self::hot_dots).
    pub(super) fn hot_sums(&self, hot: &Hot, along: &[f64], vectors: usize, to: &mut [f64]) {
        match along.first_chunk::<NUMBERS>() {
            Some(along) if vectors == 1 => {
                let value = |entry: u16| {
                    let (row, code) = row(entry);
                    self.coded(code) * along[row]
                };
                for ((_, own), to) in hot.columns().zip(&mut *to) {
                    // Four sums side by side: the loop does not wait for one addition after the other.
                    let (fours, rest) = own.as_chunks::<4>();
                    let mut sums = [0.0; 4];
                    for four in fours {
                        sums.iter_mut().zip(four).for_each(|(sum, &entry)| *sum += value(entry));
                    }
                    *to +=
                        (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest.iter().map(|&entry| value(entry)).sum::<f64>();
                }
            }
            _ => {
                for ((_, own), to) in hot.columns().zip(to.chunks_exact_mut(vectors)) {
                    for &entry in own {
                        let (row, code) = row(entry);
                        add(to, self.coded(code), &along[row * vectors..][..vectors]);
                    }
                }
            }
        }
        for Large { column, row, count } in &hot.large {
            let along = &along[*row as usize * vectors..][..vectors];
            add(&mut to[*column as usize * vectors..][..vectors], self.counted(*count), along);
        }
    }

    /// `to[column] += value² · along[row]`.
    pub(super) fn hot_squares(&self, hot: &Hot, along: &[f64], to: &mut [f64]) {
        for ((_, own), to) in hot.columns().zip(&mut *to) {
            for &entry in own {
                let (row, code) = row(entry);
                *to += self.coded(code) * self.coded(code) * along[row];
            }
        }
        for Large { column, row, count } in &hot.large {
            let value = self.counted(*count);
            to[*column as usize] += value * value * along[*row as usize];
        }
    }
}

/// `to += times · from`.
#[inline]
fn add(to: &mut [f64], times: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += times * from);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::TermFrequency;

    proptest! {
        #[test]
        fn columns_are_the_plain_loops(
            rows in proptest::collection::vec(
                proptest::collection::btree_map(0..40u32, prop_oneof![1..3u32, 13..40u32], 0..20),
                1..20,
            ),
            columns in 0..40usize,
            vectors in 1..4usize,
        ) {
            let mut counts = Counts::new(40);
            rows.iter().for_each(|row| counts.push_row(row.iter().map(|(&column, &count)| (column, count))));
            let (tf, documents) = (TermFrequency::Sublinear, (0..rows.len() as u32).rev().collect::<Vec<_>>());
            let kernel = Kernel::new(&tf);
            let (hot, cuts) = Hot::new(&counts, &documents, columns);
            let number = |at: usize| (at % 7) as f64 - 3.0;
            let v: Vec<f64> = (0..columns * vectors).map(number).collect();
            let slopes: Vec<f64> = (0..super::rows(vectors) * vectors).map(number).collect();
            let (mut along, mut to, mut squares) = (vec![0.0; slopes.len()], vec![0.5; v.len()], vec![0.5; columns]);
            kernel.hot_dots(&hot, &v, vectors, &mut along);
            kernel.hot_sums(&hot, &slopes, vectors, &mut to);
            kernel.hot_squares(&hot, &slopes, &mut squares);
            let (mut dots, mut sums, mut want) = (vec![0.0; along.len()], vec![0.5; v.len()], vec![0.5; columns]);
            for (row, &document) in documents.iter().enumerate() {
                let (below, rest): (Vec<_>, Vec<_>) =
                    rows[document as usize].iter().partition(|&(&column, _)| (column as usize) < columns);
                let taken = counts.packed(document as usize).len() - cuts[row] as usize;
                prop_assert_eq!(taken, rest.iter().map(|&(_, &count)| if count < ESCAPE { 1 } else { 2 }).sum::<usize>());
                for (&column, &count) in below {
                    let (column, value) = (column as usize, tf.of(count));
                    want[column] += value * value * number(row);
                    for k in 0..vectors {
                        dots[row * vectors + k] += value * number(column * vectors + k);
                        sums[column * vectors + k] += value * number(row * vectors + k);
                    }
                }
            }
            for (found, want) in [(along, dots), (to, sums), (squares, want)] {
                prop_assert!(found.iter().zip(&want).all(|(found, want)| (found - want).abs() < 1e-9));
            }
        }
    }
}
