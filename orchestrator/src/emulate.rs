//! The subcommand `emulator`: SageMaker and S3 on loopback for any client, until it is stopped.

use std::{ffi::OsString, fmt, net::IpAddr, path::Path};

use emulator::{Connection, StartError};
use serde::Serialize;

use crate::{
    error::{self, Failure, Result},
    output::Output,
    settings::Settings,
};

/// What the emulator runs for every image: this executable.
fn container() -> Result<Vec<OsString>> {
    let path = std::env::current_exe().map_err(error::io("this executable cannot be found"))?;
    Ok(vec![path.into(), "container".into()])
}

fn settings(state: &Path, host: IpAddr, port: u16) -> Result<emulator::Settings> {
    let state = std::path::absolute(state).map_err(error::io(format!("{}: no such folder", state.display())))?;
    Ok(emulator::Settings { state, host, port, container: container()? })
}

fn failed(error: StartError) -> Failure {
    let failure = Failure::new("the emulator does not start").because(&error);
    match error {
        StartError::Listen { .. } => failure.hint("take another port: --port PORT, or --port 0 for any free one"),
        StartError::Held { .. } => {
            failure.hint("use the emulator that runs, stop it, or name another folder with --state")
        }
        _ => failure,
    }
}

/// The emulator of `settings.local.state`: the one that runs, else our own.
pub async fn connect(all: &Settings) -> Result<Connection> {
    let settings = settings(&all.local.state, IpAddr::from([127, 0, 0, 1]), 0)?;
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
pub async fn serve(state: &Path, host: IpAddr, port: u16, out: &Output, stop: impl Future<Output = ()>) -> Result<()> {
    let running = emulator::start(settings(state, host, port)?).await.map_err(failed)?;
    let url = running.url().to_owned();
    let said = out.result(&Listening { url, region: emulator::REGION, account: emulator::ACCOUNT });
    if said.is_ok() {
        stop.await;
    }
    running.shutdown().await;
    said
}
