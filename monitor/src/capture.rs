//! Captured traffic: JSON Lines as data capture leaves them, streamed; a damaged line is a finding, never the end.

pub mod answer;
mod base64;
pub mod lines;
pub mod record;
pub mod request;

use std::path::Path;

use jiff::Timestamp;

use crate::error::Result;
use crate::files;
use crate::settings::{Halves, Window};

pub use answer::Answered;
use lines::Lines;
use record::Record;

/// Damaged lines that are named.
const NAMED: usize = 10;

/// One readable request of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// When it was answered.
    pub time: Timestamp,
    /// Its documents; none where the input was not captured.
    pub texts: Option<Vec<String>>,
    /// Its predictions, in the order of the documents; none where the output was not captured.
    pub answers: Option<Vec<Answered>>,
}

/// What was read, and what could not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Captured requests in the window.
    pub requests: u64,
    /// Those whose documents and predictions could not be read or do not belong together.
    pub unreadable: u64,
    /// Where the first of those is, and why.
    pub first_unreadable: Option<String>,
    /// Lines that are no capture record.
    pub damaged: u64,
    /// The first of those.
    pub damaged_lines: Vec<String>,
}

/// Reads every `.jsonl` below `folder` in name order and hands the window's requests to `visit`.
pub fn read(folder: &Path, halves: Halves, window: Window, visit: &mut dyn FnMut(Exchange)) -> Result<Tally> {
    let mut tally = Tally::default();
    for path in files::below(folder, &|name| name.ends_with(".jsonl"))? {
        let name = path.strip_prefix(folder).ok().filter(|n| !n.as_os_str().is_empty()).unwrap_or(&path);
        let mut lines = Lines::open(&path)?;
        while let Some((number, line)) = lines.next_line()? {
            let place = || format!("{}:{number}", name.display());
            let record = line.and_then(Record::parse);
            match record {
                Err(why) => {
                    tally.damaged += 1;
                    if tally.damaged_lines.len() < NAMED {
                        tally.damaged_lines.push(format!("{}: {why}", place()));
                    }
                }
                Ok(record) if window.holds(record.time) => {
                    tally.requests += 1;
                    match record.exchange(halves) {
                        Ok(exchange) => visit(exchange),
                        Err(why) => {
                            tally.unreadable += 1;
                            tally.first_unreadable.get_or_insert_with(|| format!("{}: {why}", place()));
                        }
                    }
                }
                Ok(_) => {}
            }
        }
    }
    Ok(tally)
}
