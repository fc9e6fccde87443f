//! How far a phase has come: a bar on a terminal, in a log a plain line now and then.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::log::{self, say};

/// Least time between two drawings of the bar.
const BAR_EVERY: Duration = Duration::from_millis(100);
/// Least time between two lines in a log.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Marks in a full bar.
const MARKS: u64 = 24;

/// A phase under way; the bar goes when it is dropped.
pub struct Progress {
    phase: &'static str,
    unit: Unit,
    /// Units in all, where that is known beforehand.
    total: Option<u64>,
    began: Instant,
    state: Mutex<State>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of files.
    Bytes,
    /// Documents.
    Documents,
    /// Steps of a solver.
    Steps,
    /// Fits of a search, or of folds.
    Fits,
}

struct State {
    done: u64,
    told: Instant,
}

impl Progress {
    /// Begins `phase`, drawn at once where somebody watches.
    pub fn begin(phase: &'static str, unit: Unit, total: Option<u64>) -> Self {
        let began = Instant::now();
        let progress = Self { phase, unit, total, began, state: Mutex::new(State { done: 0, told: began }) };
        if log::watched() {
            log::bar(&progress.drawn(0));
        }
        progress
    }

    /// `more` units are done.
    pub fn advance(&self, more: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += more;
        let every = if log::watched() { BAR_EVERY } else { LINE_EVERY };
        if state.told.elapsed() < every {
            return;
        }
        state.told = Instant::now();
        if log::watched() {
            log::bar(&self.drawn(state.done));
        } else {
            say!("{}: {}", self.phase, self.told(state.done));
        }
    }

    /// `read     [######------------------]  25 %  8.2 MB, 40.1 MB/s, 1 s left`.
    fn drawn(&self, done: u64) -> String {
        let marks = share(done, self.total).map_or(0, |share| (share * MARKS as f64) as u64) as usize;
        let bar = format!("{}{}", "#".repeat(marks), "-".repeat(MARKS as usize - marks));
        format!("{:<8} [{bar}] {}", self.phase, self.told(done))
    }

    /// `25 %, 8.2 MB, 40.1 MB/s, 1 s left`, as far as each is known.
    fn told(&self, done: u64) -> String {
        describe(self.unit, done, self.total, self.began.elapsed().as_secs_f64())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        log::clear_bar();
    }
}

fn share(done: u64, total: Option<u64>) -> Option<f64> {
    total.filter(|&total| total > 0).map(|total| (done as f64 / total as f64).min(1.0))
}

fn describe(unit: Unit, done: u64, total: Option<u64>, seconds: f64) -> String {
    let mut told = String::new();
    if let Some(share) = share(done, total) {
        let _ = write!(told, "{:3.0} %, ", share * 100.0);
    }
    if done == 0 && total.is_none() {
        return format!("{seconds:.0} s");
    }
    told.push_str(&quantity(unit, done as f64));
    let rate = done as f64 / seconds;
    if unit == Unit::Fits {
        // No two cost the same.
        let _ = write!(told, ", {seconds:.0} s");
    } else if done > 0 && seconds > 0.5 {
        let _ = write!(told, ", {}/s", quantity(unit, rate));
        if let Some(total) = total {
            let _ = write!(told, ", {:.0} s left", (total.saturating_sub(done) as f64 / rate).ceil());
        }
    }
    told
}

fn quantity(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes => format!("{:.1} MB", value / 1e6),
        Unit::Documents => format!("{value:.0} documents"),
        Unit::Steps => format!("{value:.0} steps"),
        Unit::Fits => format!("{value:.0} fits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told() {
        for (unit, done, total, seconds, want) in [
            (Unit::Bytes, 0, Some(10), 0.0, "  0 %, 0.0 MB"),
            (Unit::Bytes, 25_000_000, Some(100_000_000), 2.0, " 25 %, 25.0 MB, 12.5 MB/s, 6 s left"),
            (Unit::Bytes, 25_000_000, None, 2.0, "25.0 MB, 12.5 MB/s"),
            (Unit::Documents, 1000, Some(1000), 4.0, "100 %, 1000 documents, 250 documents/s, 0 s left"),
            (Unit::Steps, 12, Some(0), 1.0, "12 steps, 12 steps/s, 0 s left"),
            (Unit::Fits, 7, None, 31.4, "7 fits, 31 s"),
            (Unit::Documents, 0, None, 0.0, "0 s"),
        ] {
            assert_eq!(describe(unit, done, total, seconds), want);
        }
    }

    #[test]
    fn a_bar_fits_a_narrow_terminal_and_overruns_are_full() {
        let progress = Progress::begin("evaluate", Unit::Documents, Some(10_000_000));
        for done in [0, 5_000_000, 10_000_000, 20_000_000] {
            assert!(progress.drawn(done).len() < 100, "{}", progress.drawn(done));
        }
        assert!(progress.drawn(20_000_000).contains(&"#".repeat(MARKS as usize)));
    }
}
