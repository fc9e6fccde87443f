//! One container as a child process: a clean environment, its lines in the log, an orderly end.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

use super::leftovers;
use crate::{REGION, account::Account};

/// Longest line kept in one piece, as CloudWatch Logs' longest event.
const LONGEST_LINE: usize = 256 * 1024;
/// How long a dead container's pipes may stay open through processes that left its group.
const DRAIN: Duration = Duration::from_secs(2);

/// Sees every line a container prints, as it comes.
pub(crate) type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

/// What to run.
pub(crate) struct Launch {
    /// The image's arguments, for instance `train`.
    pub arguments: Vec<OsString>,
    /// The folder that stands for `/opt/ml`.
    pub ml_root: PathBuf,
    /// On top of what every container gets.
    pub environment: Vec<(String, String)>,
    /// Log group and stream.
    pub log: (String, String),
    pub on_line: Option<OnLine>,
}

/// A running container.
pub(crate) struct Process {
    child: Child,
    group: Pid,
    readers: Vec<JoinHandle<()>>,
    _entry: leftovers::Entry,
}

impl Process {
    /// Starts it; an error means that nothing runs.
    pub async fn start(account: &Arc<Account>, launch: Launch) -> io::Result<Process> {
        let (group, stream) = &launch.log;
        let command_line = account.settings.container.iter().chain(&launch.arguments);
        let shown = command_line.map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
        account.logs.append(
            group,
            stream,
            &format!(
                "[emulator] no image is pulled; its stand-in runs: {shown} --ml-root {}",
                launch.ml_root.display()
            ),
        );
        let mut child = account.launcher.launch(command(account, &launch)).await?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.ok_or_else(|| io::Error::other("the container ended before it could be watched"))?;
        let entry = leftovers::record(&account.processes(), pid)?;
        let mut readers = Vec::new();
        let lines = |account: &Arc<Account>| {
            let (account, log, on_line) = (account.clone(), launch.log.clone(), launch.on_line.clone());
            move |line: &str| {
                if let Some(see) = &on_line {
                    see(line);
                }
                account.logs.append(&log.0, &log.1, line);
            }
        };
        readers.extend(child.stdout.take().map(|out| tokio::spawn(read_lines(out, lines(account)))));
        readers.extend(child.stderr.take().map(|err| tokio::spawn(read_lines(err, lines(account)))));
        Ok(Process { child, group: Pid::from_raw(pid), readers, _entry: entry })
    }

    /// Its exit code, 128 + signal where a signal ended it, once it has ended; all its lines are in the log then.
    pub async fn wait(&mut self) -> i32 {
        let status = self.child.wait().await;
        // What it started and left behind ends with it, as in a container.
        let _ = killpg(self.group, Signal::SIGKILL);
        for reader in self.readers.drain(..) {
            let abort = reader.abort_handle();
            if timeout(DRAIN, reader).await.is_err() {
                abort.abort();
            }
        }
        status.map_or(-1, exit_code)
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGTERM, patience, SIGKILL.
    pub async fn stop(&mut self, grace: Duration) -> i32 {
        self.terminate();
        match timeout(grace, self.child.wait()).await {
            Ok(_) => self.wait().await,
            Err(_) => self.kill().await,
        }
    }

    /// SIGKILL, at once.
    pub async fn kill(&mut self) -> i32 {
        let _ = killpg(self.group, Signal::SIGKILL); // gone already is as good
        self.wait().await
    }

    fn terminate(&self) {
        let _ = killpg(self.group, Signal::SIGTERM); // gone already is as good
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn command(account: &Account, launch: &Launch) -> Command {
    let mut words = account.settings.container.iter().chain(&launch.arguments);
    let mut command = Command::new(words.next().cloned().unwrap_or_default());
    command.args(words).arg("--ml-root").arg(&launch.ml_root).current_dir(&launch.ml_root);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_clear();
    for kept in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.envs([
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ENDPOINT_URL", &account.url),
        ("AWS_ACCESS_KEY_ID", "emulator"),
        ("AWS_SECRET_ACCESS_KEY", "emulator"),
    ]);
    command.envs(launch.environment.iter().map(|(k, v)| (k, v)));
    command
}

/// Hands on each line, without its end; a line beyond [`LONGEST_LINE`] in pieces.
async fn read_lines(mut from: impl AsyncRead + Unpin, line: impl Fn(&str)) {
    let (mut pending, mut chunk) = (Vec::new(), vec![0; 16 * 1024]);
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        pending.extend_from_slice(&chunk[..read]);
        let mut rest = pending.as_slice();
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let text = String::from_utf8_lossy(&rest[..end]);
            line(text.strip_suffix('\r').unwrap_or(&text));
            rest = &rest[end + 1..];
        }
        if rest.len() >= LONGEST_LINE {
            line(&String::from_utf8_lossy(rest));
            rest = &[];
        }
        let consumed = pending.len() - rest.len();
        pending.drain(..consumed);
    }
    if !pending.is_empty() {
        line(&String::from_utf8_lossy(&pending));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn lines_come_whole_whatever_the_bytes() {
        let seen = Mutex::new(Vec::new());
        read_lines(&b"one\r\n\xff two\n\nlast"[..], |l| seen.lock().expect("lock").push(l.to_owned())).await;
        assert_eq!(*seen.lock().expect("lock"), ["one", "\u{fffd} two", "", "last"]);
    }
}
