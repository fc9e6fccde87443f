//! The new model beside the champion, on the same documents.

use report::gate::{Judgement, Verdict};
use trainer::metrics::Outcome;

use super::{
    Court, LEVEL,
    figure::Found,
    words::{more_rows, short, would_do},
};
use crate::{
    metric::Metric,
    rule::{Comparison, Rule},
    stats::{Discordant, normal_quantile, tango, tango_rows},
};

impl Court<'_> {
    /// The new one's figure less the champion's, on the same rows; ends at one-sided level `alpha`.
    pub(super) fn difference(&self, rule: &Rule, alpha: f64) -> Result<Found, String> {
        let (rows, class) = self.scope(rule)?;
        let metric = rule.figure.metric;
        if metric == Metric::ExpectedCost && self.costs.is_none() {
            return Err("no costs are set: business.costs".into());
        }
        let of = |rows: &[u32]| self.differ(metric, rows, class);
        let value = of(&rows).ok_or("it has no value on these documents")?;
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
                method: "Tango's score interval, paired".into(),
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

    /// The same on these rows alone; none where either has none.
    fn differ(&self, metric: Metric, rows: &[u32], class: Option<usize>) -> Option<f64> {
        let rival = self.evidence.rival.as_ref()?;
        let ours = self.of_rows(metric, &self.evidence.outcomes, rows, class)?;
        let theirs = self.of_rows(metric, &rival.outcomes, rows, class)?;
        Some(ours - theirs).filter(|difference| difference.is_finite())
    }

    /// What the champion has learned of the rule's rows, if it has, and what the difference is on the others.
    pub(super) fn seen(&self, rule: &Rule) -> Option<String> {
        let seen = self.evidence.rival.as_ref()?.seen.as_ref()?;
        let (rows, class) = self.scope(rule).ok().filter(|_| !matches!(rule.comparison, Comparison::Absolute(_)))?;
        let others: Vec<u32> = rows.iter().copied().filter(|row| seen.binary_search(row).is_err()).collect();
        let (all, left) = (rows.len(), others.len());
        if all == left {
            return None;
        }
        let learned =
            format!("the champion was trained on {} of these {all} rows and looks better than it is", all - left);
        Some(match self.differ(rule.figure.metric, &others, class) {
            Some(difference) => format!("{learned}: on the other {left} the difference is {}", short(difference)),
            None => format!("{learned}: the other {left} say nothing"),
        })
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

    pub(super) fn non_inferior(&self, rule: &Rule, margin: f64, alpha: f64, found: &Found) -> Verdict {
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

    pub(super) fn better(&self, rule: &Rule, alpha: f64) -> Result<Verdict, String> {
        let found = self.difference(rule, alpha)?;
        let (rows, class) = self.scope(rule)?;
        let metric = rule.figure.metric;
        let gain = if metric.less_is_better() { -found.value } else { found.value };
        let (p, method) = if metric == Metric::Accuracy {
            let pairs = self.discordant(&rows);
            (pairs.better(), format!("McNemar, exact, one-sided: {} won, {} lost", pairs.won, pairs.lost))
        } else {
            let sign = if metric.less_is_better() { -1.0 } else { 1.0 };
            let draws = self.draw(&rows, &|rows| self.differ(metric, rows, class).map(|difference| sign * difference));
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
}
