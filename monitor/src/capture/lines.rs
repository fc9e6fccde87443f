//! Lines of a file, each in bounded room.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::error::{MonitorError, Result};

/// Longest line that is kept: a request and its answer at the payload limit of 25 MB each, as Base64.
const LONGEST: usize = 80 << 20;

/// The lines of one file that are not blank, with their numbers.
pub struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    number: u64,
    line: Vec<u8>,
}

/// A line's bytes, or why there are none.
pub type Line<'l> = std::result::Result<&'l [u8], String>;

impl Lines {
    /// Opens the file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(MonitorError::io(path, "is the input mounted there?"))?;
        Ok(Self { path: path.to_path_buf(), reader: BufReader::new(file), number: 0, line: Vec::new() })
    }

    /// The next line that is not blank.
    pub fn next_line(&mut self) -> Result<Option<(u64, Line<'_>)>> {
        loop {
            self.line.clear();
            let Some(whole) = self.take_line()? else { return Ok(None) };
            self.number += 1;
            if !whole {
                return Ok(Some((self.number, Err(format!("the line is longer than {} MiB", LONGEST >> 20)))));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, Ok(&self.line))));
            }
        }
    }

    /// Puts a line in `self.line`, up to the limit, and says whether it is whole; none at the file's end.
    fn take_line(&mut self) -> Result<Option<bool>> {
        let (mut read, mut whole) = (false, true);
        loop {
            let buffer =
                self.reader.fill_buf().map_err(MonitorError::io(&self.path, "is the file readable to its end?"))?;
            if buffer.is_empty() {
                return Ok(read.then_some(whole));
            }
            read = true;
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            whole &= self.line.len() + part.len() <= LONGEST;
            if whole {
                self.line.extend_from_slice(part);
            }
            let taken = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(Some(whole));
            }
        }
    }
}
