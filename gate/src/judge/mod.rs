//! One rule against the evidence.

mod absolute;
mod figure;
mod paired;
mod rows;
mod words;

use report::{
    Evaluation,
    gate::{BiasColumn, Counterfactual, Judgement, Verdict},
};

use crate::{
    business::Costs,
    evidence::Evidence,
    rule::{Comparison, Rule},
};

/// Confidence of intervals that are shown.
const LEVEL: f64 = 0.95;

/// What a rule may ask about.
pub struct Court<'a> {
    /// The documents.
    pub evidence: &'a Evidence,
    /// The job's evaluation.
    pub evaluation: &'a Evaluation,
    /// The groups of each column.
    pub bias: &'a [BiasColumn],
    /// Swapped identity terms.
    pub counterfactual: Option<&'a Counterfactual>,
    /// The cost matrix.
    pub costs: Option<&'a Costs>,
    /// One-sided level of `lower(…)` and `upper(…)`.
    pub alpha: f64,
    /// Of all randomness.
    pub seed: u64,
}

impl Court<'_> {
    /// The verdict on one rule.
    pub fn judge(&self, rule: &Rule) -> Verdict {
        let unmeasured = |judgement, bound: f64, change: String| Verdict {
            rule: rule.to_string(),
            judgement,
            value: None,
            bound,
            interval: None,
            level: LEVEL,
            p_value: None,
            n: 0,
            method: "none".into(),
            change,
        };
        let bound = match rule.comparison {
            Comparison::Absolute(bound) | Comparison::Difference(bound) => bound.number(),
            Comparison::NonInferior { margin, .. } => -margin,
            Comparison::Better { .. } => 0.0,
        };
        if self.evidence.rival.is_none() && !matches!(rule.comparison, Comparison::Absolute(_)) {
            let change = "a package that is deployed or approved: this is the first".into();
            return unmeasured(Judgement::NotApplicable, bound, change);
        }
        let judged = match rule.comparison {
            Comparison::Absolute(bound) => self.figure(rule).map(|found| self.absolute(rule, bound, &found)),
            Comparison::Difference(bound) => {
                self.difference(rule, self.alpha).map(|found| self.absolute(rule, bound, &found))
            }
            Comparison::NonInferior { margin, alpha } => {
                self.difference(rule, alpha).map(|found| self.non_inferior(rule, margin, alpha, &found))
            }
            Comparison::Better { alpha } => self.better(rule, alpha),
        };
        let mut verdict = judged.unwrap_or_else(|why| unmeasured(Judgement::Insufficient, bound, why));
        if let Some(seen) = self.seen(rule) {
            verdict.change = format!("{}; {seen}", verdict.change);
        }
        verdict
    }
}
