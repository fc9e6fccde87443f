//! The folder of captures: `yyyy/mm/dd/hh/mm-ss-mmm-ID.jsonl`, in UTC, as SageMaker lays them out; each file written
//! aside and renamed, all of them together within a bound.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Levels of folders: year, month, day, hour.
const LEVELS: usize = 4;
/// Where the oldest are removed, down to so many parts of this many: not a file each time.
const KEPT: (u64, u64) = (9, 10);

/// A folder for captures.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    most: u64,
    /// Bytes of its files, known from the first write on.
    used: Option<u64>,
}

/// Files that went to make room.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removed {
    pub files: u64,
    pub bytes: u64,
}

impl Store {
    pub fn new(dir: PathBuf, most: u64) -> Self {
        Self { dir, most, used: None }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether a file can be made there.
    pub fn probe(&self) -> io::Result<()> {
        let probe = self.dir.join(format!(".{}.tmp", Uuid::new_v4()));
        fs::create_dir_all(&self.dir).and_then(|()| fs::write(&probe, b"\n"))?;
        fs::remove_file(probe)
    }

    /// Leaves a file of these lines, the first of which is of this time; older ones go where there is no room.
    pub fn write(&mut self, first: Timestamp, lines: &[u8]) -> io::Result<Removed> {
        let utc = first.to_zoned_datetime(TimeZone::UTC);
        let folder = self.dir.join(utc.strftime("%Y/%m/%d/%H").to_string());
        let name = format!("{}-{:03}-{}.jsonl", utc.strftime("%M-%S"), utc.millisecond(), Uuid::new_v4());
        let mut removed = Removed::default();
        let used = match self.used {
            Some(used) => used,
            None => files(&self.dir)?.iter().map(|(_, bytes)| bytes).sum(),
        };
        self.used = Some(used + lines.len() as u64);
        if used + lines.len() as u64 > self.most {
            removed = self.make_room(lines.len() as u64)?;
        }
        fs::create_dir_all(&folder)?;
        let aside = folder.join(format!(".{name}.tmp"));
        let written = fs::write(&aside, lines).and_then(|()| fs::rename(&aside, folder.join(&name)));
        if written.is_err() {
            // The failed write is what is told; how much is there is looked up again.
            let _ = fs::remove_file(&aside);
            self.used = None;
        }
        written.map(|()| removed)
    }

    /// Removes the oldest files, so that there is room for so many bytes.
    fn make_room(&mut self, bytes: u64) -> io::Result<Removed> {
        let mut all = files(&self.dir)?;
        all.sort_unstable();
        let mut used: u64 = all.iter().map(|(_, bytes)| bytes).sum();
        let (kept, of) = KEPT;
        let (target, mut removed) = ((self.most / of * kept).saturating_sub(bytes), Removed::default());
        if used + bytes > self.most {
            for (path, bytes) in all {
                if used <= target {
                    break;
                }
                fs::remove_file(&path)?;
                // The hour's folder, if that was its last.
                let _ = path.parent().map(fs::remove_dir);
                used -= bytes;
                removed = Removed { files: removed.files + 1, bytes: removed.bytes + bytes };
            }
        }
        self.used = Some(used + bytes);
        Ok(removed)
    }
}

/// Captures below the folder with their lengths, also what a killed process left aside; anything else is none of ours.
fn files(dir: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let digits = |name: &str, count: usize| name.len() == count && name.bytes().all(|b| b.is_ascii_digit());
    let mut folders = vec![dir.to_path_buf()];
    for level in 0..LEVELS {
        let wanted = if level == 0 { 4 } else { 2 };
        let mut below = Vec::new();
        for folder in folders {
            for entry in entries(&folder)? {
                let entry = entry?;
                if entry.file_name().to_str().is_some_and(|name| digits(name, wanted)) && entry.file_type()?.is_dir() {
                    below.push(entry.path());
                }
            }
        }
        folders = below;
    }
    let mut found = Vec::new();
    for folder in folders {
        for entry in entries(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let ours = name.to_str().is_some_and(|name| {
                let name = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp")).unwrap_or(name);
                let id = name.strip_suffix(".jsonl").and_then(|name| name.get(10..));
                id.is_some_and(|id| Uuid::parse_str(id).is_ok())
            });
            if ours {
                found.push((entry.path(), entry.metadata()?.len()));
            }
        }
    }
    Ok(found)
}

/// Of a folder that may have gone meanwhile.
fn entries(folder: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_by_hour_and_the_oldest_go_first() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("2024/01/09/03")).unwrap();
        fs::write(dir.path().join("2024/01/09/03/notes.jsonl"), [0; 100]).unwrap();
        let mut store = Store::new(dir.path().into(), 1000);
        let at = |hour: u8, minute: u8| format!("2024-01-09T{hour:02}:{minute:02}:05.042Z").parse().unwrap();
        for minute in 0..5 {
            assert_eq!(store.write(at(3, minute), &[b'a'; 180]).unwrap(), Removed::default());
        }
        // 900 of 1000 are used; 200 more leave room down to 900.
        let mut again = Store::new(dir.path().into(), 1000);
        assert_eq!(again.write(at(4, 0), &[b'b'; 200]).unwrap(), Removed { files: 2, bytes: 360 });
        let names: Vec<String> = {
            let mut found = files(dir.path()).unwrap();
            found.sort_unstable();
            found.iter().map(|(path, _)| path.strip_prefix(dir.path()).unwrap().display().to_string()).collect()
        };
        let begin = [
            "2024/01/09/03/02-05-042-",
            "2024/01/09/03/03-05-042-",
            "2024/01/09/03/04-05-042-",
            "2024/01/09/04/00-05-042-",
        ];
        assert_eq!(names.len(), begin.len(), "{names:?}");
        names.iter().zip(begin).for_each(|(name, begin)| assert!(name.starts_with(begin), "{name}"));
        assert!(dir.path().join("2024/01/09/03/notes.jsonl").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_is_an_error_and_one_that_went_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let mut dead = Store::new(file.join("captures"), 1000);
        assert!(dead.probe().is_err() && dead.write(Timestamp::UNIX_EPOCH, b"a\n").is_err());
        let mut gone = Store::new(dir.path().join("captures"), 1000);
        gone.write(Timestamp::UNIX_EPOCH, b"a\n").unwrap();
        fs::remove_dir_all(dir.path().join("captures")).unwrap();
        gone.write(Timestamp::UNIX_EPOCH, b"a\n").unwrap();
        assert_eq!(files(&dir.path().join("captures")).unwrap().len(), 1);
    }
}
