//! Stage `deploy`: an approved package behind the endpoint, proved by its golden predictions or rolled back.

use std::fmt;

use aws_sdk_sagemaker::{
    operation::describe_model_package::DescribeModelPackageOutput,
    types::{
        CaptureContentTypeHeader, CaptureMode, CaptureOption, ContainerDefinition, DataCaptureConfig,
        ModelApprovalStatus, ProductionVariant, ProductionVariantInstanceType, ProductionVariantServerlessConfig,
    },
};
use serde::Serialize;

use report::{Evaluation, evaluation::Golden};

use super::{Context, approve, evaluate, loadtest, register, waves};
use crate::{
    bucket,
    endpoint::{self, Live},
    error::{self, Failure, Found as _, Made as _, Result},
    latency::{self, Latency},
    names,
    output::Outcome,
    rollout,
    run_record::{DeploymentPart, PackagePart, RegionPart, RunRecord},
    scaling::{self, Scaled},
    settings::{EndpointSettings, Serverless, Target},
    shadow::{self, ShadowPart},
    tags::tags,
};

/// Of each step of a load test that a deployment asks for.
const LOAD_SECONDS: f64 = 5.0;

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct DeployDone {
    /// Whether the endpoint was made or changed now.
    pub outcome: Outcome,
    /// The deployment.
    pub deployment: DeploymentPart,
    /// How captured requests were answered before the shift; none where nothing was compared.
    pub shadow: Option<ShadowPart>,
    /// How long it takes to answer; none where that was not asked for.
    pub latency: Option<Latency>,
    /// What scales it; none where nothing does.
    pub scaled: Option<Scaled>,
    /// Every region that serves it, wave after wave; empty where there is one alone.
    pub regions: Vec<RegionPart>,
    /// Its page in the console; none on the local target.
    pub console: Option<String>,
}

impl fmt::Display for DeployDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.deployment;
        writeln!(f, "endpoint      {}: {} is in service with {}", self.outcome, part.endpoint, part.config)?;
        write!(f, "  {} golden predictions repeated; requests are captured below {}", part.verified, part.capture_uri)?;
        let compared = self.shadow.as_ref().map(ToString::to_string).unwrap_or_default();
        for line in compared.lines() {
            write!(f, "\n  {line}")?;
        }
        if let Some(Latency { calls, p50_ms, p99_ms }) = self.latency {
            write!(f, "\n  latency of {calls} calls from here: p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms")?;
        }
        if let Some(Scaled { min, max, target, because, .. }) = &self.scaled {
            write!(f, "\n  {min} to {max} instances, {target} invocations a minute on each ({because})")?;
        }
        for RegionPart { region, wave, config, healthy, .. } in &self.regions {
            let watched = healthy.as_ref().map(|at| format!(", healthy until {at}")).unwrap_or_default();
            write!(f, "\n  wave {wave}, {region}: in service with {config}{watched}")?;
        }
        self.console.as_ref().map_or(Ok(()), |link| write!(f, "\n  {link}"))
    }
}

/// Brings the run record's package behind the endpoint.
pub async fn deploy(context: &Context, run: &mut RunRecord) -> Result<DeployDone> {
    let package = run.model_package()?.clone();
    let evaluation = run.evaluation()?;
    let approved = must_be_approved(context, &package.arn).await?;
    let golden = drawn_by(threshold(&approved), evaluate::stored(context, evaluation).await?);
    let copies = waves::copies(context, &approved).await?;
    let (name, names) = (context.settings.endpoint(), wanted(context, &package.arn, &package.job));
    let of_package = ContainerDefinition::builder().model_package_name(&package.arn).build();
    ensure_model(context, run, &names.model, of_package).await?;
    ensure_config(context, run, &names.config, &names.model).await?;
    let before = endpoint::settled(context, name).await?;
    let shadow = shadow::compare(context, run, &names, &before).await?;
    let Names { model, config } = names;
    let Proved { outcome, latency } = prove(context, run, &config, &before, &golden).await?;
    let capture_uri = bucket::uri(&context.account.bucket, &format!("capture/{name}/{}/", endpoint::VARIANT));
    let known = run.deployment.as_ref().filter(|old| (old.endpoint.as_str(), &old.config) == (name, &config));
    let since = match (outcome, known) {
        (Outcome::Unchanged, Some(old)) => old.since.clone(),
        _ => jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let verified = golden.len() as u64;
    let (endpoint, package) = (name.to_owned(), package.arn);
    let part = DeploymentPart { endpoint, config, model, package, since, verified, capture_uri };
    if run.deployment.as_ref() != Some(&part) {
        run.forget_deployment();
    }
    run.deployment = Some(part.clone());
    let scaled = scale(context, run, &part).await?;
    let regions = waves::follow(context, run, &copies, &golden, scaled.as_ref()).await?;
    Ok(DeployDone {
        outcome,
        shadow,
        latency,
        scaled,
        regions,
        console: context.console(&format!("/endpoints/{name}")),
        deployment: part,
    })
}

/// What came of a deployment that proved itself.
pub(super) struct Proved {
    /// Whether the endpoint was made or changed now.
    pub outcome: Outcome,
    /// None where it was not asked for.
    pub latency: Option<Latency>,
}

/// Brings the config behind the endpoint, and back to what was before where it does not prove itself.
pub(super) async fn prove(
    context: &Context,
    run: &RunRecord,
    config: &str,
    before: &Live,
    golden: &[Golden],
) -> Result<Proved> {
    let name = context.settings.endpoint();
    let outcome = bring(context, run, name, config, before).await?;
    if let Err(wrong) = endpoint::verify(context, name, golden).await {
        return Err(roll_back(context, name, config, before, wrong).await);
    }
    let texts: Vec<&str> = golden.iter().map(|golden| golden.text.as_str()).collect();
    let latency = latency::measure(context, name, &texts, context.settings.endpoint.latency_calls).await?;
    still(context, name, config).await?;
    Ok(Proved { outcome, latency })
}

/// Makes the endpoint scale as the settings say, by a load test where there is none of this config.
async fn scale(context: &Context, run: &mut RunRecord, part: &DeploymentPart) -> Result<Option<Scaled>> {
    let Some(settings) = &context.settings.endpoint.autoscaling else { return Ok(None) };
    let measured = |run: &RunRecord| {
        let load = run.load.clone().filter(|load| (&load.endpoint, &load.config) == (&part.endpoint, &part.config));
        scaling::target(settings, load.as_ref())
    };
    let target = match measured(run) {
        Some(target) => target,
        None => {
            loadtest::loadtest(context, run, LOAD_SECONDS).await?;
            measured(run).ok_or_else(|| Failure::new("the load test measured nothing"))?
        }
    };
    scaling::ensure(context, &part.endpoint, settings, target).await.map(Some)
}

/// What was proved is what serves: a rollback after the proof is no deployment.
async fn still(context: &Context, name: &str, config: &str) -> Result<()> {
    match endpoint::settled(context, name).await? {
        Live::InService { config: live } if live == config => Ok(()),
        _ => Err(Failure::new(format!("endpoint {name} does not serve {config} any more"))
            .because(endpoint::failure_reason(context, name).await?)
            .hint("somebody else, or an alarm, has changed it: orchestrator status")),
    }
}

/// What a package is deployed under.
pub struct Names {
    /// The model.
    pub model: String,
    /// The endpoint config.
    pub config: String,
}

/// The names that the settings give to the deployment of a package.
pub fn wanted(context: &Context, package: &str, job: &str) -> Names {
    let (project, account, settings) = (&context.settings.project, &context.account, &context.settings.endpoint);
    let model = names::name(project, &["model", package, job, &account.role]);
    let shape = settings.shape();
    let config = names::name(project, &["endpoint-config", &model, &shape, &account.bucket]);
    Names { model, config }
}

/// The model of an approved package, made where it is not there.
pub(super) async fn model_of(context: &Context, run: &RunRecord, package: &PackagePart) -> Result<String> {
    must_be_approved(context, &package.arn).await?;
    let model = wanted(context, &package.arn, &package.job).model;
    let of_package = ContainerDefinition::builder().model_package_name(&package.arn).build();
    ensure_model(context, run, &model, of_package).await?;
    Ok(model)
}

/// The threshold that the package bears.
fn threshold(package: &DescribeModelPackageOutput) -> Option<f64> {
    let container = package.inference_specification()?.containers().first()?;
    container.environment()?.get(register::THRESHOLD)?.parse().ok()
}

/// The golden predictions as an endpoint with that threshold gives them.
fn drawn_by(threshold: Option<f64>, evaluation: Evaluation) -> Vec<Golden> {
    let mut golden = evaluation.golden;
    let (Some(from), [first, second]) = (threshold, &evaluation.classes[..]) else { return golden };
    for document in &mut golden {
        let positive = document.probabilities.get(second).copied().unwrap_or_default();
        let label = if positive >= from { second } else { first };
        document.score = document.probabilities.get(label).copied().unwrap_or_default();
        document.label.clone_from(label);
    }
    golden
}

async fn must_be_approved(context: &Context, arn: &str) -> Result<DescribeModelPackageOutput> {
    let found = register::describe(context, arn).await?;
    let found = found.ok_or_else(|| Failure::new(format!("{arn} is gone")).hint("run `register` again"))?;
    match found.model_approval_status() {
        Some(ModelApprovalStatus::Approved) => {
            let metadata = |key: &str| found.customer_metadata_properties().and_then(|all| all.get(key));
            // Approved around `approve`, by another client.
            if metadata(register::GATE).is_some_and(|gate| gate == "failed") && metadata(approve::OVERRIDE).is_none() {
                return Err(Failure::refused(format!("{arn} is approved, but did not pass its gate"))
                    .because("nothing on it says why that does not matter")
                    .hint("set it back to PendingManualApproval, then: orchestrator approve --reason TEXT --override TEXT"));
            }
            Ok(found)
        }
        status => {
            let status = status.map_or("not approved", |status| status.as_str());
            Err(Failure::new(format!("{arn} is {status}; only an approved package is deployed"))
                .hint("look at its evaluation, then: orchestrator approve --reason TEXT"))
        }
    }
}

/// Makes the model of that container, where it is not there.
pub(super) async fn ensure_model(
    context: &Context,
    run: &RunRecord,
    name: &str,
    container: ContainerDefinition,
) -> Result<()> {
    let sagemaker = &context.aws.sagemaker;
    let there = sagemaker.describe_model().model_name(name).send().await;
    if there.found(format!("model {name} cannot be looked at"))?.is_some() {
        return Ok(());
    }
    let request = sagemaker.create_model().model_name(name).containers(container);
    let request = request.set_tags(Some(tags(context, run)));
    let request = request.execution_role_arn(&context.account.role);
    request.send().await.made(format!("model {name} cannot be made"))
}

pub(super) async fn ensure_config(context: &Context, run: &RunRecord, name: &str, model: &str) -> Result<()> {
    let sagemaker = &context.aws.sagemaker;
    let there = sagemaker.describe_endpoint_config().endpoint_config_name(name).send().await;
    if there.found(format!("endpoint config {name} cannot be looked at"))?.is_some() {
        return Ok(());
    }
    let settings = &context.settings.endpoint;
    let variant =
        ProductionVariant::builder().variant_name(endpoint::VARIANT).model_name(model).initial_variant_weight(1.0);
    let variant = match settings.serverless {
        Some(Serverless { memory_mb, max_concurrency }) => variant.serverless_config(
            ProductionVariantServerlessConfig::builder()
                .memory_size_in_mb(memory_mb)
                .max_concurrency(max_concurrency)
                .build(),
        ),
        None => variant
            .instance_type(ProductionVariantInstanceType::from(settings.instance_type.as_str()))
            .initial_instance_count(settings.instance_count),
    };
    let request = sagemaker.create_endpoint_config().endpoint_config_name(name);
    let request = request.production_variants(variant.build()).set_tags(Some(tags(context, run)));
    let option = |mode| CaptureOption::builder().capture_mode(mode).build();
    let types = CaptureContentTypeHeader::builder()
        .csv_content_types("text/csv")
        .json_content_types("application/json")
        .json_content_types("application/jsonlines")
        .build();
    let capture = DataCaptureConfig::builder()
        .enable_capture(settings.capture_percentage > 0)
        .initial_sampling_percentage(settings.capture_percentage)
        .destination_s3_uri(bucket::uri(&context.account.bucket, "capture"))
        .capture_options(option(CaptureMode::Input))
        .capture_options(option(CaptureMode::Output))
        .capture_content_type_header(types)
        .build();
    // A serverless endpoint takes none.
    let capture = settings.serverless.is_none().then_some(capture);
    let request = request.set_data_capture_config(capture);
    request.send().await.made(format!("endpoint config {name} cannot be made"))
}

/// Makes or updates the endpoint and waits until it serves `config`, and only then.
async fn bring(context: &Context, run: &RunRecord, name: &str, config: &str, before: &Live) -> Result<Outcome> {
    let sagemaker = &context.aws.sagemaker;
    match before {
        Live::InService { config: live } if live == config => return Ok(Outcome::Unchanged),
        Live::InService { .. } => {
            let request = sagemaker.update_endpoint().endpoint_name(name).endpoint_config_name(config);
            let request = request.set_deployment_config(rollout::config(&context.settings.endpoint.rollout));
            request.send().await.made(format!("endpoint {name} cannot be updated"))?;
        }
        Live::Failed { .. } | Live::None => {
            if let Live::Failed { reason } = before {
                context.out.say(format_args!("endpoint {name} had failed ({reason}); making it anew"));
                endpoint::delete(context, name).await?;
            }
            if context.settings.target == Target::Aws {
                let settings = &context.settings.endpoint;
                let EndpointSettings { instance_count: n, instance_type: kind, .. } = settings;
                match settings.serverless {
                    None => context.out.say(format_args!(
                        "endpoint {name} runs on {n} x {kind} and costs money until: orchestrator destroy"
                    )),
                    Some(_) => context.out.say(format_args!("endpoint {name} is serverless and costs money a request")),
                }
            }
            let request = sagemaker.create_endpoint().endpoint_name(name).endpoint_config_name(config);
            let request = request.set_tags(Some(tags(context, run)));
            request.send().await.made(format!("endpoint {name} cannot be made"))?;
        }
    }
    let failed = match endpoint::settled(context, name).await? {
        Live::InService { config: live } if live == config => return Ok(Outcome::Done),
        Live::InService { config: live } => {
            let reason = endpoint::failure_reason(context, name).await?;
            Failure::new(format!("endpoint {name} did not take {config}; {live} goes on serving")).because(reason)
        }
        Live::Failed { reason } => Failure::new(format!("endpoint {name} failed: {reason}")),
        Live::None => Failure::new(format!("endpoint {name} was deleted while it was deployed")),
    };
    Err(failed
        .because(crate::logs::endpoint_lines(&context.aws, name).await?)
        .hint("mend what the log says and run `deploy` again"))
}

/// The golden predictions were not repeated: back to what was there before.
async fn roll_back(context: &Context, name: &str, config: &str, before: &Live, wrong: Failure) -> Failure {
    let done = match before {
        Live::InService { config: old } if old == config => {
            Ok("it was deployed before; nothing to roll back to".into())
        }
        Live::InService { config: old } => {
            let request = context.aws.sagemaker.update_endpoint().endpoint_name(name).endpoint_config_name(old);
            let sent =
                request.send().await.map_err(error::aws(format!("endpoint {name} cannot be rolled back to {old}")));
            match sent {
                Ok(_) => endpoint::settled(context, name).await.map(|_| format!("rolled back to {old}")),
                Err(e) => Err(e),
            }
        }
        _ => endpoint::delete(context, name)
            .await
            .map(|()| format!("endpoint {name} was deleted: it served nothing before")),
    };
    match done {
        Ok(done) => wrong.because(done),
        Err(failed) => wrong.because(failed),
    }
}
