//! What a plan finds: everything is looked up, nothing touched.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::TrainingJobStatus;

use super::{Action, Plan};
use crate::{
    bucket,
    check::CheckedData,
    endpoint,
    error::{Found as _, Result},
    prices::Purpose,
    run_record::PackagePart,
    stages::{Context, data, deploy, register, train, waves},
};

/// Of all stages, as `run` takes them.
pub async fn whole(
    context: &Context,
    checked: &CheckedData,
    hyperparameters: &BTreeMap<String, String>,
) -> Result<Plan> {
    let mut plan = Plan::new(context);
    let bucket = &context.account.bucket;
    let there = bucket::exists(&context.aws.s3, bucket).await?;
    plan.free(if there { Action::Keep } else { Action::Create }, format!("bucket {bucket}"));
    let part = data::wanted(context, checked);
    let missing =
        if there { data::missing(context, &part).await? } else { part.train.files.len() + part.test.files.len() };
    match missing {
        0 => plan.free(Action::Keep, "data files: all are in the bucket".into()),
        n => plan.free(Action::Create, format!("{n} of {} data files", part.train.files.len() + part.test.files.len())),
    }
    let (job, found) = train::find(context, &part, &train::complete(hyperparameters, &part)).await?;
    let state = found.as_ref().and_then(|found| found.training_job_status());
    let action = if state == Some(&TrainingJobStatus::Completed) { Action::Keep } else { Action::Create };
    plan.job(context, action, format!("training job {job}"), Purpose::Training);
    let package = match action {
        Action::Keep => register::of_job(context, &job).await?,
        _ => None,
    };
    let package = package.and_then(|package| package.model_package_arn().map(str::to_owned));
    let group = context.settings.group();
    match &package {
        Some(arn) => plan.free(Action::Keep, format!("model package {arn}")),
        None => plan.free(Action::Create, format!("model package in group {group}, if the gate lets it pass")),
    }
    serving(context, &mut plan, package.as_deref().map(|arn| (arn, job.as_str()))).await?;
    watching(context, &mut plan).await?;
    plan.on_demand(context);
    Ok(plan)
}

/// Of `deploy` alone.
pub async fn deployment(context: &Context, package: &PackagePart) -> Result<Plan> {
    let mut plan = Plan::new(context);
    serving(context, &mut plan, Some((package.arn.as_str(), package.job.as_str()))).await?;
    Ok(plan)
}

/// Model, config and endpoint in every region; what they will be named is known once there is a package with its job.
async fn serving(context: &Context, plan: &mut Plan, package: Option<(&str, &str)>) -> Result<()> {
    one_region(context, plan, package, "").await?;
    for (wave, there) in waves::further(context, None) {
        let (bucket, region) = (&there.account.bucket, &there.aws.region);
        let action = if bucket::exists(&there.aws.s3, bucket).await? { Action::Keep } else { Action::Create };
        plan.free(action, format!("bucket {bucket} in {region}"));
        let place = format!(" in {region}, wave {}", wave.unwrap_or_default());
        one_region(&there, plan, package, &place).await?;
    }
    Ok(())
}

async fn one_region(context: &Context, plan: &mut Plan, package: Option<(&str, &str)>, place: &str) -> Result<()> {
    let wanted = package.map(|(arn, job)| deploy::wanted(context, arn, job));
    let name = context.settings.endpoint();
    let live = endpoint::describe(context, name).await?;
    let live = live.as_ref().map(|found| found.endpoint_config_name().unwrap_or_default());
    let (config, same) = match &wanted {
        Some(wanted) => (wanted.config.clone(), live == Some(wanted.config.as_str())),
        None => ("a config of that package".into(), false),
    };
    match live {
        Some(_) if same => plan.endpoint(context, Action::Keep, format!("endpoint {name} with {config}{place}")),
        Some(old) => {
            if context.settings.endpoint.shadow.is_some() {
                plan.shadow(context);
            }
            plan.endpoint(
                context,
                Action::Change,
                format!("endpoint {name} from {old} to {config}{place}, once it is approved"),
            );
        }
        None => {
            plan.endpoint(
                context,
                Action::Create,
                format!("endpoint {name} with {config}{place}, once it is approved"),
            );
        }
    }
    plan.scaling(context, place).await
}

async fn watching(context: &Context, plan: &mut Plan) -> Result<()> {
    let name = format!("{}-monitor", context.settings.project);
    let there = context.aws.scheduler.get_schedule().name(&name).send().await;
    let there = there.found(format!("schedule {name} cannot be looked at"))?;
    let expression = &context.settings.monitor.schedule;
    let action = match there {
        Some(there) if there.schedule_expression() == Some(expression) => Action::Keep,
        Some(_) => Action::Change,
        None => Action::Create,
    };
    plan.free(action, format!("schedule {name}, {expression}: each time a job like the next"));
    plan.job(context, Action::Create, "processing job: a look at the traffic".into(), Purpose::Processing);
    Ok(())
}
