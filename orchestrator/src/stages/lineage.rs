//! `lineage PACKAGE`: what a package was made of, who approved it, and why.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::Context;
use crate::{
    error::Result,
    lineage::{self, Lineage},
};

/// Metadata of an approval, in the order that it is told.
const APPROVAL: [&str; 5] = ["approved_by", "approved_at", "approval_reason", "gate_override", "gate"];

/// A package and where it comes from.
#[derive(Debug, Serialize)]
pub struct LineageDone {
    /// Its ARN.
    pub package: String,
    /// `Approved`, `PendingManualApproval` or `Rejected`.
    pub status: String,
    /// Who approved it, when, why; whether the gate was overridden.
    pub approval: BTreeMap<String, String>,
    /// The rest.
    pub lineage: Lineage,
}

impl fmt::Display for LineageDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lineage { data, training, evaluation, verdicts, .. } = &self.lineage;
        writeln!(f, "model package {} ({})", self.package, self.status)?;
        for key in APPROVAL {
            if let Some(value) = self.approval.get(key) {
                writeln!(f, "  {:<13} {value}", key.replace('_', " "))?;
            }
        }
        writeln!(f, "commit        {}", self.lineage.commit.as_deref().unwrap_or("none: not in a repository"))?;
        writeln!(f, "version       {}", self.lineage.version)?;
        writeln!(f, "image         {}\n  digest        {}", training.image, self.lineage.image_digest)?;
        writeln!(f, "data          {}", data.digest)?;
        for (channel, part) in [("train", &data.train), ("test", &data.test)] {
            for file in &part.files {
                let version = file.version.as_deref().unwrap_or("none");
                writeln!(f, "  {channel:<5} s3://{}/{}", data.bucket, file.key)?;
                writeln!(f, "        {} rows, sha256 {}, version {version}", file.rows, file.sha256)?;
            }
        }
        writeln!(f, "training job  {}", training.job)?;
        for (name, value) in &training.hyperparameters {
            writeln!(f, "  {name} = {value}")?;
        }
        let metrics = &evaluation.metrics;
        writeln!(f, "evaluation    {}", evaluation.uri)?;
        writeln!(
            f,
            "  accuracy {:.4}, F1 {:.4}, log loss {:.4} on {} documents",
            metrics.accuracy, metrics.f1, metrics.log_loss, evaluation.rows
        )?;
        let passed = if evaluation.passed { "passed" } else { "failed" };
        write!(f, "gate          {passed}")?;
        for verdict in verdicts {
            write!(f, "\n{}", super::evaluate::Told(verdict))?;
        }
        Ok(())
    }
}

/// Looks it up.
pub async fn lineage(context: &Context, package: &str) -> Result<LineageDone> {
    let (found, lineage) = lineage::of(context, package).await?;
    let metadata = found.customer_metadata_properties();
    let approval = APPROVAL.iter().filter_map(|key| Some(((*key).to_owned(), metadata?.get(*key)?.clone())));
    Ok(LineageDone {
        package: found.model_package_arn().unwrap_or_default().to_owned(),
        status: found.model_approval_status().map_or("", |status| status.as_str()).to_owned(),
        approval: approval.collect(),
        lineage,
    })
}
