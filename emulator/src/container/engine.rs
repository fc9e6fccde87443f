//! Podman or Docker, through their command lines, which are alike in all that is asked of them here.

use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    path::Path,
    process::{Output, Stdio},
};

use nix::unistd::{getegid, geteuid};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// What runs images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The program `podman`, which needs no daemon.
    Podman,
    /// The program `docker` and its daemon.
    Docker,
}

/// Why an engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Its program cannot be run.
    #[error("`{engine}` cannot be run ({source}); install it")]
    Missing {
        /// Whose program.
        engine: Engine,
        /// What the system said.
        source: io::Error,
    },
    /// It has no such image.
    #[error(
        "{engine} has no image `{image}`, and none is pulled here; build it, or fetch it with `{engine} pull {image}`"
    )]
    NoImage {
        /// The engine asked.
        engine: Engine,
        /// The image that was named.
        image: String,
    },
    /// The child process that stands for an image, or is attached to a container, does not start.
    #[error(transparent)]
    Process(io::Error),
    /// It refused, in its own words.
    #[error("`{command}` failed: {said}")]
    Refused {
        /// The beginning of the command line.
        command: String,
        /// What it said.
        said: String,
    },
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

/// A container to make.
pub(super) struct Wanted<'a> {
    pub name: &'a str,
    pub image: &'a str,
    /// Replaces the image's own, unless it is empty.
    pub entrypoint: &'a [String],
    pub arguments: &'a [OsString],
    pub environment: &'a [(String, String)],
    /// What is seen as `/opt/ml`.
    pub ml_root: &'a Path,
    /// What is seen, and cannot be written, as `/opt/ml/model`.
    pub model: Option<&'a Path>,
}

impl Engine {
    pub(crate) fn program(self) -> &'static str {
        match self {
            Engine::Podman => "podman",
            Engine::Docker => "docker",
        }
    }

    /// Whether it can be asked anything: its program is there, and the daemon of one that has a daemon.
    pub async fn check(self) -> Result<(), EngineError> {
        self.ask(["version"].map(OsString::from).into()).await.map(|_| ())
    }

    /// The id of an image of this machine: another one as soon as anything in the image is.
    pub async fn image_id(self, image: &str) -> Result<String, EngineError> {
        match self.ask(["image", "inspect", "--format", "{{.Id}}", image].map(OsString::from).into()).await {
            Err(EngineError::Refused { said, .. }) if no_image(&said) => {
                Err(EngineError::NoImage { engine: self, image: image.to_owned() })
            }
            other => other,
        }
    }

    /// Makes a container that nothing runs in yet.
    pub(super) async fn create(self, wanted: &Wanted<'_>) -> Result<(), EngineError> {
        let made = self.ask(self.create_arguments(wanted)).await.map(|_| ());
        match made {
            // The engines word it in many ways; they agree where the image is asked for by itself.
            Err(EngineError::Refused { command, said }) => {
                self.image_id(wanted.image).await?;
                Err(EngineError::Refused { command, said })
            }
            other => other,
        }
    }

    /// SageMaker's contract, with the least that a container can do with: nothing but `/opt/ml` can be written, no
    /// capability is there, the user is ours, and an instance is reached on this machine's own loopback.
    fn create_arguments(self, wanted: &Wanted<'_>) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["create", "--name", wanted.name, "--pull", "never", "--network", "host"]
            .into_iter()
            .chain(["--read-only", "--cap-drop", "ALL", "--security-opt", "label=disable"])
            // Its lines reach us through the attached client, and `rm --force` need not wait for it.
            .chain(["--log-driver", "none", "--stop-timeout", "0"])
            .map(OsString::from)
            .collect();
        let mut add = |words: &[&OsStr]| arguments.extend(words.iter().map(|word| word.to_os_string()));
        let user = format!("{}:{}", geteuid(), getegid());
        add(&["--user".as_ref(), user.as_ref()]);
        if self == Engine::Podman {
            add(&["--http-proxy=false".as_ref()]);
            if !geteuid().is_root() {
                // Else our own files would be another user's inside.
                add(&["--userns".as_ref(), "keep-id".as_ref()]);
            }
        }
        add(&["--mount".as_ref(), &mount(wanted.ml_root, "/opt/ml")]);
        if let Some(model) = wanted.model {
            let mut model = mount(model, "/opt/ml/model");
            model.push(",readonly");
            add(&["--mount".as_ref(), &model]);
        }
        for (name, value) in wanted.environment {
            add(&["--env".as_ref(), format!("{name}={value}").as_ref()]);
        }
        if let Some(program) = wanted.entrypoint.first() {
            add(&["--entrypoint".as_ref(), program.as_ref()]);
        }
        add(&[wanted.image.as_ref()]);
        arguments.extend(wanted.entrypoint.iter().skip(1).map(OsString::from));
        arguments.extend(wanted.arguments.iter().cloned());
        arguments
    }

    /// The client that starts a container, hands on its lines, and exits with its code.
    pub(super) fn start(self, name: &str) -> Command {
        let mut command = Command::new(self.program());
        command.args(["start", "--attach", name]);
        command
    }

    /// Whether a container never came to run.
    pub(super) async fn never_ran(self, name: &str) -> bool {
        let asked = ["inspect", "--type", "container", "--format", "{{.State.Status}}", name];
        let status = self.ask(asked.map(OsString::from).into()).await;
        status.is_ok_and(|status| matches!(status.as_str(), "created" | "initialized" | "configured"))
    }

    /// Sends a container SIGTERM.
    pub(super) async fn terminate(self, name: &str) -> Result<(), EngineError> {
        self.ask(["kill", "--signal", "TERM", name].map(OsString::from).into()).await.map(|_| ())
    }

    /// Ends a container and forgets it; one that is gone already is as good.
    pub(super) async fn remove(self, name: &str) -> Result<(), EngineError> {
        gone(self.ask(["rm", "--force", name].map(OsString::from).into()).await)
    }

    /// The same, waited for here.
    pub(super) fn remove_blocking(self, name: &str) -> Result<(), EngineError> {
        let arguments = ["rm", "--force", name].map(OsString::from);
        let output = std::process::Command::new(self.program()).args(&arguments).stdin(Stdio::null()).output();
        gone(self.answer(&arguments, output))
    }

    async fn ask(self, arguments: Vec<OsString>) -> Result<String, EngineError> {
        let output = Command::new(self.program()).args(&arguments).stdin(Stdio::null()).output().await;
        self.answer(&arguments, output)
    }

    fn answer(self, arguments: &[OsString], output: io::Result<Output>) -> Result<String, EngineError> {
        let output = output.map_err(|source| EngineError::Missing { engine: self, source })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let verb = arguments.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stderr);
        Err(EngineError::Refused { command: format!("{self} {verb}"), said: said.trim().to_owned() })
    }
}

/// A bind mount in the words of `--mount`.
fn mount(source: &Path, target: &str) -> OsString {
    let mut words = OsString::from("type=bind,source=");
    words.push(source);
    words.push(format!(",target={target}"));
    words
}

fn no_image(said: &str) -> bool {
    let said = said.to_lowercase();
    said.contains("no such image") || said.contains("image not known")
}

fn gone(removed: Result<String, EngineError>) -> Result<(), EngineError> {
    match removed {
        Err(EngineError::Refused { said, .. }) if said.to_lowercase().contains("no such container") => Ok(()),
        other => other.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(engine: Engine, entrypoint: &[&str], arguments: &[&str], model: Option<&Path>) -> String {
        let entrypoint: Vec<String> = entrypoint.iter().map(|word| word.to_string()).collect();
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let (environment, ml_root) = (&[("A".to_owned(), "b c".to_owned())][..], Path::new("/state/work/x"));
        let wanted = Wanted {
            name: "n",
            image: "i:1",
            entrypoint: &entrypoint,
            arguments: &arguments,
            environment,
            ml_root,
            model,
        };
        let words = engine.create_arguments(&wanted);
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_container_gets_opt_ml_and_nothing_else() {
        let line = created(Engine::Docker, &[], &["train"], None);
        for part in [
            "--pull never",
            "--network host",
            "--read-only --cap-drop ALL",
            "--mount type=bind,source=/state/work/x,target=/opt/ml --env A=b c i:1 train",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(!line.contains("readonly") && !line.contains("http-proxy"), "{line}");
    }

    #[test]
    fn an_entrypoint_replaces_the_images_and_a_model_cannot_be_written() {
        let line = created(Engine::Podman, &["monitor", "--x"], &["y"], Some(Path::new("/m")));
        assert!(line.ends_with("--entrypoint monitor i:1 --x y"), "{line}");
        assert!(line.contains("--mount type=bind,source=/m,target=/opt/ml/model,readonly"), "{line}");
    }

    #[test]
    fn what_is_gone_is_as_good_as_removed() {
        for (said, want) in [
            ("Error: no container with name or ID \"n\" found: no such container", true),
            ("Error response from daemon: No such container: n", true),
            ("Error: cannot remove: permission denied", false),
        ] {
            let refused = Err(EngineError::Refused { command: "podman rm".into(), said: said.into() });
            assert_eq!(gone(refused).is_ok(), want, "{said}");
        }
    }
}
