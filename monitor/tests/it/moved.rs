//! What a report says beyond "it differs": which words, what they do, how right it still is, and what people asked for.

use std::process::ExitCode;

use model::Artifact;
use report::DriftReport;

use crate::ml_root::{MlRoot, Row};
use crate::story::{reviews, root, texts};

/// Reviews of whose first words some are exchanged for others.
fn changed(count: usize, seed: u64, every: usize, word: &str) -> Vec<String> {
    let rows = reviews(count, seed).into_iter().enumerate();
    rows.map(|(at, (text, _))| if at % every == 0 { format!("{word} {text}") } else { text }).collect()
}

fn watched(root: &MlRoot, texts: &[String], more: &[(&str, &str)]) -> DriftReport {
    root.write_captures(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(root.watch(more), ExitCode::SUCCESS, "{}", root.message());
    root.report()
}

/// Mean score of `class` over texts, as the artifact explains it: not the way the monitor sums.
fn mean_score(artifact: &Artifact, class: usize, texts: &[&str]) -> f64 {
    let scores = texts.iter().map(|text| artifact.explain_class(text, class, 0).unwrap().total);
    scores.sum::<f64>() / texts.len() as f64
}

#[test]
fn contributions_add_up_to_the_change_of_the_mean_score() {
    let three = |rows: Vec<Row>| -> Vec<Row> {
        rows.into_iter().enumerate().map(|(at, (t, l))| (t, if at % 3 == 0 { "2".into() } else { l })).collect()
    };
    for several in [false, true] {
        let of = |rows: Vec<Row>| if several { three(rows) } else { rows };
        let (train, held_out) = (of(reviews(300, 1)), of(reviews(150, 2)));
        let root = MlRoot::new(&train);
        root.write_csv("processing/input/test/held_out.csv", &held_out);
        assert_eq!(root.baseline(), ExitCode::SUCCESS, "{}", root.message());
        let window = changed(200, 3, 2, "awful useless");
        let report = watched(&root, &window, &[]);
        let artifact = Artifact::open(&root.path("processing/model")).unwrap();
        assert_eq!(report.scores.len(), if several { 3 } else { 1 });
        for shift in &report.scores {
            let sum: f64 = shift.terms.iter().map(|term| term.contribution).sum::<f64>() + shift.rest;
            assert!((sum - shift.change).abs() < 1e-9, "{}: {sum} against {}", shift.class, shift.change);
            let class = artifact.classes().iter().position(|class| *class == shift.class).unwrap();
            let window: Vec<&str> = window.iter().map(String::as_str).collect();
            for (found, texts) in [(shift.baseline, texts(&held_out)), (shift.window, window)] {
                let wanted = mean_score(&artifact, class, &texts);
                assert!((found - wanted).abs() < 1e-9, "{}: {found} against {wanted}", shift.class);
            }
            for term in &shift.terms {
                assert!((term.contribution - term.weight * (term.window - term.baseline)).abs() < 1e-12, "{term:?}");
            }
        }
        assert!(report.scores[0].terms[..4].iter().any(|t| t.term.contains("awful")), "{:?}", report.scores[0].terms);
    }
}

#[test]
fn a_word_that_the_model_cannot_see_is_named() {
    let report = watched(&root(), &changed(200, 3, 4, "wifi"), &[]);
    let wifi = report.terms.iter().find(|term| term.term == "wifi").unwrap();
    assert_eq!((wifi.baseline, wifi.window, wifi.seen_by_model), (0.0, 0.25, false));
    assert!(wifi.p_value < 1e-6, "{wifi:?}");
    let violation = report.violations.iter().find(|v| v.feature_name == "terms").unwrap();
    assert!(violation.description.contains("`wifi` 25.0 %, baseline 0.0 %"), "{violation:?}");
    let domain = report.domain.unwrap();
    assert_eq!(domain.terms[0].term, "wifi");
}

#[test]
fn the_message_has_the_words_and_the_link() {
    let root = root();
    let link = "https://console.example/report.html";
    watched(&root, &changed(200, 3, 1, "awful useless"), &[("report_link", link)]);
    let message = root.message();
    assert!(message.contains(" Mean log-odds of 1 −") && message.contains(", of which "), "{message}");
    assert!(message.ends_with(&format!(" Report: {link}")), "{message}");
    let summary = std::fs::read_to_string(root.path("processing/output/report.md")).unwrap();
    assert!(summary.contains("awful"), "{summary}");
}

#[test]
fn a_small_window_is_little_evidence_and_no_alarm() {
    let report = watched(&root(), &changed(35, 3, 12, "wifi"), &[]);
    assert_eq!(report.violations, []);
    assert!(report.domain.is_none());
    assert!(report.notes.iter().any(|note| note.starts_with("With 35 texts, fewer than 100")), "{:?}", report.notes);
}

#[test]
fn labels_that_come_later_are_joined() {
    let root = root();
    let rows = reviews(120, 4);
    let line = |at: usize, label: &str| {
        let data = serde_json::json!({"data": label, "encoding": "CSV"});
        let line = serde_json::json!({"groundTruthData": data, "eventMetadata": {"eventId": format!("event-{at}")}, "eventVersion": "0"});
        line.to_string() + "\n"
    };
    let flipped = |label: &str| if label == "1" { "0" } else { "1" };
    // 40 labels agree with the rows, 40 do not, one is of no request, one line is none.
    let labels: String = rows[..40].iter().enumerate().map(|(at, (_, label))| line(at, label)).collect();
    let others: String = (40..80).map(|at| line(at, flipped(&rows[at].1))).collect();
    root.write("processing/input/truth/labels.jsonl", labels + &others + &line(999, "1") + "{\n");
    let window: Vec<String> = rows.iter().map(|(text, _)| text.clone()).collect();
    let report = watched(&root, &window, &[("ground_truth_source", "/opt/ml/processing/input/truth")]);
    let measured = report.measured.unwrap();
    let artifact = Artifact::open(&root.path("processing/model")).unwrap();
    let right = |(at, (text, label)): (usize, &Row)| {
        let label = if at < 40 { label.as_str() } else { flipped(label) };
        artifact.classes()[artifact.predict(text).unwrap().class] == label
    };
    let wanted = rows[..80].iter().enumerate().filter(|row| right(*row)).count();
    assert_eq!((measured.all.documents, (measured.all.accuracy * 80.0).round() as usize), (80, wanted));
    let (low, high) = measured.all.interval;
    assert!(low < measured.all.accuracy && measured.all.accuracy < high && high - low < 0.23, "{measured:?}");
    let of_classes: u64 =
        measured.slices.iter().filter(|s| s.slice.starts_with("true label")).map(|s| s.documents).sum();
    assert_eq!(of_classes, 80);
    assert!(report.violations.iter().any(|v| v.description.contains("with labels")), "{:?}", report.violations);
    assert!(report.notes.iter().any(|note| note.contains("1 lines of ground truth are none")), "{:?}", report.notes);
}

#[test]
fn rules_records_and_programs_are_asked_and_texts_stay_where_they_are() {
    let root = root();
    let mut window = changed(120, 5, 6, "refund");
    window[0] += " my card is 4111 1111 1111 1111";
    window[1] += " and jane@example.org knows";
    let path = root.path("check");
    let program = "#!/bin/sh\nn=$(grep -c '\"label\"')\n\
                   echo \"{\\\"feature_name\\\": \\\"mine\\\", \\\"description\\\": \\\"$n records\\\"}\"\n";
    root.write("check.sh", program);
    let config = |texts: bool| {
        format!(
            "texts = {texts}\n[[rules]]\nname = \"refunds\"\nwhen = 'share(contains \"refund\") > 10%'\n\
             [[rules]]\nname = \"cards\"\nwhen = 'records(card_number) > 5'\n\
             [[rules]]\nname = \"speed\"\nwhen = 'measured_accuracy < 0.5'\n\
             [[programs]]\ncommand = [\"sh\", \"{}.sh\"]\n[[programs]]\ncommand = [\"false\"]\n",
            path.display()
        )
    };
    root.write("processing/config/monitor.toml", config(false));
    let named = [("monitor_config", "/opt/ml/processing/config/monitor.toml")];
    let report = watched(&root, &window, &named);
    let own: Vec<(&str, &str)> = report
        .violations
        .iter()
        .filter(|v| !v.constraint_check_type.starts_with("baseline_drift"))
        .map(|v| (v.feature_name.as_str(), v.description.as_str()))
        .collect();
    let sentence = "Rule `share(contains \"refund\") > 10%`: share(contains \"refund\") = 0.1667.";
    assert_eq!(own, [("refunds", sentence), ("mine", "120 records")]);
    let verdicts: Vec<Option<bool>> = report.rules.iter().map(|rule| rule.violated).collect();
    assert_eq!(verdicts, [Some(true), Some(false), None]);
    assert!(report.notes.iter().any(|note| note.starts_with("the program `false` ended with")), "{:?}", report.notes);
    let count = |kind: &str| report.records.iter().find(|r| r.kind == kind).unwrap().documents;
    assert_eq!((count("card_number"), count("e_mail"), count("iban"), count("empty")), (1, 1, 0, 0));
    assert_eq!(report.examples, []);
    for file in ["drift.json", "report.html", "report.md", "constraint_violations.json", "statistics.json"] {
        let text = std::fs::read_to_string(root.path("processing/output").join(file)).unwrap();
        assert!(!text.contains("4111") && !text.contains("jane"), "{file} has what a customer wrote");
    }
    root.write("processing/config/monitor.toml", config(true));
    let report = watched(&root, &window, &named);
    assert!(
        report.examples.iter().any(|e| e.term == "refund" && e.text.starts_with("refund ")),
        "{:?}",
        report.examples
    );
    root.write("processing/config/monitor.toml", "[[rules]]\nname = \"x\"\nwhen = 'documents'\n");
    assert_eq!(root.watch(&named), ExitCode::FAILURE);
    assert!(
        root.message().contains("monitor.toml: rule `x`, at character 10: the end; expected a comparison"),
        "{}",
        root.message()
    );
}

#[test]
fn the_first_days_of_traffic_are_a_baseline() {
    let root = root();
    let long = changed(300, 6, 2, "dear sir or madam i have bought and now");
    root.write_captures(&long.iter().map(String::as_str).collect::<Vec<_>>());
    let report = watched(&root, &changed(150, 7, 2, "dear sir or madam i have bought and now"), &[]);
    assert!(!report.violations.is_empty(), "against the training text such letters are long");
    root.write_captures(&long.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(root.baseline_with(&[("traffic_source", "/opt/ml/processing/input/capture")]), ExitCode::SUCCESS);
    assert!(root.message().contains(", 300 documents of traffic, "), "{}", root.message());
    let report = watched(&root, &changed(150, 7, 2, "dear sir or madam i have bought and now"), &[]);
    let others = report.violations.iter().filter(|v| v.feature_name != "accuracy");
    assert_eq!(others.count(), 0, "against other days they are as ever: {:?}", report.violations);
    assert_eq!(report.baseline_documents, 300);
    // What the artifact does not know has not become less by being usual.
    assert!(report.accuracy.unwrap().accuracy < 0.95);
}
