//! The clients of the AWS SDK. Only the connection differs between an account and the emulator.

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sns::config::{
    interceptors::InterceptorContext,
    retry::{ClassifyRetry, RetryAction},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use crate::{
    ecr, emulate,
    error::{self, Failure, Result},
    overrides,
    poll::Poll,
    secrets,
    settings::{Settings, Target},
    stages::register,
};

/// Every client, and whose they are.
pub struct Aws {
    /// Buckets.
    pub s3: aws_sdk_s3::Client,
    /// Jobs, registry, endpoints.
    pub sagemaker: aws_sdk_sagemaker::Client,
    /// Invocations.
    pub runtime: aws_sdk_sagemakerruntime::Client,
    /// Logs of jobs and endpoints.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// The monitoring schedule.
    pub scheduler: aws_sdk_scheduler::Client,
    /// Scaling of the endpoint.
    pub scaling: aws_sdk_applicationautoscaling::Client,
    /// Alarms.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Messages.
    pub sns: aws_sdk_sns::Client,
    /// The image's repository.
    pub ecr: aws_sdk_ecr::Client,
    /// Account, by number.
    pub account: String,
    /// Region.
    pub region: String,
    /// ARN of the caller.
    pub caller: String,
    /// How often to ask for a state.
    pub poll: Poll,
    /// What the clients are made of.
    config: SdkConfig,
}

impl Aws {
    /// Clients of the emulator at `url`.
    pub async fn local(url: &str) -> Result<Self> {
        let credentials = Credentials::new("local", "local", None, None, "sagebrush");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(emulator::REGION))
            .app_name(ours())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(url)
            .http_client(Builder::new().build_http())
            .retry_config(retries())
            .build();
        Self::connect(config, Poll::LOCAL).await
    }

    /// Clients of the account that the environment's credentials belong to.
    pub async fn account(settings: &Settings) -> Result<Self> {
        let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https);
        let mut loader = loader.app_name(ours()).retry_config(retries());
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = loader.load().await;
        overrides::refuse_secrets(&config)?;
        let provider = config.credentials_provider().map(secrets::Concealing).map(SharedCredentialsProvider::new);
        let config = config.into_builder();
        let config = match provider {
            Some(provider) => config.credentials_provider(provider).build(),
            None => config.build(),
        };
        // An emulator answers at once; an account counts the questions.
        let elsewhere = overrides::url(&config, overrides::Service::SAGEMAKER).is_some();
        let poll = if elsewhere { Poll::LOCAL } else { Poll::ACCOUNT };
        Self::connect(config, poll).await
    }

    async fn connect(config: SdkConfig, poll: Poll) -> Result<Self> {
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Failure::usage("no AWS region is set").hint("set `region` in pipeline.toml, or AWS_REGION"));
        };
        let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let identity = identity.map_err(error::aws("AWS does not say whose credentials these are (STS)"))?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Ok(Self::clients(config, text(identity.account()), text(identity.arn()), region, poll))
    }

    /// The same account's clients in another region.
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.clone().into_builder().region(Region::new(region.to_owned())).build();
        Self::clients(config, self.account.clone(), self.caller.clone(), region.to_owned(), self.poll)
    }

    fn clients(config: SdkConfig, account: String, caller: String, region: String, poll: Poll) -> Self {
        let elsewhere = overrides::url(&config, overrides::Service::S3).is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(elsewhere).build();
        let sns = aws_sdk_sns::config::Builder::from(&config).retry_classifier(TooMany).build();
        Aws {
            s3: aws_sdk_s3::Client::from_conf(s3),
            sagemaker: aws_sdk_sagemaker::Client::new(&config),
            runtime: aws_sdk_sagemakerruntime::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            scheduler: aws_sdk_scheduler::Client::new(&config),
            scaling: aws_sdk_applicationautoscaling::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            sns: aws_sdk_sns::Client::from_conf(sns),
            ecr: aws_sdk_ecr::Client::new(&config),
            account,
            caller,
            region,
            poll,
            config,
        }
    }
}

/// Status 429 in whatever words: SNS says `Throttled`, which the SDK does not know for what it is.
#[derive(Debug)]
struct TooMany;

impl ClassifyRetry for TooMany {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "too many requests"
    }
}

/// What every request's user agent says, so that a log of calls tells ours from others.
fn ours() -> AppName {
    AppName::new("sagebrush").expect("letters alone are a valid name")
}

/// Throttling and failures of AWS's own are tried again, at a rate that follows the answers. Names and tokens make it safe.
fn retries() -> RetryConfig {
    RetryConfig::adaptive().with_max_attempts(6)
}

/// What the settings leave open and the account decides.
#[derive(Clone, Debug)]
pub struct Account {
    /// Bucket of everything.
    pub bucket: String,
    /// Role of jobs and endpoints.
    pub role: String,
    /// Role of the schedule.
    pub scheduler_role: String,
    /// The image.
    pub image: String,
    /// What tells this image's code from another's of the same name.
    pub code: String,
    /// Who answers for what is made.
    pub owner: String,
    /// The commit that the settings belong to; none outside of a repository.
    pub commit: Option<String>,
}

impl Account {
    /// Names for `settings` in the account of `aws`; of an account's image the code is told only where `runs` says that it is
    /// to be run.
    pub async fn of(settings: &Settings, aws: &Aws, runs: bool) -> Result<Self> {
        let bucket = settings.bucket.clone();
        let bucket = bucket.unwrap_or_else(|| format!("{}-{}-{}", settings.project, aws.account, aws.region));
        let role = |given: &Option<String>, name: &str| {
            given.clone().unwrap_or_else(|| format!("arn:aws:iam::{}:role/{}-{name}", aws.account, settings.project))
        };
        let (image, code) = match (settings.target, emulate::engine(&settings.local)) {
            (Target::Aws, _) => {
                let image = settings.image.clone().unwrap_or_default();
                let digest = if runs { ecr::digest(aws, &image).await? } else { String::new() };
                (image, digest)
            }
            (Target::Local, None) => (local_image(), this_executable()?),
            (Target::Local, Some(engine)) => {
                (settings.local.image.clone(), emulate::image_id(engine, &settings.local).await?)
            }
        };
        let scheduler_role = role(&settings.monitor.role_arn, "SchedulerRole");
        let (owner, commit) = (settings.owner.clone(), register::commit(settings));
        let owner = owner.unwrap_or_else(|| aws.caller.clone());
        Ok(Account {
            bucket,
            role: role(&settings.role_arn, "ExecutionRole"),
            scheduler_role,
            image,
            code,
            owner,
            commit,
        })
    }
}

/// Where this executable stands for whatever image, the name says so to whoever reads it.
fn local_image() -> String {
    let (account, region) = (emulator::ACCOUNT, emulator::REGION);
    format!("{account}.dkr.ecr.{region}.amazonaws.com/sagebrush-executable:{}", env!("CARGO_PKG_VERSION"))
}

/// Size and time of this executable: a rebuilt one trains anew, since its training program may be another.
fn this_executable() -> Result<String> {
    let failed = "this executable cannot be looked at";
    let path = std::env::current_exe().map_err(error::io(failed))?;
    let metadata = path.metadata().map_err(error::io(failed))?;
    let modified = metadata.modified().map_err(error::io(failed))?;
    let nanos = modified.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Ok(format!("{}-{nanos}", metadata.len()))
}
