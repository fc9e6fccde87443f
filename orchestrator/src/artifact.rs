//! An artifact out of the bucket, opened on this machine.

use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use model::Artifact;
use tempfile::TempDir;

use crate::{
    bucket,
    error::{self, Failure, Result},
    stages::Context,
};

/// An artifact in a folder that goes when this does.
pub struct Fetched {
    /// Open.
    pub artifact: Artifact,
    /// SHA-256 of each of its files, by name.
    pub files: Vec<(PathBuf, String)>,
    _folder: TempDir,
}

/// Downloads `model.tar.gz` and opens what is in it.
pub async fn fetch(context: &Context, uri: &str) -> Result<Fetched> {
    let gone = || Failure::new(format!("{uri} is gone")).hint("the artifact was deleted; train again");
    let packed = bucket::get(&context.aws.s3, uri).await?.ok_or_else(gone)?;
    let shown = uri.to_owned();
    let opened = tokio::task::spawn_blocking(move || open(&packed, &shown)).await;
    opened.map_err(|e| Failure::new(format!("{uri}: the reading broke off")).because(e))?
}

fn open(packed: &[u8], uri: &str) -> Result<Fetched> {
    let failed = || error::io(format!("{uri}: cannot be unpacked"));
    let folder = tempfile::tempdir().map_err(failed())?;
    tar::Archive::new(GzDecoder::new(packed)).unpack(folder.path()).map_err(failed())?;
    let artifact = Artifact::open(folder.path())
        .and_then(|artifact| artifact.verify().map(|()| artifact))
        .map_err(|e| Failure::new(format!("{uri} holds no artifact of this version")).because(e))?;
    let mut files = Vec::new();
    digests(folder.path(), folder.path(), &mut files).map_err(failed())?;
    files.sort();
    Ok(Fetched { artifact, files, _folder: folder })
}

fn digests(root: &Path, folder: &Path, into: &mut Vec<(PathBuf, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            digests(root, &path, into)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
            into.push((name, crate::names::sha256(&std::fs::read(&path)?)));
        }
    }
    Ok(())
}
