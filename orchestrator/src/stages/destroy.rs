//! Stage `destroy`: what costs money or runs is taken away, the endpoint first; what was learned is kept.

use std::fmt;

use aws_sdk_sagemaker::error::{ProvideErrorMetadata, SdkError};
use serde::Serialize;

use super::{Context, waves};
use crate::{
    ask, endpoint,
    error::{Found as _, Result},
    inventory::{Inventory, Kind, Thing},
    run_record::RunRecord,
    scaling,
    settings::Target,
};

/// What is gone and what stays.
#[derive(Debug, Serialize)]
pub struct DestroyDone {
    /// Names of what was deleted now.
    pub deleted: Vec<String>,
    /// What has a name like ours and is another's.
    pub foreign: Vec<String>,
    /// What is kept, and why.
    pub kept: Vec<String>,
}

impl fmt::Display for DestroyDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.deleted.is_empty() {
            writeln!(
                f,
                "deleted       nothing: there was no endpoint, running job, schedule, endpoint config or model"
            )?;
        }
        for name in &self.deleted {
            writeln!(f, "deleted       {name}")?;
        }
        for name in &self.foreign {
            writeln!(f, "not ours      {name}: bears no tag of this project")?;
        }
        for kept in &self.kept {
            writeln!(f, "kept          {kept}")?;
        }
        Ok(())
    }
}

/// Shows what this project has made and still costs or runs, asks, and deletes it.
pub async fn destroy(context: &Context, run: Option<&mut RunRecord>) -> Result<DestroyDone> {
    let further: Vec<Context> = waves::further(context, run.as_deref()).into_iter().map(|(_, there)| there).collect();
    let mut places = vec![(context, String::new())];
    places.extend(further.iter().map(|there| (there, format!(" in {}", there.aws.region))));
    let (mut ours, mut foreign, mut kept) = (Vec::new(), Vec::new(), kept(context));
    for (there, place) in &places {
        let found = Inventory::of(there).await?;
        ours.extend(found.ours.into_iter().map(|thing| (*there, format!("{thing}{place}"), thing)));
        foreign.extend(found.foreign.iter().map(|thing| format!("{thing}{place}")));
    }
    for there in &further {
        kept.insert(1, format!("bucket {}: the copies and captures of {}", there.account.bucket, there.aws.region));
    }
    if !ours.is_empty() {
        for (_, shown, _) in &ours {
            context.out.say(format_args!("{:<13} {shown}", "to delete"));
        }
        for kept in &kept {
            context.out.say(format_args!("{:<13} {kept}", "to keep"));
        }
        ask::agreed(context, "destroy").await?;
    }
    let mut deleted = Vec::new();
    for (there, shown, thing) in ours {
        delete(there, &thing).await?;
        deleted.push(shown);
    }
    if let Some(run) = run {
        run.forget_deployment();
        run.regions.clear();
    }
    Ok(DestroyDone { deleted, foreign, kept })
}

/// Deletes one thing, or stops what can only be stopped; what is gone by now is well.
async fn delete(context: &Context, thing: &Thing) -> Result<()> {
    let (sagemaker, name) = (&context.aws.sagemaker, &thing.name);
    let what = format!("{thing} cannot be deleted");
    match thing.kind {
        Kind::Scaling => drop(scaling::forget(context, name).await?),
        Kind::Endpoint => {
            // Only an endpoint that is on its way nowhere can be deleted.
            if !matches!(endpoint::settled(context, name).await?, endpoint::Live::None) {
                endpoint::delete(context, name).await?;
            }
        }
        Kind::TuningJob => {
            let request = sagemaker.stop_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(name);
            stopped(request.send().await, what)?;
        }
        Kind::TransformJob => stopped(sagemaker.stop_transform_job().transform_job_name(name).send().await, what)?,
        Kind::TrainingJob => stopped(sagemaker.stop_training_job().training_job_name(name).send().await, what)?,
        Kind::ProcessingJob => stopped(sagemaker.stop_processing_job().processing_job_name(name).send().await, what)?,
        Kind::Schedule => drop(context.aws.scheduler.delete_schedule().name(name).send().await.found(what)?),
        Kind::Alarm => {
            drop(context.aws.cloudwatch.delete_alarms().alarm_names(name).send().await.found(what)?);
        }
        Kind::Topic => drop(context.aws.sns.delete_topic().topic_arn(name).send().await.found(what)?),
        Kind::EndpointConfig => {
            drop(sagemaker.delete_endpoint_config().endpoint_config_name(name).send().await.found(what)?);
        }
        Kind::Model => drop(sagemaker.delete_model().model_name(name).send().await.found(what)?),
    }
    Ok(())
}

/// A job that has ended by itself is well too.
fn stopped<T, E>(answer: std::result::Result<T, SdkError<E>>, what: String) -> Result<()>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Err(e) if e.message().is_some_and(|said| said.starts_with("The request was rejected because the")) => Ok(()),
        other => other.found(what).map(drop),
    }
}

fn kept(context: &Context) -> Vec<String> {
    let mut kept = vec![
        format!(
            "bucket {}: data, artifacts, captures and reports cannot be made again once deleted",
            context.account.bucket
        ),
        format!("model package group {}: says who approved what and why", context.settings.group()),
    ];
    if context.settings.target == Target::Aws {
        kept.push(
            "image repository and roles: infra/stack.yaml made them, and deleting the stack takes them away".into(),
        );
        kept.push("log groups /aws/sagemaker/…: shared with the account's other jobs".into());
    }
    kept
}
