//! An image, run by podman or docker as SageMaker runs it: `IMAGE train` and `IMAGE serve` over a folder at `/opt/ml`.

use std::{
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
};

use clap::ValueEnum;
use serde_json::Value;
use tokio::process::Command;

use super::{
    Role, Running, Start, Told,
    process::{Ends, engine},
};
use crate::error::{KitError, Result, machine};

/// How a server in a container is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Network {
    /// Its port is published on a free port of loopback.
    #[default]
    Publish,
    /// It shares this machine's network.
    Host,
}

/// An image and how it is run.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its name for the engine.
    pub name: String,
    /// The engine's program and the words before `run`.
    pub engine: Vec<String>,
    /// Words after `run`.
    pub options: Vec<String>,
    /// How its server is reached.
    pub network: Network,
    /// Entrypoint and arguments of the processing job.
    pub process: Option<Vec<String>>,
    config: Config,
}

/// What the image says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
struct Config {
    entrypoint: Vec<String>,
    user: String,
    multi_models: bool,
    bind_to_port: bool,
}

impl Image {
    /// Looks at an image that the engine has.
    pub async fn inspect(
        name: &str,
        words: Vec<String>,
        options: Vec<String>,
        network: Network,
        process: Option<Vec<String>>,
    ) -> Result<Image> {
        let shown = words.join(" ");
        let asked = engine(&words, &["image", "inspect", name]).output().await;
        let asked = asked.map_err(machine(format_args!("`{shown}` cannot be started; install it, name another with --engine, or give a command in place of an image")))?;
        if !asked.status.success() {
            let why = String::from_utf8_lossy(&asked.stderr);
            return Err(KitError::Machine(format!(
                "`{shown}` has no image `{name}`: {}; pull or build it first, or, if it is a program, give --engine none",
                why.trim()
            )));
        }
        let value: Value = serde_json::from_slice(&asked.stdout)
            .map_err(machine(format_args!("`{shown} image inspect {name}` printed no JSON")))?;
        Ok(Image { name: name.to_owned(), engine: words, options, network, process, config: Config::read(&value[0]) })
    }

    /// Whether the label says that it speaks the multi-model API.
    pub fn multi_models(&self) -> bool {
        self.config.multi_models
    }

    /// Whether the label says that it listens where it is told.
    pub fn binds_to_port(&self) -> bool {
        self.config.bind_to_port
    }

    /// The user that it runs as, where that is not root.
    pub(crate) fn other_user(&self) -> Option<&str> {
        let user = self.config.user.as_str();
        (!matches!(user.split(':').next(), None | Some("" | "root" | "0"))).then_some(user)
    }

    /// The shell that stands between the platform's signals and the program, where there is one.
    pub(crate) fn shell(&self) -> Option<String> {
        let words = &self.config.entrypoint;
        let shell =
            words.first().is_some_and(|word| matches!(word.rsplit('/').next(), Some("sh" | "bash" | "dash" | "ash")));
        (shell && words.get(1).is_some_and(|word| word == "-c")).then(|| words.join(" "))
    }

    pub(super) fn offers(&self, role: Role) -> std::result::Result<(), &'static str> {
        match role {
            Role::Process if self.process.is_none() => Err("no command for it was given (--process)"),
            _ => Ok(()),
        }
    }

    pub(super) fn start(&self, start: Start<'_>) -> Result<Running> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("conformance-{}-{number}", std::process::id());
        let mut command = engine(&self.engine, &["run", "--rm", "--name", &name]);
        let root = start.root.path().display();
        command.args(["--volume", &format!("{root}:/opt/ml")]);
        for below in start.root.sealed() {
            let below = below.display();
            command.args(["--volume", &format!("{root}/{below}:/opt/ml/{below}:ro")]);
        }
        match (start.isolated, self.network) {
            (true, _) => drop(command.args(["--network", "none"])),
            (false, Network::Host) => drop(command.args(["--network", "host"])),
            (false, Network::Publish) => {
                if let Some(port) = start.port {
                    command.args(["--publish", &format!("127.0.0.1:{}:{}", port.outside, port.inside)]);
                }
            }
        }
        if start.hardened {
            command.args(["--read-only", "--cap-drop", "ALL", "--user", "10001:10001"]);
        }
        if let Some(port) = start.port.filter(|port| port.told == Told::Variable) {
            command.args(["--env", &format!("SAGEMAKER_BIND_TO_PORT={}", port.inside)]);
        }
        for (key, value) in &start.environment {
            command.args(["--env", &format!("{key}={value}")]);
        }
        command.args(&self.options);
        match (start.role, &self.process) {
            (Role::Process, Some(words)) => {
                command.args(["--entrypoint", words.first().map_or("", String::as_str), &self.name]);
                command.args(words.iter().skip(1));
            }
            _ => drop(command.arg(&self.name).args(start.role.argument())),
        }
        command.process_group(0);
        let ends = Ends::Engine { words: self.engine.clone(), name };
        Running::spawn(command, ends).map_err(machine(format_args!("`{}` cannot be started", self.engine.join(" "))))
    }
}

impl Config {
    fn read(image: &Value) -> Config {
        let config = &image["Config"];
        let label = |name: &str| {
            let label = &config["Labels"][format!("com.amazonaws.sagemaker.capabilities.{name}")];
            label.as_str().is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let words = config["Entrypoint"].as_array().into_iter().flatten();
        Config {
            entrypoint: words.filter_map(Value::as_str).map(str::to_owned).collect(),
            user: config["User"].as_str().unwrap_or_default().to_owned(),
            multi_models: label("multi-models"),
            bind_to_port: label("accept-bind-to-port"),
        }
    }
}

/// The engine of this machine: podman, else docker.
pub(crate) async fn found() -> Result<Vec<String>> {
    for name in ["podman", "docker"] {
        let asked = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        if asked.is_ok_and(|status| status.success()) {
            return Ok(vec![name.to_owned()]);
        }
    }
    Err(KitError::Machine("neither podman nor docker is on this machine; install one, name another with --engine, or give a command in place of an image".to_owned()))
}
