//! The records: documents × terms, sparse by rows, as counts and what they are multiplied with.
//!
//! The value of a term in a document is
//! `row_scale(group, document) · column_scale(term) · tf(count)`: TF-IDF has the inverse document frequency for the
//! column's scale, NB weighting the log-count ratio, and the row's scale is one over the norm of the document within the
//! group of blocks that are normalised together. So the counts are made once and shared (by folds, by candidates of a
//! search), an entry takes four bytes, and a solver can multiply its weights with the columns' scales once a pass
//! instead of every entry.

use std::sync::Arc;

use ndarray::Array2;

use crate::counts::{COUNT_BITS, Counts, ESCAPE};
use crate::tfidf::Norm;

/// What a count counts for.
#[derive(Debug, Clone, PartialEq)]
pub enum TermFrequency {
    /// `count`.
    Count,
    /// `1 + ln(count)`.
    Sublinear,
    /// 1.
    Binary,
    /// The value at place `count - 1`: how records of any values are counts too ([`Records::from_rows`]).
    Table(Arc<[f64]>),
}

impl TermFrequency {
    /// The value of a count, `≥ 1`.
    #[inline]
    pub fn of(&self, count: u32) -> f64 {
        match self {
            TermFrequency::Binary => 1.0,
            TermFrequency::Table(values) => values[count as usize - 1],
            _ if count == 1 => 1.0,
            TermFrequency::Count => f64::from(count),
            TermFrequency::Sublinear => f64::from(count).ln() + 1.0,
        }
    }
}

/// Terms side by side: the columns of a block follow those of the block before.
#[derive(Debug, Clone)]
pub struct Block {
    /// Of the block's own columns, from 0; a row a document, the same documents in every block.
    pub counts: Arc<Counts>,
    /// Blocks of the same group are normalised together. Groups are numbered from 0.
    pub group: usize,
}

/// Scales of columns and rows.
#[derive(Debug, Clone)]
struct Scales {
    /// Of all columns, shape (columns,).
    columns: Arc<[f64]>,
    /// Of each group, shape (documents,).
    rows: Vec<Arc<[f64]>>,
}

/// Sparse records: a row a document, a column a term; linfa's `Records`.
///
/// One set of scales, or one a class: NB weighting of several classes gives every class values of its own. What takes
/// records as they are (linfa, trees, [`row`](Self::row)) sees the first set; [`set`](Self::set) gives another.
#[derive(Debug, Clone)]
pub struct Records {
    blocks: Arc<[Block]>,
    /// First column of each block, and the number of all columns.
    starts: Arc<[usize]>,
    tf: TermFrequency,
    sets: Vec<Scales>,
    /// The documents that are the rows.
    documents: Arc<[u32]>,
}

impl Records {
    /// All documents of `blocks`; `column_scales` holds a set of scales for all their columns, or one a class.
    /// A document's values of a group are scaled to unit `norm`.
    ///
    /// # Panics
    /// Where shapes do not fit each other: the caller's mistake, never the data's.
    pub fn new(blocks: Vec<Block>, tf: TermFrequency, column_scales: Vec<Arc<[f64]>>, norm: Option<Norm>) -> Self {
        let rows = blocks.first().map_or(0, |block| block.counts.rows());
        let mut starts = vec![0];
        for block in &blocks {
            assert_eq!(block.counts.rows(), rows, "every block counts the same documents");
            starts.push(starts[starts.len() - 1] + block.counts.columns());
        }
        let groups = blocks.iter().map(|block| block.group + 1).max().unwrap_or(0);
        let scales = |columns: Arc<[f64]>| {
            assert_eq!(columns.len(), starts[blocks.len()], "a scale a column");
            let of_group = |group| match norm {
                None => vec![1.0; rows].into(),
                Some(norm) => {
                    let blocks = blocks.iter().zip(&starts).filter(|(block, _)| block.group == group);
                    let blocks =
                        blocks.map(|(block, &start)| (&*block.counts, &columns[start..start + block.counts.columns()]));
                    row_scales(&blocks.collect::<Vec<_>>(), rows, &tf, norm)
                }
            };
            let rows = (0..groups).map(of_group).collect();
            Scales { columns, rows }
        };
        let sets: Vec<Scales> = column_scales.into_iter().map(scales).collect();
        assert!(!sets.is_empty(), "one set of scales at least");
        Records { blocks: blocks.into(), starts: starts.into(), tf, sets, documents: (0..rows as u32).collect() }
    }

    /// Records of any values: `rows` of (column, value), columns ascending and below `columns`.
    ///
    /// # Panics
    /// Where columns do not ascend or are too large: the caller's mistake.
    pub fn from_rows<R: IntoIterator<Item = (u32, f64)>>(columns: usize, rows: impl IntoIterator<Item = R>) -> Self {
        let (mut counts, mut values) = (Counts::new(columns), Vec::new());
        for row in rows {
            counts.push_row(row.into_iter().map(|(column, value)| {
                values.push(value);
                (column, values.len() as u32)
            }));
        }
        let blocks = vec![Block { counts: Arc::new(counts), group: 0 }];
        Records::new(blocks, TermFrequency::Table(values.into()), vec![vec![1.0; columns].into()], None)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.documents.len()
    }

    /// Number of columns, of all blocks.
    pub fn columns(&self) -> usize {
        self.starts[self.blocks.len()]
    }

    /// Number of values stored in the rows.
    pub fn non_zeros(&self) -> u64 {
        let all = self.blocks.first().map_or(0, |block| block.counts.rows());
        let whole =
            self.documents.len() == all && self.documents.iter().zip(0..).all(|(&document, row)| document == row);
        let of_block = |block: &Block| match whole {
            true => block.counts.non_zeros(),
            false => self.documents.iter().map(|&document| block.counts.row(document as usize).count() as u64).sum(),
        };
        self.blocks.iter().map(of_block).sum()
    }

    /// (column, value) of row `i`, columns ascending: the general way; solvers go by [`blocks`](Self::blocks).
    ///
    /// # Panics
    /// Where there is no row `i`.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let document = self.documents[i] as usize;
        self.blocks.iter().zip(self.starts.iter()).flat_map(move |(block, &start)| {
            let row_scale = self.sets[0].rows[block.group][document];
            block.counts.row(document).map(move |(column, count)| {
                let column = start + column as usize;
                (column, row_scale * self.sets[0].columns[column] * self.tf.of(count))
            })
        })
    }

    /// The counts, and all else: records that hold no count, for who made something of them.
    pub(crate) fn part(self) -> (Records, Vec<Arc<Counts>>) {
        let counts = self.blocks.iter().map(|block| block.counts.clone()).collect();
        let without =
            |block: &Block| Block { counts: Arc::new(Counts::new(block.counts.columns())), group: block.group };
        let blocks = self.blocks.iter().map(without).collect();
        (Records { blocks, ..self }, counts)
    }

    /// The blocks, in the order of their columns.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// First column of each block, and the number of all columns at the end.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// What counts count for.
    pub fn term_frequency(&self) -> &TermFrequency {
        &self.tf
    }

    /// Number of sets of scales: 1, or one a class.
    pub fn sets(&self) -> usize {
        self.sets.len()
    }

    /// These records with the scales of class `class` alone (the only set, where there is one).
    pub fn set(&self, class: usize) -> Records {
        let set = self.sets[if self.sets.len() == 1 { 0 } else { class }].clone();
        Records { sets: vec![set], ..self.clone() }
    }

    /// The columns' scales of the first set, shape (columns,).
    pub fn column_scales(&self) -> &Arc<[f64]> {
        &self.sets[0].columns
    }

    /// The rows' scales of a group in the first set, by document: ask [`documents`](Self::documents) for a row's.
    pub fn row_scales(&self, group: usize) -> &Arc<[f64]> {
        &self.sets[0].rows[group]
    }

    /// The document (row of the counts) of each row.
    pub fn documents(&self) -> &[u32] {
        &self.documents
    }

    /// These rows, in this order; a row may come more than once. Counts and scales are shared, not copied.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn select(&self, rows: &[usize]) -> Records {
        let documents = rows.iter().map(|&row| self.documents[row]).collect();
        Records { documents, ..self.clone() }
    }

    /// Bytes that [`to_dense`](Self::to_dense) would take.
    pub fn dense_bytes(&self) -> u64 {
        (self.rows() as u64).saturating_mul(self.columns() as u64).saturating_mul(8)
    }

    /// The same with its zeros, shape (rows, columns). Ask [`dense_bytes`](Self::dense_bytes) first.
    pub fn to_dense(&self) -> Array2<f64> {
        let mut dense = Array2::zeros((self.rows(), self.columns()));
        for (i, mut dense) in dense.rows_mut().into_iter().enumerate() {
            self.row(i).for_each(|(column, value)| dense[column] = value);
        }
        dense
    }
}

/// One over the norm of each row's values in `blocks`, each with the scales of its columns; 1 where a row has none.
fn row_scales(blocks: &[(&Counts, &[f64])], rows: usize, tf: &TermFrequency, norm: Norm) -> Arc<[f64]> {
    let size = |value: f64| if norm == Norm::L1 { value.abs() } else { value * value };
    // Of the counts that are packed with their column; few are larger. Any values (tables) are no counts.
    let packed = !matches!(tf, TermFrequency::Table(_));
    let sizes: [f64; ESCAPE as usize] =
        std::array::from_fn(|count| if packed && count > 0 { size(tf.of(count as u32)) } else { 0.0 });
    let scale = |document: usize| {
        let mut sum = 0.0;
        for (counts, columns) in blocks {
            let mut entries = counts.packed(document).iter();
            while let Some(&entry) = entries.next() {
                let code = entry & ESCAPE;
                let of_count = match code {
                    ESCAPE => size(tf.of(entries.next().copied().unwrap_or(ESCAPE))),
                    code if packed => sizes[code as usize],
                    code => size(tf.of(code)),
                };
                sum += size(columns[(entry >> COUNT_BITS) as usize]) * of_count;
            }
        }
        let norm = if norm == Norm::L1 { sum } else { sum.sqrt() };
        if norm > 0.0 { 1.0 / norm } else { 1.0 }
    };
    let parts = crate::threads::count() * 4;
    let share = rows.div_ceil(parts).max(1);
    let scales = crate::threads::map(rows.div_ceil(share), |part| {
        (part * share..rows.min((part + 1) * share)).map(scale).collect::<Vec<f64>>()
    });
    scales.concat().into()
}

impl linfa::dataset::Records for Records {
    type Elem = f64;

    fn nsamples(&self) -> usize {
        self.rows()
    }

    fn nfeatures(&self) -> usize {
        self.columns()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// Two blocks of two columns each in two groups; the second document is empty.
    fn example(norm: Option<Norm>) -> Records {
        let mut words = Counts::new(2);
        words.push_row([(0, 3), (1, 4)]);
        words.push_row([]);
        words.push_row([(1, 1)]);
        let mut chars = Counts::new(2);
        chars.push_row([(0, 1)]);
        chars.push_row([]);
        chars.push_row([(0, 20), (1, 1)]);
        let blocks = [words, chars].into_iter().enumerate();
        let blocks = blocks.map(|(group, counts)| Block { counts: Arc::new(counts), group }).collect();
        let scales = [vec![1.0, 1.0, 2.0, -1.0], vec![0.0, 1.0, 1.0, 1.0]];
        Records::new(blocks, TermFrequency::Count, scales.map(Arc::from).into(), norm)
    }

    #[test]
    fn values_are_scaled_counts() {
        let records = example(None);
        assert_eq!((records.rows(), records.columns(), records.non_zeros(), records.dense_bytes()), (3, 4, 6, 96));
        let want = array![[3.0, 4.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 40.0, -1.0]];
        assert_eq!(records.to_dense(), want);
        assert_eq!(records.set(1).to_dense().row(0), array![0.0, 4.0, 1.0, 0.0]);
    }

    #[test]
    fn any_values_are_records() {
        let records = Records::from_rows(3, [vec![(0, 1.5), (2, -2.0)], vec![], vec![(1, 3.0)]]);
        assert_eq!(records.to_dense(), array![[1.5, 0.0, -2.0], [0.0, 0.0, 0.0], [0.0, 3.0, 0.0]]);
    }

    #[test]
    fn groups_are_normalised_apart() {
        assert_eq!(example(Some(Norm::L2)).to_dense().row(0), array![0.6000000000000001, 0.8, 1.0, 0.0]);
        assert_eq!(example(Some(Norm::L1)).set(1).to_dense().row(0), array![0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn rows_are_selected_in_order_and_again() {
        let selected = example(None).select(&[2, 0, 2]).select(&[1, 2]);
        assert_eq!(selected.to_dense(), array![[3.0, 4.0, 2.0, 0.0], [0.0, 1.0, 40.0, -1.0]]);
        assert_eq!(selected.non_zeros(), 6);
    }
}
