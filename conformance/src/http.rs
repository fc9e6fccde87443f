//! A client that tells what a container did: how long a connection took, how long the answer, and how it broke.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream as StdStream},
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
const CONNECT: Duration = Duration::from_secs(5);
/// How long a server may take to take up a request that it does not say `100 Continue` to.
const TAKEN_UP: Duration = Duration::from_secs(5);

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

    /// The status of a request whose body is sent while its answer is read: a server may refuse it before it has it all.
    pub async fn status(&self, ask: &Ask, limit: Duration) -> Result<u16, Broken> {
        let (server, ask) = (*self, ask.clone());
        blocking(limit, move || read_status(server.begin(&ask, "")?, ask.body, limit)).await
    }

    /// The status of a request whose body is held back: once the server has taken up its head, `between` is waited for.
    pub async fn status_around(&self, ask: &Ask, between: impl Future, limit: Duration) -> Result<u16, Broken> {
        let (server, ask) = (*self, ask.clone());
        let body = ask.body.clone();
        let begun = blocking(limit, move || {
            let mut stream = server.begin(&ask, "expect: 100-continue\r\n")?;
            // `100 Continue` says that it has been taken up; a server that never says so is given this long to do it.
            stream.set_read_timeout(Some(TAKEN_UP))?;
            let (mut seen, mut byte) = (Vec::new(), [0]);
            while !seen.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                seen.extend(byte);
            }
            Ok(stream)
        });
        let stream = begun.await?;
        between.await;
        blocking(limit, move || read_status(stream, body, limit)).await
    }

    /// A connection, and the head of a request sent on it.
    fn begin(&self, ask: &Ask, more: &str) -> io::Result<StdStream> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n{more}", ask.method, ask.path, self.port);
        for (name, value) in &ask.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", ask.body.len());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = StdStream::connect_timeout(&address, CONNECT)?;
        stream.write_all(head.as_bytes())?;
        Ok(stream)
    }
}

async fn blocking<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Broken> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten();
    done.map_err(|e| match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Broken::Late(limit),
        io::ErrorKind::ConnectionRefused => Broken::Refused,
        _ => Broken::Closed(e.to_string()),
    })
}

fn read_status(mut stream: StdStream, body: Bytes, limit: Duration) -> io::Result<u16> {
    stream.set_read_timeout(Some(limit))?;
    let mut writer = stream.try_clone()?;
    // It ends when all is sent, or when the connection does.
    std::thread::spawn(move || writer.write_all(&body));
    let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
    let status = loop {
        let read = stream.read(&mut chunk)?;
        seen.extend_from_slice(&chunk[..read]);
        match (status_in(&seen), read) {
            (Some(status), _) => break status,
            (None, 0) => return Err(io::Error::other("it ended")),
            (None, _) => {}
        }
    };
    // The writer may still wait for a server that reads no more.
    let _ = stream.shutdown(Shutdown::Both);
    Ok(status)
}

/// The status of an answer as far as it has come; a `100 Continue` before it is none.
fn status_in(seen: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(seen);
    let (line, _) = text.split_once("\r\n")?;
    match line.split(' ').nth(1)?.parse().ok()? {
        // What follows is its headers, of which there seldom are any, and a blank line.
        100 => status_in(text.split_once("\r\n\r\n")?.1.as_bytes()),
        status => Some(status),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_soon_as_its_line_is_there_and_100_is_none() {
        for (seen, status) in [
            ("HTTP/1.1 413 Payload Too Large\r\ncontent-", Some(413)),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("HTTP/1.1 100 Continue\r\n", None),
            ("HTTP/1.1 2", None),
            ("", None),
            ("SSH-2.0-x\r\n", None),
        ] {
            assert_eq!(status_in(seen.as_bytes()), status, "{seen:?}");
        }
    }
}
