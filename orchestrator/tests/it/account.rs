//! Target `aws`: the same stages with the environment's credentials and address, and nobody's approval but a person's.

use std::process::Command;

use crate::cli::{Done, Emulator, Project, done};

const SETTINGS: &str = r#"
project = "story"
role_arn = "arn:aws:iam::000000000000:role/story-ExecutionRole"
image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/story:1"
"#;

fn aws(project: &Project, emulator: &Emulator, args: &[&str]) -> Done {
    let mut command: Command = project.command(args);
    command.args(["--target", "aws"]).env("AWS_ENDPOINT_URL", &emulator.url).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    done(args, command.output().unwrap())
}

#[test]
fn in_an_account_run_waits_for_a_person() {
    let project = Project::new();
    project.write("pipeline.toml", SETTINGS);
    let emulator = project.emulator();

    let ran = aws(&project, &emulator, &["run"]).exit(0);
    assert!(ran.stdout.contains("next            orchestrator approve --reason TEXT"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("deploy   "), "{}", ran.stderr);
    aws(&project, &emulator, &["deploy"]).exit(1);
    let approved = aws(&project, &emulator, &["approve", "--reason", "seen", "--json"]).exit(0).json();
    assert!(approved["approval"]["by"].as_str().unwrap().starts_with("arn:aws:"), "{approved}");
    let deployed = aws(&project, &emulator, &["deploy", "--json"]).exit(0);
    assert!(deployed.stderr.contains("costs money until: orchestrator destroy"), "{}", deployed.stderr);
    let console = deployed.json()["console"].as_str().unwrap().to_owned();
    assert!(console.starts_with("https://us-east-1.console.aws.amazon.com/sagemaker/"), "{console}");
    assert!(aws(&project, &emulator, &["invoke", "great"]).exit(0).stdout.starts_with("1 "));
    aws(&project, &emulator, &["destroy"]).exit(0);
    assert_eq!(emulator.stop(), Some(0));

    // The record is the account's: a local stage does not go on with it.
    let local = project.run(&["evaluate"]).exit(1);
    assert!(local.stderr.contains("run.json is of target aws, the settings are of local"), "{}", local.stderr);
}
