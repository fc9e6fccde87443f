//! Counts: how often each term of a block stands in each document, sparse by rows, four bytes an entry.
//!
//! An entry holds the column in its upper 28 bits and the count in its lower four; a count of `ESCAPE` or more stands
//! there as `ESCAPE` and follows, whole, as the next entry. Nearly all counts are 1, so that a row is little more than
//! its columns, and what the counts are multiplied with ([`Records`](crate::Records)) can change without touching them.

/// Bits of an entry that hold the count.
pub(crate) const COUNT_BITS: u32 = 4;
/// The code of a count that follows as an entry of its own.
pub(crate) const ESCAPE: u32 = (1 << COUNT_BITS) - 1;
/// Columns that a block can have.
pub const MOST_COLUMNS: usize = 1 << (32 - COUNT_BITS);

/// Sparse counts of one block of terms. Within a row columns ascend; a count that is not stored is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    columns: usize,
    ends: Vec<u64>,
    entries: Vec<u32>,
    non_zeros: u64,
}

impl Counts {
    /// No rows yet, of `columns` terms each.
    ///
    /// # Panics
    /// Where there are more than [`MOST_COLUMNS`]: the caller's mistake, who must split them.
    pub fn new(columns: usize) -> Self {
        assert!(columns <= MOST_COLUMNS, "{columns} columns in one block, at most {MOST_COLUMNS}");
        Counts { columns, ..Counts::default() }
    }

    /// Adds a row of (column, count), columns ascending and below [`columns`](Self::columns), counts at least 1.
    ///
    /// # Panics
    /// Where they are not: the caller's mistake, never the data's.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = (u32, u32)>) {
        let mut before = None;
        for (column, count) in row {
            assert!(
                before < Some(column) && (column as usize) < self.columns,
                "columns ascend, below {}",
                self.columns
            );
            assert!(count > 0, "a count that is stored is at least 1");
            before = Some(column);
            self.entries.push(column << COUNT_BITS | count.min(ESCAPE));
            if count >= ESCAPE {
                self.entries.push(count);
            }
            self.non_zeros += 1;
        }
        self.ends.push(self.entries.len() as u64);
    }

    /// Room for so many more rows and packed entries.
    pub(crate) fn reserve(&mut self, rows: usize, entries: usize) {
        self.ends.reserve_exact(rows);
        self.entries.reserve_exact(entries);
    }

    /// Adds rows that are packed already: `ends` of each in `entries`, which hold `non_zeros` counts.
    ///
    /// The caller sees to it that columns ascend and are below [`columns`](Self::columns).
    pub(crate) fn append(&mut self, entries: &[u32], ends: &[usize], non_zeros: u64) {
        debug_assert_eq!(ends.last().copied().unwrap_or(0), entries.len());
        let start = self.entries.len() as u64;
        self.entries.extend_from_slice(entries);
        self.ends.extend(ends.iter().map(|&end| start + end as u64));
        self.non_zeros += non_zeros;
    }

    /// Number of documents.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Number of terms.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of counts stored.
    pub fn non_zeros(&self) -> u64 {
        self.non_zeros
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        (self.entries.capacity() * 4 + self.ends.capacity() * 8) as u64
    }

    /// Row `i` as it is packed (see the module).
    ///
    /// # Panics
    /// Where there is no row `i`.
    #[inline]
    pub fn packed(&self, i: usize) -> &[u32] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.entries[start..self.ends[i] as usize]
    }

    /// (column, count) of row `i`, columns ascending.
    ///
    /// # Panics
    /// Where there is no row `i`.
    #[inline]
    pub fn row(&self, i: usize) -> Row<'_> {
        Row { packed: self.packed(i).iter() }
    }
}

/// (column, count) of one row.
#[derive(Debug, Clone)]
pub struct Row<'c> {
    packed: std::slice::Iter<'c, u32>,
}

impl Iterator for Row<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        let entry = *self.packed.next()?;
        let count = match entry & ESCAPE {
            ESCAPE => *self.packed.next()?,
            count => count,
        };
        Some((entry >> COUNT_BITS, count))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_back(rows in proptest::collection::vec(proptest::collection::btree_map(0..50u32, 1..40u32, 0..9), 0..9)) {
            let mut counts = Counts::new(50);
            for row in &rows {
                counts.push_row(row.iter().map(|(&column, &count)| (column, count)));
            }
            prop_assert_eq!(counts.rows(), rows.len());
            prop_assert_eq!(counts.non_zeros() as usize, rows.iter().map(|row| row.len()).sum::<usize>());
            for (i, row) in rows.into_iter().enumerate() {
                prop_assert_eq!(counts.row(i).collect::<Vec<_>>(), row.into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    #[should_panic(expected = "columns ascend, below 3")]
    fn columns_ascend() {
        Counts::new(3).push_row([(1, 1), (1, 1)]);
    }
}
