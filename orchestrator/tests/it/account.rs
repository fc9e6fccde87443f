//! Target `aws`: the same stages with the environment's credentials and address, the plan first, and nobody's approval but a
//! person's.

use std::process::Command;

use crate::cli::{Done, Emulator, Project, done};

pub const SETTINGS: &str = r#"
project = "story"
role_arn = "arn:aws:iam::000000000000:role/story-ExecutionRole"
image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/story:1"
"#;

/// A command against `url` with credentials that any emulator takes.
pub fn at(project: &Project, url: &str, args: &[&str]) -> Command {
    let mut command: Command = project.command(args);
    command.args(["--target", "aws"]).env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

pub fn aws(project: &Project, emulator: &Emulator, args: &[&str]) -> Done {
    done(args, at(project, &emulator.url, args).arg("--yes").output().unwrap())
}

/// As in CI without `--yes`: nobody can be asked.
fn unasked(project: &Project, emulator: &Emulator, args: &[&str]) -> Done {
    done(args, at(project, &emulator.url, args).output().unwrap())
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
    let refused = unasked(&project, &emulator, &["deploy"]).exit(2);
    assert!(refused.stderr.contains("error: deploy was not agreed to; nothing was changed"), "{}", refused.stderr);
    let deployed = aws(&project, &emulator, &["deploy", "--json"]).exit(0);
    let cost = "1 x ml.m5.large, idle or not, until destroy: $0.115 an hour, $83.95 a month";
    assert!(deployed.stderr.contains(cost), "{}", deployed.stderr);
    let console = deployed.json()["console"].as_str().unwrap().to_owned();
    assert!(console.starts_with("https://us-east-1.console.aws.amazon.com/sagemaker/"), "{console}");
    let again = unasked(&project, &emulator, &["deploy"]).exit(0);
    assert!(again.stderr.contains("keep        endpoint story with story-"), "{}", again.stderr);
    assert!(aws(&project, &emulator, &["invoke", "great"]).exit(0).stdout.starts_with("1 "));
    let lineage = aws(&project, &emulator, &["lineage", "1", "--json"]).exit(0).json();
    let digest = lineage["lineage"]["image_digest"].as_str().or(lineage["image_digest"].as_str()).unwrap().to_owned();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{lineage}");

    let refused = unasked(&project, &emulator, &["destroy"]).exit(2);
    assert!(refused.stderr.contains("to delete     endpoint story\n"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: read what is shown above, then repeat it with --yes"), "{}", refused.stderr);
    assert!(aws(&project, &emulator, &["invoke", "great"]).exit(0).stdout.starts_with("1 "), "it still answers");
    aws(&project, &emulator, &["destroy"]).exit(0);
    assert_eq!(emulator.stop(), Some(0));

    // The record is the account's: a local stage does not go on with it.
    let local = project.run(&["evaluate"]).exit(1);
    assert!(local.stderr.contains("run.json is of target aws, the settings are of local"), "{}", local.stderr);
}

#[test]
fn a_plan_says_what_would_be_and_touches_nothing() {
    let project = Project::new();
    project.write("pipeline.toml", format!("{SETTINGS}[endpoint]\ninstance_type = \"ml.c5.large\"\n"));
    let emulator = project.emulator();

    let refused = unasked(&project, &emulator, &["run"]).exit(2);
    assert!(refused.stderr.contains("error: run was not agreed to; nothing was changed"), "{}", refused.stderr);
    let first = aws(&project, &emulator, &["plan"]).exit(0).stdout;
    for line in [
        "plan          story in account 000000000000, us-east-1",
        "  create      bucket story-000000000000-us-east-1",
        "  create      2 of 2 data files",
        "  create      training job story-",
        "1 x ml.m5.large, at most 60 min: $0.115 an hour, $0.115 at most",
        "  create      endpoint story with a config of that package, once it is approved",
        "  create      schedule story-monitor, cron(10 * * * ? *)",
        "  price       ml.m5.large for training in us-east-1: $0.115 an hour, looked up 2026-08-11",
        "  no price    of ml.c5.large for hosting in us-east-1",
        "  if asked    tuning job, by orchestrator tune\n",
        "10 training jobs, 2 at once, each on 1 x ml.m5.large, at most 60 min: $0.230 an hour, $1.15 at most",
        "  if asked    batch transform job, by orchestrator transform\n",
        "1 x ml.m5.large, as long as the documents take\n",
        "  no price    of ml.m5.large for transform in us-east-1",
    ] {
        assert!(first.contains(line), "{line}\n{first}");
    }
    let status = aws(&project, &emulator, &["status", "--json"]).exit(0).json();
    assert!(status["resources"].as_array().unwrap().iter().all(|line| line["name"].is_null()), "{status}");

    aws(&project, &emulator, &["run"]).exit(0);
    let then = aws(&project, &emulator, &["plan", "--json"]).exit(0).json();
    let steps: Vec<String> = then["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| format!("{} {}", step["action"].as_str().unwrap(), step["what"].as_str().unwrap()))
        .collect();
    for kept in ["keep bucket", "keep data files", "keep training job", "keep model package arn:"] {
        assert!(steps.iter().any(|step| step.starts_with(kept)), "{kept}: {steps:?}");
    }

    // Prices of the settings go before the list; the plan of this machine costs nothing.
    let price = "[[prices]]\npurpose = \"hosting\"\nregion = \"us-east-1\"\ninstance_type = \"ml.c5.large\"\nusd_an_hour = 2.0\nlooked_up = \"2026-11-25\"\n";
    project.write(
        "pipeline.toml",
        format!("{SETTINGS}{price}[endpoint]\ninstance_type = \"ml.c5.large\"\ninstance_count = 2\n"),
    );
    let priced = aws(&project, &emulator, &["plan"]).exit(0).stdout;
    assert!(
        priced.contains("2 x ml.c5.large, idle or not, until destroy: $4.00 an hour, $2920.00 a month"),
        "{priced}"
    );
    let price = "[[prices]]\npurpose = \"serverless\"\nregion = \"us-east-1\"\ninstance_type = \"2048 MB\"\nusd_an_hour = 0.25\nlooked_up = \"2026-11-25\"\n";
    let light = "[endpoint]\nserverless = { memory_mb = 2048, max_concurrency = 5 }\n";
    project.write("pipeline.toml", format!("{SETTINGS}{price}{light}"));
    let serverless = aws(&project, &emulator, &["plan"]).exit(0).stdout;
    let cost =
        "2048 MB, at most 5 requests at once; nothing at rest, the time of each request counts: $0.250 an hour\n";
    assert!(serverless.contains(cost), "{serverless}");
    let local = project.run(&["plan"]).exit(0).stdout;
    assert!(local.contains("costs       nothing: it runs on this machine"), "{local}");
}
