//! A scheduled job: every window that has passed and is not done, and those again for which captures came late.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use report::DriftReport;
use report::drift::{Outcome, PastWindow};

use crate::capture;
use crate::error::Result;
use crate::files;
use crate::ledger::{self, Ledger};
use crate::settings::{WatchJob, Window, Windows};
use crate::watch;

/// What a scheduled job did.
#[derive(Debug, Default)]
pub struct Done {
    /// Of each window, the earliest first.
    pub reports: Vec<(PastWindow, DriftReport)>,
    /// Windows too long ago to be caught up with, never done.
    pub beyond: u64,
}

/// Does what is due. Of each window the files lie in a folder named by its end, and an entry of the ledger is left.
pub fn run(job: &WatchJob, windows: &Windows, root: &Path, now: Timestamp) -> Result<Done> {
    let mut ledger = Ledger::read(&windows.ledger)?;
    let (ends, beyond) = ledger::passed(windows.length, ledger.since, windows.now, windows.catch_up);
    let beyond = if ledger.done.is_empty() { beyond } else { missed(&ledger, windows, &ends) };
    let mut done = Done { beyond, ..Done::default() };
    let known = ends.iter().any(|end| ledger.done.contains_key(end));
    let counted = if known { capture::count(&job.dataset, windows.length, &ends)? } else { Default::default() };
    for end in ends {
        let before = ledger.done.get(&end);
        let late = counted.get(&end).copied().unwrap_or(0).saturating_sub(before.map_or(0, |entry| entry.requests));
        if before.is_some() && late == 0 {
            continue;
        }
        let revision = before.map_or(1, |entry| entry.revision + 1);
        let late = before.map_or(0, |entry| entry.late + late);
        let (report, entry) = one(job, windows, root, now, (end, revision, late), &ledger)?;
        files::write_json(&windows.done.join(format!("{}.json", name(end))), &entry)?;
        ledger.done.insert(end, entry.clone());
        done.reports.push((entry, report));
    }
    Ok(done)
}

/// Windows between the last one done and the first that can still be.
fn missed(ledger: &Ledger, windows: &Windows, ends: &[i64]) -> u64 {
    let (Some(first), Some(last)) = (ends.first(), ledger.done.range(..ends.first().copied().unwrap_or(0)).next_back())
    else {
        return 0;
    };
    u64::try_from((first - last.0) / windows.length - 1).unwrap_or(0)
}

fn name(end: i64) -> String {
    ledger::name(Timestamp::from_second(end).unwrap_or_default())
}

fn one(
    job: &WatchJob,
    windows: &Windows,
    root: &Path,
    now: Timestamp,
    (end, revision, late): (i64, u32, u64),
    ledger: &Ledger,
) -> Result<(DriftReport, PastWindow)> {
    let name = name(end);
    let end = Timestamp::from_second(end).unwrap_or_default();
    let window = Window { start: Some(end - SignedDuration::from_secs(windows.length)), end: Some(end) };
    let link = job.report_link.as_ref().map(|link| link.replace("{window}", &name));
    let job = WatchJob { window, output: job.output.join(&name), report_link: link, ..job.clone() };
    let report = watch::run(&job, root, now, ledger)?;
    let entry = PastWindow::of(&report, revision, late);
    Ok((report, entry))
}

impl Done {
    /// The job's message, without its first word: the latest window that drifted, else the latest.
    pub fn message(&self, link: &dyn Fn(&PastWindow) -> Option<String>) -> (Outcome, String) {
        let beyond = match self.beyond {
            0 => String::new(),
            n => format!(" {n} earlier windows were missed and are too old to be caught up with."),
        };
        let drifted = self.reports.iter().rev().find(|(_, report)| report.outcome() == Outcome::Drifted);
        let Some((entry, report)) = drifted.or(self.reports.last()) else {
            return (Outcome::Empty, format!("every window that has passed is done.{beyond}"));
        };
        let because = report.because().map(|why| format!(" {why}")).unwrap_or_default();
        let link = link(entry).map(|link| format!(" Report: {link}")).unwrap_or_default();
        let more = match self.reports.len() {
            1 => String::new(),
            n => format!(" ({n} windows done)"),
        };
        let again =
            if entry.revision > 1 { format!(", again with {} late requests", entry.late) } else { String::new() };
        let said = format!("{} to {}{again}: {}{because}{more}{beyond}{link}", entry.start, entry.end, entry.verdict);
        (report.outcome(), said)
    }
}
