//! A training job, from its inputs to `model.tar.gz`.

use std::{path::Path, sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tokio::{sync::watch, task::spawn_blocking};

use super::{
    ABANDONED, Folder, beginning, cannot_start, environment,
    metrics::{Heard, Watched},
    resource_config,
    supervise::{Ended, asked, supervise},
    words,
};
use crate::{
    account::Account,
    container::{
        Launch, Process, archive,
        inputs::{self, Selection},
    },
    logs,
    s3_uri::S3Uri,
    sagemaker::{Secondary, TrainingJob},
    time,
};

/// How a job ended well enough: what it left is uploaded.
#[derive(PartialEq)]
enum Finish {
    Completed,
    Stopped,
    MaxRuntimeExceeded,
}

/// Runs it to its end; `heard` is told the values of its metrics.
pub(super) async fn run(
    account: Arc<Account>,
    job: TrainingJob,
    mut stop: watch::Receiver<bool>,
    heard: Option<Heard>,
) {
    let outcome = match Watched::new(&job.request["AlgorithmSpecification"]["MetricDefinitions"]) {
        Ok(watched) => {
            let watched = Arc::new(watched.telling(heard));
            let outcome = attempt(&account, &job, &mut stop, &watched).await;
            account.training_jobs.change(&job.name, |job| job.metrics = watched.last());
            outcome
        }
        Err(reason) => Err(format!("ClientError: {reason}")),
    };
    account.training_jobs.change(&job.name, |job| match outcome {
        Ok(Finish::Completed) => job.enter(Secondary::Completed),
        Ok(Finish::Stopped) => job.enter(Secondary::Stopped),
        Ok(Finish::MaxRuntimeExceeded) => job.enter(Secondary::MaxRuntimeExceeded),
        Err(reason) => job.fail(&reason),
    });
    account.stops.leave(&job.arn);
}

async fn attempt(
    account: &Arc<Account>,
    job: &TrainingJob,
    stop: &mut watch::Receiver<bool>,
    watched: &Arc<Watched>,
) -> Result<Finish, String> {
    let folder = Folder::make(account, &job.name).await.map_err(internal)?;
    let finish = in_folder(account, job, stop, watched, &folder).await;
    folder.remove().await;
    finish
}

async fn in_folder(
    account: &Arc<Account>,
    job: &TrainingJob,
    stop: &mut watch::Receiver<bool>,
    watched: &Arc<Watched>,
    folder: &Folder,
) -> Result<Finish, String> {
    account.training_jobs.change(&job.name, |job| job.enter(Secondary::Downloading));
    tokio::select! {
        laid_out = lay_out(account, job, folder) => laid_out?,
        () = asked(stop) => return Ok(Finish::Stopped),
        () = account.tasks.closing() => return Err(ABANDONED.to_owned()),
    }
    account.training_jobs.change(&job.name, |job| {
        job.started = Some(time::now());
        job.enter(Secondary::Training);
    });
    let algorithm = &job.request["AlgorithmSpecification"];
    let entrypoint = words(&algorithm["ContainerEntrypoint"]);
    let mut arguments = words(&algorithm["ContainerArguments"]);
    if entrypoint.is_empty() && arguments.is_empty() {
        arguments.push("train".to_owned());
    }
    let mut environment = environment(&job.request["Environment"]);
    environment.push(("TRAINING_JOB_NAME".to_owned(), job.name.clone()));
    environment.push(("TRAINING_JOB_ARN".to_owned(), job.arn.clone()));
    let stream = format!("{}/algo-1-{}", job.name, job.created.as_second());
    let seen = watched.clone();
    let launch = Launch {
        image: algorithm["TrainingImage"].as_str().unwrap_or_default().to_owned(),
        entrypoint,
        arguments: arguments.into_iter().map(Into::into).collect(),
        ml_root: folder.0.clone(),
        model: None,
        environment,
        log: (logs::TRAINING.to_owned(), stream),
        on_line: Some(Arc::new(move |line| seen.see(line))),
    };
    let process = Process::start(account, launch).await;
    let process = process.map_err(cannot_start)?;
    let limit = job.request["StoppingCondition"]["MaxRuntimeInSeconds"].as_u64().unwrap_or(86_400);
    let finish = match supervise(account, process, stop, Duration::from_secs(limit)).await {
        Ended::Exited(0) => Finish::Completed,
        Ended::NeverRan(reason) => return Err(cannot_start(reason)),
        Ended::Exited(code) => return Err(failure(&folder.join("output/failure"), code).await),
        Ended::Stopped => Finish::Stopped,
        Ended::OutOfTime => Finish::MaxRuntimeExceeded,
        Ended::Closing => return Err(ABANDONED.to_owned()),
    };
    account.training_jobs.change(&job.name, |job| job.enter(Secondary::Uploading));
    upload(account, job, folder).await.map_err(|e| format!("ClientError: Artifact upload failed:{e}"))?;
    Ok(finish)
}

/// The configuration files and channels below `input/`, and the folders the container writes to.
async fn lay_out(account: &Arc<Account>, job: &TrainingJob, folder: &Folder) -> Result<(), String> {
    for name in ["model", "output/data", "input/data", "checkpoints"] {
        tokio::fs::create_dir_all(folder.join(name)).await.map_err(internal)?;
    }
    let request = &job.request;
    let hyperparameters = request.get("HyperParameters").filter(|h| !h.is_null()).cloned().unwrap_or(json!({}));
    let instance = request["ResourceConfig"]["InstanceType"].as_str().unwrap_or("ml.m5.large");
    let channels: Vec<&Value> = request["InputDataConfig"].as_array().into_iter().flatten().collect();
    for (name, value) in [
        ("hyperparameters", &hyperparameters),
        ("inputdataconfig", &input_data_config(&channels, &request["AlgorithmSpecification"])),
        ("resourceconfig", &resource_config(Some(instance))),
    ] {
        folder.write_json(&format!("input/config/{name}.json"), value).map_err(internal)?;
    }
    for channel in channels {
        let name = channel["ChannelName"].as_str().unwrap_or_default();
        let source = &channel["DataSource"]["S3DataSource"];
        let selection = match source["S3DataType"].as_str() {
            Some("S3Prefix") => Selection::Prefix,
            Some("ManifestFile") => Selection::Manifest,
            other => {
                return Err(format!(
                    "ClientError: channel {name}: S3DataType {} is not supported by the emulator",
                    other.unwrap_or("null")
                ));
            }
        };
        let (uri, gzip) = (source["S3Uri"].as_str().unwrap_or_default(), channel["CompressionType"] == "Gzip");
        let to = folder.join("input/data").join(name);
        let downloaded = inputs::download(account, uri, selection, gzip, &to).await;
        downloaded.map_err(|reason| format!("ClientError: Data download failed:{reason}, channel {name}"))?;
    }
    Ok(())
}

fn input_data_config(channels: &[&Value], algorithm: &Value) -> Value {
    let mut config = Map::new();
    for channel in channels {
        let or = |value: &Value, default: &str| value.as_str().unwrap_or(default).to_owned();
        let mode = or(&channel["InputMode"], &or(&algorithm["TrainingInputMode"], "File"));
        let distribution = or(&channel["DataSource"]["S3DataSource"]["S3DataDistributionType"], "FullyReplicated");
        let mut entry = json!({
            "TrainingInputMode": mode,
            "S3DistributionType": distribution,
            "RecordWrapperType": or(&channel["RecordWrapperType"], "None"),
        });
        if let Some(content_type) = channel["ContentType"].as_str() {
            entry["ContentType"] = json!(content_type);
        }
        config.insert(or(&channel["ChannelName"], ""), entry);
    }
    Value::Object(config)
}

async fn failure(file: &Path, code: i32) -> String {
    let reason = beginning(file, 1024).await.unwrap_or_else(|| "See job logs for more information".to_owned());
    let ending = format!(", exit code: {code}");
    let room = 1024 - "AlgorithmError: ".len() - ending.len();
    format!("AlgorithmError: {}{ending}", reason.chars().take(room).collect::<String>())
}

/// `model.tar.gz`, and `output.tar.gz` where the container left anything in `output/data`.
async fn upload(account: &Account, job: &TrainingJob, folder: &Folder) -> Result<(), String> {
    let output = &job.request["OutputDataConfig"];
    let to = S3Uri::parse(output["S3OutputPath"].as_str().unwrap_or_default()).ok_or("S3OutputPath is no S3 URI")?;
    let to = to.join(&job.name).join("output");
    let plain = output["CompressionType"] == "NONE";
    for (from, name, wanted) in [("model", "model", true), ("output/data", "output", false)] {
        let from = folder.join(from);
        let found = archive::files_below(&from).map_err(|e| e.to_string())?;
        if found.is_empty() && !wanted {
            continue;
        }
        if plain {
            let folder = to.join(name);
            for file in found {
                put(account, &folder.join(&file.to_string_lossy()), &from.join(&file), "").await?;
            }
            continue;
        }
        let packed = folder.join(&format!("{name}.tar.gz"));
        let target = packed.clone();
        let made = spawn_blocking(move || archive::pack(&from, &target)).await;
        made.map_err(std::io::Error::other).flatten().map_err(|e| e.to_string())?;
        put(account, &to.join(&format!("{name}.tar.gz")), &packed, "application/x-tar").await?;
    }
    Ok(())
}

async fn put(account: &Account, to: &S3Uri, file: &Path, content_type: &str) -> Result<(), String> {
    let put = account.bucket.put_file(&to.bucket, &to.key, file, content_type).await;
    put.map(|_| ()).map_err(|e| format!("{to}: {e}"))
}

fn internal(error: std::io::Error) -> String {
    format!("InternalServerError: {error}")
}
