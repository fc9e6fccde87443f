//! A client that tells what a container did: how long a connection took, how long the answer, and how it broke.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream as StdStream},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use nix::sched::{CloneFlags, setns};
use tokio::{net::TcpStream, sync::oneshot, time::timeout};

/// How long a connection may take before the kit gives up; the contract's limit is far below.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pub port: u16,
    /// A process in whose network namespace that is, where it is not ours.
    pub inside: Option<i32>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Bytes,
    pub took: Duration,
    /// Whether it said that it closes the connection.
    pub closes: bool,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Broken {
    /// Nobody listens.
    Refused,
    /// Not within this time.
    Late(Duration),
    /// The connection ended in the middle.
    Closed(String),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Broken::Refused => f.write_str("no connection: nobody listens"),
            Broken::Late(limit) => write!(f, "no answer within {}", shown(*limit)),
            Broken::Closed(why) => write!(f, "the connection was closed without an answer ({why})"),
        }
    }
}

/// An open connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    port: u16,
    /// How long it took.
    pub took: Duration,
}

impl Ask {
    pub fn get(path: &str) -> Ask {
        Ask { method: Method::GET, path: path.to_owned(), headers: Vec::new(), body: Bytes::new() }
    }

    pub fn delete(path: &str) -> Ask {
        Ask { method: Method::DELETE, ..Ask::get(path) }
    }

    pub fn post(path: &str, content_type: &str, body: impl Into<Bytes>) -> Ask {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Ask { method: Method::POST, path: path.to_owned(), headers, body: body.into() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Answer {
    pub fn text(&self) -> String {
        let text: String = String::from_utf8_lossy(&self.body).chars().take(200).collect();
        text.trim().replace('\n', " ")
    }

    /// `200 in 3 ms`, and the text of what is no success.
    pub fn shown(&self) -> String {
        let took = shown(self.took);
        match (self.status, self.text().as_str()) {
            (200..300, _) | (_, "") => format!("{} in {took}", self.status),
            (status, text) => format!("{status} in {took}: {text}"),
        }
    }
}

impl Server {
    pub async fn connect(&self) -> Result<Connection, Broken> {
        let begun = Instant::now();
        let stream = timeout(CONNECT, self.stream()).await.map_err(|_| Broken::Late(CONNECT))?;
        let stream = stream.map_err(|e| match e.kind() {
            io::ErrorKind::ConnectionRefused => Broken::Refused,
            _ => Broken::Closed(e.to_string()),
        })?;
        let took = begun.elapsed();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(closed)?;
        // Its error reaches the request that waits for it.
        tokio::spawn(connection);
        Ok(Connection { sender, port: self.port, took })
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, ask: Ask, limit: Duration) -> Result<Answer, Broken> {
        let asked = async { self.connect().await?.ask(ask).await };
        timeout(limit, asked).await.unwrap_or(Err(Broken::Late(limit)))
    }

    async fn stream(&self) -> io::Result<TcpStream> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let stream = match self.inside {
            None => TcpStream::connect(address).await?,
            Some(pid) => {
                let stream = elsewhere(pid, address).await?;
                stream.set_nonblocking(true)?;
                TcpStream::from_std(stream)?
            }
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Connection {
    /// One request on this connection.
    pub async fn ask(&mut self, ask: Ask) -> Result<Answer, Broken> {
        let begun = Instant::now();
        self.sender.ready().await.map_err(closed)?;
        let mut request = http::Request::builder().method(ask.method).uri(&ask.path);
        request = request.header(header::HOST, format!("127.0.0.1:{}", self.port));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(ask.body)).map_err(|e| Broken::Closed(e.to_string()))?;
        let answer = self.sender.send_request(request).await.map_err(closed)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(closed)?.to_bytes();
        let text = |headers: &HeaderMap, name| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Answer {
            status: head.status.as_u16(),
            content_type: text(&head.headers, header::CONTENT_TYPE),
            body,
            took: begun.elapsed(),
            closes: text(&head.headers, header::CONNECTION).is_some_and(|v| v.eq_ignore_ascii_case("close")),
        })
    }
}

/// hyper's own message is short; what it was caused by says more.
fn closed(error: hyper::Error) -> Broken {
    let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    Broken::Closed(format!("{error}{source}"))
}

/// A connection made inside the network namespace of another process, by a thread that enters it and ends.
async fn elsewhere(pid: i32, address: SocketAddr) -> io::Result<StdStream> {
    let (send, receive) = oneshot::channel();
    std::thread::spawn(move || {
        let connect = || {
            setns(File::open(format!("/proc/{pid}/ns/net"))?, CloneFlags::CLONE_NEWNET)?;
            StdStream::connect_timeout(&address, CONNECT)
        };
        // Whoever asked may have given up.
        let _ = send.send(connect());
    });
    receive.await.map_err(io::Error::other)?
}

/// `0.3 ms`, `12 ms`, `1.2 s`.
pub(crate) fn shown(time: Duration) -> String {
    match time.as_millis() {
        0..10 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        ms @ 0..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
