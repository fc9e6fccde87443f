//! Stage `approve`: a person (on the local target: `run`) says why a package may be deployed.

use std::{collections::HashMap, fmt};

use aws_sdk_sagemaker::{operation::describe_model_package::DescribeModelPackageOutput, types::ModelApprovalStatus};
use serde::Serialize;

use super::{
    Context,
    register::{GATE, describe, plain},
};
use crate::{
    error::{self, Failure, Result},
    output::Outcome,
    run_record::{ApprovalPart, RunRecord},
    settings::Target,
};

/// The metadata that says why a failed gate does not matter.
pub const OVERRIDE: &str = "gate_override";
/// The metadata that say who approved, when, why.
const BY: &str = "approved_by";
const AT: &str = "approved_at";
const REASON: &str = "approval_reason";

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
            Some(ApprovalPart { by, at, reason, gate_override, .. }) => {
                write!(f, "\n  by {by} at {at}: {reason}")?;
                gate_override.as_ref().map_or(Ok(()), |why| write!(f, "\n  the gate failed and was overridden: {why}"))
            }
            None => write!(f, "\n  approved already, not by this run"),
        }
    }
}

/// Approves the run record's package, saying who, when and why. One whose gate failed is refused, unless `overriding` says why
/// that does not matter; the package bears both.
pub async fn approve(
    context: &Context,
    run: &mut RunRecord,
    reason: &str,
    overriding: Option<&str>,
) -> Result<ApproveDone> {
    let package = run.model_package()?.arn.clone();
    let found = describe(context, &package).await?;
    let found = found.ok_or_else(|| Failure::new(format!("{package} is gone")).hint("run `register` again"))?;
    if found.model_approval_status() == Some(&ModelApprovalStatus::Approved) {
        let known = run.approval.clone().filter(|approval| approval.package == package);
        // A run that was interrupted after its approval finds it on the package.
        let approval = known.or_else(|| borne(&found, &package));
        run.approval.clone_from(&approval);
        return Ok(ApproveDone { outcome: Outcome::Unchanged, approval, package });
    }
    let failed =
        found.customer_metadata_properties().is_some_and(|all| all.get(GATE).is_some_and(|gate| gate == "failed"));
    if failed && overriding.is_none() {
        let refusals =
            run.evaluation.as_ref().and_then(|part| part.verdicts.as_ref()).map(|gate| gate.refusals.join("\n"));
        return Err(Failure::refused(format!("{package} did not pass its gate"))
            .because(refusals.unwrap_or_default())
            .because("it was not approved")
            .hint("train a better one, or say why it may be deployed nonetheless: --override TEXT; the package will bear it"));
    }
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let overriding = overriding.filter(|_| failed).map(|why| why.trim().to_owned());
    let approval = ApprovalPart {
        package: package.clone(),
        by: who(context),
        at,
        reason: reason.trim().into(),
        gate_override: overriding,
    };
    let mut metadata: HashMap<String, String> = found.customer_metadata_properties().cloned().unwrap_or_default();
    for (key, value) in [(BY, &approval.by), (AT, &approval.at), (REASON, &approval.reason)] {
        metadata.insert(key.into(), plain(value, 256));
    }
    let mut description = format!("{} ({}, {})", approval.reason, approval.by, approval.at);
    if let Some(why) = &approval.gate_override {
        metadata.insert(OVERRIDE.into(), plain(why, 256));
        description = format!("The gate failed; overridden: {why}. {description}");
    }
    let description: String = description.chars().take(1024).collect();
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

/// The approval that the package bears; none where it was approved by another client.
fn borne(found: &DescribeModelPackageOutput, package: &str) -> Option<ApprovalPart> {
    let metadata = found.customer_metadata_properties()?;
    let text = |key: &str| metadata.get(key).cloned();
    Some(ApprovalPart {
        package: package.to_owned(),
        by: text(BY)?,
        at: text(AT)?,
        reason: text(REASON)?,
        gate_override: text(OVERRIDE),
    })
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
