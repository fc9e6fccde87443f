//! Stage `approve`: a person (on the local target: `run`) says why a package may be deployed.

use std::{collections::HashMap, fmt};

use aws_sdk_sagemaker::types::ModelApprovalStatus;
use serde::Serialize;

use super::{
    Context,
    register::{describe, plain},
};
use crate::{
    error::{self, Failure, Result},
    output::Outcome,
    run_record::{ApprovalPart, RunRecord},
    settings::Target,
};

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct ApproveDone {
    /// Whether it was approved now.
    pub outcome: Outcome,
    /// Who, when, why; none where it was approved outside of this pipeline.
    pub approval: Option<ApprovalPart>,
    /// The package.
    pub package: String,
}

impl fmt::Display for ApproveDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "approval      {}: {}", self.outcome, self.package)?;
        match &self.approval {
            Some(ApprovalPart { by, at, reason, .. }) => write!(f, "\n  by {by} at {at}: {reason}"),
            None => write!(f, "\n  approved already, not by this run"),
        }
    }
}

/// Approves the run record's package, saying who, when and why.
pub async fn approve(context: &Context, run: &mut RunRecord, reason: &str) -> Result<ApproveDone> {
    let package = run.model_package()?.arn.clone();
    let found = describe(context, &package).await?;
    let found = found.ok_or_else(|| Failure::new(format!("{package} is gone")).hint("run `register` again"))?;
    if found.model_approval_status() == Some(&ModelApprovalStatus::Approved) {
        let approval = run.approval.clone().filter(|approval| approval.package == package);
        run.approval.clone_from(&approval);
        return Ok(ApproveDone { outcome: Outcome::Unchanged, approval, package });
    }
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let approval = ApprovalPart { package: package.clone(), by: who(context), at, reason: reason.trim().into() };
    let mut metadata: HashMap<String, String> = found.customer_metadata_properties().cloned().unwrap_or_default();
    for (key, value) in
        [("approved_by", &approval.by), ("approved_at", &approval.at), ("approval_reason", &approval.reason)]
    {
        metadata.insert(key.into(), plain(value, 256));
    }
    let description: String =
        format!("{} ({}, {})", approval.reason, approval.by, approval.at).chars().take(1024).collect();
    let request = context.aws.sagemaker.update_model_package().model_package_arn(&package);
    request
        .model_approval_status(ModelApprovalStatus::Approved)
        .approval_description(description)
        .set_customer_metadata_properties(Some(metadata))
        .send()
        .await
        .map_err(error::aws(format!("{package} cannot be approved")))?;
    run.approval = Some(approval.clone());
    Ok(ApproveDone { outcome: Outcome::Done, approval: Some(approval), package })
}

fn who(context: &Context) -> String {
    match context.settings.target {
        Target::Aws => context.aws.caller.clone(),
        Target::Local => ["GITHUB_ACTOR", "USER", "LOGNAME"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
            .unwrap_or_else(|| "unknown local user".into()),
    }
}
