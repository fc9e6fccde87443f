//! The endpoint under load for long: `cargo run --release -p serve --example soak -- [--requests N] [--seconds S] …`.
//!
//! It fits a small model (or takes the one in `--ml-root`), starts the program `serve` that is built beside it, and sends
//! one-sentence reviews over keep-alive connections until so many requests were answered or the time is over. Meanwhile
//! one connection asks `/ping` and one sends single sentences, each a few hundred times a second, and where `--huge` says
//! so others send documents of 20 MB: what these two see is what a load does to others. At the end it stops the server
//! under load and counts what was lost.
//!
//! It prints latencies and the server's resident memory at the start, the middle and the end, and fails where an answer
//! was wrong, a request was lost, or memory grew by more than 2 MB.

use clap::Parser;
use model::{Calibration, Provenance, Settings, TextClassifier, fit_classifier};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Soaks the program `serve`.
#[derive(Parser)]
struct Args {
    /// Requests after which it ends
    #[arg(long, default_value_t = 10_000_000)]
    requests: u64,
    /// Seconds after which it ends in any case
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Connections that ask without a pause
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Connections that send documents of 20 MB without a pause
    #[arg(long, default_value_t = 0)]
    huge: usize,
    /// A folder with an artifact in model/, instead of a small one that is fitted
    #[arg(long)]
    ml_root: Option<PathBuf>,
}

/// What all threads share.
struct Load {
    address: SocketAddr,
    answered: AtomicU64,
    /// Told before the server is: from then on a refused connection is none that was lost.
    stopping: AtomicBool,
    /// What went wrong.
    wrong: Mutex<Vec<String>>,
}

impl Load {
    fn on(address: SocketAddr) -> Self {
        Self { address, answered: AtomicU64::new(0), stopping: AtomicBool::new(false), wrong: Mutex::default() }
    }

    /// Notes why a client ended before the server did.
    fn note(&self, ended: Result<()>) {
        if let (Err(error), Ok(mut wrong)) = (ended, self.wrong.lock()) {
            wrong.push(error.to_string());
        }
    }
}

fn main() -> ExitCode {
    match soak(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn soak(args: &Args) -> Result<()> {
    let folder = match &args.ml_root {
        Some(folder) => folder.clone(),
        None => fitted()?,
    };
    let mut server = Server::start(&folder)?;
    let load = Load::on(server.address);
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let start = Instant::now();
    let (mut memory, mut pings, mut singles) = (Vec::new(), Vec::new(), Vec::new());
    thread::scope(|scope| -> Result<()> {
        let load = &load;
        let askers: Vec<_> = (0..args.connections).map(|_| scope.spawn(|| ask(load, SENTENCES, None))).collect();
        let huge: Vec<_> = (0..args.huge).map(|_| scope.spawn(|| ask_huge(load))).collect();
        let single = scope.spawn(|| ask(load, &SENTENCES[..1], Some(Duration::from_millis(4))));
        let ping = scope.spawn(|| ping(load));
        // A tenth of it to warm up.
        let mut marks = [0.1, 0.5, 0.9].map(|share| (args.requests as f64 * share) as u64).into_iter().peekable();
        while load.answered.load(Relaxed) < args.requests && Instant::now() < end && !server.ended() {
            let answered = load.answered.load(Relaxed);
            let elapsed = start.elapsed().as_secs_f64() / args.seconds as f64;
            if marks.peek().is_some_and(|mark| answered >= *mark || elapsed >= *mark as f64 / args.requests as f64) {
                marks.next();
                memory.push((answered, server.resident()?));
            }
            sleep(Duration::from_millis(50));
        }
        let took = start.elapsed().as_secs_f64();
        let answered = load.answered.load(Relaxed);
        memory.push((answered, server.resident()?));
        println!("{answered} requests in {took:.1} s: {:.0} a second", answered as f64 / took);
        load.stopping.store(true, Relaxed);
        server.stop()?;
        for asker in askers {
            asker.join().map_err(|_| "a client panicked")?;
        }
        for huge in huge {
            println!("documents of 20 MB answered: {}", huge.join().map_err(|_| "a client panicked")?);
        }
        singles = single.join().map_err(|_| "a client panicked")?;
        pings = ping.join().map_err(|_| "a client panicked")?;
        Ok(())
    })?;
    for (name, times) in [("/ping", &mut pings), ("a sentence by itself", &mut singles)] {
        times.sort_unstable();
        let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len() - 1)).copied();
        let [p50, p99, p999, most] =
            [0.5, 0.99, 0.999, 1.0].map(|share| at(share).unwrap_or_default().as_secs_f64() * 1e3);
        let count = times.len();
        println!("{name}: {count} times, p50 {p50:.3} ms, p99 {p99:.3} ms, p99.9 {p999:.3} ms, longest {most:.3} ms");
    }
    for (answered, kib) in &memory {
        println!("resident after {answered} requests: {:.2} MB", *kib as f64 / 1024.0);
    }
    let wrong = load.wrong.into_inner().unwrap_or_default();
    if !wrong.is_empty() {
        return Err(wrong.join("; ").into());
    }
    println!("stopped under load: every answer was right, no request lost");
    let (first, last) = (memory[0].1, memory[memory.len() - 1].1);
    match last.saturating_sub(first) {
        0..=2048 => Ok(()),
        grown => Err(format!("memory grew by {grown} KiB").into()),
    }
}

const SENTENCES: &[&str] = &[
    "A wonderful film, and I loved every minute of it.",
    "Terrible acting and a dull story.",
    "It is far too long, but the music is great.",
    "I would not watch it again, not even for free.",
    "Der Film war schön gespielt und leider langweilig.",
];

/// Asks about these texts in turn until the server stops, with a pause after each answer or none, and tells the times of
/// those with pauses. A request that was sent and not answered is an error.
fn ask(load: &Load, texts: &[&str], pause: Option<Duration>) -> Vec<Duration> {
    let mut times = Vec::new();
    load.note(ask_until_stopped(load, texts, pause, &mut times));
    times
}

fn ask_until_stopped(load: &Load, texts: &[&str], pause: Option<Duration>, times: &mut Vec<Duration>) -> Result<()> {
    let requests: Vec<Vec<u8>> = texts.iter().map(|text| post("text/plain", text)).collect();
    while let Some(mut connection) = Connection::open(load)? {
        for request in requests.iter().cycle() {
            let start = Instant::now();
            let answer = connection.exchange(request)?;
            if !answer.head.starts_with("HTTP/1.1 200") || !answer.body.starts_with(br#"{"predictions":[{"label":""#) {
                return Err(format!("{} {}", answer.head, String::from_utf8_lossy(&answer.body)).into());
            }
            load.answered.fetch_add(1, Relaxed);
            if let Some(pause) = pause {
                times.push(start.elapsed());
                sleep(pause);
            }
            if answer.last() {
                break;
            }
        }
    }
    Ok(())
}

fn ask_huge(load: &Load) -> u64 {
    let mut answered = 0;
    load.note(ask_huge_until_stopped(load, &mut answered));
    answered
}

fn ask_huge_until_stopped(load: &Load, answered: &mut u64) -> Result<()> {
    let request = post("text/plain", &"A wonderful film with a number of other words. ".repeat(20_000_000 / 47));
    while let Some(mut connection) = Connection::open(load)? {
        let answer = connection.exchange(&request)?;
        // Its memory may be all in use.
        if !answer.head.starts_with("HTTP/1.1 200") && !answer.head.starts_with("HTTP/1.1 503") {
            return Err(answer.head.into());
        }
        *answered += u64::from(answer.head.starts_with("HTTP/1.1 200"));
    }
    Ok(())
}

fn ping(load: &Load) -> Vec<Duration> {
    let mut times = Vec::new();
    load.note(ping_until_stopped(load, &mut times));
    times
}

fn ping_until_stopped(load: &Load, times: &mut Vec<Duration>) -> Result<()> {
    while let Some(mut connection) = Connection::open(load)? {
        loop {
            let start = Instant::now();
            let answer = connection.exchange(b"GET /ping HTTP/1.1\r\nHost: soak\r\n\r\n")?;
            times.push(start.elapsed());
            if !answer.head.starts_with("HTTP/1.1 200") {
                return Err(answer.head.into());
            }
            if answer.last() {
                break;
            }
            sleep(Duration::from_millis(3));
        }
    }
    Ok(())
}

fn post(content_type: &str, body: &str) -> Vec<u8> {
    let head = format!("POST /invocations HTTP/1.1\r\nHost: soak\r\nContent-Type: {content_type}\r\nContent-Length:");
    format!("{head} {}\r\n\r\n{body}", body.len()).into_bytes()
}

struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// Whether its connection takes no other request.
    fn last(&self) -> bool {
        self.head.contains("connection: close")
    }
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    /// None once the server stops.
    fn open(load: &Load) -> Result<Option<Self>> {
        match TcpStream::connect(load.address) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                Ok(Some(Self(BufReader::new(stream))))
            }
            Err(_) if load.stopping.load(Relaxed) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        let lost = |e| format!("a request was sent and not answered: {e}");
        self.0.get_mut().write_all(request).map_err(lost)?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).map_err(lost)? == 0 {
                return Err(lost(std::io::ErrorKind::UnexpectedEof.into()).into());
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap_or("0").parse()?];
        self.0.read_exact(&mut body).map_err(lost)?;
        Ok(Answer { head, body })
    }
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// The program beside this one, ready.
    fn start(folder: &Path) -> Result<Self> {
        let here = std::env::current_exe()?;
        let program = here.parent().and_then(Path::parent).ok_or("this program is in no folder")?.join("serve");
        let mut command = Command::new(&program);
        command.arg("--ml-root").arg(folder).args(["--host", "127.0.0.1", "--port", "0"]);
        command.args(["--metrics-namespace", "Soak", "--metrics-seconds", "10"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child =
            child.map_err(|e| format!("{}: {e}; build it first: cargo build --release -p serve", program.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("http://").ok_or("it does not say where it listens")?.parse()?;
        let server = Self { child, address };
        let load = Load::on(address);
        loop {
            let pong =
                Connection::open(&load)?.ok_or("no server")?.exchange(b"GET /ping HTTP/1.1\r\nHost: s\r\n\r\n")?;
            if pong.head.starts_with("HTTP/1.1 200") {
                return Ok(server);
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// Resident memory, in KiB.
    fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    fn ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    fn stop(&mut self) -> Result<()> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM)?;
        match self.child.wait()? {
            status if status.success() => Ok(()),
            status => Err(format!("the server ended with {status}").into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a small model: the sentences, with a class each.
fn fitted() -> Result<PathBuf> {
    let settings = Settings::default();
    let targets: Vec<usize> = (0..SENTENCES.len()).map(|i| i % 2).collect();
    let (featurizer, records) = settings.tfidf.fit_transform(SENTENCES, &targets, 2)?;
    let dataset = model::Dataset::new(records, targets.into());
    let classifier = fit_classifier(&settings, &dataset, 2, None)?.classifier;
    let classes = vec!["0".to_owned(), "1".to_owned()];
    let fitted = TextClassifier { featurizer, classifier, calibration: Calibration::None, classes };
    let folder = std::env::temp_dir().join(format!("sagebrush-soak-{}", std::process::id()));
    fitted.save(&folder.join("model"), &Provenance::default())?;
    Ok(folder)
}
