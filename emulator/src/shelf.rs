//! A kind of resource: one JSON file each below one folder, all in memory, no change visible before it is on disk.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{StartError, files};

/// All resources of one kind, by name.
pub(crate) struct Shelf<T> {
    folder: PathBuf,
    items: Mutex<BTreeMap<String, T>>,
}

impl<T: Clone + Serialize + DeserializeOwned> Shelf<T> {
    /// Reads what an earlier run left.
    pub fn open(folder: PathBuf) -> Result<Self, StartError> {
        fs::create_dir_all(&folder).map_err(|e| StartError::file(&folder, e))?;
        let mut items = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(|e| StartError::file(&folder, e))? {
            let path = entry.map_err(|e| StartError::file(&folder, e))?.path();
            let Some(key) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".json")) else {
                continue; // written aside by a process that died before the rename
            };
            items.insert(decode(key), read(&path).map_err(|e| StartError::file(&path, e))?);
        }
        Ok(Shelf { folder, items: Mutex::new(items) })
    }

    pub fn get(&self, key: &str) -> Option<T> {
        self.lock().get(key).cloned()
    }

    pub fn contains(&self, key: &str) -> bool {
        self.lock().contains_key(key)
    }

    /// In name order.
    pub fn all(&self) -> Vec<T> {
        self.lock().values().cloned().collect()
    }

    /// Adds an item; `false` and no change where the name is taken.
    pub fn add(&self, key: &str, item: T) -> io::Result<bool> {
        let mut items = self.lock();
        if items.contains_key(key) {
            return Ok(false);
        }
        files::write_json(&self.path(key), &item)?;
        items.insert(key.to_owned(), item);
        Ok(true)
    }

    /// Changes an item in one step; `change` decides and answers. `None` where there is no such item.
    pub fn update<R>(&self, key: &str, change: impl FnOnce(&mut T) -> R) -> io::Result<Option<R>> {
        let mut items = self.lock();
        let Some(item) = items.get_mut(key) else { return Ok(None) };
        let mut changed = item.clone();
        let answer = change(&mut changed);
        files::write_json(&self.path(key), &changed)?;
        *item = changed;
        Ok(Some(answer))
    }

    /// Changes an item whose owner must go on to its end whatever happens: a state that cannot be written is said in the
    /// emulator's own output.
    pub fn change(&self, key: &str, change: impl FnOnce(&mut T)) {
        if let Err(e) = self.update(key, change) {
            eprintln!("{}: the state cannot be written: {e}", self.path(key).display());
        }
    }

    /// Removes an item; `false` where there was none.
    pub fn remove(&self, key: &str) -> io::Result<bool> {
        let mut items = self.lock();
        if items.remove(key).is_none() {
            return Ok(false);
        }
        fs::remove_file(self.path(key))?;
        Ok(true)
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(encode(key) + ".json")
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// A name as one path component: anything but `[A-Za-z0-9._-]`, and a leading dot, becomes `%XX`.
pub(crate) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (i, b) in name.bytes().enumerate() {
        match b {
            b'.' if i == 0 => out.push_str("%2E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// The name that [`encode`] was given.
pub(crate) fn decode(name: &str) -> String {
    let (mut out, mut rest) = (Vec::with_capacity(name.len()), name.as_bytes());
    while let Some((&b, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (b, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(b);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_file_system() {
        for name in ["a-b.c", "arn:aws:x/y/1", "../..", ".hidden", "100%", "größe"] {
            let encoded = encode(name);
            assert!(!encoded.contains('/') && !encoded.starts_with('.'), "{encoded}");
            assert_eq!(decode(&encoded), name);
        }
    }

    #[test]
    fn a_shelf_is_there_again_after_reopening() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let open = || Shelf::<u32>::open(folder.path().to_path_buf()).expect("open");
        let shelf = open();
        assert!(shelf.add("a/1", 1).expect("add"));
        assert!(!shelf.add("a/1", 2).expect("taken"));
        assert_eq!(shelf.update("a/1", |n| std::mem::replace(n, 7)).expect("update"), Some(1));
        assert!(shelf.add("b", 3).expect("add"));
        assert!(shelf.remove("b").expect("remove"));
        assert_eq!(open().all(), [7]);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join("x.json"), "{").expect("write");
        let error = Shelf::<u32>::open(folder.path().to_path_buf()).err().expect("refused");
        assert!(error.to_string().contains("x.json"), "{error}");
    }
}
