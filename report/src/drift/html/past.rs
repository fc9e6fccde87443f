//! The windows before this one, and this one last.

use crate::drift::html::timeline::charts;
use crate::drift::{DriftReport, PastWindow, verdict::signed};
use crate::escape::Html;
use crate::number::{count, figure, percent};
use crate::page::{section, table, word};

/// Windows that the table lists.
const LISTED: usize = 12;

/// Charts and the last windows as a table; nothing where there was none before.
pub(super) fn windows(r: &DriftReport) -> String {
    if r.history.is_empty() {
        return String::new();
    }
    let this = PastWindow::of(r, 1, 0);
    let all: Vec<&PastWindow> = r.history.iter().chain([&this]).collect();
    let times: Vec<String> = all.iter().map(|w| time(&w.end)).collect();
    let held_out = r.accuracy.as_ref().map(|accuracy| accuracy.baseline);
    let of = |value: fn(&PastWindow) -> Option<f64>| all.iter().map(|w| value(w)).collect::<Vec<_>>();
    let whole = (|v| count(v.max(0.0).round() as u64)) as fn(f64) -> String;
    let lines = [
        ("documents", of(|w| Some(w.documents as f64)), None, whole),
        ("violations", of(|w| Some(w.violations.len() as f64)), None, whole),
        ("change of the mean log-odds", of(|w| w.change), Some(0.0), |v| figure(v, 2)),
        ("accuracy, estimated", of(|w| w.accuracy), held_out, percent),
        ("accuracy, measured", of(|w| w.measured), held_out, percent),
        ("told apart (domain classifier)", of(|w| w.domain), Some(0.5), |v| figure(v, 2)),
    ];
    let charts = charts(&times, lines);
    let rows: Vec<Vec<String>> = all.iter().rev().take(LISTED).map(|w| row(w)).collect();
    let head = ["Until", "", "Documents", "Strongest words", "Log-odds", "Accuracy, estimated"];
    let listed = table(&head, &[false, false, true, false, true, true], &rows);
    section(
        "Window by window",
        "The last point and the first row are this window; the dashed line is what the baseline would have.",
        &format!("{charts}{listed}"),
    )
}

fn row(w: &PastWindow) -> Vec<String> {
    let state = match w.violations.is_empty() {
        true if w.documents == 0 => "<span class=\"note\">no requests</span>".into(),
        true => "<span class=\"good-word\">✓ alike</span>".into(),
        false => {
            let names = w.violations.join(", ");
            format!("<span class=\"bad-word\">✗ drift</span><br><span class=\"note\">{}</span>", Html(&names))
        }
    };
    let again = match w.revision {
        0 | 1 => String::new(),
        _ => format!("<br><span class=\"note\">done again, {} late</span>", count(w.late)),
    };
    let words: Vec<String> = w.words.iter().map(|(term, by)| format!("{} {}", word(term), signed(*by))).collect();
    vec![
        format!("{}{again}", Html(&time(&w.end))),
        state,
        count(w.documents),
        words.join(", "),
        w.change.map_or_else(|| "–".into(), signed),
        w.accuracy.map_or_else(|| "–".into(), percent),
    ]
}

/// `11-23 19:05` of an RFC 3339 time.
fn time(at: &str) -> String {
    at.get(5..16).unwrap_or(at).replace('T', " ")
}
