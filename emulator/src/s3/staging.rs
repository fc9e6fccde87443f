//! Bytes on their way in: written aside, hashed as they pass, and only then given a name.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use s3s::crypto::{Checksum as _, Md5, Sha256};
use tokio::sync::mpsc;

use super::StoreError;
use super::checksum::{Algorithm, Checksum, Hasher, hex};

/// Chunks between the socket and the disk; a slow disk slows the sender down.
const CHUNKS_IN_FLIGHT: usize = 8;

/// What to compute while the bytes pass, besides the MD5.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The checksum to keep.
    pub checksum: Option<Algorithm>,
    /// Whether the sender named the SHA-256 of the body.
    pub sha256: bool,
}

/// A whole body on disk without a name yet. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Of the body.
    pub md5: [u8; 16],
    /// Of the body, as planned.
    pub checksum: Option<Checksum>,
    /// Of the body, hexadecimal, as planned.
    pub sha256: Option<String>,
}

impl Staged {
    /// The MD5 as an entity tag, without quotes.
    pub fn etag(&self) -> String {
        hex(&self.md5)
    }

    /// Gives the file its name in one step.
    pub fn place(self, path: &Path) -> Result<(), StoreError> {
        fs::rename(&self.path, path).map_err(StoreError::io("cannot move a finished upload to", path))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After `place` there is nothing left to remove; what a full disk leaves here is cleared at the next open.
        let _ = fs::remove_file(&self.path);
    }
}

/// Receives a body into the new file `path`. Whatever ends it early (an error, the caller gone) leaves no file.
pub async fn receive<S, E>(path: PathBuf, plan: Plan, mut body: S) -> Result<Staged, StoreError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let name = path.clone();
    let writer = tokio::task::spawn_blocking(move || write(path, plan, receiver));
    let mut broken = None;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => {
                if sender.send(chunk).await.is_err() {
                    break; // the writer has failed and says why below
                }
            }
            Err(error) => {
                broken = Some(StoreError::BrokenBody { reason: error.to_string() });
                break;
            }
        }
    }
    drop(sender);
    let staged = writer.await.map_err(|error| StoreError::io("cannot write", name)(std::io::Error::other(error)))??;
    broken.map_or(Ok(staged), Err)
}

fn write(path: PathBuf, plan: Plan, mut chunks: mpsc::Receiver<Bytes>) -> Result<Staged, StoreError> {
    let file = File::create_new(&path).map_err(StoreError::io("cannot create", &path))?;
    let mut tee = Tee::new(path, file, plan);
    while let Some(chunk) = chunks.blocking_recv() {
        tee.write(&chunk)?;
    }
    Ok(tee.finish())
}

/// Copies files behind one another into the new file `path`, as a body of all their bytes.
pub fn concatenate(path: PathBuf, plan: Plan, sources: &[PathBuf]) -> Result<Staged, StoreError> {
    let file = File::create_new(&path).map_err(StoreError::io("cannot create", &path))?;
    let mut tee = Tee::new(path, file, plan);
    let mut buffer = vec![0; 256 * 1024];
    for source in sources {
        let mut part = File::open(source).map_err(StoreError::io("cannot open", source))?;
        loop {
            let read = std::io::Read::read(&mut part, &mut buffer).map_err(StoreError::io("cannot read", source))?;
            if read == 0 {
                break;
            }
            tee.write(&buffer[..read])?;
        }
    }
    Ok(tee.finish())
}

/// The file and every digest of what is written to it.
struct Tee {
    file: File,
    md5: Md5,
    checksum: Option<Hasher>,
    sha256: Option<Sha256>,
    staged: Staged,
}

impl Tee {
    fn new(path: PathBuf, file: File, plan: Plan) -> Self {
        Self {
            file,
            md5: Md5::new(),
            checksum: plan.checksum.map(Hasher::new),
            sha256: plan.sha256.then(Sha256::new),
            staged: Staged { path, size: 0, md5: [0; 16], checksum: None, sha256: None },
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(StoreError::io("cannot write", &self.staged.path))?;
        self.md5.update(bytes);
        if let Some(hasher) = &mut self.checksum {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.sha256 {
            hasher.update(bytes);
        }
        self.staged.size += bytes.len() as u64;
        Ok(())
    }

    fn finish(mut self) -> Staged {
        self.staged.md5 = self.md5.finalize();
        self.staged.checksum = self.checksum.map(Hasher::finish);
        self.staged.sha256 = self.sha256.map(|hasher| hex(&hasher.finalize()));
        self.staged
    }
}
