//! A bucket: its folder, its journal and its index behind one lock.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StoreError;
use super::index::Index;
use super::journal::{Entry, Journal};

const JOURNAL: &str = "journal.jsonl";
const DATA: &str = "data";
/// A journal is written anew at open when it has more than this many lines that no longer count.
const DEAD_LINES: usize = 1000;

/// A bucket that is open.
#[derive(Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    index: Index,
    journal: Journal,
    gone: bool,
}

impl Bucket {
    /// Lays a new bucket's folder out in `dir`, which nobody looks at yet.
    pub fn lay_out(dir: &Path, entries: &[Entry]) -> Result<(), StoreError> {
        fs::create_dir_all(dir.join(DATA)).map_err(StoreError::io("cannot create", dir))?;
        Journal::create(&dir.join(JOURNAL), entries)
    }

    /// Opens a bucket's folder: reads the journal, shortens it where it pays, removes blobs that nothing holds.
    pub fn open(name: &str, dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(JOURNAL);
        let (mut journal, entries) = Journal::open(&path)?;
        let lines = entries.len();
        let mut index = Index::default();
        for entry in entries {
            index.apply(entry);
        }
        let live = index.entries();
        if lines > live.len() + DEAD_LINES {
            Journal::create(&path, &live)?;
            journal = Journal::open(&path)?.0;
        }
        let data = dir.join(DATA);
        fs::create_dir_all(&data).map_err(StoreError::io("cannot create", &data))?;
        let held: BTreeSet<&str> = index.blobs().collect();
        for file in fs::read_dir(&data).map_err(StoreError::io("cannot list", &data))? {
            let file = file.map_err(StoreError::io("cannot list", &data))?;
            if !file.file_name().to_str().is_some_and(|name| held.contains(name)) {
                fs::remove_file(file.path()).map_err(StoreError::io("cannot remove", file.path()))?;
            }
        }
        Ok(Self {
            name: name.to_owned(),
            dir: dir.to_owned(),
            state: Mutex::new(State { index, journal, gone: false }),
        })
    }

    /// The file of a blob.
    pub fn blob(&self, blob: &str) -> PathBuf {
        self.dir.join(DATA).join(blob)
    }

    /// Looks something up.
    pub fn read<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(&self.lock().index)
    }

    /// Makes a change: `decide` looks at the index and says what is to be done, which then stands in the journal and in
    /// the index before anyone else looks. Nothing waits under the lock but for one short write.
    pub fn change<T>(&self, decide: impl FnOnce(&Index) -> Result<(Entry, T), StoreError>) -> Result<T, StoreError> {
        let free;
        let done;
        {
            let mut state = self.lock();
            if state.gone {
                return Err(StoreError::NoSuchBucket { bucket: self.name.clone() });
            }
            let (entry, answer) = decide(&state.index)?;
            state.journal.append(&entry)?;
            free = state.index.apply(entry);
            done = answer;
        }
        for blob in free {
            // A blob that stays is removed at the next open: nothing holds it.
            let _ = fs::remove_file(self.blob(&blob));
        }
        Ok(done)
    }

    /// Closes an empty bucket for good by moving its folder to `aside`.
    pub fn remove(&self, aside: &Path) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.gone {
            return Err(StoreError::NoSuchBucket { bucket: self.name.clone() });
        }
        if !state.index.objects.is_empty() {
            return Err(StoreError::BucketNotEmpty { bucket: self.name.clone() });
        }
        fs::rename(&self.dir, aside).map_err(StoreError::io("cannot move away", &self.dir))?;
        state.gone = true;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
