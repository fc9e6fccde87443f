//! Some documents of a channel, as ranges of the bytes that were read.

use std::ops::Range;

/// Documents that follow each other in a channel, with their labels. A text lies where it was read; one whose quotes
/// or escapes had to be resolved lies in a second arena.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) read: String,
    pub(super) resolved: String,
    /// Offsets into `read`, then `resolved`, as if they were one.
    pub(super) texts: Vec<Range<usize>>,
    pub(super) labels: Vec<u32>,
}

impl Batch {
    /// How many documents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The documents, in their order.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(|range| self.text(range)).collect()
    }

    /// A label a document: its index in [`super::Summary::labels`], where labels stand in the order they were met.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Drops the documents and keeps the bytes.
    pub(super) fn clear(&mut self) {
        self.texts.clear();
        self.labels.clear();
    }

    fn text(&self, range: &Range<usize>) -> &str {
        let read = self.read.len();
        if range.start < read {
            &self.read[range.clone()]
        } else {
            &self.resolved[range.start - read..range.end - read]
        }
    }
}
