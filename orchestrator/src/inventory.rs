//! What there is of this project in the account: told by its tags, never by names alone.

use aws_sdk_sagemaker::types::{
    HyperParameterTuningJobStatus, ProcessingJobStatus, TrainingJobStatus, TransformJobStatus,
};
use serde::Serialize;

use crate::{
    alarms, endpoint,
    error::{self, Found as _, Result},
    scaling,
    stages::Context,
    tags, topic,
};

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Adds and takes away an endpoint's instances: target, policies and scheduled actions, which go together.
    Scaling,
    /// Answers, and costs money while it does.
    Endpoint,
    /// A tuning job that runs; its training jobs end with it.
    TuningJob,
    /// A batch transform job that runs.
    TransformJob,
    /// A training job that runs.
    TrainingJob,
    /// A processing job that runs.
    ProcessingJob,
    /// Starts jobs.
    Schedule,
    /// Tells a topic.
    Alarm,
    /// Tells whoever listens.
    Topic,
    /// What an endpoint is made of.
    EndpointConfig,
    /// What a config names.
    Model,
}

impl Kind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Scaling => "scaling of endpoint",
            Kind::Endpoint => "endpoint",
            Kind::TuningJob => "tuning job",
            Kind::TransformJob => "transform job",
            Kind::TrainingJob => "training job",
            Kind::ProcessingJob => "processing job",
            Kind::Schedule => "schedule",
            Kind::Alarm => "alarm",
            Kind::Topic => "topic",
            Kind::EndpointConfig => "endpoint config",
            Kind::Model => "model",
        }
    }
}

/// One thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.name)
    }
}

/// Ours, and what only looks like it.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Made by this project, in the order in which it is taken away.
    pub ours: Vec<Thing>,
    /// Has a name like ours, and bears no tag of ours.
    pub foreign: Vec<Thing>,
}

impl Inventory {
    /// Looks at everything that costs money or stands behind what does.
    pub async fn of(context: &Context) -> Result<Self> {
        let mut found = Inventory::default();
        for (name, arn) in endpoints(context).await?.into_iter().filter(|(name, _)| like_ours(context, name)) {
            let ours = tags::is_ours(context, &arn).await?;
            // Whose scaling it is, the endpoint's tags say; so it goes before the endpoint.
            if ours && scaling::live(context, &name).await?.is_some() {
                found.put(Thing { kind: Kind::Scaling, name: name.clone() }, true);
            }
            found.put(Thing { kind: Kind::Endpoint, name }, ours);
        }
        for (kind, named) in [
            (Kind::TuningJob, tuning_jobs(context).await?),
            (Kind::TransformJob, transform_jobs(context).await?),
            (Kind::TrainingJob, training_jobs(context).await?),
            (Kind::ProcessingJob, processing_jobs(context).await?),
        ] {
            found.sort(context, kind, named).await?;
        }
        for (name, ours) in schedules(context).await? {
            found.put(Thing { kind: Kind::Schedule, name }, ours);
        }
        for (name, ours) in alarms::all(context).await? {
            found.put(Thing { kind: Kind::Alarm, name }, ours);
        }
        if let Some(ours) = topic::is_ours(context).await? {
            // What infra/stack.yaml made stays with the stack.
            if ours {
                found.put(Thing { kind: Kind::Topic, name: topic::arn(context) }, true);
            }
        }
        for (kind, named) in [(Kind::EndpointConfig, configs(context).await?), (Kind::Model, models(context).await?)] {
            found.sort(context, kind, named).await?;
        }
        Ok(found)
    }

    async fn sort(&mut self, context: &Context, kind: Kind, named: Vec<(String, String)>) -> Result<()> {
        for (name, arn) in named.into_iter().filter(|(name, _)| like_ours(context, name)) {
            let ours = tags::is_ours(context, &arn).await?;
            self.put(Thing { kind, name }, ours);
        }
        Ok(())
    }

    fn put(&mut self, thing: Thing, ours: bool) {
        if ours { self.ours.push(thing) } else { self.foreign.push(thing) }
    }
}

/// Whether it could be ours by its name: AWS lists whatever holds the project's somewhere, and others' tags are not ours to read.
fn like_ours(context: &Context, name: &str) -> bool {
    let rest = name.strip_prefix(&context.settings.project);
    let named = name == context.settings.endpoint() || name == context.settings.shadow_endpoint();
    named || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Name and ARN, where a summary has both.
fn pair(name: Option<&str>, arn: Option<&str>) -> Option<(String, String)> {
    Some((name?.to_owned(), arn?.to_owned()))
}

/// Endpoints whose name holds the project's, the one that the settings name, and what an interrupted comparison left beside it.
async fn endpoints(context: &Context) -> Result<Vec<(String, String)>> {
    let project = &context.settings.project;
    let mut pages = context.aws.sagemaker.list_endpoints().name_contains(project).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the endpoints cannot be listed"))?;
        found.extend(page.endpoints().iter().filter_map(|e| pair(e.endpoint_name(), e.endpoint_arn())));
    }
    for name in [context.settings.endpoint(), &context.settings.shadow_endpoint()] {
        if !found.iter().any(|(known, _)| known == name)
            && let Some(there) = endpoint::describe(context, name).await?
        {
            found.extend(pair(there.endpoint_name(), there.endpoint_arn()));
        }
    }
    Ok(found)
}

async fn tuning_jobs(context: &Context) -> Result<Vec<(String, String)>> {
    let request = context.aws.sagemaker.list_hyper_parameter_tuning_jobs().name_contains(&context.settings.project);
    let mut pages = request.status_equals(HyperParameterTuningJobStatus::InProgress).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the tuning jobs cannot be listed"))?;
        let jobs = page.hyper_parameter_tuning_job_summaries().iter();
        found
            .extend(jobs.filter_map(|j| pair(j.hyper_parameter_tuning_job_name(), j.hyper_parameter_tuning_job_arn())));
    }
    Ok(found)
}

async fn transform_jobs(context: &Context) -> Result<Vec<(String, String)>> {
    let request = context.aws.sagemaker.list_transform_jobs().name_contains(&context.settings.project);
    let mut pages = request.status_equals(TransformJobStatus::InProgress).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the transform jobs cannot be listed"))?;
        let jobs = page.transform_job_summaries().iter();
        found.extend(jobs.filter_map(|job| pair(job.transform_job_name(), job.transform_job_arn())));
    }
    Ok(found)
}

async fn training_jobs(context: &Context) -> Result<Vec<(String, String)>> {
    let request = context.aws.sagemaker.list_training_jobs().name_contains(&context.settings.project);
    let mut pages = request.status_equals(TrainingJobStatus::InProgress).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the training jobs cannot be listed"))?;
        let jobs = page.training_job_summaries().iter();
        found.extend(jobs.filter_map(|job| pair(job.training_job_name(), job.training_job_arn())));
    }
    Ok(found)
}

async fn processing_jobs(context: &Context) -> Result<Vec<(String, String)>> {
    let request = context.aws.sagemaker.list_processing_jobs().name_contains(&context.settings.project);
    let mut pages = request.status_equals(ProcessingJobStatus::InProgress).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the processing jobs cannot be listed"))?;
        let jobs = page.processing_job_summaries().iter();
        found.extend(jobs.filter_map(|job| pair(job.processing_job_name(), job.processing_job_arn())));
    }
    Ok(found)
}

async fn configs(context: &Context) -> Result<Vec<(String, String)>> {
    let project = &context.settings.project;
    let mut pages = context.aws.sagemaker.list_endpoint_configs().name_contains(project).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the endpoint configs cannot be listed"))?;
        let configs = page.endpoint_configs().iter();
        found.extend(configs.filter_map(|c| pair(c.endpoint_config_name(), c.endpoint_config_arn())));
    }
    Ok(found)
}

async fn models(context: &Context) -> Result<Vec<(String, String)>> {
    let project = &context.settings.project;
    let mut pages = context.aws.sagemaker.list_models().name_contains(project).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the models cannot be listed"))?;
        found.extend(page.models().iter().filter_map(|model| pair(model.model_name(), model.model_arn())));
    }
    Ok(found)
}

/// Schedules whose name begins with the project's, and whether they are ours. A schedule cannot bear tags; the jobs that it starts
/// do, and it is told by what it gives them.
async fn schedules(context: &Context) -> Result<Vec<(String, bool)>> {
    let scheduler = &context.aws.scheduler;
    let prefix = format!("{}-", context.settings.project);
    let mut pages = scheduler.list_schedules().name_prefix(&prefix).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the schedules cannot be listed"))?;
        names.extend(page.schedules().iter().filter_map(|schedule| schedule.name().map(str::to_owned)));
    }
    let mut found = Vec::new();
    for name in names {
        let there = scheduler.get_schedule().name(&name).send().await;
        let there = there.found(format!("schedule {name} cannot be looked at"))?;
        if let Some(target) = there.as_ref().and_then(|there| there.target()) {
            found.push((name, starts_ours(target.input().unwrap_or_default(), &context.settings.project)));
        }
    }
    Ok(found)
}

/// Whether the request that a schedule makes tags its job as the project's.
fn starts_ours(input: &str, project: &str) -> bool {
    let input: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
    let tags = input["Tags"].as_array();
    tags.is_some_and(|tags| tags.iter().any(|tag| tag["Key"] == tags::PROJECT && tag["Value"] == project))
}
