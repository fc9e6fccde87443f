//! SageMaker's control plane, JSON 1.1: a file a resource.

mod endpoint;
mod endpoint_config;
mod listing;
mod model;
mod model_package;
mod model_package_group;
mod processing_job;
pub(crate) mod tags;
mod training_job;
mod transform_job;
mod tuning_job;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use endpoint::{Deployed, Deployment, Endpoint, EndpointStatus};
pub(crate) use endpoint_config::{CaptureMode, DataCapture, EndpointConfig, ProductionVariant};
pub(crate) use model::{Container, Model, ModelData};
pub(crate) use model_package::ModelPackage;
pub(crate) use model_package_group::ModelPackageGroup;
pub(crate) use processing_job::ProcessingJob;
pub(crate) use tags::Tag;
pub(crate) use training_job::{Metric, Secondary, TrainingJob, record as record_training_job};
pub(crate) use transform_job::TransformJob;
pub(crate) use tuning_job::{Trial, TuningJob};

use crate::{account::Account, fault::Fault, shapes};

type Handler = fn(&Arc<Account>, Value) -> Result<Value, Fault>;

/// Answers one operation; `Null` for those that answer nothing.
pub(crate) fn answer(account: &Arc<Account>, operation: &str, body: &[u8]) -> Result<Value, Fault> {
    let model = shapes::sagemaker();
    let (Some(known), Some(handler)) = (model.operations.get(operation), handler(operation)) else {
        return Err(Fault::new(
            "UnknownOperationException",
            format!("The emulator does not know the operation {operation}"),
        ));
    };
    let request: Value = match body {
        [] => Value::Object(serde_json::Map::new()),
        body => serde_json::from_slice(body).map_err(|e| Fault::new("SerializationException", e.to_string()))?,
    };
    if let Some(input) = &known.input {
        shapes::validate(model, input, &request)?;
    }
    handler(account, request)
}

fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "CreateTrainingJob" => training_job::create,
        "DescribeTrainingJob" => training_job::describe,
        "ListTrainingJobs" => training_job::list,
        "StopTrainingJob" => training_job::stop,
        "CreateProcessingJob" => processing_job::create,
        "DescribeProcessingJob" => processing_job::describe,
        "ListProcessingJobs" => processing_job::list,
        "StopProcessingJob" => processing_job::stop,
        "CreateTransformJob" => transform_job::create,
        "DescribeTransformJob" => transform_job::describe,
        "ListTransformJobs" => transform_job::list,
        "StopTransformJob" => transform_job::stop,
        "CreateHyperParameterTuningJob" => tuning_job::create,
        "DescribeHyperParameterTuningJob" => tuning_job::describe,
        "ListHyperParameterTuningJobs" => tuning_job::list,
        "ListTrainingJobsForHyperParameterTuningJob" => tuning_job::trials,
        "StopHyperParameterTuningJob" => tuning_job::stop,
        "CreateModel" => model::create,
        "DescribeModel" => model::describe,
        "ListModels" => model::list,
        "DeleteModel" => model::delete,
        "CreateEndpointConfig" => endpoint_config::create,
        "DescribeEndpointConfig" => endpoint_config::describe,
        "ListEndpointConfigs" => endpoint_config::list,
        "DeleteEndpointConfig" => endpoint_config::delete,
        "CreateEndpoint" => endpoint::create,
        "DescribeEndpoint" => endpoint::describe,
        "ListEndpoints" => endpoint::list,
        "UpdateEndpoint" => endpoint::update,
        "DeleteEndpoint" => endpoint::delete,
        "CreateModelPackageGroup" => model_package_group::create,
        "DescribeModelPackageGroup" => model_package_group::describe,
        "ListModelPackageGroups" => model_package_group::list,
        "DeleteModelPackageGroup" => model_package_group::delete,
        "CreateModelPackage" => model_package::create,
        "DescribeModelPackage" => model_package::describe,
        "ListModelPackages" => model_package::list,
        "UpdateModelPackage" => model_package::update,
        "DeleteModelPackage" => model_package::delete,
        "AddTags" => tags::add,
        "ListTags" => tags::list,
        "DeleteTags" => tags::delete,
        _ => return None,
    })
}

/// The typed part of a request that the model has already checked.
fn typed<T: DeserializeOwned>(request: &Value) -> Result<T, Fault> {
    T::deserialize(request).map_err(|e| Fault::new("SerializationException", e.to_string()))
}

/// A string member of a checked request; empty where it is not given.
fn text<'a>(request: &'a Value, member: &str) -> &'a str {
    request.get(member).and_then(Value::as_str).unwrap_or_default()
}
