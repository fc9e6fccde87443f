//! The rows of one stretch of a file, checked one by one.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

use super::Fault;
use super::bad::{BadRow, BadRows, KEPT};
use super::batch::Batch;

/// A document longer than this is taken and warned of, bytes.
pub const LONG: usize = 1 << 20;

/// What was read of one stretch. Lines count from 0 at its start.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The rows; labels are indices into `names`.
    pub batch: Batch,
    /// Labels in the order they were met.
    pub names: Vec<String>,
    /// Line a row.
    pub lines: Vec<u64>,
    /// Hash a row: XXH3 of the text without the white space around it.
    pub hashes: Vec<u64>,
    /// Rows that were not taken.
    pub bad: BadRows,
    /// Why the file cannot be read on.
    pub fatal: Option<Fault>,
    /// Line feeds.
    pub line_feeds: u64,
    /// Ends of records.
    pub ends: LineEnds,
    /// Documents above [`LONG`].
    pub long: u64,
    /// Lines of the first of them.
    pub long_lines: Vec<u64>,
    /// Rows whose label is their text.
    pub copies: u64,
}

/// Ends of records by kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineEnds {
    /// `\n`
    pub lf: u64,
    /// `\r\n`
    pub crlf: u64,
    /// `\r`
    pub cr: u64,
}

/// Takes the rows of `stretch`.
pub struct Rows<'a> {
    stretch: &'a str,
    /// Filled as rows are taken.
    pub parsed: Parsed,
    index: HashMap<String, u32>,
    latest: u32,
}

impl<'a> Rows<'a> {
    /// For the rows of `stretch`.
    pub fn new(stretch: &'a str) -> Self {
        Self { stretch, parsed: Parsed::default(), index: HashMap::new(), latest: 0 }
    }

    /// Takes a row, or notes why not. `at` is where in the stretch the text lies, none where it had to be resolved.
    pub fn add(&mut self, line: u64, text: &str, at: Option<usize>, label: &str) {
        let (trimmed, label) = (text.trim(), label.trim());
        let parsed = &mut self.parsed;
        if trimmed.is_empty() {
            return parsed
                .bad
                .add(BadRow::EmptyText, line, || "the text is empty; remove the row or fill it in".into());
        }
        if label.is_empty() {
            return parsed
                .bad
                .add(BadRow::EmptyLabel, line, || "the label is empty; remove the row or fill it in".into());
        }
        for (what, value) in [("text", text), ("label", label)] {
            if let Some(nul) = memchr::memchr(0, value.as_bytes()) {
                return parsed.bad.add(BadRow::Nul, line, || {
                    let character = value[..nul].chars().count() + 1;
                    format!("character {character} of the {what} is NUL (byte 0); expected text: remove it")
                });
            }
        }
        if text.len() > LONG {
            parsed.long += 1;
            if parsed.long_lines.len() < KEPT {
                parsed.long_lines.push(line);
            }
        }
        parsed.copies += u64::from(trimmed == label);
        parsed.hashes.push(xxh3_64(trimmed.as_bytes()));
        parsed.lines.push(line);
        let start = at.unwrap_or_else(|| {
            parsed.batch.resolved.push_str(text);
            self.stretch.len() + parsed.batch.resolved.len() - text.len()
        });
        parsed.batch.texts.push(start..start + text.len());
        let label = self.label(label);
        self.parsed.batch.labels.push(label);
    }

    fn label(&mut self, label: &str) -> u32 {
        let names = &mut self.parsed.names;
        if names.get(self.latest as usize).is_some_and(|latest| latest == label) {
            return self.latest;
        }
        self.latest = match self.index.get(label) {
            Some(&index) => index,
            None => {
                let index = u32::try_from(names.len()).unwrap_or(u32::MAX);
                names.push(label.to_owned());
                self.index.insert(label.to_owned(), index);
                index
            }
        };
        self.latest
    }
}
