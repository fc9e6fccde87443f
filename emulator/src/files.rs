//! Small files, written aside and renamed, so that none is ever half there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

/// Replaces `path` with `bytes`, folder and all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}.tmp", uuid::Uuid::new_v4().simple()));
    let aside = PathBuf::from(aside);
    let written = fs::write(&aside, bytes).and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        // The failed write is what gets reported; the leftover is best effort.
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Replaces `path` with `value` as JSON.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    write(path, &serde_json::to_vec_pretty(value)?)
}

/// Removes a folder, read-only parts included; a missing one is fine.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            make_writable(path)?;
            fs::remove_dir_all(path)
        }
        other => other,
    }
}

fn make_writable(folder: &Path) -> io::Result<()> {
    set_mode(folder, 0o755)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}

/// Sets a file's permission bits.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_aside() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a/b.json");
        write(&path, b"one").expect("first");
        write(&path, b"two").expect("second");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        assert_eq!(fs::read_dir(folder.path().join("a")).expect("list").count(), 1);
    }

    #[test]
    fn a_read_only_tree_is_removed() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let root = folder.path().join("m");
        write(&root.join("deep/file"), b"x").expect("write");
        set_mode(&root.join("deep"), 0o555).expect("mode");
        remove_tree(&root).expect("remove");
        assert!(!root.exists());
        remove_tree(&root).expect("again");
    }
}
