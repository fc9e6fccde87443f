//! Which files an artifact was opened from: verified once, they need not be verified again while they are the same.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::artifact::Artifact;

/// The files of an artifact, told apart from others and from what they were before they were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Of the manifest, which holds the checksums of the others' heads.
    manifest: String,
    files: [FileIdentity; 2],
}

/// One file: where it is, which it is there, its length, and when it was written and renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileIdentity {
    path: PathBuf,
    /// Device and inode.
    number: (u64, u64),
    bytes: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileIdentity {
    pub(super) fn new(path: &Path, file: &Metadata) -> Self {
        FileIdentity {
            path: path.into(),
            number: (file.dev(), file.ino()),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

impl Artifact {
    /// Which files it was opened from.
    pub fn identity(&self) -> Identity {
        let files = [self.vocabulary.file(), &self.tensors.file].map(|file| file.identity().clone());
        Identity { manifest: self.manifest.checksum.clone(), files }
    }

    /// Takes all for verified, where `verified` is what [`identity`](Self::identity) was when [`verify`](Self::verify)
    /// found it sound; tells whether it is.
    pub fn trust(&self, verified: &Identity) -> bool {
        let same = *verified == self.identity();
        if same {
            self.vocabulary.file().trust();
            self.tensors.file.trust();
        }
        same
    }
}
