//! Stage `tune`: a managed tuning job over the hyperparameters; the best settings are fitted on all rows and handed on.

use std::{collections::BTreeMap, fmt};

use aws_sdk_sagemaker::{
    operation::describe_hyper_parameter_tuning_job::DescribeHyperParameterTuningJobOutput,
    types::{
        HyperParameterAlgorithmSpecification, HyperParameterTrainingJobDefinition, HyperParameterTuningJobConfig,
        HyperParameterTuningJobObjective, HyperParameterTuningJobObjectiveType, HyperParameterTuningJobStatus,
        HyperParameterTuningJobStrategyType, ResourceLimits, TrainingInputMode, TrainingJobEarlyStoppingType,
    },
};
use serde::Serialize;

use super::{Context, train};
use crate::{
    error::{self, Failure, Found as _, Made as _, Result},
    holdout::{self, Held},
    names,
    output::Outcome,
    ranges::Asked,
    run_record::{RunRecord, TrainingPart, TuningPart},
    settings::Strategy,
    tags::tags,
};

/// What the search makes as large as it can: measured on held-out training rows.
const OBJECTIVE: &str = "validation_accuracy";
/// Longest name of a tuning job.
const LONGEST_NAME: usize = 32;

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct TuneDone {
    /// Whether a search ran now.
    pub outcome: Outcome,
    /// The search.
    pub tuning: TuningPart,
    /// The job of the best settings on all rows.
    pub training: TrainingPart,
}

impl fmt::Display for TuneDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tuning = &self.tuning;
        let tuned: Vec<String> = tuning.tuned.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let early =
            if tuning.stopped > 0 { format!(", {} of them stopped early", tuning.stopped) } else { String::new() };
        writeln!(f, "tuning job    {}: {}, {} training jobs{early}", self.outcome, tuning.job, tuning.jobs)?;
        writeln!(f, "  best        {}: {} {:.4} on held-out rows", tuning.best_job, tuning.metric, tuning.value)?;
        writeln!(f, "  settings    {}", tuned.join(", "))?;
        write!(f, "training job  {} on all rows, handed on to `evaluate`", self.training.job)
    }
}

/// Runs the search, or finds the one that ran, and fits the best settings on all rows.
pub async fn tune(context: &Context, run: &mut RunRecord, asked: &Asked) -> Result<TuneDone> {
    let data = run.data()?.clone();
    let held = holdout::held(context, &data, &asked.fixed).await?;
    let mut attempt = 1_u32;
    let (job, found) = loop {
        let job = name(context, &held, asked, attempt);
        match describe(context, &job).await? {
            Some(ended)
                if matches!(
                    status(&ended),
                    HyperParameterTuningJobStatus::Failed | HyperParameterTuningJobStatus::Stopped
                ) =>
            {
                attempt += 1;
            }
            found => break (job, found),
        }
    };
    let outcome = match &found {
        Some(there) if status(there) == HyperParameterTuningJobStatus::Completed => Outcome::Unchanged,
        Some(_) => Outcome::Done,
        None => {
            create(context, &job, &held, asked, run).await?;
            Outcome::Done
        }
    };
    let ended = follow(context, &job).await?;
    let tuning = part(&job, &ended)?;
    let mut best = asked.fixed.clone();
    best.extend(tuning.tuned.clone());
    let trained = train::train(context, run, &best).await?;
    run.tuning = Some(tuning.clone());
    Ok(TuneDone { outcome, tuning, training: trained.training })
}

/// Of everything that decides what the search finds.
fn name(context: &Context, held: &Held, asked: &Asked, attempt: u32) -> String {
    let (settings, account) = (&context.settings, &context.account);
    let digest = names::digest(&[
        &held.train,
        &format!("{asked:?}"),
        &format!("{:?}", settings.tune),
        &settings.training.instance_type,
        &account.image,
        &account.code,
        &attempt.to_string(),
    ]);
    let project: String = settings.project.chars().take(LONGEST_NAME - 13).collect();
    format!("{}-{}", project.trim_end_matches('-'), &digest[..12])
}

fn status(job: &DescribeHyperParameterTuningJobOutput) -> HyperParameterTuningJobStatus {
    job.hyper_parameter_tuning_job_status().cloned().unwrap_or(HyperParameterTuningJobStatus::InProgress)
}

async fn describe(context: &Context, job: &str) -> Result<Option<DescribeHyperParameterTuningJobOutput>> {
    let request = context.aws.sagemaker.describe_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(job);
    request.send().await.found(format!("tuning job {job} cannot be looked at"))
}

async fn create(context: &Context, job: &str, held: &Held, asked: &Asked, run: &RunRecord) -> Result<()> {
    let settings = &context.settings.tune;
    let mut limits = ResourceLimits::builder().max_parallel_training_jobs(settings.max_parallel);
    let strategy = match settings.strategy {
        Strategy::Bayesian => HyperParameterTuningJobStrategyType::Bayesian,
        Strategy::Random => HyperParameterTuningJobStrategyType::Random,
        Strategy::Grid => HyperParameterTuningJobStrategyType::Grid,
        Strategy::Hyperband => HyperParameterTuningJobStrategyType::Hyperband,
    };
    let jobs = match settings.strategy {
        Strategy::Grid => i32::try_from(asked.combinations()).unwrap_or(i32::MAX),
        _ => settings.max_jobs,
    };
    limits = limits.max_number_of_training_jobs(jobs);
    let objective = HyperParameterTuningJobObjective::builder()
        .metric_name(OBJECTIVE)
        .r#type(HyperParameterTuningJobObjectiveType::Maximize)
        .build();
    let early =
        if settings.early_stopping { TrainingJobEarlyStoppingType::Auto } else { TrainingJobEarlyStoppingType::Off };
    let config = HyperParameterTuningJobConfig::builder()
        .strategy(strategy)
        .hyper_parameter_tuning_job_objective(objective)
        .resource_limits(limits.build())
        .parameter_ranges(asked.ranges())
        .training_job_early_stopping_type(early)
        .random_seed(i32::try_from(settings.seed).unwrap_or(i32::MAX))
        .build();
    let data = run.data()?;
    let fixed = train::complete(&asked.fixed, data);
    let algorithm = HyperParameterAlgorithmSpecification::builder()
        .training_image(&context.account.image)
        .training_input_mode(TrainingInputMode::File)
        .set_metric_definitions(Some(train::metric_definitions()))
        .build();
    let definition = HyperParameterTrainingJobDefinition::builder()
        .algorithm_specification(algorithm)
        .role_arn(&context.account.role)
        .set_static_hyper_parameters(Some(fixed.into_iter().collect()))
        .input_data_config(train::channel("train", &held.train))
        .input_data_config(train::channel("validation", &held.validation))
        .output_data_config(train::output(&data.bucket))
        .resource_config(train::resources(context))
        .stopping_condition(train::stopping(context))
        .build();
    let request = context.aws.sagemaker.create_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(job);
    let request = request.hyper_parameter_tuning_job_config(config).training_job_definition(definition);
    request.set_tags(Some(tags(context, run))).send().await.made(format!("tuning job {job} cannot be made"))
}

/// Shows how many jobs have ended and the best so far, until the search has ended.
async fn follow(context: &Context, job: &str) -> Result<DescribeHyperParameterTuningJobOutput> {
    let mut progress = context.out.progress();
    let mut shown = String::new();
    // One after the other they may take as long as all of them.
    let minutes = context.settings.training.max_runtime_minutes.saturating_mul(context.settings.tune.max_jobs);
    let mut waiting = context.waiting(format!("tuning job {job}"), minutes);
    loop {
        let Some(found) = describe(context, job).await? else {
            return Err(Failure::new(format!("tuning job {job} is gone")).hint("run `tune` again"));
        };
        let counts = found.training_job_status_counters();
        let count = |of: Option<i32>| of.unwrap_or(0);
        let [done, stopped, running] =
            counts.map_or([0; 3], |counts| [counts.completed(), counts.stopped(), counts.in_progress()].map(count));
        let early = if stopped > 0 { format!(", {stopped} stopped early") } else { String::new() };
        let best = found.best_training_job().and_then(|best| best.final_hyper_parameter_tuning_job_objective_metric());
        let best = best.and_then(|metric| metric.value()).map(|value| format!(", best {value:.4}")).unwrap_or_default();
        let line = format!("tuning job {job}: {done} training jobs completed{early}, {running} running{best}");
        if shown != line {
            progress.line(&line);
            shown = line;
        }
        progress.tick();
        match status(&found) {
            HyperParameterTuningJobStatus::Completed => return Ok(found),
            now @ (HyperParameterTuningJobStatus::Failed | HyperParameterTuningJobStatus::Stopped) => {
                let reason = found.failure_reason().unwrap_or("no reason was given");
                return Err(Failure::new(format!("tuning job {job}: {}: {reason}", now.as_str()))
                    .because(failures(context, job).await?)
                    .hint("mend what the reason names and repeat the command: it starts a new search"));
            }
            now => waiting.next(&mut progress, now.as_str()).await?,
        }
    }
}

/// Why its training jobs failed, each reason once.
async fn failures(context: &Context, job: &str) -> Result<String> {
    let request = context.aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job();
    let mut pages = request.hyper_parameter_tuning_job_name(job).into_paginator().send();
    let mut reasons = std::collections::BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws(format!("the training jobs of {job} cannot be listed")))?;
        let summaries = page.training_job_summaries().iter();
        reasons.extend(summaries.filter_map(|summary| summary.failure_reason().map(str::to_owned)));
    }
    Ok(reasons.into_iter().collect::<Vec<_>>().join("\n"))
}

fn part(job: &str, ended: &DescribeHyperParameterTuningJobOutput) -> Result<TuningPart> {
    let nothing = || Failure::new(format!("tuning job {job} is completed and names no best training job"));
    let best = ended.best_training_job().ok_or_else(nothing)?;
    let metric = best.final_hyper_parameter_tuning_job_objective_metric().ok_or_else(nothing)?;
    let tuned: BTreeMap<String, String> =
        best.tuned_hyper_parameters().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    let count = |of: Option<i32>| u64::try_from(of.unwrap_or(0)).unwrap_or(0);
    let counters = ended.training_job_status_counters();
    let [completed, stopped] =
        counters.map_or([0; 2], |counters| [counters.completed(), counters.stopped()].map(count));
    Ok(TuningPart {
        job: job.to_owned(),
        arn: ended.hyper_parameter_tuning_job_arn().unwrap_or_default().to_owned(),
        jobs: completed + stopped,
        stopped,
        best_job: best.training_job_name().unwrap_or_default().to_owned(),
        metric: metric.metric_name().unwrap_or(OBJECTIVE).to_owned(),
        value: f64::from(metric.value().unwrap_or_default()),
        tuned,
    })
}
