//! What became of requests that were to be captured.

use std::fmt::{self, Display};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Handed to the writer.
    pub taken: AtomicU64,
    /// Of those, in files.
    pub written: AtomicU64,
    /// Of those, lost since they could not be put in files.
    pub lost: AtomicU64,
    /// Not handed over: the folder took nothing.
    pub unwritable: AtomicU64,
    /// Not handed over: the queue was full.
    pub no_room: AtomicU64,
    /// Longer than a record may be.
    pub too_long: AtomicU64,
}

/// The same at one time, or of the time between two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Requests in files.
    pub written: u64,
    /// Requests left out while the folder took nothing.
    pub unwritable: u64,
    /// Requests left out since too many waited to be written.
    pub no_room: u64,
    /// Requests left out since they were longer than a record may be.
    pub too_long: u64,
}

impl Counts {
    pub fn counted(&self) -> Counted {
        let count = |count: &AtomicU64| count.load(Relaxed);
        Counted {
            written: count(&self.written),
            unwritable: count(&self.unwritable) + count(&self.lost),
            no_room: count(&self.no_room),
            too_long: count(&self.too_long),
        }
    }

    /// At the end, when what the writer still has will not be written.
    pub fn settled(&self) -> Counted {
        let counted = self.counted();
        let ended = counted.written + self.lost.load(Relaxed);
        Counted { unwritable: counted.unwritable + self.taken.load(Relaxed).saturating_sub(ended), ..counted }
    }
}

impl Counted {
    /// Requests that were to be captured and are in no file.
    pub fn dropped(&self) -> u64 {
        self.unwritable + self.no_room + self.too_long
    }

    /// What was counted since `before`.
    pub fn since(&self, before: &Counted) -> Counted {
        Counted {
            written: self.written.saturating_sub(before.written),
            unwritable: self.unwritable.saturating_sub(before.unwritable),
            no_room: self.no_room.saturating_sub(before.no_room),
            too_long: self.too_long.saturating_sub(before.too_long),
        }
    }
}

impl Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests written, {} dropped", self.written, self.dropped())?;
        if self.dropped() > 0 {
            let Self { unwritable, no_room, too_long, .. } = self;
            write!(
                f,
                " ({unwritable} could not be written, {no_room} found the queue full, {too_long} were too long)"
            )?;
        }
        Ok(())
    }
}
