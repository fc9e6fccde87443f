//! A processing job: what it reads, what it leaves, how it ends.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    contract::*,
    error::Result,
    http::shown,
    judge::Judge,
    layout::{Root, files, links},
    plan::Plan,
    runner::{Role, Start, Subject},
    training::last,
};

/// Bytes of the message that reach `ExitMessage`.
const MESSAGE: usize = 1024;

/// A job that is over.
struct Done {
    root: Root,
    exit: Option<i32>,
    said: String,
    changed: Option<String>,
}

pub(crate) async fn judge(subject: &Subject, plan: &Plan, judge: &mut Judge<'_>) -> Result<()> {
    if let Err(reason) = subject.offers(Role::Process) {
        judge.rest(Contract::Processing, reason);
        return Ok(());
    }
    judge.say("processing: a job on good input");
    let done = run(subject, plan, plan.processing.input.as_deref(), false).await?;
    let succeeded = done.exit == Some(0);
    judge.decide(&PROCESS_SUCCESS, success(plan, &done));
    judge.decide(
        &PROCESS_INPUT,
        match &done.changed {
            None => Ok("nothing changed".to_owned()),
            Some(what) => Err(("no change of configuration or inputs".to_owned(), what.clone())),
        },
    );
    judge.decide(&PROCESS_MESSAGE, message(&done.root.path().join("output/message")));
    if succeeded {
        output(&done, judge);
        match subject.isolation() {
            Err(reason) => judge.not_applicable(&PROCESS_ISOLATED, reason),
            Ok(()) => {
                judge.say("processing: without a network");
                let done = run(subject, plan, plan.processing.input.as_deref(), true).await?;
                judge.decide(&PROCESS_ISOLATED, success(plan, &done));
            }
        }
    }
    match &plan.processing.bad_input {
        None => judge.not_applicable(&PROCESS_FAILURE, "no bad input was given (--processing-bad-input)"),
        Some(bad) => {
            judge.say("processing: a job on bad input");
            let done = run(subject, plan, Some(bad), false).await?;
            judge.decide(
                &PROCESS_FAILURE,
                match done.exit {
                    Some(code) if code != 0 => Ok(format!("exit code {code}")),
                    Some(_) => Err((
                        "an exit code other than 0 on bad input: the job is then Failed".to_owned(),
                        "exit code 0".to_owned(),
                    )),
                    None => Err((
                        "an exit code other than 0 on bad input".to_owned(),
                        format!("it still ran after {}", shown(plan.limits.job())),
                    )),
                },
            );
        }
    }
    judge.rest(Contract::Processing, "the job on good input did not succeed");
    Ok(())
}

fn success(plan: &Plan, done: &Done) -> std::result::Result<String, (String, String)> {
    let seen = match done.exit {
        Some(0) => return Ok("exit code 0".to_owned()),
        Some(code) => format!("exit code {code}{}", last(&done.said)),
        None => format!("it still ran after {}", shown(plan.limits.job())),
    };
    Err(("exit code 0: the job is Completed".to_owned(), seen))
}

fn message(path: &Path) -> std::result::Result<String, (String, String)> {
    let Ok(bytes) = fs::read(path) else { return Ok("none".to_owned()) };
    match std::str::from_utf8(&bytes) {
        Err(e) => Err(("UTF-8: a message that is not fails the job".to_owned(), e.to_string())),
        Ok(_) if bytes.len() > MESSAGE => Ok(format!("{} bytes, of which the first {MESSAGE} are kept", bytes.len())),
        Ok(text) => Ok(text.lines().next().unwrap_or_default().chars().take(80).collect()),
    }
}

fn output(done: &Done, judge: &mut Judge<'_>) {
    let folder = done.root.path().join("processing");
    let given = |path: &Path| {
        done.root.sealed().iter().any(|below| {
            done.root.path().join(below).join("") == path.join("") || path.starts_with(done.root.path().join(below))
        })
    };
    let made = files(&folder).into_iter().filter(|path| !given(&folder.join(path))).count();
    let link = links(&folder).into_iter().find(|path| !given(path));
    match link {
        Some(link) => judge.fail(
            &PROCESS_OUTPUT,
            "no symbolic link: none is followed when outputs are uploaded",
            link.display().to_string(),
        ),
        None if made == 0 => judge.not_applicable(&PROCESS_OUTPUT, "it left no file below /opt/ml/processing"),
        None => judge.pass(&PROCESS_OUTPUT, format!("{made} files")),
    }
}

async fn run(subject: &Subject, plan: &Plan, input: Option<&Path>, isolated: bool) -> Result<Done> {
    let mut root = Root::new()?;
    root.json("config/processingjobconfig.json", &config(plan))?;
    root.json("config/resourceconfig.json", &json!({"current_host": "algo-1", "hosts": ["algo-1"]}))?;
    root.seal("config")?;
    root.folder("output")?;
    root.folder("processing")?;
    if let Some(input) = input {
        root.fill("processing", input)?;
        for name in crate::layout::folders(input) {
            root.seal(&format!("processing/{name}"))?;
        }
    }
    let before = root.snapshot();
    let environment = plan.processing.environment.clone().into_iter().collect();
    let mut running = subject.start(Start { environment, isolated, ..Start::new(Role::Process, &root) }).await?;
    let exit = running.wait(plan.limits.job()).await;
    let said = running.said();
    drop(running);
    subject.could_run(exit, &said)?;
    let changed = root.changed(&before);
    Ok(Done { root, exit, said, changed })
}

/// The job's request as the platform writes it: null for what was not set.
fn config(plan: &Plan) -> Value {
    json!({
        "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:processing-job/conformance",
        "ProcessingJobName": "conformance",
        "ProcessingInputs": [],
        "ProcessingOutputConfig": null,
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10, "VolumeKmsKeyId": null}},
        "RoleArn": "arn:aws:iam::000000000000:role/conformance",
        "StoppingCondition": {"MaxRuntimeInSeconds": plan.limits.job_seconds},
        "Environment": plan.processing.environment,
        "NetworkConfig": null,
        "ExperimentConfig": null,
    })
}
