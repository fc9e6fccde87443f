//! The thread that writes: it looks at the queue a few times a second, so that no request wakes anybody, and gathers lines
//! until a file is worth it.

use super::record::Record;
use super::redact::Redaction;
use super::settings::CaptureSettings;
use super::store::{Removed, Store};
use super::{Counted, Shared};
use crate::log::say;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at the queue.
const TICK: Duration = Duration::from_millis(50);
/// Bytes of lines that are worth a file.
const FILE_BYTES: usize = 4 << 20;
/// After a failure the folder is tried again after the first, at last only after the second.
const RETRIES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How much it gives way to those who answer requests (`nice(2)`): a tenth of a core is left to it where they take all.
const NICE: i32 = 10;
/// Between two lines of the log about what was dropped.
const TOLD_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Writer {
    store: Store,
    redaction: Redaction,
    record_bytes: usize,
    every: Duration,
    shared: Arc<Shared>,
    pending: Option<Pending>,
    /// Where the folder takes nothing: when it is tried again, and how long after that.
    failed: Option<(Instant, Duration)>,
    told: (Instant, Counted),
    /// Files that went to make room and are not told yet.
    removed: Removed,
}

/// Lines that will be a file.
struct Pending {
    first: Timestamp,
    since: Instant,
    records: u64,
    lines: Vec<u8>,
}

impl Writer {
    pub fn new(settings: CaptureSettings, shared: Arc<Shared>) -> Self {
        Self {
            store: Store::new(settings.dir, settings.disk_bytes),
            redaction: settings.redaction,
            record_bytes: settings.record_bytes,
            every: settings.every,
            shared,
            pending: None,
            failed: None,
            told: (Instant::now(), Counted::default()),
            removed: Removed::default(),
        }
    }

    /// Until it is told to stop and nothing waits any more.
    pub fn run(mut self, inbox: &Receiver<Box<Record>>) {
        // Of this thread alone (Linux); where it is not allowed, requests wait a little longer.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        if let Err(error) = self.store.probe() {
            self.down(&error);
        }
        loop {
            // Before the queue is emptied: what is handed over later is counted as lost.
            let stopping = self.shared.stop.load(Relaxed);
            while let Ok(record) = inbox.try_recv() {
                self.take(&record);
                self.shared.waiting_bytes.fetch_sub(record.bytes(), Relaxed);
            }
            let due = |pending: &Pending| stopping || pending.since.elapsed() >= self.every;
            let again = self.failed.is_none_or(|(at, _)| stopping || at <= Instant::now());
            if again && (self.failed.is_some() || self.pending.as_ref().is_some_and(due)) {
                self.flush();
            }
            self.tell(stopping);
            if stopping {
                return;
            }
            thread::park_timeout(TICK);
        }
    }

    fn take(&mut self, record: &Record) {
        if self.failed.is_some() {
            self.lost(1);
            return;
        }
        let Some(line) = record.line(&self.redaction, self.record_bytes) else {
            self.shared.counts.too_long.fetch_add(1, Relaxed);
            self.shared.counts.taken.fetch_sub(1, Relaxed);
            return;
        };
        let (time, hour) = (record.time(), |at: Timestamp| at.as_second().div_euclid(3600));
        let full = |pending: &Pending| {
            // A request that was answered late goes into the newer hour's file.
            pending.lines.len() + line.len() > FILE_BYTES || hour(pending.first) < hour(time)
        };
        if self.pending.as_ref().is_some_and(full) {
            self.flush();
            if self.failed.is_some() {
                self.lost(1);
                return;
            }
        }
        let new = || Pending { first: time, since: Instant::now(), records: 0, lines: Vec::new() };
        let pending = self.pending.get_or_insert_with(new);
        pending.lines.extend_from_slice(&line);
        pending.lines.push(b'\n');
        pending.records += 1;
    }

    fn lost(&self, records: u64) {
        self.shared.counts.lost.fetch_add(records, Relaxed);
    }

    /// Writes what is pending; where that fails, it stays pending, and nothing is taken until it works.
    fn flush(&mut self) {
        let written = match &self.pending {
            Some(pending) => self.store.write(pending.first, &pending.lines),
            None => self.store.probe().map(|()| Default::default()),
        };
        match written {
            Ok(removed) => {
                let records = self.pending.take().map_or(0, |pending| pending.records);
                self.shared.counts.written.fetch_add(records, Relaxed);
                self.removed.files += removed.files;
                self.removed.bytes += removed.bytes;
                if self.failed.take().is_some() {
                    self.shared.down.store(false, Relaxed);
                    say(&format!("serve: capture: {} is written to again", self.store.dir().display()));
                }
            }
            Err(error) => self.down(&error),
        }
    }

    fn down(&mut self, error: &std::io::Error) {
        let (first, last) = RETRIES;
        let wait = self.failed.map_or(first, |(_, wait)| (2 * wait).min(last));
        if self.failed.is_none() {
            self.shared.down.store(true, Relaxed);
            say(&format!(
                "serve: capture: {} cannot be written to: {error}; requests are answered and not captured until it can",
                self.store.dir().display()
            ));
        }
        self.failed = Some((Instant::now() + wait, wait));
    }

    /// Says once in a while, and at the end, how much was dropped and removed; the counts at the end are told by whoever
    /// stops it.
    fn tell(&mut self, stopping: bool) {
        let (at, before) = self.told;
        if !stopping && at.elapsed() < TOLD_EVERY {
            return;
        }
        let Removed { files, bytes } = std::mem::take(&mut self.removed);
        if files > 0 {
            say(&format!(
                "serve: capture: the oldest {files} files ({bytes} bytes) are removed, to stay within its bound"
            ));
        }
        if stopping {
            return;
        }
        let now = self.shared.counts.counted();
        let since = now.since(&before);
        if since.dropped() > 0 {
            say(&format!("serve: capture: {since} in the last {} s", at.elapsed().as_secs()));
        }
        self.told = (Instant::now(), now);
    }
}
