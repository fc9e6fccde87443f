//! The command line of `serve`.

use crate::app::{App, Limits};
use crate::capture::{Capture, CaptureArgs};
use crate::emf::{Dimensions, Emf, Namespace};
use crate::log::{self, LogPolicy, say};
use crate::metrics::Metrics;
use crate::models::Models;
use crate::opening::{self, VERIFIED_FIRST_BYTES};
use crate::server::{self, Bounds, Drained};
use crate::threshold::Threshold;
use clap::Parser;
use model::{Artifact, ArtifactError};
use std::ffi::OsString;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Answers SageMaker's requests with the artifact in DIR/model, until SIGTERM or SIGINT.
#[derive(Debug, Parser)]
#[command(name = "serve", no_binary_name = true, version)]
struct Args {
    /// The folder laid out as SageMaker's /opt/ml
    #[arg(long, value_name = "DIR", default_value = "/opt/ml")]
    ml_root: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", env = "SAGEBRUSH_HOST", default_value = "0.0.0.0")]
    host: IpAddr,
    /// The port to listen on; 0 takes any free one and prints the address on stdout
    #[arg(long, value_name = "PORT", env = "SAGEMAKER_BIND_TO_PORT", default_value_t = 8080)]
    port: u16,
    /// Requests answered at once; more are refused with 503
    #[arg(long, value_name = "N", env = "SAGEBRUSH_MAX_IN_FLIGHT", default_value_t = Limits::default().in_flight, value_parser = parse_in_flight)]
    max_in_flight: usize,
    /// Longest body in bytes, also of what a gzip body holds; longer ones are refused with 413
    #[arg(long, value_name = "BYTES", env = "SAGEBRUSH_MAX_BODY_BYTES", default_value_t = Limits::default().body_bytes, value_parser = parse_body_bytes)]
    max_body_bytes: usize,
    /// What a batch transform job says it sends in one request; bodies of that length are taken whatever --max-body-bytes
    #[arg(long, value_name = "MB", env = "SAGEMAKER_MAX_PAYLOAD_IN_MB", hide = true, default_value_t = 0)]
    max_payload_in_mb: u16,
    /// Serve the models that are loaded by POST /models, as many as there are, instead of the one in DIR/model
    #[arg(long, env = "SAGEMAKER_MULTI_MODEL", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", default_value = "false", require_equals = true)]
    multi_model: bool,
    /// Bytes of models' files held open at once with --multi-model; the longest unused is opened again when it is asked
    #[arg(long, value_name = "BYTES", env = "SAGEBRUSH_MODELS_BYTES", default_value_t = 4 << 30)]
    models_bytes: u64,
    /// Predict the second of two classes from this probability on, not from one half
    #[arg(long, value_name = "P", env = "SAGEBRUSH_THRESHOLD")]
    threshold: Option<Threshold>,
    /// Of so many requests that did not fail one gets a line in the log; 0: none. Failed ones all do
    #[arg(long, value_name = "N", env = "SAGEBRUSH_LOG_SAMPLE", default_value_t = LogPolicy::default().sample)]
    log_sample: u64,
    /// Write the first 1000 characters of the body into those lines: texts are then in the log
    #[arg(long, env = "SAGEBRUSH_LOG_TEXT", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", default_value = "false", require_equals = true)]
    log_text: bool,
    /// Write a line of metrics in CloudWatch's Embedded Metric Format into the log, of this namespace
    #[arg(long, value_name = "NAME", env = "SAGEBRUSH_METRICS_NAMESPACE")]
    metrics_namespace: Option<Namespace>,
    /// The metrics' dimensions, say Endpoint=reviews,Variant=AllTraffic
    #[arg(
        long,
        value_name = "NAME=VALUE,…",
        env = "SAGEBRUSH_METRICS_DIMENSIONS",
        default_value = "",
        hide_default_value = true
    )]
    metrics_dimensions: Dimensions,
    /// Seconds between two lines of metrics
    #[arg(long, value_name = "SECONDS", env = "SAGEBRUSH_METRICS_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    metrics_seconds: u64,
    #[command(flatten)]
    capture: CaptureArgs,
}

fn parse_in_flight(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(n @ 1..=65_536) => Ok(n),
        _ => Err("expected a whole number from 1 to 65536".into()),
    }
}

fn parse_body_bytes(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(n @ 1024..=1_073_741_824) => Ok(n),
        _ => Err("expected a whole number from 1024 to 1073741824".into()),
    }
}

impl Args {
    fn limits(&self) -> Limits {
        let payload = usize::from(self.max_payload_in_mb) << 20;
        Limits { in_flight: self.max_in_flight, body_bytes: self.max_body_bytes.max(payload), ..Limits::default() }
    }

    fn emf(&self) -> Option<Emf> {
        let every = Duration::from_secs(self.metrics_seconds);
        let of = |namespace: &Namespace| Emf {
            namespace: namespace.clone(),
            dimensions: self.metrics_dimensions.clone(),
            every,
        };
        self.metrics_namespace.as_ref().map(of)
    }
}

#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("cannot start: {0}")]
    Start(#[source] std::io::Error),
    #[error("port {} of {} is taken by another program; stop it or give another --port", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    #[error("cannot listen on {address}: {error}; give another --host or --port")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("the model cannot be opened: {error} (it is what `train` leaves; {} should hold it)", dir.display())]
    Model { dir: PathBuf, error: ArtifactError },
    #[error("opening the model in {} failed inside the program; this is a defect", .0.display())]
    Opening(PathBuf),
    #[error("stopped, without a sound model to serve")]
    Stopped,
}

/// Runs `serve` with these arguments (the program's name not among them): 0 when told to stop, 1 when it cannot serve,
/// 2 when the arguments are wrong.
pub fn main<I: IntoIterator<Item = OsString>>(args: I) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Where neither stream is there, nobody waits for the message.
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    match start(args) {
        Ok(()) => {
            log::flush();
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("serve: {error}"));
            log::flush();
            ExitCode::FAILURE
        }
    }
}

fn start(args: Args) -> Result<(), ServeError> {
    // It takes connections, opens models and hears signals; what answers has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
        .map_err(ServeError::Start)?;
    let served = runtime.block_on(run(args));
    // What still computes then has nobody to answer.
    runtime.shutdown_background();
    served
}

async fn run(args: Args) -> Result<(), ServeError> {
    // Before anything that takes time: a signal during it must not kill.
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Start)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Start)?;
    let address = SocketAddr::new(args.host, args.port);
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::PortTaken(address),
        _ => ServeError::Listen { address, error },
    })?;
    let address = listener.local_addr().map_err(ServeError::Start)?;
    if args.port == 0 {
        let mut stdout = std::io::stdout();
        let _ = writeln!(stdout, "http://{address}").and_then(|()| stdout.flush());
    }

    log::start_writer().map_err(ServeError::Start)?;
    let emf = args.emf();
    let app = match args.multi_model {
        false => App::new(args.limits()),
        true => App::of_many(args.limits(), Models::new(args.models_bytes)),
    };
    let policy = LogPolicy { sample: args.log_sample, text: args.log_text };
    let capture = args.capture.settings().map(Capture::start).transpose().map_err(ServeError::Start)?;
    let app = app.observed(policy, emf.as_ref().map(|_| Metrics::new())).thresholded(args.threshold).captured(capture);
    let app = Arc::new(app);
    let telling = emf.map(|emf| {
        let (stop, stopped) = oneshot::channel();
        (tokio::spawn(emf.tell(Arc::clone(&app), stopped)), stop)
    });
    if args.multi_model {
        say(&format!("serve: listening on http://{address}, for many models; load them with POST /models"));
    } else {
        tokio::spawn(open(Arc::clone(&app), args.ml_root.join("model"), address));
    }
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let drained = server::serve(listener, Arc::clone(&app), Bounds::default(), stop).await;
    if let Some(capture) = app.capture() {
        say(&format!("serve: capture: {}", capture.stop()));
    }
    if let Some((telling, stop)) = telling {
        // What was counted since the last line is told before the end.
        let _ = stop.send(());
        let _ = telling.await;
    }
    match drained {
        Drained::All => say("serve: stopped"),
        Drained::Cut(connections) => say(&format!("serve: stopped; {connections} connections did not end in time")),
    }
    match app.failed() {
        false => Ok(()),
        true => Err(ServeError::Stopped),
    }
}

/// Opens the artifact while /ping already answers, and says so on stderr; where it is refused, /ping says why.
async fn open(app: Arc<App>, dir: PathBuf, address: SocketAddr) {
    let start = Instant::now();
    let opening = {
        let (app, dir) = (Arc::clone(&app), dir.clone());
        move || {
            let told = |artifact: &Artifact| {
                say(&started(artifact, &dir, address, start));
                if app.threshold().is_some() && artifact.classes().len() != 2 {
                    say(
                        "serve: a threshold is between two classes; this model has another number, and none is applied",
                    );
                }
            };
            opening::open(&app, &dir, VERIFIED_FIRST_BYTES, told)
        }
    };
    let error = match tokio::task::spawn_blocking(opening).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => ServeError::Model { dir, error },
        Err(_) => ServeError::Opening(dir),
    };
    say(&format!("serve: {error}; answering 503 until stopped"));
    app.fail(error.to_string());
}

fn started(artifact: &Artifact, dir: &Path, address: SocketAddr, start: Instant) -> String {
    format!(
        "serve: listening on http://{address}, model {} ({} classes, {} terms, {} bytes, opened in {:.1} ms)",
        dir.display(),
        artifact.classes().len(),
        artifact.terms(),
        artifact.bytes(),
        start.elapsed().as_secs_f64() * 1e3,
    )
}
