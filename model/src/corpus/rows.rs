//! Numbers at places to counts by document.

use crate::counts::{COUNT_BITS, Counts, ESCAPE};

use super::grams::{Index, by_frequency};
use super::parallel;
use super::places::Places;
use super::spread::Spread;
use super::stream::{Chunk, NONE, Stream};

/// Rows as [`Counts`] packs them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) entries: Vec<u32>,
    pub(super) ends: Vec<usize>,
    pub(super) non_zeros: u64,
}

impl Rows {
    #[inline]
    pub(super) fn push(&mut self, column: u32, count: u32) {
        self.entries.push(column << COUNT_BITS | count.min(ESCAPE));
        if count >= ESCAPE {
            self.entries.push(count);
        }
        self.non_zeros += 1;
    }

    #[inline]
    pub(super) fn end_row(&mut self) {
        self.ends.push(self.entries.len());
    }
}

/// Adds the counts of a chunk whose numbers are columns.
pub(super) fn add(counts: &mut Counts, chunk: &Chunk, threads: usize) {
    let ranges = chunk.split(if threads < 2 { 1 } else { threads * 4 });
    let parts = parallel::map(threads, ranges.len(), |part| {
        let (mut rows, mut sorter) = (Rows::default(), Sorter::default());
        for document in ranges[part].clone() {
            sorter.row(chunk.document(document), &mut rows);
        }
        rows
    });
    parts.into_iter().for_each(|rows| counts.append(rows.entries, &rows.ends, rows.non_zeros));
}

/// Adds the counts of the n-grams that stand in a chunk.
pub(super) fn add_grams(counts: &mut Counts, index: &Index, places: Places<'_>, spread: &mut [Spread]) {
    let ranges = places.units.split(spread.len()).into_iter().zip(spread);
    let mut shares: Vec<_> = ranges.map(|(documents, spread)| (documents, spread, Vec::new())).collect();
    parallel::each(shares.len(), &mut shares, |_, (documents, spread, parts)| {
        let mut sorter = Sorter::default();
        for documents in index.ranges(places.units, documents.clone()) {
            let mut rows = Rows::default();
            rows.entries.reserve(places.units.span_of(&documents).len());
            index.visit(places, documents, spread, |_, numbers| sorter.row(numbers, &mut rows));
            parts.push(rows);
        }
    });
    let parts = shares.into_iter().flat_map(|(_, _, parts)| parts);
    parts.for_each(|rows| counts.append(rows.entries, &rows.ends, rows.non_zeros));
}

/// Numbers below this are counted at their place, most of all that there are; a bit of each tells their order.
const PLACES: usize = 1 << 14;

/// Numbers of a document to a row: the frequent ones by place, only the rest is sorted.
struct Sorter {
    /// By number; the last place is for all others.
    counts: Vec<u32>,
    /// A bit a place.
    held: Vec<u64>,
    rest: Vec<u32>,
}

impl Default for Sorter {
    fn default() -> Self {
        Sorter { counts: vec![0; PLACES + 1], held: vec![0; PLACES / 64 + 1], rest: Vec::new() }
    }
}

impl Sorter {
    fn row(&mut self, numbers: &[u32], rows: &mut Rows) {
        self.rest.resize(self.rest.len().max(numbers.len()), 0);
        let mut length = 0;
        for &number in numbers {
            // No branch here would be foreseen.
            let place = (number as usize).min(PLACES);
            self.counts[place] += 1;
            self.held[place / 64] |= 1 << (place % 64);
            self.rest[length] = number;
            length += usize::from((number >= PLACES as u32) & (number != NONE));
        }
        for (word, held) in self.held[..PLACES / 64].iter_mut().enumerate() {
            let mut bits = std::mem::take(held);
            while bits != 0 {
                let place = word * 64 + bits.trailing_zeros() as usize;
                rows.push(place as u32, std::mem::take(&mut self.counts[place]));
                bits &= bits - 1;
            }
        }
        self.counts[PLACES] = 0;
        let rest = &mut self.rest[..length];
        rest.sort_unstable();
        for same in rest.chunk_by(|a, b| a == b) {
            rows.push(same[0], u32::try_from(same.len()).unwrap_or(u32::MAX));
        }
        rows.end_row();
    }
}

/// One length of the n-grams of pieces: `lists` holds the numbers of each piece's, a document a piece.
pub(super) struct Lists<'l> {
    pub(super) lists: &'l Stream,
    pub(super) distinct: usize,
    /// Only pieces of this length have any: n-grams that are a whole piece.
    pub(super) whole: Option<usize>,
}

/// Counts, the documents of each column, the number of each column's n-gram, and the least documents kept to.
pub(super) struct Counted {
    pub(super) counts: Counts,
    pub(super) frequencies: Vec<u32>,
    pub(super) grams: Vec<u32>,
    pub(super) least: u32,
}

/// What the documents of `pieces` hold of `lists`, pruned to the n-grams of as many documents or more as `least` says of all.
pub(super) fn of_pieces(
    pieces: &Stream,
    lists: Lists<'_>,
    least: impl FnOnce(&[u32]) -> u32,
    threads: usize,
) -> Counted {
    let mut starts = vec![0];
    for chunk in &lists.lists.chunks {
        starts.push(starts[starts.len() - 1] + chunk.documents());
    }
    let list = |piece: u32| {
        let chunk = starts.partition_point(|&start| start <= piece as usize) - 1;
        let numbers = lists.lists.chunks[chunk].document(piece as usize - starts[chunk]);
        match lists.whole {
            None => numbers,
            Some(n) if numbers.len() == n => &numbers[..1],
            Some(_) => &[],
        }
    };
    let parts = pieces.parts(threads);
    // A thread takes every n-th part, and has one table of counts for all of them.
    let workers = threads.min(parts.len()).max(1);
    let counted = parallel::map(workers, workers, |worker| {
        let mut counts = vec![0u32; lists.distinct];
        let mut frequencies = vec![0u32; lists.distinct];
        let (mut sorted, mut touched) = (Vec::new(), Vec::new());
        let mut done = Vec::new();
        for (part, place) in parts.iter().enumerate().skip(worker).step_by(workers) {
            let chunk = &pieces.chunks[place.chunk];
            let mut rows = Rows::default();
            for document in place.documents.clone() {
                sorted.clear();
                sorted.extend(chunk.document(document).iter().copied().filter(|&piece| piece != NONE));
                sorted.sort_unstable();
                for same in sorted.chunk_by(|a, b| a == b) {
                    for &number in list(same[0]) {
                        if number == NONE {
                            continue;
                        }
                        let count = &mut counts[number as usize];
                        if *count == 0 {
                            touched.push(number);
                        }
                        *count = count.saturating_add(u32::try_from(same.len()).unwrap_or(u32::MAX));
                    }
                }
                for number in touched.drain(..) {
                    rows.push(number, std::mem::take(&mut counts[number as usize]));
                    frequencies[number as usize] += 1;
                }
                rows.end_row();
            }
            done.push((part, rows));
        }
        (done, frequencies)
    });
    let mut frequencies = vec![0; lists.distinct];
    let mut rows = Vec::new();
    for (done, more) in counted {
        frequencies.iter_mut().zip(more).for_each(|(all, frequency)| *all += frequency);
        rows.extend(done);
    }
    rows.sort_unstable_by_key(|(part, _)| *part);
    let least = least(&frequencies);
    let grams = by_frequency(&frequencies, least.max(1));
    let mut columns = vec![NONE; lists.distinct];
    for (column, &gram) in (0..).zip(&grams) {
        columns[gram as usize] = column;
    }
    let mut rows: Vec<Rows> = rows.into_iter().map(|(_, rows)| rows).collect();
    parallel::each(threads, &mut rows, |_, rows| *rows = in_order(std::mem::take(rows), &columns));
    let mut counts = Counts::within(&pieces.room, grams.len());
    counts.reserve(pieces.documents());
    rows.into_iter().for_each(|rows| counts.append(rows.entries, &rows.ends, rows.non_zeros));
    counts.settle();
    let frequencies = grams.iter().map(|&gram| frequencies[gram as usize]).collect();
    Counted { counts, frequencies, grams, least }
}

/// The rows with columns by `columns` of them, ascending, without those that are [`NONE`].
fn in_order(rows: Rows, columns: &[u32]) -> Rows {
    let mut out = Rows { entries: Vec::with_capacity(rows.entries.len()), ..Rows::default() };
    let (mut row, mut large): (Vec<u32>, Vec<(u32, u32)>) = (Vec::new(), Vec::new());
    let mut start = 0;
    for end in rows.ends {
        let mut packed = rows.entries[start..end].iter();
        row.clear();
        large.clear();
        while let Some(&entry) = packed.next() {
            let column = columns[(entry >> COUNT_BITS) as usize];
            let code = entry & ESCAPE;
            let count = if code == ESCAPE { packed.next().copied().unwrap_or(ESCAPE) } else { code };
            if column != NONE {
                row.push(column << COUNT_BITS | code);
                if code == ESCAPE {
                    large.push((column, count));
                }
            }
        }
        row.sort_unstable();
        if large.is_empty() {
            out.entries.extend_from_slice(&row);
            out.non_zeros += row.len() as u64;
        } else {
            large.sort_unstable();
            let mut large = large.iter();
            for &entry in &row {
                let code = entry & ESCAPE;
                let count = if code == ESCAPE { large.next().map_or(ESCAPE, |&(_, count)| count) } else { code };
                out.push(entry >> COUNT_BITS, count);
            }
        }
        out.end_row();
        start = end;
    }
    out
}
