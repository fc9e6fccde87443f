//! Addresses that stand in for AWS's own: an emulator, or a proxy, for all services or for one.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::error::{Failure, Result};

/// A service, by the name that its own address is looked up under (`AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME`).
#[derive(Clone, Copy, Debug)]
pub struct Service(&'static str);

impl Service {
    /// Jobs, registry, endpoints.
    pub const SAGEMAKER: Service = Service("SageMaker");
    /// Buckets.
    pub const S3: Service = Service("S3");

    const ALL: [Service; 10] = [
        Service::SAGEMAKER,
        Service::S3,
        Service("SageMaker Runtime"),
        Service("STS"),
        Service("CloudWatch Logs"),
        Service("Scheduler"),
        Service("ECR"),
        Service("CloudWatch"),
        Service("SNS"),
        Service("Application Auto Scaling"),
    ];
}

/// The address that stands in for the service's own; none where AWS answers.
pub fn url(config: &SdkConfig, service: Service) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service.0).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = config.service_config().and_then(|all| all.load_config(key.ok()?));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// Addresses are shown in messages, so that none may hold a name and password; the SDK would not send them either.
pub fn refuse_secrets(config: &SdkConfig) -> Result<()> {
    for service in Service::ALL {
        let Some(url) = url(config, service) else { continue };
        let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(Failure::usage(format!("the address set for {} holds a user name or a password", service.0))
                .because("it would be shown in messages, and is not sent")
                .hint("leave out what stands before the @ in endpoint_url (pipeline.toml, AWS profile) or AWS_ENDPOINT_URL…"));
        }
    }
    Ok(())
}
