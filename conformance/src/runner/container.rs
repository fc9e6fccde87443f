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

/// Whether a failure is the engine's own: 125, or 126 and 127 where they do not say that the program is not in the image.
pub(super) fn is_engines(code: i32, said: &str) -> bool {
    let last = said.lines().last().unwrap_or_default();
    let of_engine = last.starts_with("Error: ") || last.starts_with("docker: ");
    let of_program =
        ["executable file", "exec format error", "Exec format error", "exec: "].iter().any(|text| last.contains(text));
    code == 125 || matches!(code, 126 | 127) && of_engine && !of_program
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_says_how_it_is_started_and_what_it_can() {
        let label = |name: &str| format!("com.amazonaws.sagemaker.capabilities.{name}");
        let config = Config::read(&json!({"Config": {
            "Entrypoint": ["/bin/sh", "-c", "python serve.py"], "User": "1000:1000",
            "Labels": {label("multi-models"): "true", label("accept-bind-to-port"): "false"},
        }}));
        assert!(config.multi_models && !config.bind_to_port);
        let image = |config| Image {
            name: "i".into(),
            engine: vec!["podman".into()],
            options: Vec::new(),
            network: Network::Host,
            process: None,
            config,
        };
        let shell = image(config);
        assert_eq!(shell.shell().as_deref(), Some("/bin/sh -c python serve.py"));
        assert_eq!(shell.other_user(), Some("1000:1000"));
        for user in ["", "root", "0", "0:0"] {
            let value = json!({"Config": {"Entrypoint": ["/usr/bin/serve"], "User": user, "Labels": null}});
            let image = image(Config::read(&value));
            assert_eq!((image.shell(), image.other_user(), image.multi_models()), (None, None, false), "{user}");
        }
    }

    #[test]
    fn a_failure_of_the_engine_is_told_from_one_of_the_program() {
        for (code, said, engines) in [
            (125, "Error: statfs /x: no such file or directory", true),
            (127, "Error: netavark: No such file or directory (os error 2)", true),
            (126, "Error: OCI runtime error: crun: create cgroup: Operation not permitted", true),
            (
                127,
                "Error: runc: runc create failed: exec: \"train\": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found",
                false,
            ),
            (127, "docker: Error response from daemon: exec: \"serve\": executable file not found in $PATH", false),
            (127, "sh: train: not found", false),
            (1, "Error: no data", false),
        ] {
            assert_eq!(is_engines(code, said), engines, "{code} {said}");
        }
    }
}
