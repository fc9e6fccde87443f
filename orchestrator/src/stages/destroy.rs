//! Stage `destroy`: what costs money or runs is taken away; what was learned is kept.

use std::fmt;

use serde::Serialize;

use super::Context;
use crate::{
    endpoint,
    error::{self, Found as _, Result},
    names,
    run_record::RunRecord,
};

/// What is gone and what stays.
#[derive(Debug, Serialize)]
pub struct DestroyDone {
    /// Names of what was deleted now.
    pub deleted: Vec<String>,
    /// What is kept, and why.
    pub kept: Vec<String>,
}

impl fmt::Display for DestroyDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.deleted.is_empty() {
            writeln!(f, "deleted       nothing: there was no schedule, endpoint, endpoint config or model")?;
        }
        for name in &self.deleted {
            writeln!(f, "deleted       {name}")?;
        }
        for kept in &self.kept {
            writeln!(f, "kept          {kept}")?;
        }
        Ok(())
    }
}

/// Deletes schedule, endpoint, endpoint configs and models of the project.
pub async fn destroy(context: &Context, run: Option<&mut RunRecord>) -> Result<DestroyDone> {
    let mut deleted = Vec::new();
    let schedule = format!("{}-monitor", context.settings.project);
    let gone = context.aws.scheduler.delete_schedule().name(&schedule).send().await;
    if gone.found(format!("schedule {schedule} cannot be deleted"))?.is_some() {
        deleted.push(format!("schedule {schedule}"));
    }
    let name = context.settings.endpoint();
    if !matches!(endpoint::settled(context, name).await?, endpoint::Live::None) {
        endpoint::delete(context, name).await?;
        deleted.push(format!("endpoint {name}"));
    }
    for config in configs(context).await? {
        let gone = context.aws.sagemaker.delete_endpoint_config().endpoint_config_name(&config).send().await;
        gone.found(format!("endpoint config {config} cannot be deleted"))?;
        deleted.push(format!("endpoint config {config}"));
    }
    for model in models(context).await? {
        let gone = context.aws.sagemaker.delete_model().model_name(&model).send().await;
        gone.found(format!("model {model} cannot be deleted"))?;
        deleted.push(format!("model {model}"));
    }
    if let Some(run) = run {
        run.forget_deployment();
    }
    let kept = vec![
        format!(
            "bucket {}: data, artifacts, captures and reports cannot be made again once deleted",
            context.account.bucket
        ),
        format!("model package group {}: says who approved what and why", context.settings.group()),
    ];
    Ok(DestroyDone { deleted, kept })
}

async fn configs(context: &Context) -> Result<Vec<String>> {
    let project = &context.settings.project;
    let mut pages = context.aws.sagemaker.list_endpoint_configs().name_contains(project).into_paginator().send();
    let mut ours = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the endpoint configs cannot be listed"))?;
        let names = page.endpoint_configs().iter().filter_map(|config| config.endpoint_config_name());
        ours.extend(names.filter(|name| names::is_ours(project, name)).map(str::to_owned));
    }
    Ok(ours)
}

async fn models(context: &Context) -> Result<Vec<String>> {
    let project = &context.settings.project;
    let mut pages = context.aws.sagemaker.list_models().name_contains(project).into_paginator().send();
    let mut ours = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the models cannot be listed"))?;
        let names = page.models().iter().filter_map(|model| model.model_name());
        ours.extend(names.filter(|name| names::is_ours(project, name)).map(str::to_owned));
    }
    Ok(ours)
}
