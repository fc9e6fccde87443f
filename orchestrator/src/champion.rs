//! The package that a new one is held against: the one behind the endpoint, else the newest approved.

use aws_sdk_sagemaker::{operation::describe_model_package::DescribeModelPackageOutput, types::ModelApprovalStatus};

use crate::{
    endpoint,
    error::{Found as _, Result},
    stages::{
        Context,
        register::{self, JOB},
    },
};

/// What is known of it.
#[derive(Clone, Debug)]
pub struct Champion {
    /// Its ARN.
    pub package: String,
    /// Its training job, where the registry says so.
    pub job: Option<String>,
    /// `s3://…/model.tar.gz`
    pub model_uri: String,
}

/// The champion of everybody but `job`: its own package is no rival, so that repeating a stage finds the same one again.
pub async fn champion(context: &Context, job: &str) -> Result<Option<Champion>> {
    let rival = |found| of(&found).filter(|champion| champion.job.as_deref() != Some(job));
    if let Some(package) = deployed(context).await?
        && let Some(champion) = register::describe(context, &package).await?.and_then(rival)
    {
        return Ok(Some(champion));
    }
    register::newest(context, Some(ModelApprovalStatus::Approved), rival).await
}

/// Package, job and artifact, where the package has one.
pub fn of(found: &DescribeModelPackageOutput) -> Option<Champion> {
    let container = found.inference_specification()?.containers().first()?;
    Some(Champion {
        package: found.model_package_arn()?.to_owned(),
        job: found.customer_metadata_properties().and_then(|all| all.get(JOB)).cloned(),
        model_uri: container.model_data_url()?.to_owned(),
    })
}

/// The package that the endpoint's first variant is made of.
async fn deployed(context: &Context) -> Result<Option<String>> {
    let (sagemaker, name) = (&context.aws.sagemaker, context.settings.endpoint());
    let Some(live) = endpoint::describe(context, name).await? else { return Ok(None) };
    let Some(config) = live.endpoint_config_name() else { return Ok(None) };
    let config = sagemaker.describe_endpoint_config().endpoint_config_name(config).send().await;
    let config = config.found(format!("the config of endpoint {name} cannot be looked at"))?;
    let model = config.and_then(|config| config.production_variants().first()?.model_name().map(str::to_owned));
    let Some(model) = model else { return Ok(None) };
    let model = sagemaker.describe_model().model_name(&model).send().await;
    let model = model.found(format!("the model of endpoint {name} cannot be looked at"))?;
    Ok(model.and_then(|model| {
        let container = model.primary_container().or_else(|| model.containers().first())?;
        container.model_package_name().map(str::to_owned)
    }))
}
