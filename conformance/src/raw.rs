//! Requests written by hand, where a client would hide what matters: a body that is held back, or that nobody reads.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use bytes::Bytes;

use crate::http::{Ask, Broken, CONNECT, Server};

/// How long a server may take to take up a request that it does not say `100 Continue` to.
const TAKEN_UP: Duration = Duration::from_secs(5);

impl Server {
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
    fn begin(&self, ask: &Ask, more: &str) -> io::Result<TcpStream> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n{more}", ask.method, ask.path, self.port);
        for (name, value) in &ask.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", ask.body.len());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
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

fn read_status(mut stream: TcpStream, body: Bytes, limit: Duration) -> io::Result<u16> {
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
