//! The bytes of one file: digested as they lie there, unpacked, checked to be UTF-8, and traced back to lines.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// Bytes asked of the file at a time.
const CHUNK: usize = 64 * 1024;

/// Size and SHA-256 of what was read so far, shared between the reader of the file and who asks at its end.
#[derive(Default)]
pub struct Seen {
    bytes: u64,
    sha256: Sha256,
}

impl Seen {
    /// Size in bytes and digest in lower-case hexadecimal.
    pub fn finish(seen: &Rc<RefCell<Self>>) -> (u64, String) {
        let seen = std::mem::take(&mut *seen.borrow_mut());
        (seen.bytes, seen.sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Passes a reader's bytes on and counts and digests them.
struct Digesting<R> {
    inner: R,
    seen: Rc<RefCell<Seen>>,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut seen = self.seen.borrow_mut();
        seen.bytes += read as u64;
        seen.sha256.update(&buffer[..read]);
        Ok(read)
    }
}

/// What reads a file, whatever it is packed in.
type Bytes = Box<dyn Read>;

/// Opens a file for reading its text; the second value tells, after the end was read, what the file was.
pub fn open(path: &Path, gzip: bool) -> io::Result<(Text<Bytes>, Rc<RefCell<Seen>>)> {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let file = Digesting { inner: File::open(path)?, seen: Rc::clone(&seen) };
    let file = io::BufReader::with_capacity(CHUNK, file);
    let bytes: Bytes = if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok((Text::new(bytes), seen))
}

/// A reader of UTF-8 without its byte order mark that can tell the physical line of any byte still unasked for.
///
/// It hands on everything before the first byte that is no UTF-8, then fails with that byte's line.
pub struct Text<R> {
    inner: R,
    /// Read, checked, not yet handed on: `ready[given..]`.
    ready: Vec<u8>,
    given: usize,
    /// Bytes of a character cut by the end of a chunk.
    cut: Vec<u8>,
    failed: Option<io::Error>,
    ended: bool,
    started: bool,
    /// `trail[forgotten..]` was handed on since [`Text::line_at`] was last asked, from byte `trail_start` of the text.
    trail: Vec<u8>,
    forgotten: usize,
    trail_start: u64,
    /// Line of byte `trail_start`.
    trail_line: u64,
    /// Line of the next byte to be checked.
    line: u64,
}

impl<R: Read> Text<R> {
    /// Wraps `inner`.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            ready: Vec::new(),
            given: 0,
            cut: Vec::new(),
            failed: None,
            ended: false,
            started: false,
            trail: Vec::new(),
            forgotten: 0,
            trail_start: 0,
            trail_line: 1,
            line: 1,
        }
    }

    /// Line (from 1) of the first byte at or after byte `at` of the text that ends no line. Bytes before it are
    /// forgotten: `at` must not fall from one call to the next, and must have been handed on.
    pub fn line_at(&mut self, at: u64) -> u64 {
        self.forget(usize::try_from(at.saturating_sub(self.trail_start)).unwrap_or(usize::MAX));
        let blank = self.trail[self.forgotten..].iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
        self.forget(blank);
        self.trail_line
    }

    /// What was handed on since the byte last asked for, up to byte `end` of the text.
    pub fn raw_until(&self, end: u64) -> &[u8] {
        let end = usize::try_from(end.saturating_sub(self.trail_start)).unwrap_or(usize::MAX);
        let trail = &self.trail[self.forgotten..];
        &trail[..end.min(trail.len())]
    }

    fn forget(&mut self, bytes: usize) {
        let trail = &self.trail[self.forgotten..];
        let bytes = bytes.min(trail.len());
        self.trail_line += lines_in(&trail[..bytes]);
        self.trail_start += bytes as u64;
        self.forgotten += bytes;
        if self.forgotten > CHUNK {
            self.trail.drain(..self.forgotten);
            self.forgotten = 0;
        }
    }

    /// Reads and checks one more chunk into `ready`, which must be used up.
    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        self.ready.append(&mut self.cut);
        let kept = self.ready.len();
        self.ready.resize(kept + CHUNK, 0);
        let read = loop {
            match self.inner.read(&mut self.ready[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.ready.truncate(kept + read);
        self.ended = read == 0;
        if !self.started && (self.ready.len() >= 3 || self.ended) {
            self.started = true;
            if self.ready.starts_with(b"\xef\xbb\xbf") {
                self.ready.drain(..3);
            }
        }
        if let Err(error) = std::str::from_utf8(&self.ready) {
            let good = error.valid_up_to();
            let bad = self.ready.split_off(good);
            if error.error_len().is_none() && !self.ended {
                self.cut = bad;
            } else {
                let line = self.line + lines_in(&self.ready);
                self.failed = Some(io::Error::new(io::ErrorKind::InvalidData, NotUtf8 { line, byte: bad[0] }));
            }
        }
        self.line += lines_in(&self.ready);
        self.started |= !self.ready.is_empty();
        Ok(())
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            if let Some(error) = self.failed.take() {
                self.ended = true;
                return Err(error);
            }
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        let bytes = &self.ready[self.given..self.given + count];
        buffer[..count].copy_from_slice(bytes);
        self.trail.extend_from_slice(bytes);
        self.given += count;
        Ok(count)
    }
}

/// The first byte that is no part of a character.
#[derive(Debug, thiserror::Error)]
#[error("byte 0x{byte:02x} is not UTF-8; save the file as UTF-8 (it may be Latin-1 or UTF-16)")]
pub struct NotUtf8 {
    /// Physical line, from 1.
    pub line: u64,
    /// The byte.
    pub byte: u8,
}

fn lines_in(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a read: every character is cut wherever it can be.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = usize::from(!self.0.is_empty());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read_all(reader: impl Read) -> (Vec<u8>, Option<(u64, u8)>) {
        let mut text = Text::new(reader);
        let mut bytes = Vec::new();
        let error = text.read_to_end(&mut bytes).err();
        let error = error.and_then(|error| error.downcast::<NotUtf8>().ok()).map(|bad| (bad.line, bad.byte));
        (bytes, error)
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_cut_characters_pass() {
        let text = "\u{feff}größe 좋다 🙂\n";
        for (bytes, error) in [read_all(text.as_bytes()), read_all(Drip(text.as_bytes()))] {
            assert_eq!(bytes, "größe 좋다 🙂\n".as_bytes());
            assert_eq!(error, None);
        }
    }

    #[test]
    fn the_first_bad_byte_is_named_by_its_line_after_what_is_good() {
        let text = b"one\ntwo \xe9t\xe9\nthree";
        for (bytes, error) in [read_all(&text[..]), read_all(Drip(text))] {
            assert_eq!(bytes, b"one\ntwo ");
            assert_eq!(error, Some((2, 0xe9)));
        }
        let (_, error) = read_all(&b"cut at the end \xf0\x9f"[..]);
        assert_eq!(error, Some((1, 0xf0)));
    }

    #[test]
    fn lines_skip_blank_ones() {
        let mut text = Text::new(&b"a\r\n\r\n\r\nb\nc"[..]);
        io::copy(&mut text, &mut io::sink()).unwrap();
        assert_eq!(text.line_at(0), 1);
        assert_eq!(text.line_at(2), 4); // where a CSV reader stands after `a\r`
        assert_eq!(text.line_at(9), 5);
        assert_eq!(text.raw_until(10), b"c");
    }
}
