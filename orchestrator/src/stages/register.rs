//! Stage `register`: a passed evaluation becomes a model package, pending approval.

use std::{collections::HashMap, fmt};

use aws_sdk_sagemaker::{
    operation::describe_model_package::DescribeModelPackageOutput,
    types::{
        Bias, InferenceSpecification, MetricsSource, ModelApprovalStatus, ModelMetrics,
        ModelPackageContainerDefinition, ModelPackageSortBy, ModelQuality, ProductionVariantInstanceType, SortOrder,
        TransformInstanceType,
    },
};
use serde::Serialize;

use super::{Context, evaluate};
use crate::{
    bucket,
    error::{self, Failure, Found as _, Made as _, Result},
    judging,
    lineage::{self, Kept},
    output::Outcome,
    run_record::{DataPart, EvaluationPart, PackagePart, RunRecord, TrainingPart},
    settings::{ApprovalStatus, Settings},
    statistics,
    tags::tags,
};

/// What `serve` takes.
const CONTENT_TYPES: [&str; 4] = ["application/json", "application/jsonlines", "text/csv", "text/plain"];
/// What `serve` answers.
const RESPONSE_TYPES: [&str; 3] = ["application/json", "application/jsonlines", "text/csv"];
/// The metadata that says which training job a package came from.
pub const JOB: &str = "training_job";

/// The metadata that says whether the gate let it pass: `passed` or `failed`.
pub const GATE: &str = "gate";
/// What `serve` reads the threshold from.
pub const THRESHOLD: &str = "SAGEBRUSH_THRESHOLD";

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct RegisterDone {
    /// Whether a package was made now.
    pub outcome: Outcome,
    /// `Approved`, `PendingManualApproval` or `Rejected`.
    pub status: String,
    /// The package.
    pub model_package: PackagePart,
    /// Its page in the console; none on the local target.
    pub console: Option<String>,
}

impl fmt::Display for RegisterDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "model package {}: {} ({})", self.outcome, self.model_package.arn, self.status)?;
        self.console.as_ref().map_or(Ok(()), |link| write!(f, "\n  {link}"))
    }
}

/// Finds the package of this training job, or makes it. Without a passed evaluation of this very job: neither, unless
/// `failed` says that a failed one will do; the package says so, and `approve` heeds it.
pub async fn register(context: &Context, run: &mut RunRecord, failed: bool) -> Result<RegisterDone> {
    let (data, training, evaluation) = (run.data()?, run.training()?, run.evaluation()?);
    if evaluation.job != training.job {
        return Err(Failure::new(format!(
            "the evaluation is of {}, the training job is {}",
            evaluation.job, training.job
        ))
        .hint("run `evaluate` again"));
    }
    if !failed {
        evaluate::gate(context, evaluation)?;
    }
    let (outcome, found) = match find(context, run, &training.job).await? {
        Some(found) => (Outcome::Unchanged, found),
        None => {
            ensure_group(context, run).await?;
            let lineage = lineage::keep(context, run).await?;
            let arn = create(context, data, training, evaluation, &lineage).await?;
            (Outcome::Done, describe(context, &arn).await?.ok_or_else(|| Failure::new(format!("{arn} is gone")))?)
        }
    };
    let arn = found.model_package_arn().unwrap_or_default().to_owned();
    let status = found.model_approval_status().map_or("", |status| status.as_str()).to_owned();
    let statistics_uri = statistics_uri(context, &training.job);
    let part = PackagePart { arn, group: context.settings.group().into(), job: training.job.clone(), statistics_uri };
    if run.model_package.as_ref() != Some(&part) {
        run.approval = None;
    }
    run.model_package = Some(part.clone());
    Ok(RegisterDone { outcome, status, console: context.console("/model-packages"), model_package: part })
}

/// The package as the registry has it.
pub async fn describe(context: &Context, arn: &str) -> Result<Option<DescribeModelPackageOutput>> {
    let answer = context.aws.sagemaker.describe_model_package().model_package_name(arn).send().await;
    answer.found(format!("model package {arn} cannot be looked at"))
}

fn is_of(package: &DescribeModelPackageOutput, job: &str) -> bool {
    package.customer_metadata_properties().and_then(|all| all.get(JOB)).is_some_and(|of| of == job)
}

/// The package of `job`: the run record's own, else the newest in the group that says so.
async fn find(context: &Context, run: &RunRecord, job: &str) -> Result<Option<DescribeModelPackageOutput>> {
    if let Some(known) = &run.model_package
        && known.group == context.settings.group()
        && let Some(found) = describe(context, &known.arn).await?
        && is_of(&found, job)
    {
        return Ok(Some(found));
    }
    of_job(context, job).await
}

/// The newest package in the group that is of `job`.
pub async fn of_job(context: &Context, job: &str) -> Result<Option<DescribeModelPackageOutput>> {
    newest(context, None, |found| is_of(&found, job).then_some(found)).await
}

/// The newest package of the group, of this approval where one is named, of which `pick` makes something; none where there is no group.
pub(crate) async fn newest<T>(
    context: &Context,
    approval: Option<ModelApprovalStatus>,
    pick: impl Fn(DescribeModelPackageOutput) -> Option<T>,
) -> Result<Option<T>> {
    let group = context.settings.group();
    let list = context.aws.sagemaker.list_model_packages().model_package_group_name(group);
    let list = list.set_model_approval_status(approval);
    let list = list.sort_by(ModelPackageSortBy::CreationTime).sort_order(SortOrder::Descending);
    let mut pages = list.into_paginator().send();
    while let Some(page) = pages.next().await {
        let Some(page) = page.found(format!("model package group {group} cannot be listed"))? else { return Ok(None) };
        for summary in page.model_package_summary_list() {
            let Some(arn) = summary.model_package_arn() else { continue };
            if let Some(picked) = describe(context, arn).await?.and_then(&pick) {
                return Ok(Some(picked));
            }
        }
    }
    Ok(None)
}

async fn ensure_group(context: &Context, run: &RunRecord) -> Result<()> {
    let group = context.settings.group();
    let there = context.aws.sagemaker.describe_model_package_group().model_package_group_name(group).send().await;
    if there.found(format!("model package group {group} cannot be looked at"))?.is_some() {
        return Ok(());
    }
    let request = context.aws.sagemaker.create_model_package_group().model_package_group_name(group);
    let request = request.model_package_group_description("Text classifiers that passed their gate");
    let request = request.set_tags(Some(tags(context, run)));
    request.send().await.made(format!("model package group {group} cannot be made"))
}

fn statistics_key(job: &str) -> String {
    format!("evaluations/{job}/statistics.json")
}

fn statistics_uri(context: &Context, job: &str) -> String {
    bucket::uri(&context.account.bucket, &statistics_key(job))
}

async fn create(
    context: &Context,
    data: &DataPart,
    training: &TrainingPart,
    part: &EvaluationPart,
    lineage: &Kept,
) -> Result<String> {
    let evaluation = evaluate::stored(context, part).await?;
    let statistics = serde_json::to_vec_pretty(&statistics::model_quality(&evaluation))
        .map_err(|e| error::io("the statistics as JSON")(e.into()))?;
    let key = statistics_key(&training.job);
    let digest = bucket::put(&context.aws.s3, &context.account.bucket, &key, statistics).await?;
    let source = MetricsSource::builder()
        .content_type("application/json")
        .s3_uri(statistics_uri(context, &training.job))
        .content_digest(format!("sha256:{digest}"))
        .build();
    let mut metrics = ModelMetrics::builder().model_quality(ModelQuality::builder().statistics(source).build());
    let mut container =
        ModelPackageContainerDefinition::builder().image(&training.image).model_data_url(&training.model_uri);
    if let Some(gate) = &part.verdicts {
        if let Some(uri) = &gate.bias_uri {
            let report = MetricsSource::builder().content_type("application/json").s3_uri(uri).build();
            metrics = metrics.bias(Bias::builder().report(report.clone()).post_training_report(report).build());
        }
        let judged = judging::stored(context, &gate.uri, &gate.sha256).await?;
        if let Some(threshold) = judged.business.and_then(|business| business.threshold).filter(|t| t.deployed) {
            container = container.environment(THRESHOLD, threshold.value.to_string());
        }
    }
    let instance = context.settings.endpoint.instance_type.as_str();
    // Some machines host endpoints and run no transform jobs.
    let transforms = TransformInstanceType::values().contains(&instance).then(|| TransformInstanceType::from(instance));
    let inference = InferenceSpecification::builder()
        .containers(container.build())
        .set_supported_content_types(Some(CONTENT_TYPES.map(str::to_owned).to_vec()))
        .set_supported_response_mime_types(Some(RESPONSE_TYPES.map(str::to_owned).to_vec()))
        .supported_realtime_inference_instance_types(ProductionVariantInstanceType::from(instance))
        .set_supported_transform_instance_types(transforms.map(|kind| vec![kind]))
        .build();
    let status = match context.settings.registry.approval_status {
        ApprovalStatus::PendingManualApproval => ModelApprovalStatus::PendingManualApproval,
        ApprovalStatus::Approved => ModelApprovalStatus::Approved,
    };
    let description = format!("accuracy {:.4} on {} documents, {}", part.metrics.accuracy, part.rows, training.job);
    let made = context
        .aws
        .sagemaker
        .create_model_package()
        .model_package_group_name(context.settings.group())
        .model_package_description(description)
        .inference_specification(inference)
        .model_approval_status(status)
        .model_metrics(metrics.build())
        .set_customer_metadata_properties(Some(metadata(context, data, training, part, lineage)))
        .send()
        .await
        .map_err(error::aws("the model package cannot be made"))?;
    Ok(made.model_package_arn().unwrap_or_default().to_owned())
}

/// What the package was made of: data versions and digests, commit, job, figures.
fn metadata(
    context: &Context,
    data: &DataPart,
    training: &TrainingPart,
    part: &EvaluationPart,
    lineage: &Kept,
) -> HashMap<String, String> {
    let mut all = HashMap::new();
    let mut put = |key: String, value: &str| all.insert(plain(&key, 128), plain(value, 256));
    put(JOB.into(), &training.job);
    put("data_digest".into(), &data.digest);
    put(GATE.into(), if part.passed { "passed" } else { "failed" });
    put(lineage::URI.into(), &lineage.uri);
    put(lineage::SHA256.into(), &lineage.sha256);
    if let Some(champion) = part.verdicts.as_ref().and_then(|gate| gate.champion.as_ref()) {
        put("champion".into(), champion);
    }
    // The registry keeps 50 pairs; the digest above stands for all files where they are many.
    let files = [("train", &data.train), ("test", &data.test)];
    for (channel, file) in
        files.iter().flat_map(|(channel, part)| part.files.iter().map(move |file| (channel, file))).take(10)
    {
        put(format!("{channel}.{}.sha256", file.name), &file.sha256);
        put(format!("{channel}.{}.version", file.name), file.version.as_deref().unwrap_or("none"));
    }
    let metrics = &part.metrics;
    for (name, value) in [
        ("accuracy", metrics.accuracy),
        ("precision", metrics.precision),
        ("recall", metrics.recall),
        ("f1", metrics.f1),
        ("gate_accuracy", part.gate),
    ] {
        put(name.into(), &value.to_string());
    }
    put("sagebrush_version".into(), env!("CARGO_PKG_VERSION"));
    if let Some(commit) = &context.account.commit {
        put("git_commit".into(), commit);
    }
    all
}

/// The registry takes letters, digits, white space and `_.:/=+-@` in metadata, and so many characters.
pub fn plain(text: &str, longest: usize) -> String {
    let kept = |c: char| if c.is_alphanumeric() || "_.:/=+-@".contains(c) { c } else { ' ' };
    text.chars().map(kept).take(longest).collect()
}

/// The commit that the settings belong to, where there is one: CI's word, else git's.
pub fn commit(settings: &Settings) -> Option<String> {
    if let Some(sha) = std::env::var("GITHUB_SHA").ok().filter(|sha| !sha.is_empty()) {
        return Some(sha);
    }
    let folder = settings.file.as_ref().and_then(|file| file.parent()).filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(std::path::Path::new("."));
    let mut git = std::process::Command::new("git");
    git.arg("-C").arg(folder).args(["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]);
    let said = git.stderr(std::process::Stdio::null()).output().ok().filter(|said| said.status.success())?;
    Some(String::from_utf8(said.stdout).ok()?.trim().to_owned()).filter(|sha| !sha.is_empty())
}
