//! Capture: what went in and out, as JSON Lines in SageMaker's data-capture format, where the platform captures nothing.
//!
//! A request never waits for it. What it hands over goes into a bounded queue; a thread of its own (`writer`) leaves
//! personal data out (`redact`), makes lines (`record`) and writes files (`store`). Where the queue is full or the folder
//! takes nothing, the request is left out and counted.

mod counts;
mod record;
mod redact;
mod settings;
mod store;
mod writer;

use crate::app::Asked;
use crate::observe::INFERENCE_ID;
use crate::options::CUSTOM_ATTRIBUTES;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use counts::Counts;
use model::SplitMix64;
use record::Record;
use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, SystemTime};
use writer::Writer;

pub use counts::Counted;
pub use redact::{Redaction, RedactionKinds};
pub use settings::{CaptureArgs, CaptureSettings};

/// Records that may wait for the writer.
const WAITING: usize = 1 << 14;
/// Bytes of bodies and answers that may wait, unless a single record may be half as long.
const WAITING_BYTES: usize = 16 << 20;
/// Bodies up to this length are copied: they are parts of a larger buffer that would be held.
const COPIED: usize = 16 << 10;
/// Time that the writer has, at the end, for what waits.
const STOP_TIME: Duration = Duration::from_secs(2);

/// Captures requests until it is stopped.
pub struct Capture {
    percent: u8,
    record_bytes: usize,
    waiting_bytes: usize,
    queue: SyncSender<Box<Record>>,
    shared: Arc<Shared>,
    /// Wakes the writer, and tells its end.
    writer: Mutex<Option<(Thread, Receiver<()>)>>,
}

/// What requests and the writer share.
#[derive(Default)]
struct Shared {
    /// The folder takes nothing now: nothing is handed over.
    down: AtomicBool,
    stop: AtomicBool,
    waiting_bytes: AtomicUsize,
    counts: Counts,
}

/// A request that is captured if it is answered.
pub(crate) struct Taken<'c> {
    capture: &'c Capture,
    at: SystemTime,
    body: Bytes,
    gzip: bool,
}

impl Capture {
    /// Starts the writer.
    pub fn start(settings: CaptureSettings) -> std::io::Result<Self> {
        let (capture, inbox) = Self::queue(&settings);
        let (ended, end) = sync_channel(1);
        let writer = Writer::new(settings, Arc::clone(&capture.shared));
        let thread = std::thread::Builder::new().name("capture".into()).spawn(move || {
            writer.run(&inbox);
            let _ = ended.send(());
        })?;
        *capture.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some((thread.thread().clone(), end));
        Ok(capture)
    }

    /// Its requests' side, and what the writer takes from.
    fn queue(settings: &CaptureSettings) -> (Self, Receiver<Box<Record>>) {
        let (queue, inbox) = sync_channel(WAITING);
        let capture = Self {
            percent: settings.percent,
            record_bytes: settings.record_bytes,
            waiting_bytes: WAITING_BYTES.max(2 * settings.record_bytes),
            queue,
            shared: Arc::default(),
            writer: Mutex::new(None),
        };
        (capture, inbox)
    }

    /// What became of the requests so far.
    pub fn counted(&self) -> Counted {
        self.shared.counts.counted()
    }

    /// Takes a request with this body, if it is in the sample and there is room.
    pub(crate) fn take(&self, body: &Bytes, gzip: bool) -> Option<Taken<'_>> {
        if !self.samples_this() {
            return None;
        }
        let counts = &self.shared.counts;
        if self.shared.down.load(Relaxed) {
            counts.unwritable.fetch_add(1, Relaxed);
            return None;
        }
        if body.len() > self.record_bytes {
            counts.too_long.fetch_add(1, Relaxed);
            return None;
        }
        if self.shared.waiting_bytes.load(Relaxed) + body.len() > self.waiting_bytes {
            counts.no_room.fetch_add(1, Relaxed);
            return None;
        }
        let body = if body.len() <= COPIED { Bytes::copy_from_slice(body) } else { body.clone() };
        Some(Taken { capture: self, at: SystemTime::now(), body, gzip })
    }

    /// Each thread draws for itself.
    fn samples_this(&self) -> bool {
        thread_local! {
            static DRAWS: RefCell<SplitMix64> = RefCell::new(SplitMix64::new(RandomState::new().hash_one(0), 0));
        }
        self.percent >= 100 || DRAWS.with_borrow_mut(|draws| draws.below(100)) < usize::from(self.percent)
    }

    fn put(&self, record: Record) {
        let (bytes, shared) = (record.bytes(), &self.shared);
        if bytes > self.record_bytes {
            shared.counts.too_long.fetch_add(1, Relaxed);
            return;
        }
        // Taken first, so that two who find the last room do not both have it.
        let before = shared.waiting_bytes.fetch_add(bytes, Relaxed);
        if before + bytes > self.waiting_bytes || self.queue.try_send(Box::new(record)).is_err() {
            shared.waiting_bytes.fetch_sub(bytes, Relaxed);
            shared.counts.no_room.fetch_add(1, Relaxed);
            return;
        }
        shared.counts.taken.fetch_add(1, Relaxed);
    }

    /// Writes what waits, for a moment and no longer; what is not written by then counts as lost.
    pub fn stop(&self) -> Counted {
        self.shared.stop.store(true, Relaxed);
        if let Some((writer, end)) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            writer.unpark();
            let _ = end.recv_timeout(STOP_TIME);
        }
        self.shared.counts.settled()
    }
}

impl Taken<'_> {
    /// The request was answered so.
    pub(crate) fn answered(self, asked: Asked, headers: &HeaderMap, content_type: &HeaderValue, answer: &Bytes) {
        let text = |value: Option<&HeaderValue>| value.and_then(|v| v.to_str().ok()).map(Box::from);
        self.capture.put(Record {
            at: self.at,
            asked,
            gzip: self.gzip,
            body: self.body,
            body_type: text(headers.get(header::CONTENT_TYPE)),
            answer: answer.clone(),
            answer_type: content_type.clone(),
            inference_id: text(headers.get(INFERENCE_ID)),
            custom_attributes: text(headers.get(CUSTOM_ATTRIBUTES)),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::input::InputFormat;
    use crate::formats::negotiate::OutputFormat;

    fn offer(capture: &Capture, body: &Bytes) {
        let asked = Asked { input: InputFormat::Text, output: OutputFormat::Json, explain: None };
        if let Some(taken) = capture.take(body, false) {
            taken.answered(asked, &HeaderMap::new(), &HeaderValue::from_static("application/json"), &Bytes::new());
        }
    }

    #[test]
    fn a_writer_that_takes_nothing_costs_records_and_no_waiting() {
        let settings = CaptureSettings { record_bytes: 1 << 20, ..CaptureSettings::new("unused".into()) };
        // Nobody reads from the queue: bounded by number and, with longer bodies, by bytes.
        for (length, most) in [(10, WAITING), (100_000, WAITING_BYTES / 100_000)] {
            let (capture, inbox) = Capture::queue(&settings);
            let body = Bytes::from(vec![b'a'; length]);
            (0..WAITING + 1000).for_each(|_| offer(&capture, &body));
            let counted = capture.counted();
            assert_eq!((counted.written, counted.no_room), (0, (WAITING + 1000 - most) as u64), "{length}");
            assert_eq!(inbox.try_iter().count(), most);
        }
    }

    #[test]
    fn the_writer_gives_way() {
        let dir = tempfile::tempdir().unwrap();
        let capture = Capture::start(CaptureSettings::new(dir.path().into())).unwrap();
        // Of a thread's `stat` (`proc(5)`) the name, in brackets, and the 17th number after it.
        let gives_way = || {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            let stats = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
            let mut nice = stats.filter_map(|stat| {
                let (_, numbers) = stat.split_once("(capture) ")?;
                numbers.split(' ').nth(16)?.parse::<i32>().ok()
            });
            nice.any(|nice| nice > 0)
        };
        let begun = std::time::Instant::now();
        while !gives_way() {
            assert!(begun.elapsed() < Duration::from_secs(10), "no thread `capture` gives way");
            std::thread::yield_now();
        }
        capture.stop();
    }

    #[test]
    fn what_is_too_long_or_cannot_be_written_is_counted_by_cause() {
        let settings = CaptureSettings { record_bytes: 1024, ..CaptureSettings::new("unused".into()) };
        let (capture, _inbox) = Capture::queue(&settings);
        offer(&capture, &Bytes::from(vec![b'a'; 1025]));
        capture.shared.down.store(true, Relaxed);
        offer(&capture, &Bytes::from_static(b"a"));
        let want = Counted { too_long: 1, unwritable: 1, ..Counted::default() };
        assert_eq!(capture.counted(), want);
        assert_eq!(want.dropped(), 2);
        capture.shared.down.store(false, Relaxed);
        offer(&capture, &Bytes::from_static(b"a"));
        // The writer has not come to it.
        assert_eq!(capture.stop(), Counted { unwritable: 2, ..want });
    }

    #[test]
    fn so_many_of_a_hundred_are_taken() {
        for percent in [0, 30, 100] {
            let settings = CaptureSettings { percent, ..CaptureSettings::new("unused".into()) };
            let (capture, _inbox) = Capture::queue(&settings);
            let body = Bytes::from_static(b"a");
            let taken = (0..10_000).filter(|_| capture.take(&body, false).is_some()).count();
            // Seven standard deviations of the binomial distribution are 321.
            let want = 100 * usize::from(percent);
            assert!(taken.abs_diff(want) <= if percent == 30 { 321 } else { 0 }, "{percent} %: {taken}");
        }
    }
}
