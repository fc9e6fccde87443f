//! Where an evaluated artifact comes from: data, search, fit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What was fitted, on what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Documents fitted on.
    pub rows: u64,
    /// Documents a class.
    pub class_rows: BTreeMap<String, u64>,
    /// Terms in the vocabulary.
    pub terms: u64,
    /// Stored values of the records.
    pub non_zeros: u64,
    /// Settings as used, after `auto` was decided and tuning done; hyperparameter names.
    pub parameters: BTreeMap<String, String>,
    /// Iterations of the solver; none where it has none.
    pub iterations: Option<u64>,
    /// Whether the solver ended by its tolerance.
    pub converged: Option<bool>,
    /// Wall time of reading, featurizing and fitting, seconds.
    pub seconds: f64,
    /// Version of Sagebrush.
    pub version: String,
}

/// The search for settings by cross-validation on the training channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Folds.
    pub folds: u64,
    /// What was compared: `accuracy`.
    pub metric: String,
    /// In the order tried.
    pub candidates: Vec<Candidate>,
    /// Index of the winner.
    pub chosen: usize,
    /// Why it won, a sentence.
    pub reason: String,
    /// Rows of the training channel that the search saw; none: all.
    #[serde(default)]
    pub rows: Option<u64>,
    /// CPU time of the whole search, seconds.
    #[serde(default)]
    pub cost_seconds: Option<f64>,
    /// The same in fits of the winner.
    #[serde(default)]
    pub cost_in_fits: Option<f64>,
}

impl Tuning {
    /// Places of the candidates as a reader wants them: the chosen one, then the longest in the race, of those the best.
    pub fn ranked(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        let seen = |place: usize| self.candidates[place].folds_seen.unwrap_or(self.folds);
        let mean = |place: usize| self.candidates[place].mean;
        order.sort_by(|&a, &b| {
            let chosen = (b == self.chosen).cmp(&(a == self.chosen));
            chosen.then(seen(b).cmp(&seen(a))).then(mean(b).total_cmp(&mean(a)))
        });
        order
    }

    /// Settings that have more than one value among the candidates that have them at all, ascending; all of them where there
    /// is one candidate.
    pub fn differing(&self) -> Vec<&str> {
        let names: BTreeSet<&str> =
            self.candidates.iter().flat_map(|candidate| candidate.parameters.keys()).map(String::as_str).collect();
        let values = |name: &str| -> BTreeSet<&String> {
            self.candidates.iter().filter_map(|candidate| candidate.parameters.get(name)).collect()
        };
        names.into_iter().filter(|name| self.candidates.len() == 1 || values(name).len() > 1).collect()
    }
}

/// One candidate of the search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The settings that differ between candidates.
    pub parameters: BTreeMap<String, String>,
    /// Mean of the metric over the folds.
    pub mean: f64,
    /// Its standard error over the folds seen; 0 of one fold.
    pub standard_error: f64,
    /// Folds it was measured on; none: all.
    #[serde(default)]
    pub folds_seen: Option<u64>,
    /// Folds after which it was raced out; none: it stayed to the end.
    #[serde(default)]
    pub eliminated_after: Option<u64>,
    /// Mean log loss over the folds seen, nats.
    #[serde(default)]
    pub log_loss: Option<f64>,
    /// CPU time of its folds, seconds.
    #[serde(default)]
    pub cost_seconds: Option<f64>,
    /// Why it was raced out or lost, or won; a sentence.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Candidate {
    /// The standard error of the mean over the folds seen of `folds`; none of a single fold, which has no spread.
    pub(crate) fn error(&self, folds: u64) -> Option<f64> {
        (self.folds_seen.unwrap_or(folds) > 1).then_some(self.standard_error)
    }
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataFile {
    /// `train`, `validation` or `test`.
    pub channel: String,
    /// Path below the channel.
    pub name: String,
    /// Size, bytes.
    pub bytes: u64,
    /// SHA-256 of the file as it lies there, lower-case hexadecimal.
    pub sha256: String,
    /// Documents in it.
    pub rows: u64,
}

/// What turned scores into probabilities, fitted on held-out folds of the training channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// `none`, `platt` or `temperature`.
    pub kind: String,
    /// Its parameters by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Expected calibration error of the held-out rows without it.
    #[serde(default)]
    pub calibration_error_before: Option<f64>,
    /// The same with it.
    #[serde(default)]
    pub calibration_error_after: Option<f64>,
    /// Log loss of the held-out rows without it, nats.
    #[serde(default)]
    pub log_loss_before: Option<f64>,
    /// The same with it.
    #[serde(default)]
    pub log_loss_after: Option<f64>,
}

/// Something odd about the data that was counted and taken nonetheless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataWarning {
    /// What, in words with underscores: `duplicates_with_contradicting_labels`.
    pub kind: String,
    /// Rows.
    pub count: u64,
    /// Some of them, as `file:line` or short texts.
    pub examples: Vec<String>,
}

/// Rows left out of a channel by `on_bad_rows = skip`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DroppedRows {
    /// `train`, `validation` or `test`.
    pub channel: String,
    /// Why.
    pub reason: String,
    /// Rows.
    pub rows: u64,
    /// Some of them, as `file:line`.
    pub examples: Vec<String>,
}
