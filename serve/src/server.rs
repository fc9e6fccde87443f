//! Connections: taken, bounded in number and time, and brought to an end without losing a request.

use crate::log::say;
use crate::stalled::StallGuard;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

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
    /// Time that requests in flight have to end after the signal to stop; SageMaker kills after 30 s.
    pub drain_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_time: Duration::from_secs(75),
            stall_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(25),
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

/// Serves until `stop` is ready; then takes no more connections and waits for the requests in flight.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: impl Future<Output = ()>) -> Drained {
    let mut stop = std::pin::pin!(stop);
    let places = Arc::new(Semaphore::new(bounds.connections));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accept = async {
            // Never closed, so a place always comes.
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut stop => break,
            (accepted, place) = accept => match accepted {
                Ok((stream, _)) => {
                    let connection = connection(stream, router.clone(), bounds, stopped.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => refused(&error).await,
            },
        }
    }
    // In this order: whoever finds the listener gone finds its connection told to end.
    stopping.send_replace(true);
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    match timeout(bounds.drain_time, all).await {
        Ok(()) => Drained::All,
        Err(_) => Drained::Cut(connections.len()),
    }
}

async fn connection(stream: TcpStream, router: Router, bounds: Bounds, mut stopped: watch::Receiver<bool>) {
    // Answers are small: none shall wait for the next packet. Where it fails the connection is gone already.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(StallGuard::new(stream, bounds.stall_time));
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.header_time)
            .pipeline_flush(true)
            .serve_connection(io, TowerToHyperService::new(router))
    );
    // An error is the client's leaving, or its breaking the protocol, which hyper has answered.
    tokio::select! {
        // The stop first: a request that ends after it says `connection: close`, so that no client sends another.
        biased;
        _ = stopped.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        _ = connection.as_mut() => return,
    }
    let _ = connection.await;
}

/// A connection that could not be taken. Without a pause, running out of file descriptors would spin.
async fn refused(error: &std::io::Error) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        say(&format!("serve: a connection could not be taken: {error}; waiting a moment"));
        sleep(Duration::from_millis(200)).await;
    }
}
