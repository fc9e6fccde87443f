//! How a subject is started: a program of this machine, or an image in a container. The scenarios see no difference.

mod container;
mod process;
mod program;

use std::{
    hash::{BuildHasher as _, RandomState},
    net::TcpListener,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU16, Ordering},
    },
};

pub use container::{Image, Network};
pub use program::{Program, Template};

pub(crate) use container::found;
pub(crate) use process::Running;

use crate::{
    error::{KitError, Result},
    layout::Root,
};

/// What is judged.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Programs of this machine.
    Program(Program),
    /// An image.
    Image(Image),
}

/// As what it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Train,
    Serve,
    Process,
}

impl Role {
    /// The argument that the platform gives.
    pub fn argument(self) -> Option<&'static str> {
        match self {
            Role::Train => Some("train"),
            Role::Serve => Some("serve"),
            Role::Process => None,
        }
    }
}

/// One start.
pub(crate) struct Start<'a> {
    pub role: Role,
    /// What stands for `/opt/ml`.
    pub root: &'a Root,
    pub environment: Vec<(String, String)>,
    /// Where a server listens.
    pub port: Option<Port>,
    /// Without any network but its own loopback.
    pub isolated: bool,
    /// Read-only, without capabilities, as any user.
    pub hardened: bool,
}

impl<'a> Start<'a> {
    pub fn new(role: Role, root: &'a Root) -> Self {
        Start { role, root, environment: Vec::new(), port: None, isolated: false, hardened: false }
    }
}

/// Where a server listens, and how it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// Inside.
    pub inside: u16,
    /// On this machine.
    pub outside: u16,
    pub told: Told,
}

/// How a server knows its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is 8080.
    Always,
    /// By `SAGEMAKER_BIND_TO_PORT`.
    Variable,
    /// By the command line.
    Flag,
}

/// The port of a hosting container.
const HOSTING: u16 = 8080;

impl Subject {
    /// Whether it can be started so.
    pub(crate) fn offers(&self, role: Role) -> std::result::Result<(), &'static str> {
        match self {
            Subject::Program(program) => program.offers(role),
            Subject::Image(image) => image.offers(role),
        }
    }

    /// Starts it.
    pub(crate) async fn start(&self, start: Start<'_>) -> Result<Running> {
        match self {
            Subject::Program(program) => program.start(start),
            Subject::Image(image) => image.start(start),
        }
    }

    /// An error where it was the engine that failed, and not what it was to run.
    pub(crate) fn could_run(&self, exit: Option<i32>, said: &str) -> Result<()> {
        match (self, exit) {
            (Subject::Image(_), Some(code)) if container::is_engines(code, said) => Err(KitError::Machine(format!(
                "the container cannot be run here: {said}; --network host, --engine and --engine-options say how it is run"
            ))),
            _ => Ok(()),
        }
    }

    /// What it is called in the report.
    pub(crate) fn shown(&self) -> String {
        match self {
            Subject::Program(program) => program.shown(),
            Subject::Image(image) => image.name.clone(),
        }
    }

    /// Where `/opt/ml` is for it.
    pub(crate) fn ml(&self, root: &Root) -> PathBuf {
        match self {
            Subject::Program(_) => root.path().to_path_buf(),
            Subject::Image(_) => "/opt/ml".into(),
        }
    }

    /// Why it cannot be started without a network here, or nothing.
    pub(crate) fn isolation(&self) -> std::result::Result<(), String> {
        match self {
            Subject::Program(_) => program::isolation(),
            Subject::Image(_) => Ok(()),
        }
    }

    /// The port of a server; `variable`: it listens where `SAGEMAKER_BIND_TO_PORT` says.
    pub(crate) fn port(&self, variable: bool) -> Result<Port> {
        let free = || free_port();
        match self {
            Subject::Program(program) if program.takes_port() => {
                let port = free()?;
                Ok(Port { inside: port, outside: port, told: Told::Flag })
            }
            Subject::Image(Image { network: Network::Publish, .. }) => {
                let (inside, told) = if variable { (free()?, Told::Variable) } else { (HOSTING, Told::Always) };
                Ok(Port { inside, outside: free()?, told })
            }
            _ if variable => {
                let port = free()?;
                Ok(Port { inside: port, outside: port, told: Told::Variable })
            }
            _ => TcpListener::bind(("0.0.0.0", HOSTING))
                .map(|_| Port { inside: HOSTING, outside: HOSTING, told: Told::Always })
                .map_err(|e| {
                    let how = match self {
                        Subject::Program(_) => "put {port} into the command where its flag takes the port, or give --bind-to-port",
                        Subject::Image(_) => "give --network publish, or --bind-to-port if the image honours SAGEMAKER_BIND_TO_PORT",
                    };
                    KitError::Machine(format!("port {HOSTING}, where a hosting container listens, cannot be had on this machine ({e}); stop what holds it, or {how}"))
                }),
        }
    }
}

/// The lowest port that is tried: well-known services listen below it.
const LOWEST: u16 = 10_000;
/// The first port that Linux gives to connections by itself where nobody has changed it (`ip(7)`).
const AUTOMATIC: u16 = 32_768;

/// A port that is free, that this process gave nobody before, and that the system gives nobody by itself, unless nearly all
/// ports are of that kind: it lies below those of outgoing connections, any of which would take it before the subject could.
/// It is sought from a place of this process's own, so that two kits at the same time do not meet.
pub(crate) fn free_port() -> Result<u16> {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let span = automatic_ports().filter(|&first| first >= 2 * LOWEST).unwrap_or(AUTOMATIC) - LOWEST;
    let next = NEXT.get_or_init(|| AtomicU16::new(RandomState::new().hash_one(std::process::id()) as u16));
    let mut tried = (0..span).map(|_| LOWEST + next.fetch_add(1, Ordering::Relaxed) % span);
    tried
        .find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok())
        .ok_or_else(|| KitError::Machine(format!("no port from {LOWEST} on is free; stop what holds them all")))
}

/// The first port that this system gives to connections by itself.
fn automatic_ports() -> Option<u16> {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?.split_whitespace().next()?.parse().ok()
}
