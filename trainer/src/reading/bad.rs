//! Rows that cannot be taken, by kind: what `on_bad_rows` decides about.

use super::Fault;

/// What is wrong with a row. A fault after which a file cannot be read on (its encoding, an open quote) is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BadRow {
    /// More or fewer fields than the header.
    Fields,
    /// White space or nothing in the place of the text.
    EmptyText,
    /// White space or nothing in the place of the label.
    EmptyLabel,
    /// A NUL character in the text or the label.
    Nul,
    /// The header again, as where files were joined.
    RepeatedHeader,
    /// A line that is no JSON.
    Json,
    /// An object without the key, or JSON that is no object.
    Key,
    /// A key that holds something else than a text or a label.
    Type,
}

impl BadRow {
    /// Every kind, in their order.
    pub const ALL: [Self; 8] = [
        Self::Fields,
        Self::EmptyText,
        Self::EmptyLabel,
        Self::Nul,
        Self::RepeatedHeader,
        Self::Json,
        Self::Key,
        Self::Type,
    ];

    /// In words with underscores, as the manifest and the evaluation have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fields => "wrong_number_of_fields",
            Self::EmptyText => "empty_text",
            Self::EmptyLabel => "empty_label",
            Self::Nul => "nul_character",
            Self::RepeatedHeader => "repeated_header",
            Self::Json => "no_json",
            Self::Key => "missing_key",
            Self::Type => "wrong_type",
        }
    }
}

/// How many of a kind are kept with their lines.
pub(super) const KEPT: usize = 10;

/// Bad rows of a stretch of a file: counted by kind, the first of each kind kept.
#[derive(Debug, Default)]
pub(super) struct BadRows {
    counts: [u64; BadRow::ALL.len()],
    kept: Vec<(BadRow, Fault)>,
}

impl BadRows {
    pub fn add(&mut self, kind: BadRow, line: u64, message: impl FnOnce() -> String) {
        let count = &mut self.counts[kind as usize];
        if *count < KEPT as u64 {
            self.kept.push((kind, Fault::at(line, message())));
        }
        *count += 1;
    }

    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Rows of one kind.
    pub fn count(&self, kind: BadRow) -> u64 {
        self.counts[kind as usize]
    }

    /// The kept ones, by line; the first ten of all are among them.
    pub fn kept(&self) -> &[(BadRow, Fault)] {
        &self.kept
    }
}
