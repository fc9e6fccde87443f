//! A child process, or the engine's process that stands for a container: its end, its last words, its signals.

use std::{
    collections::VecDeque,
    io,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Lines kept of what a subject printed.
const KEPT: usize = 5;
/// How often a signal is tried while a container is being created.
const CREATION: u32 = 200;
/// How long the pipes of an ended subject may stay open through processes that left its group.
const DRAIN: Duration = Duration::from_secs(2);

/// How it is ended.
#[derive(Debug)]
pub(super) enum Ends {
    /// By signals to its process group.
    Group,
    /// By the engine, which knows the container's name.
    Engine { words: Vec<String>, name: String },
}

/// A running subject; ended with all it started when it is let go.
pub(crate) struct Running {
    child: Child,
    group: Pid,
    ends: Ends,
    readers: Vec<JoinHandle<()>>,
    said: Arc<Said>,
    exit: Option<i32>,
}

/// The last lines that a subject printed.
type Said = Mutex<VecDeque<String>>;

impl Running {
    pub(super) fn spawn(mut command: Command, ends: Ends) -> io::Result<Running> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let group = Pid::from_raw(pid.ok_or_else(|| io::Error::other("it ended before it could be watched"))?);
        let said = Arc::new(Said::default());
        let mut readers = Vec::new();
        readers.extend(child.stdout.take().map(|out| tokio::spawn(listen(out, said.clone()))));
        readers.extend(child.stderr.take().map(|err| tokio::spawn(listen(err, said.clone()))));
        Ok(Running { child, group, ends, readers, said, exit: None })
    }

    /// Its exit code, 128 + signal where a signal ended it; `None`: it runs on after this time.
    pub async fn wait(&mut self, limit: Duration) -> Option<i32> {
        if self.exit.is_none() {
            let status = timeout(limit, self.child.wait()).await.ok()?;
            self.exit = Some(status.map_or(-1, exit_code));
            if matches!(self.ends, Ends::Group) {
                // What it started and left behind ends with it, as in a container.
                let _ = killpg(self.group, Signal::SIGKILL);
            }
            for reader in self.readers.drain(..) {
                let abort = reader.abort_handle();
                if timeout(DRAIN, reader).await.is_err() {
                    abort.abort();
                }
            }
        }
        self.exit
    }

    /// Its exit code, if it has ended.
    pub async fn ended(&mut self) -> Option<i32> {
        match self.child.try_wait() {
            Ok(None) => None,
            _ => self.wait(DRAIN).await,
        }
    }

    /// Sends SIGTERM, as the platform does: to the first process of the container.
    pub async fn terminate(&mut self) {
        match &self.ends {
            // Gone already is as good.
            Ends::Group => drop(nix::sys::signal::kill(self.group, Signal::SIGTERM)),
            Ends::Engine { words, name } => {
                // The engine may still be about to start it.
                for _ in 0..CREATION {
                    let sent = engine(words, &["kill", "--signal", "TERM", name]).output().await;
                    if sent.is_ok_and(|output| output.status.success()) || !matches!(self.child.try_wait(), Ok(None)) {
                        return;
                    }
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    /// The last lines that it printed.
    pub fn said(&self) -> String {
        let lines = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The process inside whose network namespace it listens.
    pub async fn pid(&self) -> Option<i32> {
        match &self.ends {
            Ends::Group => Some(self.group.as_raw()),
            Ends::Engine { words, name } => {
                let asked = engine(words, &["inspect", "--format", "{{.State.Pid}}", name]).output().await.ok()?;
                String::from_utf8(asked.stdout).ok()?.trim().parse().ok().filter(|pid| *pid > 0)
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        match &self.ends {
            Ends::Group if self.exit.is_none() => drop(killpg(self.group, Signal::SIGKILL)),
            Ends::Group => {}
            Ends::Engine { words, name } if self.exit.is_none() => {
                // `rm --force` alone would first ask politely, and wait.
                for arguments in [&["kill", name][..], &["rm", "--force", name]] {
                    let mut command = std::process::Command::new(&words[0]);
                    command.args(&words[1..]).args(arguments);
                    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
                }
            }
            Ends::Engine { .. } => {}
        }
    }
}

/// The engine with more words.
pub(super) fn engine(words: &[String], more: &[&str]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(more).stdin(Stdio::null());
    command
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

async fn listen(from: impl AsyncRead + Unpin, said: Arc<Said>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while let Ok(1..) = from.read_until(b'\n', &mut line).await {
        let text: String = String::from_utf8_lossy(&line).trim_end().chars().take(300).collect();
        line.clear();
        if !text.is_empty() {
            let mut lines = said.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == KEPT {
                lines.pop_front();
            }
            lines.push_back(text);
        }
    }
}
