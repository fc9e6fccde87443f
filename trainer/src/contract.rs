//! The training container's contract: what lies where below `/opt/ml`, and how SageMaker writes it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Characters of a failure's reason that SageMaker keeps.
const FAILURE_CHARACTERS: usize = 1024;

/// What cannot be done with the container's folder as it was found.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// A file that is there cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A configuration file is not what SageMaker writes there.
    #[error("{}: {message}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// The job asks for what this version does not do, or lacks what it must have.
    #[error("{0}")]
    Job(String),
}

/// The folder that SageMaker mounts at `/opt/ml`.
#[derive(Clone, Debug)]
pub struct MlRoot(PathBuf);

/// The channels that the job has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Fitted on.
    pub train: Source,
    /// Only measured.
    pub validation: Option<Source>,
    /// Evaluated for the gate.
    pub test: Option<Source>,
    /// Channels that nothing here reads.
    pub ignored: Vec<String>,
}

/// How a channel's data come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputMode {
    /// Copied to a folder before the start.
    File,
    /// A folder whose files are fetched as they are read.
    FastFile,
    /// One stream of all files, through the FIFO `input/data/<channel>_0`.
    Pipe,
}

/// Where a channel's data are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The channel's folder; in Pipe mode its name with `_0` is the FIFO.
    pub folder: PathBuf,
    /// How they come in.
    pub mode: InputMode,
    /// The media type that the job gives them.
    pub content_type: Option<String>,
}

/// One entry of `inputdataconfig.json`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChannelConfig {
    #[serde(default)]
    training_input_mode: Option<String>,
    #[serde(default)]
    content_type: Option<String>,
}

/// `resourceconfig.json`.
#[derive(Deserialize)]
struct ResourceConfig {
    #[serde(default)]
    hosts: Vec<String>,
}

impl MlRoot {
    /// `root` stands for `/opt/ml`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// Where the artifact goes; becomes `model.tar.gz`.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.0.join("model")
    }

    /// Where all goes that is not the artifact.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.0.join("output")
    }

    /// Where the evaluation goes; becomes part of `output.tar.gz`.
    #[must_use]
    pub fn evaluation(&self) -> PathBuf {
        self.0.join("output/data/evaluation.json")
    }

    /// The same as a page for a person, beside it.
    #[must_use]
    pub fn page(&self) -> PathBuf {
        self.0.join("output/data/evaluation.html")
    }

    /// What was predicted for each row of the test channel, beside it.
    #[must_use]
    pub fn predictions(&self) -> PathBuf {
        self.0.join("output/data/predictions.jsonl")
    }

    /// What outlives an interruption: restored before the start, kept as it changes.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// Where the reason of a failure goes.
    #[must_use]
    pub fn failure(&self) -> PathBuf {
        self.0.join("output/failure")
    }

    fn config(&self, name: &str) -> PathBuf {
        self.0.join("input/config").join(name)
    }

    /// The hyperparameters as text. A missing file is a job without any; one layer of JSON string, which the SageMaker
    /// Python SDK v2 puts around every value, is taken off.
    pub fn hyperparameters(&self) -> Result<BTreeMap<String, String>, ContractError> {
        let path = self.config("hyperparameters.json");
        let values: BTreeMap<String, Value> = read_json(&path)?.unwrap_or_default();
        let text = |(name, value): (String, Value)| match value {
            Value::String(text) => {
                let text = serde_json::from_str::<String>(&text).unwrap_or(text);
                Ok((name, text))
            }
            Value::Number(_) | Value::Bool(_) => Ok((name, value.to_string())),
            other => Err(ContractError::Config {
                path: path.clone(),
                message: format!("{name} is {other}; expected a string"),
            }),
        };
        values.into_iter().map(text).collect()
    }

    /// The channels named by `inputdataconfig.json`; where that is missing (a plain folder on a laptop) the folders
    /// below `input/data`.
    pub fn channels(&self) -> Result<Channels, ContractError> {
        let data = self.0.join("input/data");
        let path = self.config("inputdataconfig.json");
        let mut configs = match read_json::<BTreeMap<String, ChannelConfig>>(&path)? {
            Some(configs) => configs,
            None => sub_folders(&data)?.into_iter().map(|name| (name, ChannelConfig::default())).collect(),
        };
        let mut take = |name: &str| configs.remove(name).map(|config| config.source(name, &data)).transpose();
        let (train, validation, test) = (take("train")?, take("validation")?, take("test")?);
        let names: Vec<String> = configs.into_keys().collect();
        let Some(train) = train else {
            let found = if names.is_empty() { "none".into() } else { names.join(", ") };
            return Err(ContractError::Job(format!(
                "there is no channel `train`; put the training files into {} (other channels found: {found})",
                data.join("train").display()
            )));
        };
        Ok(Channels { train, validation, test, ignored: names })
    }

    /// Refuses a job on several hosts: each would fit a model of its own and overwrite the others'.
    pub fn check_hosts(&self) -> Result<(), ContractError> {
        let config: Option<ResourceConfig> = read_json(&self.config("resourceconfig.json"))?;
        match config {
            Some(ResourceConfig { hosts }) if hosts.len() > 1 => Err(ContractError::Job(format!(
                "the job has {} hosts ({}); this version trains on one: set InstanceCount to 1",
                hosts.len(),
                hosts.join(", ")
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses a root that is not there, before anything is written below it.
    pub fn check_root(&self) -> Result<(), ContractError> {
        if self.0.is_dir() {
            return Ok(());
        }
        Err(ContractError::Job(format!(
            "{}: there is no such folder; --ml-root takes a folder laid out as SageMaker's /opt/ml",
            self.0.display()
        )))
    }

    /// Leaves the reason where SageMaker looks for it, cut to what it keeps. Without a root there is nowhere to leave it.
    pub fn write_failure(&self, reason: &str) -> Result<(), ContractError> {
        if !self.0.is_dir() {
            return Ok(());
        }
        let mut cut: String = reason.chars().take(FAILURE_CHARACTERS).collect();
        if cut.len() < reason.len() {
            cut.pop();
            cut.push('…');
        }
        write_aside(&self.failure(), cut.as_bytes())
    }

    /// Removes what an earlier run left at `path` and would now be untrue.
    pub fn remove_stale(&self, path: &Path) -> Result<(), ContractError> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ContractError::Write { path: path.into(), source })
            }
            _ => Ok(()),
        }
    }
}

/// Writes a file under a temporary name in the same folder, made if missing, and renames it into place.
pub fn write_aside(path: &Path, bytes: &[u8]) -> Result<(), ContractError> {
    let aside = path.with_extension("partial");
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&aside, bytes)?;
        fs::rename(&aside, path)
    };
    write().map_err(|source| {
        // The write's own error is the one to tell.
        let _ = fs::remove_file(&aside);
        ContractError::Write { path: path.into(), source }
    })
}

impl ChannelConfig {
    /// The channel `name` below `data`, whose folder is there unless it comes through a FIFO.
    fn source(self, name: &str, data: &Path) -> Result<Source, ContractError> {
        let mode = match self.training_input_mode.as_deref() {
            None | Some("File") => InputMode::File,
            Some("FastFile") => InputMode::FastFile,
            Some("Pipe") => InputMode::Pipe,
            Some(other) => {
                return Err(ContractError::Job(format!(
                    "channel `{name}` has the input mode {other:?}; expected File, FastFile or Pipe"
                )));
            }
        };
        let folder = data.join(name);
        if mode != InputMode::Pipe && !folder.is_dir() {
            return Err(ContractError::Job(format!(
                "{}: the channel's folder is missing; inputdataconfig.json names it",
                folder.display()
            )));
        }
        Ok(Source { folder, mode, content_type: self.content_type })
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ContractError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| ContractError::Config {
            path: path.into(),
            message: format!("is not what SageMaker writes there: {error}"),
        }),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ContractError::Read { path: path.into(), source }),
    }
}

fn sub_folders(folder: &Path) -> Result<Vec<String>, ContractError> {
    let error = |source| ContractError::Read { path: folder.into(), source };
    let entries = match fs::read_dir(folder) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(error)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(error)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let folder = tempfile::tempdir().unwrap();
        let root = MlRoot::new(folder.path());
        root.write_failure(&"ü".repeat(2000)).unwrap();
        let left = fs::read_to_string(root.failure()).unwrap();
        assert_eq!(left.chars().count(), FAILURE_CHARACTERS);
        assert!(left.ends_with("ü…"));
        root.write_failure("short").unwrap();
        assert_eq!(fs::read_to_string(root.failure()).unwrap(), "short");
    }

    #[test]
    fn one_layer_of_json_string_is_taken_off() {
        let folder = tempfile::tempdir().unwrap();
        let root = MlRoot::new(folder.path());
        assert_eq!(root.hyperparameters().unwrap(), BTreeMap::new());
        fs::create_dir_all(folder.path().join("input/config")).unwrap();
        let json = r#"{"a": "\"tree\"", "b": "tree", "c": "\"\\\"x\\\"\"", "d": "1.5", "e": "\"", "f": 2, "g": true}"#;
        fs::write(root.config("hyperparameters.json"), json).unwrap();
        let found = root.hyperparameters().unwrap();
        for (name, want) in
            [("a", "tree"), ("b", "tree"), ("c", "\"x\""), ("d", "1.5"), ("e", "\""), ("f", "2"), ("g", "true")]
        {
            assert_eq!(found[name], want, "{name}");
        }
    }
}
