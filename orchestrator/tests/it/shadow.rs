//! Before a shift: captured requests asked again of what serves and of what is to serve.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::{
    cli::{Emulator, Project, reviews, signal},
    faults::faults,
    sdk::config,
};

const SETTINGS: &str = "project = \"story\"\n[endpoint.shadow]\nrequests = 12\nmin_requests = 12\n";

/// Reviews by somebody who likes what breaks.
fn contrary(rows: usize, from: usize) -> String {
    reviews(rows, from).replace(",1\n", ",?\n").replace(",0\n", ",1\n").replace(",?\n", ",0\n")
}

/// An approved package of other data.
fn candidate(project: &Project, train: String, test: String) {
    project.write("data/train.csv", train);
    project.write("data/test.csv", test);
    for stage in [&["data"][..], &["train"], &["evaluate"], &["register"], &["approve", "--reason", "a test"]] {
        project.run(stage).exit(0);
    }
}

/// Names of the endpoints and of the endpoint configs.
async fn there(emulator: &Emulator) -> (Vec<String>, Vec<String>) {
    let sagemaker = aws_sdk_sagemaker::Client::new(&config(&emulator.url));
    let endpoints = sagemaker.list_endpoints().send().await.unwrap();
    let configs = sagemaker.list_endpoint_configs().send().await.unwrap();
    let endpoints = endpoints.endpoints().iter().map(|e| e.endpoint_name().unwrap().to_owned());
    let configs = configs.endpoint_configs().iter().map(|c| c.endpoint_config_name().unwrap().to_owned());
    (endpoints.collect(), configs.collect())
}

fn record(project: &Project) -> Value {
    serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_shifted_to_what_answers_captured_ones_alike() {
    let project = Project::new();
    let first = project.run(&["run", "--json"]).exit(0).json();
    let old = first["live"]["deployment"]["deployment"]["config"].as_str().unwrap().to_owned();
    let emulator = project.emulator();
    project.write("pipeline.toml", SETTINGS);
    // Nothing to compare: what serves is what is wanted.
    assert_eq!(project.run(&["deploy", "--json"]).exit(0).json()["shadow"], Value::Null);

    candidate(&project, contrary(40, 0), contrary(12, 40));
    let plan = project.run(&["plan"]).exit(0).stdout;
    assert!(plan.contains("create      endpoint story-shadow, before the shift\n"), "{plan}");
    let refused = project.run(&["deploy"]).exit(1).stderr;
    for told in [
        &format!("error: endpoint story keeps {old}: story-"),
        "\n  12 of 12 predictions changed, endpoint.shadow.max_changed is 0.1\n",
        "\n  12 captured requests asked again: 12 of 12 predictions changed, 100.0 % (75.8 to 100.0)\n",
        " errors, 0 of the live one\n",
        "\n  request run-",
        "widen the bounds of [endpoint.shadow]",
    ] {
        assert!(refused.contains(told), "{told}\n{refused}");
    }
    assert!(!refused.contains("The "), "no text unless it is asked for: {refused}");
    let kept = record(&project);
    assert_eq!((&kept["shadow"]["changed"], &kept["shadow"]["live"]), (&json!(12), &json!(old)), "{kept}");
    assert_eq!(kept["shadow"]["refusals"].as_array().map(Vec::len), Some(1), "{kept}");
    let sagemaker = aws_sdk_sagemaker::Client::new(&config(&emulator.url));
    let live = sagemaker.describe_endpoint().endpoint_name("story").send().await.unwrap();
    assert_eq!(live.endpoint_config_name(), Some(old.as_str()));
    let (endpoints, configs) = there(&emulator).await;
    assert_eq!((endpoints, configs.len()), (vec!["story".to_owned()], 2), "{configs:?}");

    project.write("pipeline.toml", format!("{SETTINGS}show_texts = true\n"));
    let shown = project.run(&["deploy"]).exit(1).stderr;
    assert!(shown.contains(": {\\\"text\\\":\\\"The "), "{shown}");
    project.write("pipeline.toml", SETTINGS.replace("12", "100"));
    let few = project.run(&["deploy"]).exit(1).stderr;
    let told = "error: 12 requests to story were captured, endpoint.shadow.min_requests is 100\n";
    assert!(few.contains(told), "golden documents and measured latencies are nobody's requests: {few}");

    project.write("pipeline.toml", format!("{SETTINGS}max_changed = 1.0\n"));
    let text = project.run(&["deploy"]).exit(0).stdout;
    assert!(text.contains("\n  12 captured requests asked again: 12 of 12 predictions changed"), "{text}");

    // Back to what is like the first one.
    candidate(&project, reviews(38, 0), reviews(12, 40));
    project.write("pipeline.toml", "project = \"story\"\n");
    project.run(&["deploy"]).exit(0);
    for (kind, body) in [
        ("application/jsonlines", "{\"text\": \"lovely\"}\n{\"text\": \"useless\"}\n"),
        ("text/csv", "a waste of money\n"),
    ] {
        project.run(&["invoke", "--content-type", kind, body]).exit(0);
    }
    candidate(&project, reviews(40, 0), reviews(12, 40));
    project.write("pipeline.toml", SETTINGS.replace("12", "14"));
    // The last captures may be on their way.
    let done = loop {
        let done = project.run(&["deploy", "--json"]);
        if !done.stderr.contains("requests to story were captured, endpoint.shadow.min_requests is 14") {
            break done.exit(0).json();
        }
    };
    let shadow = &done["shadow"];
    assert_eq!((&shadow["requests"], &shadow["documents"], &shadow["changed"]), (&json!(14), &json!(15), &json!(0)));
    assert_eq!((&shadow["errors"], &shadow["refusals"]), (&json!(0), &json!([])), "{done}");
    assert!(shadow["largest_difference"].as_f64().unwrap() > 0.0, "they are two models: {done}");
    assert_eq!(shadow["candidate_latency"]["calls"], 14, "{done}");
    assert_eq!(shadow["candidate"], done["deployment"]["config"]);
    assert_eq!(record(&project)["shadow"], *shadow);
    assert_eq!(there(&emulator).await.0, ["story"]);
    assert_eq!(emulator.stop(), Some(0));
}

/// Kills `deploy` while it waits for the answer to its first call of this operation.
fn kill_at(project: &Project, emulator: &Emulator, operation: &str) {
    faults(emulator, "POST", &json!({ "operation": operation, "effect": "hang" }));
    let mut deploy = project.command(&["deploy"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while faults(emulator, "GET", &Value::Null)["rules"][0]["fired"] != 1 {
        assert_eq!(deploy.try_wait().unwrap(), None, "{operation} is called");
    }
    signal(deploy.id(), "KILL");
    deploy.wait().unwrap();
    faults(emulator, "DELETE", &Value::Null);
}

/// Where the endpoint's name tells nothing of the project's, no list by the project's name holds what the comparison left.
#[tokio::test(flavor = "multi_thread")]
async fn destroy_takes_away_what_a_killed_comparison_left_whatever_the_endpoints_name() {
    let project = Project::new();
    let named = "project = \"story\"\n[endpoint]\nname = \"reviews\"\n";
    project.write("pipeline.toml", named);
    project.run(&["run"]).exit(0);
    let emulator = project.emulator();
    candidate(&project, reviews(38, 0), reviews(12, 40));
    project.write("pipeline.toml", format!("{named}[endpoint.shadow]\nmin_requests = 12\n"));
    kill_at(&project, &emulator, "InvokeEndpoint");
    assert_eq!(there(&emulator).await.0, ["reviews-shadow", "reviews"], "newest first");
    // Whether or not another one is asked for.
    project.write("pipeline.toml", named);
    project.run(&["destroy"]).exit(0);
    assert_eq!(there(&emulator).await, (vec![], vec![]));
    assert_eq!(emulator.stop(), Some(0));
}

/// A kill after each call that makes or takes away something of the comparison, and after one that asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_killed_leaves_nothing_that_costs_once_it_is_repeated() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    let emulator = project.emulator();
    let first = std::fs::read(project.path("run.json")).unwrap();
    candidate(&project, reviews(38, 0), reviews(12, 40));
    let second = std::fs::read(project.path("run.json")).unwrap();
    project.write("pipeline.toml", SETTINGS);
    let operations = [
        "InvokeEndpoint",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "UpdateEndpoint",
    ];
    // From the first package to the second, and back.
    for (operation, record) in operations.into_iter().zip([second, first].iter().cycle()) {
        project.write("run.json", record);
        kill_at(&project, &emulator, operation);
        let done = project.run(&["deploy", "--json"]).exit(0).json();
        let again = if operation == "UpdateEndpoint" { Value::Null } else { json!(12) };
        assert_eq!(done["shadow"]["requests"], again, "{operation}: {done}");
        let (endpoints, configs) = there(&emulator).await;
        assert_eq!((endpoints, configs.len()), (vec!["story".to_owned()], 2), "{operation}: {configs:?}");
        let sagemaker = aws_sdk_sagemaker::Client::new(&config(&emulator.url));
        let live = sagemaker.describe_endpoint().endpoint_name("story").send().await.unwrap();
        assert_eq!(done["deployment"]["config"], live.endpoint_config_name().unwrap(), "{operation}");
    }
    assert_eq!(emulator.stop(), Some(0));
}
