//! A gate's report as Markdown, for the summary of a CI job.

use super::{GateReport, Judgement, Verdict};
use crate::escape::Markdown;
use crate::number::{count, figure, probability};

/// Verdict and every rule; GitHub's dialect.
pub fn markdown(report: &GateReport) -> String {
    let r = report;
    let mark = if r.passed { "✅" } else { "❌" };
    let row = |v: &Verdict| {
        let mark = match v.judgement {
            Judgement::Passed => "✅",
            Judgement::Failed => "❌",
            Judgement::Insufficient => "⚠️",
            Judgement::NotApplicable => "⚪",
        };
        let value = v.value.map_or_else(|| "–".into(), |value| figure(value, 4));
        let interval = v.interval.map(|(low, high)| format!("{} to {}", figure(low, 4), figure(high, 4)));
        let (rule, change) = (Markdown(&v.rule).to_string(), Markdown(&v.change).to_string());
        let (word, interval, n) = (v.judgement.word(), interval.unwrap_or_default(), count(v.n));
        format!("| {rule} | {mark} {word} | {value} | {interval} | {n} | {change} |\n")
    };
    let rows: String = r.verdicts.iter().map(row).collect();
    let champion = r.champion.as_ref().map_or_else(String::new, |c| {
        format!(
            "Champion {}: accuracy {} on the same documents, {} won, {} lost, McNemar p {}.\n\n",
            Markdown(&c.package),
            figure(c.accuracy, 4),
            count(c.won),
            count(c.lost),
            probability(c.p_value)
        )
    });
    format!(
        "## {mark} {}\n\n{champion}| Rule | Verdict | Value | 95 % interval | n | What would change it |\n\
         | --- | --- | ---: | ---: | ---: | --- |\n{rows}\n",
        Markdown(&r.headline())
    )
}
