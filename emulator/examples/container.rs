//! A container for the emulator's tests: it does what its environment says, and leaves what it saw.
//!
//! `train` writes `model/seen.txt`; `process` writes `seen.txt` to every output; `serve` answers with what it was sent.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use tokio::signal::unix::{SignalKind, signal};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1)).cloned();
    let root = PathBuf::from(option("--ml-root").unwrap_or_else(|| "/opt/ml".to_owned()));
    ignore_term_if_asked(&arguments);
    end_on_term_if_asked()?;
    println!("container: {}", arguments.join(" "));
    for line in setting("SAY").unwrap_or_default().lines() {
        println!("{line}");
    }
    if let Some(text) = setting("CHILD_MARK") {
        // A child that outlives its parent unless the whole group is ended.
        Command::new("sleep").arg(text).spawn()?;
    }
    match arguments.first().map(String::as_str) {
        Some("train") => work(&root, &root.join("model")),
        Some("process") => work(&root, &root.join("processing/output")),
        Some("serve") => serve(&root, &setting("SAGEMAKER_BIND_TO_PORT").unwrap_or_default()),
        other => {
            eprintln!("unknown command {other:?}");
            process::exit(2)
        }
    }
}

fn setting(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn pause(name: &str) {
    if let Some(ms) = setting(name).and_then(|ms| ms.parse().ok()) {
        thread::sleep(Duration::from_millis(ms));
    }
}

/// A shell ignores the signal for us: what is ignored stays so through `exec`.
fn ignore_term_if_asked(arguments: &[String]) {
    if setting("IGNORE_TERM").is_some() && setting("IGNORING").is_none() {
        let shell = "trap '' TERM; IGNORING=1 exec \"$0\" \"$@\"";
        let me = env::current_exe().unwrap_or_default();
        let failed = Command::new("sh").args(["-c", shell]).arg(me).args(arguments).exec();
        eprintln!("{failed}");
    }
}

/// The first process of a container does not die of SIGTERM unless it asks for it.
fn end_on_term_if_asked() -> io::Result<()> {
    if setting("END_ON_TERM").is_none() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut told = {
        let _inside = runtime.enter();
        signal(SignalKind::terminate())?
    };
    thread::spawn(move || {
        runtime.block_on(told.recv());
        println!("told to end");
        process::exit(0)
    });
    Ok(())
}

/// A job: fails, sleeps and exits as told.
fn work(root: &Path, output: &Path) -> io::Result<()> {
    pause("SLEEP_MS");
    fs::create_dir_all(root.join("output"))?;
    if let Some(message) = setting("MESSAGE") {
        fs::write(root.join("output/message"), message)?;
    }
    if let Some(reason) = setting("FAIL") {
        fs::write(root.join("output/failure"), reason)?;
        process::exit(setting("EXIT").and_then(|code| code.parse().ok()).unwrap_or(1));
    }
    if let Some(epochs) = setting("SAY_TUNED").and_then(|epochs| epochs.parse::<u32>().ok()) {
        // An objective that is best where the hyperparameter `x` is 3, and comes there step by step.
        let text = fs::read_to_string(root.join("input/config/hyperparameters.json")).unwrap_or_default();
        let x = text.split("\"x\":").nth(1).and_then(|rest| rest.split('"').nth(1)?.parse::<f64>().ok());
        for left in (0..epochs).rev() {
            println!("objective={};", -(x.unwrap_or(f64::NAN) - 3.0).abs() - f64::from(left));
            if left > 0 {
                // Whoever listens may end it here.
                thread::sleep(Duration::from_millis(400));
            }
        }
    }
    fs::create_dir_all(output)?;
    let mut seen = Vec::new();
    for (name, value) in env::vars() {
        seen.push(format!("env {name}={value}"));
    }
    list(root, root, &mut seen)?;
    seen.sort();
    fs::write(output.join("seen.txt"), seen.join("\n"))?;
    if setting("EVALUATE").is_some() {
        fs::write(root.join("output/data/evaluation.json"), "{}")?;
    }
    Ok(())
}

/// Every file below `folder` with its text.
fn list(root: &Path, folder: &Path, seen: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, seen)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display();
            seen.push(format!("file {name}={}", String::from_utf8_lossy(&fs::read(&path)?).replace('\n', " ")));
        }
    }
    Ok(())
}

fn serve(root: &Path, port: &str) -> io::Result<()> {
    if let Some(code) = setting("EXIT_AT_START").and_then(|code| code.parse().ok()) {
        eprintln!("giving up at start");
        process::exit(code);
    }
    pause("START_MS");
    if setting("TRY_WRITING").is_some() {
        let writable = |folder: &Path| fs::write(folder.join("probe"), "x").is_ok();
        let (ml, model) = (writable(root), writable(&root.join("model")));
        println!("writable: root {}, ml {ml}, model {model}", writable(Path::new("/")));
    }
    let model = fs::read_to_string(root.join("model/name")).unwrap_or_else(|_| setting("SAY_WHO").unwrap_or_default());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    for stream in listener.incoming() {
        let (stream, model) = (stream?, model.clone());
        // A connection that breaks is the client's affair.
        thread::spawn(move || drop(connection(stream, &model)));
    }
    Ok(())
}

/// Requests answered by this process so far.
static ANSWERED: AtomicU64 = AtomicU64::new(0);

fn connection(stream: TcpStream, model: &str) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim_end().is_empty() {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let header = |name: &str| {
            let found = head.iter().find_map(|line| line.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case(name)));
            found.map(|(_, value)| value.trim().to_owned())
        };
        let length = header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let first = head.first().cloned().unwrap_or_default();
        if first.contains("/ping") {
            let status = if setting("NEVER_HEALTHY").is_some() { "503 Unwell" } else { "200 OK" };
            write!(writer, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        if first.contains("/execution-parameters") {
            let (status, said) =
                setting("PARAMETERS").map_or(("404 Not Found", String::new()), |said| ("200 OK", said));
            write!(writer, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{said}", said.len())?;
            continue;
        }
        pause("DELAY_MS");
        let number = ANSWERED.fetch_add(1, Ordering::SeqCst) + 1;
        if setting("CRASH_EVERY").and_then(|n| n.parse().ok()).is_some_and(|n: u64| number == n) || body == b"crash" {
            eprintln!("crashing at request {number}");
            process::exit(7);
        }
        let status = setting("STATUS").unwrap_or_else(|| "200 OK".to_owned());
        let lines = |body: &[u8]| {
            let each = |(n, line): (usize, &[u8])| format!("{{\"line\":{n},\"of\":\"{}\"}}\n", line.escape_ascii());
            body.split(|b| *b == b'\n').enumerate().map(each).collect::<String>()
        };
        let text = if setting("BY_LINE").is_some() { lines(&body) } else { String::new() };
        let whole = format!(
            "{model}|{}|{}",
            process::id(),
            [head.join("\n").as_bytes(), b"\n\n", &body].concat().escape_ascii()
        );
        let text = if text.is_empty() { whole } else { text };
        let kind = header("content-type").map_or(String::new(), |kind| format!("content-type: {kind}\r\n"));
        let attributes = header("x-amzn-sagemaker-custom-attributes");
        let attributes = attributes.map_or(String::new(), |a| format!("x-amzn-sagemaker-custom-attributes: {a}\r\n"));
        let length = text.len();
        write!(
            writer,
            "HTTP/1.1 {status}\r\n{kind}{attributes}x-private: 1\r\ncontent-length: {length}\r\n\r\n{text}"
        )?;
    }
}
