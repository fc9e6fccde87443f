//! `TrainingJob`: what was asked, and how far it has come.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    listing::{Order, Row, page},
    tags, text,
};
use crate::{account::Account, arn, container::inputs, fault::Fault, jobs, s3_uri::S3Uri, shapes, time};

/// A training job as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TrainingJob {
    pub request: Value,
    pub name: String,
    pub arn: String,
    pub status: String,
    pub secondary: Secondary,
    pub transitions: Vec<Transition>,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub failure: Option<String>,
    pub artifacts: String,
    pub metrics: Vec<Metric>,
}

/// Where a training job is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Secondary {
    Starting,
    Downloading,
    Training,
    Uploading,
    Stopping,
    Completed,
    Failed,
    Stopped,
    MaxRuntimeExceeded,
}

/// One of a job's `SecondaryStatusTransitions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transition {
    pub status: Secondary,
    pub began: Timestamp,
    pub ended: Option<Timestamp>,
    pub message: String,
}

/// One of a job's `FinalMetricDataList`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Metric {
    pub name: String,
    pub value: f64,
    pub at: Timestamp,
}

impl Secondary {
    fn message(self) -> &'static str {
        match self {
            Secondary::Starting => "Starting the training job",
            Secondary::Downloading => "Downloading input data",
            Secondary::Training => "Training image download completed. Training in progress.",
            Secondary::Uploading => "Uploading generated training model",
            Secondary::Stopping => "Stopping the training job",
            Secondary::Completed => "Training job completed",
            Secondary::Failed => "Training job failed",
            Secondary::Stopped => "Training job stopped",
            Secondary::MaxRuntimeExceeded => "Training job exceeded its MaxRuntimeInSeconds",
        }
    }

    /// The `TrainingJobStatus` that goes with it.
    fn status(self) -> &'static str {
        match self {
            Secondary::Starting | Secondary::Downloading | Secondary::Training | Secondary::Uploading => "InProgress",
            Secondary::Stopping => "Stopping",
            Secondary::Completed => "Completed",
            Secondary::Failed => "Failed",
            Secondary::Stopped | Secondary::MaxRuntimeExceeded => "Stopped",
        }
    }
}

impl TrainingJob {
    /// Moves on; a job being stopped shows `Stopping` until it is.
    pub fn enter(&mut self, secondary: Secondary) {
        let now = time::now();
        if let Some(last) = self.transitions.last_mut() {
            last.ended = Some(now);
        }
        let message = match (&self.failure, secondary) {
            (Some(reason), Secondary::Failed) => reason.clone(),
            _ => secondary.message().to_owned(),
        };
        self.transitions.push(Transition { status: secondary, began: now, ended: None, message });
        (self.secondary, self.modified) = (secondary, now);
        if self.status != "Stopping" || secondary.status() != "InProgress" {
            secondary.status().clone_into(&mut self.status);
        }
        if self.is_over() {
            self.ended = Some(now);
            if let Some(last) = self.transitions.last_mut() {
                last.ended = Some(now);
            }
        }
    }

    /// A Stop operation has asked.
    pub fn begin_to_stop(&mut self) {
        if self.status == "InProgress" {
            self.enter(Secondary::Stopping);
        }
    }

    pub fn is_over(&self) -> bool {
        !matches!(self.status.as_str(), "InProgress" | "Stopping")
    }

    pub fn fail(&mut self, reason: &str) {
        self.failure = Some(reason.chars().take(1024).collect());
        self.enter(Secondary::Failed);
    }

    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeTrainingJobResponse", &self.request);
        let transitions = self.transitions.iter().map(|t| {
            let mut entry = json!({"Status": t.status, "StartTime": time::epoch(t.began), "StatusMessage": t.message});
            if let Some(ended) = t.ended {
                entry["EndTime"] = time::epoch(ended);
            }
            entry
        });
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        put("TrainingJobArn", json!(self.arn));
        put("TrainingJobStatus", json!(self.status));
        put("SecondaryStatus", json!(self.secondary));
        put("SecondaryStatusTransitions", transitions.collect());
        put("ModelArtifacts", json!({"S3ModelArtifacts": self.artifacts}));
        put("CreationTime", time::epoch(self.created));
        put("LastModifiedTime", time::epoch(self.modified));
        if self.request.get("StoppingCondition").is_none() {
            put("StoppingCondition", json!({"MaxRuntimeInSeconds": 86400}));
        }
        for flag in ["EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"] {
            put(flag, self.request.get(flag).cloned().unwrap_or(json!(false)));
        }
        if let Some(started) = self.started {
            put("TrainingStartTime", time::epoch(started));
            if let Some(ended) = self.ended {
                let seconds = (ended.as_millisecond() - started.as_millisecond()).max(0) as u64;
                put("TrainingTimeInSeconds", json!(seconds.div_ceil(1000).max(1)));
                put("BillableTimeInSeconds", json!(seconds.div_ceil(1000).max(1)));
            }
        }
        if let Some(ended) = self.ended {
            put("TrainingEndTime", time::epoch(ended));
        }
        if let Some(reason) = &self.failure {
            put("FailureReason", json!(reason));
        }
        if !self.metrics.is_empty() {
            let metrics = self.metrics.iter();
            let metrics =
                metrics.map(|m| json!({"MetricName": m.name, "Value": m.value, "Timestamp": time::epoch(m.at)}));
            put("FinalMetricDataList", metrics.collect());
        }
        Value::Object(out)
    }
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let arn = record(account, &request)?;
    jobs::start_training(account, text(&request, "TrainingJobName"));
    Ok(json!({"TrainingJobArn": arn}))
}

/// Keeps a job that is about to start; its ARN.
pub(crate) fn record(account: &Account, request: &Value) -> Result<String, Fault> {
    let name = text(request, "TrainingJobName").to_owned();
    let arn = arn::sagemaker(&account.region, "training-job", &name);
    check(account, request)?;
    let now = time::now();
    let mut job = TrainingJob {
        name: name.clone(),
        arn: arn.clone(),
        status: "InProgress".to_owned(),
        secondary: Secondary::Starting,
        transitions: Vec::new(),
        created: now,
        modified: now,
        started: None,
        ended: None,
        failure: None,
        artifacts: artifacts(request, &name),
        metrics: Vec::new(),
        request: request.clone(),
    };
    job.enter(Secondary::Starting);
    if !account.training_jobs.add(&name, job)? {
        return Err(Fault::new(
            "ResourceInUse",
            format!(
                "Training job names must be unique within an AWS account and region, and a training job with this name already exists ({arn})"
            ),
        ));
    }
    tags::attach(account, &arn, request)?;
    Ok(arn)
}

/// Where the artifact will be: `…/<job>/output/model.tar.gz`, or the folder where no archive is asked for.
fn artifacts(request: &Value, name: &str) -> String {
    let output = &request["OutputDataConfig"];
    let folder = S3Uri::parse(text(output, "S3OutputPath")).map(|u| u.join(name).join("output"));
    let leaf = if text(output, "CompressionType") == "NONE" { "model/" } else { "model.tar.gz" };
    folder.map(|f| f.join(leaf).to_string()).unwrap_or_default()
}

/// What AWS checks beyond the shapes, and what this runtime cannot do.
pub(super) fn check(account: &Account, request: &Value) -> Result<(), Fault> {
    let algorithm = &request["AlgorithmSpecification"];
    if text(algorithm, "TrainingImage").is_empty() {
        return Err(Fault::validation(
            "TrainingImage must be specified in AlgorithmSpecification; the emulator has no named algorithms.",
        ));
    }
    if S3Uri::parse(text(&request["OutputDataConfig"], "S3OutputPath")).is_none() {
        return Err(Fault::validation("S3OutputPath must be an S3 URI of the form s3://bucket/prefix."));
    }
    let resources = &request["ResourceConfig"];
    if resources.is_null() {
        return Err(shapes::must(&Value::Null, "resourceConfig", "Member must not be null"));
    }
    if resources["InstanceCount"] == 0 {
        let rule = "Member must have value greater than or equal to 1";
        return Err(shapes::must(&resources["InstanceCount"], "resourceConfig.instanceCount", rule));
    }
    jobs::check_instances(resources, "training job")?;
    let mut names = Vec::new();
    for channel in request["InputDataConfig"].as_array().into_iter().flatten() {
        let name = text(channel, "ChannelName");
        if names.contains(&name) {
            return Err(Fault::validation(format!("Duplicate channel name {name} in InputDataConfig.")));
        }
        names.push(name);
        let mode = [text(channel, "InputMode"), text(algorithm, "TrainingInputMode")];
        if mode.into_iter().find(|m| !m.is_empty()) == Some("Pipe") {
            return Err(Fault::validation(format!(
                "Channel {name}: TrainingInputMode Pipe is not supported by the emulator; use File or FastFile."
            )));
        }
        let source = &channel["DataSource"]["S3DataSource"];
        if text(source, "S3Uri").is_empty() {
            return Err(Fault::validation(format!(
                "Channel {name}: the emulator reads S3DataSource alone; none is given."
            )));
        }
        if text(source, "S3DataType") == "S3Prefix" {
            inputs::must_hold(account, text(source, "S3Uri"), text(request, "RoleArn"))?;
        }
    }
    jobs::metrics::Watched::new(&algorithm["MetricDefinitions"]).map(|_| ()).map_err(Fault::validation)
}

fn find(account: &Account, request: &Value) -> Result<TrainingJob, Fault> {
    let job = account.training_jobs.get(text(request, "TrainingJobName"));
    job.ok_or_else(|| Fault::validation("Requested resource not found."))
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, &request).map(|job| job.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |job: TrainingJob| Row {
        summary: Value::Object(shapes::pick(shapes::sagemaker(), "TrainingJobSummary", &job.describe())),
        name: job.name,
        status: job.status,
        created: job.created,
        modified: job.modified,
    };
    let rows = account.training_jobs.all().into_iter().map(row).collect();
    page(&request, rows, "TrainingJobSummaries", Order::Ascending)
}

pub(super) fn stop(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let job = find(account, &request)?;
    if job.is_over() {
        return Err(Fault::validation(format!(
            "The request was rejected because the training job is in status {}.",
            job.status
        )));
    }
    account.training_jobs.update(&job.name, |job| {
        job.begin_to_stop();
    })?;
    account.stops.ask(&job.arn);
    Ok(Value::Null)
}
