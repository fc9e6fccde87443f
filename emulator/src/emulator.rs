//! The running emulator, and how a process gets hold of one.

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    Runtime, Settings, StartError, Timing,
    account::Account,
    front::{Cut, Door, Front},
    lock::{Attempt, Holder, Lock},
    regions::Regions,
    server,
};

/// How long connections may take to end at shutdown.
const CONNECTIONS: Duration = Duration::from_secs(2);
/// How long an emulator that holds the state may take to say where it answers.
const ANNOUNCEMENT: Duration = Duration::from_secs(5);

/// An emulator running in this process.
pub struct Emulator {
    regions: Arc<Regions>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
    _lock: Lock,
}

/// An emulator to speak to: our own, or another process's on the same state.
pub enum Connection {
    /// Started here; it ends with [`Connection::close`].
    Started(Emulator),
    /// Another process's, found through the state folder.
    Attached {
        /// Where it answers.
        url: String,
        /// Whose it is.
        pid: u32,
    },
}

/// Starts an emulator on `settings.state`.
pub async fn start(settings: Settings) -> Result<Emulator, StartError> {
    start_with(settings, Timing::default()).await
}

/// Starts an emulator that is patient for other times than AWS's.
pub async fn start_with(settings: Settings, timing: Timing) -> Result<Emulator, StartError> {
    match Lock::take(&settings.state)? {
        Attempt::Ours(lock) => run(settings, timing, lock).await,
        Attempt::Theirs(Holder { pid, url, .. }) => Err(StartError::Held { state: settings.state, pid, url }),
    }
}

/// The emulator that runs on `settings.state`, else a new one.
pub async fn connect(settings: Settings) -> Result<Connection, StartError> {
    let limit = Instant::now() + ANNOUNCEMENT;
    loop {
        let holder = match Lock::take(&settings.state)? {
            Attempt::Ours(lock) => return Ok(Connection::Started(run(settings, Timing::default(), lock).await?)),
            Attempt::Theirs(holder) => holder,
        };
        if answers(&holder).await {
            let (state, ours) = (settings.state, settings.runtime.name());
            if holder.runtime != ours {
                return Err(StartError::Differs { state, pid: holder.pid, theirs: holder.runtime, ours });
            }
            return Ok(Connection::Attached { url: holder.url, pid: holder.pid });
        }
        // It may be starting, or ending.
        if Instant::now() > limit {
            return Err(StartError::Held { state: settings.state, pid: holder.pid, url: holder.url });
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether the process that says it holds the state answers where it says.
async fn answers(holder: &Holder) -> bool {
    #[derive(Deserialize)]
    struct Health {
        pid: u32,
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let Ok(uri) = format!("{}/_sagebrush/health", holder.url).parse() else { return false };
    let asked = async {
        let body = client.get(uri).await.ok()?.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice::<Health>(&body).ok()
    };
    matches!(timeout(Duration::from_secs(2), asked).await, Ok(Some(health)) if health.pid == holder.pid)
}

async fn run(mut settings: Settings, timing: Timing, lock: Lock) -> Result<Emulator, StartError> {
    settings.state = settings.state.canonicalize().map_err(|e| StartError::file(&settings.state, e))?;
    match &mut settings.runtime {
        Runtime::Process(command) => {
            let program = command.first_mut().ok_or(StartError::NoContainer)?;
            *program = absolute(program);
        }
        Runtime::Engine(engine) => engine.check().await?,
    }
    let front = Arc::new(Front::open(&settings)?);
    let address = SocketAddr::from((settings.host, settings.port));
    let refused = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let url = url(listener.local_addr().map_err(refused)?);
    let regions = Arc::new(Regions::open(Account::open(settings, timing, url).await?)?);
    let (stop, stopped) = oneshot::channel::<()>();
    let router = server::router(regions.clone(), front).into_make_service_with_connect_info::<Cut>();
    let serving = axum::serve(Door(listener), router).with_graceful_shutdown(async move {
        // A sender that is gone says the same as one that speaks.
        let _ = stopped.await;
    });
    let server = tokio::spawn(async move {
        if let Err(e) = serving.await {
            eprintln!("the emulator does not listen any more: {e}");
        }
    });
    lock.announce(&regions.home().url, regions.home().settings.runtime.name())?;
    Ok(Emulator { regions, stop, server, _lock: lock })
}

/// A program given by a relative path is found from any folder; one without a path is looked up as ever.
fn absolute(program: &OsString) -> OsString {
    let path = Path::new(program);
    if path.components().count() < 2 {
        return program.clone();
    }
    std::path::absolute(path).map_or_else(|_| program.clone(), PathBuf::into_os_string)
}

fn url(address: SocketAddr) -> String {
    let host = if address.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { address.ip() };
    format!("http://{}", SocketAddr::from((host, address.port())))
}

impl Emulator {
    /// Where it answers, for instance `http://127.0.0.1:4566`.
    pub fn url(&self) -> &str {
        &self.regions.home().url
    }

    /// Ends every child process it started and stops answering; the state stays on disk.
    pub async fn shutdown(self) {
        // The server may have ended by itself.
        let _ = self.stop.send(());
        let abort = self.server.abort_handle();
        let mut server = self.server;
        let ended = timeout(CONNECTIONS, &mut server).await.is_ok();
        if !ended {
            abort.abort();
            let _ = server.await;
        }
        self.regions.close().await;
    }
}

impl Connection {
    /// Where the emulator answers.
    pub fn url(&self) -> &str {
        match self {
            Connection::Started(emulator) => emulator.url(),
            Connection::Attached { url, .. } => url,
        }
    }

    /// Shuts our own emulator down; another process's goes on.
    pub async fn close(self) {
        if let Connection::Started(emulator) = self {
            emulator.shutdown().await;
        }
    }
}
