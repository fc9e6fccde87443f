//! What is said on stderr: one line of JSON for a failed request and for a sample of the others, and few lines else.
//!
//! Once there are requests to answer, lines go through a thread of their own: a log that nobody takes costs lines, told
//! when it is taken again, and never keeps a request waiting.

use serde::Serialize;
use std::cell::Cell;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait.
const WAITING: usize = 4096;
/// Characters of a body that are logged where that is asked for.
const EXCERPT: usize = 1000;

static WRITER: OnceLock<SyncSender<Message>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);

enum Message {
    Line(String),
    /// Answered when all lines before were written.
    Flush(SyncSender<()>),
}

/// What is logged beside failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPolicy {
    /// Of so many requests that did not fail one is logged; 0: none.
    pub sample: u64,
    /// Whether lines hold the beginning of the body.
    pub text: bool,
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self { sample: 1000, text: false }
    }
}

impl LogPolicy {
    /// Whether this one, of those that did not fail, is of the sample. Each thread counts for itself.
    pub(crate) fn samples_this(&self) -> bool {
        thread_local! {
            static COUNT: Cell<u64> = const { Cell::new(0) };
        }
        self.sample != 0 && {
            let count = COUNT.get() + 1;
            COUNT.set(count % self.sample);
            count >= self.sample
        }
    }

    /// What of a body is logged.
    pub(crate) fn excerpt(&self, body: &[u8]) -> Option<String> {
        // A character has four bytes at most.
        let head = &body[..body.len().min(4 * EXCERPT)];
        self.text.then(|| String::from_utf8_lossy(head).chars().take(EXCERPT).collect())
    }
}

/// A request's line.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) status: u16,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'a str>,
    pub(crate) microseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inference_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<&'a str>,
}

impl Line<'_> {
    pub(crate) fn say(&self) {
        if let Ok(line) = serde_json::to_string(self) {
            say(&line);
        }
    }
}

/// Says one line. Where stderr is gone there is nobody to tell, and that is no reason to stop serving.
pub(crate) fn say(line: &str) {
    let line = format!("{line}\n");
    match WRITER.get() {
        None => write(&line),
        Some(writer) if writer.try_send(Message::Line(line)).is_err() => drop(LOST.fetch_add(1, Relaxed)),
        Some(_) => {}
    }
}

/// From now on no caller of [`say`] waits for stderr.
pub(crate) fn start_writer() -> std::io::Result<()> {
    let (sender, receiver) = sync_channel(WAITING);
    std::thread::Builder::new().name("log".into()).spawn(move || write_all(&receiver))?;
    let _ = WRITER.set(sender);
    Ok(())
}

/// Waits for what was said to be written, for a moment and no longer.
pub(crate) fn flush() {
    let Some(writer) = WRITER.get() else { return };
    let (written, all) = sync_channel(1);
    if writer.try_send(Message::Flush(written)).is_ok() {
        let _ = all.recv_timeout(Duration::from_secs(1));
    }
}

fn write_all(lines: &Receiver<Message>) {
    for message in lines {
        match message {
            Message::Line(line) => write(&line),
            Message::Flush(written) => drop(written.try_send(())),
        }
        let lost = LOST.swap(0, Relaxed);
        if lost > 0 {
            write(&format!("serve: {lost} lines of the log are lost: they came faster than stderr takes them\n"));
        }
    }
}

fn write(line: &str) {
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_so_many_is_sampled() {
        for (sample, want) in [(0, 0), (1, 100), (7, 14), (100, 1), (101, 0)] {
            // A thread of its own counts from nothing.
            let sampled = std::thread::spawn(move || {
                let policy = LogPolicy { sample, text: false };
                (0..100).filter(|_| policy.samples_this()).count()
            });
            assert_eq!(sampled.join().unwrap(), want, "{sample}");
        }
    }

    #[test]
    fn an_excerpt_is_asked_for_and_bounded() {
        let body = "é".repeat(2000) + "\n";
        let policy = LogPolicy { sample: 1, text: true };
        assert_eq!(policy.excerpt(body.as_bytes()), Some("é".repeat(1000)));
        assert_eq!(policy.excerpt(b"caf\xe9"), Some("caf\u{fffd}".into()));
        assert_eq!(LogPolicy { text: false, ..policy }.excerpt(body.as_bytes()), None);
    }
}
