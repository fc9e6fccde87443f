//! Progress goes to stderr, results to stdout: as text, or with `--json` as one JSON value.

use std::{
    fmt,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    error::{self, Result},
    secrets,
};

/// Whether a stage had anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done now.
    Done,
    /// It was there already, as wanted.
    Unchanged,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Done => "done",
            Outcome::Unchanged => "unchanged",
        })
    }
}

/// How much of a job's progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// All of it, as it comes.
    Live,
    /// Only of what takes longer than this.
    After(Duration),
}

/// Where a stage writes to.
#[derive(Clone, Debug)]
pub struct Output {
    json: bool,
    detail: Detail,
}

impl Output {
    /// `json`: results as one JSON value.
    pub fn new(json: bool, detail: Detail) -> Self {
        Output { json, detail }
    }

    /// One line of progress.
    pub fn say(&self, line: impl fmt::Display) {
        // A closed stderr is no reason to stop working.
        let _ = writeln!(io::stderr(), "{}", secrets::scrub(&line.to_string()));
    }

    /// Lines of progress that `run` shows only when they are waited for.
    pub fn progress(&self) -> Progress {
        Progress { detail: self.detail, start: Instant::now(), held: Vec::new() }
    }

    /// The stage's result.
    pub fn result<T: Serialize + fmt::Display>(&self, value: &T) -> Result<()> {
        if !self.json {
            return self.text(value);
        }
        self.raw(&serde_json::to_vec_pretty(value).map_err(|e| error::io("the result as JSON")(e.into()))?)
    }

    /// Whether results are JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// A result for a person.
    pub fn text(&self, value: &impl fmt::Display) -> Result<()> {
        self.raw(value.to_string().trim_end().as_bytes())
    }

    /// Bytes of a result as they came, with a line's end.
    pub fn raw(&self, bytes: &[u8]) -> Result<()> {
        let mut stdout = io::stdout();
        let bytes = &*secrets::scrub_bytes(bytes);
        let end: &[u8] = if bytes.ends_with(b"\n") { b"" } else { b"\n" };
        stdout.write_all(bytes).and_then(|()| stdout.write_all(end)).map_err(error::io("stdout cannot be written"))
    }
}

/// Lines that are shown at once, or only after a while.
#[derive(Debug)]
pub struct Progress {
    detail: Detail,
    start: Instant,
    held: Vec<String>,
}

impl Progress {
    /// Shows a line, or holds it back for now.
    pub fn line(&mut self, line: impl fmt::Display) {
        self.held.push(line.to_string());
        self.tick();
    }

    /// Shows what was held back, once the wait is long enough.
    pub fn tick(&mut self) {
        if matches!(self.detail, Detail::After(wait) if self.start.elapsed() < wait) {
            return;
        }
        for line in self.held.drain(..) {
            let _ = writeln!(io::stderr(), "  {}", secrets::scrub(&line));
        }
    }
}

/// `1234` ms as `1.2 s`, `12` ms as `12 ms`.
pub fn duration(elapsed: Duration) -> String {
    match elapsed.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        _ if elapsed.as_secs() < 120 => format!("{:.1} s", elapsed.as_secs_f64()),
        _ => format!("{} min {} s", elapsed.as_secs() / 60, elapsed.as_secs() % 60),
    }
}
