//! Stage `status`: what exists, in the account and not only in the run record.

use std::fmt;

use aws_sdk_sagemaker::types::{ModelPackageSortBy, SortOrder};
use serde::Serialize;

use super::{Context, waves};
use crate::{
    bucket, endpoint,
    error::{Found as _, Result},
    run_record::RunRecord,
};

/// One thing that exists, or does not.
#[derive(Debug, Serialize)]
pub struct Line {
    /// What it is.
    pub what: &'static str,
    /// Where it is; none in the first region.
    pub region: Option<String>,
    /// Its name; none where there is none.
    pub name: Option<String>,
    /// Its state.
    pub state: String,
    /// Its page in the console; none on the local target.
    pub console: Option<String>,
}

/// Everything of the project.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The project.
    pub project: String,
    /// Where.
    pub target: String,
    /// ARN of whose credentials these are.
    pub caller: String,
    /// In the order of the pipeline.
    pub resources: Vec<Line>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "project {}, target {}, as {}", self.project, self.target, self.caller)?;
        for line in &self.resources {
            let region = line.region.as_ref().map(|region| format!(", {region}")).unwrap_or_default();
            writeln!(f, "{:<15} {:<20} {}{region}", line.what, line.state, line.name.as_deref().unwrap_or("-"))?;
            if let Some(link) = &line.console {
                writeln!(f, "  {link}")?;
            }
        }
        Ok(())
    }
}

const NONE: &str = "none";

/// Looks at everything; changes nothing.
pub async fn status(context: &Context, run: Option<&RunRecord>) -> Result<Status> {
    let mut resources = vec![kept(context).await?];
    resources.push(training(context, run).await?);
    resources.push(package(context).await?);
    resources.push(live(context).await?);
    resources.push(schedule(context).await?);
    for (_, there) in waves::further(context, run) {
        for line in [kept(&there).await?, live(&there).await?] {
            resources.push(Line { region: Some(there.aws.region.clone()), ..line });
        }
    }
    let (settings, caller) = (&context.settings, context.aws.caller.clone());
    Ok(Status { project: settings.project.clone(), target: settings.target.to_string(), caller, resources })
}

fn line(context: &Context, what: &'static str, found: Option<(String, String)>, page: Option<&str>) -> Line {
    let Some((name, state)) = found else {
        return Line { what, region: None, name: None, state: NONE.into(), console: None };
    };
    let console = page.and_then(|page| context.console(&format!("/{page}/{name}")));
    Line { what, region: None, name: Some(name), state, console }
}

async fn kept(context: &Context) -> Result<Line> {
    let name = &context.account.bucket;
    let there = bucket::exists(&context.aws.s3, name).await?;
    Ok(line(context, "bucket", there.then(|| (name.clone(), "exists".into())), None))
}

async fn training(context: &Context, run: Option<&RunRecord>) -> Result<Line> {
    let Some(job) = run.and_then(|run| run.training.as_ref()).map(|training| training.job.clone()) else {
        return Ok(line(context, "training job", None, None));
    };
    let found = context.aws.sagemaker.describe_training_job().training_job_name(&job).send().await;
    let found = found.found(format!("training job {job} cannot be looked at"))?;
    let found = found.map(|found| (job, found.training_job_status().map_or("", |s| s.as_str()).to_owned()));
    Ok(line(context, "training job", found, Some("jobs")))
}

async fn package(context: &Context) -> Result<Line> {
    let group = context.settings.group();
    let request = context.aws.sagemaker.list_model_packages().model_package_group_name(group).max_results(1);
    let request = request.sort_by(ModelPackageSortBy::CreationTime).sort_order(SortOrder::Descending);
    let found = request.send().await.found(format!("model package group {group} cannot be listed"))?;
    let newest = found.and_then(|found| found.model_package_summary_list?.into_iter().next());
    let newest = newest.map(|package| {
        let status = package.model_approval_status().map_or("", |status| status.as_str()).to_owned();
        (package.model_package_arn().unwrap_or_default().to_owned(), status)
    });
    Ok(line(context, "model package", newest, None))
}

async fn live(context: &Context) -> Result<Line> {
    let name = context.settings.endpoint();
    let found = endpoint::describe(context, name).await?;
    let found = found.map(|found| (name.to_owned(), found.endpoint_status().map_or("", |s| s.as_str()).to_owned()));
    Ok(line(context, "endpoint", found, Some("endpoints")))
}

async fn schedule(context: &Context) -> Result<Line> {
    let name = format!("{}-monitor", context.settings.project);
    let found = context.aws.scheduler.get_schedule().name(&name).send().await;
    let found = found.found(format!("schedule {name} cannot be looked at"))?;
    let state = |found: aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput| {
        format!("{} {}", found.state().map_or("", |s| s.as_str()), found.schedule_expression().unwrap_or_default())
    };
    Ok(line(context, "schedule", found.map(|found| (name, state(found))), None))
}
