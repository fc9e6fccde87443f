//! A drift report as Markdown, for the summary of a CI job.

use super::verdict::signed;
use super::{DriftReport, Outcome};
use crate::escape::Markdown;
use crate::number::{count, figure, percent, probability};

/// Verdict, every comparison, new terms and what could not be read; GitHub's dialect.
pub fn markdown(report: &DriftReport) -> String {
    let r = report;
    let mark = match r.outcome() {
        Outcome::Empty => "⚪",
        Outcome::Alike => "✅",
        Outcome::Drifted => "❌",
    };
    let window = Markdown(&r.window()).to_string();
    [
        format!("## {mark} {}\n\n", Markdown(&r.verdict())),
        format!("Endpoint {}, {window}, {} documents of baseline.\n\n", endpoint(r), count(r.baseline_documents)),
        r.because().map(|why| format!("{}\n\n", Markdown(&why))).unwrap_or_default(),
        accuracy(r),
        checks(r),
        impact(r),
        moved(r),
        other_violations(r),
        new_terms(r),
        not_read(r),
        list(&r.notes),
    ]
    .concat()
}

fn endpoint(r: &DriftReport) -> String {
    if r.endpoint.is_empty() { "(not named)".into() } else { format!("**{}**", Markdown(&r.endpoint)) }
}

fn accuracy(r: &DriftReport) -> String {
    let range = |(low, high): (f64, f64)| format!("{} to {}", percent(low), percent(high));
    let mut text = String::new();
    if let Some(a) = &r.accuracy {
        let held_out = percent(a.baseline);
        text +=
            &format!("Accuracy, estimated: **{}** ({}), held out {held_out}", percent(a.accuracy), range(a.interval));
        text +=
            &a.unreliable.as_ref().map(|why| format!("; not to be relied on: {}", Markdown(why))).unwrap_or_default();
        text += ".\n\n";
    }
    if let Some(m) = &r.measured {
        let (share, labels) = (percent(m.all.accuracy), count(m.all.documents));
        text += &format!("Accuracy, measured: **{share}** ({}), {labels} labels.\n\n", range(m.all.interval));
    }
    text
}

/// The change of the mean log-odds, and its strongest terms.
fn impact(r: &DriftReport) -> String {
    let Some(shift) = r.scores.first().filter(|shift| !shift.terms.is_empty()) else { return String::new() };
    let rows: String = shift
        .terms
        .iter()
        .take(10)
        .map(|t| format!("| {} | {} |\n", Markdown(&t.term), signed(t.contribution)))
        .collect();
    format!("| Mean log-odds of {} | {} |\n| --- | ---: |\n{rows}\n", Markdown(&shift.class), signed(shift.change))
}

fn moved(r: &DriftReport) -> String {
    if r.terms.is_empty() {
        return String::new();
    }
    let shown = |t: &super::TermShift| {
        let (before, now) = (percent(t.baseline), percent(t.window));
        format!("{} ({before} → {now})", Markdown(&t.term))
    };
    let terms: Vec<String> = r.terms.iter().take(10).map(shown).collect();
    format!("Words that moved: {}\n\n", terms.join(", "))
}

fn checks(r: &DriftReport) -> String {
    if r.checks.is_empty() {
        return String::new();
    }
    let rows: String = r
        .checks
        .iter()
        .map(|c| {
            let mark = if c.violated { "❌ drift" } else { "✅ alike" };
            let [p, level] = [c.p_value, c.alpha].map(|p| p.map_or_else(|| "–".into(), probability));
            let (value, threshold) = (figure(c.value, 3), figure(c.threshold, 3));
            format!("| {mark} | {} | {value} | {threshold} | {} | {level} |\n", Markdown(&c.description), Markdown(&p))
        })
        .collect();
    format!(
        "| | Comparison | Difference | Threshold | p | Level |\n| --- | --- | ---: | ---: | ---: | ---: |\n{rows}\n"
    )
}

/// Violations that no comparison shows.
fn other_violations(r: &DriftReport) -> String {
    let shown = |feature: &str| r.checks.iter().any(|c| c.violated && c.feature == feature);
    r.violations
        .iter()
        .filter(|v| v.constraint_check_type != "baseline_drift_check" || !shown(&v.feature_name))
        .map(|v| format!("- ❌ **{}**: {}\n", Markdown(&v.feature_name), Markdown(&v.description)))
        .chain((!r.violations.is_empty()).then(|| "\n".to_string()))
        .collect()
}

fn new_terms(r: &DriftReport) -> String {
    if r.new_terms.is_empty() {
        return String::new();
    }
    let terms: Vec<String> =
        r.new_terms.iter().take(15).map(|t| format!("{} ({})", Markdown(&t.term), count(t.documents))).collect();
    format!("New terms (documents): {}\n\n", terms.join(", "))
}

fn not_read(r: &DriftReport) -> String {
    let mut lines = Vec::new();
    if r.unreadable_requests > 0 {
        lines.push(format!("Requests without a readable prediction: {}", count(r.unreadable_requests)));
    }
    if r.damaged > 0 {
        lines.push(format!("Damaged lines: {}", count(r.damaged)));
        lines.extend(r.damaged_lines.iter().cloned());
    }
    list(&lines)
}

fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    lines.iter().map(|line| format!("- {}\n", Markdown(line))).chain(["\n".to_string()]).collect()
}
