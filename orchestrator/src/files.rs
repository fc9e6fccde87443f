//! Files that are whole or not there: written aside, then renamed.

use std::path::Path;

use crate::error::{self, Result};

/// Replaces `path` by `bytes`.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || error::io(format!("{}: cannot be written", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = folder.join(format!(".{name}.{}.partial", std::process::id()));
    let written = std::fs::write(&aside, bytes).and_then(|()| std::fs::rename(&aside, path));
    if written.is_err() {
        // What could not be written whole must not stay; that it may be gone already is fine.
        let _ = std::fs::remove_file(&aside);
    }
    written.map_err(failed())
}
