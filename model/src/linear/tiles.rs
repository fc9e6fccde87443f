//! Tiles: some rows' values in the rarer columns, column after column; those in the others are in [`hot`](super::hot).
//!
//! Row after row, the values of rare columns lead all over vectors that no near cache holds. Column after column, what they lead
//! to is the rows' numbers, few enough for a near cache, and a product with `X Xᵀ` is done with a column once it was read: its
//! sum over the rows goes back to the same rows at once. Columns of equally many values lie side by side, for most have two or three,
//! and a loop that does not know how often it turns takes longer than what it does.

use std::ops::Range;

use crate::counts::{COUNT_BITS, ESCAPE};
use crate::linear::kernel::Kernel;

/// Rows times vectors up to which one tile has all of them, so that a column is read once a product: their numbers stay in some cache.
const WHOLE: usize = 1 << 18;
/// As many as stay in a near one; of more rows, each tile has so many.
const NUMBERS: usize = 1 << 16;
/// Tiles are shared out evenly among so many threads.
const EVEN: usize = 4;

/// The values of a tile's rows in some columns of a block.
#[derive(Debug)]
pub(super) struct Cold {
    pages: Vec<Page>,
    /// Columns, from their page's first.
    columns: Vec<u16>,
    /// Column after column, `row in the tile << 4 | code` with the codes of [`Counts`](crate::Counts) below [`ESCAPE`].
    entries: Vec<u32>,
    /// Columns with a count of [`ESCAPE`] or more, and how many values they have.
    odd: Vec<(u32, u32)>,
    /// Row and count.
    odd_entries: Vec<(u32, u32)>,
}

/// A page's values, row after row.
#[derive(Default)]
struct Unsorted {
    columns: Vec<u16>,
    entries: Vec<u32>,
    /// Column, row and count, where that is large.
    odd: Vec<(u16, u32, u32)>,
}

/// Columns that a number of 16 bits tells apart.
const PAGE: usize = 1 << 16;

/// So many of them.
#[derive(Debug)]
struct Page {
    first: usize,
    /// Values of each column, and how many columns have so many.
    runs: Vec<(u32, u32)>,
}

impl Cold {
    /// Of rows whose packed entries in `columns` are given. From here on columns are numbered from `before`.
    pub(super) fn new<'p>(
        rows: impl Iterator<Item = (usize, &'p [u32])>,
        columns: Range<usize>,
        before: usize,
    ) -> Self {
        // Page by page first: what an entry of a page leads to then stays in a near cache.
        let mut pages: Vec<Unsorted> =
            std::iter::repeat_with(Unsorted::default).take(columns.len().div_ceil(PAGE)).collect();
        each(rows, |row, column, count| {
            let column = column - columns.start;
            let (page, column) = (&mut pages[column / PAGE], (column % PAGE) as u16);
            if count >= ESCAPE {
                return page.odd.push((column, row as u32, count));
            }
            page.columns.push(column);
            page.entries.push((row as u32) << COUNT_BITS | count);
        });
        let mut cold = Cold {
            pages: Vec::new(),
            columns: Vec::new(),
            entries: Vec::with_capacity(pages.iter().map(|page| page.entries.len()).sum()),
            odd: Vec::new(),
            odd_entries: Vec::new(),
        };
        let mut lengths = vec![0; columns.len().min(PAGE)];
        for (page, own) in pages.into_iter().enumerate() {
            lengths.fill(0);
            cold.add(before + page * PAGE, own, &mut lengths);
        }
        cold.columns.shrink_to_fit();
        cold
    }

    /// Adds the next page, whose columns are numbered from `first`. `lengths`: zeros, by column.
    fn add(&mut self, first: usize, page: Unsorted, lengths: &mut [u32]) {
        /// Marks a column with a large count.
        const ODD: u32 = 1 << 31;
        let Unsorted { columns, entries, mut odd } = page;
        columns.iter().for_each(|&column| lengths[usize::from(column)] += 1);
        odd.iter().for_each(|&(column, ..)| lengths[usize::from(column)] |= ODD);
        // The longest first, of equally long ones the first: how many have each length says where those begin.
        let even = |&length: &u32| length > 0 && length < ODD;
        let longest = lengths.iter().copied().filter(even).max().unwrap_or(0);
        let mut begins = vec![(0, 0); longest as usize + 1];
        lengths.iter().copied().filter(even).for_each(|length| begins[length as usize].0 += 1);
        let (mut runs, start) = (Vec::new(), self.entries.len());
        let (mut column, mut entry) = (self.columns.len(), 0);
        for (length, begin) in begins.iter_mut().enumerate().skip(1).rev() {
            let (count, _) = std::mem::replace(begin, (column, entry));
            if count > 0 {
                runs.push((length as u32, count as u32));
            }
            column += count;
            entry += (length * count) as u32;
        }
        self.columns.resize(column, 0);
        self.entries.resize(start + entry as usize, 0);
        // Of each column, where its next entry goes.
        for (column, length) in (0..=u16::MAX).zip(&mut *lengths).filter(|(_, length)| even(length)) {
            let (at, entry) = &mut begins[*length as usize];
            self.columns[*at] = column;
            *at += 1;
            *entry += std::mem::replace(length, *entry);
        }
        let own = &mut self.entries[start..];
        for (&column, &entry) in columns.iter().zip(&entries) {
            let place = &mut lengths[usize::from(column)];
            if *place >= ODD {
                odd.push((column, entry >> COUNT_BITS, entry & ESCAPE));
                continue;
            }
            own[*place as usize] = entry;
            *place += 1;
        }
        self.pages.push(Page { first, runs });
        odd.sort_unstable();
        for of_column in odd.chunk_by(|a, b| a.0 == b.0) {
            self.odd.push((first as u32 + u32::from(of_column[0].0), of_column.len() as u32));
            self.odd_entries.extend(of_column.iter().map(|&(_, row, count)| (row, count)));
        }
    }

    /// Visits the columns' runs: the columns, the first of their page, how many values each has, and those.
    fn runs(&self, mut visit: impl FnMut(&[u16], usize, usize, &[u32])) {
        let (mut columns, mut entries) = (&self.columns[..], &self.entries[..]);
        for Page { first, runs } in &self.pages {
            for &(length, count) in runs {
                let (own, after) = columns.split_at(count as usize);
                let (of_own, after_entries) = entries.split_at((length * count) as usize);
                (columns, entries) = (after, after_entries);
                visit(own, *first, length as usize, of_own);
            }
        }
    }

    /// Columns with large counts, and their rows and counts.
    fn odd(&self) -> impl Iterator<Item = (usize, &[(u32, u32)])> {
        let mut rest = &self.odd_entries[..];
        self.odd.iter().map(move |&(column, length)| {
            let (own, after) = rest.split_at(length as usize);
            rest = after;
            (column as usize, own)
        })
    }
}

/// Visits row, column and count.
fn each<'p>(rows: impl Iterator<Item = (usize, &'p [u32])>, mut visit: impl FnMut(usize, usize, u32)) {
    for (row, mut rest) in rows {
        while let Some((&entry, after)) = rest.split_first() {
            let (count, after) = match (entry & ESCAPE, after) {
                (ESCAPE, [count, after @ ..]) => (*count, after),
                (code, after) => (code, after),
            };
            visit(row, (entry >> COUNT_BITS) as usize, count);
            rest = after;
        }
    }
}

/// Parts of so many rows that are a tile each.
pub(super) fn ranges(rows: usize, vectors: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let numbers = rows * vectors;
    let count = if numbers <= WHOLE { 1 } else { numbers.div_ceil(NUMBERS).next_multiple_of(EVEN) };
    (0..count).map(move |part| rows * part / count..rows * (part + 1) / count)
}

/// Row and code of an entry.
#[inline(always)]
fn row(entry: u32) -> (usize, u32) {
    ((entry >> COUNT_BITS) as usize, entry & ESCAPE)
}

impl Kernel<'_> {
    /// `out[row] += Σ value · scale² · Σ value · along[row]` over the columns, `vectors` numbers a row; the greatest `|scale · Σ value ·
    /// along[row]|`. `scales` are by column.
    pub(super) fn cold_both(&self, cold: &Cold, scales: &[f64], vectors: usize, along: &[f64], out: &mut [f64]) -> f64 {
        let mut greatest = 0.0f64;
        if vectors == 1 {
            cold.runs(|columns, first, length, entries| {
                let scales = &scales[first..];
                let run = match length {
                    1 => Self::both::<1>,
                    2 => Self::both::<2>,
                    3 => Self::both::<3>,
                    4 => Self::both::<4>,
                    5 => Self::both::<5>,
                    6 => Self::both::<6>,
                    7 => Self::both::<7>,
                    8 => Self::both::<8>,
                    _ => {
                        for (&column, entries) in columns.iter().zip(entries.chunks_exact(length)) {
                            let scale = scales[usize::from(column)];
                            let sum = scale * self.column(entries, along);
                            greatest = greatest.max(sum.abs());
                            for &entry in entries {
                                let (row, code) = row(entry);
                                out[row] += self.coded(code) * (scale * sum);
                            }
                        }
                        return;
                    }
                };
                greatest = greatest.max(run(self, columns, entries, scales, along, out));
            });
        } else {
            let mut sums = vec![0.0; vectors];
            cold.runs(|columns, first, length, entries| {
                for (&column, entries) in columns.iter().zip(entries.chunks_exact(length)) {
                    let scale = scales[first + usize::from(column)];
                    sums.fill(0.0);
                    for &entry in entries {
                        let (row, code) = row(entry);
                        add(&mut sums, self.coded(code), &along[row * vectors..]);
                    }
                    for sum in &mut sums {
                        *sum *= scale;
                        greatest = greatest.max(sum.abs());
                        *sum *= scale;
                    }
                    for &entry in entries {
                        let (row, code) = row(entry);
                        add(&mut out[row * vectors..][..vectors], self.coded(code), &sums);
                    }
                }
            });
        }
        for (column, entries) in cold.odd() {
            let mut sums = vec![0.0; vectors];
            for &(row, count) in entries {
                add(&mut sums, self.counted(count), &along[row as usize * vectors..]);
            }
            for sum in &mut sums {
                *sum *= scales[column];
                greatest = greatest.max(sum.abs());
                *sum *= scales[column];
            }
            for &(row, count) in entries {
                add(&mut out[row as usize * vectors..][..vectors], self.counted(count), &sums);
            }
        }
        greatest
    }

    fn both<const N: usize>(
        &self,
        columns: &[u16],
        entries: &[u32],
        scales: &[f64],
        along: &[f64],
        out: &mut [f64],
    ) -> f64 {
        let mut greatest = 0.0f64;
        for (&column, entries) in columns.iter().zip(entries.as_chunks::<N>().0) {
            let scale = scales[usize::from(column)];
            let own = entries.map(|entry| {
                let (row, code) = row(entry);
                (row, self.coded(code))
            });
            let sum = scale * own.iter().map(|&(row, value)| value * along[row]).sum::<f64>();
            greatest = greatest.max(sum.abs());
            for (row, value) in own {
                out[row] += value * (scale * sum);
            }
        }
        greatest
    }

    /// `Σ value · along[row]` of a column.
    #[inline(always)]
    fn column(&self, entries: &[u32], along: &[f64]) -> f64 {
        let value = |entry: u32| {
            let (row, code) = row(entry);
            self.coded(code) * along[row]
        };
        // Four sums side by side: the loop does not wait for one addition after the other.
        let (fours, rest) = entries.as_chunks::<4>();
        let mut sums = [0.0; 4];
        for four in fours {
            sums.iter_mut().zip(four).for_each(|(sum, &entry)| *sum += value(entry));
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest.iter().map(|&entry| value(entry)).sum::<f64>()
    }

    /// `to[column] += Σ value · along[row]`, `vectors` numbers each.
    pub(super) fn cold_sums(&self, cold: &Cold, vectors: usize, along: &[f64], to: &mut [f64]) {
        cold.runs(|columns, first, length, entries| {
            let to = &mut to[first * vectors..];
            if vectors == 1 {
                let run = match length {
                    1 => Self::sums::<1>,
                    2 => Self::sums::<2>,
                    3 => Self::sums::<3>,
                    4 => Self::sums::<4>,
                    _ => {
                        for (&column, entries) in columns.iter().zip(entries.chunks_exact(length)) {
                            to[usize::from(column)] += self.column(entries, along);
                        }
                        return;
                    }
                };
                return run(self, columns, entries, along, to);
            }
            for (&column, entries) in columns.iter().zip(entries.chunks_exact(length)) {
                let to = &mut to[usize::from(column) * vectors..][..vectors];
                for &entry in entries {
                    let (row, code) = row(entry);
                    add(to, self.coded(code), &along[row * vectors..]);
                }
            }
        });
        for (column, entries) in cold.odd() {
            for &(row, count) in entries {
                add(&mut to[column * vectors..][..vectors], self.counted(count), &along[row as usize * vectors..]);
            }
        }
    }

    fn sums<const N: usize>(&self, columns: &[u16], entries: &[u32], along: &[f64], to: &mut [f64]) {
        for (&column, entries) in columns.iter().zip(entries.as_chunks::<N>().0) {
            let value = |entry| {
                let (row, code) = row(entry);
                self.coded(code) * along[row]
            };
            to[usize::from(column)] += entries.map(value).iter().sum::<f64>();
        }
    }

    /// `out[row] += Σ value · v[column]`, `vectors` numbers each.
    pub(super) fn cold_dots(&self, cold: &Cold, vectors: usize, v: &[f64], out: &mut [f64]) {
        cold.runs(|columns, first, length, entries| {
            let v = &v[first * vectors..];
            if vectors == 1 {
                let run = match length {
                    1 => Self::dots_of::<1>,
                    2 => Self::dots_of::<2>,
                    3 => Self::dots_of::<3>,
                    4 => Self::dots_of::<4>,
                    _ => {
                        for (&column, entries) in columns.iter().zip(entries.chunks_exact(length)) {
                            let v = v[usize::from(column)];
                            for &entry in entries {
                                let (row, code) = row(entry);
                                out[row] += self.coded(code) * v;
                            }
                        }
                        return;
                    }
                };
                return run(self, columns, entries, v, out);
            }
            for (&column, entries) in columns.iter().zip(entries.chunks_exact(length)) {
                let v = &v[usize::from(column) * vectors..][..vectors];
                for &entry in entries {
                    let (row, code) = row(entry);
                    add(&mut out[row * vectors..][..vectors], self.coded(code), v);
                }
            }
        });
        for (column, entries) in cold.odd() {
            for &(row, count) in entries {
                add(&mut out[row as usize * vectors..][..vectors], self.counted(count), &v[column * vectors..]);
            }
        }
    }

    fn dots_of<const N: usize>(&self, columns: &[u16], entries: &[u32], v: &[f64], out: &mut [f64]) {
        for (&column, entries) in columns.iter().zip(entries.as_chunks::<N>().0) {
            let v = v[usize::from(column)];
            for &entry in entries {
                let (row, code) = row(entry);
                out[row] += self.coded(code) * v;
            }
        }
    }
}

/// `to += times · from`.
#[inline(always)]
fn add(to: &mut [f64], times: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += times * from);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::counts::Counts;
    use crate::records::TermFrequency;

    proptest! {
        /// Against the plain loops, over more columns than a page has.
        #[test]
        fn products_are_the_plain_loops(
            rows in proptest::collection::vec(
                proptest::collection::btree_map(
                    prop_oneof![0..9u32, 65_530..65_600u32],
                    prop_oneof![1..3u32, 13..40u32],
                    0..9,
                ),
                1..20,
            ),
            vectors in 1..4usize,
            before in 0..3usize,
        ) {
            let mut counts = Counts::new(70_000);
            rows.iter().for_each(|row| counts.push_row(row.iter().map(|(&column, &count)| (column, count))));
            let tf = TermFrequency::Sublinear;
            let kernel = Kernel::new(&tf);
            let cold = Cold::new((0..rows.len()).map(|row| (row, counts.packed(row))), 0..70_000, before);
            let number = |at: usize| (at % 7) as f64 - 3.0;
            let columns = before + 70_000;
            let scales: Vec<f64> = (0..columns).map(|column| 0.5 + number(column)).collect();
            let v: Vec<f64> = (0..columns * vectors).map(number).collect();
            let along: Vec<f64> = (0..rows.len() * vectors).map(number).collect();
            let (mut dots, mut sums) = (vec![0.0; along.len()], vec![0.0; v.len()]);
            let each = |run: &mut dyn FnMut(usize, usize, f64)| {
                for (row, of_row) in rows.iter().enumerate() {
                    of_row.iter().for_each(|(&column, &count)| run(row, before + column as usize, tf.of(count)));
                }
            };
            each(&mut |row, column, value| for k in 0..vectors {
                dots[row * vectors + k] += value * v[column * vectors + k];
                sums[column * vectors + k] += value * along[row * vectors + k];
            });
            let (mut both, mut greatest) = (vec![0.0; along.len()], 0.0f64);
            each(&mut |row, column, value| for k in 0..vectors {
                let sum = scales[column] * sums[column * vectors + k];
                greatest = greatest.max(sum.abs());
                both[row * vectors + k] += value * scales[column] * sum;
            });
            let close = |found: &[f64], want: &[f64]| found.iter().zip(want).all(|(found, want)| (found - want).abs() < 1e-6);
            let mut out = vec![0.0; along.len()];
            kernel.cold_dots(&cold, vectors, &v, &mut out);
            prop_assert!(close(&out, &dots));
            let mut to = vec![0.0; v.len()];
            kernel.cold_sums(&cold, vectors, &along, &mut to);
            prop_assert!(close(&to, &sums));
            out.fill(0.0);
            let found = kernel.cold_both(&cold, &scales, vectors, &along, &mut out);
            prop_assert!(close(&out, &both) && (found - greatest).abs() < 1e-9);
        }
    }

    #[test]
    fn ranges_part_the_rows() {
        assert!(ranges(1000, 20).eq(std::iter::once(0..1000)));
        let found: Vec<Range<usize>> = ranges(3 * NUMBERS, 2).collect();
        assert_eq!(found.len(), 8);
        assert!(found.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!((found[0].start, found[7].end), (0, 3 * NUMBERS));
    }
}
