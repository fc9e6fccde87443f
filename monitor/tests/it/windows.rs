//! Scheduled jobs: which windows are done, which again, and what is left of each.

use std::process::ExitCode;

use report::drift::PastWindow;

use crate::ml_root::{MlRoot, capture};
use crate::story::{reviews, root, texts};

const OTHER: &str =
    "der lieferant hat uns leider viel zu lange warten lassen und danach kam noch eine falsche rechnung";

/// A job that the schedule starts for `at`; what it leaves is put into the ledger, as the bucket would have it.
fn ask(root: &MlRoot, at: &str, more: &[(&str, &str)]) -> String {
    let mut variables = vec![
        ("end_time", at),
        ("window_seconds", "3600"),
        ("ledger_source", "/opt/ml/processing/ledger"),
        ("ledger_output", "/opt/ml/processing/done"),
        ("report_link", "https://reports/{window}/report.html"),
    ];
    variables.extend(more);
    assert_eq!(root.watch(&variables), ExitCode::SUCCESS, "{}", root.message());
    root.message()
}

/// Moves the entries of the last job to where the next one reads them; their names.
fn keep(root: &MlRoot) -> Vec<String> {
    let Ok(left) = std::fs::read_dir(root.path("processing/done")) else { return Vec::new() };
    let mut names: Vec<String> = left.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    for name in &names {
        root.write(
            &format!("processing/ledger/{name}"),
            std::fs::read(root.path(&format!("processing/done/{name}"))).unwrap(),
        );
    }
    std::fs::remove_dir_all(root.path("processing/done")).unwrap();
    names
}

fn begun() -> MlRoot {
    let root = root();
    root.write("processing/ledger/begin.json", r#"{"since": "2026-01-19T19:00:00Z"}"#);
    // Two hours of traffic, from 19:00 on.
    root.write_captures(&texts(&reviews(120, 3)));
    root
}

#[test]
fn each_window_is_done_once_whatever_the_schedule_does() {
    let root = begun();
    assert_eq!(ask(&root, "2026-01-19T19:10:00Z", &[]), "Completed: every window that has passed is done.");
    assert!(keep(&root).is_empty());
    let message = ask(&root, "2026-01-19T20:10:00Z", &[]);
    let want = "Completed: 2026-01-19T19:00:00Z to 2026-01-19T20:00:00Z: 60 documents look like the baseline. Report: https://reports/2026-01-19T20-00-00Z/report.html";
    assert_eq!(message, want);
    // The job dies before anything of it is in the bucket: the next one does its window too.
    std::fs::remove_dir_all(root.path("processing/done")).unwrap();
    let message = ask(&root, "2026-01-19T21:10:00Z", &[]);
    assert!(
        message.contains("20:00:00Z to 2026-01-19T21:00:00Z: 60 documents") && message.contains("(2 windows done)"),
        "{message}"
    );
    assert_eq!(keep(&root), ["2026-01-19T20-00-00Z.json", "2026-01-19T21-00-00Z.json"]);
    for again in ["2026-01-19T21:10:00Z", "2026-01-19T21:59:59Z", "2026-01-19T20:10:00Z", "2026-01-19T18:10:00Z"] {
        assert_eq!(ask(&root, again, &[]), "Completed: every window that has passed is done.", "{again}");
        assert!(keep(&root).is_empty(), "{again}");
    }
    let page = std::fs::read_to_string(root.path("processing/output/2026-01-19T21-00-00Z/report.html")).unwrap();
    assert!(page.contains("Window by window"), "the window before is drawn");
}

#[test]
fn late_captures_make_a_window_be_done_again() {
    let root = begun();
    ask(&root, "2026-01-19T21:10:00Z", &[]);
    keep(&root);
    let artifact = model::Artifact::open(&root.path("processing/model")).unwrap();
    let late: String = (0..30).map(|n| capture(&artifact, OTHER, n) + "\n").collect();
    root.write("processing/input/capture/reviews/AllTraffic/2026/01/19/19/59-59-000-late.jsonl", late);
    let message = ask(&root, "2026-01-19T22:10:00Z", &[]);
    assert!(message.starts_with("CompletedWithViolations: 2026-01-19T19:00:00Z to 2026-01-19T20:00:00Z, again with 30 late requests: 90 documents differ"), "{message}");
    let entry: PastWindow = root.json("processing/done/2026-01-19T20-00-00Z.json");
    assert_eq!((entry.revision, entry.late, entry.requests), (2, 30, 90));
    assert!(!entry.violations.is_empty() && !entry.words.is_empty(), "{entry:?}");
    assert_eq!(keep(&root), ["2026-01-19T20-00-00Z.json", "2026-01-19T22-00-00Z.json"]);
    assert_eq!(ask(&root, "2026-01-19T22:10:00Z", &[]), "Completed: every window that has passed is done.");
    // Later than it is caught up with, the window stays as it is.
    let late: String = (0..5).map(|n| capture(&artifact, OTHER, n) + "\n").collect();
    root.write("processing/input/capture/reviews/AllTraffic/2026/01/19/19/59-59-001-later.jsonl", late);
    ask(&root, "2026-01-19T23:10:00Z", &[("catch_up", "3")]);
    assert_eq!(keep(&root), ["2026-01-19T23-00-00Z.json"]);
}

#[test]
fn windows_too_long_ago_are_told_and_not_done() {
    let root = begun();
    let message = ask(&root, "2026-01-20T09:10:00Z", &[("catch_up", "2")]);
    assert!(message.contains("12 earlier windows were missed and are too old to be caught up with."), "{message}");
    assert_eq!(keep(&root), ["2026-01-20T08-00-00Z.json", "2026-01-20T09-00-00Z.json"]);
    let message = ask(&root, "2026-01-20T13:10:00Z", &[("catch_up", "2")]);
    assert!(message.contains("2 earlier windows were missed"), "{message}");
    let variables = [
        ("ledger_source", "/opt/ml/processing/ledger"),
        ("ledger_output", "/opt/ml/processing/done"),
        ("window_seconds", "60"),
        ("catch_up", "0"),
    ];
    assert_eq!(root.watch(&variables), ExitCode::FAILURE);
    assert_eq!(
        root.message(),
        "error: environment variable catch_up is `0`; expected a number of windows from 1 to 1000"
    );
}
