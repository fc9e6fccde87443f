//! The bytes of one file: digested as they lie there, unpacked, in pieces.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// Bytes read at a time.
pub const PIECE: usize = 1 << 20;

/// Pieces that may wait to be digested.
const WAITING: usize = 4;

/// The first bytes of gzip.
const GZIP: &[u8] = b"\x1f\x8b";

/// A file that is read once, from its start to its end.
pub struct Source {
    bytes: Box<dyn Read>,
    digest: Rc<RefCell<Digesting>>,
}

impl Source {
    /// Opens `path`, a file or a named pipe; a pipe is waited for. Where `gzip` is none its first bytes tell.
    pub fn open(path: &Path, gzip: Option<bool>) -> io::Result<Self> {
        let digest = Rc::new(RefCell::new(Digesting::default()));
        let mut file = Tap { file: File::open(path)?, digest: Rc::clone(&digest) };
        let mut start = Vec::new();
        let gzip = match gzip {
            Some(gzip) => gzip,
            None => {
                file.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
                start == GZIP
            }
        };
        let file = Cursor::new(start).chain(file);
        let bytes: Box<dyn Read> =
            if gzip { Box::new(MultiGzDecoder::new(BufReader::with_capacity(PIECE, file))) } else { Box::new(file) };
        Ok(Self { bytes, digest })
    }

    /// Reads about [`PIECE`] bytes behind what `buffer` holds; false at the end. What was read before an error stays.
    pub fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let mut filled = buffer.len();
        let target = filled + PIECE;
        buffer.resize(target, 0);
        let result = loop {
            match self.bytes.read(&mut buffer[filled..]) {
                Ok(0) if filled < target => break Ok(false),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            if filled == target {
                break Ok(true);
            }
        };
        buffer.truncate(filled);
        result
    }

    /// Size in bytes and SHA-256 in lower-case hexadecimal of what was read of the file.
    pub fn finish(self) -> (u64, String) {
        drop(self.bytes);
        self.digest.take().finish()
    }
}

/// Passes a file's bytes on and to the digest.
struct Tap {
    file: File,
    digest: Rc<RefCell<Digesting>>,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.digest.borrow_mut().update(&buffer[..read]);
        Ok(read)
    }
}

/// The digest of a file: here while it is small, beside the reading when it is not.
#[derive(Default)]
struct Digesting {
    bytes: u64,
    here: Sha256,
    beside: Option<(SyncSender<Vec<u8>>, JoinHandle<Sha256>)>,
}

impl Digesting {
    fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if self.beside.is_none() && self.bytes > PIECE as u64 {
            let (sender, receiver): (_, Receiver<Vec<u8>>) = sync_channel(WAITING);
            let mut sha256 = self.here.clone();
            let digest = move || {
                receiver.iter().for_each(|bytes| sha256.update(&bytes));
                sha256
            };
            // Without a thread it is digested here.
            self.beside = thread::Builder::new().spawn(digest).ok().map(|thread| (sender, thread));
        }
        match &self.beside {
            // It ends before its sender only by a panic, which `finish` passes on.
            Some((sender, _)) => _ = sender.send(bytes.to_vec()),
            None => self.here.update(bytes),
        }
    }

    fn finish(self) -> (u64, String) {
        let sha256 = match self.beside {
            Some((sender, thread)) => {
                drop(sender);
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
            None => self.here,
        };
        (self.bytes, sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
