//! The job's hyperparameters: strings as SageMaker hands them, typed here and nowhere else.
//!
//! Every name stands in [`NAMES`]. A name that is none is refused with the nearest ones that are, values that mean
//! nothing together are refused by name, and all that is wrong is told at once.

mod nearest;
mod together;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::Settings;

use crate::reading::Columns;
pub use together::is_idle;
use values::{
    boolean, calibration, column, count, depth, frequency, memory, ngram_range, on_bad_rows, optional_count,
    optional_setting, positive, seed, setting, share, stop_words, trees, tune,
};

/// Every hyperparameter there is, in the order of the table.
pub const NAMES: [&str; 33] = [
    "text_column",
    "label_column",
    "algorithm",
    "solver",
    "loss",
    "weighting",
    "beta",
    "analyzer",
    "token_pattern",
    "ngram_range",
    "char_ngram_range",
    "min_df",
    "max_df",
    "max_features",
    "sublinear_tf",
    "smooth_idf",
    "norm",
    "lowercase",
    "strip_accents",
    "stop_words",
    "C",
    "class_weight",
    "max_iter",
    "tol",
    "max_depth",
    "min_samples_leaf",
    "n_estimators",
    "tree_features",
    "tune",
    "calibration",
    "max_memory",
    "on_bad_rows",
    "seed",
];

/// Whether settings are searched for by cross-validation on the training channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tune {
    /// Never.
    None,
    /// Always.
    Cv,
    /// Where there are rows enough and nothing that the search would choose is set by hand.
    Auto,
}

/// What makes scores probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calibrate {
    /// What has the least log loss on held-out rows, where there are rows enough.
    Auto,
    /// Nothing.
    None,
    /// Platt's sigmoid.
    Platt,
    /// A temperature.
    Temperature,
}

/// What becomes of rows that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBadRows {
    /// The job is refused, the first faults named.
    Fail,
    /// They are left out, counted and told.
    Skip,
}

/// The hyperparameters, typed.
#[derive(Clone, Debug)]
pub struct Hyperparameters {
    /// Where text and label stand in a row.
    pub columns: Columns,
    /// How settings are searched for.
    pub tune: Tune,
    /// What makes scores probabilities.
    pub calibrate: Calibrate,
    /// What becomes of rows that cannot be read.
    pub on_bad_rows: OnBadRows,
    /// Most bytes that the fit may hold; none: what the machine has.
    pub max_memory: Option<u64>,
    /// What the model is fitted with.
    pub settings: Settings,
    /// Values as the job gives them, by name.
    pub values: BTreeMap<String, String>,
    /// Names set by the job.
    pub given: BTreeSet<String>,
    /// Remarks for the log: what was passed over, what has no effect.
    pub notes: Vec<String>,
}

/// Every hyperparameter that cannot be used, one a line.
#[derive(Debug, thiserror::Error)]
pub struct HyperparameterError(Vec<String>);

impl fmt::Display for HyperparameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl Hyperparameters {
    /// Types `values`; what is missing has the table's default.
    pub fn parse(mut values: BTreeMap<String, String>) -> Result<Self, HyperparameterError> {
        let mut notes = Vec::new();
        let mut problems = Vec::new();
        values.retain(|name, _| {
            // The SDK's, and `_tuning_objective_metric` of a managed tuning job.
            let internal = name.starts_with("sagemaker_") || name.starts_with('_');
            if internal {
                notes.push(format!("hyperparameter {name} is SageMaker's own: passed over"));
            }
            !internal
        });
        for name in values.keys().filter(|name| !NAMES.contains(&name.as_str())) {
            problems.push(format!("hyperparameter {name:?} is unknown; {}", nearest::advice(name, &NAMES)));
        }
        let mut usable = values.clone();
        let mut given = Given { values: &values, usable: &mut usable, problems: &mut problems };
        let columns = given.columns();
        let mode = given.get("tune", Tune::Auto, tune);
        let calibrate = given.get("calibration", Calibrate::Auto, calibration);
        let on_bad_rows = given.get("on_bad_rows", OnBadRows::Fail, on_bad_rows);
        let max_memory = given.get("max_memory", None, memory);
        let mut settings = given.settings();
        together::of_characters(&usable, mode, &mut settings.tfidf, &mut problems);
        together::conflicts(&usable, mode, &settings, &mut problems);
        if !problems.is_empty() {
            return Err(HyperparameterError(problems));
        }
        together::no_effect(&values, mode, &settings, &mut notes);
        let given = values.keys().cloned().collect();
        Ok(Self { columns, tune: mode, calibrate, on_bad_rows, max_memory, settings, values, given, notes })
    }
}

/// The job's values and what is wrong with them.
struct Given<'a> {
    values: &'a BTreeMap<String, String>,
    /// Those of them that can be used: what is wrong alone is not also wrong beside others.
    usable: &'a mut BTreeMap<String, String>,
    problems: &'a mut Vec<String>,
}

impl Given<'_> {
    /// The value of `name`, or `default` where it is not given or (after noting why) not usable.
    fn get<T>(&mut self, name: &str, default: T, parse: fn(&str) -> Result<T, String>) -> T {
        let Some(value) = self.values.get(name) else { return default };
        match parse(value.trim()) {
            Ok(typed) => typed,
            Err(expected) => {
                self.usable.remove(name);
                self.problems.push(format!("hyperparameter {name} = {value:?}: {expected}"));
                default
            }
        }
    }

    fn columns(&mut self) -> Columns {
        let text = self.get("text_column", "review_text".to_owned(), column);
        let label = self.get("label_column", "sentiment".to_owned(), column);
        if text == label {
            self.problems.push(format!("text_column and label_column are both {text:?}; they must differ"));
        }
        Columns { text, label }
    }

    fn settings(&mut self) -> Settings {
        let mut settings = Settings::default();
        settings.algorithm = self.get("algorithm", settings.algorithm, setting);
        settings.solver = self.get("solver", settings.solver, setting);
        settings.loss = self.get("loss", settings.loss, setting);
        settings.beta = self.get("beta", settings.beta, share);
        settings.c = self.get("C", settings.c, positive);
        settings.class_weight = self.get("class_weight", settings.class_weight, optional_setting);
        settings.max_iter = self.get("max_iter", settings.max_iter, count);
        settings.tol = self.get("tol", settings.tol, positive);
        settings.max_depth = self.get("max_depth", settings.max_depth, depth);
        settings.min_samples_leaf = self.get("min_samples_leaf", settings.min_samples_leaf, count);
        settings.n_estimators = self.get("n_estimators", settings.n_estimators, trees);
        settings.tree_features = self.get("tree_features", settings.tree_features, count);
        settings.seed = self.get("seed", settings.seed, seed);
        let tfidf = &mut settings.tfidf;
        tfidf.analyzer = self.get("analyzer", tfidf.analyzer, setting);
        tfidf.token_pattern = self.get("token_pattern", tfidf.token_pattern, setting);
        tfidf.ngram_range = self.get("ngram_range", tfidf.ngram_range, ngram_range);
        tfidf.char_ngram_range = self.get("char_ngram_range", tfidf.char_ngram_range, ngram_range);
        tfidf.weighting = self.get("weighting", tfidf.weighting, setting);
        tfidf.lowercase = self.get("lowercase", tfidf.lowercase, boolean);
        tfidf.strip_accents = self.get("strip_accents", tfidf.strip_accents, optional_setting);
        tfidf.stop_words = self.get("stop_words", tfidf.stop_words.take(), stop_words);
        tfidf.min_df = self.get("min_df", tfidf.min_df, frequency);
        tfidf.max_df = self.get("max_df", tfidf.max_df, frequency);
        tfidf.max_features = self.get("max_features", tfidf.max_features, optional_count);
        tfidf.smooth_idf = self.get("smooth_idf", tfidf.smooth_idf, boolean);
        tfidf.sublinear_tf = self.get("sublinear_tf", tfidf.sublinear_tf, boolean);
        tfidf.norm = self.get("norm", tfidf.norm, optional_setting);
        settings
    }
}
