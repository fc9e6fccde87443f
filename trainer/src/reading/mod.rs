//! The documents and labels of a channel: every file in name order, streamed, checked, digested.
//!
//! Nothing is guessed. A row that could be read two ways is a fault with its file and line, and one fault is enough
//! for the channel to be refused unless rows may be skipped; `docs/data.md` has the rules. [`stream`] hands the
//! documents on in batches, [`audit`] looks at what was read of all channels.

mod audit;
mod bad;
mod batch;
mod csv;
mod encoding;
mod feed;
mod files;
mod jsonl;
pub mod problems;
mod rows;
mod source;
mod split;
mod stream;
mod summary;

use std::fmt;
use std::io;

pub use audit::audit;
pub use bad::BadRow;
pub use batch::Batch;
pub use rows::LONG;
pub use stream::stream;
pub use summary::{Label, Summary};

use crate::contract::Source;
use crate::hyperparameters::OnBadRows;
use problems::Problems;

/// Names of the columns (CSV) or keys (JSON Lines) that hold text and label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The hyperparameter `text_column`.
    pub text: String,
    /// The hyperparameter `label_column`.
    pub label: String,
}

impl Columns {
    fn hyperparameter(&self, column: &str) -> &'static str {
        if column == self.text { "text_column" } else { "label_column" }
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and {:?}", self.text, self.label)
    }
}

/// Bytes of a batch where nothing else is asked for.
const BATCH_BYTES: usize = 1 << 20;

/// How channels are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where text and label stand.
    pub columns: Columns,
    /// What becomes of rows that cannot be taken.
    pub on_bad_rows: OnBadRows,
    /// Threads that read rows, beside the one that reads the file and the one that digests it; at least 1.
    pub threads: usize,
    /// Bytes of a file in a batch, about; a longer record is a batch by itself. Nothing but memory depends on it.
    pub batch_bytes: usize,
}

impl Options {
    /// Rows that cannot be taken are refused; as many threads as the model has, batches of 1 MiB.
    #[must_use]
    pub fn new(columns: Columns) -> Self {
        let threads = model::threads::count();
        Self { columns, on_bad_rows: OnBadRows::Fail, threads, batch_bytes: BATCH_BYTES }
    }
}

/// What is wrong with a file, at a line or as a whole.
#[derive(Debug)]
struct Fault {
    line: Option<u64>,
    message: String,
}

impl Fault {
    fn at(line: u64, message: String) -> Self {
        Self { line: Some(line), message }
    }

    fn whole(message: String) -> Self {
        Self { line: None, message }
    }

    /// The fault of a stretch as one of the file, in which the stretch begins at line `first`.
    fn below(&self, first: u64) -> Self {
        Self { line: self.line.map(|line| line + first), message: self.message.clone() }
    }

    /// `channel/name:line`.
    fn place(&self, file: &str) -> String {
        self.line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
    }

    /// `channel/name:line: message`.
    fn show(&self, file: &str) -> String {
        format!("{}: {}", self.place(file), self.message)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::whole(format!("cannot be read: {error}"))
    }
}

/// A channel in memory.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// Documents, in the order of the files and of the rows in them.
    pub texts: Vec<String>,
    /// Index into the summary's labels a document.
    pub label_of: Vec<usize>,
    /// Its labels, its files, what was left out.
    pub summary: Summary,
}

impl Channel {
    /// Reads all of a channel; `name` is the channel's. Faults go to `problems`.
    pub fn collect(name: &str, from: &Source, options: &Options, problems: &mut Problems) -> Self {
        let (texts, label_of, summary) = stream::collect(name, from, options, problems);
        Self { texts, label_of, summary }
    }
}
