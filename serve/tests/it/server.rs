//! Connections that idle, crawl or take nothing are ended, and the number of all is bounded.

use crate::fixture::{Kind, app};
use serve::server::{Bounds, Drained, serve};
use serve::{Limits, router};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Server {
    async fn start(bounds: Bounds) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = router(app(Kind::Two, Limits::default()));
        let ended = tokio::spawn(serve(listener, router, bounds, async move {
            let _ = stopped.await;
        }));
        Self { address, stop, ended }
    }

    async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}

/// All until the server ends the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_idle_connections_are_ended() {
    let server = Server::start(Bounds { header_time: Duration::from_millis(50), ..Bounds::default() }).await;
    for (name, sent, want) in [
        ("silent", "", ""),
        ("crawling", "GET /ping HTTP/1.1\r\nHos", ""),
        ("idle", "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK"),
    ] {
        let answer = rest(server.send(sent).await).await;
        assert!(answer.starts_with(want) && answer.is_empty() == want.is_empty(), "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_makes_room() {
    let bounds = Bounds { connections: 1, stall_time: Duration::from_millis(50), ..Bounds::default() };
    let server = Server::start(bounds).await;
    // An answer larger than the buffers between the two.
    let body = format!("[{}\"film\"]", "\"film\",".repeat(400_000));
    let head = "POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length:";
    let stalled = server.send(&format!("{head} {}\r\n\r\n{body}", body.len())).await;
    // There is one place: this is answered when the other has lost it.
    let next = server.send("GET /ping HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(rest(next).await.starts_with("HTTP/1.1 200 OK"));
    let answer = rest(stalled).await;
    assert!(!answer.ends_with("]}"), "the whole answer of {} bytes was sent", answer.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_cuts_off_what_does_not_end() {
    let server = Server::start(Bounds { drain_time: Duration::from_millis(50), ..Bounds::default() }).await;
    let mut stream = server
        .send("POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.stop.send(()).unwrap();
    assert_eq!(server.ended.await.unwrap(), Drained::Cut(1));
}
