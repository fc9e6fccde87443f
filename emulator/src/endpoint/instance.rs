//! One instance: a process kept alive until it is told to stop.

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::lease::Leases;
use crate::{
    account::Account,
    container::{EngineError, Exit, Launch, Process},
};

/// How often a process may exit before it ever was healthy.
const ATTEMPTS: u32 = 3;
/// How often a healthy process is asked again.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How long one `/ping` may take.
const PING: Duration = Duration::from_secs(2);
/// How many checks in a row may fail before the process is replaced.
const FAILED_CHECKS: u32 = 3;
/// A process that was healthy this long is restarted at once again.
const STEADY: Duration = Duration::from_secs(10);

/// A pooled client of the container.
pub(super) type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Where an instance is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Starting,
    Ready(SocketAddr),
    /// It never became healthy; the detail is for the log.
    Failed(String),
    Stopped,
}

/// What an instance runs.
pub(super) struct Plan {
    pub image: String,
    pub ml_root: PathBuf,
    pub model: PathBuf,
    pub environment: Vec<(String, String)>,
    pub log: (String, String),
    pub startup: Duration,
}

/// One process behind a variant.
pub(super) struct Instance {
    pub state: watch::Sender<State>,
    pub busy: Leases,
}

/// Why a process was let go.
enum Gone {
    /// It ended by itself, or never ran.
    Exited(Exit),
    /// It did not answer `/ping` any more, or not in time.
    Unhealthy,
    /// It was told to.
    Told,
}

impl Instance {
    pub fn new() -> Instance {
        Instance { state: watch::Sender::new(State::Starting), busy: Leases::new() }
    }

    pub fn address(&self) -> Option<SocketAddr> {
        match *self.state.borrow() {
            State::Ready(address) => Some(address),
            _ => None,
        }
    }

    /// Keeps a process running until `stop` says how long it may take to end.
    pub async fn keep(
        &self,
        account: Arc<Account>,
        client: HttpClient,
        plan: Plan,
        mut stop: watch::Receiver<Option<Duration>>,
    ) {
        let (mut was_ready, mut failures) = (false, 0);
        let deadline = Instant::now() + plan.startup;
        let note = |text: String| account.logs.append(&plan.log.0, &plan.log.1, &format!("[emulator] {text}"));
        let fail = |detail: String| {
            note(detail.clone());
            self.state.send_replace(State::Failed(detail));
        };
        loop {
            let began = Instant::now();
            let gone = match self.live(&account, &client, &plan, &mut stop, &mut was_ready, deadline).await {
                Ok(gone) => gone,
                Err(e) => return fail(format!("the container cannot be started: {e}")),
            };
            let why = match &gone {
                Gone::Told => {
                    self.state.send_replace(State::Stopped);
                    return;
                }
                Gone::Unhealthy => "did not answer /ping in time".to_owned(),
                Gone::Exited(Exit::Code(code)) => format!("exited with code {code}"),
                Gone::Exited(Exit::NeverRan(reason)) => format!("cannot be started: {reason}"),
            };
            failures = if began.elapsed() > STEADY { 1 } else { failures + 1 };
            let hopeless = matches!(gone, Gone::Unhealthy | Gone::Exited(Exit::NeverRan(_)));
            if !was_ready && (failures >= ATTEMPTS || hopeless) {
                return fail(format!("the container {why} before it was healthy ({failures} of {ATTEMPTS} attempts)"));
            }
            note(format!("the container {why}; it is started again"));
            self.state.send_replace(State::Starting);
            tokio::select! {
                () = sleep(backoff(failures)) => {}
                _ = told(&mut stop) => {
                    self.state.send_replace(State::Stopped);
                    return;
                }
            }
        }
    }

    /// One process from start to end.
    async fn live(
        &self,
        account: &Arc<Account>,
        client: &HttpClient,
        plan: &Plan,
        stop: &mut watch::Receiver<Option<Duration>>,
        was_ready: &mut bool,
        deadline: Instant,
    ) -> Result<Gone, EngineError> {
        let port = free_port().map_err(EngineError::Process)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut environment = plan.environment.clone();
        environment.push(("SAGEMAKER_BIND_TO_PORT".to_owned(), port.to_string()));
        // Nothing but the emulator itself listens where others can reach it, as far as the image knows the variable.
        environment.push(("SAGEBRUSH_HOST".to_owned(), address.ip().to_string()));
        let launch = Launch {
            image: plan.image.clone(),
            entrypoint: Vec::new(),
            arguments: vec!["serve".into()],
            ml_root: plan.ml_root.clone(),
            model: Some(plan.model.clone()),
            environment,
            log: plan.log.clone(),
            on_line: None,
        };
        let mut process = Process::start(account, launch).await?;
        // A process that was healthy before may take as long again; the first has the deployment's deadline.
        let deadline = if *was_ready { Instant::now() + plan.startup } else { deadline };
        let healthy = tokio::select! {
            exit = process.wait() => return Ok(Gone::Exited(exit)),
            grace = told(stop) => {
                end(account, &mut process, grace).await;
                return Ok(Gone::Told);
            }
            healthy = becomes_healthy(client, address, deadline) => healthy,
        };
        // Another process may have taken the port and answered in its place.
        if !healthy || process.has_ended() {
            let exit = process.kill().await;
            return Ok(if healthy { Gone::Exited(exit) } else { Gone::Unhealthy });
        }
        *was_ready = true;
        self.state.send_replace(State::Ready(address));
        tokio::select! {
            exit = process.wait() => {
                self.state.send_replace(State::Starting);
                return Ok(Gone::Exited(exit));
            }
            grace = told(stop) => {
                self.state.send_replace(State::Stopped);
                end(account, &mut process, grace).await;
                return Ok(Gone::Told);
            }
            () = stays_healthy(client, address) => {}
        }
        self.state.send_replace(State::Starting);
        end(account, &mut process, account.timing.instance_grace).await;
        Ok(Gone::Unhealthy)
    }
}

/// Ends a process, sooner where the emulator closes meanwhile.
async fn end(account: &Account, process: &mut Process, grace: Duration) {
    let hurried = tokio::select! {
        _ = process.stop(grace) => false,
        () = account.tasks.closing() => true,
    };
    if hurried {
        process.stop(grace.min(account.timing.shutdown_grace)).await;
    }
}

/// Returns, with the patience to have, once the instance is told to stop.
async fn told(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stop.wait_for(Option::is_some).await {
        Ok(grace) => (*grace).unwrap_or_default(),
        Err(_) => Duration::ZERO, // the fleet is gone: nobody needs the process any more
    }
}

async fn becomes_healthy(client: &HttpClient, address: SocketAddr, deadline: Instant) -> bool {
    let mut pause = Duration::from_millis(5);
    while Instant::now() < deadline {
        if ping(client, address).await {
            return true;
        }
        sleep(pause).await;
        pause =
            if pause < Duration::from_millis(20) { pause * 2 } else { (pause * 5 / 4).min(Duration::from_millis(250)) };
    }
    false
}

/// Returns once the process has failed several checks in a row.
async fn stays_healthy(client: &HttpClient, address: SocketAddr) {
    let mut failed = 0;
    while failed < FAILED_CHECKS {
        sleep(CHECK_EVERY).await;
        failed = if ping(client, address).await { 0 } else { failed + 1 };
    }
}

async fn ping(client: &HttpClient, address: SocketAddr) -> bool {
    let request = http::Request::get(format!("http://{address}/ping")).body(Full::default());
    let Ok(request) = request else { return false };
    matches!(timeout(PING, client.request(request)).await, Ok(Ok(answer)) if answer.status() == http::StatusCode::OK)
}

fn backoff(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        n => Duration::from_millis(50 << n.min(7)).min(Duration::from_secs(5)),
    }
}

/// A port that is free now and that no instance of this process was given before.
fn free_port() -> io::Result<u16> {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut last = 0;
    for _ in 0..64 {
        last = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(last) {
            break;
        }
    }
    Ok(last)
}
