//! Room for runs of numbers that are written once and read in order: memory up to a bound, beyond it the disk.
//!
//! What finds no room lies in a file without a name, mapped: it is read as if it were in memory, the system takes its pages out of
//! memory when others need them, and the disk has its space back when the run is dropped, or the program dies.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::map::Map;

/// Who counts what is in memory.
#[derive(Debug, Default)]
pub(crate) struct Room {
    bound: Option<Bound>,
    held: AtomicU64,
    aside: AtomicU64,
    failed: OnceLock<String>,
}

/// Bytes that may be in memory, and the folder of what is beyond.
#[derive(Debug)]
struct Bound {
    most: u64,
    folder: PathBuf,
}

/// A run of numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    lies: Lies,
    /// Who is told when it is dropped.
    room: Option<Arc<Room>>,
}

#[derive(Debug)]
enum Lies {
    Held(Vec<u32>),
    Aside(Map),
}

impl Default for Lies {
    fn default() -> Self {
        Lies::Held(Vec::new())
    }
}

impl Room {
    /// At most so many bytes in memory, the rest in `folder`, which is made where it is missing.
    pub(crate) fn bounded(most: u64, folder: PathBuf) -> Self {
        Room { bound: Some(Bound { most, folder }), ..Room::default() }
    }

    /// Where the run is to lie from now on. On a disk that refuses it stays in memory, which [`told`](Self::told) tells.
    pub(crate) fn keep(self: &Arc<Self>, numbers: Vec<u32>) -> Numbers {
        let bytes = numbers.len() as u64 * 4;
        let full = |bound: &&Bound| self.held.load(Relaxed) + bytes > bound.most;
        if let Some(Bound { folder, .. }) = self.bound.as_ref().filter(full)
            && bytes > 0
            && self.failed.get().is_none()
        {
            match set_aside(&numbers, folder) {
                Ok(map) => {
                    self.aside.fetch_add(bytes, Relaxed);
                    return Numbers { lies: Lies::Aside(map), room: None };
                }
                Err(error) => {
                    let _ = self.failed.set(format!("{}: {error}", folder.display()));
                }
            }
        }
        self.held.fetch_add(bytes, Relaxed);
        Numbers { lies: Lies::Held(numbers), room: Some(self.clone()) }
    }

    /// What was laid aside, or why it could not be, as a sentence.
    pub(crate) fn told(&self) -> Option<String> {
        let Bound { folder, most } = self.bound.as_ref()?;
        let bytes = self.aside.load(Relaxed);
        if let Some(failed) = self.failed.get() {
            return Some(format!(
                "more than {most} bytes of counts stay in memory, for they cannot be laid aside ({failed}); give the disk more \
                 space or raise max_memory"
            ));
        }
        (bytes > 0)
            .then(|| format!("{bytes} bytes of words and counts were laid aside on the disk of {}", folder.display()))
    }
}

fn set_aside(numbers: &[u32], folder: &Path) -> io::Result<Map> {
    fs::create_dir_all(folder)?;
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut bytes = Vec::with_capacity(1 << 16);
    for some in numbers.chunks(1 << 14) {
        bytes.clear();
        some.iter().for_each(|number| bytes.extend_from_slice(&number.to_ne_bytes()));
        file.write_all(&bytes)?;
    }
    Map::nameless(file)
}

impl Numbers {
    /// The numbers, to be changed where nobody else sees them: copied to memory where they were aside.
    pub(crate) fn take(mut self) -> Vec<u32> {
        match &mut self.lies {
            Lies::Aside(map) => map.numbers().to_vec(),
            Lies::Held(numbers) => {
                let numbers = std::mem::take(numbers);
                self.leave(numbers.len());
                numbers
            }
        }
    }

    /// The numbers as long as no room knows of them.
    pub(crate) fn growing(&mut self) -> Option<&mut Vec<u32>> {
        match (&mut self.lies, &self.room) {
            (Lies::Held(numbers), None) => Some(numbers),
            _ => None,
        }
    }

    fn leave(&mut self, numbers: usize) {
        if let Some(room) = self.room.take() {
            room.held.fetch_sub(numbers as u64 * 4, Relaxed);
        }
    }
}

impl From<Vec<u32>> for Numbers {
    fn from(numbers: Vec<u32>) -> Self {
        Numbers { lies: Lies::Held(numbers), room: None }
    }
}

impl Deref for Numbers {
    type Target = [u32];

    #[inline]
    fn deref(&self) -> &[u32] {
        match &self.lies {
            Lies::Held(numbers) => numbers,
            Lies::Aside(map) => map.numbers(),
        }
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        self.leave(self.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_read_from_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let room = Arc::new(Room::bounded(40, folder.path().join("new")));
        let run = |from: u32| (from..from + 6).collect::<Vec<u32>>();
        let first = room.keep(run(0));
        let second = room.keep(run(9));
        assert!(matches!((&first.lies, &second.lies), (Lies::Held(_), Lies::Aside(_))));
        assert_eq!((&*first, &*second), (&run(0)[..], &run(9)[..]));
        assert!(room.told().unwrap().starts_with("24 bytes of words and counts were laid aside on the disk of "));
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0, "it has no name");
        assert_eq!((first.take(), second.take()), (run(0), run(9)));
        assert!(matches!(room.keep(run(3)).lies, Lies::Held(_)), "there is room again");
        assert_eq!(room.held.load(Relaxed), 0);
    }

    #[test]
    fn a_disk_that_refuses_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let room = Arc::new(Room::bounded(0, folder.path().join("file")));
        assert_eq!(&*room.keep(vec![1, 2]), [1, 2]);
        let told = room.told().unwrap();
        assert!(told.contains("cannot be laid aside (") && told.contains("raise max_memory"), "{told}");
    }

    #[test]
    fn without_a_bound_all_is_in_memory() {
        let room = Arc::new(Room::default());
        assert!(matches!(room.keep(vec![7; 99]).lies, Lies::Held(_)));
        assert_eq!(room.told(), None);
    }
}
