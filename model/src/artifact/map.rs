//! A file of an artifact, mapped into memory.
#![expect(unsafe_code, reason = "a memory map is a promise about a file that the compiler cannot check")]

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::artifact::identity::FileIdentity;
use crate::error::ArtifactError;

/// The bytes of a file.
#[derive(Debug)]
pub(super) struct Map {
    bytes: Mmap,
    pub(super) identity: FileIdentity,
}

impl Map {
    /// Maps the file at `path`, of any length.
    pub(super) fn open(path: &Path) -> Result<Map, ArtifactError> {
        let file = File::open(path).map_err(|e| ArtifactError::io(path, "cannot be opened", e))?;
        let metadata = file.metadata().map_err(|e| ArtifactError::io(path, "cannot be examined", e))?;
        // SAFETY: the map is read only. `save` never writes to a file that has its final name: it writes aside and
        // renames, and the file mapped lives on. What is read is checked before use, and no reference is made into it
        // but to bytes, for which every content is valid.
        let bytes = unsafe { Mmap::map(&file) }.map_err(|e| ArtifactError::io(path, "cannot be mapped", e))?;
        Ok(Map { bytes, identity: FileIdentity::new(path, &metadata) })
    }
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
