//! Connections: taken, bounded in number and time, and brought to an end without losing a request.

use crate::app::App;
use crate::clock::{Looks, looked_after};
use crate::guard::Guard;
use crate::log::say;
use crate::observe;
use crate::router::router;
use crate::workers::Workers;
use axum::Router;
use axum::http::{HeaderValue, header};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{SockFilter, SockRef};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// After the signal to stop, connections are taken until none has come for so long.
const LAST_TIME: Duration = Duration::from_millis(10);

/// The program of a packet filter that returns 0, the bytes to take of a packet.
const TAKE_NOTHING: SockFilter = SockFilter::new(6, 0, 0, 0);

/// How connections are bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; more wait in the listener's queue.
    pub connections: usize,
    /// Time for a request's headers, idling between two requests included. Longer than a router keeps its idle
    /// connections (60 s is usual), so that none is closed under a request on its way.
    pub header_time: Duration,
    /// Time that writing an answer may stand still.
    pub stall_time: Duration,
    /// Time that a request has, after the signal to stop, to arrive on a connection that idles: its client may have sent
    /// it before it can know.
    pub linger_time: Duration,
    /// Time that requests in flight have to end after the signal to stop; SageMaker kills after 30 s.
    pub drain_time: Duration,
    /// Threads that answer; 0: those of the runtime that serves.
    pub workers: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_time: Duration::from_secs(75),
            stall_time: Duration::from_secs(60),
            linger_time: Duration::from_millis(500),
            drain_time: Duration::from_secs(25),
            workers: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
        }
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered.
    All,
    /// This many connections were cut off.
    Cut(usize),
}

/// What all connections share.
struct Shared {
    app: Arc<App>,
    router: Router,
    bounds: Bounds,
    /// Whether answers tell their connection's end.
    last: AtomicBool,
    /// Wakes connections that idle.
    stopping: watch::Sender<bool>,
    places: Arc<Semaphore>,
    /// Answers those who ask for nothing but health: it computes nothing, so that they never stand behind others' documents.
    pings: Handle,
}

/// Serves until `stop` is ready; then takes no more connections and waits for the requests in flight.
pub async fn serve(listener: TcpListener, app: Arc<App>, bounds: Bounds, stop: impl Future<Output = ()>) -> Drained {
    let mut stop = std::pin::pin!(stop);
    let shared = Arc::new(Shared {
        router: router(Arc::clone(&app)),
        app,
        bounds,
        last: AtomicBool::new(false),
        stopping: watch::channel(false).0,
        places: Arc::new(Semaphore::new(bounds.connections)),
        pings: Handle::current(),
    });
    let (workers, mut connections) = (Workers::start(bounds.workers), JoinSet::new());
    let spawn = |connections: &mut JoinSet<()>, stream: TcpStream, place: Option<OwnedSemaphorePermit>| {
        // Its worker has a reactor of its own.
        let connection = connection(stream.into_std()?, Arc::clone(&shared));
        workers.spawn(connections, async move {
            connection.await;
            drop(place);
        });
        Ok(())
    };
    loop {
        while connections.try_join_next().is_some() {}
        let accept = async {
            // Never closed, so a place always comes.
            let place = Arc::clone(&shared.places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut stop => break,
            (accepted, place) = accept => {
                if let Err(error) = accepted.and_then(|(stream, _)| spawn(&mut connections, stream, place)) {
                    refused(&error).await;
                }
            }
        }
    }
    shared.last.store(true, Relaxed);
    // Clients that come back at once would fill the queue anew, and what is in it when the listener goes is lost. From now
    // on the system hears none: a client finds the port closed when it knocks again. Where it cannot be told so, no more
    // are taken than are served at once.
    let _ = SockRef::from(&listener).attach_filter(&[TAKE_NOTHING]);
    // The system has taken these already: their clients may have sent a request.
    for _ in 0..bounds.connections {
        let Ok(Ok((stream, _))) = timeout(LAST_TIME, listener.accept()).await else { break };
        if let Err(error) = spawn(&mut connections, stream, None) {
            refused(&error).await;
        }
    }
    // In this order: whoever finds the listener gone finds its connection told to end.
    shared.stopping.send_replace(true);
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    match timeout(bounds.drain_time, all).await {
        Ok(()) => Drained::All,
        Err(_) => Drained::Cut(connections.len()),
    }
}

/// What a connection begins with whose client asks for health: such clients keep to that.
const PING: &[u8; 9] = b"GET /ping";

/// Serves a connection, here or, where it begins with a ping, where nothing is computed.
async fn connection(stream: std::net::TcpStream, shared: Arc<Shared>) {
    // Where it fails there are no file descriptors left for this connection, or it is gone already.
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let (mut stopping, mut first) = (shared.stopping.subscribe(), [0; PING.len()]);
    let peeked = async {
        tokio::select! {
            biased;
            peeked = stream.peek(&mut first) => peeked.ok(),
            _ = stopping.wait_for(|stop| *stop) => None,
        }
    };
    match timeout(shared.bounds.header_time, peeked).await {
        Ok(Some(_)) if first == *PING => {
            let Ok(stream) = stream.into_std() else { return };
            let pings = shared.pings.clone();
            let pinged = async move {
                if let Ok(stream) = TcpStream::from_std(stream) {
                    requests(stream, shared).await;
                }
            };
            // It ends when the runtime does, too.
            let _ = pings.spawn(pinged).await;
        }
        Ok(_) => requests(stream, shared).await,
        // Its client has sent nothing.
        Err(_) => {}
    }
}

/// Answers the requests of a connection.
async fn requests(stream: TcpStream, shared: Arc<Shared>) {
    // Answers are small: none shall wait for the next packet.
    let _ = stream.set_nodelay(true);
    let bounds = shared.bounds;
    let mut stopping = shared.stopping.subscribe();
    let io = TokioIo::new(Guard::new(stream, bounds.stall_time));
    let service = service_fn(|request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let mut response = observe::answer(&shared.app, &shared.router, request).await;
            if shared.last.load(Relaxed) {
                // So that no client sends another.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(Looks)
            .header_read_timeout(bounds.header_time)
            // A client that has sent all it will is answered all the same.
            .half_close(true)
            .serve_connection(io, service)
    );
    // An error is the client's leaving, or its breaking the protocol, which was answered.
    let stopped = async {
        // The sender lives as long as this does.
        let _ = stopping.wait_for(|stop| *stop).await;
        sleep(bounds.linger_time).await;
    };
    let served = async {
        tokio::select! {
            // First what has arrived: a connection that idles is closed with what nobody read of it.
            biased;
            _ = connection.as_mut() => return,
            () = stopped => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    };
    looked_after(bounds.header_time.min(bounds.stall_time).min(shared.app.limits().body_time), served).await;
}

/// A connection that could not be taken. Without a pause, running out of file descriptors would spin.
async fn refused(error: &std::io::Error) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        say(&format!("serve: a connection could not be taken: {error}; waiting a moment"));
        sleep(Duration::from_millis(200)).await;
    }
}
