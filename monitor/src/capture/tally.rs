//! What was read of captures, and what could not be.

use super::Place;

/// Damaged lines that are named.
const NAMED: usize = 10;

/// Counts, and the first of what was wrong in the order of the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Captured requests in the window.
    pub requests: u64,
    /// Captured requests before or after it.
    pub outside: u64,
    /// Those of the window whose documents and predictions could not be read or do not belong together.
    pub unreadable: u64,
    first_unreadable: Option<(Place, String)>,
    /// Lines that are no capture record.
    pub damaged: u64,
    damaged_lines: Vec<(Place, String)>,
}

impl Tally {
    pub(super) fn damaged_line(&mut self, place: Place, file: &str, why: &str) {
        self.damaged += 1;
        if self.damaged_lines.len() < NAMED {
            self.damaged_lines.push((place, format!("{file}:{}: {why}", place.line)));
        }
    }

    pub(super) fn unreadable_request(&mut self, place: Place, file: &str, why: &str) {
        self.unreadable += 1;
        self.first_unreadable.get_or_insert_with(|| (place, format!("{file}:{}: {why}", place.line)));
    }

    pub(super) fn merge(&mut self, other: Tally) {
        self.requests += other.requests;
        self.outside += other.outside;
        self.unreadable += other.unreadable;
        self.damaged += other.damaged;
        self.damaged_lines.extend(other.damaged_lines);
        self.damaged_lines.sort_unstable();
        self.damaged_lines.truncate(NAMED);
        self.first_unreadable = [self.first_unreadable.take(), other.first_unreadable].into_iter().flatten().min();
    }

    /// The first damaged lines, `file:line: why`.
    pub fn damaged_lines(&self) -> Vec<String> {
        self.damaged_lines.iter().map(|(_, line)| line.clone()).collect()
    }

    /// Where the first unreadable request is, and why.
    pub fn first_unreadable(&self) -> Option<&str> {
        self.first_unreadable.as_ref().map(|(_, why)| why.as_str())
    }
}
