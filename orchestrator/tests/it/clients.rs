//! Any client: a user's own boto3 and AWS CLI against `orchestrator emulator`, after the loop.
//!
//! Where they are not installed the tests are skipped and say so; with `SAGEBRUSH_REQUIRE_CLIENTS` set they fail.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    cli::{Emulator, Project},
    faults::faults,
};

/// Whether `program` runs with these arguments; if not, the test is skipped, or fails where clients are required.
pub fn there(program: &str, args: &[&str]) -> bool {
    let ran = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = ran.is_ok_and(|status| status.success());
    if !found {
        let said = format!("`{program} {}` does not run", args.join(" "));
        assert!(std::env::var_os("SAGEBRUSH_REQUIRE_CLIENTS").is_none(), "{said}");
        // Not `eprintln!`, which the test harness keeps to itself where a test passes.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {said}; install it, or set SAGEBRUSH_REQUIRE_CLIENTS to make this a failure"
        );
    }
    found
}

/// What a client needs to know, and nothing of this machine's own AWS settings.
fn client(emulator: &Emulator, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("AWS_ENDPOINT_URL", &emulator.url)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any").env_remove("AWS_PROFILE");
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_PAGER", "");
    command
}

#[track_caller]
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n-- stdout\n{stdout}\n-- stderr\n{stderr}");
    stdout.into_owned()
}

#[test]
fn boto3_sees_the_finished_loop() {
    if !there("python3", &["-c", "import boto3"]) {
        return;
    }
    let project = Project::new();
    project.run(&["run"]).exit(0);
    let emulator = project.emulator();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/loop.py");
    let facts = said(client(&emulator, "python3").arg(script));
    println!("{facts}");
    for fact in [
        "training job: story-",
        "artifact: s3://story-",
        "approved: arn:",
        "predictions: ",
        "alarms: arn:",
        "refused: ",
    ] {
        assert!(facts.lines().any(|line| line.starts_with(fact)), "{fact}\n{facts}");
    }
    assert_eq!(emulator.stop(), Some(0));
}

#[test]
fn boto3_alone_goes_the_whole_way_and_is_refused_in_awss_words() {
    if !there("python3", &["-c", "import boto3"]) {
        return;
    }
    let project = Project::new();
    let emulator = project.emulator();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/by_hand.py");
    let facts = said(client(&emulator, "python3").arg(script));
    for fact in ["training job: arn:aws:sagemaker:", "endpoint: arn:aws:sagemaker:", "refused: "] {
        assert!(facts.lines().any(|line| line.starts_with(fact)), "{fact}\n{facts}");
    }
    assert_eq!(emulator.stop(), Some(0));
    assert_eq!(project.processes(), Vec::<String>::new());
}

/// The blocks of a language in `docs/emulator.md`, with the address of an emulator that runs.
fn examples(language: &str, emulator: &Emulator) -> Vec<String> {
    let address = emulator.url.trim_start_matches("http://");
    let document = include_str!("../../../docs/emulator.md");
    let begin = format!("```{language}\n");
    let blocks = document.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| block.replace("127.0.0.1:4566", address)).collect()
}

#[test]
fn the_documents_python_runs_as_it_stands_there() {
    if !there("python3", &["-c", "import boto3, requests"]) {
        return;
    }
    let project = Project::new();
    let emulator = project.emulator();
    let examples = examples("python", &emulator);
    assert_eq!(examples.len(), 1);
    let printed = said(client(&emulator, "python3").args(["-c", &examples[0]]));
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/reviews";
    assert_eq!(printed, format!("Model Package Group already exists: {arn}\n"));
    assert_eq!(faults(&emulator, "GET", &Value::Null)["rules"], json!([]), "the last line takes the rule away");
    assert_eq!(emulator.stop(), Some(0));
}

#[test]
fn the_documents_curl_sets_tells_and_takes_away_rules() {
    if !there("curl", &["--version"]) {
        return;
    }
    let project = Project::new();
    let emulator = project.emulator_with(|command| {
        command.args(["--fault", "sagemaker.CreateEndpoint=reset-after"]);
    });
    let examples = examples("sh", &emulator);
    let lines = examples.iter().flat_map(|block| block.lines()).filter(|line| line.starts_with("curl "));
    let lines: Vec<&str> = lines.collect();
    let [set, tell, take] = lines[..] else { panic!("{lines:#?}") };
    let shell = |line: &str| said(client(&emulator, "sh").args(["-ec", &line.replace("curl", "curl -fsS")]));
    shell(set);
    let told: Value = serde_json::from_str(&shell(tell)).unwrap();
    let of = |n: usize| (told["rules"][n]["operation"].as_str().unwrap(), told["rules"][n]["effect"].as_str().unwrap());
    assert_eq!([of(0), of(1)], [("CreateEndpoint", "reset-after"), ("PutObject", "reset-after")], "{told}");
    shell(take);
    let left = faults(&emulator, "GET", &Value::Null);
    assert_eq!((left["rules"].as_array().unwrap().len(), &left["rules"][0]["nth"]), (1, &json!(3)), "{left}");
    assert_eq!(emulator.stop(), Some(0));
}

#[test]
fn the_aws_cli_sees_the_finished_loop() {
    if !there("aws", &["--version"]) {
        return;
    }
    let project = Project::new();
    let done = project.run(&["run", "--json"]).exit(0).json();
    let package = done["registration"]["model_package"]["arn"].as_str().unwrap();
    let emulator = project.emulator();
    let aws = |args: &[&str]| said(client(&emulator, "aws").args(args));
    let job = done["registration"]["model_package"]["job"].as_str().unwrap();
    let query = ["--query", "[TrainingJobStatus, ModelArtifacts.S3ModelArtifacts]", "--output", "text"];
    let described = aws(&[&["sagemaker", "describe-training-job", "--training-job-name", job][..], &query].concat());
    let (status, artifact) = described.trim().split_once('\t').unwrap();
    assert_eq!(status, "Completed");
    let listed = aws(&["sagemaker", "list-model-packages", "--model-package-group-name", "story", "--output", "text"]);
    assert!(listed.contains(package) && listed.contains("Approved"), "{listed}");
    let approve = ["sagemaker", "update-model-package", "--model-package-arn", package, "--model-approval-status"];
    aws(&[&approve[..], &["Rejected"]].concat());
    aws(&[&approve[..], &["Approved", "--approval-description", "by hand"]].concat());

    let (local, answer) = (project.path("model.tar.gz"), project.path("answer.json"));
    aws(&["s3", "cp", "--no-progress", artifact, local.to_str().unwrap()]);
    assert!(std::fs::read(&local).unwrap().starts_with(&[0x1f, 0x8b]), "gzip");
    let body = project.path("body.json");
    std::fs::write(&body, r#"{"text": "excellent, I love it"}"#).unwrap();
    let body = format!("fileb://{}", body.display());
    let invoke =
        ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "story", "--content-type", "application/json"];
    aws(&[&invoke[..], &["--body", &body, answer.to_str().unwrap()]].concat());
    let answer: serde_json::Value = serde_json::from_slice(&std::fs::read(&answer).unwrap()).unwrap();
    assert_eq!(answer["predictions"][0]["label"], "1", "{answer}");
    assert_eq!(emulator.stop(), Some(0));
}
