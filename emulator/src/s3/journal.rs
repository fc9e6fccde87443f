//! The truth of a bucket on disk: one file, one JSON line a change, only ever added to. A change is made once its line
//! ends in a line feed; what a crash leaves without one never happened and is cut off at the next open.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::index::{Part, Upload, Versioning};
use super::object::Version;

/// One change of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// Always the first line.
    Bucket {
        created_ms: u64,
        region: String,
    },
    Versioning {
        status: Versioning,
    },
    /// A sub-resource kept as it came (`encryption`, `tagging` …); `None` removes it.
    Setting {
        name: String,
        value: Option<serde_json::Value>,
    },
    /// A new newest version; where it came from an upload, that upload is over.
    Put {
        key: String,
        version: Version,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upload_id: Option<String>,
    },
    Remove {
        key: String,
        version_id: String,
    },
    Tags {
        key: String,
        version_id: String,
        tags: Vec<(String, String)>,
    },
    Upload {
        key: String,
        upload_id: String,
        upload: Upload,
    },
    Part {
        key: String,
        upload_id: String,
        number: i32,
        part: Part,
    },
    Abort {
        key: String,
        upload_id: String,
    },
}

/// The open file behind a bucket's index.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Journal {
    /// Makes the file with its first entries.
    pub fn create(path: &Path, entries: &[Entry]) -> Result<(), StoreError> {
        let aside = path.with_extension("new");
        let file = File::create(&aside).map_err(StoreError::io("cannot create", &aside))?;
        let mut writer = BufWriter::new(file);
        for entry in entries {
            writer.write_all(&line_of(path, entry)?).map_err(StoreError::io("cannot write", &aside))?;
        }
        writer.flush().map_err(StoreError::io("cannot write", &aside))?;
        drop(writer);
        fs::rename(&aside, path).map_err(StoreError::io("cannot rename to", path))
    }

    /// Reads every entry and leaves the file open for more.
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>), StoreError> {
        let text = fs::read(path).map_err(StoreError::io("cannot read", path))?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut entries = Vec::new();
        for (number, line) in text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            let entry = serde_json::from_slice(line).map_err(|error| StoreError::Damaged {
                path: path.to_owned(),
                line: number + 1,
                reason: error.to_string(),
            })?;
            entries.push(entry);
        }
        if !matches!(entries.first(), Some(Entry::Bucket { .. })) {
            let reason = "the first line does not tell of the bucket".to_owned();
            return Err(StoreError::Damaged { path: path.to_owned(), line: 1, reason });
        }
        let file = OpenOptions::new().append(true).open(path).map_err(StoreError::io("cannot open", path))?;
        file.set_len(whole as u64).map_err(StoreError::io("cannot cut the torn end off", path))?;
        Ok((Self { path: path.to_owned(), file, bytes: whole as u64 }, entries))
    }

    /// Adds one entry. On an error nothing was added.
    pub fn append(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let line = line_of(&self.path, entry)?;
        if let Err(error) = self.file.write_all(&line) {
            self.file.set_len(self.bytes).map_err(StoreError::io("cannot cut a half-written line off", &self.path))?;
            return Err(StoreError::io("cannot add to", &self.path)(error));
        }
        self.bytes += line.len() as u64;
        Ok(())
    }
}

fn line_of(path: &Path, entry: &Entry) -> Result<Vec<u8>, StoreError> {
    let mut line = serde_json::to_vec(entry)
        .map_err(|error| StoreError::io("cannot write an entry to", path)(std::io::Error::other(error)))?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Entry {
        Entry::Bucket { created_ms: 1, region: "us-east-1".to_owned() }
    }

    #[test]
    fn a_torn_line_never_happened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let tagging = Entry::Setting { name: "tagging".to_owned(), value: None };
        Journal::create(&path, &[first()]).unwrap();
        fs::write(&path, [fs::read(&path).unwrap(), b"{\"entry\":\"rem".to_vec()].concat()).unwrap();
        let (mut journal, entries) = Journal::open(&path).unwrap();
        assert_eq!(entries, [first()]);
        journal.append(&tagging).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1, [first(), tagging]);
    }

    #[test]
    fn a_damaged_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        Journal::create(&path, &[first()]).unwrap();
        fs::write(&path, [fs::read(&path).unwrap(), b"nonsense\n".to_vec()].concat()).unwrap();
        let message = Journal::open(&path).unwrap_err().to_string();
        assert!(message.contains("journal.jsonl:2:"), "{message}");
    }
}
