//! The subcommand `emulator`: SageMaker and S3 on loopback for any client, until it is stopped.

use std::{ffi::OsString, fmt, net::IpAddr, path::PathBuf};

use emulator::{Connection, Engine, EngineError, StartError};
use serde::Serialize;

use crate::{
    error::{self, Failure, Result},
    output::Output,
    settings::{Local, Runtime, Settings},
};

/// What the emulator runs for an image: this executable, or the image.
fn runtime(local: &Local) -> Result<emulator::Runtime> {
    if let Some(engine) = engine(local) {
        return Ok(emulator::Runtime::Engine(engine));
    }
    let path = std::env::current_exe().map_err(error::io("this executable cannot be found"))?;
    let command: Vec<OsString> = vec![path.into(), "container".into()];
    Ok(emulator::Runtime::Process(command))
}

/// What runs containers, where containers are what is wanted.
pub fn engine(local: &Local) -> Option<Engine> {
    match local.runtime {
        Runtime::Process => None,
        Runtime::Podman => Some(Engine::Podman),
        Runtime::Docker => Some(Engine::Docker),
    }
}

/// What tells the image on this machine from another one of its name.
pub async fn image_id(engine: Engine, local: &Local) -> Result<String> {
    engine.image_id(&local.image).await.map_err(|error| {
        let failure = Failure::new("the image cannot be run here").because(&error);
        match error {
            EngineError::NoImage { .. } => failure.hint(format!("build it: image/build --tag {}", local.image)),
            _ => failure.hint(WITHOUT),
        }
    })
}

/// The variable that names the file which an emulator of ours writes every call to.
const RECORD: &str = "SAGEBRUSH_RECORD";
/// What goes without an engine.
const WITHOUT: &str = "with runtime = \"process\" below [local] in pipeline.toml no engine is needed";

fn settings(local: &Local, host: IpAddr, port: u16) -> Result<emulator::Settings> {
    let state = &local.state;
    let state = std::path::absolute(state).map_err(error::io(format!("{}: no such folder", state.display())))?;
    let record = std::env::var_os(RECORD).filter(|path| !path.is_empty()).map(PathBuf::from);
    Ok(emulator::Settings { state, host, port, runtime: runtime(local)?, record, faults: Vec::new() })
}

fn failed(error: StartError) -> Failure {
    let failure = Failure::new("the emulator does not start").because(&error);
    match error {
        StartError::Listen { .. } => failure.hint("take another port: --port PORT, or --port 0 for any free one"),
        StartError::Held { .. } => {
            failure.hint("use the emulator that runs, stop it, or name another folder with --state")
        }
        StartError::Engine(_) => failure.hint(WITHOUT),
        _ => failure,
    }
}

/// The emulator of `settings.local.state`: the one that runs, else our own.
pub async fn connect(all: &Settings) -> Result<Connection> {
    let settings = settings(&all.local, IpAddr::from([127, 0, 0, 1]), 0)?;
    emulator::connect(settings).await.map_err(failed)
}

/// Where the emulator answers.
#[derive(Debug, Serialize)]
struct Listening {
    url: String,
    region: &'static str,
    account: &'static str,
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listening on {}", self.url)?;
        writeln!(f, "export AWS_ENDPOINT_URL={0} AWS_REGION={1} AWS_DEFAULT_REGION={1}", self.url, self.region)?;
        write!(f, "export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local")
    }
}

/// Serves until `stop` is there; then everything it started is ended.
pub async fn serve(
    local: &Local,
    (host, port): (IpAddr, u16),
    faults: Vec<emulator::Rule>,
    out: &Output,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let settings = emulator::Settings { faults, ..settings(local, host, port)? };
    let running = emulator::start(settings).await.map_err(failed)?;
    let url = running.url().to_owned();
    let said = out.result(&Listening { url, region: emulator::REGION, account: emulator::ACCOUNT });
    if said.is_ok() {
        stop.await;
    }
    running.shutdown().await;
    said
}
