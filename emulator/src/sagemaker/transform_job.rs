//! `TransformJob`: a model over every object below a prefix.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Container, Deployed, Deployment, ProductionVariant,
    listing::{Order, Row, page},
    model, tags, text,
};
use crate::{account::Account, arn, container::inputs, fault::Fault, jobs, shapes, time};

/// A transform job as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TransformJob {
    pub request: Value,
    pub name: String,
    pub arn: String,
    pub status: String,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub failure: Option<String>,
    /// The model's, as it was when the job was made.
    container: Container,
}

impl TransformJob {
    pub fn enter(&mut self, status: &str) {
        status.clone_into(&mut self.status);
        if self.is_over() {
            self.ended = Some(time::now());
        }
    }

    pub fn is_over(&self) -> bool {
        !matches!(self.status.as_str(), "InProgress" | "Stopping")
    }

    pub fn fail(&mut self, reason: &str) {
        self.failure = Some(reason.chars().take(1024).collect());
        self.enter("Failed");
    }

    /// What runs: the model's container, told that it works on a batch.
    pub fn deployment(&self) -> Deployment {
        let mut container = self.container.clone();
        let asked = |member: &str| self.request.get(member).filter(|v| !v.is_null());
        let environment = &mut container.environment;
        environment.insert("SAGEMAKER_BATCH".to_owned(), "true".to_owned());
        for (member, name) in [
            ("MaxPayloadInMB", "SAGEMAKER_MAX_PAYLOAD_IN_MB"),
            ("MaxConcurrentTransforms", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"),
        ] {
            if let Some(value) = asked(member) {
                environment.insert(name.to_owned(), value.to_string());
            }
        }
        if let Some(strategy) = asked("BatchStrategy").and_then(Value::as_str) {
            let shouted = if strategy == "SingleRecord" { "SINGLE_RECORD" } else { "MULTI_RECORD" };
            environment.insert("SAGEMAKER_BATCH_STRATEGY".to_owned(), shouted.to_owned());
        }
        for (name, value) in self.request["Environment"].as_object().into_iter().flatten() {
            environment.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        let count = self.request["TransformResources"]["InstanceCount"].as_u64().unwrap_or(1);
        let variant = ProductionVariant {
            variant_name: self.name.clone(),
            model_name: text(&self.request, "ModelName").to_owned(),
            initial_instance_count: u32::try_from(count).unwrap_or(u32::MAX),
            initial_variant_weight: 1.0,
            container_startup_health_check_timeout_in_seconds: None,
            serverless_config: None,
        };
        let variants = vec![Deployed { variant, container }];
        Deployment { config: String::new(), variants, shadows: Vec::new(), capture: None, at: self.created }
    }

    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeTransformJobResponse", &self.request);
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        put("TransformJobArn", json!(self.arn));
        put("TransformJobStatus", json!(self.status));
        put("CreationTime", time::epoch(self.created));
        for (name, at) in [("TransformStartTime", self.started), ("TransformEndTime", self.ended)] {
            if let Some(at) = at {
                put(name, time::epoch(at));
            }
        }
        if let Some(reason) = &self.failure {
            put("FailureReason", json!(reason));
        }
        Value::Object(out)
    }
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let name = text(&request, "TransformJobName").to_owned();
    let arn = arn::sagemaker(&account.region, "transform-job", &name);
    let model = model::find(account, text(&request, "ModelName"))?;
    jobs::transform::Plan::of(&request).map_err(Fault::validation)?;
    let source = &request["TransformInput"]["DataSource"]["S3DataSource"];
    if text(source, "S3DataType") == "S3Prefix" {
        inputs::must_hold(account, text(source, "S3Uri"), model.role())?;
    }
    let job = TransformJob {
        name: name.clone(),
        arn: arn.clone(),
        status: "InProgress".to_owned(),
        created: time::now(),
        started: None,
        ended: None,
        failure: None,
        container: model.container,
        request: request.clone(),
    };
    if !account.transform_jobs.add(&name, job)? {
        return Err(Fault::new(
            "ResourceInUse",
            format!(
                "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
            ),
        ));
    }
    tags::attach(account, &arn, &request)?;
    jobs::start_transform(account, &name);
    Ok(json!({"TransformJobArn": arn}))
}

fn find(account: &Account, request: &Value) -> Result<TransformJob, Fault> {
    let name = text(request, "TransformJobName");
    let missing = || Fault::new("ResourceNotFound", format!("Could not find requested job with name: {name}"));
    account.transform_jobs.get(name).ok_or_else(missing)
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, &request).map(|job| job.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |job: TransformJob| Row {
        summary: Value::Object(shapes::pick(shapes::sagemaker(), "TransformJobSummary", &job.describe())),
        created: job.created,
        modified: job.ended.unwrap_or(job.created),
        name: job.name,
        status: job.status,
    };
    let rows = account.transform_jobs.all().into_iter().map(row).collect();
    page(&request, rows, "TransformJobSummaries", Order::Descending)
}

pub(super) fn stop(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let job = find(account, &request)?;
    if job.is_over() {
        return Err(Fault::validation(format!(
            "The request was rejected because the transform job is in status {}.",
            job.status
        )));
    }
    account.transform_jobs.update(&job.name, |job| job.enter("Stopping"))?;
    account.stops.ask(&job.arn);
    Ok(Value::Null)
}
