//! Rules of `pipeline.toml` against real jobs: the champion, slices, and what the job measures of the artifact.

use crate::cli::{Project, reviews};

/// A column beside text and label: two rows each in turn.
fn with_column(csv: &str) -> String {
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    let rows = lines.enumerate().map(|(row, line)| format!("{line},{}\n", if row % 4 < 2 { "DE" } else { "FR" }));
    format!("{header},country\n{}", rows.collect::<String>())
}

#[test]
fn every_kind_of_rule_is_judged() {
    let project = Project::new();
    project.write("data/test.csv", with_column(&reviews(24, 40)));
    let rules = r#"
project = "story"
[gate]
on_insufficient = "warn"
identity_terms = [["kettle", "lamp"]]
[[gate.rules]]
metric = "accuracy"
slice = "country=DE"
above = 0.8
[[gate.rules]]
metric = "accuracy"
against = "champion"
test = "non_inferior"
margin = 0.5
[[gate.rules]]
metric = "accuracy"
against = "champion"
test = "better"
[[gate.rules]]
metric = "latency_p99_ms"
below = 10000
[[gate.rules]]
metric = "artifact_bytes"
at_most = 100000000
[[gate.rules]]
metric = "dropped_share"
at_most = 0.0
[[gate.rules]]
metric = "duplicate_share"
at_most = 0.0
[[gate.rules]]
metric = "demographic_parity_difference"
slice = "country"
at_most = 0.9
[[gate.rules]]
metric = "counterfactual_changed"
at_most = 0.5
"#;
    project.write("pipeline.toml", rules);
    let judged = |done: serde_json::Value| -> Vec<String> {
        let verdicts = done["evaluation"]["gate"]["verdicts"].as_array().unwrap().clone();
        verdicts.iter().map(|verdict| verdict["judgement"].as_str().unwrap().to_owned()).collect()
    };
    let first = project.run(&["run", "--json"]).exit(0).json();
    let champion = &first["evaluation"]["gate"]["champion"];
    assert!(champion.is_null(), "{champion}");
    let (passed, nothing) = ("passed", "not_applicable");
    assert_eq!(judged(first), [passed, passed, nothing, nothing, passed, passed, passed, passed, passed, passed]);
    let page = std::fs::read_to_string(project.path(".sagebrush/reports/gate.html")).unwrap();
    assert!(page.contains("8 of 10 rules hold, 2 have nothing to compare with"));

    // The same again has no champion either: its own package is none.
    let again = project.run(&["run"]).exit(0).stderr;
    assert!(again.contains("nothing to compare with"), "{again}");

    // Another model meets the first, on the new test rows, of which the first has learned the last two.
    project.write("data/train.csv", reviews(38, 0));
    let learned: String = reviews(2, 38).split_inclusive('\n').skip(1).collect();
    project.write("data/test.csv", with_column(&(reviews(28, 80) + &learned)));
    let second = project.run(&["run", "--json"]).exit(3);
    assert!(second.stderr.contains("accuracy better than the champion's (level 0.05): failed"), "{}", second.stderr);
    project.write("pipeline.toml", rules.replace("test = \"better\"", "at_least = 0.0"));
    let second = project.run(&["run", "--json"]).exit(0).json();
    let champion = &second["evaluation"]["gate"]["champion"];
    assert!(champion["package"].as_str().unwrap().ends_with("model-package/story/1"), "{champion}");
    assert_eq!((&champion["accuracy"], &champion["won"], &champion["lost"]), (&1.0.into(), &0.into(), &0.into()));
    assert_eq!(champion["seen_rows"], 2);
    let verdicts = &second["evaluation"]["gate"]["verdicts"];
    let said = verdicts[3]["change"].as_str().unwrap();
    let trained = "; the champion was trained on 2 of these 30 rows and looks better than it is: on the other 28 the difference is 0";
    assert!(said.ends_with(trained), "{said}");
    assert_eq!(judged(second)[2], passed);
}
