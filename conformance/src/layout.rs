//! `/opt/ml` as the platform lays it out, and whether what is only to be read was written.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::error::{Result, machine};

/// A folder that stands for `/opt/ml`, removed when it is let go.
pub(crate) struct Root {
    folder: TempDir,
    /// Folders below it that the container only reads.
    sealed: Vec<PathBuf>,
}

/// What the regular files below a folder are: length and time of change.
pub(crate) type Snapshot = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

impl Root {
    /// Empty.
    pub fn new() -> Result<Root> {
        let folder = tempfile::Builder::new().prefix("conformance-").tempdir();
        let folder = folder.map_err(machine("a temporary folder cannot be made"))?;
        open_to_all(folder.path()).map_err(machine(folder.path().display()))?;
        Ok(Root { folder, sealed: Vec::new() })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folders that only are to be read, relative to it.
    pub fn sealed(&self) -> &[PathBuf] {
        &self.sealed
    }

    /// A folder that the container may write to.
    pub fn folder(&self, below: &str) -> Result<PathBuf> {
        let path = self.path().join(below);
        let made = fs::create_dir_all(&path).and_then(|()| open_to_all(&path));
        made.map_err(machine(path.display()))?;
        Ok(path)
    }

    pub fn json(&self, below: &str, value: &Value) -> Result<()> {
        let path = self.path().join(below);
        let parent = path.parent().unwrap_or(self.path());
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, value.to_string()));
        written.map_err(machine(path.display()))
    }

    /// Copies what is below `from`.
    pub fn fill(&self, below: &str, from: &Path) -> Result<()> {
        let to = self.path().join(below);
        copy(from, &to).map_err(machine(format_args!("{} cannot be copied to {}", from.display(), to.display())))
    }

    /// From now on a folder is only to be read.
    pub fn seal(&mut self, below: &str) -> Result<()> {
        let path = self.path().join(below);
        seal(&path).map_err(machine(path.display()))?;
        self.sealed.push(below.into());
        Ok(())
    }

    /// What is in the sealed folders now.
    pub fn snapshot(&self) -> Snapshot {
        let mut found = Snapshot::new();
        self.sealed.iter().for_each(|below| snapshot(&self.path().join(below), &mut found));
        found
    }

    /// What changed in the sealed folders since, or nothing.
    pub fn changed(&self, before: &Snapshot) -> Option<String> {
        let after = self.snapshot();
        let shown = |path: &Path| format!("/opt/ml/{}", path.strip_prefix(self.path()).unwrap_or(path).display());
        let new = after.keys().find(|path| !before.contains_key(*path)).map(|p| format!("{} was made", shown(p)));
        let gone = before.keys().find(|path| !after.contains_key(*path)).map(|p| format!("{} was removed", shown(p)));
        let other = before.iter().find(|(path, was)| after.get(*path).is_some_and(|is| is != *was));
        new.or(gone).or(other.map(|(path, _)| format!("{} was written to", shown(path))))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // A folder that is only readable cannot be emptied by its owner.
        for below in &self.sealed {
            let _ = each(&self.path().join(below), &|path| open_to_all_if_folder(path));
        }
    }
}

/// The files below a folder, relative to it.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Snapshot::new();
    snapshot(folder, &mut found);
    found.into_keys().filter_map(|path| Some(path.strip_prefix(folder).ok()?.to_path_buf())).collect()
}

/// The symbolic links below a folder.
pub(crate) fn links(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_symlink() => found.push(entry.path()),
            Ok(kind) if kind.is_dir() => found.extend(links(&entry.path())),
            _ => {}
        }
    }
    found
}

/// The names of the folders in a folder; none: it holds files alone.
pub(crate) fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn snapshot(folder: &Path, found: &mut Snapshot) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            snapshot(&entry.path(), found);
        } else if let Ok(data) = entry.metadata() {
            found.insert(entry.path(), (data.len(), data.modified().ok()));
        }
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

/// Calls `with` for a folder and all below it, the folder first.
fn each(path: &Path, with: &dyn Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    with(path)?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            each(&entry?.path(), with)?;
        }
    }
    Ok(())
}

fn seal(path: &Path) -> io::Result<()> {
    each(path, &|path| fs::set_permissions(path, fs::Permissions::from_mode(if path.is_dir() { 0o555 } else { 0o444 })))
}

/// A container may run as another user.
fn open_to_all(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))
}

fn open_to_all_if_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() { open_to_all(path) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_to_what_is_sealed_is_seen() {
        let mut root = Root::new().expect("root");
        root.json("input/config/a.json", &Value::Null).expect("write");
        root.seal("input").expect("seal");
        let before = root.snapshot();
        assert_eq!(root.changed(&before), None);
        let path = root.path().join("input/config");
        open_to_all(&path).expect("mode");
        fs::write(path.join("b.json"), "1").expect("write");
        assert_eq!(root.changed(&before), Some("/opt/ml/input/config/b.json was made".to_owned()));
        fs::remove_file(path.join("b.json")).expect("remove");
        open_to_all(&path.join("a.json")).expect("mode");
        fs::write(path.join("a.json"), "longer").expect("write");
        assert_eq!(root.changed(&before), Some("/opt/ml/input/config/a.json was written to".to_owned()));
        fs::remove_file(path.join("a.json")).expect("remove");
        assert_eq!(root.changed(&before), Some("/opt/ml/input/config/a.json was removed".to_owned()));
    }
}
