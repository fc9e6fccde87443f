//! A figure of the new model alone, and how surely it is known.

use std::{borrow::Cow, collections::BTreeSet};

use report::gate::{Judgement, Verdict};
use trainer::metrics::Outcome;

use super::{Court, LEVEL};
use crate::{
    metric::{Metric, Source},
    rule::Rule,
    stats::{Draws, lower, two_sided, upper},
};

/// A figure with what is known of it.
pub(super) struct Found {
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
    /// The one-sided ends.
    pub(super) lower: Option<f64>,
    pub(super) upper: Option<f64>,
    pub(super) n: u64,
    pub(super) method: Cow<'static, str>,
    /// Whether it is a share of `n`, whose bounds are exact.
    pub(super) share: bool,
    /// Its standard error, where it was drawn.
    pub(super) error: Option<f64>,
}

impl Found {
    pub(super) fn verdict(&self, rule: &Rule, judgement: Judgement, bound: f64, change: String) -> Verdict {
        Verdict {
            rule: rule.to_string(),
            judgement,
            value: Some(self.value),
            bound,
            interval: self.interval,
            level: LEVEL,
            p_value: None,
            n: self.n,
            method: self.method.clone().into_owned(),
            change,
        }
    }
}

impl Court<'_> {
    pub(super) fn figure(&self, rule: &Rule) -> Result<Found, String> {
        let metric = rule.figure.metric;
        match metric.source() {
            Source::Fact => self.fact(metric),
            Source::OtherShare => self.other_share(metric),
            Source::Groups => self.groups(metric, rule.slice.as_deref().unwrap_or_default()),
            Source::Share | Source::Documents => self.of_documents(rule),
        }
    }

    fn of_documents(&self, rule: &Rule) -> Result<Found, String> {
        let (rows, class) = self.scope(rule)?;
        let (metric, outcomes) = (rule.figure.metric, &self.evidence.outcomes);
        if metric == Metric::ExpectedCost && self.costs.is_none() {
            return Err("no costs are set: business.costs".into());
        }
        let count =
            |of: &dyn Fn(&Outcome) -> bool| rows.iter().filter(|&&row| of(&outcomes[row as usize])).count() as u64;
        let share = match (metric, class) {
            (Metric::Accuracy, _) => Some((count(&|o| o.actual == o.predicted), rows.len() as u64)),
            (Metric::Precision, Some(c)) => {
                Some((count(&|o| o.predicted == c && o.actual == c), count(&|o| o.predicted == c)))
            }
            (Metric::Recall, Some(c)) => {
                Some((count(&|o| o.predicted == c && o.actual == c), count(&|o| o.actual == c)))
            }
            _ => None,
        };
        if let Some((hits, n)) = share {
            return self.share(hits, n);
        }
        let value = self.of_rows(metric, outcomes, &rows, class).ok_or("it has no value on these documents")?;
        let draws = self.draw(&rows, &|rows| self.of_rows(metric, outcomes, rows, class));
        Ok(self.drawn(value, &draws, rows.len() as u64, "bootstrap within each class, percentiles"))
    }

    fn share(&self, hits: u64, n: u64) -> Result<Found, String> {
        if n == 0 {
            return Err("no document counts for it".into());
        }
        let (k, rows) = (hits as f64, n as f64);
        Ok(Found {
            value: k / rows,
            interval: Some(two_sided(k, rows, LEVEL)),
            lower: Some(lower(k, rows, self.alpha)),
            upper: Some(upper(k, rows, self.alpha)),
            n,
            method: "Clopper-Pearson".into(),
            share: true,
            error: None,
        })
    }

    pub(super) fn drawn(&self, value: f64, draws: &Draws, n: u64, method: &'static str) -> Found {
        let known = draws.count() > 1 && !draws.say_nothing();
        let end = |share: f64| known.then(|| draws.quantile(share));
        Found {
            value,
            interval: known.then(|| draws.interval(LEVEL)),
            lower: end(self.alpha),
            upper: end(1.0 - self.alpha),
            n,
            method: method.into(),
            share: false,
            error: known.then(|| draws.error()),
        }
    }

    fn fact(&self, metric: Metric) -> Result<Found, String> {
        let facts = self.evaluation.artifact.as_ref();
        let facts = facts.ok_or("the job measured neither size nor latency; train with this version")?;
        let (value, n, method) = match metric {
            Metric::LatencyP50Ms => {
                (facts.latency_p50_ms, facts.latency_documents, "one by one on one thread, in the job")
            }
            Metric::LatencyP99Ms => {
                (facts.latency_p99_ms, facts.latency_documents, "one by one on one thread, in the job")
            }
            _ => (facts.bytes as f64, 1, "the files of the artifact"),
        };
        let method = method.into();
        Ok(Found { value, interval: None, lower: None, upper: None, n, method, share: false, error: None })
    }

    fn other_share(&self, metric: Metric) -> Result<Found, String> {
        let evaluation = self.evaluation;
        match metric {
            Metric::DroppedShare => {
                let dropped: u64 = evaluation.dropped.iter().map(|rows| rows.rows).sum();
                self.share(dropped, dropped + evaluation.data.iter().map(|file| file.rows).sum::<u64>())
            }
            Metric::DuplicateShare => {
                let twice =
                    evaluation.warnings.iter().filter(|warning| warning.kind == "test_rows_that_stand_in_train");
                self.share(twice.map(|warning| warning.count).sum(), evaluation.rows)
            }
            _ => {
                let swapped = self.counterfactual.ok_or("no identity terms are set: gate.identity_terms")?;
                self.share(swapped.changed, swapped.rows)
            }
        }
    }

    /// Of the class, of several, whose groups differ most by it.
    fn groups(&self, metric: Metric, column: &str) -> Result<Found, String> {
        let mut of_column = self.bias.iter().filter(|found| found.column == column).peekable();
        if of_column.peek().is_none() {
            let known: BTreeSet<&str> = self.bias.iter().map(|found| found.column.as_str()).collect();
            let known = if known.is_empty() { "none".into() } else { known.into_iter().collect::<Vec<_>>().join(", ") };
            return Err(format!("column {column:?} has no groups to compare; columns that have: {known}"));
        }
        let (value, found) = of_column
            .filter_map(|found| {
                let value = match metric {
                    Metric::DemographicParityDifference => Some(found.demographic_parity_difference),
                    Metric::EqualOpportunityDifference => found.equal_opportunity_difference,
                    _ => found.disparate_impact,
                };
                Some((value?, found))
            })
            .max_by(|(a, _), (b, _)| {
                // An even impact is 1, an even difference 0.
                let apart = |value: f64| if metric == Metric::DisparateImpact { -value } else { value };
                apart(*a).total_cmp(&apart(*b))
            })
            .ok_or("it has no value: no document of the class, or none predicted so")?;
        let n = found.groups.iter().map(|group| group.rows).sum();
        let method = format!("class {:?}; greatest and smallest group; Fisher's exact tests, Holm", found.class).into();
        Ok(Found { value, interval: None, lower: None, upper: None, n, method, share: false, error: None })
    }
}
