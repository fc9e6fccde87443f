//! Where a package comes from: `lineage.json` beside its evaluation, named with its digest on the package.

use serde::{Deserialize, Serialize};

use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use report::gate::Verdict;

use crate::{
    bucket,
    error::{self, Failure, Result},
    judging, names,
    run_record::{DataPart, EvaluationPart, RunRecord, TrainingPart},
    stages::{Context, register},
};

/// The value of [`Lineage::format`].
const FORMAT: &str = "sagebrush.lineage/1";
/// The metadata that says where the file lies.
pub const URI: &str = "lineage";
/// The metadata that says its digest.
pub const SHA256: &str = "lineage_sha256";

/// The content of `lineage.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lineage {
    /// Always [`FORMAT`].
    pub format: String,
    /// Version of Sagebrush that registered it.
    pub version: String,
    /// The commit of the settings; none outside of a repository.
    pub commit: Option<String>,
    /// The image's digest, or what tells this executable from another where it stands for the image.
    pub image_digest: String,
    /// Files, versions, digests.
    pub data: DataPart,
    /// Job, image, hyperparameters, artifact, metrics.
    pub training: TrainingPart,
    /// Figures, gate.
    pub evaluation: EvaluationPart,
    /// The gate's verdicts.
    pub verdicts: Vec<Verdict>,
    /// All that the stages had made by then.
    pub run: RunRecord,
}

/// A lineage in the bucket.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where.
    pub uri: String,
    /// Its digest.
    pub sha256: String,
}

/// Writes the run record's lineage beside its evaluation.
pub async fn keep(context: &Context, run: &RunRecord) -> Result<Kept> {
    let (data, training, evaluation) = (run.data()?, run.training()?, run.evaluation()?);
    let verdicts = match &evaluation.verdicts {
        Some(gate) => judging::stored(context, &gate.uri, &gate.sha256).await?.verdicts,
        None => Vec::new(),
    };
    let lineage = Lineage {
        format: FORMAT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        commit: context.account.commit.clone(),
        image_digest: training.image_digest.clone(),
        data: data.clone(),
        training: training.clone(),
        evaluation: evaluation.clone(),
        verdicts,
        run: run.clone(),
    };
    let bytes = serde_json::to_vec_pretty(&lineage).map_err(|e| error::io("the lineage as JSON")(e.into()))?;
    let key = format!("evaluations/{}/lineage.json", training.job);
    let sha256 = bucket::put(&context.aws.s3, &data.bucket, &key, bytes).await?;
    Ok(Kept { uri: bucket::uri(&data.bucket, &key), sha256 })
}

/// A package by ARN, by `group/version`, or by the version in the settings' group.
pub fn arn(context: &Context, package: &str) -> String {
    let of =
        |name: &str| format!("arn:aws:sagemaker:{}:{}:model-package/{name}", context.aws.region, context.aws.account);
    match package {
        _ if package.starts_with("arn:") => package.to_owned(),
        version if version.bytes().all(|byte| byte.is_ascii_digit()) => {
            of(&format!("{}/{version}", context.settings.group()))
        }
        name => of(name),
    }
}

/// The package as the registry has it, and its lineage, held against the digest that the package names.
pub async fn of(context: &Context, package: &str) -> Result<(DescribeModelPackageOutput, Lineage)> {
    let arn = arn(context, package);
    let found = register::describe(context, &arn).await?.ok_or_else(|| {
        Failure::new(format!("there is no model package {arn}"))
            .hint("name it by its ARN, as group/version, or by its version; `status` shows the latest")
    })?;
    let metadata = |key: &str| found.customer_metadata_properties().and_then(|all| all.get(key)).cloned();
    let (Some(uri), Some(sha256)) = (metadata(URI), metadata(SHA256)) else {
        return Err(Failure::new(format!("{arn} bears no lineage"))
            .because("it was registered by an earlier version, or not by Sagebrush"));
    };
    let bytes = bucket::get(&context.aws.s3, &uri).await?.ok_or_else(|| Failure::new(format!("{uri} is gone")))?;
    if names::sha256(&bytes) != sha256 {
        return Err(Failure::new(format!("{uri} is not the lineage that {arn} names"))
            .because(format!("its SHA-256 is not {sha256}")));
    }
    let lineage: Lineage = serde_json::from_slice(&bytes)
        .map_err(|e| Failure::new(format!("{uri}: the lineage cannot be read")).because(e))?;
    if lineage.format != FORMAT {
        return Err(Failure::new(format!("{uri}: its format is {:?}, expected {FORMAT:?}", lineage.format)));
    }
    Ok((found, lineage))
}
