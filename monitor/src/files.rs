//! Folders in name order; files written aside and renamed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{MonitorError, Result};

/// All files below `root` whose name `wanted` accepts, in name order; `root` may itself be one. Hidden ones are skipped.
pub fn below(root: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    const HINT: &str = "is the input mounted there?";
    let mut found = Vec::new();
    if fs::metadata(root).map_err(MonitorError::io(root, HINT))?.is_file() {
        return Ok(vec![root.to_path_buf()]);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(root)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(MonitorError::io(root, HINT))?;
    entries.sort_unstable();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            found.extend(below(&path, wanted)?);
        } else if wanted(&name) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Writes `content` beside `path` and renames: readers see the old file or the new one.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    const HINT: &str = "is there room, and may the job write there?";
    let folder = path.parent().unwrap_or(Path::new("."));
    let fail = || MonitorError::io(path, HINT);
    fs::create_dir_all(folder).map_err(fail())?;
    let mut aside = path.as_os_str().to_owned();
    aside.push(".aside");
    let aside = PathBuf::from(aside);
    let written = File::create(&aside)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&aside, path));
    written.map_err(|source| {
        // The failure itself is what is reported.
        let _ = fs::remove_file(&aside);
        fail()(source)
    })
}

/// Gzip without time or name: equal content, equal bytes.
pub fn packed(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzBuilder::new().write(Vec::new(), Compression::default());
    packed.write_all(content)?;
    packed.finish()
}

/// Indented JSON with a final line end.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| MonitorError::io(path, "")(e.into()))?;
    text.push(b'\n');
    write(path, &text)
}

/// Reads what [`write_json`] wrote, or a person edited.
pub fn read_json<T: DeserializeOwned>(path: &Path, expected: &str) -> Result<T> {
    let text =
        fs::read(path).map_err(MonitorError::io(path, "make a baseline and hand over its whole output folder"))?;
    serde_json::from_slice(&text).map_err(|e| MonitorError::Data {
        file: path.to_path_buf(),
        line: Some(e.line() as u64),
        found: e.to_string(),
        expected: expected.to_string(),
    })
}
