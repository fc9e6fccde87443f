//! Connections that idle, crawl or take nothing are ended, and the number of all is bounded.

use crate::fixture::{Kind, app};
use serve::Limits;
use serve::server::{Bounds, Drained, serve};
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
        let app = app(Kind::Two, Limits { body_time: Duration::from_millis(200), ..Limits::default() });
        let ended = tokio::spawn(serve(listener, app, bounds, async move {
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
async fn a_body_that_crawls_is_ended() {
    let server = Server::start(Bounds::default()).await;
    let head = "POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n";
    let (mut answer, mut body) = server.send(head).await.into_split();
    // A byte now and then, for as long as they are taken.
    let crawling = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(5));
        loop {
            every.tick().await;
            if body.write_all(b"a").await.is_err() {
                break;
            }
        }
    });
    let mut all = Vec::new();
    let _ = answer.read_to_end(&mut all).await;
    let all = String::from_utf8_lossy(&all);
    assert!(all.starts_with("HTTP/1.1 408 ") && all.contains("the body did not arrive within"), "{all}");
    crawling.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_closed_connection_is_ended_at_once() {
    let bounds = Bounds { connections: 1, ..Bounds::default() };
    let server = Server::start(bounds).await;
    let head = "POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n";
    for (sent, want) in [
        ("", ""),
        ("GET /ping HT", ""),
        (head, ""),
        (&format!("{head}\r\ngood"), "HTTP/1.1 400 Bad Request"),
        // All of it was sent: it is answered.
        (&format!("{head}\r\ngood film"), "HTTP/1.1 200 OK"),
    ] {
        let mut stream = server.send(sent).await;
        stream.shutdown().await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with(want) && answer.is_empty() == want.is_empty(), "{sent}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_gets_a_message() {
    let server = Server::start(Bounds::default()).await;
    let many: String = (0..200).map(|i| format!("X-Header-{i}: of a flood\r\n")).collect();
    let long = "x".repeat(1 << 20);
    for (name, sent, status, part) in [
        ("many headers", format!("GET /ping HTTP/1.1\r\nHost: h\r\n{many}\r\n"), "431", "send at most 100 headers"),
        ("a long header", format!("GET /ping HTTP/1.1\r\nX: {long}\r\n\r\n"), "431", "send at most 100 headers"),
        ("a long path", format!("GET /{} HTTP/1.1\r\n\r\n", &long[..100_000]), "414", "send at most 100 headers"),
        ("no HTTP", "\u{1}\u{2}\u{3}\r\n\r\n".into(), "400", "send a request line"),
        ("a bad header", "GET /ping HTTP/1.1\r\nno colon\r\n\r\n".into(), "400", "send a request line"),
        (
            "two lengths",
            "POST /invocations HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".into(),
            "400",
            "",
        ),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // It may be refused before all of it is sent.
        let _ = stream.write_all(sent.as_bytes()).await;
        let answer = rest(stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
        assert!(answer.contains("content-type: application/json") && answer.contains(part), "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let server = Server::start(Bounds::default()).await;
    let head = "POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 26214401\r\n\r\n";
    let mut stream = server.send(head).await;
    // The answer is there while nothing of the body was sent, and it could still come.
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("split the documents") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
    }
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{answer:?}");
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

/// Asks on one connection after the other, each for as long as it is kept, and answers how many were answered; an error is
/// a request that was sent and lost.
async fn keep_asking(address: SocketAddr) -> Result<usize, String> {
    let body = r#"{"text": "a great film"}"#;
    let head = "POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length:";
    let request = format!("{head} {}\r\n\r\n{body}", body.len());
    let mut answered = 0;
    while let Ok(mut stream) = TcpStream::connect(address).await {
        loop {
            stream.write_all(request.as_bytes()).await.map_err(|e| format!("after {answered}: {e}"))?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"}]}") {
                match stream.read_buf(&mut answer).await {
                    Ok(1..) => {}
                    end => return Err(format!("after {answered}: {end:?}, {:?}", String::from_utf8_lossy(&answer))),
                }
            }
            answered += 1;
            if String::from_utf8_lossy(&answer).contains("connection: close") {
                break;
            }
        }
    }
    Ok(answered)
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_under_load_loses_no_request() {
    // Long enough that no client pauses for it; it is over as soon as all have left.
    let bounds = Bounds { linger_time: Duration::from_secs(20), ..Bounds::default() };
    let server = Server::start(bounds).await;
    let clients: Vec<_> = (0..16).map(|_| tokio::spawn(keep_asking(server.address))).collect();
    // That a large one is answered shows that the others are at it.
    let body = format!("[{}\"film\"]", "\"a great film\",".repeat(20_000));
    let head = "POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
    let large = format!("{head} {}\r\n\r\n{body}", body.len());
    assert!(rest(server.send(&large).await).await.ends_with("]}"));
    let large = server.send(&large).await;
    server.stop.send(()).unwrap();
    assert!(rest(large).await.ends_with("]}"));
    for client in clients {
        assert!(client.await.unwrap().unwrap() > 0);
    }
    assert_eq!(server.ended.await.unwrap(), Drained::All);
}
