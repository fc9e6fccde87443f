//! A file of tensors, mapped: what is read of it is verified when it is first touched.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensors};
use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::container::{BLOCK, CHECKSUMS, Written};
use crate::artifact::header;
use crate::artifact::identity::FileIdentity;
use crate::error::ArtifactError;
use crate::map::Map;

/// A result whose error takes one register: what is read, is read in the inmost loops.
pub(crate) type Checked<T> = Result<T, Box<ArtifactError>>;

/// A mapped file of tensors.
#[derive(Debug)]
pub(crate) struct Mapped {
    path: PathBuf,
    identity: FileIdentity,
    map: Map,
    head: usize,
    /// Where the checksums lie, in the head.
    sums: Range<usize>,
    metadata: Metadata,
    /// Where the header ends and offsets of tensors count from.
    origin: usize,
    /// Blocks that were verified. Nothing is published by a flag, so no order of memory is needed.
    verified: Box<[AtomicBool]>,
    /// Blocks that were not; with none left, one look is enough.
    left: AtomicUsize,
}

/// Where the numbers of a tensor lie: in what follows the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Array {
    start: usize,
    /// Number of numbers.
    pub(crate) len: usize,
}

impl Mapped {
    /// Maps the file at `path`, which must be as the manifest says; its head is checked, its blocks are not yet.
    pub(crate) fn open(path: &Path, expected: &Written) -> Result<Mapped, ArtifactError> {
        let (map, file) = Map::open(path)?;
        let identity = FileIdentity::new(path, &file);
        let opened = Self::check(map.as_ref(), expected);
        let (sums, metadata, origin) = opened.map_err(|reason| refused(path, reason))?;
        let blocks = sums.len() / 8;
        let verified = std::iter::repeat_with(|| AtomicBool::new(false)).take(blocks).collect();
        let left = AtomicUsize::new(blocks);
        Ok(Mapped { path: path.into(), identity, map, head: sums.end, sums, metadata, origin, verified, left })
    }

    fn check(bytes: &[u8], expected: &Written) -> Result<(Range<usize>, Metadata, usize), String> {
        if bytes.len() as u64 != expected.bytes {
            let (found, expected) = (bytes.len(), expected.bytes);
            return Err(format!("it has {found} bytes; the manifest says {expected}"));
        }
        let head = usize::try_from(expected.head).ok().and_then(|head| bytes.get(..head));
        let head = head.ok_or_else(|| format!("a head of {} bytes is longer than the file", expected.head))?;
        let (found, expected) = (xxh3_64(head), expected.xxh3);
        if found != expected {
            return Err(format!("the checksum of its head is {found:016x}; the manifest says {expected:016x}"));
        }
        header::check(bytes)?;
        let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| format!("its header: {e}"))?;
        let origin = header + 8;
        let sums = metadata.info(CHECKSUMS).ok_or_else(|| format!("there is no tensor `{CHECKSUMS}`"))?;
        let (start, after) = sums.data_offsets;
        let blocks = (bytes.len() - head.len()).div_ceil(BLOCK);
        if sums.dtype != Dtype::U64 || start != 0 || origin + after != head.len() || after != blocks * 8 {
            return Err(format!("`{CHECKSUMS}` is not of {blocks} blocks at the end of its head"));
        }
        Ok((origin..origin + after, metadata, origin))
    }

    /// Where a tensor lies; it must be of this type, and of this shape where one is given.
    pub(crate) fn array(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Checked<Array> {
        let info = self.metadata.info(name).ok_or_else(|| self.refuse(format!("there is no tensor `{name}`")))?;
        if info.dtype != dtype || info.shape != shape {
            let (found, of) = (info.dtype, &info.shape);
            return Err(
                self.refuse(format!("`{name}` is {found:?} of shape {of:?}; expected {dtype:?} of shape {shape:?}"))
            );
        }
        Ok(Array { start: self.origin + info.data_offsets.0 - self.head, len: shape.iter().product() })
    }

    /// Type and shape of a tensor, if there is one.
    pub(crate) fn shape(&self, name: &str) -> Option<(Dtype, &[usize])> {
        self.metadata.info(name).map(|info| (info.dtype, &info.shape[..]))
    }

    /// Number of tensors, the checksums not counted.
    pub(crate) fn tensors(&self) -> usize {
        self.metadata.offset_keys().len() - 1
    }

    /// Length of the file.
    pub(crate) fn len(&self) -> u64 {
        self.map.as_ref().len() as u64
    }

    /// Bytes `from..to` of an array of bytes.
    #[inline(always)]
    pub(crate) fn bytes(&self, array: Array, from: usize, to: usize) -> Checked<&[u8]> {
        if from > to || to > array.len {
            return Err(self.beyond(from, to, array));
        }
        self.verified(array.start + from, array.start + to)
    }

    /// Numbers `from..to` of an array of 32-bit numbers.
    #[inline(always)]
    pub(crate) fn fours(&self, array: Array, from: usize, to: usize) -> Checked<&[[u8; 4]]> {
        self.many(array, from, to)
    }

    /// Numbers `from..to` of an array of numbers of `B` bytes.
    #[inline(always)]
    pub(crate) fn many<const B: usize>(&self, array: Array, from: usize, to: usize) -> Checked<&[[u8; B]]> {
        if from > to || to > array.len {
            return Err(self.beyond(from, to, array));
        }
        Ok(self.verified(array.start + from * B, array.start + to * B)?.as_chunks().0)
    }

    /// An array of numbers of `B` bytes, each verified when it is read.
    #[inline]
    pub(crate) fn looked<const B: usize>(&self, array: Array) -> Looked<'_, B> {
        Looked { file: self, array }
    }

    /// The same, once every block was verified: then nothing is left to look at in inmost loops.
    #[inline]
    pub(crate) fn sound<const B: usize>(&self, array: Array) -> Option<Sound<'_, B>> {
        if self.left.load(Relaxed) > 0 {
            return None;
        }
        let start = self.head + array.start;
        let bytes = self.map.as_ref().get(start..start + array.len * B)?;
        Some(Sound { file: self, numbers: bytes.as_chunks().0 })
    }

    /// Number `at` of an array of 32-bit unsigned integers.
    #[inline]
    pub(crate) fn u32(&self, array: Array, at: usize) -> Checked<u32> {
        Ok(u32::from_le_bytes(self.fours(array, at, at + 1)?[0]))
    }

    /// Number `at` of an array of 32-bit floats.
    #[inline]
    pub(crate) fn f32(&self, array: Array, at: usize) -> Checked<f64> {
        Ok(f64::from(f32::from_le_bytes(self.fours(array, at, at + 1)?[0])))
    }

    #[inline(always)]
    fn verified(&self, start: usize, end: usize) -> Checked<&[u8]> {
        if self.left.load(Relaxed) > 0 {
            self.verify_range(start, end)?;
        }
        match self.map.as_ref().get(self.head + start..self.head + end) {
            Some(bytes) => Ok(bytes),
            None => Err(self.beyond(start, end, Array { start: 0, len: self.map.as_ref().len() - self.head })),
        }
    }

    #[inline(never)]
    fn verify_range(&self, start: usize, end: usize) -> Checked<()> {
        let last = end.saturating_sub(1).max(start) / BLOCK;
        (start / BLOCK..=last).try_for_each(|block| match self.verified.get(block) {
            Some(seen) if !seen.load(Relaxed) => self.verify_block(block),
            _ => Ok(()),
        })
    }

    #[cold]
    fn verify_block(&self, block: usize) -> Checked<()> {
        let (bytes, sums) = (self.map.as_ref(), self.sums.clone());
        let Some(seen) = self.verified.get(block) else { return Ok(()) };
        if seen.load(Relaxed) {
            return Ok(());
        }
        let data = &bytes[self.head..];
        let (start, end) = (block * BLOCK, data.len().min((block + 1) * BLOCK));
        let (found, expected) = (xxh3_64(&data[start..end]), bytes[sums].as_chunks().0[block]);
        if found != u64::from_le_bytes(expected) {
            let (start, end) = (self.head + start, self.head + end);
            return Err(self.refuse(format!(
                "bytes {start} to {end} were changed after they were written: their checksum is another"
            )));
        }
        // Whoever is first counts it.
        if !seen.swap(true, Relaxed) {
            self.left.fetch_sub(1, Relaxed);
        }
        Ok(())
    }

    /// Which file it is.
    pub(super) fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// Takes every block for verified.
    pub(super) fn trust(&self) {
        let trusted = self.verified.iter().filter(|seen| !seen.swap(true, Relaxed)).count();
        self.left.fetch_sub(trusted, Relaxed);
    }

    /// Verifies every block.
    pub(crate) fn verify(&self) -> Checked<()> {
        (0..self.verified.len()).try_for_each(|block| self.verify_block(block))
    }

    /// Why this file is of no use.
    #[cold]
    pub(crate) fn refuse(&self, reason: String) -> Box<ArtifactError> {
        Box::new(refused(&self.path, reason))
    }

    #[cold]
    fn beyond(&self, from: usize, to: usize, array: Array) -> Box<ArtifactError> {
        self.refuse(format!("it leads to {from}..{to} of {}", array.len))
    }
}

/// How an array of numbers of `B` bytes is read: what is read is verified in either case.
pub(crate) trait Numbers<'m, const B: usize>: Copy {
    /// How many there are.
    fn len(self) -> usize;
    /// `N` in a row, as they lie in the file.
    fn run<const N: usize>(self, at: usize) -> Checked<&'m [[u8; B]; N]>;
}

/// Read while blocks are left to be verified: each is, when it is first touched.
#[derive(Clone, Copy)]
pub(crate) struct Looked<'m, const B: usize> {
    file: &'m Mapped,
    array: Array,
}

/// Read after all blocks were verified.
#[derive(Clone, Copy)]
pub(crate) struct Sound<'m, const B: usize> {
    file: &'m Mapped,
    numbers: &'m [[u8; B]],
}

impl<'m, const B: usize> Numbers<'m, B> for Looked<'m, B> {
    fn len(self) -> usize {
        self.array.len
    }

    #[inline]
    fn run<const N: usize>(self, at: usize) -> Checked<&'m [[u8; B]; N]> {
        let numbers = self.file.many(self.array, at, at.saturating_add(N))?;
        numbers.first_chunk().ok_or_else(|| self.file.beyond(at, at, self.array))
    }
}

impl<'m, const B: usize> Sound<'m, B> {
    /// All of them.
    #[inline]
    pub(crate) fn all(self) -> &'m [[u8; B]] {
        self.numbers
    }
}

impl<'m, const B: usize> Numbers<'m, B> for Sound<'m, B> {
    #[inline(always)]
    fn len(self) -> usize {
        self.numbers.len()
    }

    #[inline(always)]
    fn run<const N: usize>(self, at: usize) -> Checked<&'m [[u8; B]; N]> {
        match self.numbers.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(numbers) => Ok(numbers),
            None => Err(self.file.beyond(at, at.saturating_add(N), Array { start: 0, len: self.numbers.len() })),
        }
    }
}

/// A file that is refused, and what to do.
pub(crate) fn refused(path: &Path, reason: String) -> ArtifactError {
    let remedy = "fetch the artifact again from where it was made, or train it again";
    ArtifactError::Refused { path: path.into(), reason, remedy }
}
