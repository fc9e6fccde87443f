//! The scales of columns: inverse document frequencies, log-count ratios.

use std::sync::Arc;

use crate::counts::{COUNT_BITS, ESCAPE};
use crate::tfidf::TfidfParams;

use super::{Chosen, parallel};

/// The documents that scales are fitted on.
pub(super) struct Rows<'r> {
    /// All, where none are given.
    pub(super) rows: Option<&'r [usize]>,
    /// Of all documents, and the number of classes.
    pub(super) targets: Option<(&'r [usize], usize)>,
    pub(super) documents: usize,
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        self.rows.map_or(self.documents, <[usize]>::len)
    }

    fn document(&self, at: usize) -> usize {
        self.rows.map_or(at, |rows| rows[at])
    }

    /// Sums over the rows, by thread: `add` a row to a table of `size` numbers.
    pub(super) fn sum<T: Copy + Default + Send + std::ops::AddAssign>(
        &self,
        size: usize,
        threads: usize,
        add: impl Fn(&mut [T], usize) + Sync,
    ) -> Vec<T> {
        let share = self.len().div_ceil(threads.max(1)).max(1);
        let sums = parallel::map(threads, self.len().div_ceil(share), |thread| {
            let mut sums = vec![T::default(); size];
            for at in thread * share..self.len().min((thread + 1) * share) {
                add(&mut sums, self.document(at));
            }
            sums
        });
        let mut sums = sums.into_iter();
        let mut all = sums.next().unwrap_or_else(|| vec![T::default(); size]);
        for more in sums {
            all.iter_mut().zip(more).for_each(|(all, more)| *all += more);
        }
        all
    }
}

impl Chosen {
    /// Counts the documents of the chosen rows that hold each column, by class where there are targets.
    pub(super) fn count(&mut self, rows: &Rows<'_>, threads: usize) {
        let counts = &self.counted.counts;
        let columns = counts.columns();
        self.frequencies = match (rows.rows, rows.targets) {
            (None, None) => vec![self.counted.frequencies.to_vec()],
            (_, targets) => {
                let classes = targets.map_or(1, |(_, classes)| classes);
                let summed = rows.sum(columns * classes, threads, |sums: &mut [u32], document| {
                    let class = targets.map_or(0, |(targets, _)| targets[document]);
                    let sums = &mut sums[class * columns..(class + 1) * columns];
                    let mut packed = counts.packed(document).iter();
                    while let Some(&entry) = packed.next() {
                        sums[(entry >> COUNT_BITS) as usize] += 1;
                        if entry & ESCAPE == ESCAPE {
                            packed.next();
                        }
                    }
                });
                summed.chunks(columns.max(1)).map(<[u32]>::to_vec).collect()
            }
        };
        self.frequencies.resize(rows.targets.map_or(1, |(_, classes)| classes), Vec::new());
    }

    /// Its columns that were kept.
    pub(super) fn columns(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        let kept = self.kept.as_ref();
        (0..kept.map_or(self.counted.counts.columns(), Vec::len)).map(move |i| kept.map_or(i, |kept| kept[i] as usize))
    }

    /// Documents of the chosen rows that hold a column.
    pub(super) fn frequency(&self, column: usize) -> u32 {
        self.frequencies.iter().map(|class| class[column]).sum()
    }
}

/// Inverse document frequency `ln((n + s) / (df + s)) + 1`, `s` 1 where smoothed, else 0 (scikit-learn's), of all columns;
/// 1 where it is not used. `documents` is `n`.
pub(super) fn idf(blocks: &[Chosen], params: &TfidfParams, documents: usize) -> Arc<[f64]> {
    let smooth = f64::from(u8::from(params.smooth_idf));
    let of = |df: u32| match params.use_idf {
        true => ((documents as f64 + smooth) / (f64::from(df) + smooth)).ln() + 1.0,
        false => 1.0,
    };
    // Columns lie by frequency, so that most have that of the one before.
    let mut last = (0, 1.0);
    let columns = blocks.iter().flat_map(|block| block.columns().map(|column| block.frequency(column)));
    let scales = columns.map(|df| {
        if df != last.0 {
            last = (df, of(df));
        }
        last.1
    });
    scales.collect()
}

/// Log-count ratios `ln((p / ‖p‖₁) / (q / ‖q‖₁))` of a class against the rest, `p` and `q` 1 plus the documents of either
/// that hold a term, words and characters each by themselves (Wang & Manning 2012, section 2.1, α = 1, binary counts).
/// One set for two classes (the second against the first), else one a class.
pub(super) fn log_count_ratios(blocks: &[Chosen], classes: usize) -> Vec<Arc<[f64]>> {
    let sets = if classes == 2 { 1..2 } else { 0..classes };
    let groups = blocks.iter().map(|block| block.group + 1).max().unwrap_or(0);
    let of_class = |class: usize| {
        let counts = |block: &Chosen, column: usize| {
            let own = block.frequencies[class][column];
            (f64::from(own) + 1.0, f64::from(block.frequency(column) - own) + 1.0)
        };
        let mut norms = vec![(0.0, 0.0); groups];
        for block in blocks {
            for column in block.columns() {
                let (p, q) = counts(block, column);
                norms[block.group].0 += p;
                norms[block.group].1 += q;
            }
        }
        let ratios = blocks.iter().flat_map(|block| {
            let (p_norm, q_norm) = norms[block.group];
            block.columns().map(move |column| {
                let (p, q) = counts(block, column);
                ((p / p_norm) / (q / q_norm)).ln()
            })
        });
        ratios.collect()
    };
    sets.map(of_class).collect()
}
