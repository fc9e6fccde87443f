//! A search, its best settings on all rows, and on to the gate.

use crate::cli::Project;

#[test]
fn the_best_settings_are_fitted_on_all_rows_and_handed_on() {
    let project = Project::new();
    let tune = "[tune]\nstrategy = \"grid\"\nmax_parallel = 1\n[tune.ranges]\nC = [0.001, 1.0]\nngram_range = [\"1,1\", \"1,2\"]\n";
    project.write("pipeline.toml", format!("project = \"story\"\n{tune}"));
    let early = project.run(&["tune"]).exit(1);
    assert!(early.stderr.contains("there is no run record yet"), "{}", early.stderr);
    project.run(&["data"]).exit(0);
    let done = project.run(&["tune", "--json"]).exit(0).json();
    let tuning = &done["tuning"];
    assert_eq!((&tuning["jobs"], &tuning["metric"]), (&4.into(), &"validation_accuracy".into()), "{tuning}");
    assert!(tuning["value"].as_f64().unwrap() > 0.5, "{tuning}");
    let given = &done["training"]["hyperparameters"];
    for (name, value) in tuning["tuned"].as_object().unwrap() {
        assert_eq!(&given[name], value, "{given}");
    }
    assert_eq!(given["tune"], "none");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap();
    assert_eq!((&record["tuning"], &record["training"]), (tuning, &done["training"]));
    let judged = project.run(&["evaluate", "--json"]).exit(0).json();
    assert_eq!(judged["evaluation"]["job"], done["training"]["job"]);

    let again = project.run(&["tune", "--json"]).exit(0).json();
    assert_eq!((&again["outcome"], &again["tuning"]), (&"unchanged".into(), tuning));

    // What is stopped early was worse than the median: the best is the same.
    project.write(
        "pipeline.toml",
        format!("project = \"story\"\n{}", tune.replace("[tune]", "[tune]\nearly_stopping = true")),
    );
    let early = project.run(&["tune", "--json"]).exit(0).json();
    assert_ne!(early["tuning"]["job"], tuning["job"]);
    for part in ["jobs", "value", "tuned"] {
        assert_eq!(early["tuning"][part], tuning[part], "{part}: {early}");
    }

    project.write("pipeline.toml", "project = \"story\"\n[tune.ranges]\nC = [-1.0]\n");
    let before = project.listing();
    let refused = project.run(&["tune"]).exit(2);
    assert!(refused.stderr.contains("the hyperparameters to be searched cannot be used"), "{}", refused.stderr);
    assert_eq!(project.listing(), before);
}
