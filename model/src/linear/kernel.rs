//! The loops over packed entries ([`Counts`](crate::Counts)) that all passes over the records are made of.

use crate::counts::{COUNT_BITS, ESCAPE};
use crate::records::TermFrequency;

/// What entries count for: a table for the counts that stand in the entry, the rule for those that follow it.
pub(super) struct Kernel<'r> {
    table: [f64; ESCAPE as usize + 1],
    of: &'r TermFrequency,
}

impl<'r> Kernel<'r> {
    pub(super) fn new(of: &'r TermFrequency) -> Self {
        let value = |code: usize| match of {
            _ if code == 0 => 0.0,
            TermFrequency::Table(values) => values.get(code - 1).copied().unwrap_or(0.0),
            of => of.of(code as u32),
        };
        Kernel { table: std::array::from_fn(value), of }
    }

    /// What a code below [`ESCAPE`] counts for.
    #[inline(always)]
    pub(super) fn coded(&self, code: u32) -> f64 {
        self.table[(code & ESCAPE) as usize]
    }

    /// What a count counts for.
    #[inline]
    pub(super) fn counted(&self, count: u32) -> f64 {
        self.of.of(count)
    }

    /// Column of the entries, and how many numbers of `packed` each takes.
    pub(super) fn columns(packed: &[u32]) -> impl Iterator<Item = (usize, u32)> + '_ {
        let mut rest = packed.iter();
        std::iter::from_fn(move || {
            let entry = *rest.next()?;
            let length = if entry & ESCAPE == ESCAPE { rest.next().map_or(1, |_| 2) } else { 1 };
            Some(((entry >> COUNT_BITS) as usize, length))
        })
    }

    /// Column and value of the entries, and how many numbers of `packed` each takes.
    pub(super) fn entries<'p>(&'p self, packed: &'p [u32]) -> impl Iterator<Item = (usize, f64, usize)> + 'p {
        let mut rest = packed.iter();
        std::iter::from_fn(move || {
            let entry = *rest.next()?;
            let (value, length) = match entry & ESCAPE {
                ESCAPE => (self.of.of(*rest.next()?), 2),
                code => (self.table[code as usize], 1),
            };
            Some(((entry >> COUNT_BITS) as usize, value, length))
        })
    }

    /// `Σ value · v[column]`. Four sums side by side, so that the loop does not wait for one addition after the
    /// other; which entry goes to which depends on the entries alone.
    #[inline]
    pub(super) fn dot(&self, packed: &[u32], v: &[f64]) -> f64 {
        let mut sums = [0.0; 4];
        let mut rest = packed;
        while let Some((four, after)) = rest.split_first_chunk::<4>() {
            if four.iter().any(|entry| entry & ESCAPE == ESCAPE) {
                rest = self.one(rest, |column, value| sums[0] += value * v[column]);
                continue;
            }
            for (sum, entry) in sums.iter_mut().zip(four) {
                *sum += self.table[(entry & ESCAPE) as usize] * v[(entry >> COUNT_BITS) as usize];
            }
            rest = after;
        }
        while !rest.is_empty() {
            rest = self.one(rest, |column, value| sums[0] += value * v[column]);
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }

    /// `sums += scale · Σ value · v[column]`, where a column has as many numbers as there are sums.
    #[inline]
    pub(super) fn dots(&self, packed: &[u32], scale: f64, v: &[f64], sums: &mut [f64]) {
        let mut rest = packed;
        while !rest.is_empty() {
            rest = self.one(rest, |column, value| {
                let (value, v) = (value * scale, &v[column * sums.len()..]);
                for (sum, v) in sums.iter_mut().zip(v) {
                    *sum += value * v;
                }
            });
        }
    }

    /// Does the first entry of `packed`, which is not empty; the rest comes back.
    #[inline]
    fn one<'p>(&self, packed: &'p [u32], mut run: impl FnMut(usize, f64)) -> &'p [u32] {
        let column = (packed[0] >> COUNT_BITS) as usize;
        match packed[0] & ESCAPE {
            ESCAPE => {
                run(column, self.of.of(packed[1]));
                &packed[2..]
            }
            code => {
                run(column, self.table[code as usize]);
                &packed[1..]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::counts::Counts;

    proptest! {
        /// Against the plain loop over (column, count), counts of one entry and of two.
        #[test]
        fn kernels_are_the_plain_loops(
            row in proptest::collection::btree_map(0..30u32, prop_oneof![1..3u32, 13..40u32], 0..20),
            v in proptest::collection::vec(-1.0..1.0f64, 60),
            scale in -2.0..2.0f64,
        ) {
            let mut counts = Counts::new(30);
            counts.push_row(row.iter().map(|(&column, &count)| (column, count)));
            for tf in [TermFrequency::Binary, TermFrequency::Count, TermFrequency::Sublinear, TermFrequency::Table((1..50).map(f64::from).collect())] {
                let kernel = Kernel::new(&tf);
                let plain: f64 = row.iter().map(|(&column, &count)| tf.of(count) * v[column as usize]).sum();
                prop_assert!((kernel.dot(counts.packed(0), &v[..30]) - plain).abs() < 1e-9);
                let mut sums = [1.0, 2.0];
                kernel.dots(counts.packed(0), scale, &v, &mut sums);
                for k in 0..2 {
                    let plain: f64 = row.iter().map(|(&column, &count)| tf.of(count) * v[2 * column as usize + k]).sum();
                    prop_assert!((sums[k] - (k + 1) as f64 - scale * plain).abs() < 1e-9);
                }
                let lengths: usize = kernel.entries(counts.packed(0)).map(|(_, _, length)| length).sum();
                prop_assert_eq!(lengths, counts.packed(0).len());
            }
        }
    }
}
