//! The artifact a job is given: its files, or the `model.tar.gz` that a training job left.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use model::Artifact;
use tempfile::TempDir;

use crate::error::{MonitorError, Result};

/// An opened artifact, and the folder that it was unpacked to, which goes with it.
#[derive(Debug)]
pub struct Unpacked {
    artifact: Artifact,
    _folder: Option<TempDir>,
}

impl Unpacked {
    /// The artifact.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }
}

/// Opens `folder/model.tar.gz` where there is one, else the artifact whose files lie in `folder`.
pub fn open(folder: &Path) -> Result<Unpacked> {
    let archive = folder.join("model.tar.gz");
    if !archive.is_file() {
        return Ok(Unpacked { artifact: Artifact::open(folder)?, _folder: None });
    }
    // Beside the archive, not in the system's folder: in a container nothing but /opt/ml may be writable.
    let unpacked = TempDir::new_in(folder).map_err(MonitorError::io(folder, "is it writable, and is there room?"))?;
    unpack(&archive, unpacked.path())
        .map_err(MonitorError::io(&archive, "is it the file that the training job left?"))?;
    Ok(Unpacked { artifact: Artifact::open(unpacked.path())?, _folder: Some(unpacked) })
}

/// Files and folders only: an artifact has no links, and an archive that has is not one.
fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(MultiGzDecoder::new(BufReader::new(File::open(archive)?)));
    archive.set_preserve_permissions(false);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let inside = (kind.is_file() || kind.is_dir()) && entry.unpack_in(folder)?;
        if !inside {
            let name = entry.path()?.display().to_string();
            return Err(io::Error::other(format!("entry `{name}` is no plain file or leaves the folder")));
        }
    }
    Ok(())
}
