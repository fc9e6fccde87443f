//! The window in time, how right it is, its rules and records.

use crate::drift::html::timeline::charts;
use crate::drift::verdict::signed;
use crate::drift::{DriftReport, SliceAccuracy, TimeSlot};
use crate::escape::Html;
use crate::number::{count, figure, percent};
use crate::page::{section, table, tiles, word};

/// Headline figures.
pub(super) fn figures(r: &DriftReport) -> String {
    let mut figures = vec![("Documents", count(r.documents), "in the window")];
    let range = |(low, high): (f64, f64)| format!("{} to {}", percent(low), percent(high));
    let (estimated, measured);
    if let Some(accuracy) = &r.accuracy {
        estimated = format!("{}; held out {}", range(accuracy.interval), percent(accuracy.baseline));
        figures.push(("Accuracy, estimated", percent(accuracy.accuracy), &estimated));
    }
    if let Some(found) = &r.measured {
        measured = format!("{}, {} labels", range(found.all.interval), count(found.all.documents));
        figures.push(("Accuracy, measured", percent(found.all.accuracy), &measured));
    }
    if let Some(shift) = r.scores.first() {
        figures.push(("Mean log-odds", signed(shift.change), "change against the baseline"));
    }
    if let Some(domain) = &r.domain {
        figures.push(("Told apart", figure(domain.auc, 2), "0.5 is chance, 1 always"));
    }
    if r.documents == 0 { String::new() } else { tiles(&figures) }
}

/// Small charts over the slots.
pub(super) fn timeline(r: &DriftReport) -> String {
    let slots = &r.timeline.slots;
    if slots.len() < 2 {
        return String::new();
    }
    let times: Vec<String> = slots.iter().map(|slot| time(&slot.start)).collect();
    let share = format!("share predicted as {}", r.timeline.class);
    let [unknown, score, accuracy, class] = r.timeline.baseline;
    let of = |value: fn(&TimeSlot) -> Option<f64>| slots.iter().map(value).collect::<Vec<_>>();
    let lines = [
        (
            "documents",
            of(|s| Some(s.documents as f64)),
            None,
            (|v| count(v.max(0.0).round() as u64)) as fn(f64) -> String,
        ),
        (&share, of(|s| s.class_share), class, percent),
        ("mean log-odds", of(|s| s.score), score, |v| figure(v, 2)),
        ("accuracy, estimated", of(|s| s.accuracy), accuracy, percent),
        ("terms unknown to the model", of(|s| s.unknown), unknown, percent),
    ];
    section("In time", "The dashed line is the baseline's.", &charts(&times, lines))
}

/// `11-23 19:05` of an RFC 3339 time.
fn time(start: &str) -> String {
    start.get(5..16).unwrap_or(start).replace('T', " ")
}

pub(super) fn accuracy(r: &DriftReport) -> String {
    let mut content = String::new();
    if let Some(a) = &r.accuracy {
        let range = |(low, high): (f64, f64)| format!("{} to {}", percent(low), percent(high));
        content += &format!(
            "<p>Without labels: <b>{}</b> ({}); {} by confidence alone, {} if the classes are as frequent as they were; {} held-out \
             documents were {} right.</p>\n",
            percent(a.accuracy),
            range(a.interval),
            percent(a.by_confidence),
            percent(a.by_mix),
            count(a.baseline_documents),
            percent(a.baseline)
        );
        if let Some(why) = &a.unreliable {
            content += &format!("<p class=\"warn\">Not to be relied on: {}.</p>\n", Html(why));
        }
    }
    if let Some(measured) = &r.measured {
        let row = |slice: &SliceAccuracy| {
            let name = if slice.slice.is_empty() { "<b>all with labels</b>".into() } else { word(&slice.slice) };
            let range = format!("{} to {}", percent(slice.interval.0), percent(slice.interval.1));
            vec![name, percent(slice.accuracy), range, count(slice.documents)]
        };
        let rows: Vec<Vec<String>> = std::iter::once(&measured.all).chain(&measured.slices).map(row).collect();
        content +=
            &table(&["With labels", "Accuracy", "95 % interval", "Documents"], &[false, true, true, true], &rows);
    }
    section("How right the predictions are", "", &content)
}

pub(super) fn rules(r: &DriftReport) -> String {
    if r.rules.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = r
        .rules
        .iter()
        .map(|rule| {
            let verdict = match rule.violated {
                Some(true) => "<span class=\"bad-word\">✗ violated</span>",
                Some(false) => "<span class=\"good-word\">✓ kept</span>",
                None => "<span class=\"note\">not known</span>",
            };
            let shown = |(name, value): &(String, Option<f64>)| {
                format!("{} = {}", Html(name), value.map_or_else(|| "–".into(), |v| figure(v, 4)))
            };
            let figures: Vec<String> = rule.figures.iter().map(shown).collect();
            let name = format!("{}<br><code>{}</code>", Html(&rule.name), Html(&rule.rule));
            vec![verdict.into(), name, figures.join("<br>")]
        })
        .collect();
    section("Rules", "", &table(&["", "Rule", "Figures"], &[], &rows))
}

pub(super) fn records(r: &DriftReport) -> String {
    if r.records.iter().all(|record| record.documents == 0) {
        return String::new();
    }
    let share = |n: u64| percent(n as f64 / r.documents.max(1) as f64);
    let rows: Vec<Vec<String>> = r
        .records
        .iter()
        .map(|record| vec![Html(&record.title).to_string(), count(record.documents), share(record.documents)])
        .collect();
    let table = table(&["Documents", "Count", "Share"], &[false, true, true], &rows);
    section("Records", "Counted, and copied nowhere.", &table)
}

pub(super) fn examples(r: &DriftReport) -> String {
    if r.examples.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = r
        .examples
        .iter()
        .map(|e| vec![word(&e.term), format!("<div class=\"quote\">{}</div>", word(&e.text))])
        .collect();
    section("Examples of words that moved", "", &table(&["Word", "Text"], &[], &rows))
}
