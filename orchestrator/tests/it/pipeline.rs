//! The whole loop as one story.

use std::io::Write as _;

use crate::cli::{Project, reviews};

#[test]
fn labelled_text_becomes_a_watched_endpoint() {
    let project = Project::new();

    // Once.
    let done = project.run(&["run", "--json"]).exit(0);
    for stage in ["data", "train", "evaluate", "register", "approve", "deploy", "traffic", "monitor"] {
        let lines = done.stderr.lines().filter(|line| line.starts_with(stage)).count();
        assert_eq!(lines, 1, "one line of {stage}\n{}", done.stderr);
    }
    let result = done.json();
    assert_eq!(result["evaluation"]["evaluation"]["passed"], true);
    assert_eq!(result["evaluation"]["evaluation"]["rows"], 12);
    assert_eq!(result["live"]["monitoring"]["violations"], serde_json::json!([]), "{}", done.stderr);
    let watch = &result["live"]["monitoring"]["monitoring"]["watch"];
    assert!(watch["documents"].as_u64().unwrap() >= 12, "{watch}");
    for report in ["evaluation.html", "drift.html"] {
        let page = std::fs::read_to_string(project.path(".sagebrush/reports").join(report)).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"), "{report}");
    }
    assert_eq!(project.processes(), Vec::<String>::new(), "nothing outlives the command");

    // A new process answers.
    let asked =
        project.run(&["invoke", "excellent, I love it", "terrible, a waste of money", "--json", "--explain", "2"]);
    let answer = asked.exit(0).json();
    let labels: Vec<&str> =
        answer["predictions"].as_array().unwrap().iter().map(|p| p["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["1", "0"]);
    assert_eq!(answer["predictions"][0]["explanation"]["terms"].as_array().unwrap().len(), 2);

    // Twice: what is there is taken as done.
    let again = project.run(&["run"]).exit(0);
    for stage in ["data", "train", "register", "approve", "deploy", "traffic"] {
        let line = again.stderr.lines().find(|line| line.starts_with(stage)).unwrap();
        assert!(line.contains("unchanged: "), "{line}");
    }
    assert!(again.stdout.contains("accuracy "), "{}", again.stdout);

    // While another process holds the emulator, this one uses it.
    let emulator = project.emulator();
    let mut piped = project.command(&["invoke", "--content-type", "text/csv"]);
    let mut child = piped.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"\"perfect, very happy\"\n\"useless, it broke\"\n").unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 2);
    assert_eq!(emulator.stop(), Some(0));

    // New data: a new model behind the same endpoint.
    project.write("data/train.csv", reviews(38, 0));
    let changed = project.run(&["run", "--json"]).exit(0).json();
    assert_eq!(changed["registration"]["outcome"], "done");
    assert_ne!(
        changed["live"]["deployment"]["deployment"]["config"],
        result["live"]["deployment"]["deployment"]["config"]
    );

    // Gone, but for what was learned.
    let destroyed = project.run(&["destroy"]).exit(0);
    for what in ["deleted       schedule story-monitor", "deleted       endpoint story", "kept          bucket story-"]
    {
        assert!(destroyed.stdout.contains(what), "{}", destroyed.stdout);
    }
    assert!(project.run(&["destroy"]).exit(0).stdout.contains("deleted       nothing"));
    let gone = project.run(&["invoke", "hello"]).exit(1);
    assert!(gone.stderr.contains("hint: endpoint story is made by: orchestrator run"), "{}", gone.stderr);
    assert_eq!(project.processes(), Vec::<String>::new());
}

#[test]
fn drift_is_told_by_the_exit_code() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    // Traffic of another kind: other words, other lengths.
    let texts: Vec<String> = (0..300).map(|n| format!("quarterly dividend {n} of the northern shipping ledger, reconciled against tonnage manifests and bunker fuel hedges {}", n * 7)).collect();
    for chunk in texts.chunks(100) {
        let args: Vec<&str> = std::iter::once("invoke").chain(chunk.iter().map(String::as_str)).collect();
        project.run(&args).exit(0);
    }
    let drifted = project.run(&["monitor"]).exit(3);
    assert!(
        drifted.stderr.starts_with("refused: the traffic has drifted")
            || drifted.stderr.contains("\nrefused: the traffic has drifted"),
        "{}",
        drifted.stderr
    );
    assert!(drifted.stdout.contains("  violation   "), "{}", drifted.stdout);
}
