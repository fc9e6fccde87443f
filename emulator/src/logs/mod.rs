//! CloudWatch Logs, JSON 1.1: what containers print, readable while they run.

mod api;
mod store;

pub(crate) use api::answer;
pub(crate) use store::Logs;

/// Log group of training jobs.
pub(crate) const TRAINING: &str = "/aws/sagemaker/TrainingJobs";
/// Log group of processing jobs.
pub(crate) const PROCESSING: &str = "/aws/sagemaker/ProcessingJobs";

/// Log group of transform jobs.
pub(crate) const TRANSFORM: &str = "/aws/sagemaker/TransformJobs";

/// Log group of an endpoint.
pub(crate) fn endpoint(name: &str) -> String {
    format!("/aws/sagemaker/Endpoints/{name}")
}
