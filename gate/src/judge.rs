//! One rule against the evidence.

use report::{
    Evaluation,
    gate::{BiasColumn, Counterfactual, Judgement, Verdict},
};
use trainer::metrics::Outcome;

use crate::{
    business::Costs,
    evidence::Evidence,
    metric::{End, Metric, Source},
    rule::{Bound, Comparison, Rule},
    stats::{
        Discordant, Draws, Resampling, Side, least_share, lower, normal_quantile, rows_needed, tango, tango_rows,
        two_sided, upper,
    },
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

/// A figure with what is known of it.
struct Found {
    value: f64,
    interval: Option<(f64, f64)>,
    /// The one-sided ends.
    lower: Option<f64>,
    upper: Option<f64>,
    n: u64,
    method: &'static str,
    /// Whether it is a share of `n`, whose bounds are exact.
    share: bool,
    /// Its standard error, where it was drawn.
    error: Option<f64>,
}

impl Found {
    fn verdict(&self, rule: &Rule, judgement: Judgement, bound: f64, change: String) -> Verdict {
        Verdict {
            rule: rule.to_string(),
            judgement,
            value: Some(self.value),
            bound,
            interval: self.interval,
            level: LEVEL,
            p_value: None,
            n: self.n,
            method: self.method.into(),
            change,
        }
    }
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
        judged.unwrap_or_else(|why| unmeasured(Judgement::Insufficient, bound, why))
    }

    /// The rows that the rule is about, and its class.
    fn scope(&self, rule: &Rule) -> Result<(Vec<u32>, Option<usize>), String> {
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
    fn of_rows(&self, metric: Metric, outcomes: &[Outcome], rows: &[u32], class: Option<usize>) -> Option<f64> {
        let n = rows.len() as f64;
        let rows = rows.iter().map(|&row| &outcomes[row as usize]);
        match metric {
            Metric::Accuracy => Some(rows.filter(|outcome| outcome.actual == outcome.predicted).count() as f64 / n),
            Metric::ExpectedCost => self.costs.map(|costs| rows.map(|outcome| costs.of(outcome)).sum::<f64>() / n),
            _ => metric.measure(&rows.collect::<Vec<_>>(), &self.evidence.classes, class),
        }
    }

    fn draw(&self, rows: &[u32], figure: &(dyn Fn(&[u32]) -> Option<f64> + Sync)) -> Draws {
        let actual: Vec<usize> = self.evidence.outcomes.iter().map(|outcome| outcome.actual).collect();
        Resampling { actual: &actual, seed: self.seed }.draw(rows, figure)
    }

    fn figure(&self, rule: &Rule) -> Result<Found, String> {
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
            method: "Clopper-Pearson",
            share: true,
            error: None,
        })
    }

    fn drawn(&self, value: f64, draws: &Draws, n: u64, method: &'static str) -> Found {
        let known = draws.count() > 1 && !draws.say_nothing();
        let end = |share: f64| known.then(|| draws.quantile(share));
        Found {
            value,
            interval: known.then(|| draws.interval(LEVEL)),
            lower: end(self.alpha),
            upper: end(1.0 - self.alpha),
            n,
            method,
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

    fn groups(&self, metric: Metric, column: &str) -> Result<Found, String> {
        let found = self.bias.iter().find(|found| found.column == column).ok_or_else(|| {
            let known: Vec<&str> = self.bias.iter().map(|found| found.column.as_str()).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            format!("column {column:?} has no groups to compare; columns that have: {known}")
        })?;
        let value = match metric {
            Metric::DemographicParityDifference => Some(found.demographic_parity_difference),
            Metric::EqualOpportunityDifference => found.equal_opportunity_difference,
            _ => found.disparate_impact,
        };
        let value = value.ok_or("it has no value: no favourable document, or none predicted so")?;
        let n = found.groups.iter().map(|group| group.rows).sum();
        let method = "greatest and smallest group; Fisher's exact tests, Holm";
        Ok(Found { value, interval: None, lower: None, upper: None, n, method, share: false, error: None })
    }

    /// The new one's figure less the champion's, on the same rows; ends at one-sided level `alpha`.
    fn difference(&self, rule: &Rule, alpha: f64) -> Result<Found, String> {
        let rival = self.evidence.rival.as_ref().ok_or("there is no champion")?;
        let (rows, class) = self.scope(rule)?;
        let metric = rule.figure.metric;
        if metric == Metric::ExpectedCost && self.costs.is_none() {
            return Err("no costs are set: business.costs".into());
        }
        let of = |rows: &[u32]| {
            let ours = self.of_rows(metric, &self.evidence.outcomes, rows, class)?;
            Some(ours - self.of_rows(metric, &rival.outcomes, rows, class)?)
        };
        let value = of(&rows).filter(|value| value.is_finite()).ok_or("it has no value on these documents")?;
        let n = rows.len() as u64;
        if metric == Metric::Accuracy {
            let pairs = self.discordant(&rows);
            let z = normal_quantile(1.0 - alpha);
            let both = normal_quantile(0.5 + LEVEL / 2.0);
            let error = ((pairs.won + pairs.lost) as f64).sqrt() / n as f64;
            return Ok(Found {
                value,
                interval: Some((tango(pairs, n, both), tango(pairs, n, -both))),
                lower: Some(tango(pairs, n, z)),
                upper: Some(tango(pairs, n, -z)),
                n,
                method: "Tango's score interval, paired",
                share: false,
                error: Some(error),
            });
        }
        let draws = self.draw(&rows, &of);
        let mut found = self.drawn(value, &draws, n, "paired bootstrap, percentiles");
        if found.lower.is_some() {
            (found.lower, found.upper) = (Some(draws.quantile(alpha)), Some(draws.quantile(1.0 - alpha)));
        }
        Ok(found)
    }

    pub(crate) fn discordant(&self, rows: &[u32]) -> Discordant {
        let mut pairs = Discordant { won: 0, lost: 0 };
        let Some(rival) = &self.evidence.rival else { return pairs };
        for &row in rows {
            let right = |outcomes: &[Outcome]| outcomes[row as usize].actual == outcomes[row as usize].predicted;
            match (right(&self.evidence.outcomes), right(&rival.outcomes)) {
                (true, false) => pairs.won += 1,
                (false, true) => pairs.lost += 1,
                _ => {}
            }
        }
        pairs
    }

    fn absolute(&self, rule: &Rule, bound: Bound, found: &Found) -> Verdict {
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
        let column = self.bias.iter().find(|found| Some(&found.column) == rule.slice.as_ref());
        let of_recall = rule.figure.metric == Metric::EqualOpportunityDifference;
        column.is_some_and(|column| {
            let mut p = column.groups.iter().filter_map(|g| if of_recall { g.opportunity_p } else { Some(g.parity_p) });
            p.any(|p| p < self.alpha)
        })
    }

    fn non_inferior(&self, rule: &Rule, margin: f64, alpha: f64, found: &Found) -> Verdict {
        // Turned so that more is better.
        let less = rule.figure.metric.less_is_better();
        let gain = if less { -found.value } else { found.value };
        let worst = if less { found.upper.map(|upper| -upper) } else { found.lower };
        // No drawn difference differs: then both predict alike.
        let worst = worst.unwrap_or(gain);
        let judgement = match () {
            () if worst > -margin => Judgement::Passed,
            () if gain > -margin => Judgement::Insufficient,
            () => Judgement::Failed,
        };
        let change = match judgement {
            Judgement::Passed if worst >= 0.0 => {
                format!("it is better by at least {} (one-sided level {alpha})", short(worst))
            }
            Judgement::Passed => format!("it is worse by no more than {} (one-sided level {alpha})", short(-worst)),
            Judgement::Insufficient if rule.figure.metric == Metric::Accuracy => {
                self.rows_for(rule, margin, alpha, found)
            }
            Judgement::Insufficient => more_rows(gain + margin, alpha, found),
            _ => format!("it is worse by {}; a margin above that, or a better model", short(-gain)),
        };
        found.verdict(rule, judgement, -margin, change)
    }

    /// Rows with which an accuracy would be shown not to be worse, at the same share of differing predictions.
    fn rows_for(&self, rule: &Rule, margin: f64, alpha: f64, found: &Found) -> String {
        let pairs = self.scope(rule).map(|(rows, _)| self.discordant(&rows)).unwrap_or_default();
        let rows = tango_rows(pairs, found.n, normal_quantile(1.0 - alpha), -margin);
        rows.map_or_else(|| "more documents".into(), |rows| would_do(rows, found))
    }

    fn better(&self, rule: &Rule, alpha: f64) -> Result<Verdict, String> {
        let found = self.difference(rule, alpha)?;
        let (rows, class) = self.scope(rule)?;
        let metric = rule.figure.metric;
        let gain = if metric.less_is_better() { -found.value } else { found.value };
        let (p, method) = if metric == Metric::Accuracy {
            let pairs = self.discordant(&rows);
            (pairs.better(), format!("McNemar, exact, one-sided: {} won, {} lost", pairs.won, pairs.lost))
        } else {
            let rival = self.evidence.rival.as_ref().ok_or("there is no champion")?;
            let sign = if metric.less_is_better() { -1.0 } else { 1.0 };
            let draws = self.draw(&rows, &|rows| {
                let ours = self.of_rows(metric, &self.evidence.outcomes, rows, class)?;
                Some(sign * (ours - self.of_rows(metric, &rival.outcomes, rows, class)?))
            });
            (draws.above_zero(), "paired bootstrap, one-sided".to_owned())
        };
        let judgement = match () {
            () if p < alpha => Judgement::Passed,
            () if gain > 0.0 => Judgement::Insufficient,
            () => Judgement::Failed,
        };
        let change = match judgement {
            Judgement::Passed => format!("chance alone would do this with a probability of {}", short(p)),
            Judgement::Insufficient => more_rows(gain, alpha, &found),
            _ => "it is not better on these documents: a better model".into(),
        };
        Ok(Verdict { p_value: Some(p), method, ..found.verdict(rule, judgement, 0.0, change) })
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

/// Rows with which a difference of `gap` would be shown, at the spread that was drawn.
fn more_rows(gap: f64, alpha: f64, found: &Found) -> String {
    let (Some(error), true) = (found.error.filter(|error| *error > 0.0), gap > 0.0) else {
        return "more documents".into();
    };
    // The standard error falls with the root of the rows; a test needs the gap to be `z` of them.
    let rows = found.n as f64 * (normal_quantile(1.0 - alpha) * error / gap).powi(2);
    would_do((rows.ceil() as u64).max(found.n + 1), found)
}

fn would_do(rows: u64, found: &Found) -> String {
    format!("about {rows} rows would do where {} are, at this difference", found.n)
}

/// Four digits that say something.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 0.01 => format!("{}", (value * 1e4).round() / 1e4),
        size if size >= 0.0001 => format!("{}", (value * 1e6).round() / 1e6),
        _ => format!("{value:.2e}"),
    }
}

fn percent(share: f64) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    format!("{percent} %")
}
