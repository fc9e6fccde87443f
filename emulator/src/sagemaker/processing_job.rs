//! `ProcessingJob`: what was asked, and how far it has come.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    listing::{Order, Row, page},
    tags, text,
};
use crate::{account::Account, arn, fault::Fault, jobs, shapes, time};

/// A processing job as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProcessingJob {
    pub request: Value,
    pub name: String,
    pub arn: String,
    pub status: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub failure: Option<String>,
    pub exit_message: Option<String>,
}

impl ProcessingJob {
    pub fn enter(&mut self, status: &str) {
        status.clone_into(&mut self.status);
        self.modified = time::now();
        if self.is_over() {
            self.ended = Some(self.modified);
        }
    }

    pub fn is_over(&self) -> bool {
        !matches!(self.status.as_str(), "InProgress" | "Stopping")
    }

    pub fn fail(&mut self, reason: &str) {
        self.failure = Some(reason.chars().take(1024).collect());
        self.enter("Failed");
    }

    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeProcessingJobResponse", &self.request);
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        put("ProcessingJobArn", json!(self.arn));
        put("ProcessingJobStatus", json!(self.status));
        put("CreationTime", time::epoch(self.created));
        put("LastModifiedTime", time::epoch(self.modified));
        for (name, at) in [("ProcessingStartTime", self.started), ("ProcessingEndTime", self.ended)] {
            if let Some(at) = at {
                put(name, time::epoch(at));
            }
        }
        for (name, text) in [("FailureReason", &self.failure), ("ExitMessage", &self.exit_message)] {
            if let Some(text) = text {
                put(name, json!(text));
            }
        }
        Value::Object(out)
    }
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let name = text(&request, "ProcessingJobName").to_owned();
    let arn = arn::sagemaker(&account.region, "processing-job", &name);
    check(&request)?;
    let now = time::now();
    let job = ProcessingJob {
        request: request.clone(),
        name: name.clone(),
        arn: arn.clone(),
        status: "InProgress".to_owned(),
        created: now,
        modified: now,
        started: None,
        ended: None,
        failure: None,
        exit_message: None,
    };
    if !account.processing_jobs.add(&name, job)? {
        return Err(Fault::new(
            "ResourceInUse",
            format!(
                "Processing job names must be unique within an AWS account and region, and a processing job with this name already exists ({arn})"
            ),
        ));
    }
    tags::attach(account, &arn, &request)?;
    jobs::start_processing(account, &name);
    Ok(json!({"ProcessingJobArn": arn}))
}

fn check(request: &Value) -> Result<(), Fault> {
    jobs::check_instances(&request["ProcessingResources"]["ClusterConfig"], "processing job")?;
    for input in request["ProcessingInputs"].as_array().into_iter().flatten() {
        let (name, source) = (text(input, "InputName"), &input["S3Input"]);
        if source.is_null() {
            return Err(Fault::validation(format!("Input {name}: the emulator reads S3Input alone; none is given.")));
        }
        if text(source, "S3InputMode") == "Pipe" {
            return Err(Fault::validation(format!(
                "Input {name}: S3InputMode Pipe is not supported by the emulator; use File."
            )));
        }
        local_path(name, text(source, "LocalPath"))?;
    }
    for output in request["ProcessingOutputConfig"]["Outputs"].as_array().into_iter().flatten() {
        let (name, target) = (text(output, "OutputName"), &output["S3Output"]);
        if target.is_null() {
            return Err(Fault::validation(format!(
                "Output {name}: the emulator writes S3Output alone; none is given."
            )));
        }
        local_path(name, text(target, "LocalPath"))?;
    }
    Ok(())
}

/// Inputs and outputs live below `/opt/ml/processing/`.
fn local_path(name: &str, path: &str) -> Result<(), Fault> {
    let below = path.strip_prefix("/opt/ml/processing/").is_some_and(|rest| !rest.is_empty());
    if below && !path.split('/').any(|part| part == "..") {
        return Ok(());
    }
    Err(Fault::validation(format!("{name}: LocalPath `{path}` must be a path under /opt/ml/processing/.")))
}

fn find(account: &Account, request: &Value) -> Result<ProcessingJob, Fault> {
    let name = text(request, "ProcessingJobName");
    let missing = || Fault::validation(format!("Could not find requested job with name: {name}"));
    account.processing_jobs.get(name).ok_or_else(missing)
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, &request).map(|job| job.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |job: ProcessingJob| Row {
        summary: Value::Object(shapes::pick(shapes::sagemaker(), "ProcessingJobSummary", &job.describe())),
        name: job.name,
        status: job.status,
        created: job.created,
        modified: job.modified,
    };
    let rows = account.processing_jobs.all().into_iter().map(row).collect();
    page(&request, rows, "ProcessingJobSummaries", Order::Ascending)
}

pub(super) fn stop(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let job = find(account, &request)?;
    if job.is_over() {
        return Err(Fault::validation(format!(
            "The request was rejected because the processing job is in status {}.",
            job.status
        )));
    }
    account.processing_jobs.update(&job.name, |job| job.enter("Stopping"))?;
    account.stops.ask(&job.arn);
    Ok(Value::Null)
}
