//! Windows that are done: `<end>.json` of the ledger, and the timeline over them.

use serde::{Deserialize, Serialize};

use super::DriftReport;

/// The value of [`PastWindow::format`].
pub const WINDOW_FORMAT: &str = "sagebrush.window/1";
/// Words that an entry keeps.
const WORDS: usize = 3;

/// What is remembered of a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PastWindow {
    /// Always [`WINDOW_FORMAT`].
    pub format: String,
    /// Start (inclusive), RFC 3339, UTC.
    pub start: String,
    /// End (exclusive), RFC 3339, UTC.
    pub end: String,
    /// 1, and one more each time that late captures made it be done again.
    pub revision: u32,
    /// Requests that came after it had been done first.
    #[serde(default)]
    pub late: u64,
    /// Captured requests.
    pub requests: u64,
    /// Documents.
    pub documents: u64,
    /// Features and rules violated, each once.
    pub violations: Vec<String>,
    /// The window in a sentence.
    pub verdict: String,
    /// Which words it is; none where nothing is violated.
    #[serde(default)]
    pub because: Option<String>,
    /// The strongest words, each with what it adds to the mean log-odds.
    #[serde(default)]
    pub words: Vec<(String, f64)>,
    /// Change of the mean log-odds against the baseline.
    #[serde(default)]
    pub change: Option<f64>,
    /// Estimated accuracy.
    #[serde(default)]
    pub accuracy: Option<f64>,
    /// Accuracy with labels.
    #[serde(default)]
    pub measured: Option<f64>,
    /// Area under the ROC curve of the domain classifier.
    #[serde(default)]
    pub domain: Option<f64>,
}

impl PastWindow {
    /// What to remember of a report.
    pub fn of(report: &DriftReport, revision: u32, late: u64) -> Self {
        let mut violations: Vec<String> = Vec::new();
        for violation in &report.violations {
            if !violations.contains(&violation.feature_name) {
                violations.push(violation.feature_name.clone());
            }
        }
        let shift = report.scores.first();
        let words =
            shift.map(|shift| shift.terms.iter().take(WORDS).map(|t| (t.term.clone(), t.contribution)).collect());
        PastWindow {
            format: WINDOW_FORMAT.into(),
            start: report.start.clone().unwrap_or_default(),
            end: report.end.clone().unwrap_or_default(),
            revision,
            late,
            requests: report.requests,
            documents: report.documents,
            violations,
            verdict: report.verdict(),
            because: report.because(),
            words: words.unwrap_or_default(),
            change: shift.filter(|_| report.documents > 0).map(|shift| shift.change),
            accuracy: report.accuracy.as_ref().map(|found| found.accuracy),
            measured: report.measured.as_ref().map(|found| found.all.accuracy),
            domain: report.domain.as_ref().map(|found| found.auc),
        }
    }
}
