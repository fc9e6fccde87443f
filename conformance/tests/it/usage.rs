//! What is wrong with the command line is told before anything runs; what is not told is not applicable.

use std::process::{Command, Output};

use conformance::{Contract, Verdict};

use crate::lab::{Lab, container, example, failed};

fn kit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conformance")).args(arguments).output().expect("the kit starts")
}

#[test]
fn wrong_usage_is_exit_2_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let probe = folder.path().join("probe.toml");
    std::fs::write(&probe, "[hosting]\nmodle = \"m\"\n").expect("a file");
    let probe = probe.to_string_lossy();
    for (arguments, says) in [
        (&["serve --port {port}"][..], "{ml_root}"),
        (&["serve '{ml_root}"], "a quote is not closed"),
        (&["x {ml_root}", "--skip", "hosting.nothing"], "there is no check `hosting.nothing`"),
        (&["x {ml_root}", "--data", "/nowhere/at/all"], "/nowhere/at/all: the training data should be a folder"),
        (&["x {ml_root}", "--probe", &probe], "modle"),
        (&["x {ml_root}", "--accept", "text/csv"], "--body"),
        (&["x {ml_root}", "--body-file", "/nowhere/at/all"], "/nowhere/at/all"),
        (&[], "required"),
    ] {
        let output = kit(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(says), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_engine_that_is_not_there_is_exit_1_and_says_so() {
    let output = kit(&["some-image", "--engine", "no-such-engine"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no-such-engine") && stderr.contains("--engine"), "{stderr}");
}

#[tokio::test]
async fn what_the_kit_is_not_told_is_not_applicable_with_the_reason() {
    let mut lab = Lab::new(&[Contract::Training, Contract::Hosting]);
    lab.plan.training.data = None;
    lab.plan.hosting.model = None;
    let report = lab.judge(&container()).await;
    assert_eq!(failed(&report), Default::default(), "{report}");
    for (id, says) in [("training.success", "--data"), ("hosting.start", "--model"), ("multi-model.load", "--contract")]
    {
        let Some(Verdict::NotApplicable { reason }) = report.verdict(id) else { panic!("{id}\n{report}") };
        assert!(reason.contains(says), "{id}: {reason}");
    }
    // A job without any data can still be seen to fail well.
    assert!(matches!(report.verdict("training.failure-file"), Some(Verdict::Pass { .. })), "{report}");
}

#[tokio::test]
async fn the_kits_own_request_is_no_reason_to_fail_anybody() {
    let mut lab = Lab::new(&[Contract::Hosting]);
    lab.plan.hosting.request.clear();
    // A container that takes no text at all.
    lab = lab.with_defect("chokes-on-headers");
    lab.plan.skip = vec!["hosting.headers".to_owned()];
    let report = lab.judge(&container()).await;
    assert_eq!(failed(&report), Default::default(), "{report}");
    let Some(Verdict::NotApplicable { reason }) = report.verdict("hosting.headers") else { panic!("{report}") };
    assert!(reason.contains("--skip"), "{reason}");
}

#[test]
fn the_program_prints_json_writes_junit_and_exits_1_on_a_failure() {
    let lab = Lab::new(&[]);
    let command = format!("{} {{argument}} --ml-root {{ml_root}} --port {{port}}", example("subject").display());
    let path = |below: &str| lab.path().join(below).to_string_lossy().into_owned();
    let junit = path("junit.xml");
    let arguments = |defect: &str| {
        let words = [
            &command,
            "--contract",
            "hosting",
            "--model",
            &path("model"),
            "--body",
            "one",
            "--accept",
            "text/csv",
            "--env",
            defect,
            "--junit",
            &junit,
            "--json",
        ];
        words.map(str::to_owned)
    };
    for (defect, exit) in [("DEFECT=none", 0), ("DEFECT=ping-body", 1)] {
        let words = arguments(defect);
        let output = kit(&words.each_ref().map(String::as_str));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{stderr}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(report["failed"], exit);
        let findings = report["findings"].as_array().expect("findings");
        let ping = findings.iter().find(|finding| finding["check"] == "hosting.ping-body").expect("the check");
        assert_eq!(ping["verdict"], if exit == 0 { "pass" } else { "fail" });
        assert!(ping["url"].as_str().is_some_and(|url| url.starts_with("https://docs.aws.amazon.com/")), "{ping}");
        let xml = std::fs::read_to_string(&junit).expect("the JUnit file");
        assert!(xml.contains(&format!("failures=\"{exit}\"")), "{xml}");
    }
}
