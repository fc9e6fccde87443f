//! The program: arguments, the message for the job's status, the exit code.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use jiff::Timestamp;
use report::DriftReport;
use report::drift::{Outcome, PastWindow};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::Result;
use crate::ledger::{self, Ledger};
use crate::settings::{self, Job, WatchJob, Windows};
use crate::{baseline, files, watch, windows};

/// Most bytes of `output/message` that SageMaker keeps.
const MESSAGE_BYTES: usize = 1024;

/// Watch captured traffic, or make the baseline that it is held against; the job stands in environment variables, as
/// Model Monitor's containers have them.
#[derive(Debug, Parser)]
#[command(name = "monitor", no_binary_name = true, version)]
struct Args {
    /// Folder laid out as a processing container's /opt/ml
    #[arg(long, default_value = "/opt/ml", value_name = "DIR")]
    ml_root: PathBuf,
}

/// Runs the program with `args` (without its name): 0 done, violations included; 1 failed; 2 usage.
pub fn main<I: IntoIterator<Item = OsString>>(args: I) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(help) => {
            // Where even that cannot be printed the exit code has to do.
            let _ = help.print();
            return ExitCode::from(u8::try_from(help.exit_code()).unwrap_or(2));
        }
    };
    // A container's first process does not die of a signal unless it says so: a stopped job would wait for SIGKILL.
    for signal in [SIGTERM, SIGINT] {
        if let Err(error) = flag::register_conditional_shutdown(signal, 128 + signal, Arc::new(AtomicBool::new(true))) {
            eprintln!("warning: signals cannot be listened for ({error}); only SIGKILL will end this early");
        }
    }
    run(&args.ml_root, &|name| std::env::var(name).ok())
}

/// The same over given variables.
pub fn run(root: &Path, variable: &dyn Fn(&str) -> Option<String>) -> ExitCode {
    let (message, mut code) = match work(root, variable) {
        Ok(message) => (message, ExitCode::SUCCESS),
        Err(error) => (format!("error: {error}"), ExitCode::FAILURE),
    };
    if code == ExitCode::SUCCESS {
        println!("{message}");
    } else {
        eprintln!("{message}");
    }
    let message = &message[..message.floor_char_boundary(MESSAGE_BYTES)];
    if let Err(error) = files::write(&root.join("output/message"), message.as_bytes()) {
        eprintln!("error: {error}");
        code = ExitCode::FAILURE;
    }
    code
}

fn work(root: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let now = Timestamp::now();
    match settings::job(root, variable, now)? {
        Job::Baseline(job) => {
            println!("baseline: {} → {}", job.dataset.display(), job.output.display());
            Ok(format!("Completed: {}.", baseline::make(&job)?))
        }
        Job::Watch(job) => {
            println!("watch: {} → {}", job.dataset.display(), job.output.display());
            if let Some(windows) = &job.windows {
                return scheduled(&job, windows, root, now);
            }
            let ledger = job.ledger.as_deref().map(Ledger::read).transpose()?.unwrap_or_default();
            let report = watch::run(&job, root, now, &ledger)?;
            tell(&report);
            let because = report.because().map(|why| format!(" {why}")).unwrap_or_default();
            let link = job.report_link.as_ref().map(|link| format!(" Report: {link}")).unwrap_or_default();
            Ok(format!("{}: {}{because}{link}", first_word(report.outcome()), report.verdict()))
        }
    }
}

fn first_word(outcome: Outcome) -> &'static str {
    if outcome == Outcome::Drifted { "CompletedWithViolations" } else { "Completed" }
}

/// Every window that is due.
fn scheduled(job: &WatchJob, windows: &Windows, root: &Path, now: Timestamp) -> Result<String> {
    let done = windows::run(job, windows, root, now)?;
    for (entry, report) in &done.reports {
        println!("window {} to {}: {}", entry.start, entry.end, entry.verdict);
        tell(report);
    }
    let link = |entry: &PastWindow| {
        let name = entry.end.parse().map(ledger::name).ok()?;
        Some(job.report_link.as_ref()?.replace("{window}", &name))
    };
    let (outcome, said) = done.message(&link);
    Ok(format!("{}: {said}", first_word(outcome)))
}

/// A report in the log.
fn tell(report: &DriftReport) {
    for check in &report.checks {
        println!("{} {}: {}", if check.violated { "drift" } else { "alike" }, check.feature, check.description);
    }
    report.violations.iter().filter(|v| v.constraint_check_type != "baseline_drift_check").for_each(|v| {
        println!("{} {}: {}", v.constraint_check_type, v.feature_name, v.description);
    });
    report.damaged_lines.iter().for_each(|line| println!("damaged line {line}"));
    report.notes.iter().for_each(|note| println!("note: {note}"));
}
