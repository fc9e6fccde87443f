//! What an emulator is started with.

use std::{ffi::OsString, net::IpAddr, path::PathBuf, time::Duration};

use crate::{Clock, container::Engine, front::Rule};

/// Where the state is, where to listen, and what runs for an image.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of everything that outlives the process; made if missing.
    pub state: PathBuf,
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// What runs where a request names an image.
    pub runtime: Runtime,
    /// File that every call is written down in, with its answer.
    pub record: Option<PathBuf>,
    /// Calls that go wrong from the beginning on.
    pub faults: Vec<Rule>,
}

/// What runs where a request names an image.
#[derive(Clone, Debug)]
pub enum Runtime {
    /// A child process: this command stands for every image, with its arguments and `--ml-root DIR` appended.
    Process(Vec<OsString>),
    /// The image itself, which must be on this machine, in a container of this engine.
    Engine(Engine),
}

impl Runtime {
    /// What it is called in messages and beside the lock.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Runtime::Process(_) => "process",
            Runtime::Engine(engine) => engine.program(),
        }
    }
}

/// How long the emulator is patient; AWS's own values by default, tests shorten them.
#[derive(Clone, Debug)]
pub struct Timing {
    /// From SIGTERM to SIGKILL of a job (AWS: 120 s).
    pub job_grace: Duration,
    /// From SIGTERM to SIGKILL of an endpoint's instance (AWS: 30 s).
    pub instance_grace: Duration,
    /// From SIGTERM to SIGKILL of any child while the emulator itself shuts down.
    pub shutdown_grace: Duration,
    /// Until a starting instance must answer `/ping`, where its endpoint config does not say (AWS: 8 minutes).
    pub startup: Duration,
    /// Until an instance must answer a request (AWS: 60 s).
    pub invocation: Duration,
    /// How long a request waits for an instance that is being (re)started.
    pub restart: Duration,
    /// The time that schedules and alarms go by.
    pub clock: Clock,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            job_grace: Duration::from_secs(120),
            instance_grace: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(3),
            startup: Duration::from_secs(480),
            invocation: Duration::from_secs(60),
            restart: Duration::from_secs(10),
            clock: Clock::default(),
        }
    }
}
