//! Why a job could not be done. A violation is a finding, not one of these.

use std::io;
use std::path::PathBuf;

/// Each says where, what was found, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// A variable of the job's environment has a value that means nothing.
    #[error("environment variable {name} is `{found}`; expected {expected}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it could be.
        expected: String,
    },
    /// A file or folder could not be read or written.
    #[error("{path}: {source}; {hint}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// A file of data is not what it should be.
    #[error("{file}{}: {found}; expected {expected}", line.map(|l| format!(":{l}")).unwrap_or_default())]
    Data {
        /// Which.
        file: PathBuf,
        /// Where in it.
        line: Option<u64>,
        /// What was found.
        found: String,
        /// What was expected, and what to do.
        expected: String,
    },
    /// The baseline does not belong to the artifact at hand.
    #[error(
        "{file}: the baseline splits text with {baseline}, the artifact with {artifact}; make the baseline again with this artifact"
    )]
    OtherAnalyzer {
        /// The baseline's file.
        file: PathBuf,
        /// Its analyzer.
        baseline: String,
        /// The artifact's.
        artifact: String,
    },
    /// The artifact could not be opened.
    #[error(transparent)]
    Artifact(#[from] model::ArtifactError),
}

impl MonitorError {
    /// For `map_err` on file operations.
    pub(crate) fn io(path: impl Into<PathBuf>, hint: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source, hint }
    }
}

/// What everything here returns.
pub type Result<T, E = MonitorError> = std::result::Result<T, E>;
