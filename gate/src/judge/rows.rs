//! The documents that a rule is about, and its metric on them.

use trainer::metrics::Outcome;

use super::Court;
use crate::{
    metric::Metric,
    rule::Rule,
    stats::{Draws, Resampling},
};

impl Court<'_> {
    /// The rows that the rule is about, and its class.
    pub(super) fn scope(&self, rule: &Rule) -> Result<(Vec<u32>, Option<usize>), String> {
        let evidence = self.evidence;
        let class =
            match &rule.class {
                Some(name) => {
                    Some(evidence.classes.iter().position(|class| class == name).ok_or_else(|| {
                        format!("there is no class {name:?}; there are {}", evidence.classes.join(", "))
                    })?)
                }
                // Of two classes the second is the headline's.
                None if evidence.classes.len() == 2 => Some(1),
                None => None,
            };
        let Some(slice) = &rule.slice else { return Ok((evidence.all(), class)) };
        let found = evidence.slices.iter().find(|found| format!("{}={}", found.column, found.value) == *slice);
        let rows = found.ok_or_else(|| {
            let column = slice.split('=').next().unwrap_or_default();
            let known: Vec<String> = evidence
                .slices
                .iter()
                .filter(|found| found.column == column)
                .map(|found| format!("{column}={}", found.value))
                .collect();
            match known.is_empty() {
                true => format!("no document is in {slice}: the test channel has no column {column:?}"),
                false => format!("no document is in {slice}; there are {}", known.join(", ")),
            }
        })?;
        Ok((rows.rows.clone(), class))
    }

    /// The rule's metric of the rows as drawn, for one set of outcomes.
    pub(super) fn of_rows(
        &self,
        metric: Metric,
        outcomes: &[Outcome],
        rows: &[u32],
        class: Option<usize>,
    ) -> Option<f64> {
        let n = rows.len() as f64;
        let rows = rows.iter().map(|&row| &outcomes[row as usize]);
        match metric {
            Metric::Accuracy => Some(rows.filter(|outcome| outcome.actual == outcome.predicted).count() as f64 / n),
            Metric::ExpectedCost => self.costs.map(|costs| rows.map(|outcome| costs.of(outcome)).sum::<f64>() / n),
            _ => metric.measure(&rows.collect::<Vec<_>>(), &self.evidence.classes, class),
        }
    }

    pub(super) fn draw(&self, rows: &[u32], figure: &(dyn Fn(&[u32]) -> Option<f64> + Sync)) -> Draws {
        let actual: Vec<usize> = self.evidence.outcomes.iter().map(|outcome| outcome.actual).collect();
        Resampling { actual: &actual, seed: self.seed }.draw(rows, figure)
    }
}
