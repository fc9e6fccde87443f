//! Everything that is there at the end, without what differs from run to run.

use serde_json::{Value, json};

use crate::{
    cli::{Emulator, Project},
    sdk,
};

/// Of `run.json`.
const RECORDED: [&str; 16] = [
    "/data/digest",
    "/training/job",
    "/tuning/job",
    "/tuning/best_job",
    "/tuning/tuned",
    "/evaluation/job",
    "/evaluation/passed",
    "/model_package/arn",
    "/approval/package",
    "/deployment/config",
    "/deployment/endpoint",
    "/traffic/endpoint",
    "/monitoring/schedule",
    "/monitoring/baseline_uri",
    "/transform/job",
    "/transform/output_uri",
];

/// The resources of the account, and what the run record and the folder hold.
pub fn left(project: &Project, emulator: &Emulator) -> Value {
    let mut found = tokio::runtime::Runtime::new().unwrap().block_on(resources(&emulator.url));
    let record = std::fs::read(project.path("run.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap_or_else(|e| panic!("run.json: {e}"));
    for part in RECORDED {
        found[part] = record.pointer(part).cloned().unwrap_or_default();
    }
    let beside = project.listing().into_keys().filter(|path| path.extension().is_some_and(|end| end == "partial"));
    found["partial files"] = beside.map(|path| path.display().to_string()).collect();
    found
}

async fn resources(url: &str) -> Value {
    let mut found = served(url).await;
    for (kind, value) in watching(url).await.as_object().unwrap() {
        found[kind] = value.clone();
    }
    for (kind, value) in jobs(url).await.as_object().unwrap() {
        found[kind] = value.clone();
    }
    let objects = sdk::s3(url).list_objects_v2().bucket("story-000000000000-us-east-1").send().await.unwrap();
    let objects = objects.contents().iter().map(|object| object.key().unwrap());
    found["objects"] = objects.filter(|key| !of_traffic(key)).collect();
    found
}

/// Each look at the traffic is a job of its own, and captures come as requests come.
fn of_traffic(name: &str) -> bool {
    name.contains("-watch-") || name.starts_with("capture/")
}

/// Jobs, by name and state.
async fn jobs(url: &str) -> Value {
    let sagemaker = aws_sdk_sagemaker::Client::new(&sdk::config(url));
    let training = sagemaker.list_training_jobs().max_results(100).send().await.unwrap();
    let training = training
        .training_job_summaries()
        .iter()
        .map(|job| format!("{} {}", job.training_job_name().unwrap(), job.training_job_status().unwrap().as_str()));
    let processing = sagemaker.list_processing_jobs().max_results(100).send().await.unwrap();
    let processing = processing
        .processing_job_summaries()
        .iter()
        .map(|job| format!("{} {}", job.processing_job_name().unwrap(), job.processing_job_status().unwrap().as_str()));
    let tuning = sagemaker.list_hyper_parameter_tuning_jobs().max_results(100).send().await.unwrap();
    let tuning = tuning.hyper_parameter_tuning_job_summaries().iter().map(|job| {
        let status = job.hyper_parameter_tuning_job_status().unwrap().as_str();
        format!("{} {status}", job.hyper_parameter_tuning_job_name().unwrap())
    });
    let transform = sagemaker.list_transform_jobs().max_results(100).send().await.unwrap();
    let transform = transform
        .transform_job_summaries()
        .iter()
        .map(|job| format!("{} {}", job.transform_job_name().unwrap(), job.transform_job_status().unwrap().as_str()));
    json!({
        "training jobs": training.collect::<Vec<_>>(),
        "processing jobs": processing.filter(|name| !of_traffic(name)).collect::<Vec<_>>(),
        "tuning jobs": tuning.collect::<Vec<_>>(),
        "transform jobs": transform.collect::<Vec<_>>(),
    })
}

/// What is registered and what serves.
async fn served(url: &str) -> Value {
    let sagemaker = aws_sdk_sagemaker::Client::new(&sdk::config(url));
    let models = sagemaker.list_models().send().await.unwrap();
    let models = models.models().iter().map(|model| model.model_name().unwrap());
    let configs = sagemaker.list_endpoint_configs().send().await.unwrap();
    let configs = configs.endpoint_configs().iter().map(|config| config.endpoint_config_name().unwrap());
    let endpoints = sagemaker.list_endpoints().send().await.unwrap();
    let mut serving = Vec::new();
    for endpoint in endpoints.endpoints() {
        let name = endpoint.endpoint_name().unwrap();
        let found = sagemaker.describe_endpoint().endpoint_name(name).send().await.unwrap();
        let config = found.endpoint_config_name().unwrap();
        serving.push(format!("{name} {} {config}", found.endpoint_status().unwrap().as_str()));
    }
    let groups = sagemaker.list_model_package_groups().send().await.unwrap();
    let mut packages = Vec::new();
    for group in groups.model_package_group_summary_list() {
        let group = group.model_package_group_name().unwrap();
        let found = sagemaker.list_model_packages().model_package_group_name(group).send().await.unwrap();
        packages.extend(found.model_package_summary_list().iter().map(|package| {
            format!("{} {}", package.model_package_arn().unwrap(), package.model_approval_status().unwrap().as_str())
        }));
    }
    json!({
        "models": models.collect::<Vec<_>>(),
        "endpoint configs": configs.collect::<Vec<_>>(),
        "endpoints": serving,
        "packages": packages,
    })
}

/// What watches, and who is told.
async fn watching(url: &str) -> Value {
    let config = sdk::config(url);
    let schedules = aws_sdk_scheduler::Client::new(&config).list_schedules().send().await.unwrap();
    let schedules = schedules.schedules().iter().map(|schedule| schedule.name().unwrap());
    let alarms = aws_sdk_cloudwatch::Client::new(&config).describe_alarms().send().await.unwrap();
    let alarms = alarms.metric_alarms().iter().map(|alarm| {
        format!("{} {} {:?}", alarm.alarm_name().unwrap(), alarm.threshold().unwrap(), alarm.alarm_actions())
    });
    let sns = aws_sdk_sns::Client::new(&config);
    let topics = sns.list_topics().send().await.unwrap();
    let topics = topics.topics().iter().map(|topic| topic.topic_arn().unwrap());
    let told = sns.list_subscriptions().send().await.unwrap();
    let told = told.subscriptions().iter().map(|s| format!("{} {}", s.topic_arn().unwrap(), s.endpoint().unwrap()));
    json!({
        "schedules": schedules.collect::<Vec<_>>(),
        "alarms": alarms.collect::<Vec<_>>(),
        "topics": topics.collect::<Vec<_>>(),
        "subscriptions": told.collect::<Vec<_>>(),
    })
}
