//! The documents and labels of a channel: every file in name order, streamed, checked, digested.
//!
//! Nothing is guessed. A row that could be read two ways is a fault with its file and line, and one fault is enough
//! for the channel to be refused; see [`problems::Problems`] for how many are shown.

mod csv;
mod files;
mod jsonl;
pub mod problems;
mod source;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;

use report::evaluation::DataFile;

use files::{ChannelFile, Rows};
use problems::Problems;
use source::Seen;

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

/// One document as it stands in its file.
struct Row<'a> {
    line: u64,
    text: &'a str,
    label: &'a str,
}

/// What is wrong with a file, at a line or as a whole.
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

    /// `channel/name:line: message`.
    fn show(&self, file: &str) -> String {
        match self.line {
            Some(line) => format!("{file}:{line}: {}", self.message),
            None => format!("{file}: {}", self.message),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        let not_utf8 = error.get_ref().and_then(|inner| inner.downcast_ref::<source::NotUtf8>());
        match not_utf8 {
            Some(bad) => Self::at(bad.line, bad.to_string()),
            None => Self::whole(format!("cannot be read: {error}")),
        }
    }
}

/// A label of a channel and where it was met first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label, white space around it removed.
    pub name: String,
    /// `channel/file` of its first row.
    pub file: String,
    /// Line of its first row.
    pub line: u64,
    /// Rows that bear it.
    pub rows: u64,
}

/// What a channel holds.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// Documents, in the order of the files and of the rows in them.
    pub texts: Vec<String>,
    /// Index into `labels` a document.
    pub label_of: Vec<usize>,
    /// Labels in the order they were met.
    pub labels: Vec<Label>,
    /// Every file that was read.
    pub files: Vec<DataFile>,
    index: HashMap<String, usize>,
}

impl Channel {
    /// Reads all files below `folder`; `name` is the channel's. Faults go to `problems`.
    pub fn read(name: &str, folder: &Path, columns: &Columns, problems: &mut Problems) -> Self {
        let mut channel = Self::default();
        let mut found = Problems::default();
        let files = files::list(name, folder, &mut found);
        if files.is_empty() && found.is_empty() {
            found.add(format!("{name}: the channel holds no file; expected .csv, .csv.gz, .jsonl or .jsonl.gz files"));
        }
        for file in &files {
            channel.read_file(name, file, columns, &mut found);
        }
        if channel.texts.is_empty() && found.is_empty() {
            found.add(format!("{name}: the channel's files hold no row"));
        }
        problems.append(found);
        channel
    }

    fn read_file(&mut self, channel: &str, file: &ChannelFile, columns: &Columns, problems: &mut Problems) {
        let shown = format!("{channel}/{}", file.name);
        let (text, seen) = match source::open(&file.path, file.format.gzip) {
            Ok(opened) => opened,
            Err(error) => return problems.add(format!("{shown}: cannot be opened: {error}")),
        };
        if file.path.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            return problems.add(format!("{shown}: is empty (0 bytes); expected rows with {columns}"));
        }
        let before = self.texts.len();
        let mut sink = |row: Result<Row<'_>, Fault>| {
            if let Err(fault) = row.and_then(|row| self.push(&shown, &row)) {
                problems.add(fault.show(&shown));
            }
        };
        let read = match file.format.rows {
            Rows::Csv => csv::read(text, columns, &mut sink),
            Rows::JsonLines => jsonl::read(text, columns, &mut sink),
        };
        if let Err(fault) = read {
            problems.add(fault.show(&shown));
        }
        let (bytes, sha256) = Seen::finish(&seen);
        let rows = (self.texts.len() - before) as u64;
        self.files.push(DataFile { channel: channel.into(), name: file.name.clone(), bytes, sha256, rows });
    }

    fn push(&mut self, file: &str, row: &Row<'_>) -> Result<(), Fault> {
        let label = row.label.trim();
        if row.text.trim().is_empty() {
            return Err(Fault::at(row.line, "the text is empty; remove the row or fill it in".into()));
        }
        if label.is_empty() {
            return Err(Fault::at(row.line, "the label is empty; remove the row or fill it in".into()));
        }
        let index = match self.index.get(label) {
            Some(&index) => index,
            None => {
                let index = self.labels.len();
                self.labels.push(Label { name: label.into(), file: file.into(), line: row.line, rows: 0 });
                self.index.insert(label.into(), index);
                index
            }
        };
        self.labels[index].rows += 1;
        self.label_of.push(index);
        self.texts.push(row.text.into());
        Ok(())
    }
}
