//! `EndpointConfig`: which models, how many instances, what is captured.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    listing::{Order, Row, page},
    model, tags, text, typed,
};
use crate::{account::Account, arn, fault::Fault, s3_uri::S3Uri, shapes, time};

/// An endpoint config as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EndpointConfig {
    request: Value,
    name: String,
    arn: String,
    created: Timestamp,
}

/// The part of a production variant that decides what runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProductionVariant {
    pub variant_name: String,
    #[serde(default)]
    pub model_name: String,
    #[serde(default = "one_instance")]
    pub initial_instance_count: u32,
    #[serde(default = "full_weight")]
    pub initial_variant_weight: f64,
    pub container_startup_health_check_timeout_in_seconds: Option<u64>,
    pub serverless_config: Option<Serverless>,
}

/// Instead of instances.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Serverless {
    #[serde(rename = "MemorySizeInMB")]
    pub memory_size_in_mb: u32,
    pub max_concurrency: u32,
}

/// What is recorded of the requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DataCapture {
    #[serde(default)]
    pub enable_capture: bool,
    pub initial_sampling_percentage: u32,
    pub destination_s3_uri: String,
    pub capture_options: Vec<CaptureOption>,
    #[serde(default)]
    pub capture_content_type_header: ContentTypes,
    pub kms_key_id: Option<String>,
}

/// One of a data capture's `CaptureOptions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CaptureOption {
    pub capture_mode: CaptureMode,
}

/// Which side is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum CaptureMode {
    Input,
    Output,
    InputAndOutput,
}

/// Which content types are recorded as text; everything else is base64.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ContentTypes {
    pub csv_content_types: Vec<String>,
    pub json_content_types: Vec<String>,
}

fn one_instance() -> u32 {
    1
}

fn full_weight() -> f64 {
    1.0
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let name = text(&request, "EndpointConfigName").to_owned();
    let arn = arn::sagemaker(&account.region, "endpoint-config", &name);
    let production: Vec<ProductionVariant> = typed(&request["ProductionVariants"])?;
    let shadows = shadows(&request)?;
    check_shadows(&production, &shadows)?;
    check_instances(&request, "ProductionVariants", "productionVariants")?;
    check_instances(&request, "ShadowProductionVariants", "shadowProductionVariants")?;
    let variants = [production, shadows].concat();
    for (i, variant) in variants.iter().enumerate() {
        if variants[..i].iter().any(|earlier| earlier.variant_name == variant.variant_name) {
            return Err(Fault::validation(format!(
                "Duplicate variant name {} in ProductionVariants.",
                variant.variant_name
            )));
        }
        if variant.model_name.is_empty() {
            return Err(Fault::validation(format!(
                "ModelName must be specified for variant {}; the emulator has no inference components.",
                variant.variant_name
            )));
        }
        model::find(account, &variant.model_name)?;
        if let Some(serverless) = variant.serverless_config {
            check_serverless(&request, i, serverless)?;
        }
    }
    let capture: Option<DataCapture> = typed(&request["DataCaptureConfig"])?;
    if let Some(capture) = capture.filter(|c| S3Uri::parse(&c.destination_s3_uri).is_none()) {
        return Err(Fault::validation(format!(
            "DestinationS3Uri {} must be of the form s3://bucket/prefix.",
            capture.destination_s3_uri
        )));
    }
    let config =
        EndpointConfig { name: name.clone(), arn: arn.clone(), created: time::now(), request: request.clone() };
    if !account.endpoint_configs.add(&name, config)? {
        return Err(Fault::validation(format!("Cannot create already existing endpoint configuration \"{arn}\".")));
    }
    tags::attach(account, &arn, &request)?;
    Ok(json!({"EndpointConfigArn": arn}))
}

/// What is beside the production variants and answers nobody.
fn shadows(request: &Value) -> Result<Vec<ProductionVariant>, Fault> {
    typed::<Option<_>>(&request["ShadowProductionVariants"]).map(Option::unwrap_or_default)
}

/// One copies one.
fn check_shadows(production: &[ProductionVariant], shadows: &[ProductionVariant]) -> Result<(), Fault> {
    let wrong = match (production, shadows) {
        (_, []) => return Ok(()),
        ([one], [shadow]) if one.serverless_config.is_none() && shadow.serverless_config.is_none() => return Ok(()),
        ([_], [_]) => "Shadow variants are not supported for serverless endpoints.",
        _ => {
            "With ShadowProductionVariants there is one variant in ProductionVariants and one in ShadowProductionVariants."
        }
    };
    Err(Fault::validation(wrong))
}

/// What every variant on instances must have; the model requires it of none, since others are serverless.
fn check_instances(request: &Value, list: &str, named: &str) -> Result<(), Fault> {
    let variants = request[list].as_array().into_iter().flatten().enumerate();
    for (i, variant) in variants.filter(|(_, variant)| variant["ServerlessConfig"].is_null()) {
        for (member, name) in [("InstanceType", "instanceType"), ("InitialInstanceCount", "initialInstanceCount")] {
            if variant[member].is_null() {
                let path = format!("{named}.{}.member.{name}", i + 1);
                return Err(shapes::must(&Value::Null, &path, "Member must not be null"));
            }
        }
    }
    Ok(())
}

/// What a serverless variant cannot have.
fn check_serverless(request: &Value, place: usize, serverless: Serverless) -> Result<(), Fault> {
    let variant = &request["ProductionVariants"][place];
    let captures = request["DataCaptureConfig"]["EnableCapture"] == true;
    let wrong = if !variant["InstanceType"].is_null() || !variant["InitialInstanceCount"].is_null() {
        "ServerlessConfig cannot be specified together with InstanceType or InitialInstanceCount."
    } else if request["ProductionVariants"].as_array().is_some_and(|all| all.len() > 1) {
        "A serverless endpoint has one production variant."
    } else if captures {
        "Data capture is not supported for serverless endpoints."
    } else if !serverless.memory_size_in_mb.is_multiple_of(1024) {
        "MemorySizeInMB must be 1024, 2048, 3072, 4096, 5120 or 6144."
    } else {
        return Ok(());
    };
    Err(Fault::validation(wrong))
}

/// The config of that name, for who wants to deploy it.
pub(super) fn find(account: &Account, name: &str) -> Result<EndpointConfig, Fault> {
    let arn = arn::sagemaker(&account.region, "endpoint-config", name);
    let missing = || Fault::validation(format!("Could not find endpoint configuration \"{arn}\"."));
    account.endpoint_configs.get(name).ok_or_else(missing)
}

impl EndpointConfig {
    pub fn variants(&self) -> Result<Vec<ProductionVariant>, Fault> {
        typed(&self.request["ProductionVariants"])
    }

    pub fn shadows(&self) -> Result<Vec<ProductionVariant>, Fault> {
        shadows(&self.request)
    }

    pub fn capture(&self) -> Result<Option<DataCapture>, Fault> {
        typed(&self.request["DataCaptureConfig"])
    }

    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeEndpointConfigOutput", &self.request);
        for list in ["ProductionVariants", "ShadowProductionVariants"] {
            for variant in out.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if variant["InitialVariantWeight"].is_null() {
                    variant["InitialVariantWeight"] = json!(1.0);
                }
            }
        }
        out.insert("EndpointConfigArn".to_owned(), json!(self.arn));
        out.insert("CreationTime".to_owned(), time::epoch(self.created));
        out.entry("EnableNetworkIsolation").or_insert(json!(false));
        Value::Object(out)
    }
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, text(&request, "EndpointConfigName")).map(|config| config.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |config: EndpointConfig| Row {
        summary: Value::Object(shapes::pick(shapes::sagemaker(), "EndpointConfigSummary", &config.describe())),
        name: config.name,
        status: String::new(),
        created: config.created,
        modified: config.created,
    };
    let rows = account.endpoint_configs.all().into_iter().map(row).collect();
    page(&request, rows, "EndpointConfigs", Order::Descending)
}

pub(super) fn delete(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let config = find(account, text(&request, "EndpointConfigName"))?;
    account.endpoint_configs.remove(&config.name)?;
    tags::detach(account, &config.arn)?;
    Ok(Value::Null)
}
