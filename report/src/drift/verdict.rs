//! What a window says, in one sentence.

use super::DriftReport;
use crate::number::counted;

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

fn differ(documents: u64) -> &'static str {
    if documents == 1 { "differs" } else { "differ" }
}
