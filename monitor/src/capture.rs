//! Captured traffic: JSON Lines as data capture leaves them, streamed; a damaged line is a finding, never the end.
//!
//! Lines are dealt out in batches to a fixed number of lanes, each read by a thread of its own in the order of the files.
//! What a lane sees depends on the files alone, so that results do not depend on the machine.

pub mod answer;
mod base64;
pub mod lines;
pub mod record;
pub mod request;
mod tally;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::Result;
use crate::files;
use crate::settings::{Halves, Window};

pub use answer::Answered;
use lines::Lines;
use record::Record;
pub use tally::Tally;

/// Bytes of lines that are handed to a lane at once.
const BATCH: usize = 1 << 18;
/// Batches that wait for a lane.
const WAITING: usize = 2;

/// One readable request of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// When it was answered.
    pub time: Timestamp,
    /// The id that ground truth names it by: the client's, else the platform's.
    pub id: Option<String>,
    /// Of each record of the request, whether it was answered with a prediction: only those are below.
    pub records: Vec<bool>,
    /// Its documents; none where the input was not captured.
    pub texts: Option<Vec<String>>,
    /// Its predictions, in the order of the documents; none where the output was not captured.
    pub answers: Option<Vec<Answered>>,
}

/// Where a line stands: the file's number in name order, the line's in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// From 0.
    pub file: u32,
    /// From 1.
    pub line: u64,
}

/// Lines of one file.
struct Batch {
    file: u32,
    bytes: Vec<u8>,
    /// Number and end in `bytes`, or why there is no line.
    lines: Vec<(u64, std::result::Result<usize, String>)>,
}

/// Reads every `.jsonl` below `folder` and hands the window's requests to `add`, each with one of `lanes`.
pub fn read<L: Send>(
    folder: &Path,
    halves: Halves,
    window: Window,
    lanes: &mut [L],
    add: &(impl Fn(&mut L, Place, Exchange) + Sync),
) -> Result<Tally> {
    let mut files = files::below(folder, &|name| name.ends_with(".jsonl"))?;
    files.retain(|path| may_hold(path, window));
    let names: Vec<String> = files.iter().map(|path| name(folder, path)).collect();
    let names = &names;
    thread::scope(|scope| {
        let (mut senders, mut readers) = (Vec::new(), Vec::new());
        for lane in lanes {
            let (sender, batches) = sync_channel::<Batch>(WAITING);
            senders.push(sender);
            readers
                .push(scope.spawn(move || read_batches(&batches, names, halves, window, &mut |p, e| add(lane, p, e))));
        }
        let dealt = deal(&files, &senders);
        drop(senders);
        let mut tally = Tally::default();
        for reader in readers {
            // A lane that panicked has a broken invariant to tell of.
            tally.merge(reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        dealt.map(|()| tally)
    })
}

/// How many requests each window of `length` seconds has, by its end; of the windows that end at `ends`, in order.
pub fn count(folder: &Path, length: i64, ends: &[i64]) -> Result<BTreeMap<i64, u64>> {
    let at = |second: i64| Timestamp::from_second(second).ok();
    let window =
        Window { start: ends.first().and_then(|end| at(end - length)), end: ends.last().and_then(|end| at(*end)) };
    let mut counts = BTreeMap::new();
    for path in files::below(folder, &|name| name.ends_with(".jsonl"))?.iter().filter(|path| may_hold(path, window)) {
        let mut lines = Lines::open(path)?;
        while let Some((_, line)) = lines.next_line()? {
            let Ok(Ok(record)) = line.map(Record::parse) else { continue };
            if window.holds(record.time) && !record.is_own() {
                *counts.entry((record.time.as_second().div_euclid(length) + 1) * length).or_default() += 1;
            }
        }
    }
    Ok(counts)
}

/// Whether a file can hold requests of the window. Capture puts them into a folder an hour, `yyyy/mm/dd/hh/`; a file that is an
/// hour off is read all the same, and so is one that lies elsewhere.
fn may_hold(path: &Path, window: Window) -> bool {
    let folders = path.parent().map(|folder| folder.iter().rev().take(4).collect::<Vec<_>>()).unwrap_or_default();
    let numbers: Vec<i16> = folders.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
    let &[hour, day, month, year] = &numbers[..] else { return true };
    let part = |n: i16| i8::try_from(n).unwrap_or(-1);
    let Ok(hour) = DateTime::new(year, part(month), part(day), part(hour), 0, 0, 0) else { return true };
    let Ok(hour) = TimeZone::UTC.to_timestamp(hour) else { return true };
    let slack = SignedDuration::from_hours(1);
    window.end.is_none_or(|end| hour - slack < end) && window.start.is_none_or(|start| start < hour + slack + slack)
}

fn name(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).ok().filter(|n| !n.as_os_str().is_empty()).unwrap_or(path).display().to_string()
}

/// Cuts the files into batches, each for the next lane.
fn deal(files: &[PathBuf], lanes: &[SyncSender<Batch>]) -> Result<()> {
    let mut next = 0;
    let mut send = |batch: Batch| {
        // A lane that is gone has panicked, which is told when it is joined.
        let _ = lanes[next % lanes.len()].send(batch);
        next += 1;
    };
    for (file, path) in (0u32..).zip(files) {
        let empty = || Batch { file, bytes: Vec::new(), lines: Vec::new() };
        let mut batch = empty();
        let mut lines = Lines::open(path)?;
        while let Some((number, line)) = lines.next_line()? {
            let line = line.map(|line| {
                batch.bytes.extend_from_slice(line);
                batch.bytes.len()
            });
            batch.lines.push((number, line));
            if batch.bytes.len() >= BATCH {
                send(std::mem::replace(&mut batch, empty()));
            }
        }
        if !batch.lines.is_empty() {
            send(batch);
        }
    }
    Ok(())
}

fn read_batches(
    batches: &Receiver<Batch>,
    names: &[String],
    halves: Halves,
    window: Window,
    visit: &mut dyn FnMut(Place, Exchange),
) -> Tally {
    let mut tally = Tally::default();
    for Batch { file, bytes, lines } in batches {
        let mut start = 0;
        for (line, end) in lines {
            let place = Place { file, line };
            let record = end.and_then(|end| {
                let record = Record::parse(&bytes[start..end]);
                start = end;
                record
            });
            match record {
                Err(why) => tally.damaged_line(place, &names[file as usize], &why),
                Ok(record) if record.is_own() => {}
                Ok(record) if window.holds(record.time) => {
                    tally.requests += 1;
                    match record.exchange(halves) {
                        Ok(exchange) => visit(place, exchange),
                        Err(why) => tally.unreadable_request(place, &names[file as usize], &why),
                    }
                }
                Ok(_) => tally.outside += 1,
            }
        }
    }
    tally
}

impl Place {
    /// Seed of what is drawn by chance for this line, the same in every run.
    pub fn seed(self) -> u64 {
        self.line ^ u64::from(self.file).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
