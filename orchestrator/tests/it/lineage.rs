//! Where a package comes from: told, trained again, compared; and a failed gate that somebody overrides.

use serde_json::Value;

use crate::{
    cli::{Project, reviews},
    sdk,
};

/// The package as the registry has it.
fn registered(project: &Project, version: u32) -> Value {
    let emulator = project.emulator();
    let found = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let sagemaker = aws_sdk_sagemaker::Client::new(&sdk::config(&emulator.url));
        let arn = format!("arn:aws:sagemaker:us-east-1:000000000000:model-package/story/{version}");
        let found = sagemaker.describe_model_package().model_package_name(arn).send().await.unwrap();
        let metrics = found.model_metrics().unwrap();
        let container = &found.inference_specification().unwrap().containers()[0];
        serde_json::json!({
            "status": found.model_approval_status().unwrap().as_str(),
            "description": found.approval_description(),
            "metadata": found.customer_metadata_properties().unwrap(),
            "bias": metrics.bias().and_then(|bias| bias.report()?.s3_uri()),
            "environment": container.environment(),
        })
    });
    assert_eq!(emulator.stop(), Some(0));
    found
}

#[test]
fn a_package_tells_its_origin_and_is_made_again() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    let told = project.run(&["lineage", "1", "--json"]).exit(0).json();
    let record: Value = serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap();
    let lineage = &told["lineage"];
    assert_eq!((&told["status"], &lineage["format"]), (&"Approved".into(), &"sagebrush.lineage/1".into()));
    for part in ["data", "training", "evaluation"] {
        assert_eq!(lineage[part], record[part], "{part}");
    }
    assert!(lineage["data"]["train"]["files"][0]["version"].is_string());
    assert_eq!(lineage["verdicts"][0]["judgement"], "passed");
    let reason = told["approval"]["approval_reason"].as_str().unwrap();
    assert!(reason.contains("accuracy 1.0000 is above 0.8"), "{reason}");
    let shown = project.run(&["lineage", "story/1"]).exit(0).stdout;
    assert!(shown.contains("rule          accuracy > 0.8: passed; 1 (95 %: "), "{shown}");

    let again = project.run(&["reproduce", "1", "--json"]).exit(0).json();
    let files = again["files"].as_array().unwrap();
    assert_eq!(files.len(), 3, "{again}");
    assert!(files.iter().all(|file| file["recorded"] == file["reproduced"] && file["recorded"].is_string()), "{again}");
    let missing = project.run(&["lineage", "7"]).exit(1).stderr;
    assert!(
        missing.starts_with("error: there is no model package arn:aws:sagemaker:us-east-1:000000000000:"),
        "{missing}"
    );
}

#[test]
fn two_packages_are_told_apart() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    // A class turned round in the training data: words change sides.
    let turned = reviews(40, 0).replace("perfect, very happy.\",1", "perfect, very happy.\",0");
    project.write("data/train.csv", turned);
    project.write("pipeline.toml", "project = \"story\"\n[gate]\naccuracy = 0.1\n");
    project.run(&["run", "--set", "C=2.0"]).exit(0);
    let told = project.run(&["diff", "1", "2", "--json"]).exit(0).json();
    let names = |key: &str| -> Vec<String> {
        told[key].as_array().unwrap().iter().map(|change| change["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("data"), ["train/train.csv"]);
    assert!(names("settings").contains(&"C".to_owned()), "{told}");
    let words = told["words"].as_array().unwrap();
    let moved = words.iter().find(|moved| moved["term"].as_str().unwrap().contains("happy"));
    assert!(moved.is_some_and(|moved| moved["after"].as_f64() < moved["before"].as_f64()), "{words:?}");
    let flipped = told["flipped"].as_array().unwrap();
    assert_eq!(told["rows"], 12);
    assert!(!flipped.is_empty() && flipped.iter().all(|row| row["before"] != row["after"]), "{told}");
    let same = project.run(&["diff", "2", "2"]).exit(0).stdout;
    assert!(same.contains("data          the same\nsettings      the same"), "{same}");
    assert!(same.contains("predictions   0 of 12 test rows flipped"), "{same}");
}

#[test]
fn a_failed_gate_is_overridden_with_a_reason_that_the_package_bears() {
    let project = Project::new();
    let rule = "[[gate.rules]]\nmetric = \"lower(accuracy)\"\nabove = 0.95\n";
    project.write("pipeline.toml", format!("project = \"story\"\n{rule}"));
    let refused = project.run(&["run"]).exit(3).stderr;
    assert!(refused.contains("refused: the gate does not pass (pipeline.toml, gate.rules)"), "{refused}");
    assert!(refused.contains("with 12 rows nothing can be shown to be above 95 %"), "{refused}");
    project.run(&["register"]).exit(3);
    project.run(&["register", "--failed"]).exit(0);
    let refused = project.run(&["approve", "--reason", "the demonstration is tomorrow"]).exit(3).stderr;
    assert!(refused.contains("model-package/story/1 did not pass its gate"), "{refused}");
    assert!(refused.contains("lower(accuracy) > 0.95: too little evidence"), "{refused}");
    assert_eq!(registered(&project, 1)["status"], "PendingManualApproval");
    project.run(&["approve", "--reason", "demo", "--override", " "]).exit(2);
    project.run(&["approve", "--reason", "the demonstration", "--override", "no customer sees it"]).exit(0);
    let found = registered(&project, 1);
    assert_eq!((&found["status"], &found["metadata"]["gate"]), (&"Approved".into(), &"failed".into()));
    assert_eq!(found["metadata"]["gate_override"], "no customer sees it");
    let description = found["description"].as_str().unwrap();
    assert!(
        description.starts_with("The gate failed; overridden: no customer sees it. the demonstration ("),
        "{description}"
    );
    assert!(found["bias"].as_str().unwrap().ends_with("/bias.json"), "{found}");
    project.run(&["deploy"]).exit(0);
}

#[test]
fn approval_around_the_gate_is_not_deployed() {
    let project = Project::new();
    project.write(
        "pipeline.toml",
        "project = \"story\"\n[gate]\naccuracy = 0.999\n[[gate.rules]]\nmetric = \"log_loss\"\nbelow = 0.0\n",
    );
    for stage in [&["data"][..], &["train"]] {
        project.run(stage).exit(0);
    }
    project.run(&["evaluate"]).exit(3);
    project.run(&["register", "--failed"]).exit(0);
    let emulator = project.emulator();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let sagemaker = aws_sdk_sagemaker::Client::new(&sdk::config(&emulator.url));
        let request = sagemaker.update_model_package();
        let request = request.model_package_arn("arn:aws:sagemaker:us-east-1:000000000000:model-package/story/1");
        request.model_approval_status("Approved".into()).send().await.unwrap();
    });
    assert_eq!(emulator.stop(), Some(0));
    let refused = project.run(&["deploy"]).exit(3).stderr;
    assert!(refused.contains("is approved, but did not pass its gate"), "{refused}");
}

#[test]
fn the_endpoint_draws_the_line_where_it_costs_least() {
    let project = Project::new();
    let costs = "costs = { \"1\" = { \"0\" = 50.0 }, \"0\" = { \"1\" = 1.0 } }";
    project.write("pipeline.toml", format!("project = \"story\"\n[business]\n{costs}\nuse_threshold = true\n"));
    project.run(&["run"]).exit(0);
    let threshold: f64 =
        registered(&project, 1)["environment"]["SAGEBRUSH_THRESHOLD"].as_str().unwrap().parse().unwrap();
    assert!((threshold - 1.0 / 51.0).abs() < 1e-12, "{threshold}");
    let answer = project.run(&["invoke", "terrible, a waste of money", "--json"]).exit(0).json();
    let prediction = &answer["predictions"][0];
    assert!(prediction["probabilities"]["1"].as_f64().unwrap() < 0.5, "{prediction}");
    assert_eq!((&prediction["label"], &prediction["score"]), (&"1".into(), &prediction["probabilities"]["1"]));
}
