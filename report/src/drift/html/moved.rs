//! Which words moved, and what that does.

use crate::chart::{diverging, legend, rows};
use crate::drift::verdict::signed;
use crate::drift::{Bin, DriftReport, ScoreShift};
use crate::escape::Html;
use crate::number::{count, counted, figure};
use crate::page::{section, term, word};

/// Terms of a chart.
const SHOWN: usize = 24;
/// Classes whose scores are shown.
const CLASSES: usize = 6;

/// The change of the mean log-odds, term by term.
pub(super) fn impact(r: &DriftReport) -> String {
    let of_class = |shift: &ScoreShift| {
        let mut bars: Vec<(&str, f64, String)> = shift
            .terms
            .iter()
            .filter(|t| t.contribution != 0.0)
            .take(SHOWN / 2)
            .map(|t| (t.term.as_str(), t.contribution, signed_three(t.contribution)))
            .collect();
        let named: f64 = bars.iter().map(|(_, value, _)| value).sum();
        let rest = shift.change - named;
        bars.push(("all other terms", rest, signed_three(rest)));
        format!(
            "<div><h3>mean log-odds of {} {} ± {}</h3>\n<p class=\"note\">{} in the baseline, {} in the window</p>\n{}</div>\n",
            word(&shift.class),
            signed(shift.change),
            figure(shift.error, 2),
            figure(shift.baseline, 2),
            figure(shift.window, 2),
            diverging(&bars)
        )
    };
    let classes: String = r.scores.iter().take(CLASSES).map(of_class).collect();
    let content = if classes.is_empty() { classes } else { format!("<div class=\"columns\">\n{classes}</div>\n") };
    section(
        "What it does to the predictions",
        "The change of the mean log-odds, taken apart by term: its weight times the change of its mean TF-IDF value. The parts add up \
         to the whole.",
        &content,
    )
}

fn signed_three(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{}", figure(value.abs(), 3))
}

/// Rates that moved.
pub(super) fn terms(r: &DriftReport) -> String {
    if r.terms.is_empty() {
        return String::new();
    }
    let bins: Vec<Bin> = r
        .terms
        .iter()
        .take(SHOWN)
        .map(|t| {
            let blind = if t.seen_by_model { "" } else { " (not in the model)" };
            Bin { label: format!("{}{blind}", t.term), baseline: t.baseline, window: t.window }
        })
        .collect();
    let half = bins.len().div_ceil(2);
    let columns: String = bins.chunks(half).map(|part| format!("<div>{}</div>\n", rows(part))).collect();
    section(
        "Words that moved",
        &format!(
            "Share of the documents that hold a word. Of {} frequent enough to be tested, these moved by more than chance, the \
             largest differences first; false ones among them are expected to be 1 % at most.",
            count(r.tested_terms)
        ),
        &format!("{}<div class=\"columns\">\n{columns}</div>\n", legend()),
    )
}

/// The classifier that tells window and baseline apart.
pub(super) fn domain(r: &DriftReport) -> String {
    let Some(domain) = &r.domain else { return String::new() };
    let (low, high) = domain.interval;
    let bars: Vec<(&str, f64, String)> =
        domain.terms.iter().map(|t| (t.term.as_str(), t.contribution, signed_three(t.contribution))).collect();
    let words = match domain.terms.first() {
        Some(first) if domain.auc > 0.6 => format!(" The strongest word is {}.", term(&first.term)),
        _ => String::new(),
    };
    let content = format!(
        "<p>Area under its ROC curve, cross-validated: <b>{}</b> ({} to {}). 0.5 is chance, 1 tells every document.{words}</p>\n{}",
        figure(domain.auc, 3),
        figure(low, 3),
        figure(high, 3),
        diverging(&bars)
    );
    section(
        "Can a classifier tell them apart?",
        &format!(
            "A logistic regression between {} of the window (right) and {} of the baseline (left).",
            counted(domain.window_documents, "document", "documents"),
            Html(&counted(domain.baseline_documents, "document", "documents"))
        ),
        &content,
    )
}
