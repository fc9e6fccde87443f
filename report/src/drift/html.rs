//! A drift report as a page.

mod moved;
mod past;
mod timeline;
mod watched;

use super::{Check, DriftReport, Outcome};
use crate::chart::{legend, longest, side_by_side, terms};
use crate::escape::Html;
use crate::number::{count, counted, figure, probability};
use crate::page::{facts, page, section, table, word};

/// One self-contained page, light or dark as the reader's system is.
pub fn html(report: &DriftReport) -> String {
    let r = report;
    let (class, kicker) = match r.outcome() {
        Outcome::Empty => ("", "nothing to compare"),
        Outcome::Alike => ("good", "no violation"),
        Outcome::Drifted => ("bad", "violations"),
    };
    let header = format!(
        "<div class=\"verdict {class}\">\n<p class=\"kicker\">Sagebrush · drift · {kicker}</p>\n<h1>{}</h1>\n<p>{}</p>\n<p class=\"sub\">{}</p>\n</div>\n{}",
        Html(&r.verdict()),
        Html(&r.because().unwrap_or_default()),
        subtitle(r),
        watched::figures(r)
    );
    let sections = [
        section("Violations", "", &violations(r)),
        moved::impact(r),
        moved::terms(r),
        past::windows(r),
        watched::timeline(r),
        watched::accuracy(r),
        moved::domain(r),
        section(
            "Every comparison",
            "A difference is a violation when it is both large enough to matter (over the threshold) and too large for chance \
             (p under its level, which is corrected for the number of comparisons).",
            &checks(&r.checks),
        ),
        section("Baseline and window side by side", "Share of documents.", &distributions(r)),
        section(
            "New terms",
            "Terms of two documents or more that the baseline's text does not have, by the documents that hold them.",
            &new_terms(r),
        ),
        watched::rules(r),
        watched::records(r),
        watched::examples(r),
        section("What was read", "", &read(r)),
        section("Notes", "", &list(&r.notes)),
        format!("<footer>Sagebrush · {}</footer>\n", Html(&r.format)),
    ];
    page(&format!("Drift: {}", r.verdict()), &header, &sections)
}

fn subtitle(r: &DriftReport) -> String {
    format!(
        "Endpoint {}, {}. {} in {} held against {} of the baseline.",
        word(if r.endpoint.is_empty() { "(not named)" } else { &r.endpoint }),
        Html(&r.window()),
        counted(r.documents, "document", "documents"),
        counted(r.requests, "request", "requests"),
        counted(r.baseline_documents, "document", "documents"),
    )
}

fn violations(r: &DriftReport) -> String {
    if r.violations.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = r
        .violations
        .iter()
        .map(|v| {
            let name = format!("<span class=\"bad-word\">{}</span>", Html(&v.feature_name));
            // Where the column is narrow its name breaks between words.
            let check = Html(&v.constraint_check_type).to_string().replace('_', "_<wbr>");
            vec![name, Html(&v.description).to_string(), format!("<code>{check}</code>")]
        })
        .collect();
    table(&["Feature", "What was found", "Check"], &[], &rows)
}

fn checks(checks: &[Check]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = checks
        .iter()
        .map(|c| {
            let verdict = if c.violated {
                "<span class=\"bad-word\">✗ drift</span>"
            } else {
                "<span class=\"good-word\">✓ alike</span>"
            };
            vec![
                verdict.into(),
                format!("{}<br><span class=\"note\">{}</span>", Html(&c.description), statistic(c)),
                figure(c.value, 3),
                figure(c.threshold, 3),
                c.p_value.map_or_else(|| "–".into(), |p| Html(&probability(p)).to_string()),
                c.alpha.map_or_else(|| "–".into(), probability),
            ]
        })
        .collect();
    table(&["", "Comparison", "Difference", "Threshold", "p", "Level"], &[false, false, true, true, true, true], &rows)
}

fn statistic(c: &Check) -> String {
    format!("{} · {}", Html(&c.feature), Html(&c.statistic.replace('_', " ")))
}

fn distributions(r: &DriftReport) -> String {
    if r.distributions.is_empty() {
        return String::new();
    }
    let charts: String = r
        .distributions
        .iter()
        .map(|d| {
            let apart = format!(
                "<p class=\"note\">PSI {}, Jensen-Shannon {}</p>\n",
                figure(d.psi, 3),
                figure(d.jensen_shannon, 3)
            );
            format!("<div><h3>{}</h3>\n{}{apart}</div>\n", Html(&d.title), side_by_side(d))
        })
        .collect();
    format!("{}<div class=\"columns\">\n{charts}</div>\n", legend())
}

fn new_terms(r: &DriftReport) -> String {
    if r.new_terms.is_empty() {
        return String::new();
    }
    let all: Vec<(&str, f64, String)> =
        r.new_terms.iter().map(|t| (t.term.as_str(), t.documents as f64, count(t.documents))).collect();
    let half = all.len().div_ceil(2);
    let columns: String = all.chunks(half).map(|part| format!("<div>{}</div>\n", terms(part, longest(&all)))).collect();
    format!("<div class=\"columns\">\n{columns}</div>\n")
}

fn read(r: &DriftReport) -> String {
    let known = facts(&[
        ("Window", Html(&r.window()).to_string()),
        ("Requests", count(r.requests)),
        ("Documents", count(r.documents)),
        ("Requests without a readable prediction", count(r.unreadable_requests)),
        ("Damaged lines", count(r.damaged)),
        ("Documents of the baseline", count(r.baseline_documents)),
    ]);
    if r.damaged_lines.is_empty() {
        return known;
    }
    let more = r.damaged.saturating_sub(r.damaged_lines.len() as u64);
    let more = if more > 0 { format!("<p class=\"note\">and {} more</p>\n", count(more)) } else { String::new() };
    format!("{known}<h3 style=\"margin-top:1rem\">Damaged lines</h3>\n{}{more}", list(&r.damaged_lines))
}

fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let items: String = lines.iter().map(|line| format!("<li>{}</li>\n", Html(line))).collect();
    format!("<ul>\n{items}</ul>\n")
}
