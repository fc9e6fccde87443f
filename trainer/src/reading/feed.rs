//! Cuts the files of a channel into stretches of whole records, in order, a few at a time.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use super::batch::Batch;
use super::files::{ChannelFile, Rows as Kind};
use super::rows::Parsed;
use super::source::{PIECE, Source};
use super::split::Scanner;
use super::{Columns, Fault, csv, encoding, jsonl};

/// A record longer than this is taken for an open quote, bytes.
pub const LONGEST: usize = 64 << 20;

/// A stretch of a file to be read by any thread.
pub struct Job {
    /// Its place among all that is sent.
    pub order: usize,
    bytes: Vec<u8>,
    from: usize,
    kind: Records,
}

/// How a file's records are read.
#[derive(Clone)]
enum Records {
    Csv(Arc<csv::Layout>),
    JsonLines(Arc<Columns>),
}

/// What comes of the files, to be taken in its order.
pub enum Event<T> {
    /// A stretch was read, and something made of its documents; the bytes can be used again after it was taken.
    Stretch(Box<Parsed>, Vec<u8>, T),
    /// A file is at its end.
    End(Box<End>),
}

/// The end of a file.
pub struct End {
    /// Bytes of the file as it lies there.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: String,
    /// Why it was not read on; lines count from 1.
    pub fault: Option<Fault>,
    /// The separator, of CSV.
    pub separator: Option<u8>,
}

impl Job {
    /// Reads the stretch's rows, and makes something of them.
    pub fn run<T>(self, make: &mut impl FnMut(&Batch) -> T) -> (usize, Event<T>) {
        let (parsed, bytes) = match String::from_utf8(self.bytes) {
            Ok(stretch) => {
                let mut parsed = match &self.kind {
                    Records::Csv(layout) => csv::rows(&stretch, self.from, layout),
                    Records::JsonLines(columns) => jsonl::rows(&stretch, columns),
                };
                parsed.batch.read = stretch;
                (parsed, Vec::new())
            }
            Err(error) => {
                let fatal = Some(encoding::fault(error.as_bytes(), error.utf8_error()));
                (Parsed { fatal, ..Parsed::default() }, error.into_bytes())
            }
        };
        let made = make(&parsed.batch);
        (self.order, Event::Stretch(Box::new(parsed), bytes, made))
    }
}

/// What the feeding thread works with.
pub struct Feed<'a, T> {
    /// Names of the columns.
    pub columns: Arc<Columns>,
    /// Whether files may have been joined into one stream.
    pub joined: bool,
    /// Bytes of a stretch.
    pub stretch: usize,
    /// Files before this one need not be read on.
    pub abandoned: &'a AtomicUsize,
    /// Buffers to fill; as many stretches are on their way as there are buffers.
    pub buffers: Receiver<Vec<u8>>,
    /// A buffer that was not used up.
    pub spare: RefCell<Option<Vec<u8>>>,
    /// To whoever reads rows.
    pub jobs: Sender<Job>,
    /// To whoever takes what was read.
    pub events: Sender<(usize, Event<T>)>,
}

/// Nobody takes what is read any more.
struct Unwanted;

impl<T> Feed<'_, T> {
    /// Sends every file's stretches and its end.
    pub fn run(self, files: &[ChannelFile]) {
        let mut order = 0;
        for (index, file) in files.iter().enumerate() {
            let Ok(end) = self.file(index, file, &mut order) else { return };
            if self.events.send((order, Event::End(Box::new(end)))).is_err() {
                return;
            }
            order += 1;
        }
    }

    fn file(&self, index: usize, file: &ChannelFile, order: &mut usize) -> Result<End, Unwanted> {
        let mut end = End { bytes: 0, sha256: String::new(), fault: None, separator: None };
        match Source::open(&file.path, file.gzip) {
            Ok(mut source) => {
                let mut buffer = self.buffer()?;
                end.fault = self.stretches((index, file), &mut source, &mut buffer, order, &mut end.separator)?.err();
                self.spare.replace(Some(buffer));
                (end.bytes, end.sha256) = source.finish();
                if end.bytes == 0 {
                    end.fault = Some(Fault::whole(format!("is empty (0 bytes); expected rows with {}", self.columns)));
                }
            }
            Err(error) => end.fault = Some(Fault::whole(format!("cannot be opened: {error}"))),
        }
        Ok(end)
    }

    fn stretches(
        &self,
        (index, file): (usize, &ChannelFile),
        source: &mut Source,
        buffer: &mut Vec<u8>,
        order: &mut usize,
        separator: &mut Option<u8>,
    ) -> Result<Result<(), Fault>, Unwanted> {
        let mut more = match source.read(buffer) {
            Ok(more) => more,
            Err(error) => return Ok(Err(error.into())),
        };
        let (kind, mut from) = match self.start(file.rows, buffer, !more) {
            Ok(start) => start,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut scanner = match &kind {
            Records::Csv(layout) => {
                *separator = Some(layout.separator);
                Scanner::csv(layout.separator)
            }
            Records::JsonLines(_) => Scanner::lines(),
        };
        let mut failed = None;
        loop {
            let whole = if more { scanner.advance(buffer) } else { buffer.len() };
            let unwanted = self.abandoned.load(Ordering::Relaxed) > index;
            if whole > 0 && !unwanted && (!more || buffer.len() >= self.stretch) {
                let mut next = self.buffer()?;
                next.extend_from_slice(&buffer[whole..]);
                buffer.truncate(whole);
                let bytes = std::mem::replace(buffer, next);
                let job = Job { order: *order, bytes, from: std::mem::take(&mut from), kind: kind.clone() };
                self.jobs.send(job).map_err(|_| Unwanted)?;
                *order += 1;
                scanner.taken();
            }
            if unwanted || !more {
                return Ok(failed.map_or(Ok(()), Err));
            }
            if buffer.len() > LONGEST {
                let message = format!(
                    "a record is longer than {} MiB; is a quote opened and never closed, or are the line ends missing?",
                    LONGEST >> 20
                );
                return Ok(Err(Fault::whole(message)));
            }
            match source.read(buffer) {
                Ok(read) => more = read,
                // The records before it are still read; the rest of a record cut short is not told of beside it.
                Err(error) => {
                    let whole = scanner.advance(buffer);
                    buffer.truncate(whole);
                    (more, failed) = (false, Some(error.into()));
                }
            }
        }
    }

    /// Looks at a file's first piece: the encoding, the format where it is not known, the header.
    fn start(&self, rows: Option<Kind>, buffer: &mut Vec<u8>, whole: bool) -> Result<(Records, usize), Fault> {
        encoding::check_start(buffer)?;
        if buffer.starts_with(encoding::MARK) {
            buffer.drain(..encoding::MARK.len());
        }
        let object = || buffer.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let kind = rows.unwrap_or_else(|| if object() { Kind::JsonLines } else { Kind::Csv });
        match kind {
            Kind::Csv => {
                let (layout, from) = csv::header(buffer, whole, &self.columns, self.joined)?;
                Ok((Records::Csv(Arc::new(layout)), from))
            }
            Kind::JsonLines => Ok((Records::JsonLines(Arc::clone(&self.columns)), 0)),
        }
    }

    fn buffer(&self) -> Result<Vec<u8>, Unwanted> {
        let mut buffer = match self.spare.take() {
            Some(spare) => spare,
            None => self.buffers.recv().map_err(|_| Unwanted)?,
        };
        buffer.clear();
        buffer.reserve(self.stretch + PIECE);
        Ok(buffer)
    }
}
