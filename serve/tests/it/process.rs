//! The program as SageMaker starts, asks and stops it.

use crate::fixture::{Kind, ml_root};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

const PING: &str = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(20);

/// The running program; killed where a test ends before it.
struct Serve {
    child: Child,
    address: SocketAddr,
}

impl Serve {
    /// On a free port, ready.
    fn start(root: &Path) -> Self {
        Self::ready(command(root).args(["--port", "0"]))
    }

    fn ready(command: &mut Command) -> Self {
        let serve = Self::listening(command);
        let start = Instant::now();
        while !serve.exchange(PING).starts_with("HTTP/1.1 200") {
            assert!(start.elapsed() < PATIENCE, "not ready");
        }
        serve
    }

    /// As soon as it has a port.
    fn listening(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// One request on a connection of its own.
    fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.replacen("Host: h", "Host: h\r\nConnection: close", 1).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// How it ended, and all it said.
    fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }
}

impl Serve {
    /// Stopped: all it said, and what of it are lines of JSON.
    fn log(self) -> (String, Vec<serde_json::Value>) {
        self.signal(Signal::SIGTERM);
        let (status, said) = self.end();
        assert_eq!(status.code(), Some(0), "{said}");
        let lines = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (said, lines)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve"));
    command.arg("--ml-root").arg(root).args(["--host", "127.0.0.1"]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SAGE") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A run that ends by itself: code, stdout, stderr.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn invocation(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn it_serves_and_stops_at_once_when_idle() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let root = ml_root(Kind::Two);
        let serve = Serve::start(root.path());
        let answer = serve.exchange(&invocation("text/plain", "a wonderful film"));
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""label":"1""#), "{answer}");

        let mut kept = serve.connect();
        kept.write_all(PING.as_bytes()).unwrap();
        let mut first = [0; 15];
        kept.read_exact(&mut first).unwrap();
        let mut silent = serve.connect();

        let start = Instant::now();
        serve.signal(signal);
        let (status, said) = serve.end();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(start.elapsed() < Duration::from_secs(5), "idle connections held it up for {:?}", start.elapsed());
        assert!(said.starts_with("serve: listening on http://127.0.0.1:"), "{said}");
        assert!(said.contains(" (2 classes, ") && said.ends_with("serve: stopped\n"), "{said}");
        for stream in [&mut kept, &mut silent] {
            let mut rest = Vec::new();
            // A reset is an end as well.
            let _ = stream.read_to_end(&mut rest);
        }
    }
}

#[test]
fn sigterm_lets_a_request_in_flight_end() {
    let root = ml_root(Kind::Two);
    let serve = Serve::start(root.path());
    let mut stream = serve.connect();
    let body = "a terrible, dull film";
    let request = invocation("text/plain", body).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    stream.write_all(&request.as_bytes()[..request.len() - body.len()]).unwrap();
    // That it asks for the body shows that the request is in flight.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    serve.signal(Signal::SIGTERM);
    let start = Instant::now();
    while TcpStream::connect(serve.address).is_ok() {
        assert!(start.elapsed() < PATIENCE, "it still takes connections");
    }
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""label":"0""#), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let (status, said) = serve.end();
    assert_eq!(status.code(), Some(0), "{said}");
}

#[test]
fn a_body_over_25_mb_is_refused_in_a_way_the_client_sees() {
    let root = ml_root(Kind::Two);
    let serve = Serve::start(root.path());
    // Sent whole, whether it is wanted or not, as many clients do.
    let answer = serve.exchange(&invocation("text/plain", &"film ".repeat(6 << 20)));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("longer than 26214400 bytes"), "{answer}");
    // Announced first: refused before a byte of it was sent.
    let head = invocation("text/plain", "").replace("Length: 0", "Length: 26214401\r\nExpect: 100-continue");
    let answer = serve.exchange(&head);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn the_body_limit_is_set_by_hand_or_by_a_transform_job() {
    let root = ml_root(Kind::Two);
    for (payload, limit) in [("0", 2048), ("1", 1 << 20)] {
        let mut command = command(root.path());
        command.args(["--port", "0", "--max-body-bytes", "2048"]).env("SAGEMAKER_MAX_PAYLOAD_IN_MB", payload);
        let serve = Serve::ready(&mut command);
        for (length, status) in [(limit, "200"), (limit + 1, "413")] {
            let answer = serve.exchange(&invocation("text/plain", &"a".repeat(length)));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{length}: {answer}");
        }
    }
}

#[test]
fn a_failed_request_is_one_line_without_the_document() {
    let root = ml_root(Kind::Two);
    let serve = Serve::start(root.path());
    let request = invocation("application/json", r#"{"text": ["my secret"]}"#)
        .replace("Host: h", "Host: h\r\nX-Amzn-SageMaker-Inference-Id: order-7");
    let answer = serve.exchange(&request);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    // Answered, and yet worth a line: a record of it was refused.
    let answer = serve.exchange(&invocation("application/json", r#"["my secret", {"text": ["my secret"]}]"#));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = serve.exchange("GET /ping HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let (said, lines) = serve.log();
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!((&lines[0]["status"], &lines[0]["path"]), (&400.into(), &"/invocations".into()), "{said}");
    assert_eq!(lines[0]["inference_id"], "order-7", "{said}");
    assert!(lines[0]["error"].as_str().unwrap().starts_with("text: expected a string"), "{said}");
    let error = "1 of 2 records were refused; the first: [1].text: expected a string, found an array; send ";
    assert!(lines[1]["error"].as_str().unwrap().starts_with(error) && lines[1]["status"] == 200, "{said}");
    assert!(lines[2]["error"].as_str().unwrap().starts_with("the request's head is not HTTP/1.1"), "{said}");
}

#[test]
fn every_request_is_logged_where_that_is_asked_for_and_its_text_too() {
    let root = ml_root(Kind::Two);
    for (text, want) in [("false", None), ("true", Some("a wonderful \"film\""))] {
        let mut command = command(root.path());
        command.args(["--port", "0", "--log-sample=1"]).env("SAGEBRUSH_LOG_TEXT", text);
        let serve = Serve::ready(&mut command);
        let request = invocation("text/plain", "a wonderful \"film\"")
            .replace("Host: h", "Host: h\r\nX-Amzn-SageMaker-Inference-Id: a1");
        assert!(serve.exchange(&request).starts_with("HTTP/1.1 200"));
        let (said, lines) = serve.log();
        // Pings are none of them.
        assert_eq!(lines.len(), 1, "{said}");
        assert_eq!((&lines[0]["status"], &lines[0]["inference_id"]), (&200.into(), &"a1".into()), "{said}");
        assert!(lines[0]["microseconds"].is_u64(), "{said}");
        assert_eq!(lines[0].get("body").map(|body| body.as_str().unwrap()), want, "{said}");
    }
}

#[test]
fn metrics_are_a_line_of_the_embedded_metric_format() {
    let root = ml_root(Kind::Two);
    let mut command = command(root.path());
    command.args(["--port", "0", "--log-sample", "0", "--metrics-namespace", "Sagebrush"]);
    command.env("SAGEBRUSH_METRICS_DIMENSIONS", "Endpoint=reviews, Variant=AllTraffic");
    let serve = Serve::ready(&mut command);
    for (content_type, body) in [
        ("text/plain", "a wonderful film"),
        ("application/json", r#"["terrible, dull", "wonderful", 7, "terrible zebra"]"#),
        ("text/plain", ""),
        ("text/html", "good"),
    ] {
        serve.exchange(&invocation(content_type, body));
    }
    let (said, lines) = serve.log();
    // The last one tells the rest of the minute.
    let metrics = lines.last().unwrap();
    let directive = &metrics["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        (&directive["Namespace"], lines.iter().filter(|line| line["_aws"].is_object()).count()),
        (&"Sagebrush".into(), 1)
    );
    assert_eq!(directive["Dimensions"], serde_json::json!([["Endpoint", "Variant"]]), "{said}");
    assert_eq!((&metrics["Endpoint"], &metrics["Variant"]), (&"reviews".into(), &"AllTraffic".into()), "{said}");
    let minutes = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
        - metrics["_aws"]["Timestamp"].as_u64().unwrap();
    assert!(minutes < 60_000, "{said}");
    for definition in directive["Metrics"].as_array().unwrap() {
        assert!(metrics[definition["Name"].as_str().unwrap()].is_number(), "{definition}: {said}");
        assert!(["Count", "Microseconds", "None"].contains(&definition["Unit"].as_str().unwrap()), "{definition}");
    }
    for (name, want) in [
        ("Requests", 4.0),
        ("ClientErrors", 2.0),
        ("ServerErrors", 0.0),
        ("Documents", 4.0),
        ("RefusedRecords", 1.0),
        ("ClassShare.0", 0.5),
        ("ClassShare.1", 0.5),
    ] {
        assert_eq!(metrics[name].as_f64(), Some(want), "{name}: {said}");
    }
    for (name, least, most) in
        [("ScoreMean", 0.5, 1.0), ("OutOfVocabularyRate", 0.0, 0.5), ("LatencyP50", 0.0, 1e7), ("LatencyP99", 0.0, 1e7)]
    {
        assert!((least..=most).contains(&metrics[name].as_f64().unwrap()), "{name}: {said}");
    }
}

#[test]
fn a_log_that_nobody_takes_holds_nothing_up() {
    let root = ml_root(Kind::Two);
    let serve = Serve::start(root.path());
    // Far more than a pipe and the lines that may wait hold: nobody reads stderr meanwhile.
    let mut stream = serve.connect();
    let request = "GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100);
    let mut answer = vec![0; 1 << 16];
    let mut answered = 0;
    for round in 1..=100 {
        stream.write_all(request.as_bytes()).unwrap();
        while answered < round * 100 {
            let read = stream.read(&mut answer).unwrap();
            answered += answer[..read].windows(12).filter(|part| part == b"HTTP/1.1 404").count();
        }
    }
    serve.signal(Signal::SIGTERM);
    let (status, said) = serve.end();
    assert_eq!(status.code(), Some(0));
    let lines = said.lines().filter(|line| line.starts_with('{')).count();
    assert!(said.contains(" lines of the log are lost") && lines < 10_000, "{lines}");
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let root = ml_root(Kind::Two);
    // Both ways that a port is given.
    let by_flag = run(command(root.path()).args(["--port", &port]));
    let by_environment = run(command(root.path()).env("SAGEMAKER_BIND_TO_PORT", &port));
    let want = format!("serve: port {port} of 127.0.0.1 is taken by another program; stop it or give another --port\n");
    for (code, stdout, stderr) in [by_flag, by_environment] {
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), "", want.as_str()));
    }
}

#[test]
fn a_model_that_is_not_there_or_damaged_is_503_with_the_reason_until_stopped() {
    let (none, damaged) = (tempfile::tempdir().unwrap(), ml_root(Kind::Two));
    let weights = damaged.path().join("model/tensors.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    for (root, part) in [(none.path(), "manifest.json"), (damaged.path(), "their checksum is another")] {
        let serve = Serve::listening(command(root).args(["--port", "0"]));
        let start = Instant::now();
        let answer = loop {
            let answer = serve.exchange(PING);
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            if !answer.contains("still being opened") {
                break answer;
            }
            assert!(start.elapsed() < PATIENCE, "no reason");
        };
        assert!(answer.contains(part), "{answer}");
        let answer = serve.exchange(&invocation("text/plain", "good"));
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(part), "{answer}");
        serve.signal(Signal::SIGTERM);
        let (status, said) = serve.end();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.starts_with("serve: the model cannot be opened: "), "{said}");
        assert!(said.contains(&root.join("model").display().to_string()), "{said}");
    }
}

#[test]
fn many_models_are_served_where_sagemaker_says_so() {
    let root = ml_root(Kind::Two);
    let serve = Serve::listening(command(root.path()).args(["--port", "0"]).env("SAGEMAKER_MULTI_MODEL", "true"));
    assert!(serve.exchange(PING).starts_with("HTTP/1.1 200"));
    let body = format!(r#"{{"model_name": "m/1", "url": "{}"}}"#, root.path().join("model").display());
    let load = invocation("application/json", &body).replace("/invocations", "/models");
    assert!(serve.exchange(&load).starts_with("HTTP/1.1 200"));
    assert!(serve.exchange(&load).starts_with("HTTP/1.1 409"));
    let invoke = invocation("text/plain", "a wonderful film").replace("/invocations", "/models/m%2F1/invoke");
    let answer = serve.exchange(&invoke);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""label":"1""#), "{answer}");
    serve.signal(Signal::SIGTERM);
    let (status, said) = serve.end();
    assert_eq!(status.code(), Some(0), "{said}");
}

#[test]
fn captures_are_counted_in_the_metrics_and_told_at_the_end() {
    let root = ml_root(Kind::Two);
    std::fs::write(root.path().join("file"), "").unwrap();
    for (folder, metrics, want) in [
        ("captures", (2, 0), "serve: capture: 2 requests written, 0 dropped\n"),
        (
            "file/captures",
            (0, 2),
            "serve: capture: 0 requests written, 2 dropped (2 could not be written, 0 found the queue full, 0 were too long)\n",
        ),
    ] {
        let mut command = command(root.path());
        command.args(["--port", "0", "--log-sample", "0", "--metrics-namespace", "Sagebrush"]);
        command.env("SAGEBRUSH_CAPTURE_DIR", root.path().join(folder));
        let serve = Serve::ready(&mut command);
        for _ in 0..2 {
            serve.exchange(&invocation("text/plain", "a wonderful film"));
        }
        let (said, lines) = serve.log();
        assert!(said.contains(want), "{said}");
        let last = lines.last().unwrap();
        assert_eq!(
            (&last["CaptureWritten"], &last["CaptureDropped"]),
            (&metrics.0.into(), &metrics.1.into()),
            "{said}"
        );
        assert_eq!(said.contains("cannot be written to: Not a directory"), metrics.0 == 0, "{said}");
    }
}

#[test]
fn wrong_arguments_are_usage() {
    let root = tempfile::tempdir().unwrap();
    for arguments in [
        ["--port", "70000"],
        ["--max-in-flight", "0"],
        ["--max-body-bytes", "7"],
        ["--host", "here"],
        ["--metrics-namespace", "AWS/SageMaker"],
        ["--metrics-dimensions", "Requests=5"],
        ["--metrics-dimensions", "reviews"],
        ["--metrics-seconds", "0"],
        ["--capture-percent", "101"],
        ["--capture-redact", "phone"],
        ["--capture-redact-pattern", "("],
        ["--model", "x"],
    ] {
        let (code, _, stderr) = run(Command::new(env!("CARGO_BIN_EXE_serve")).args(arguments).current_dir(&root));
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(arguments[0]), "{arguments:?}: {stderr}");
    }
}
