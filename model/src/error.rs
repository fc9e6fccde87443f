//! What can go wrong in a fit, and in opening or saving an artifact.

use std::io;
use std::path::PathBuf;

use crate::settings::SettingError;

/// Why there is no fitted classifier.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A setting no fit could use.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// No document holds a term.
    #[error(
        "no terms in {documents} documents; they may be empty or hold only stop words: check the text column, the analyzer and the stop words"
    )]
    EmptyVocabulary {
        /// Documents read.
        documents: usize,
    },
    /// Pruning left nothing.
    #[error(
        "after pruning by min_df={min_df} and max_df={max_df}, no terms remain; try a lower min_df or a higher max_df"
    )]
    NothingRemains {
        /// The lower bound, documents.
        min_df: f64,
        /// The upper bound, documents.
        max_df: f64,
    },
    /// The upper bound is under the lower.
    #[error("max_df corresponds to {max_df} documents and min_df to {min_df}; max_df must not be the smaller")]
    CrossedFrequencies {
        /// The lower bound, documents.
        min_df: f64,
        /// The upper bound, documents.
        max_df: f64,
    },
    /// Numbers of terms or bytes past 32 bits.
    #[error(
        "the vocabulary outgrows its 32-bit numbers ({terms} terms, {bytes} bytes); raise min_df or set max_features"
    )]
    VocabularyTooLarge {
        /// Terms so far.
        terms: usize,
        /// Bytes of their text.
        bytes: usize,
    },
    /// A row and a target for each are needed.
    #[error("{rows} rows of records but {targets} targets; give one target a row")]
    Mismatch {
        /// Rows of the records.
        rows: usize,
        /// Number of targets.
        targets: usize,
    },
    /// A target outside the classes.
    #[error("target {target} of row {row} is not below the number of classes, {classes}")]
    UnknownTarget {
        /// The row, from 0.
        row: usize,
        /// Its target.
        target: usize,
        /// The number of classes.
        classes: usize,
    },
    /// There is nothing to tell apart.
    #[error("{classes} class: a classifier needs two or more; check the labels")]
    OneClass {
        /// The number of classes.
        classes: usize,
    },
    /// A class without a row.
    #[error("class {class} of {classes} has no row to learn from; add rows or remove the class")]
    EmptyClass {
        /// The class, from 0.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// linfa's algorithms need dense records, and these would not fit.
    #[error(
        "{algorithm} needs dense records: {rows} rows x {columns} terms are {bytes} bytes, above the limit of {limit}; \
         use algorithm=logistic with solver=sparse, or fewer terms (max_features, min_df)"
    )]
    DenseTooLarge {
        /// Who needs them.
        algorithm: &'static str,
        /// Rows of the records.
        rows: usize,
        /// Terms.
        columns: usize,
        /// Bytes they would take.
        bytes: u64,
        /// Bytes they may take.
        limit: u64,
    },
    /// A setting that this algorithm cannot follow.
    #[error("{algorithm} has no {setting}; {instead}")]
    Unsupported {
        /// The algorithm or solver.
        algorithm: &'static str,
        /// The setting.
        setting: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// The classifier to start from is of another shape.
    #[error(
        "the classifier to start from has {found}, the data {expected}; start from one of the same vocabulary and classes, or from none"
    )]
    Start {
        /// What was given.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The objective left the finite numbers.
    #[error("the objective is not finite at iteration {iteration}; scale the data (norm=l2) or lower C")]
    NotFinite {
        /// The iteration, from 0.
        iteration: u64,
    },
    /// linfa failed.
    #[error("linfa: {0}")]
    Linfa(#[from] linfa::Error),
    /// linfa-logistic failed.
    #[error("linfa-logistic: {0}; use solver=sparse")]
    LinfaLogistic(#[from] linfa_logistic::error::Error),
}

/// Why an artifact cannot be opened or saved.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The system refused.
    #[error("{path}: {what}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is damaged, foreign, or says what is not so.
    #[error("{path}: {reason}; {remedy}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// Why a prediction is not explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The classifier has no terms' weights.
    #[error(transparent)]
    NotLinear(#[from] NotLinear),
    /// The artifact is damaged.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

impl ArtifactError {
    pub(crate) fn io(path: impl Into<PathBuf>, what: &'static str, source: io::Error) -> Self {
        ArtifactError::Io { path: path.into(), what, source }
    }
}

/// A score that is no sum over terms, and so is not explained by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only a linear classifier (algorithm=logistic) explains itself by terms")]
pub struct NotLinear;
