use report::drift::{Outcome, html, markdown};

use crate::balanced::assert_sound;
use crate::{evaluation::assert_tables, keep, samples};

#[test]
fn verdicts_say_what_was_found() {
    let unread = report::DriftReport { requests: 4, ..samples::empty() };
    for (report, outcome, verdict) in [
        (samples::drifted(), Outcome::Drifted, "530 documents differ from the baseline: text_length, unknown_terms."),
        (samples::alike(), Outcome::Alike, "530 documents look like the baseline."),
        (samples::empty(), Outcome::Empty, "No requests in the window."),
        (unread, Outcome::Empty, "None of 4 requests in the window could be read."),
    ] {
        assert_eq!((report.outcome(), report.verdict().as_str()), (outcome, verdict));
    }
}

#[test]
fn the_words_that_moved_most_are_told_apart_from_the_sentence() {
    let mut report = samples::drifted();
    let rates = report.because().unwrap();
    assert!(rates.starts_with("Moved most: “refund” 1.1 % → 28.9 %, “"), "{rates}");
    let moved = report.checks.iter_mut().find(|check| check.violated).unwrap();
    moved.feature = "log_odds".into();
    let scores = report.because().unwrap();
    assert!(scores.starts_with("Mean log-odds of ") && scores.contains(", of which refund "), "{scores}");
    assert_eq!(samples::alike().because(), None);
}

#[test]
fn page_shows_what_was_found_and_stays_a_page() {
    let page = html(&samples::drifted());
    keep("drift.html", &page);
    assert_sound(&page);
    for shown in [
        "530 documents differ from the baseline",
        "2026-11-23T19:00:00Z to 2026-11-23T20:00:00Z",
        "<code>baseline_<wbr>drift_<wbr>check</code>",
        "Documents are longer: median 640 characters, baseline 96.",
        "&lt; 1e-99",
        "✓ alike",
        "battery",
        "17-42-003.jsonl:9: expected value at column 1",
        "and 10 more",
        "no held-out files",
        "−0.74 ± 0.35",
        "all other terms",
        "1.1 % → 28.9 %",
        "(not in the model)",
        "Not to be relied on: ",
        "true label 0",
        "11-23 19:40",
        "✗ violated",
        "not known",
        "with an e-mail address",
        "Window by window",
        "done again, 7 late",
    ] {
        assert!(page.contains(shown), "page does not show {shown:?}");
    }
}

#[test]
fn quiet_and_empty_windows_say_so() {
    let alike = html(&samples::alike());
    keep("drift-alike.html", &alike);
    assert_sound(&alike);
    assert!(alike.contains("verdict good") && !alike.contains("✗ drift"));
    let empty = html(&samples::empty());
    keep("drift-empty.html", &empty);
    assert_sound(&empty);
    assert!(empty.contains("<h1>No requests in the window.</h1>"));
}

#[test]
fn summary_is_tables_of_constant_width() {
    let text = markdown(&samples::drifted());
    keep("drift.md", &text);
    assert!(
        text.starts_with("## ❌ 530 documents differ from the baseline\\: text\\_length, unknown\\_terms."),
        "{text}"
    );
    assert!(
        text.contains("| ✅ alike | Scores are spread as in the baseline. | 0.080 | 0.100 | 0.0203 | 0.0020 |"),
        "{text}"
    );
    assert_tables(&text);
    assert!(markdown(&samples::empty()).starts_with("## ⚪ No requests in the window."));
}

#[test]
fn older_files_without_notes_are_read() {
    let mut value = serde_json::to_value(samples::drifted()).unwrap();
    value.as_object_mut().unwrap().remove("notes");
    let report: report::DriftReport = serde_json::from_value(value).unwrap();
    assert!(report.notes.is_empty());
}
