//! What a caller can choose about a fit: [`Settings`], and the checks on it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::tfidf::TfidfParams;

/// Everything that decides a fitted classifier, beside the data. Names and defaults are the hyperparameters' (design.md).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The kind of classifier. Default `logistic`.
    pub algorithm: Algorithm,
    /// Who minimises the objective. Default `auto`.
    pub solver: Solver,
    /// What a linear classifier minimises over the training rows. Default `logistic`.
    pub loss: Loss,
    /// Share of the fitted weights in what is kept, `0..=1`; the rest is their mean magnitude (Wang & Manning 2012, section
    /// 2.3). Default 1: the weights as fitted.
    pub beta: f64,
    /// Text to records.
    #[serde(flatten)]
    pub tfidf: TfidfParams,
    /// Inverse strength of regularisation, `> 0` (scikit-learn's `C`). Default 1.
    #[serde(rename = "C")]
    pub c: f64,
    /// Weights of the rows by class. Default none: every row counts 1.
    pub class_weight: Option<ClassWeight>,
    /// Most iterations of the solver, `≥ 1`. Default 100.
    pub max_iter: u64,
    /// The solver stops where no component of the gradient of the mean objective exceeds this, `> 0`. Default 1e-4.
    pub tol: f64,
    /// Most splits from the root of a tree to a leaf, `1..=64`. Default 5.
    pub max_depth: usize,
    /// Fewest training rows in a leaf of a tree, `≥ 1`. Default 1.
    pub min_samples_leaf: usize,
    /// Trees in a forest, `≥ 1`. Default 100.
    pub n_estimators: usize,
    /// Terms that a tree or a forest sees, `≥ 1`: those of the highest χ². Default 1000.
    pub tree_features: usize,
    /// Seed of all randomness. Default 42.
    pub seed: u64,
    /// Most bytes that dense records may take (linfa's algorithms need them). Default 1 GiB.
    pub dense_memory_limit: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            algorithm: Algorithm::Logistic,
            solver: Solver::Auto,
            loss: Loss::Logistic,
            beta: 1.0,
            tfidf: TfidfParams::default(),
            c: 1.0,
            class_weight: None,
            max_iter: 100,
            tol: 1e-4,
            max_depth: 5,
            min_samples_leaf: 1,
            n_estimators: 100,
            tree_features: 1000,
            seed: 42,
            dense_memory_limit: 1 << 30,
        }
    }
}

impl Settings {
    /// Refuses what no fit could use, naming the value.
    pub fn check(&self) -> Result<(), SettingError> {
        self.tfidf.check()?;
        positive("C", self.c)?;
        positive("tol", self.tol)?;
        within("max_iter", self.max_iter, 1, u64::MAX)?;
        within("max_depth", self.max_depth as u64, 1, 64)?;
        within("min_samples_leaf", self.min_samples_leaf as u64, 1, u64::MAX)?;
        within("n_estimators", self.n_estimators as u64, 1, 10_000)?;
        within("tree_features", self.tree_features as u64, 1, u64::MAX)?;
        match self.beta {
            beta if (0.0..=1.0).contains(&beta) => Ok(()),
            beta => Err(SettingError::new("beta", beta, "a number from 0 to 1")),
        }
    }
}

/// A setting no fit could use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is `{found}`; expected {expected}")]
pub struct SettingError {
    /// The hyperparameter.
    pub name: &'static str,
    /// The value given.
    pub found: String,
    /// What it could be.
    pub expected: String,
}

impl SettingError {
    pub(crate) fn new(name: &'static str, found: impl ToString, expected: impl Into<String>) -> Self {
        SettingError { name, found: found.to_string(), expected: expected.into() }
    }
}

fn positive(name: &'static str, value: f64) -> Result<(), SettingError> {
    match value {
        v if v.is_finite() && v > 0.0 => Ok(()),
        v => Err(SettingError::new(name, v, "a finite number above 0")),
    }
}

fn within(name: &'static str, value: u64, least: u64, most: u64) -> Result<(), SettingError> {
    match value {
        v if v >= least && v <= most => Ok(()),
        v if most == u64::MAX => Err(SettingError::new(name, v, format!("{least} or more"))),
        v => Err(SettingError::new(name, v, format!("{least} to {most}"))),
    }
}

/// The kind of classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Logistic regression, binary or multinomial.
    Logistic,
    /// One decision tree.
    Tree,
    /// A random forest.
    Forest,
}

/// What a linear classifier minimises over the training rows; the penalty is `½ ‖w‖²` and `C` the loss's weight for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `ln(1 + exp(-y z))`, or the multinomial's; the intercept is not penalised (scikit-learn's `LogisticRegression`).
    Logistic,
    /// `max(0, 1 - y z)²`, one class against the rest where there are more than two; the intercept is a weight of a column
    /// of ones and penalised with them (scikit-learn's `LinearSVC`).
    SquaredHinge,
}

/// Who minimises the logistic objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// linfa where the dense records are tiny, else sparse.
    Auto,
    /// linfa-logistic, on dense records.
    Linfa,
    /// Newton's method on the sparse records.
    Sparse,
}

/// Weights of the rows by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// `rows / (classes · rows of the class)`: every class weighs the same (scikit-learn's `balanced`).
    Balanced,
}

macro_rules! from_str {
    ($type:ty, $name:literal, $($text:literal => $value:expr),+ $(,)?) => {
        impl FromStr for $type {
            type Err = SettingError;

            fn from_str(text: &str) -> Result<Self, SettingError> {
                match text {
                    $($text => Ok($value),)+
                    other => Err(SettingError::new($name, other, [$($text),+].join(", "))),
                }
            }
        }
    };
}
pub(crate) use from_str;

from_str!(Algorithm, "algorithm", "logistic" => Algorithm::Logistic, "tree" => Algorithm::Tree, "forest" => Algorithm::Forest);
from_str!(Solver, "solver", "auto" => Solver::Auto, "linfa" => Solver::Linfa, "sparse" => Solver::Sparse);
from_str!(Loss, "loss", "logistic" => Loss::Logistic, "squared_hinge" => Loss::SquaredHinge);
from_str!(ClassWeight, "class_weight", "balanced" => ClassWeight::Balanced);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_survive_json() {
        let settings = Settings::default();
        assert_eq!(settings.check(), Ok(()));
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(json["C"], 1.0);
        assert_eq!(json["ngram_range"], serde_json::json!([1, 2]));
        assert_eq!(json["max_df"], 1.0);
        assert_eq!(serde_json::from_value::<Settings>(json).unwrap(), settings);
    }

    #[test]
    fn a_bad_value_is_named() {
        type Case = (fn(&mut Settings), &'static str);
        let cases: [Case; 8] = [
            (|s| s.c = 0.0, "C is `0`; expected a finite number above 0"),
            (|s| s.c = f64::NAN, "C is `NaN`; expected a finite number above 0"),
            (|s| s.tol = -1.0, "tol is `-1`; expected a finite number above 0"),
            (|s| s.max_iter = 0, "max_iter is `0`; expected 1 or more"),
            (|s| s.max_depth = 65, "max_depth is `65`; expected 1 to 64"),
            (|s| s.min_samples_leaf = 0, "min_samples_leaf is `0`; expected 1 or more"),
            (|s| s.tfidf.ngram_range = (2, 1), "ngram_range is `2,1`; expected two numbers, 1 ≤ first ≤ second"),
            (|s| s.tfidf.max_features = Some(0), "max_features is `0`; expected 1 or more"),
        ];
        for (change, message) in cases {
            let mut settings = Settings::default();
            change(&mut settings);
            assert_eq!(settings.check().unwrap_err().to_string(), message);
        }
        assert_eq!(
            "svm".parse::<Algorithm>().unwrap_err().to_string(),
            "algorithm is `svm`; expected logistic, tree, forest"
        );
    }
}
