//! `Endpoint`: what serves, what is coming up to replace it, and what came of that.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Container, DataCapture, ProductionVariant, endpoint_config,
    listing::{Order, Row, page},
    model, tags, text,
};
use crate::{account::Account, arn, endpoint as fleets, fault::Fault, shapes, time};

/// An endpoint as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub name: String,
    pub arn: String,
    pub status: EndpointStatus,
    pub failure: Option<String>,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// What serves, where anything does.
    pub deployed: Option<Deployment>,
    /// What is coming up.
    pub wanted: Option<Deployment>,
    deployment_config: Value,
}

/// Where an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum EndpointStatus {
    Creating,
    Updating,
    RollingBack,
    InService,
    Deleting,
    Failed,
    OutOfService,
}

/// An endpoint config with its models, as they were when it was deployed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub config: String,
    pub variants: Vec<Deployed>,
    /// Get a copy of the requests.
    #[serde(default)]
    pub shadows: Vec<Deployed>,
    pub capture: Option<DataCapture>,
    pub at: Timestamp,
}

/// A variant and what it runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deployed {
    pub variant: ProductionVariant,
    pub container: Container,
}

impl Deployment {
    /// Instances of all variants.
    fn instances(&self) -> u32 {
        self.variants.iter().map(|deployed| deployed.variant.initial_instance_count).sum()
    }

    fn of(account: &Account, config: &str) -> Result<Deployment, Fault> {
        let found = endpoint_config::find(account, config)?;
        let deployed = |variant: ProductionVariant| {
            let container = model::find(account, &variant.model_name)?.container;
            Ok(Deployed { variant, container })
        };
        let all = |variants: Vec<_>| variants.into_iter().map(deployed).collect::<Result<_, Fault>>();
        let (variants, shadows) = (all(found.variants()?)?, all(found.shadows()?)?);
        Ok(Deployment { config: config.to_owned(), variants, shadows, capture: found.capture()?, at: time::now() })
    }

    /// Everything that runs.
    pub fn all(&self) -> impl Iterator<Item = &Deployed> {
        self.variants.iter().chain(&self.shadows)
    }
}

impl Endpoint {
    /// How requests move to a deployment.
    pub fn rollout(&self, wanted: &Deployment) -> Result<fleets::Rollout, String> {
        fleets::Rollout::of(&self.deployment_config, wanted.instances())
    }

    pub fn enter(&mut self, status: EndpointStatus, failure: Option<String>) {
        self.status = status;
        self.failure = failure.map(|reason| reason.chars().take(1024).collect());
        self.modified = time::now();
    }

    fn describe(&self) -> Value {
        let mut out = json!({
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointStatus": self.status,
            "CreationTime": time::epoch(self.created),
            "LastModifiedTime": time::epoch(self.modified),
        });
        if let Some(deployment) = self.deployed.as_ref().or(self.wanted.as_ref()) {
            out["EndpointConfigName"] = json!(deployment.config);
        }
        if let Some(deployment) = &self.deployed {
            out["ProductionVariants"] = deployment.variants.iter().map(|v| summary(v, deployment.at)).collect();
            if !deployment.shadows.is_empty() {
                let shadows = deployment.shadows.iter().map(|v| summary(v, deployment.at));
                out["ShadowProductionVariants"] = shadows.collect();
            }
            if let Some(capture) = &deployment.capture {
                out["DataCaptureConfig"] = json!({
                    "EnableCapture": capture.enable_capture,
                    "CaptureStatus": if capture.enable_capture { "Started" } else { "Stopped" },
                    "CurrentSamplingPercentage": capture.initial_sampling_percentage,
                    "DestinationS3Uri": capture.destination_s3_uri,
                    "KmsKeyId": capture.kms_key_id.as_deref().unwrap_or_default(),
                });
            }
        }
        if let (Some(wanted), EndpointStatus::Updating) = (&self.wanted, self.status) {
            let name = |v: &Deployed| json!({"VariantName": v.variant.variant_name});
            let variants: Value = wanted.variants.iter().map(name).collect();
            out["PendingDeploymentSummary"] = json!({"EndpointConfigName": wanted.config, "ProductionVariants": variants, "StartTime": time::epoch(wanted.at)});
        }
        if let Some(reason) = &self.failure {
            out["FailureReason"] = json!(reason);
        }
        if !self.deployment_config.is_null() {
            out["LastDeploymentConfig"] = self.deployment_config.clone();
        }
        out
    }
}

fn summary(deployed: &Deployed, at: Timestamp) -> Value {
    let variant = &deployed.variant;
    let image = &deployed.container.image;
    let mut out = json!({
        "VariantName": variant.variant_name,
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": time::epoch(at)}],
        "CurrentWeight": variant.initial_variant_weight,
        "DesiredWeight": variant.initial_variant_weight,
    });
    match variant.serverless_config {
        Some(serverless) => {
            (out["CurrentServerlessConfig"], out["DesiredServerlessConfig"]) = (json!(serverless), json!(serverless))
        }
        None => {
            let count = json!(variant.initial_instance_count);
            (out["CurrentInstanceCount"], out["DesiredInstanceCount"]) = (count.clone(), count);
        }
    }
    out
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let name = text(&request, "EndpointName").to_owned();
    let arn = arn::sagemaker(&account.region, "endpoint", &name);
    if account.endpoints.contains(&name) {
        return Err(Fault::validation(format!("Cannot create already existing endpoint \"{arn}\".")));
    }
    let now = time::now();
    let endpoint = Endpoint {
        name: name.clone(),
        arn: arn.clone(),
        status: EndpointStatus::Creating,
        failure: None,
        created: now,
        modified: now,
        deployed: None,
        wanted: Some(Deployment::of(account, text(&request, "EndpointConfigName"))?),
        deployment_config: request.get("DeploymentConfig").cloned().unwrap_or(Value::Null),
    };
    if !account.endpoints.add(&name, endpoint)? {
        return Err(Fault::validation(format!("Cannot create already existing endpoint \"{arn}\".")));
    }
    tags::attach(account, &arn, &request)?;
    fleets::deploy(account, &name);
    Ok(json!({"EndpointArn": arn}))
}

fn find(account: &Account, request: &Value) -> Result<Endpoint, Fault> {
    let name = text(request, "EndpointName");
    let missing = || {
        Fault::validation(format!("Could not find endpoint \"{}\".", arn::sagemaker(&account.region, "endpoint", name)))
    };
    account.endpoints.get(name).ok_or_else(missing)
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, &request).map(|endpoint| endpoint.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |endpoint: Endpoint| Row {
        summary: Value::Object(shapes::pick(shapes::sagemaker(), "EndpointSummary", &endpoint.describe())),
        name: endpoint.name,
        status: format!("{:?}", endpoint.status),
        created: endpoint.created,
        modified: endpoint.modified,
    };
    page(&request, account.endpoints.all().into_iter().map(row).collect(), "Endpoints", Order::Descending)
}

pub(super) fn update(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let endpoint = find(account, &request)?;
    let wanted = Deployment::of(account, text(&request, "EndpointConfigName"))?;
    let config = &request["DeploymentConfig"];
    fleets::Rollout::of(config, wanted.instances()).map_err(Fault::validation)?;
    let began = account.endpoints.update(&endpoint.name, |endpoint| {
        let may = matches!(endpoint.status, EndpointStatus::InService | EndpointStatus::OutOfService);
        if may {
            endpoint.enter(EndpointStatus::Updating, None);
            endpoint.wanted = Some(wanted);
            endpoint.deployment_config = request.get("DeploymentConfig").cloned().unwrap_or(Value::Null);
        }
        may.then_some(()).ok_or(endpoint.status)
    })?;
    match began {
        Some(Ok(())) => {}
        Some(Err(EndpointStatus::Failed)) => {
            return Err(Fault::validation(format!(
                "Cannot update endpoint \"{}\" with status \"Failed\".",
                endpoint.arn
            )));
        }
        _ => return Err(in_progress(&endpoint)),
    }
    fleets::deploy(account, &endpoint.name);
    Ok(json!({"EndpointArn": endpoint.arn}))
}

pub(super) fn delete(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let endpoint = find(account, &request)?;
    let began = account.endpoints.update(&endpoint.name, |endpoint| {
        let may = matches!(
            endpoint.status,
            EndpointStatus::InService | EndpointStatus::Failed | EndpointStatus::OutOfService
        );
        if may {
            endpoint.enter(EndpointStatus::Deleting, None);
        }
        may
    })?;
    if began != Some(true) {
        return Err(in_progress(&endpoint));
    }
    tags::detach(account, &endpoint.arn)?;
    fleets::delete(account, &endpoint.name);
    Ok(Value::Null)
}

fn in_progress(endpoint: &Endpoint) -> Fault {
    Fault::validation(format!("Cannot update in-progress endpoint \"{}\".", endpoint.arn))
}
