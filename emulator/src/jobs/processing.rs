//! A processing job, from its inputs to its outputs in the bucket.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    ABANDONED, Folder, beginning, cannot_start, environment, resource_config,
    supervise::{Ended, asked, supervise},
    words,
};
use crate::{
    Runtime,
    account::Account,
    container::{
        Launch, Process, archive,
        inputs::{self, Selection},
    },
    logs,
    s3_uri::S3Uri,
    sagemaker::ProcessingJob,
    time,
};

/// Members of `processingjobconfig.json` beside the ARN; null where the request does not have them.
const CONFIG: [&str; 10] = [
    "ProcessingJobName",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
];

pub(super) async fn run(account: Arc<Account>, job: ProcessingJob, mut stop: watch::Receiver<bool>) {
    let outcome = match Folder::make(&account, &job.name).await {
        Ok(folder) => {
            let outcome = in_folder(&account, &job, &mut stop, &folder).await;
            let message = beginning(&folder.join("output/message"), 1024).await;
            account.processing_jobs.change(&job.name, |job| job.exit_message = message);
            keep_metrics(&account, &job.name, &folder).await;
            folder.remove().await;
            outcome
        }
        Err(e) => Err(format!("InternalServerError: {e}")),
    };
    account.processing_jobs.change(&job.name, |job| match outcome {
        Ok(status) => job.enter(status),
        Err(reason) => job.fail(&reason),
    });
    account.stops.leave(&job.arn);
}

async fn in_folder(
    account: &Arc<Account>,
    job: &ProcessingJob,
    stop: &mut watch::Receiver<bool>,
    folder: &Folder,
) -> Result<&'static str, String> {
    tokio::select! {
        laid_out = lay_out(account, job, folder) => laid_out?,
        () = asked(stop) => return Ok("Stopped"),
        () = account.tasks.closing() => return Err(ABANDONED.to_owned()),
    }
    let app = &job.request["AppSpecification"];
    let (entrypoint, arguments) = (words(&app["ContainerEntrypoint"]), words(&app["ContainerArguments"]));
    let stand_in = matches!(account.settings.runtime, Runtime::Process(_));
    if stand_in && entrypoint.is_empty() && arguments.is_empty() {
        return Err("ClientError: the request has neither ContainerEntrypoint nor ContainerArguments, and the emulator pulls no image that could have an entrypoint of its own".to_owned());
    }
    account.processing_jobs.change(&job.name, |job| job.started = Some(time::now()));
    let launch = Launch {
        image: app["ImageUri"].as_str().unwrap_or_default().to_owned(),
        entrypoint,
        arguments: arguments.into_iter().map(Into::into).collect(),
        ml_root: folder.0.clone(),
        model: None,
        environment: environment(&job.request["Environment"]),
        log: (logs::PROCESSING.to_owned(), format!("{}/algo-1-{}", job.name, job.created.as_second())),
        on_line: None,
    };
    let process = Process::start(account, launch).await;
    let process = process.map_err(cannot_start)?;
    let limit = job.request["StoppingCondition"]["MaxRuntimeInSeconds"].as_u64().unwrap_or(86_400);
    match supervise(account, process, stop, Duration::from_secs(limit)).await {
        Ended::Exited(0) => {}
        Ended::NeverRan(reason) => return Err(cannot_start(reason)),
        Ended::Exited(code) => {
            let reason = beginning(&folder.join("output/message"), 900).await;
            let reason = reason.unwrap_or_else(|| "See job logs for more information".to_owned());
            return Err(format!("AlgorithmError: {reason}, exit code: {code}"));
        }
        Ended::Stopped => return Ok("Stopped"),
        Ended::OutOfTime => return Err("ClientError: Please extend MaxRuntimeInSeconds: the job ran longer".to_owned()),
        Ended::Closing => return Err(ABANDONED.to_owned()),
    }
    upload(account, job, folder).await.map_err(|e| format!("ClientError: Output upload failed:{e}"))?;
    Ok("Completed")
}

/// The configuration files, the inputs, and the folders of the outputs.
async fn lay_out(account: &Arc<Account>, job: &ProcessingJob, folder: &Folder) -> Result<(), String> {
    let internal = |e: std::io::Error| format!("InternalServerError: {e}");
    let mut config = json!({"ProcessingJobArn": job.arn});
    for member in CONFIG {
        config[member] = job.request.get(member).cloned().unwrap_or(Value::Null);
    }
    let mut resources = resource_config(None);
    if let Some(resources) = resources.as_object_mut() {
        resources.remove("network_interface_name");
    }
    folder.write_json("config/processingjobconfig.json", &config).map_err(internal)?;
    folder.write_json("config/resourceconfig.json", &resources).map_err(internal)?;
    tokio::fs::create_dir_all(folder.join("output")).await.map_err(internal)?;
    for input in job.request["ProcessingInputs"].as_array().into_iter().flatten() {
        let source = &input["S3Input"];
        let text = |member: &str| source[member].as_str().unwrap_or_default();
        let selection = if text("S3DataType") == "ManifestFile" { Selection::Manifest } else { Selection::Prefix };
        let (to, gzip) = (folder.inside(text("LocalPath")), text("S3CompressionType") == "Gzip");
        let downloaded = inputs::download(account, text("S3Uri"), selection, gzip, &to).await;
        let name = input["InputName"].as_str().unwrap_or_default();
        downloaded.map_err(|reason| format!("ClientError: Data download failed:{reason}, input {name}"))?;
    }
    for (_, path) in outputs(job) {
        tokio::fs::create_dir_all(folder.inside(path)).await.map_err(internal)?;
    }
    Ok(())
}

/// Where in the bucket each local folder goes.
fn outputs(job: &ProcessingJob) -> impl Iterator<Item = (&str, &str)> {
    let outputs = job.request["ProcessingOutputConfig"]["Outputs"].as_array().into_iter().flatten();
    outputs.filter_map(|output| {
        let target = &output["S3Output"];
        Some((target["S3Uri"].as_str()?, target["LocalPath"].as_str()?))
    })
}

async fn upload(account: &Account, job: &ProcessingJob, folder: &Folder) -> Result<(), String> {
    for (uri, path) in outputs(job) {
        let to = S3Uri::parse(uri).ok_or_else(|| format!("`{uri}` is not of the form s3://bucket/key"))?;
        let from = folder.inside(path);
        for file in archive::files_below(&from).map_err(|e| e.to_string())? {
            let to = to.join(&file.to_string_lossy());
            let put = account.bucket.put_file(&to.bucket, &to.key, &from.join(&file), content_type(&file)).await;
            put.map_err(|e| format!("{to}: {e}"))?;
        }
    }
    Ok(())
}

fn content_type(file: &std::path::Path) -> &'static str {
    match file.extension().and_then(|e| e.to_str()) {
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        Some("csv") => "text/csv",
        _ => "",
    }
}

/// CloudWatch metrics that the job left are kept beside the logs: there is no CloudWatch to send them to.
async fn keep_metrics(account: &Account, name: &str, folder: &Folder) {
    let from = folder.join("output/metrics/cloudwatch/cloudwatch_metrics.jsonl");
    let to = account.settings.state.join("metrics");
    if from.exists() && tokio::fs::create_dir_all(&to).await.is_ok() {
        // The job's outcome does not hang on this copy.
        let _ = tokio::fs::copy(from, to.join(format!("{name}.jsonl"))).await;
    }
}
