//! One container, as a child process or as the client attached to an engine's: a clean environment, its lines in the log,
//! an orderly end.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::unistd::Pid;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

use super::{
    body::Body,
    engine::{Engine, EngineError, Wanted},
    leftovers,
};
use crate::{Runtime, account::Account, cloudwatch};

/// Longest line kept in one piece, as CloudWatch Logs' longest event.
const LONGEST_LINE: usize = 256 * 1024;
/// How long a dead container's pipes may stay open through processes that left its group.
const DRAIN: Duration = Duration::from_secs(2);

/// Sees every line a container prints, as it comes.
pub(crate) type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

/// What to run.
pub(crate) struct Launch {
    /// The image that the request names; a process stands for any.
    pub image: String,
    /// Replaces the image's own entrypoint, unless it is empty.
    pub entrypoint: Vec<String>,
    /// The image's arguments, for instance `train`.
    pub arguments: Vec<OsString>,
    /// The folder that stands for `/opt/ml`.
    pub ml_root: PathBuf,
    /// What a container sees, and cannot write, as `/opt/ml/model`; a process finds it linked below `ml_root`.
    pub model: Option<PathBuf>,
    /// On top of what every container gets.
    pub environment: Vec<(String, String)>,
    /// Log group and stream.
    pub log: (String, String),
    pub on_line: Option<OnLine>,
}

/// A running container.
pub(crate) struct Process {
    child: Child,
    body: Body,
    readers: Vec<JoinHandle<()>>,
    /// The last line on stderr: what an engine's client says where the container does not start.
    last: Arc<Mutex<String>>,
}

/// How a container ended by itself.
#[derive(Debug, PartialEq)]
pub(crate) enum Exit {
    /// With this code; 128 + signal where a signal ended it.
    Code(i32),
    /// The engine could not start what is in it; why.
    NeverRan(String),
}

impl Process {
    /// Starts it; an error means that nothing runs.
    pub async fn start(account: &Arc<Account>, launch: Launch) -> Result<Process, EngineError> {
        let (child, body) = match &account.settings.runtime {
            Runtime::Process(command) => stand_in(account, command, &launch).await.map_err(EngineError::Process)?,
            Runtime::Engine(engine) => container(account, *engine, &launch).await?,
        };
        Ok(Process::watch(account, child, body, launch))
    }

    fn watch(account: &Arc<Account>, mut child: Child, body: Body, launch: Launch) -> Process {
        let last = Arc::new(Mutex::new(String::new()));
        let mut readers = Vec::new();
        let lines = |last: Option<Arc<Mutex<String>>>| {
            let (account, log, on_line) = (account.clone(), launch.log.clone(), launch.on_line.clone());
            move |line: &str| {
                if let Some(see) = &on_line {
                    see(line);
                }
                if let Some(last) = &last {
                    line.clone_into(&mut last.lock().unwrap_or_else(PoisonError::into_inner));
                }
                account.logs.append(&log.0, &log.1, line);
                cloudwatch::from_log_line(&account.metrics, line, account.clock().now());
            }
        };
        readers.extend(child.stdout.take().map(|out| tokio::spawn(read_lines(out, lines(None)))));
        readers.extend(child.stderr.take().map(|err| tokio::spawn(read_lines(err, lines(Some(last.clone()))))));
        Process { child, body, readers, last }
    }

    /// How it ended, once it has; all its lines are in the log then.
    pub async fn wait(&mut self) -> Exit {
        let status = self.child.wait().await;
        let never_ran = match (&self.body, &status) {
            // The client fails with the container, and where it cannot start it.
            (Body::Container { engine, name, .. }, Ok(status)) if !status.success() => engine.never_ran(name).await,
            _ => false,
        };
        // What it started and left behind ends with it, as in a container.
        self.body.end().await;
        for reader in self.readers.drain(..) {
            let abort = reader.abort_handle();
            if timeout(DRAIN, reader).await.is_err() {
                abort.abort();
            }
        }
        match never_ran {
            true => Exit::NeverRan(self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            false => Exit::Code(status.map_or(-1, exit_code)),
        }
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGTERM, patience, SIGKILL.
    pub async fn stop(&mut self, grace: Duration) -> Exit {
        self.body.terminate().await;
        match timeout(grace, self.child.wait()).await {
            Ok(_) => self.wait().await,
            Err(_) => self.kill().await,
        }
    }

    /// SIGKILL, at once.
    pub async fn kill(&mut self) -> Exit {
        self.body.end().await;
        self.wait().await
    }
}

/// The child process that stands for every image.
async fn stand_in(account: &Account, command: &[OsString], launch: &Launch) -> io::Result<(Child, Body)> {
    let words = launch.entrypoint.iter().map(OsString::from).chain(launch.arguments.iter().cloned());
    let words: Vec<OsString> = command.iter().cloned().chain(words).collect();
    note(
        account,
        launch,
        &format!("no image is pulled; its stand-in runs: {} --ml-root {}", shown(&words), launch.ml_root.display()),
    );
    let (program, arguments) = words.split_first().ok_or_else(|| io::Error::other("there is no command to run"))?;
    let mut command = Command::new(program);
    command.args(arguments).arg("--ml-root").arg(&launch.ml_root).current_dir(&launch.ml_root);
    command.env_clear();
    for kept in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.envs(environment(account, launch));
    let child = account.launcher.launch(piped(command)).await?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    let pid = pid.ok_or_else(|| io::Error::other("the container ended before it could be watched"))?;
    let entry = leftovers::record(&account.processes(), pid)?;
    Ok((child, Body::Group { leader: Pid::from_raw(pid), _entry: entry }))
}

/// The image's container, and the client attached to it.
async fn container(account: &Account, engine: Engine, launch: &Launch) -> Result<(Child, Body), EngineError> {
    let name = format!("sagebrush-{}", uuid::Uuid::new_v4().simple());
    let image = &launch.image;
    let words: Vec<OsString> =
        launch.entrypoint.iter().map(OsString::from).chain(launch.arguments.iter().cloned()).collect();
    note(account, launch, &format!("{engine} runs: {image} {}", shown(&words)));
    // Written down before it exists: whatever happens from here on, the next start knows of it.
    let entry = leftovers::record_container(&account.processes(), engine, &name).map_err(EngineError::Process)?;
    let mut body = Body::Container { engine, name: name.clone(), entry: Some(entry) };
    let environment = environment(account, launch);
    let wanted = Wanted {
        name: &name,
        image,
        entrypoint: &launch.entrypoint,
        arguments: &launch.arguments,
        environment: &environment,
        ml_root: &launch.ml_root,
        model: launch.model.as_deref(),
    };
    let started = match engine.create(&wanted).await {
        Ok(()) => account.launcher.launch(piped(engine.start(&name))).await.map_err(EngineError::Process),
        Err(error) => Err(error),
    };
    if started.is_err() {
        body.end().await;
    }
    Ok((started?, body))
}

fn note(account: &Account, launch: &Launch, text: &str) {
    account.logs.append(&launch.log.0, &launch.log.1, &format!("[emulator] {text}"));
}

fn shown(words: &[OsString]) -> String {
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn piped(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What every container gets, and what this one gets on top.
fn environment(account: &Account, launch: &Launch) -> Vec<(String, String)> {
    let given = [
        ("AWS_REGION", account.region.as_str()),
        ("AWS_DEFAULT_REGION", &account.region),
        ("AWS_ENDPOINT_URL", &account.url),
        ("AWS_ACCESS_KEY_ID", "emulator"),
        ("AWS_SECRET_ACCESS_KEY", "emulator"),
    ];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    given.into_iter().chain(launch.environment.iter().cloned()).collect()
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
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
