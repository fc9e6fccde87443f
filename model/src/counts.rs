//! Counts: how often each term of a block stands in each document, sparse by rows, four bytes an entry.
//!
//! An entry holds the column in its upper 28 bits and the count in its lower four; a count of `ESCAPE` or more stands
//! there as `ESCAPE` and follows, whole, as the next entry. Nearly all counts are 1, so that a row is little more than
//! its columns, and what the counts are multiplied with ([`Records`](crate::Records)) can change without touching them.

use std::ops::Range;
use std::sync::Arc;

use crate::room::{Numbers, Room};

/// Bits of an entry that hold the count.
pub(crate) const COUNT_BITS: u32 = 4;
/// The code of a count that follows as an entry of its own.
pub(crate) const ESCAPE: u32 = (1 << COUNT_BITS) - 1;
/// Columns that a block can have.
pub const MOST_COLUMNS: usize = 1 << (32 - COUNT_BITS);

/// Packed entries of a segment at most, but where one row has more: so many bytes are the allocator's to take from the system
/// and to give back by themselves.
const SEGMENT: usize = if cfg!(test) { 40 } else { 1 << 24 };
/// Rows of so many packed entries are a segment as they are, while there are but a few.
const LARGE: usize = 1 << 16;
const FEW: usize = 64;

/// Sparse counts of one block of terms. Within a row columns ascend; a count that is not stored is 0.
///
/// Rows lie in segments, each of which can be let go of by itself. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    columns: usize,
    rows: Arc<Vec<Place>>,
    segments: Vec<Arc<Numbers>>,
    non_zeros: u64,
    /// Where full segments lie.
    room: Arc<Room>,
}

/// Where a row begins; it ends where the next of its segment does, or the segment.
#[derive(Debug, Clone, Copy)]
struct Place {
    segment: u32,
    start: u32,
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

    /// The same, whose segments lie in `room`.
    pub(crate) fn within(room: &Arc<Room>, columns: usize) -> Self {
        Counts { room: room.clone(), ..Counts::new(columns) }
    }

    /// No rows yet, of so many columns, where these lie.
    pub(crate) fn like(&self, columns: usize) -> Self {
        Counts::within(&self.room, columns)
    }

    /// Adds a row of (column, count), columns ascending and below [`columns`](Self::columns), counts at least 1.
    ///
    /// # Panics
    /// Where they are not: the caller's mistake, never the data's.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = (u32, u32)>) {
        let (mut entries, mut before, mut non_zeros) = (Vec::new(), None, 0);
        for (column, count) in row {
            assert!(
                before < Some(column) && (column as usize) < self.columns,
                "columns ascend, below {}",
                self.columns
            );
            assert!(count > 0, "a count that is stored is at least 1");
            before = Some(column);
            entries.push(column << COUNT_BITS | count.min(ESCAPE));
            if count >= ESCAPE {
                entries.push(count);
            }
            non_zeros += 1;
        }
        let end = entries.len();
        self.append(entries, &[end], non_zeros);
    }

    /// Room for so many more rows.
    pub(crate) fn reserve(&mut self, rows: usize) {
        Arc::make_mut(&mut self.rows).reserve_exact(rows);
    }

    /// Adds rows that are packed already: `ends` of each in `entries`, fewer than 2³², which hold `non_zeros` counts.
    ///
    /// The caller sees to it that columns ascend and are below [`columns`](Self::columns).
    pub(crate) fn append(&mut self, mut entries: Vec<u32>, ends: &[usize], non_zeros: u64) {
        debug_assert_eq!(ends.last().copied().unwrap_or(0), entries.len());
        let fits = |last: &mut Vec<u32>| last.is_empty() || last.len() + entries.len() <= SEGMENT;
        // A few large runs are segments as they are, many are copied together.
        let (few, large) = (self.segments.len() < FEW, entries.len() >= LARGE);
        if few && large || !self.growing().is_some_and(fits) {
            self.settle();
            let capacity = if few { 0 } else { SEGMENT };
            self.segments.push(Arc::new(Numbers::from(Vec::with_capacity(capacity))));
        }
        let segment = self.segments.len() as u32 - 1;
        let Some(last) = self.growing() else { return };
        let start = last.len();
        if start == 0 && few {
            entries.shrink_to_fit();
            *last = entries;
        } else {
            last.extend_from_slice(&entries);
        }
        let starts = std::iter::once(&0).chain(ends).take(ends.len());
        let places = starts.map(|&from| Place { segment, start: (start + from) as u32 });
        Arc::make_mut(&mut self.rows).extend(places);
        self.non_zeros += non_zeros;
    }

    /// The last segment, where rows can be added to it.
    fn growing(&mut self) -> Option<&mut Vec<u32>> {
        self.segments.last_mut().and_then(Arc::get_mut).and_then(Numbers::growing)
    }

    /// Ends the last segment: no row is added to it.
    pub(crate) fn settle(&mut self) {
        if let Some(last) = self.segments.last_mut().and_then(Arc::get_mut)
            && let Some(entries) = last.growing()
        {
            *last = self.room.keep(std::mem::take(entries));
        }
    }

    /// Number of documents.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of terms.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of counts stored.
    pub fn non_zeros(&self) -> u64 {
        self.non_zeros
    }

    /// Bytes of the rows.
    pub fn bytes(&self) -> u64 {
        let entries: usize = self.segments.iter().map(|segment| segment.len()).sum();
        (entries * 4 + self.rows.capacity() * 8) as u64
    }

    /// Lets go of what only other rows than these need: to ask for one of those is a mistake from then on.
    pub(crate) fn keep(&mut self, rows: Range<usize>) {
        let segment = |row: usize| self.rows.get(row).map_or(usize::MAX, |place| place.segment as usize);
        let (first, end) = match rows.is_empty() {
            true => (usize::MAX, usize::MAX),
            false => (segment(rows.start), segment(rows.end - 1).saturating_add(1)),
        };
        for (number, segment) in self.segments.iter_mut().enumerate() {
            if !(first..end).contains(&number) && !segment.is_empty() {
                *segment = Arc::default();
            }
        }
    }

    /// Row `i` as it is packed (see the module).
    ///
    /// # Panics
    /// Where there is no row `i`.
    #[inline]
    pub fn packed(&self, i: usize) -> &[u32] {
        let Place { segment, start } = self.rows[i];
        let entries = &self.segments[segment as usize][start as usize..];
        match self.rows.get(i + 1) {
            Some(next) if next.segment == segment => &entries[..(next.start - start) as usize],
            _ => entries,
        }
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

/// Equal rows, however they lie in segments.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        let same = |i| self.packed(i) == other.packed(i);
        self.columns == other.columns && self.rows() == other.rows() && (0..self.rows()).all(same)
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

        /// Some rows of another's, which keeps its own; more can be added.
        #[test]
        fn some_rows_are_kept(lengths in proptest::collection::vec(0..30u32, 1..40), from in 0..40usize, to in 0..40usize) {
            let mut counts = Counts::new(30);
            let row = |length: u32| (0..length).map(|column| (column, 1 + column % 20));
            lengths.iter().for_each(|&length| counts.push_row(row(length)));
            let (from, to) = (from.min(lengths.len()), to.min(lengths.len()));
            let mut some = counts.clone();
            some.keep(from..to);
            some.push_row(row(7));
            for (i, &length) in lengths.iter().enumerate() {
                prop_assert!(counts.row(i).eq(row(length)));
                prop_assert!(!(from..to).contains(&i) || some.row(i).eq(row(length)));
            }
            prop_assert!(some.row(lengths.len()).eq(row(7)));
            some.keep(0..0);
            prop_assert_eq!(some.segments.iter().map(|segment| segment.len()).sum::<usize>(), 0);
        }
    }

    #[test]
    #[should_panic(expected = "columns ascend, below 3")]
    fn columns_ascend() {
        Counts::new(3).push_row([(1, 1), (1, 1)]);
    }
}
