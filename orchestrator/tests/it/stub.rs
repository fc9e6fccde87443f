//! What stands between the orchestrator and an emulator and answers some calls itself, as AWS would.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What becomes of a call.
pub enum Fate {
    /// The emulator answers it.
    Pass,
    /// Status, content type, body, in its place.
    Answer(u16, &'static str, String),
    /// The emulator does it, and this is the answer: 500.
    DoneAndLost,
}

/// A running stub.
pub struct Stub {
    pub url: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// `decide` is given a call (`CreateTrainingJob`, `GetCallerIdentity`, `PUT /bucket/key`) and how often it has come before.
    pub fn start(emulator: &str, decide: impl Fn(&str, usize) -> Fate + Send + Sync + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (behind, seen) = (emulator.trim_start_matches("http://").to_owned(), calls.clone());
        let decide = Arc::new(decide);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (behind, seen, decide) = (behind.clone(), seen.clone(), decide.clone());
                // A client that goes away takes its connection with it.
                thread::spawn(move || serve(client, &behind, &seen, &*decide).ok());
            }
        });
        Stub { url, calls }
    }

    /// Every call, in order.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// An error of a JSON 1.1 service.
pub fn json(code: &str, message: &str) -> Fate {
    let member = if code.starts_with("Resource") { "Message" } else { "message" };
    let body = serde_json::json!({"__type": code, member: message}).to_string();
    Fate::Answer(400, "application/x-amz-json-1.1", body)
}

/// An error of a Query service.
pub fn query(status: u16, code: &str, message: &str) -> Fate {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    );
    Fate::Answer(status, "text/xml", body)
}

fn serve(
    client: TcpStream,
    behind: &str,
    seen: &Mutex<Vec<String>>,
    decide: &dyn Fn(&str, usize) -> Fate,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let form = String::from_utf8_lossy(&body).into_owned();
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
    let target = header("x-amz-target").map(|target| target.rsplit('.').next().unwrap_or_default().to_owned());
    let line: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').take(2).collect();
    let call = target.or(action).unwrap_or_else(|| line.join(" "));
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push(call.clone());
        seen.iter().filter(|known| **known == call).count() - 1
    };
    let fate = decide(&call, before);
    let answer = match &fate {
        Fate::Answer(status, kind, body) => answer(*status, kind, body),
        Fate::Pass | Fate::DoneAndLost => {
            let mut server = TcpStream::connect(behind)?;
            let rest = text.split_once("\r\n").map_or("", |(_, rest)| rest);
            let kept: Vec<&str> = rest
                .lines()
                .filter(|line| !line.to_lowercase().starts_with("connection:") && !line.is_empty())
                .collect();
            let head = format!(
                "{}\r\n{}\r\nconnection: close\r\n\r\n",
                text.lines().next().unwrap_or_default(),
                kept.join("\r\n")
            );
            server.write_all(head.as_bytes())?;
            server.write_all(&body)?;
            let mut answered = Vec::new();
            server.read_to_end(&mut answered)?;
            answered
        }
    };
    let mut client = client;
    match fate {
        Fate::DoneAndLost => {
            client.write_all(&self::answer(500, "application/x-amz-json-1.1", r#"{"__type":"InternalFailure"}"#))
        }
        _ => client.write_all(&answer),
    }
}

fn answer(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
