//! Every request against AWS's own model: all commands on record, each call checked by botocore and made again on moto.
//!
//! Where botocore and moto are not installed the tests are skipped and say so; with `SAGEBRUSH_REQUIRE_CLIENTS` set they fail.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde_json::{Value, json};

use crate::{
    account,
    cli::{Emulator, Project, done, reviews, signal},
    clients::there,
    faults::faults,
    sdk,
    stub::{Fate, Stub},
};

/// The variable that names a folder to keep the records in: `.ci/run` shows them.
const KEPT: &str = "SAGEBRUSH_KEEP_RECORD";

/// What calls further services, and changes what a first run has made.
const SETTINGS: &str = r#"
project = "story"
[monitor]
window_hours = 2
config = "monitor.toml"
[alarms]
email = ["ops@example.com"]
[endpoint.shadow]
min_requests = 12
max_changed = 1.0
[endpoint.autoscaling]
max_instances = 3
invocations_per_minute = 600.0
[[endpoint.autoscaling.scheduled]]
name = "day"
schedule = "cron(0 7 * * ? *)"
min_instances = 2
[tune]
strategy = "grid"
max_parallel = 1
[tune.ranges]
C = [0.5, 1.0]
"#;

/// What the script comes to.
fn checked(records: &[PathBuf], further: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/check.py");
    Command::new("python3").arg(script).args(records).args(further).output().unwrap()
}

fn has_models() -> bool {
    there("python3", &["-c", "import botocore, moto.core.routing, regex"])
}

/// Everything that the orchestrator can do on the local target, one call after the other; the record of it.
fn locally(project: &Project) -> PathBuf {
    let record = project.path("local.jsonl");
    let emulator = project.emulator_with(|command| {
        command.env("SAGEBRUSH_RECORD", &record);
    });
    project.run(&["run"]).exit(0);
    // A bucket that keeps no versions, as one is in an account before anybody turns them on.
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let s3 = sdk::s3(&emulator.url);
        let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
        let bucket = "story-000000000000-us-east-1";
        s3.put_bucket_versioning().bucket(bucket).versioning_configuration(off).send().await.unwrap();
    });
    project.write("data/train.csv", reviews(38, 0));
    // A window that is violated whatever it holds, and somebody to tell.
    project.write("monitor.toml", "[[rules]]\nname = \"any\"\nwhen = 'documents >= 0'\n");
    project.write("pipeline.toml", SETTINGS);
    project.write("batch/a.jsonl", "{\"text\": \"excellent, I love it\"}\n{\"text\": \"terrible, it broke\"}\n");
    project.run(&["run"]).exit(0);
    for command in [
        &["plan"][..],
        &["status"],
        &["invoke", "lovely, would recommend", "--explain", "2"],
        &["lineage", "1"],
        &["diff", "1", "2"],
        &["reproduce", "1"],
        &["approve", "--reason", "seen"],
        &["loadtest", "--seconds", "0.1"],
        &["transform", "batch/a.jsonl"],
    ] {
        project.run(command).exit(0);
    }
    // Everything is taken away while a job of each kind runs.
    let jobs = [
        halted(project, &emulator, "CreateTrainingJob", " container train ", &["train", "--set"]),
        halted(project, &emulator, "CreateProcessingJob", " container monitor ", &["monitor"]),
    ];
    let gone = project.run(&["destroy"]).exit(0).stdout;
    assert!(gone.contains("training job story-") && gone.contains("processing job story-"), "{gone}");
    for job in jobs {
        signal(job, "CONT");
    }
    project.run(&["tune"]).exit(0);
    spoiled(project);
    assert_eq!(emulator.stop(), Some(0));
    record
}

/// A job that runs until it is let go on: the command that made it is killed, the job's own process halted. One that was
/// too quick is made anew, of another name.
fn halted(project: &Project, emulator: &Emulator, operation: &str, program: &str, args: &[&str]) -> u32 {
    for attempt in 1..=50 {
        faults(emulator, "POST", &json!({ "operation": operation, "effect": "hang" }));
        let mut command = project.command(args);
        if args.last() == Some(&"--set") {
            command.arg(format!("C={attempt}.5"));
        }
        let mut command = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Made, and its process seen or gone by already.
        let job = loop {
            let made = faults(emulator, "GET", &Value::Null)["rules"][0]["fired"] == 1;
            let job = project.process(program);
            if made || job.is_some() || command.try_wait().unwrap().is_some() {
                break job;
            }
        };
        let halted = job.is_some_and(halt);
        // The call may still be on its way to its effect.
        while faults(emulator, "GET", &Value::Null)["rules"][0]["fired"] == 0 && command.try_wait().unwrap().is_none() {
        }
        if command.try_wait().unwrap().is_none() {
            signal(command.id(), "KILL");
            command.wait().unwrap();
        }
        faults(emulator, "DELETE", &Value::Null);
        if let (Some(job), true) = (job, halted) {
            return job;
        }
    }
    panic!("no{program}process could be halted")
}

/// A search that fails, since its only job is killed; one that was too quick is made anew with another value.
fn spoiled(project: &Project) {
    for attempt in 1..=50 {
        project.write("pipeline.toml", SETTINGS.replace("[0.5, 1.0]", &format!("[{attempt}.25]")));
        let mut command = project.command(&["tune"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let ended = loop {
            if let Some(job) = project.process(" container train ") {
                sent(job, "KILL");
            }
            if let Some(ended) = command.try_wait().unwrap() {
                break ended;
            }
        };
        if ended.code() == Some(1) {
            return;
        }
    }
    panic!("no search could be made to fail");
}

/// Whether a process was still there to be sent a signal.
fn sent(process: u32, name: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args([format!("-{name}"), process.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

/// Halts a process; whether it was still there to be halted.
fn halt(process: u32) -> bool {
    let sent = sent(process, "STOP");
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    sent && status.lines().any(|line| line.starts_with("State:") && line.contains('T'))
}

/// The same in an account, by another project's name, so that moto tells the two apart.
fn in_an_account(project: &Project) -> PathBuf {
    let record = project.path("account.jsonl");
    let settings = account::SETTINGS.replace("story", "ledger");
    let further = "[regions]\nwaves = [[\"eu-central-1\"]]\nhealthy_minutes = 0.001\n";
    project.write("pipeline.toml", settings + further);
    let emulator = project.emulator_with(|command| {
        command.env("SAGEBRUSH_RECORD", &record);
    });
    for command in [&["plan"][..], &["run"], &["approve", "--reason", "seen"], &["deploy"], &["monitor"], &["status"]] {
        account::aws(project, &emulator, command).exit(0);
    }
    // As if a search and a batch were still running.
    let stub = Stub::start(&emulator.url, |call, _| {
        let answer = |body: Value| Fate::Answer(200, "application/x-amz-json-1.1", body.to_string());
        let arn = |kind: &str| format!("arn:aws:sagemaker:us-east-1:000000000000:{kind}/ledger-one");
        match call {
            "ListHyperParameterTuningJobs" => answer(json!({"HyperParameterTuningJobSummaries": [{
                "HyperParameterTuningJobName": "ledger-one", "HyperParameterTuningJobArn": arn("hyper-parameter-tuning-job"),
                "HyperParameterTuningJobStatus": "InProgress", "Strategy": "Random", "CreationTime": 1.0,
                "TrainingJobStatusCounters": {}, "ObjectiveStatusCounters": {},
            }]})),
            "ListTransformJobs" => answer(json!({"TransformJobSummaries": [{
                "TransformJobName": "ledger-one", "TransformJobArn": arn("transform-job"), "CreationTime": 1.0,
                "TransformJobStatus": "InProgress",
            }]})),
            "ListTags" => answer(json!({"Tags": [{"Key": "sagebrush:project", "Value": "ledger"}]})),
            _ => Fate::Pass,
        }
    });
    let args = ["destroy"];
    let gone = done(&args, account::at(project, &stub.url, &args).arg("--yes").output().unwrap()).exit(0).stdout;
    for job in ["deleted       tuning job ledger-one\n", "deleted       transform job ledger-one in eu-central-1\n"] {
        assert!(gone.contains(job), "{gone}");
    }
    assert_eq!(emulator.stop(), Some(0));
    record
}

#[test]
fn every_request_is_one_that_aws_takes() {
    if !has_models() {
        return;
    }
    let (project, other) = (Project::new(), Project::new());
    let records = [locally(&project), in_an_account(&other)];
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let output = checked(&records, &["--sources", sources.to_str().unwrap()]);
    let (table, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{table}");
    if let Some(folder) = std::env::var_os(KEPT) {
        fs::create_dir_all(&folder).unwrap();
        for record in &records {
            fs::copy(record, Path::new(&folder).join(record.file_name().unwrap())).unwrap();
        }
    }
    assert!(output.status.success(), "{table}\n{wrong}");

    // The check sees what it is there to see.
    let record = fs::read_to_string(&records[0]).unwrap();
    let planted = [
        ("CreateTrainingJob", r#"\"TrainingJobName\":\"story-"#, r#"\"TrainingJobName\":\"story_"#, "does not match"),
        ("CreateTrainingJob", r#"\"RoleArn\":"#, r#"\"RoleArm\":"#, "request: it has no RoleArn"),
        ("CreateTrainingJob", r#"\"RoleArn\":"#, r#"\"Mood\":\"fine\",\"RoleArn\":"#, "does not know: Mood"),
        ("CreateEndpointConfig", "ml.m5.large", "ml.m5.tiny", "is 'ml.m5.tiny', none of "),
        (
            "CreateEndpointConfig",
            r#"\"InitialInstanceCount\":1"#,
            r#"\"InitialInstanceCount\":0"#,
            "is 0, allowed is 1",
        ),
        ("CreateTrainingJob", r#"\"InstanceCount\":1"#, r#"\"InstanceCount\":\"one\""#, "ValueError"),
        ("PutBucketVersioning", ">Enabled<", ">On<", "is 'On', none of "),
        ("ListObjectsV2", "list-type=2", "list-type=2&mood=fine", "the query has mood"),
        ("GetCallerIdentity", "&Version", "&Mood=fine&Version", "the form has Mood"),
        ("CreateSchedule", r#"{"method":"POST""#, r#"{"method":"PUT""#, "is one of UpdateSchedule"),
        ("DescribeEndpoint", r#"\"EndpointArn\":"#, r#"\"EndpointArm\":"#, "answer: it has no EndpointArn"),
    ];
    let mut lines = String::new();
    for (call, from, to, _) in planted {
        let name = format!("\"operation\":\"{call}\"");
        let line = record.lines().find(|line| line.contains(&name) && line.contains(from));
        let line = line.unwrap_or_else(|| panic!("no {call} with {from}"));
        lines += &(line.replacen(from, to, 1) + "\n");
    }
    let path = project.path("planted.jsonl");
    fs::write(&path, lines).unwrap();
    let output = checked(&[path], &[]);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{wrong}");
    for (call, _, to, want) in planted {
        let named = |line: &str| line.contains(call) && line.contains(want);
        assert!(wrong.lines().any(named), "{call}: {to}: {want}\n{wrong}");
    }
}
