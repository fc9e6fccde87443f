//! A figure, or a difference, against a bound.

use report::gate::{Judgement, Verdict};

use super::{
    Court,
    figure::Found,
    words::{more_rows, percent, short},
};
use crate::{
    metric::{End, Metric, Source},
    rule::{Bound, Rule},
    stats::{Side, least_share, rows_needed},
};

impl Court<'_> {
    pub(super) fn absolute(&self, rule: &Rule, bound: Bound, found: &Found) -> Verdict {
        let held = match rule.figure.end {
            End::Value => Some(found.value),
            End::Lower => found.lower,
            End::Upper => found.upper,
        };
        let judgement = match held {
            Some(held) if bound.holds(held) => Judgement::Passed,
            _ if rule.figure.end != End::Value && bound.holds(found.value) => Judgement::Insufficient,
            None => Judgement::Insufficient,
            // Groups of a handful differ by chance.
            Some(_) if rule.figure.metric.source() == Source::Groups && !self.groups_differ(rule) => {
                Judgement::Insufficient
            }
            Some(_) => Judgement::Failed,
        };
        let change = self.change(bound, judgement, found, self.alpha);
        let value = if rule.figure.end == End::Value { found.value } else { held.unwrap_or(found.value) };
        Verdict { value: Some(value), ..found.verdict(rule, judgement, bound.number(), change) }
    }

    fn groups_differ(&self, rule: &Rule) -> bool {
        let mut columns = self.bias.iter().filter(|found| Some(&found.column) == rule.slice.as_ref());
        let of_recall = rule.figure.metric == Metric::EqualOpportunityDifference;
        columns.any(|column| {
            let mut p = column.groups.iter().filter_map(|g| if of_recall { g.opportunity_p } else { Some(g.parity_p) });
            p.any(|p| p < self.alpha)
        })
    }

    /// What would change a verdict on a figure and a bound.
    fn change(&self, bound: Bound, judgement: Judgement, found: &Found, alpha: f64) -> String {
        let (side, word) = if bound.wants_more() { (Side::Above, "above") } else { (Side::Below, "below") };
        let number = bound.number();
        if !found.share {
            return match (judgement, found.error) {
                (Judgement::Passed, _) => {
                    format!("it would fail if it were worse by {}", short((found.value - number).abs()))
                }
                (Judgement::Insufficient, Some(_)) => more_rows((found.value - number).abs(), alpha, found),
                (Judgement::Insufficient, None) => {
                    "an interval: documents that are predicted wrong, or more of them".into()
                }
                _ => {
                    format!("{} {} is {} off", short(found.value), unit_of(found), short((found.value - number).abs()))
                }
            };
        }
        let shown = match side {
            Side::Above => found.lower.is_some_and(|lower| lower > number),
            Side::Below => found.upper.is_some_and(|upper| upper < number),
        };
        let n = found.n;
        let off = short((found.value - number).abs() * 100.0);
        let evidence = if shown {
            format!("{n} rows show it to be {word} {}", percent(number))
        } else {
            let nothing = match (least_share(n, number, alpha, side), side) {
                (Some(least), Side::Above) => {
                    format!(
                        "with {n} rows nothing below {} can be shown to be above {}",
                        percent(least),
                        percent(number)
                    )
                }
                (Some(least), Side::Below) => {
                    format!(
                        "with {n} rows nothing above {} can be shown to be below {}",
                        percent(least),
                        percent(number)
                    )
                }
                (None, _) => format!("with {n} rows nothing can be shown to be {word} {}", percent(number)),
            };
            match rows_needed(found.value, number, alpha, side) {
                Some(rows) => format!("{nothing}; {rows} rows would do at {}", percent(found.value)),
                None => nothing,
            }
        };
        match judgement {
            Judgement::Failed => format!("{off} points; {evidence}"),
            _ => evidence,
        }
    }
}

fn unit_of(found: &Found) -> &'static str {
    if found.n == 1 { "(one artifact)" } else { "(as measured)" }
}
