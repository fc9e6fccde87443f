//! `[transform]` and `[tune]`: jobs beside the loop.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// `[transform]`: predictions of many documents at once.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransformSettings {
    /// Machine of an instance.
    pub instance_type: String,
    /// Instances.
    pub instance_count: i32,
    /// Most MB of a request.
    pub max_payload_mb: i32,
    /// Requests at once on an instance; 0: as many as the container says.
    pub max_concurrent: i32,
}

impl Default for TransformSettings {
    fn default() -> Self {
        TransformSettings {
            instance_type: "ml.m5.large".into(),
            instance_count: 1,
            max_payload_mb: 6,
            max_concurrent: 0,
        }
    }
}

/// How the space is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// A model of what was seen proposes what is tried.
    Bayesian,
    /// Drawn at random.
    #[default]
    Random,
    /// Every combination.
    Grid,
    /// Many a little, few a lot.
    Hyperband,
}

/// `[tune]`: the search for hyperparameters as a managed tuning job.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuneSettings {
    /// How the space is searched.
    pub strategy: Strategy,
    /// Training jobs, all in all (`grid`: as many as there are combinations).
    pub max_jobs: i32,
    /// Training jobs at once.
    pub max_parallel: i32,
    /// Whether SageMaker stops training jobs early that do not promise anything.
    pub early_stopping: bool,
    /// Share of the training rows that candidates are measured on.
    pub validation_share: f64,
    /// All randomness of the search.
    pub seed: u32,
    /// What is searched: a list of values, or `{ min, max, scaling }`.
    pub ranges: BTreeMap<String, toml::Value>,
}

impl Default for TuneSettings {
    fn default() -> Self {
        let list =
            |values: &[&str]| toml::Value::Array(values.iter().map(|v| toml::Value::String((*v).into())).collect());
        let mut c = toml::Table::new();
        c.insert("min".into(), toml::Value::Float(0.05));
        c.insert("max".into(), toml::Value::Float(20.0));
        c.insert("scaling".into(), toml::Value::String("Logarithmic".into()));
        TuneSettings {
            strategy: Strategy::Random,
            max_jobs: 10,
            max_parallel: 2,
            early_stopping: false,
            validation_share: 0.2,
            seed: 42,
            ranges: [
                ("C".to_owned(), toml::Value::Table(c)),
                ("ngram_range".to_owned(), list(&["1,1", "1,2"])),
                ("weighting".to_owned(), list(&["tfidf", "nb"])),
            ]
            .into(),
        }
    }
}
