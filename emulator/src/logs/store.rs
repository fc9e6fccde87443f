//! Log groups and streams on disk: a folder a group, a file a stream, a line an event (`2026-01-02T03:04:05.678Z text`).
//!
//! Memory holds only where each event begins.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{
    StartError,
    shelf::{decode, encode},
    time,
};

/// All log groups.
pub(crate) struct Logs {
    root: PathBuf,
    groups: Mutex<BTreeMap<String, BTreeMap<String, Stream>>>,
}

struct Stream {
    path: PathBuf,
    open: Option<Open>,
}

/// A stream's file and where its events begin; the last offset is the file's length.
struct Open {
    file: File,
    offsets: Vec<u64>,
    created: i64,
    first: Option<i64>,
    last: Option<i64>,
}

/// One line a container printed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub timestamp_ms: i64,
    pub message: String,
}

/// What is known of a stream without reading it.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub name: String,
    pub created_ms: i64,
    pub first_ms: Option<i64>,
    pub last_ms: Option<i64>,
    pub bytes: u64,
}

impl Logs {
    pub fn open(root: PathBuf) -> Result<Logs, StartError> {
        let names = |folder: &Path| -> Result<Vec<(String, PathBuf)>, StartError> {
            let entries = fs::read_dir(folder).map_err(|e| StartError::file(folder, e))?;
            let paths = entries.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>();
            let paths = paths.map_err(|e| StartError::file(folder, e))?.into_iter();
            Ok(paths.filter_map(|p| Some((p.file_name()?.to_str()?.to_owned(), p))).collect())
        };
        fs::create_dir_all(&root).map_err(|e| StartError::file(&root, e))?;
        let mut groups = BTreeMap::new();
        for (group, folder) in names(&root)?.into_iter().filter(|(_, path)| path.is_dir()) {
            let streams = names(&folder)?.into_iter();
            let streams =
                streams.filter_map(|(n, path)| Some((decode(n.strip_suffix(".log")?), Stream { path, open: None })));
            groups.insert(decode(&group), streams.collect());
        }
        Ok(Logs { root, groups: Mutex::new(groups) })
    }

    /// Adds an event. A log that cannot be written must not stop what is logged: the line goes to standard error.
    pub fn append(&self, group: &str, stream: &str, message: &str) {
        let mut groups = self.lock();
        let streams = groups.entry(group.to_owned()).or_default();
        let entry = streams.entry(stream.to_owned()).or_insert_with(|| Stream {
            path: self.root.join(encode(group)).join(encode(stream) + ".log"),
            open: None,
        });
        if let Err(e) = entry.append(time::now(), message) {
            eprintln!("{}: {e}; a line of {group} {stream} is lost: {message}", entry.path.display());
        }
    }

    /// Group names beginning with `prefix`.
    pub fn groups(&self, prefix: &str) -> Vec<String> {
        self.lock().keys().filter(|g| g.starts_with(prefix)).cloned().collect()
    }

    /// The streams of a group in name order; `None` where there is no such group.
    pub fn streams(&self, group: &str, prefix: &str) -> Option<io::Result<Vec<Summary>>> {
        let mut groups = self.lock();
        let streams = groups.get_mut(group)?.iter_mut().filter(|(name, _)| name.starts_with(prefix));
        Some(streams.map(|(name, stream)| stream.summary(name)).collect())
    }

    /// How many events a stream has; `None` where there is no such stream.
    pub fn count(&self, group: &str, stream: &str) -> Option<io::Result<usize>> {
        self.with(group, stream, |open| Ok(open.offsets.len() - 1))
    }

    /// Events by position; the range may go beyond the end.
    pub fn read(&self, group: &str, stream: &str, range: Range<usize>) -> Option<io::Result<Vec<Event>>> {
        self.with(group, stream, |open| open.read(range))
    }

    fn with<R>(&self, group: &str, stream: &str, f: impl FnOnce(&mut Open) -> io::Result<R>) -> Option<io::Result<R>> {
        let mut groups = self.lock();
        let stream = groups.get_mut(group)?.get_mut(stream)?;
        Some(stream.opened().and_then(f))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Stream>>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    fn append(&mut self, at: Timestamp, message: &str) -> io::Result<()> {
        let open = self.opened()?;
        let line = format!("{at:.3} {message}\n");
        open.file.seek(SeekFrom::End(0))?;
        open.file.write_all(line.as_bytes())?;
        open.offsets.push(open.offsets.last().copied().unwrap_or(0) + line.len() as u64);
        open.first.get_or_insert(at.as_millisecond());
        open.last = Some(at.as_millisecond());
        Ok(())
    }

    fn summary(&mut self, name: &str) -> io::Result<Summary> {
        let open = self.opened()?;
        let bytes = open.offsets.last().copied().unwrap_or(0);
        let name = name.to_owned();
        Ok(Summary { name, created_ms: open.created, first_ms: open.first, last_ms: open.last, bytes })
    }

    fn opened(&mut self) -> io::Result<&mut Open> {
        match &mut self.open {
            Some(open) => Ok(open),
            slot => Ok(slot.insert(Open::new(&self.path)?)),
        }
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Open> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        if text.last().is_some_and(|b| *b != b'\n') {
            text.push(b'\n'); // the emulator was killed in the middle of a line
            file.write_all(b"\n")?;
        }
        let mut offsets = vec![0];
        offsets.extend(text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i as u64 + 1));
        let mut open = Open { file, offsets, created: 0, first: None, last: None };
        let events = open.offsets.len() - 1;
        let at = |open: &mut Open, i: usize| Ok::<_, io::Error>(open.read(i..i + 1)?.first().map(|e| e.timestamp_ms));
        open.first = at(&mut open, 0)?;
        open.last = at(&mut open, events.saturating_sub(1))?;
        open.created = open.first.unwrap_or_else(|| time::now().as_millisecond());
        Ok(open)
    }

    fn read(&mut self, range: Range<usize>) -> io::Result<Vec<Event>> {
        let events = self.offsets.len() - 1;
        let (from, to) = (range.start.min(events), range.end.min(events));
        if from >= to {
            return Ok(Vec::new());
        }
        let mut text = vec![0; (self.offsets[to] - self.offsets[from]) as usize];
        self.file.seek(SeekFrom::Start(self.offsets[from]))?;
        self.file.read_exact(&mut text)?;
        Ok(String::from_utf8_lossy(&text).split_terminator('\n').map(event).collect())
    }
}

fn event(line: &str) -> Event {
    let parsed = line.split_once(' ').and_then(|(at, message)| Some((at.parse::<Timestamp>().ok()?, message)));
    match parsed {
        Some((at, message)) => Event { timestamp_ms: at.as_millisecond(), message: message.to_owned() },
        None => Event { timestamp_ms: 0, message: line.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_by_position_and_after_reopening() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let open = || Logs::open(folder.path().to_path_buf()).expect("open");
        let messages = |logs: &Logs, range| -> Vec<String> {
            let events = logs.read("/aws/g", "job/algo-1", range).expect("stream").expect("read");
            events.into_iter().map(|e| e.message).collect()
        };
        let logs = open();
        for message in ["one", "", "three größe"] {
            logs.append("/aws/g", "job/algo-1", message);
        }
        assert_eq!(messages(&logs, 0..10), ["one", "", "three größe"]);
        assert_eq!(messages(&logs, 1..2), [""]);
        drop(logs);
        let logs = open();
        logs.append("/aws/g", "job/algo-1", "four");
        assert_eq!(messages(&logs, 2..9), ["three größe", "four"]);
        assert_eq!(logs.groups("/aws"), ["/aws/g"]);
        let summary = &logs.streams("/aws/g", "job").expect("group").expect("read")[0];
        assert!(summary.first_ms <= summary.last_ms && summary.first_ms.is_some());
    }
}
