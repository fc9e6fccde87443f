//! A file mapped into memory: one of an artifact, or one that has no name.
#![expect(unsafe_code, reason = "a memory map is a promise about a file that the compiler cannot check")]

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use memmap2::Mmap;

use crate::error::ArtifactError;

/// The bytes of a file.
#[derive(Debug)]
pub(crate) struct Map(Mmap);

impl Map {
    /// Maps the file at `path`, of any length, and tells which it is.
    pub(crate) fn open(path: &Path) -> Result<(Map, Metadata), ArtifactError> {
        let file = File::open(path).map_err(|e| ArtifactError::io(path, "cannot be opened", e))?;
        let metadata = file.metadata().map_err(|e| ArtifactError::io(path, "cannot be examined", e))?;
        // SAFETY: the map is read only. `save` never writes to a file that has its final name: it writes aside and
        // renames, and the file mapped lives on. What is read is checked before use, and no reference is made into it
        // but to bytes, for which every content is valid.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| ArtifactError::io(path, "cannot be mapped", e))?;
        Ok((Map(map), metadata))
    }

    /// Maps a file that has no name, so that nobody else can open it, and that is given up here: nothing writes to it again.
    pub(crate) fn nameless(file: File) -> io::Result<Map> {
        // SAFETY: the map is read only, and the file's one handle is closed below.
        let map = unsafe { Mmap::map(&file) }?;
        Ok(Map(map))
    }

    /// Its bytes as numbers in the machine's order.
    pub(crate) fn numbers(&self) -> &[u32] {
        // SAFETY: every four bytes are a number. A map begins at a page, so that nothing is left out at either end.
        let (_, numbers, _) = unsafe { self.0.align_to::<u32>() };
        numbers
    }
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
