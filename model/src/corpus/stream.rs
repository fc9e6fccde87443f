//! Documents as numbers: of their units, or of the n-grams that begin at each place.
//!
//! Numbers lie in chunks of 32 MiB, which the allocator takes from and gives back to the system one by one, so that what
//! is made out of a stream can take its memory over while it is read. Chunks that find no room are on the disk.

use std::ops::Range;
use std::sync::Arc;

use super::parallel;
use crate::room::{Numbers, Room};

/// Marks a place that holds nothing, or nothing that was kept.
pub(super) const NONE: u32 = u32::MAX;

/// Numbers of a chunk, from which on no document is added.
const CHUNK: usize = 1 << 23;

/// Documents, one after the other.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) chunks: Vec<Chunk>,
    /// Where they lie.
    pub(super) room: Arc<Room>,
}

/// Whole documents.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) numbers: Numbers,
    /// Where each document ends.
    pub(super) ends: Vec<usize>,
}

/// Documents of a chunk, for one thread.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) chunk: usize,
    /// Documents of the chunk.
    pub(super) documents: Range<usize>,
    /// The first of them in the stream.
    pub(super) first: usize,
}

impl Chunk {
    pub(super) fn documents(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn span(&self, document: usize) -> Range<usize> {
        self.span_of(&(document..document + 1))
    }

    /// Of some documents.
    pub(super) fn span_of(&self, documents: &Range<usize>) -> Range<usize> {
        let start_of = |document: usize| document.checked_sub(1).map_or(0, |before| self.ends[before]);
        start_of(documents.start)..start_of(documents.end)
    }

    /// Documents in ranges of about so many numbers.
    pub(super) fn ranges(&self, documents: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
        let mut start = documents.start;
        std::iter::from_fn(move || {
            let first = self.span_of(&(start..start)).start;
            let own = self.ends[start..documents.end].partition_point(|&end| end <= first + most).max(1);
            let range = start..(start + own).min(documents.end);
            start = range.end;
            (!range.is_empty()).then_some(range)
        })
    }

    #[inline]
    pub(super) fn document(&self, document: usize) -> &[u32] {
        &self.numbers[self.span(document)]
    }

    /// About `parts` ranges of documents with as many numbers each.
    pub(super) fn split(&self, parts: usize) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        let mut start = 0;
        for part in 1..=parts {
            let target = self.numbers.len() * part / parts;
            let end = if part == parts { self.documents() } else { self.ends.partition_point(|&end| end <= target) };
            if end > start {
                ranges.push(start..end);
                start = end;
            }
        }
        ranges
    }
}

impl Stream {
    /// None yet, to lie in `room`.
    pub(super) fn within(room: &Arc<Room>) -> Self {
        Stream { chunks: Vec::new(), room: room.clone() }
    }

    /// Adds a document.
    pub(super) fn push(&mut self, document: impl IntoIterator<Item = u32>) {
        let growing = |chunk: &mut Chunk| chunk.numbers.growing().is_some_and(|numbers| numbers.len() < CHUNK);
        if !self.chunks.last_mut().is_some_and(growing) {
            self.settle();
            self.chunks.push(Chunk { numbers: Vec::with_capacity(CHUNK).into(), ends: Vec::new() });
        }
        if let Some(chunk) = self.chunks.last_mut()
            && let Some(numbers) = chunk.numbers.growing()
        {
            numbers.extend(document);
            chunk.ends.push(numbers.len());
        }
    }

    /// Ends the last chunk: no document is added to it.
    pub(super) fn settle(&mut self) {
        if let Some(chunk) = self.chunks.last_mut()
            && let Some(numbers) = chunk.numbers.growing()
        {
            chunk.numbers = self.room.keep(std::mem::take(numbers));
        }
    }

    pub(super) fn documents(&self) -> usize {
        self.chunks.iter().map(Chunk::documents).sum()
    }

    pub(super) fn numbers(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.numbers.len()).sum()
    }

    /// All documents in parts of about the same size, several a thread.
    pub(super) fn parts(&self, threads: usize) -> Vec<Part> {
        let each = if threads < 2 { 1 } else { threads * 4 };
        let mut first = 0;
        let mut parts = Vec::new();
        for (number, chunk) in self.chunks.iter().enumerate() {
            for documents in chunk.split(each) {
                parts.push(Part { chunk: number, first: first + documents.start, documents });
            }
            first += chunk.documents();
        }
        parts
    }

    /// Numbers of documents that hold each number, shape (`distinct`,).
    pub(super) fn frequencies(&self, distinct: usize, threads: usize) -> Vec<u32> {
        let parts = self.parts(threads);
        // A thread takes every n-th part, and has one pair of tables for all of them.
        let workers = threads.min(parts.len()).max(1);
        let counted = parallel::map(workers, workers, |worker| {
            let mut tables = vec![(0u32, 0u32); distinct];
            for part in parts.iter().skip(worker).step_by(workers) {
                let chunk = &self.chunks[part.chunk];
                for (document, place) in part.documents.clone().zip(part.first as u32 + 1..) {
                    for &number in chunk.document(document) {
                        if let Some((frequency, last)) = tables.get_mut(number as usize)
                            && *last != place
                        {
                            *last = place;
                            *frequency += 1;
                        }
                    }
                }
            }
            tables
        });
        let mut frequencies = vec![0; distinct];
        for tables in counted {
            frequencies.iter_mut().zip(tables).for_each(|(all, (frequency, _))| *all += frequency);
        }
        frequencies
    }

    /// Every number by `map` of it; those that are not in it stay as they are.
    pub(super) fn renumber(&mut self, map: &[u32], threads: usize) {
        for chunk in &mut self.chunks {
            let mut all = std::mem::take(&mut chunk.numbers).take();
            let share = all.len().div_ceil(threads).max(1);
            let mut shares: Vec<&mut [u32]> = all.chunks_mut(share).collect();
            parallel::each(threads, &mut shares, |_, numbers| {
                for number in numbers.iter_mut() {
                    *number = map.get(*number as usize).copied().unwrap_or(*number);
                }
            });
            chunk.numbers = self.room.keep(all);
        }
    }
}
