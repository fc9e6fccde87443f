//! A channel's documents in batches: files are cut into stretches by one thread, digested by another, read by several,
//! and handed on in their order. What is in memory is a few stretches, whatever the files' size.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::batch::Batch;
use super::feed::{Event, Feed, Job};
use super::files::{self, ChannelFile};
use super::problems::Problems;
use super::summary::{Gather, Summary};
use super::{Options, Source};
use crate::contract::InputMode;

/// Threads that read rows, at most: more are faster than anything that takes them.
const READERS: usize = 8;

/// Reads the channel `name` once from start to end. Every batch of documents goes to `sink`, in the order of the files'
/// names and of the rows in them, until a fault is met; faults go to `problems`. With it goes what the thread that read it made of
/// it: each has a maker of its own, which gets its batches in that order too.
pub fn stream<T: Send, M: FnMut(&Batch) -> T>(
    name: &str,
    from: &Source,
    options: &Options,
    problems: &mut Problems,
    maker: impl Fn() -> M + Sync,
    mut sink: impl FnMut(&Batch, T),
) -> Summary {
    let mut gather = Gather::new(name, options.on_bad_rows, &options.columns.label);
    let joined = from.mode == InputMode::Pipe;
    let files = if joined {
        vec![files::pipe(&from.folder, from.content_type.as_deref())]
    } else {
        let files = files::list(name, &from.folder, &mut gather.found);
        if files.is_empty() && gather.found.is_empty() {
            let message = "the channel holds no file; expected .csv, .csv.gz, .jsonl or .jsonl.gz files";
            gather.found.add(format!("{name}: {message}"));
        }
        files
    };
    if !files.is_empty() {
        read(&files, joined, options, &mut gather, &maker, &mut sink);
    }
    let (summary, mut found) = gather.finish();
    if summary.rows == 0 && found.is_empty() {
        found.add(format!("{name}: the channel's files hold no row"));
    }
    problems.append(found);
    summary
}

fn read<T: Send, M: FnMut(&Batch) -> T>(
    files: &[ChannelFile],
    joined: bool,
    options: &Options,
    gather: &mut Gather<'_>,
    maker: &(impl Fn() -> M + Sync),
    sink: &mut impl FnMut(&Batch, T),
) {
    let readers = options.threads.clamp(1, READERS);
    let abandoned = AtomicUsize::new(0);
    let (buffer_sender, buffers) = channel();
    for _ in 0..readers + 2 {
        // The receiver is at hand.
        let _ = buffer_sender.send(Vec::new());
    }
    let (jobs, waiting) = channel();
    let waiting = Mutex::new(waiting);
    let (events, done) = channel();
    let feed = Feed {
        columns: Arc::new(options.columns.clone()),
        joined,
        stretch: options.batch_bytes,
        abandoned: &abandoned,
        buffers,
        spare: RefCell::default(),
        jobs,
        events: events.clone(),
    };
    thread::scope(|scope| {
        for _ in 0..readers {
            let events = events.clone();
            let waiting = &waiting;
            scope.spawn(move || work(waiting, &mut maker(), &events));
        }
        drop(events);
        scope.spawn(move || feed.run(files));
        let mut events = InOrder { done, early: BTreeMap::new(), next: 0 };
        for (index, file) in files.iter().enumerate() {
            gather.begin(&file.name);
            loop {
                match events.next() {
                    Some(Event::Stretch(mut parsed, bytes, made)) => {
                        if !gather.take(&mut parsed) {
                            abandoned.store(index + 1, Ordering::Relaxed);
                        }
                        if gather.found.is_empty() && !parsed.batch.is_empty() {
                            sink(&parsed.batch, made);
                        }
                        let bytes = if bytes.is_empty() { parsed.batch.read.into_bytes() } else { bytes };
                        // The feeding thread may be done.
                        let _ = buffer_sender.send(bytes);
                    }
                    Some(Event::End(end)) => {
                        gather.end(*end);
                        break;
                    }
                    // Only where a thread panicked; the scope passes it on.
                    None => return,
                }
            }
        }
    });
}

fn work<T>(waiting: &Mutex<Receiver<Job>>, make: &mut impl FnMut(&Batch) -> T, events: &Sender<(usize, Event<T>)>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if events.send(job.run(make)).is_err() {
            return;
        }
    }
}

/// Events by their number.
struct InOrder<T> {
    done: Receiver<(usize, Event<T>)>,
    early: BTreeMap<usize, Event<T>>,
    next: usize,
}

impl<T> InOrder<T> {
    fn next(&mut self) -> Option<Event<T>> {
        loop {
            if let Some(event) = self.early.remove(&self.next) {
                self.next += 1;
                return Some(event);
            }
            let (order, event) = self.done.recv().ok()?;
            self.early.insert(order, event);
        }
    }
}

/// A channel read into memory, for whoever needs all its documents at once.
pub(super) fn collect(
    name: &str,
    from: &Source,
    options: &Options,
    problems: &mut Problems,
) -> (Vec<String>, Vec<usize>, Summary) {
    let (mut texts, mut labels) = (Vec::new(), Vec::new());
    let summary = stream(
        name,
        from,
        options,
        problems,
        || |_: &Batch| (),
        |batch, ()| {
            texts.extend(batch.texts().into_iter().map(str::to_owned));
            labels.extend(batch.labels().iter().map(|&label| label as usize));
        },
    );
    (texts, labels, summary)
}
