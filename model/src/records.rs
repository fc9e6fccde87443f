//! The records: documents × terms, sparse by rows (CSR).

use ndarray::Array2;

/// Sparse records: a row a document, a column a term. Within a row columns ascend; a value that is not stored is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Records {
    width: usize,
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl Records {
    /// No rows yet, of `columns` terms each.
    pub fn new(columns: usize) -> Self {
        Records { width: columns, offsets: vec![0], columns: Vec::new(), values: Vec::new() }
    }

    pub(crate) fn with_capacity(columns: usize, rows: usize, non_zeros: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Records {
            width: columns,
            offsets,
            columns: Vec::with_capacity(non_zeros),
            values: Vec::with_capacity(non_zeros),
        }
    }

    /// Adds a row of (column, value), columns ascending and below [`columns`](Self::columns).
    ///
    /// # Panics
    /// Where columns do not ascend or are too large: the caller's mistake, never the data's.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = (u32, f64)>) {
        let start = self.columns.len();
        for (column, value) in row {
            let ascends = self.columns[start..].last().is_none_or(|&last| last < column);
            assert!(ascends && (column as usize) < self.width, "columns of a row ascend, below {}", self.width);
            self.columns.push(column);
            self.values.push(value);
        }
        self.offsets.push(self.columns.len());
    }

    /// Number of documents.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of terms.
    pub fn columns(&self) -> usize {
        self.width
    }

    /// Number of values stored.
    pub fn non_zeros(&self) -> usize {
        self.columns.len()
    }

    /// Columns and values of row `i`, as long as each other.
    ///
    /// # Panics
    /// Where there is no row `i`.
    pub fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.offsets[i]..self.offsets[i + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// These rows, in this order; a row may come more than once.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn select(&self, rows: &[usize]) -> Records {
        let non_zeros = rows.iter().map(|&i| self.row(i).0.len()).sum();
        let mut selected = Records::with_capacity(self.width, rows.len(), non_zeros);
        for &i in rows {
            let (columns, values) = self.row(i);
            selected.columns.extend_from_slice(columns);
            selected.values.extend_from_slice(values);
            selected.offsets.push(selected.columns.len());
        }
        selected
    }

    /// Bytes that [`to_dense`](Self::to_dense) would take.
    pub fn dense_bytes(&self) -> u64 {
        (self.rows() as u64).saturating_mul(self.width as u64).saturating_mul(8)
    }

    /// The same with its zeros, shape (rows, columns). Ask [`dense_bytes`](Self::dense_bytes) first.
    pub fn to_dense(&self) -> Array2<f64> {
        let mut dense = Array2::zeros((self.rows(), self.width));
        for (i, mut dense) in dense.rows_mut().into_iter().enumerate() {
            let (columns, values) = self.row(i);
            for (&column, &value) in columns.iter().zip(values) {
                dense[column as usize] = value;
            }
        }
        dense
    }
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

    fn example() -> Records {
        let mut records = Records::new(3);
        records.push_row([(0, 1.0), (2, 2.0)]);
        records.push_row([]);
        records.push_row([(1, 3.0)]);
        records
    }

    #[test]
    fn rows_are_kept() {
        let records = example();
        assert_eq!((records.rows(), records.columns(), records.non_zeros()), (3, 3, 3));
        assert_eq!(records.row(0), (&[0, 2][..], &[1.0, 2.0][..]));
        assert_eq!(records.row(1), (&[][..], &[][..]));
        assert_eq!(records.to_dense(), array![[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 3.0, 0.0]]);
        assert_eq!(records.dense_bytes(), 72);
    }

    #[test]
    fn rows_are_selected_in_order_and_again() {
        let selected = example().select(&[2, 0, 2]);
        assert_eq!(selected.to_dense(), array![[0.0, 3.0, 0.0], [1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]);
    }

    #[test]
    #[should_panic(expected = "columns of a row ascend, below 3")]
    fn columns_ascend() {
        example().push_row([(1, 1.0), (1, 1.0)]);
    }
}
