//! A window of captured traffic held against the baseline: `drift.json`.

mod accuracy;
mod history;
mod html;
mod markdown;
mod shift;
mod verdict;
mod watched;

pub use accuracy::{AccuracyEstimate, MeasuredAccuracy, SliceAccuracy};
pub use history::{PastWindow, WINDOW_FORMAT};
pub use html::html;
pub use markdown::markdown;
pub use shift::{DomainClassifier, DomainTerm, ScoreShift, TermImpact, TermShift};
pub use verdict::Outcome;
pub use watched::{Example, RecordCheck, RuleVerdict, TimeSlot, Timeline};

use serde::{Deserialize, Serialize};

/// `drift.json`, what `monitor` writes beside Model Monitor's files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Always [`FORMAT`].
    pub format: String,
    /// Endpoint whose traffic was read.
    pub endpoint: String,
    /// Start of the window (inclusive), RFC 3339, UTC; none where the window is open.
    pub start: Option<String>,
    /// End of the window (exclusive), RFC 3339, UTC; none where the window is open.
    pub end: Option<String>,
    /// Captured requests in the window.
    pub requests: u64,
    /// Documents in those requests.
    pub documents: u64,
    /// Captured requests whose answer was an error or could not be matched with its documents.
    pub unreadable_requests: u64,
    /// Lines that are no capture record, `file:line: why`, the first ten.
    pub damaged_lines: Vec<String>,
    /// How many such lines there were.
    pub damaged: u64,
    /// Documents that the baseline was made of.
    pub baseline_documents: u64,
    /// Every comparison made, violated or not.
    pub checks: Vec<Check>,
    /// Baseline and window side by side, for charts.
    pub distributions: Vec<Distribution>,
    /// Terms of two documents or more of the window that the baseline's text does not have, most frequent first.
    pub new_terms: Vec<NewTerm>,
    /// Terms whose rates moved by more than chance, the largest difference first.
    #[serde(default)]
    pub terms: Vec<TermShift>,
    /// Terms frequent enough to be tested.
    #[serde(default)]
    pub tested_terms: u64,
    /// How the mean log-odds moved, a class each; of two classes the second's. Empty where the classifier is not linear.
    #[serde(default)]
    pub scores: Vec<ScoreShift>,
    /// What tells window and baseline apart, of any kind; none where there are too few documents.
    #[serde(default)]
    pub domain: Option<DomainClassifier>,
    /// Accuracy without labels.
    #[serde(default)]
    pub accuracy: Option<AccuracyEstimate>,
    /// Accuracy with labels.
    #[serde(default)]
    pub measured: Option<MeasuredAccuracy>,
    /// The window in time.
    #[serde(default)]
    pub timeline: Timeline,
    /// Records that nobody should have sent.
    #[serde(default)]
    pub records: Vec<RecordCheck>,
    /// Business rules.
    #[serde(default)]
    pub rules: Vec<RuleVerdict>,
    /// Texts of requests, where the configuration allows them.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// The windows before this one, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<PastWindow>,
    /// What is reported as violated; the content of `constraint_violations.json`.
    pub violations: Vec<Violation>,
    /// What a reader must know to judge the rest: comparisons left out and why, captures without answers.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl DriftReport {
    /// The window in words, open ends included.
    pub fn window(&self) -> String {
        match (&self.start, &self.end) {
            (Some(start), Some(end)) => format!("{start} to {end}"),
            (Some(start), None) => format!("since {start}"),
            (None, Some(end)) => format!("until {end}"),
            (None, None) => "all of the time captured".into(),
        }
    }
}

/// The value of [`DriftReport::format`].
pub const FORMAT: &str = "sagebrush.drift/1";

/// One comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was compared: a feature of `statistics.json`.
    pub feature: String,
    /// The statistic: `kolmogorov_smirnov`, `total_variation`, `mean_difference` …
    pub statistic: String,
    /// Its value.
    pub value: f64,
    /// The value above which the difference matters.
    pub threshold: f64,
    /// Probability of a value at least this large without drift; none where the check is no test.
    pub p_value: Option<f64>,
    /// The level that `p_value` must stay under to count.
    pub alpha: Option<f64>,
    /// Whether it is a violation: large enough to matter and too large for chance.
    pub violated: bool,
    /// One sentence for a person.
    pub description: String,
}

/// One feature, baseline beside window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Feature name.
    pub feature: String,
    /// For a person: "length, characters".
    pub title: String,
    /// Bins or categories in order.
    pub bins: Vec<Bin>,
    /// Population stability index of the bins.
    #[serde(default)]
    pub psi: f64,
    /// Jensen-Shannon divergence of the bins, bits, in `[0, 1]`.
    #[serde(default)]
    pub jensen_shannon: f64,
}

/// One bin; shares are in `[0, 1]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Label under the bar.
    pub label: String,
    /// Share of the baseline's documents.
    pub baseline: f64,
    /// Share of the window's documents.
    pub window: f64,
}

/// A term that the baseline's text does not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewTerm {
    /// The term.
    pub term: String,
    /// Documents of the window that hold it.
    pub documents: u64,
}

/// An entry of `constraint_violations.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// A feature of `statistics.json`.
    pub feature_name: String,
    /// Model Monitor's word: `baseline_drift_check`, `missing_column_check` …
    pub constraint_check_type: String,
    /// One sentence for a person.
    pub description: String,
}
