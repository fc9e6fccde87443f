//! Whole jobs: a baseline, then windows of its own kind, of another, of none.

use std::process::ExitCode;

use crate::ml_root::{CAPTURE, CSV, MlRoot, Row};

/// Sentences drawn from few words, so that documents resemble each other; `seed` makes others.
pub fn reviews(count: usize, seed: u64) -> Vec<Row> {
    let things = ["the phone", "this book", "my order", "the service", "our room", "the film", "that lamp", "the food"];
    let good = ["was great", "works very well", "made me happy", "is excellent", "arrived early", "looks lovely"];
    let bad = ["was awful", "broke at once", "made me angry", "is useless", "arrived late", "looks cheap"];
    let ends = ["and i would buy it again", "so far", "as described", "for the price", "in every way", "as always"];
    let mut state = seed;
    let mut draw = |from: &[&'static str]| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from[(state >> 33) as usize % from.len()]
    };
    (0..count)
        .map(|n| {
            let positive = n % 2 == 0;
            let mut text = format!("{} {}", draw(&things), draw(if positive { &good } else { &bad }));
            for _ in 0..draw(&["", "a", "ab", "abc"]).len() {
                text = format!("{text} {}, {}", draw(&ends), draw(&things));
            }
            (text, if positive { "1" } else { "0" }.to_string())
        })
        .collect()
}

pub fn root() -> MlRoot {
    let root = MlRoot::new(&reviews(200, 1));
    root.write_csv("processing/input/test/test.csv", &reviews(100, 2));
    assert_eq!(root.baseline(), ExitCode::SUCCESS, "{}", root.message());
    root
}

pub fn texts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|(text, _)| text.as_str()).collect()
}

#[test]
fn a_window_like_the_baseline_has_no_violation() {
    let root = root();
    assert!(root.message().starts_with("Completed: baseline of 200 documents with "), "{}", root.message());
    root.write_captures(&texts(&reviews(100, 3)));
    assert_eq!(root.watch(&[]), ExitCode::SUCCESS);
    assert_eq!(root.message(), "Completed: 100 documents look like the baseline.");
    let violations: serde_json::Value = root.json("processing/output/constraint_violations.json");
    assert_eq!(violations, serde_json::json!({"violations": []}));
    let report = root.report();
    assert_eq!((report.requests, report.documents, report.checks.len()), (100, 100, 10));
    assert_eq!(report.distributions.len(), 6);
    let statistics: serde_json::Value = root.json("processing/output/statistics.json");
    assert_eq!(statistics["dataset"]["item_count"], 100);
    let page = std::fs::read_to_string(root.path("processing/output/report.html")).unwrap();
    assert!(page.contains("100 documents look like the baseline."));
    assert!(!root.path("output/metrics").exists(), "metrics that nobody asked for");
    let left: Vec<_> = std::fs::read_dir(root.path("processing/output"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".aside"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn other_text_is_violations_and_metrics() {
    let root = root();
    let other = "der lieferant hat uns leider viel zu lange warten lassen und danach kam noch eine falsche rechnung";
    root.write_captures(&[other; 40]);
    assert_eq!(root.watch(&[("publish_cloudwatch_metrics", "Enabled")]), ExitCode::SUCCESS, "a finding is no failure");
    let message = root.message();
    assert!(message.starts_with("CompletedWithViolations: 40 documents differ from the baseline: "), "{message}");
    let violations: serde_json::Value = root.json("processing/output/constraint_violations.json");
    let found: Vec<(&str, &str)> = violations["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["feature_name"].as_str().unwrap(), v["constraint_check_type"].as_str().unwrap()))
        .collect();
    assert!(found.contains(&("unknown_terms", "baseline_drift_check")), "{found:?}");
    assert!(found.contains(&("text_length", "baseline_drift_check")), "{found:?}");
    let report = root.report();
    assert_eq!((report.new_terms[0].term.as_str(), report.new_terms[0].documents), ("danach", 40));
    let metrics = std::fs::read_to_string(root.path("output/metrics/cloudwatch/cloudwatch_metrics.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| lines.iter().find(|line| line["MetricName"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(named("documents")["Value"], 40.0);
    assert_eq!(named("violations")["Value"], found.len() as f64);
    assert_eq!(named("feature_data_text_length")["StatisticValues"]["SampleCount"], 40.0);
    assert_eq!(named("feature_baseline_drift_unknown_terms")["Dimensions"][0]["Value"], "reviews");
    assert_eq!(named("documents")["Timestamp"], "2026-01-19T19:39:00Z");
}

#[test]
fn constraints_are_read_back() {
    let root = root();
    root.write_captures(&["eine falsche rechnung"; 40]);
    let path = "processing/baseline/constraints.json";
    let mut constraints: serde_json::Value = root.json(path);
    constraints["monitoring_config"]["distribution_constraints"]["comparison_threshold"] = 1.0.into();
    // What is of whole windows has thresholds of its own.
    for feature in constraints["features"].as_array_mut().unwrap() {
        feature.as_object_mut().unwrap().remove("monitoringConfigOverrides");
    }
    root.write(path, constraints.to_string());
    assert_eq!(root.watch(&[]), ExitCode::SUCCESS);
    assert_eq!(root.message(), "Completed: 40 documents look like the baseline.");
    constraints["monitoring_config"]["distribution_constraints"]["perform_comparison"] = "Disabled".into();
    root.write(path, constraints.to_string());
    root.watch(&[]);
    assert!(root.report().checks.is_empty());
}

#[test]
fn a_foreign_label_is_another_models() {
    let root = root();
    root.write_captures(&texts(&reviews(60, 4)));
    let path = "processing/input/capture/reviews/AllTraffic/2026/01/19/19/00-00-000-a.jsonl";
    let lines = std::fs::read_to_string(root.path(path)).unwrap();
    root.write(path, lines.replacen(r#"\"label\":\"1\""#, r#"\"label\":\"spam\""#, 1));
    root.watch(&[]);
    let report = root.report();
    let violation = report.violations.iter().find(|v| v.feature_name == "predicted_label").unwrap();
    assert_eq!(violation.constraint_check_type, "categorical_values_check");
    assert!(violation.description.starts_with("1 of 60 predictions are labels"), "{violation:?}");
}

#[test]
fn captures_of_one_half_lack_the_other() {
    let root = root();
    root.write_captures(&texts(&reviews(60, 4)));
    root.watch(&[("dataset_format", r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput"]}}"#)]);
    let report = root.report();
    let missing: Vec<&str> = report
        .violations
        .iter()
        .filter(|v| v.constraint_check_type == "missing_column_check")
        .map(|v| v.feature_name.as_str())
        .collect();
    assert_eq!(missing, ["predicted_label", "score"]);
    assert_eq!(report.documents, 60);
}

#[test]
fn an_empty_window_says_so() {
    let root = root();
    root.write_captures(&texts(&reviews(20, 5)));
    let code = root.watch(&[("start_time", "2030-01-01T00:00:00Z"), ("end_time", "2030-01-01T01:00:00Z")]);
    assert_eq!(code, ExitCode::SUCCESS);
    assert_eq!(root.message(), "Completed: No requests in the window.");
    let statistics: serde_json::Value = root.json("processing/output/statistics.json");
    assert_eq!(statistics["dataset"]["item_count"], 0);
    let half = root.watch(&[("end_time", "2026-01-19T19:10:00Z"), ("window_seconds", "600")]);
    assert_eq!((half, root.report().documents), (ExitCode::SUCCESS, 10));
}

#[test]
fn without_held_out_files_predictions_are_not_compared() {
    let root = MlRoot::new(&reviews(200, 1));
    assert_eq!(root.baseline(), ExitCode::SUCCESS);
    assert!(root.message().ends_with("label mix and score will not be compared."), "{}", root.message());
    root.write_captures(&texts(&reviews(60, 3)));
    root.watch(&[]);
    let report = root.report();
    let compared: Vec<&str> = report.checks.iter().map(|check| check.feature.as_str()).collect();
    assert_eq!(compared, ["text_length", "term_count", "unknown_terms", "terms", "language"]);
    assert!(report.notes[0].contains("no held-out files"), "{:?}", report.notes);
}

#[test]
fn a_packed_artifact_is_unpacked_and_equal_inputs_leave_equal_bytes() {
    let root = root();
    let files = [
        "statistics.json",
        "constraints.json",
        "baseline.json",
        "baseline_terms.csv.gz",
        "baseline_values.safetensors",
        "baseline_sample.jsonl.gz",
    ];
    let read = || files.map(|name| std::fs::read(root.path("processing/baseline").join(name)).unwrap());
    let before = read();
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    archive.append_dir_all(".", root.path("processing/model")).unwrap();
    let packed = archive.into_inner().unwrap().finish().unwrap();
    std::fs::remove_dir_all(root.path("processing/model")).unwrap();
    root.write("processing/model/model.tar.gz", packed);
    assert_eq!(root.baseline(), ExitCode::SUCCESS, "{}", root.message());
    assert!(before == read(), "the files differ");
}

#[test]
fn failures_name_the_place_and_what_to_do() {
    let root = root();
    root.write_captures(&texts(&reviews(20, 5)));
    let missing_terms = root.path("processing/baseline/baseline_terms.csv.gz");
    std::fs::rename(&missing_terms, root.path("kept")).unwrap();
    for (variables, message) in [
        (
            vec![("dataset_format", CAPTURE), ("dataset_source", "/opt/ml/processing/input/capture")],
            "baseline_terms.csv.gz",
        ),
        (
            vec![("dataset_format", CAPTURE), ("baseline_statistics", "/nowhere/statistics.json")],
            "make a baseline and hand over",
        ),
        (vec![("dataset_format", CSV), ("dataset_source", "/nowhere")], "/nowhere: No such file or directory"),
        (vec![("dataset_format", CSV), ("model_source", "/nowhere")], "/nowhere"),
        (vec![], "environment variable dataset_format is ``"),
    ] {
        assert_eq!(root.run(&variables), ExitCode::FAILURE, "{variables:?}");
        let found = root.message();
        assert!(found.starts_with("error: ") && found.contains(message), "{variables:?}: {found}");
        assert!(!root.path("processing/output").exists(), "{variables:?} left results");
    }
}

#[test]
fn the_executable_reads_its_environment() {
    let root = MlRoot::new(&reviews(50, 1));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_monitor"))
        .args(["--ml-root".as_ref(), root.path("").as_os_str()])
        .env_clear()
        .env("dataset_format", CSV)
        .env("dataset_source", "/opt/ml/processing/input/train")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Completed: baseline of 50 documents"), "{output:?}");
    assert!(root.path("processing/output/baseline.json").exists());
    let usage = std::process::Command::new(env!("CARGO_BIN_EXE_monitor")).arg("--nonsense").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}
