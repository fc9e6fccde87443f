//! What is run and what it is sent: the probe file, and the flags over it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::{
    contract::Contract,
    error::{KitError, Result},
};

/// Everything that the kit must be told about a subject that it does not know.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// What is judged; empty: all.
    pub contracts: BTreeSet<Contract>,
    /// Names of checks that are not judged.
    pub skip: Vec<String>,
    /// What the training job is given.
    pub training: Training,
    /// What the endpoint is given and sent.
    pub hosting: Hosting,
    /// What the processing job is given.
    pub processing: Processing,
    /// How long is waited.
    pub limits: Limits,
}

/// What the training job is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Folder with a folder a channel; or with files, which are then the channel `train`.
    pub data: Option<PathBuf>,
    /// The same, and not usable; without it, channels with no file.
    pub bad_data: Option<PathBuf>,
    /// As the job's request holds them.
    pub hyperparameters: BTreeMap<String, String>,
    /// The channels' `ContentType`.
    pub content_type: Option<String>,
    /// Over the platform's variables.
    pub environment: BTreeMap<String, String>,
}

/// What the endpoint is given and sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hosting {
    /// What lies in `/opt/ml/model`; without it, what the training job left.
    pub model: Option<PathBuf>,
    /// What is sent; the first is the one that most checks use.
    pub request: Vec<Request>,
    /// A request that cannot be understood.
    pub malformed: Option<Request>,
    /// The environment of the container definition.
    pub environment: BTreeMap<String, String>,
    /// Whether it speaks the multi-model API; without it, the image's label decides.
    pub multi_model: Option<bool>,
    /// Whether it listens on `SAGEMAKER_BIND_TO_PORT`; without it, the image's label decides.
    pub bind_to_port: Option<bool>,
    /// Whether it must also run read-only, without capabilities, as any user.
    pub hardened: bool,
}

/// A request to `/invocations`: its body in the probe file, or in a file beside it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its `Content-Type`.
    pub content_type: String,
    /// Its `Accept`.
    #[serde(default)]
    pub accept: Option<String>,
    /// A text to send.
    #[serde(default)]
    pub body: Option<String>,
    /// A file to send.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Whether somebody said that it is a good one.
    #[serde(skip, default = "yes")]
    pub given: bool,
}

fn yes() -> bool {
    true
}

/// What the processing job is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Processing {
    /// Its program and arguments.
    pub command: Option<String>,
    /// What lies in `/opt/ml/processing/`.
    pub input: Option<PathBuf>,
    /// The same, and not usable.
    pub bad_input: Option<PathBuf>,
    /// The job's environment.
    pub environment: BTreeMap<String, String>,
}

/// How long is waited; the defaults are the contract's.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From start to the first 200 of `/ping`.
    pub startup_seconds: u64,
    /// A try of `/ping`.
    pub ping_seconds: u64,
    /// An answer of `/invocations`.
    pub invocation_seconds: u64,
    /// From SIGTERM to the end of a server.
    pub serve_stop_seconds: u64,
    /// From SIGTERM to the end of a training job.
    pub train_stop_seconds: u64,
    /// A job that is not told to stop.
    pub job_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            startup_seconds: 480,
            ping_seconds: 2,
            invocation_seconds: 60,
            serve_stop_seconds: 30,
            train_stop_seconds: 120,
            job_seconds: 3600,
        }
    }
}

impl Limits {
    pub(crate) fn startup(&self) -> Duration {
        Duration::from_secs(self.startup_seconds)
    }

    pub(crate) fn ping(&self) -> Duration {
        Duration::from_secs(self.ping_seconds)
    }

    pub(crate) fn invocation(&self) -> Duration {
        Duration::from_secs(self.invocation_seconds)
    }

    pub(crate) fn serve_stop(&self) -> Duration {
        Duration::from_secs(self.serve_stop_seconds)
    }

    pub(crate) fn train_stop(&self) -> Duration {
        Duration::from_secs(self.train_stop_seconds)
    }

    pub(crate) fn job(&self) -> Duration {
        Duration::from_secs(self.job_seconds)
    }
}

impl Plan {
    /// Reads a probe file; its paths are relative to it.
    pub fn read(path: &Path) -> Result<Plan> {
        let usage = |error: &dyn std::fmt::Display| KitError::Usage(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|e| usage(&e))?;
        let mut plan: Plan = toml::from_str(&text).map_err(|e| usage(&e))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let files = plan.hosting.request.iter_mut().chain(&mut plan.hosting.malformed).filter_map(|r| r.file.as_mut());
        let folders = [
            &mut plan.training.data,
            &mut plan.training.bad_data,
            &mut plan.hosting.model,
            &mut plan.processing.input,
            &mut plan.processing.bad_input,
        ];
        folders.into_iter().flatten().chain(files).for_each(|path| *path = folder.join(&*path));
        Ok(plan)
    }

    /// Whether a contract is to be judged.
    pub fn judges(&self, contract: Contract) -> bool {
        self.contracts.is_empty() || self.contracts.contains(&contract)
    }

    /// Refuses folders that are not there, and names of checks that do not exist.
    pub fn check(&self) -> Result<()> {
        for (what, folder) in [
            ("the training data", &self.training.data),
            ("the bad training data", &self.training.bad_data),
            ("the model", &self.hosting.model),
            ("the processing input", &self.processing.input),
            ("the bad processing input", &self.processing.bad_input),
        ] {
            if let Some(folder) = folder.as_ref().filter(|folder| !folder.is_dir()) {
                let shown = folder.display();
                return Err(KitError::Usage(format!("{shown}: {what} should be a folder, and there is none")));
            }
        }
        match self.skip.iter().find(|id| !crate::CHECKS.iter().any(|check| check.id == **id)) {
            Some(id) => Err(KitError::Usage(format!(
                "there is no check `{id}` to skip; the table names them, as hosting.malformed"
            ))),
            None => Ok(()),
        }
    }
}

impl Request {
    /// The bytes of its body.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        match (&self.body, &self.file) {
            (Some(text), None) => Ok(text.clone().into_bytes()),
            (None, Some(path)) => fs::read(path).map_err(|e| KitError::Usage(format!("{}: {e}", path.display()))),
            _ => {
                Err(KitError::Usage(format!("the request of type {} needs either `body` or `file`", self.content_type)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_file_is_read_with_its_paths_beside_it_and_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("probe.toml");
        fs::write(&path, "contracts = [\"multi-model\"]\n[training]\ndata = \"d\"\n[[hosting.request]]\ncontent_type = \"text/csv\"\nfile = \"one.csv\"\n").expect("write");
        let plan = Plan::read(&path).expect("a plan");
        assert_eq!(plan.training.data, Some(folder.path().join("d")));
        assert_eq!(plan.hosting.request[0].file, Some(folder.path().join("one.csv")));
        assert!(plan.hosting.request[0].given);
        assert!(plan.judges(Contract::MultiModel) && !plan.judges(Contract::Training));
        assert!(plan.check().expect_err("no folder d").to_string().contains("the training data"));
        fs::write(&path, "[hosting]\nmodle = \"m\"\n").expect("write");
        assert!(Plan::read(&path).expect_err("refused").to_string().contains("modle"));
    }
}
