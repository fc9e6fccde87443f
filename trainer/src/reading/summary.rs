//! What reading a channel leaves beside its documents.

use std::collections::{BTreeMap, HashMap};

use report::evaluation::{DataFile, DataWarning, DroppedRows};

use super::Fault;
use super::bad::{BadRow, KEPT};
use super::feed::End;
use super::problems::Problems;
use super::rows::{LONG, LineEnds, Parsed};
use crate::hyperparameters::OnBadRows;

/// Most labels of a channel, and most bytes of all their names: more are no labels.
const MOST_LABELS: usize = 65_536;
const MOST_LABEL_BYTES: usize = 16 << 20;

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

/// A row's trace for the search of duplicates, 16 bytes: the hash of its text; its label, file and line packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trace {
    pub hash: u64,
    place: u64,
}

const LINE_BITS: u32 = 32;
const FILE_BITS: u32 = 12;

impl Trace {
    /// Files and lines that are too many to be packed are told as the last that can.
    fn new(hash: u64, label: u32, file: usize, line: u64) -> Self {
        let file = (file as u64).min((1 << FILE_BITS) - 1);
        let line = line.min((1 << LINE_BITS) - 1);
        Self { hash, place: u64::from(label) << (LINE_BITS + FILE_BITS) | file << LINE_BITS | line }
    }

    pub fn label(self) -> usize {
        (self.place >> (LINE_BITS + FILE_BITS)) as usize
    }

    /// File and line as one number that ascends with them.
    pub fn place(self) -> u64 {
        self.place & ((1 << (LINE_BITS + FILE_BITS)) - 1)
    }
}

/// What a channel holds beside its documents.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The channel.
    pub name: String,
    /// Documents taken.
    pub rows: u64,
    /// Labels in the order they were met.
    pub labels: Vec<Label>,
    /// Every file that was read.
    pub files: Vec<DataFile>,
    /// Rows left out, by kind.
    pub dropped: Vec<DroppedRows>,
    /// What is odd about single files and rows.
    pub warnings: Vec<DataWarning>,
    pub(super) traces: Vec<Trace>,
    /// Rows whose label is their text.
    pub(super) copies: u64,
}

impl Summary {
    /// `channel/file:line` of a row.
    pub(super) fn show(&self, trace: Trace) -> String {
        let place = trace.place();
        let file = self.files.get((place >> LINE_BITS) as usize).map_or("", |file| &file.name);
        format!("{}/{file}:{}", self.name, place & ((1 << LINE_BITS) - 1))
    }
}

/// Gathers what was read, in its order, into a summary.
pub(super) struct Gather<'a> {
    pub summary: Summary,
    pub found: Problems,
    on_bad_rows: OnBadRows,
    label_column: &'a str,
    index: HashMap<String, u32>,
    label_bytes: usize,
    dropped: BTreeMap<BadRow, DroppedRows>,
    /// Of the file that is being read.
    file: FileState,
}

#[derive(Default)]
struct FileState {
    name: String,
    shown: String,
    /// Lines before the next stretch.
    line: u64,
    rows: u64,
    bad: u64,
    first_bad: Option<String>,
    ends: LineEnds,
    over: bool,
}

impl<'a> Gather<'a> {
    pub fn new(name: &str, on_bad_rows: OnBadRows, label_column: &'a str) -> Self {
        Self {
            summary: Summary { name: name.into(), ..Summary::default() },
            found: Problems::default(),
            on_bad_rows,
            label_column,
            index: HashMap::new(),
            label_bytes: 0,
            dropped: BTreeMap::new(),
            file: FileState::default(),
        }
    }

    /// Begins with the next file.
    pub fn begin(&mut self, name: &str) {
        let shown = format!("{}/{name}", self.summary.name);
        self.file = FileState { name: name.into(), shown, line: 1, ..FileState::default() };
    }

    /// Takes a stretch of the file; its labels become the channel's. Whether the file is to be read on.
    pub fn take(&mut self, parsed: &mut Parsed) -> bool {
        if self.file.over {
            parsed.batch.clear();
            return false;
        }
        self.take_bad(parsed);
        self.take_rows(parsed);
        if let Some(fault) = parsed.fatal.take() {
            self.found.add(fault.below(self.file.line).show(&self.file.shown));
            self.file.over = true;
        }
        self.file.line += parsed.line_feeds;
        !self.file.over
    }

    fn take_bad(&mut self, parsed: &Parsed) {
        let mut kept: Vec<&(BadRow, Fault)> = parsed.bad.kept().iter().collect();
        kept.sort_by_key(|(_, fault)| fault.line);
        for (kind, fault) in &kept {
            let fault = fault.below(self.file.line);
            match self.on_bad_rows {
                OnBadRows::Fail => self.found.add(fault.show(&self.file.shown)),
                OnBadRows::Skip => {
                    self.file.first_bad.get_or_insert_with(|| fault.show(&self.file.shown));
                    let dropped = self.dropped(*kind);
                    if dropped.examples.len() < KEPT {
                        let example = fault.place(&self.file.shown);
                        self.dropped(*kind).examples.push(example);
                    }
                }
            }
        }
        let total = parsed.bad.total();
        self.file.bad += total;
        match self.on_bad_rows {
            OnBadRows::Fail => self.found.add_more(total - kept.len() as u64),
            OnBadRows::Skip => {
                for kind in BadRow::ALL.into_iter().filter(|kind| parsed.bad.count(*kind) > 0) {
                    self.dropped(kind).rows += parsed.bad.count(kind);
                }
            }
        }
    }

    fn dropped(&mut self, kind: BadRow) -> &mut DroppedRows {
        let channel = &self.summary.name;
        self.dropped.entry(kind).or_insert_with(|| DroppedRows {
            channel: channel.clone(),
            reason: kind.name().into(),
            ..DroppedRows::default()
        })
    }

    fn take_rows(&mut self, parsed: &mut Parsed) {
        let Some(labels) = self.labels(parsed) else {
            parsed.batch.clear();
            self.file.over = true;
            return;
        };
        let summary = &mut self.summary;
        let file = summary.files.len();
        for ((label, line), hash) in parsed.batch.labels.iter_mut().zip(&parsed.lines).zip(&parsed.hashes) {
            *label = labels[*label as usize];
            summary.labels[*label as usize].rows += 1;
            summary.traces.push(Trace::new(*hash, *label, file, self.file.line + line));
        }
        summary.rows += parsed.batch.len() as u64;
        summary.copies += parsed.copies;
        self.file.rows += parsed.batch.len() as u64;
        let LineEnds { lf, crlf, cr } = &mut self.file.ends;
        (*lf, *crlf, *cr) = (*lf + parsed.ends.lf, *crlf + parsed.ends.crlf, *cr + parsed.ends.cr);
        if parsed.long > 0 {
            let examples =
                parsed.long_lines.iter().map(|line| format!("{}:{}", self.file.shown, self.file.line + line));
            let examples: Vec<String> = examples.collect();
            self.warn("documents_longer_than_1_mib", parsed.long, examples);
        }
    }

    /// The channel's index of each label of a stretch; none where there are too many to be labels.
    fn labels(&mut self, parsed: &Parsed) -> Option<Vec<u32>> {
        let mut labels = Vec::with_capacity(parsed.names.len());
        let mut firsts = vec![None; parsed.names.len()];
        for (label, line) in parsed.batch.labels.iter().zip(&parsed.lines).rev() {
            firsts[*label as usize] = Some(*line);
        }
        for (name, first) in parsed.names.iter().zip(firsts) {
            if let Some(&index) = self.index.get(name) {
                labels.push(index);
                continue;
            }
            self.label_bytes += name.len();
            if self.index.len() == MOST_LABELS || self.label_bytes > MOST_LABEL_BYTES {
                let (count, rows) = (self.index.len(), self.summary.rows + parsed.batch.len() as u64);
                self.found.add(format!(
                    "{}: the first {rows} rows bear more than {count} labels; the column {:?} is no label: name the \
                     right one with the hyperparameter label_column",
                    self.file.shown, self.label_column
                ));
                return None;
            }
            let index = u32::try_from(self.index.len()).ok()?;
            self.index.insert(name.clone(), index);
            let (file, line) = (self.file.shown.clone(), self.file.line + first.unwrap_or_default());
            self.summary.labels.push(Label { name: name.clone(), file, line, rows: 0 });
            labels.push(index);
        }
        Some(labels)
    }

    fn warn(&mut self, kind: &str, count: u64, examples: Vec<String>) {
        let warnings = &mut self.summary.warnings;
        let at = warnings.iter().position(|warning| warning.kind == kind).unwrap_or_else(|| {
            warnings.push(DataWarning { kind: kind.into(), ..DataWarning::default() });
            warnings.len() - 1
        });
        warnings[at].count += count;
        let room = KEPT - warnings[at].examples.len().min(KEPT);
        warnings[at].examples.extend(examples.into_iter().take(room));
    }

    /// Ends the file.
    pub fn end(&mut self, end: End) {
        let file = std::mem::take(&mut self.file);
        let End { bytes, sha256, fault, separator } = end;
        let no_rows = file.rows == 0 && file.bad == 0 && fault.is_none() && !file.over;
        if let Some(fault) = fault.filter(|_| !file.over) {
            self.found.add(fault.show(&file.shown));
        }
        if self.on_bad_rows == OnBadRows::Skip && file.bad > file.rows {
            self.found.add(format!(
                "{}: {} of {} rows cannot be taken, more than half, so that on_bad_rows = \"skip\" does not pass them \
                 over; the first: {}",
                file.shown,
                file.bad,
                file.bad + file.rows,
                file.first_bad.unwrap_or_default()
            ));
        }
        if no_rows {
            self.warn("files_without_rows", 1, vec![file.shown.clone()]);
        }
        let LineEnds { lf, crlf, cr } = file.ends;
        let kinds = [(lf, "\\n"), (crlf, "\\r\\n"), (cr, "\\r")];
        if kinds.iter().filter(|(count, _)| *count > 0).count() > 1 {
            let shown: Vec<String> =
                kinds.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
            self.warn("files_with_mixed_line_ends", 1, vec![format!("{} ({})", file.shown, shown.join(", "))]);
        }
        if let Some(separator) = separator.filter(|&separator| separator != b',') {
            let name = if separator == b'\t' { "tab" } else { "semicolon" };
            self.warn("files_not_separated_by_commas", 1, vec![format!("{} ({name})", file.shown)]);
        }
        let channel = self.summary.name.clone();
        self.summary.files.push(DataFile { channel, name: file.name, bytes, sha256, rows: file.rows });
    }

    /// The summary and the faults.
    pub fn finish(mut self) -> (Summary, Problems) {
        self.summary.dropped = self.dropped.into_values().collect();
        (self.summary, self.found)
    }
}

/// The length that [`LONG`] is called by in the warning.
const _: () = assert!(LONG == 1 << 20);
