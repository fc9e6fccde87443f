//! Own programs: each gets the window's records as JSON Lines on stdin and writes violations as JSON Lines on stdout.
//!
//! A record is `{"time", "id", "text", "label", "score"}`, what was not captured left out. A violation is
//! `{"feature_name", "description"}`, `constraint_check_type` optional. A program that fails, takes too long, or writes
//! something else is told in the notes: its findings are then unknown, and those of the others are not lost.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use report::drift::Violation;
use serde::{Deserialize, Serialize};

use crate::capture::{self, Exchange};
use crate::config::Program;
use crate::error::Result;
use crate::settings::WatchJob;

/// Most violations of a program that are kept.
const MOST: usize = 100;

#[derive(Serialize)]
struct Sent<'r> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

#[derive(Deserialize)]
struct Said {
    feature_name: String,
    constraint_check_type: Option<String>,
    description: String,
}

/// What a program found, or why that is not known.
pub type Verdict = std::result::Result<Vec<Violation>, String>;

/// Runs one program over the window's records.
pub fn run(program: &Program, job: &WatchJob) -> Result<Verdict> {
    let name = program.command.join(" ");
    let [first, arguments @ ..] = program.command.as_slice() else { return Ok(Ok(Vec::new())) };
    let started = Command::new(first).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(Err(format!("the program `{name}` could not be started: {error}"))),
    };
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return Ok(Ok(Vec::new())) };
    let (sender, read) = channel();
    let reader = thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().take(MOST).collect::<std::io::Result<Vec<String>>>();
        // Nobody waits any more where it took too long.
        let _ = sender.send(lines);
    });
    // The time runs from here on: a program that does not read would hold the records up for ever.
    let guard = watchdog(child, Duration::from_secs(program.seconds));
    let sent = send(stdin, job);
    let lines = read.recv_timeout(Duration::from_secs(program.seconds));
    let status = guard.join().unwrap_or(None);
    let _ = reader.join();
    sent?;
    Ok(match (lines, status) {
        (_, None) => Err(format!("the program `{name}` took longer than {} seconds and was ended", program.seconds)),
        (_, Some(status)) if !status.success() => Err(format!("the program `{name}` ended with {status}")),
        (Ok(Ok(lines)), _) => violations(&name, &lines),
        (Ok(Err(error)), _) => Err(format!("the program `{name}` wrote what is no text: {error}")),
        (Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected), _) => {
            Err(format!("the program `{name}` did not end its output"))
        }
    })
}

/// Ends the child when its time is over; its exit status, or none where that was necessary.
fn watchdog(mut child: Child, limit: Duration) -> thread::JoinHandle<Option<std::process::ExitStatus>> {
    const STEP: Duration = Duration::from_millis(20);
    thread::spawn(move || {
        let mut waited = Duration::ZERO;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if waited < limit => {
                    thread::sleep(STEP);
                    waited += STEP;
                }
                _ => {
                    // It may have ended meanwhile.
                    let _ = child.kill();
                    let _ = child.wait();
                    return None;
                }
            }
        }
    })
}

/// In the order of the files; a program may stop reading.
fn send(stdin: ChildStdin, job: &WatchJob) -> Result<()> {
    let mut lane = (BufWriter::new(stdin), true);
    let add = |(out, open): &mut (BufWriter<ChildStdin>, bool), _, exchange: Exchange| {
        let (texts, answers) = (exchange.texts.as_deref(), exchange.answers.as_deref());
        let records = texts.map(<[_]>::len).or(answers.map(<[_]>::len)).unwrap_or_default();
        for at in 0..records {
            let answer = answers.map(|answers| &answers[at]);
            let record = Sent {
                time: exchange.time.to_string(),
                id: exchange.id.as_deref(),
                text: texts.map(|texts| texts[at].as_str()),
                label: answer.map(|answer| answer.label.as_str()),
                score: answer.map(|answer| answer.score),
            };
            *open = *open && serde_json::to_writer(&mut *out, &record).is_ok() && out.write_all(b"\n").is_ok();
        }
    };
    capture::read(&job.dataset, job.halves, job.window, std::slice::from_mut(&mut lane), &add)?;
    // A program that reads no more has its reasons.
    let _ = lane.0.flush();
    Ok(())
}

fn violations(name: &str, lines: &[String]) -> Verdict {
    lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let said: Said = serde_json::from_str(line)
                .map_err(|e| format!("the program `{name}` wrote a line that is no violation: {e}"))?;
            Ok(Violation {
                feature_name: said.feature_name,
                constraint_check_type: said.constraint_check_type.unwrap_or_else(|| "own_program_check".into()),
                description: said.description,
            })
        })
        .collect()
}
