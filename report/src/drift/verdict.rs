//! What a window says, in one sentence.

use super::DriftReport;
use crate::number::{counted, figure, percent};

/// The three ways a window can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to compare: no request in the window could be read.
    Empty,
    /// No violation.
    Alike,
    /// At least one violation.
    Drifted,
}

impl DriftReport {
    /// How the window ended.
    pub fn outcome(&self) -> Outcome {
        match (self.violations.is_empty(), self.documents) {
            (false, _) => Outcome::Drifted,
            (true, 0) => Outcome::Empty,
            (true, _) => Outcome::Alike,
        }
    }

    /// One plain sentence: what job messages, pages and summaries begin with.
    pub fn verdict(&self) -> String {
        let documents = counted(self.documents, "document", "documents");
        let looks = if self.documents == 1 { "looks" } else { "look" };
        match self.outcome() {
            Outcome::Empty if self.requests == 0 => "No requests in the window.".into(),
            Outcome::Empty => {
                format!("None of {} in the window could be read.", counted(self.requests, "request", "requests"))
            }
            Outcome::Alike => format!("{documents} {looks} like the baseline."),
            Outcome::Drifted => {
                format!("{documents} {} from the baseline: {}.", differ(self.documents), self.violated())
            }
        }
    }

    /// Which words it is, in one sentence: the three that moved the mean log-odds most, where that is a violation,
    /// else those whose rates moved most; none where nothing is violated.
    pub fn because(&self) -> Option<String> {
        if self.outcome() != Outcome::Drifted {
            return None;
        }
        let moved = self.checks.iter().any(|check| check.feature == "log_odds" && check.violated);
        if let Some(shift) = self.scores.first().filter(|_| moved) {
            let terms: Vec<String> =
                shift.terms.iter().take(3).map(|t| format!("{} {}", t.term, signed(t.contribution))).collect();
            return Some(format!(
                "Mean log-odds of {} {}, of which {}.",
                shift.class,
                signed(shift.change),
                terms.join(", ")
            ));
        }
        let shown = |t: &super::TermShift| format!("“{}” {} → {}", t.term, percent(t.baseline), percent(t.window));
        let terms: Vec<String> = self.terms.iter().take(3).map(shown).collect();
        (!terms.is_empty()).then(|| format!("Moved most: {} of the documents.", terms.join(", ")))
    }

    /// Names of the violated features, each once, in the order reported.
    fn violated(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for violation in &self.violations {
            if !names.contains(&violation.feature_name.as_str()) {
                names.push(&violation.feature_name);
            }
        }
        names.join(", ")
    }
}

/// With its sign, a true minus.
pub(super) fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{}", figure(value.abs(), 2))
}

fn differ(documents: u64) -> &'static str {
    if documents == 1 { "differs" } else { "differ" }
}
