//! A program of this machine. It is told the folder that stands for `/opt/ml`, and the port, in its command line.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use super::{Role, Running, Start, Told, process::Ends};
use crate::error::{KitError, Result, machine};

/// The programs of a subject, one a contract.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// What trains.
    pub train: Option<Template>,
    /// What serves.
    pub serve: Option<Template>,
    /// What processes.
    pub process: Option<Template>,
}

/// A command line with `{ml_root}`, `{port}` and `{argument}` in it.
#[derive(Clone, Debug)]
pub struct Template(Vec<String>);

impl Template {
    /// Splits as a shell would, without a shell.
    pub fn parse(text: &str) -> Result<Template> {
        let words = shlex::split(text).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| {
            KitError::Usage(format!("`{text}` is no command: a quote is not closed, or nothing is there"))
        })?;
        if !words.iter().any(|word| word.contains("{ml_root}")) {
            return Err(KitError::Usage(format!(
                "`{text}` does not say where its folder is; put {{ml_root}} where it takes the folder laid out as /opt/ml, or give an image"
            )));
        }
        Ok(Template(words))
    }

    fn holds(&self, placeholder: &str) -> bool {
        self.0.iter().any(|word| word.contains(placeholder))
    }

    fn fill(&self, argument: Option<&str>, root: &Path, port: Option<u16>) -> Vec<String> {
        let argument = argument.unwrap_or_default();
        let port = port.map(|port| port.to_string()).unwrap_or_default();
        let fill = |word: &String| {
            word.replace("{argument}", argument).replace("{ml_root}", &root.to_string_lossy()).replace("{port}", &port)
        };
        self.0.iter().map(fill).collect()
    }
}

impl Program {
    /// One command for training and hosting, told apart by the platform's argument: where `{argument}` stands, else last.
    pub fn one(text: &str) -> Result<Program> {
        let mut template = Template::parse(text)?;
        if !template.holds("{argument}") {
            template.0.push("{argument}".to_owned());
        }
        Ok(Program { train: Some(template.clone()), serve: Some(template), process: None })
    }

    fn template(&self, role: Role) -> Option<&Template> {
        match role {
            Role::Train => self.train.as_ref(),
            Role::Serve => self.serve.as_ref(),
            Role::Process => self.process.as_ref(),
        }
    }

    pub(super) fn offers(&self, role: Role) -> std::result::Result<(), &'static str> {
        self.template(role).map(drop).ok_or(match role {
            Role::Train => "no command for it was given (--train)",
            Role::Serve => "no command for it was given (--serve)",
            Role::Process => "no command for it was given (--process)",
        })
    }

    pub(super) fn takes_port(&self) -> bool {
        self.serve.as_ref().is_some_and(|template| template.holds("{port}"))
    }

    pub(super) fn shown(&self) -> String {
        let mut shown: Vec<String> = Vec::new();
        for template in [&self.train, &self.serve, &self.process].into_iter().flatten() {
            let text = template.0.join(" ");
            if !shown.contains(&text) {
                shown.push(text);
            }
        }
        shown.join("; ")
    }

    pub(super) fn start(&self, start: Start<'_>) -> Result<Running> {
        let none = || KitError::Usage("no command for it was given".to_owned());
        let template = self.template(start.role).ok_or_else(none)?;
        let mut words = template.fill(start.role.argument(), start.root.path(), start.port.map(|port| port.inside));
        if start.isolated {
            let shell = ["unshare", "--net", "sh", "-c", r#"ip link set lo up && exec "$@""#, "sh"];
            words.splice(..0, shell.map(str::to_owned));
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        for ours in ["SAGEMAKER_BIND_TO_PORT", "SAGEMAKER_MULTI_MODEL", "SAGEMAKER_BATCH"] {
            command.env_remove(ours);
        }
        if let Some(port) = start.port.filter(|port| port.told == Told::Variable) {
            command.env("SAGEMAKER_BIND_TO_PORT", port.inside.to_string());
        }
        command.envs(start.environment).process_group(0);
        Running::spawn(command, Ends::Group).map_err(machine(format_args!("`{}` cannot be started", words.join(" "))))
    }
}

/// Whether a program can be started in a network namespace of its own here.
pub(super) fn isolation() -> std::result::Result<(), String> {
    let tried = std::process::Command::new("unshare").args(["--net", "ip", "link", "set", "lo", "up"]).output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(format!("this machine does not let the kit take the network away: {why}"))
        }
        Err(e) => Err(format!("this machine does not let the kit take the network away: unshare: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_after_the_words_are_split() {
        let template = Template::parse("a '--root={ml_root}' {argument} --port {port}").expect("template");
        let filled = template.fill(Some("serve"), Path::new("/tmp/a b"), Some(81));
        assert_eq!(filled, ["a", "--root=/tmp/a b", "serve", "--port", "81"]);
        for bad in ["", "serve 'x", "serve --port {port}"] {
            assert!(matches!(Template::parse(bad), Err(KitError::Usage(_))), "{bad}");
        }
    }
}
