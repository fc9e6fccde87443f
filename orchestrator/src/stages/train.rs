//! Stage `train`: a training job named after everything that decides its result.

use std::{collections::BTreeMap, fmt};

use aws_sdk_sagemaker::{
    operation::describe_training_job::DescribeTrainingJobOutput,
    types::{
        AlgorithmSpecification, Channel, DataSource, MetricDefinition, OutputDataConfig, ResourceConfig,
        S3DataDistribution, S3DataSource, S3DataType, StoppingCondition, TrainingInputMode, TrainingInstanceType,
        TrainingJobStatus,
    },
};
use serde::Serialize;

use super::Context;
use crate::{
    bucket,
    error::{self, Failure, Found as _, Made as _, Result},
    logs::Tail,
    names,
    output::Outcome,
    run_record::{DataPart, RunRecord, TrainingPart},
    tags::tags,
};

/// What `train` prints, and SageMaker reads.
const METRICS: [&str; 6] = ["accuracy", "precision", "recall", "f1", "log_loss", "validation_accuracy"];

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct TrainDone {
    /// Whether a job ran now.
    pub outcome: Outcome,
    /// The job.
    pub training: TrainingPart,
}

impl fmt::Display for TrainDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let training = &self.training;
        writeln!(f, "training job  {}: {}", self.outcome, training.job)?;
        let metrics: Vec<String> = training.metrics.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        writeln!(f, "  metrics     {}", metrics.join(", "))?;
        write!(f, "  artifact    {}", training.model_uri)
    }
}

/// Runs the job, or finds the one that ran.
pub async fn train(
    context: &Context,
    run: &mut RunRecord,
    hyperparameters: &BTreeMap<String, String>,
) -> Result<TrainDone> {
    let data = run.data()?.clone();
    let hyperparameters = complete(hyperparameters, &data);
    let (job, found) = find(context, &data, &hyperparameters).await?;
    let outcome = match &found {
        Some(there) if status(there) == TrainingJobStatus::Completed => Outcome::Unchanged,
        Some(_) => {
            context.out.progress().line(format!("training job {job} is running already; following it"));
            Outcome::Done
        }
        None => {
            create(context, run, &job, &data, &hyperparameters, &context.account.image).await?;
            Outcome::Done
        }
    };
    let ended = follow(context, &job, outcome).await?;
    let training = part(context, &job, &data, hyperparameters, &ended)?;
    run.set_training(training.clone());
    Ok(TrainDone { outcome, training })
}

/// The hyperparameters with the data's columns.
pub fn complete(hyperparameters: &BTreeMap<String, String>, data: &DataPart) -> BTreeMap<String, String> {
    let columns = [("text_column", &data.text_column), ("label_column", &data.label_column)];
    let mut all = hyperparameters.clone();
    all.extend(columns.map(|(name, column)| (name.to_owned(), column.clone())));
    all
}

/// The name of the job that these make, and the job, where it has ended well or still runs. Each failure takes a name.
pub async fn find(
    context: &Context,
    data: &DataPart,
    hyperparameters: &BTreeMap<String, String>,
) -> Result<(String, Option<DescribeTrainingJobOutput>)> {
    let base = base_name(context, data, hyperparameters)?;
    let mut attempt = 1_u32;
    loop {
        let job = if attempt == 1 { base.clone() } else { format!("{base}-{attempt}") };
        match describe(context, &job).await? {
            Some(ended) if matches!(status(&ended), TrainingJobStatus::Failed | TrainingJobStatus::Stopped) => {
                attempt += 1;
            }
            found => return Ok((job, found)),
        }
    }
}

/// Runs a recorded job once more, on `data`, whatever ran before.
pub async fn again(
    context: &Context,
    run: &RunRecord,
    recorded: &TrainingPart,
    data: &DataPart,
) -> Result<TrainingPart> {
    let now = jiff::Timestamp::now().to_string();
    let digest = names::digest(&[&recorded.job, &now]);
    let job = format!("{}-reproduce-{}", context.settings.project, &digest[..12]);
    create(context, run, &job, data, &recorded.hyperparameters, &recorded.image).await?;
    let ended = follow(context, &job, Outcome::Done).await?;
    part(context, &job, data, recorded.hyperparameters.clone(), &ended)
}

fn base_name(context: &Context, data: &DataPart, hyperparameters: &BTreeMap<String, String>) -> Result<String> {
    let parameters =
        serde_json::to_string(hyperparameters).map_err(|e| error::io("the hyperparameters as JSON")(e.into()))?;
    let (account, settings) = (&context.account, &context.settings);
    let words = [&data.digest, &parameters, &account.image, &account.code, &settings.training.instance_type];
    Ok(names::name(&settings.project, &words.map(String::as_str)))
}

fn status(job: &DescribeTrainingJobOutput) -> TrainingJobStatus {
    job.training_job_status().cloned().unwrap_or(TrainingJobStatus::InProgress)
}

async fn describe(context: &Context, job: &str) -> Result<Option<DescribeTrainingJobOutput>> {
    let answer = context.aws.sagemaker.describe_training_job().training_job_name(job).send().await;
    answer.found(format!("training job {job} cannot be looked at"))
}

async fn create(
    context: &Context,
    run: &RunRecord,
    job: &str,
    data: &DataPart,
    hyperparameters: &BTreeMap<String, String>,
    image: &str,
) -> Result<()> {
    let algorithm = AlgorithmSpecification::builder()
        .training_image(image)
        .training_input_mode(TrainingInputMode::File)
        .set_metric_definitions(Some(metric_definitions()));
    let request =
        context.aws.sagemaker.create_training_job().training_job_name(job).algorithm_specification(algorithm.build());
    request
        .role_arn(&context.account.role)
        .set_hyper_parameters(Some(hyperparameters.clone().into_iter().collect()))
        .input_data_config(channel("train", &data.train.uri))
        .input_data_config(channel("test", &data.test.uri))
        .output_data_config(output(&data.bucket))
        .resource_config(resources(context))
        .stopping_condition(stopping(context))
        .set_tags(Some(tags(context, run)))
        .send()
        .await
        .made(format!("training job {job} cannot be made"))
}

/// What of the log are figures.
pub(super) fn metric_definitions() -> Vec<MetricDefinition> {
    let definition =
        |name: &str| MetricDefinition::builder().name(name).regex(format!(r"\b{name}=([-+0-9.eE]+);")).build();
    METRICS.into_iter().map(definition).collect()
}

/// Where a job's artifact goes.
pub(super) fn output(bucket: &str) -> OutputDataConfig {
    OutputDataConfig::builder().s3_output_path(bucket::uri(bucket, "jobs")).build()
}

/// What a job runs on.
pub(super) fn resources(context: &Context) -> ResourceConfig {
    let settings = &context.settings.training;
    ResourceConfig::builder()
        .instance_type(TrainingInstanceType::from(settings.instance_type.as_str()))
        .instance_count(1)
        .volume_size_in_gb(settings.volume_gb)
        .build()
}

/// When a job is stopped.
pub(super) fn stopping(context: &Context) -> StoppingCondition {
    let minutes = context.settings.training.max_runtime_minutes;
    StoppingCondition::builder().max_runtime_in_seconds(minutes.saturating_mul(60)).build()
}

/// A channel below a prefix.
pub(super) fn channel(name: &str, uri: &str) -> Channel {
    let source = S3DataSource::builder()
        .s3_data_type(S3DataType::S3Prefix)
        .s3_uri(uri)
        .s3_data_distribution_type(S3DataDistribution::FullyReplicated)
        .build();
    Channel::builder().channel_name(name).data_source(DataSource::builder().s3_data_source(source).build()).build()
}

/// Shows the job's states and log until it has ended; an end other than Completed is a failure with its reason.
async fn follow(context: &Context, job: &str, outcome: Outcome) -> Result<DescribeTrainingJobOutput> {
    let mut progress = context.out.progress();
    let mut tail = Tail::new("/aws/sagemaker/TrainingJobs", &format!("{job}/"));
    let mut shown = 0;
    let runtime = context.settings.training.max_runtime_minutes;
    let mut waiting = context.waiting(format!("training job {job}"), runtime);
    loop {
        let Some(found) = describe(context, job).await? else {
            return Err(Failure::new(format!("training job {job} is gone")).hint("run `train` again"));
        };
        let now = status(&found);
        if outcome == Outcome::Unchanged {
            return Ok(found);
        }
        let transitions = found.secondary_status_transitions();
        for step in transitions.iter().skip(shown) {
            let name = step.status().map_or("", |status| status.as_str());
            progress.line(format!("{name}: {}", step.status_message().unwrap_or_default()));
        }
        shown = transitions.len().max(shown);
        tail.follow(&context.aws, &mut progress).await?;
        progress.tick();
        match now {
            TrainingJobStatus::Completed => return Ok(found),
            TrainingJobStatus::Failed | TrainingJobStatus::Stopped => {
                tail.last(&context.aws, &mut progress).await?;
                let reason = found.failure_reason().unwrap_or("no reason was given");
                return Err(Failure::new(format!("training job {job}: {}: {reason}", now.as_str()))
                    .because(tail.last_lines())
                    .hint("mend what the reason names and repeat the command: it starts a new job"));
            }
            now => waiting.next(&mut progress, now.as_str()).await?,
        }
    }
}

fn part(
    context: &Context,
    job: &str,
    data: &DataPart,
    hyperparameters: BTreeMap<String, String>,
    ended: &DescribeTrainingJobOutput,
) -> Result<TrainingPart> {
    let model = ended.model_artifacts().and_then(|artifacts| artifacts.s3_model_artifacts());
    let model = model.ok_or_else(|| Failure::new(format!("training job {job} is completed and names no artifact")))?;
    let output = ended.output_data_config().and_then(|config| config.s3_output_path()).unwrap_or_default();
    let metrics = ended.final_metric_data_list().iter();
    let metrics = metrics.filter_map(|m| Some((m.metric_name()?.to_owned(), f64::from(m.value()?)))).collect();
    Ok(TrainingPart {
        job: job.into(),
        arn: ended.training_job_arn().unwrap_or_default().into(),
        data_digest: data.digest.clone(),
        image: context.account.image.clone(),
        image_digest: context.account.code.clone(),
        hyperparameters,
        model_uri: model.into(),
        output_uri: format!("{}/{job}/output/output.tar.gz", output.trim_end_matches('/')),
        metrics,
    })
}
