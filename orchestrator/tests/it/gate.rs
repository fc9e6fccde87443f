//! Below the gate: exit 3, nothing registered; a stage that does not follow from the one before: refused.

use crate::cli::{Project, reviews};

/// Test labels turned round: whatever is learned is measured as wrong.
fn inverted() -> String {
    reviews(12, 40).replace(",1\n", ",x\n").replace(",0\n", ",1\n").replace(",x\n", ",0\n")
}

#[test]
fn a_bad_model_is_refused_and_not_registered() {
    let project = Project::new();
    project.write("data/test.csv", inverted());
    let done = project.run(&["run"]).exit(3);
    let last =
        done.stderr.lines().find(|line| line.starts_with("refused: ")).unwrap_or_else(|| panic!("{}", done.stderr));
    assert!(last.ends_with("is not above 0.80 (pipeline.toml, gate.accuracy)"), "{last}");
    assert!(done.stderr.contains("nothing was registered"));

    // By hand it is refused just so, and the verdict stands on stdout.
    let outputs = project.path("outputs");
    let evaluated = project.command(&["evaluate", "--json"]).env("GITHUB_OUTPUT", &outputs).output().unwrap();
    let evaluated = crate::cli::done(&["evaluate"], evaluated).exit(3);
    assert_eq!(evaluated.json()["evaluation"]["passed"], false);
    let outputs = std::fs::read_to_string(outputs).unwrap();
    assert!(outputs.contains("passed=false\n") && outputs.contains("accuracy="), "{outputs}");
    project.run(&["register"]).exit(3);
    assert!(project.run(&["deploy"]).exit(1).stderr.contains("no model package yet"));

    let status = project.run(&["status", "--json"]).exit(0).json();
    let of = |what: &str| {
        let lines = status["resources"].as_array().unwrap();
        lines.iter().find(|line| line["what"] == what).unwrap()["state"].clone()
    };
    assert_eq!(
        (of("training job"), of("model package"), of("endpoint")),
        ("Completed".into(), "none".into(), "none".into())
    );
}

#[test]
fn a_failed_job_tells_its_reason_and_is_tried_anew() {
    let project = Project::new();
    for attempt in ["", "-2"] {
        let failed = project.run(&["run", "--set", "min_df=1000"]).exit(1);
        let said = failed.stderr.lines().find(|line| line.starts_with("error: training job story-")).unwrap();
        assert!(said.contains(&format!("{attempt}: Failed: AlgorithmError: ")), "{said}");
        assert!(said.contains("min_df") && said.contains("exit code: 1"), "{said}");
        assert!(
            failed.stderr.contains("  last lines of the log /aws/sagemaker/TrainingJobs, story-"),
            "{}",
            failed.stderr
        );
        assert!(failed.stderr.contains("  | classes: 2"), "{}", failed.stderr);
    }
    project.run(&["run"]).exit(0);
}

#[test]
fn stages_one_by_one_wait_for_the_approval() {
    let project = Project::new();
    for stage in ["data", "train", "evaluate"] {
        project.run(&[stage]).exit(0);
    }
    let registered = project.run(&["register", "--json"]).exit(0).json();
    assert_eq!(registered["status"], "PendingManualApproval");
    let refused = project.run(&["deploy"]).exit(1);
    assert!(
        refused.stderr.contains("is PendingManualApproval; only an approved package is deployed"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("hint: look at its evaluation, then: orchestrator approve --reason TEXT"));
    let mut approve = project.command(&["approve", "--reason", "read the mistakes, fine!", "--json"]);
    let approved = approve.env("USER", "ada").env_remove("GITHUB_ACTOR").output().unwrap();
    let approved = crate::cli::done(&["approve"], approved).exit(0).json();
    assert_eq!(approved["approval"]["by"], "ada");
    assert_eq!(approved["approval"]["reason"], "read the mistakes, fine!");
    let deployed = project.run(&["deploy", "--json"]).exit(0).json();
    assert_eq!(deployed["outcome"], "done");
    // No request yet but the golden ones: the watch finds those, or nothing; either way no drift is made up.
    let watched = project.run(&["monitor", "--json"]).exit(0).json();
    assert_eq!(watched["violations"], serde_json::json!([]));
}
