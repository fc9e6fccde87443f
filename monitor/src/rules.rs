//! Business rules: an expression over a window's figures that says when something is wrong.
//!
//! ```text
//! share(class "1" among contains "refund") > 20% and documents >= 100
//! ```
//!
//! Nothing can be called, nothing loops, and what is counted is known before the first document ([`Counted`]).

mod condition;
mod expression;
mod parse;
mod tokens;

use std::collections::BTreeMap;

use model::Artifact;

pub use condition::{Condition, Test};
pub use expression::{Comparison, Figure, Number, Operation, Truth};
pub use parse::{Refused, parse};

/// A rule of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// For the violation.
    pub name: String,
    /// As it was written.
    pub text: String,
    /// Violated where it holds.
    pub when: Truth,
}

/// Documents that meet the conditions that rules ask about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    counts: Vec<(Condition, u64)>,
}

impl Counted {
    /// Of everything that `rules` ask about.
    pub fn of(rules: &[Rule]) -> Self {
        let mut conditions = Vec::new();
        rules.iter().for_each(|rule| rule.when.conditions(&mut conditions));
        let mut counts: Vec<(Condition, u64)> = Vec::new();
        for condition in conditions {
            if !counts.iter().any(|(known, _)| *known == condition) {
                counts.push((condition, 0));
            }
        }
        Self { counts }
    }

    /// One more document.
    pub fn add(&mut self, artifact: &Artifact, text: Option<&str>, label: Option<&str>) {
        if self.counts.is_empty() {
            return;
        }
        let mut words = Vec::new();
        if let Some(text) = text {
            artifact.tokens(text, &mut |token| words.push(token.to_string()));
        }
        let document = condition::Document { text, label, words: &words };
        for (condition, count) in &mut self.counts {
            *count += u64::from(condition.holds(&document));
        }
    }

    /// Those of both.
    pub fn merge(&mut self, other: &Counted) {
        self.counts.iter_mut().zip(&other.counts).for_each(|((_, count), (_, more))| *count += more);
    }

    /// Documents that meet `condition`; none where nobody asked about it.
    pub fn count(&self, condition: &Condition) -> Option<u64> {
        self.counts.iter().find(|(known, _)| known == condition).map(|(_, count)| *count)
    }
}

/// What expressions are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// By name: `documents`, `accuracy`, `mean(text_length)` …
    pub named: BTreeMap<String, f64>,
    /// Documents that meet conditions.
    pub counted: Counted,
}
