//! The sections of `pipeline.toml`.

use std::{collections::BTreeMap, path::PathBuf};

use clap::ValueEnum;
use gate::{BusinessSettings, OnInsufficient, Rule};
use serde::{Deserialize, Serialize};

use super::{
    autoscaling::Autoscaling,
    batch::{TransformSettings, TuneSettings},
    regions::Regions,
    rollout::{Rollout, Serverless},
    shadow::{self, Shadow},
};

use crate::prices::Price;

/// Where the stages run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// An emulator on this machine.
    #[default]
    Local,
    /// The account that the environment's credentials belong to.
    Aws,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Target::Local => "local",
            Target::Aws => "aws",
        })
    }
}

/// How the emulator runs images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// This executable, as a child process, stands for any image.
    #[default]
    Process,
    /// The image, in a container of podman.
    Podman,
    /// The image, in a container of Docker.
    Docker,
}

/// All of `pipeline.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// First word of every name that is made.
    pub project: String,
    /// Where the stages run.
    pub target: Target,
    /// AWS region (target `aws`); none: as the environment says.
    pub region: Option<String>,
    /// Profile of the AWS configuration files (target `aws`); none: as the environment says.
    pub profile: Option<String>,
    /// Where AWS answers (target `aws`); none: where AWS does, or as the environment says.
    pub endpoint_url: Option<String>,
    /// Who answers for what is made, on its tags; none: the caller's ARN.
    pub owner: Option<String>,
    /// Minutes that are waited for an endpoint, and for a job beyond its longest runtime.
    pub wait_minutes: f64,
    /// Role that jobs and endpoints take on (target `aws`).
    pub role_arn: Option<String>,
    /// Bucket of data, artifacts and captures; none: `<project>-<account>-<region>`.
    pub bucket: Option<String>,
    /// Image in ECR that holds `train`, `serve` and `monitor` (target `aws`).
    pub image: Option<String>,
    /// `[data]`
    pub data: Data,
    /// `[training]`
    pub training: TrainingSettings,
    /// `[tune]`
    pub tune: TuneSettings,
    /// `[transform]`
    pub transform: TransformSettings,
    /// `[gate]`
    pub gate: Gate,
    /// `[business]`
    pub business: BusinessSettings,
    /// `[registry]`
    pub registry: Registry,
    /// `[endpoint]`
    pub endpoint: EndpointSettings,
    /// `[regions]`
    pub regions: Regions,
    /// `[monitor]`
    pub monitor: MonitorSettings,
    /// `[alarms]`
    pub alarms: AlarmSettings,
    /// `[[prices]]`: before those of `prices.toml`.
    pub prices: Vec<Price>,
    /// `[local]`
    pub local: Local,
    /// The file these settings were read from; none where there was none.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// `[data]`: the labelled files.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Files to fit on.
    pub train: Vec<PathBuf>,
    /// Files to measure on.
    pub test: Vec<PathBuf>,
    /// Column (CSV) or key (JSON Lines) of the text.
    pub text_column: String,
    /// Column or key of the label.
    pub label_column: String,
}

/// `[training]`: the job that fits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingSettings {
    /// Machine of training and monitoring jobs.
    pub instance_type: String,
    /// Its disk, GB.
    pub volume_gb: i32,
    /// After this many minutes the job is stopped.
    pub max_runtime_minutes: i32,
    /// As the table of hyperparameters names them.
    pub hyperparameters: BTreeMap<String, toml::Value>,
}

/// `[gate]`: what an evaluation must show.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// The accuracy on the test files must be above this.
    pub accuracy: f64,
    /// What else must hold.
    pub rules: Vec<Rule>,
    /// What too little evidence comes to.
    pub on_insufficient: OnInsufficient,
    /// Confidence of `lower(…)` and `upper(…)`, one-sided.
    pub confidence: f64,
    /// The class that is good to be predicted as; none: of two classes the second.
    pub favourable_class: Option<String>,
    /// Terms that mean people, in groups whose terms may stand for each other.
    pub identity_terms: Vec<Vec<String>>,
}

impl Gate {
    /// Every rule, that of `accuracy` first.
    pub fn all_rules(&self) -> Vec<Rule> {
        std::iter::once(Rule::accuracy_above(self.accuracy)).chain(self.rules.iter().cloned()).collect()
    }
}

/// Status of a new model package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ApprovalStatus {
    /// Somebody has to approve it.
    PendingManualApproval,
    /// The gate is enough.
    Approved,
}

/// `[registry]`: where models are kept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Registry {
    /// Model package group; none: the project's name.
    pub group: Option<String>,
    /// Status of a new model package.
    pub approval_status: ApprovalStatus,
}

/// `[endpoint]`: what answers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointSettings {
    /// Its name; none: the project's name.
    pub name: Option<String>,
    /// Machine of an instance.
    pub instance_type: String,
    /// Instances.
    pub instance_count: i32,
    /// Share of the requests that is captured, percent.
    pub capture_percentage: i32,
    /// Instead of instances; none: instances.
    pub serverless: Option<Serverless>,
    /// How a new deployment takes over.
    pub rollout: Rollout,
    /// What it is compared with before that; none: with nothing.
    pub shadow: Option<Shadow>,
    /// How many instances; none: as many as it was deployed with.
    pub autoscaling: Option<Autoscaling>,
    /// Calls that latency is measured with after a deployment; 0: none.
    pub latency_calls: u32,
}

/// `[monitor]`: how traffic is watched.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorSettings {
    /// EventBridge Scheduler's expression.
    pub schedule: String,
    /// Hours of traffic that a scheduled run looks at, counted back from its start.
    pub window_hours: u32,
    /// How many windows back one that was missed is still done, and done again for captures that came late.
    pub catch_up: u32,
    /// `monitor.toml`, for the jobs.
    pub config: Option<PathBuf>,
    /// Labels that come later: an `s3://` prefix, or a file of this machine.
    pub ground_truth: Option<String>,
    /// Address of a report for messages, `{window}` in it the window's.
    pub report_link: Option<String>,
    /// Role that the scheduler takes on (target `aws`).
    pub role_arn: Option<String>,
}

/// `[alarms]`: what somebody is told of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmSettings {
    /// Whether there are any.
    pub enabled: bool,
    /// Topic's name or ARN; none: `<project>-alarms`.
    pub topic: Option<String>,
    /// Who gets mail.
    pub email: Vec<String>,
    /// What gets an HTTP request.
    pub webhook: Option<String>,
    /// Share of requests that fail on the server's side.
    pub error_share: f64,
    /// Share of requests that are refused.
    pub client_error_share: f64,
    /// Milliseconds of the model's container.
    pub latency_p99_ms: f64,
    /// Hours without a request.
    pub quiet_hours: u32,
}

/// `[local]`: the emulator.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Local {
    /// Folder of everything local: buckets, jobs, endpoints, reports.
    pub state: PathBuf,
    /// How images are run.
    pub runtime: Runtime,
    /// The image that is run, on this machine (of any `runtime` but `process`).
    pub image: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            project: "sagebrush".into(),
            target: Target::Local,
            region: None,
            profile: None,
            endpoint_url: None,
            owner: None,
            wait_minutes: 60.0,
            role_arn: None,
            bucket: None,
            image: None,
            data: Data::default(),
            training: TrainingSettings::default(),
            tune: TuneSettings::default(),
            transform: TransformSettings::default(),
            gate: Gate::default(),
            business: BusinessSettings::default(),
            registry: Registry::default(),
            endpoint: EndpointSettings::default(),
            regions: Regions::default(),
            monitor: MonitorSettings::default(),
            alarms: AlarmSettings::default(),
            prices: Vec::new(),
            local: Local::default(),
            file: None,
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Data {
            train: vec!["data/train.csv".into()],
            test: vec!["data/test.csv".into()],
            text_column: "review_text".into(),
            label_column: "sentiment".into(),
        }
    }
}

impl Default for TrainingSettings {
    fn default() -> Self {
        TrainingSettings {
            instance_type: "ml.m5.large".into(),
            volume_gb: 10,
            max_runtime_minutes: 60,
            hyperparameters: BTreeMap::new(),
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Gate {
            accuracy: 0.8,
            rules: Vec::new(),
            on_insufficient: OnInsufficient::Fail,
            confidence: 0.95,
            favourable_class: None,
            identity_terms: Vec::new(),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Registry { group: None, approval_status: ApprovalStatus::PendingManualApproval }
    }
}

impl Default for EndpointSettings {
    fn default() -> Self {
        EndpointSettings {
            name: None,
            instance_type: "ml.m5.large".into(),
            instance_count: 1,
            capture_percentage: 100,
            serverless: None,
            rollout: Rollout::default(),
            shadow: None,
            autoscaling: None,
            latency_calls: 20,
        }
    }
}

impl EndpointSettings {
    /// What it runs on, for names and messages.
    pub fn shape(&self) -> String {
        match self.serverless {
            None => format!("{} {} {}", self.instance_type, self.instance_count, self.capture_percentage),
            Some(Serverless { memory_mb, max_concurrency }) => format!("serverless {memory_mb} {max_concurrency}"),
        }
    }
}

impl Default for MonitorSettings {
    fn default() -> Self {
        MonitorSettings {
            schedule: "cron(10 * * * ? *)".into(),
            window_hours: 1,
            catch_up: 24,
            config: None,
            ground_truth: None,
            report_link: None,
            role_arn: None,
        }
    }
}

impl Default for AlarmSettings {
    fn default() -> Self {
        AlarmSettings {
            enabled: true,
            topic: None,
            email: Vec::new(),
            webhook: None,
            error_share: 0.01,
            client_error_share: 0.5,
            latency_p99_ms: 500.0,
            quiet_hours: 24,
        }
    }
}

impl Default for Local {
    fn default() -> Self {
        Local { state: ".sagebrush".into(), runtime: Runtime::Process, image: "sagebrush".into() }
    }
}

impl Settings {
    /// The model package group's name.
    pub fn group(&self) -> &str {
        self.registry.group.as_deref().unwrap_or(&self.project)
    }

    /// The endpoint's name.
    pub fn endpoint(&self) -> &str {
        self.endpoint.name.as_deref().unwrap_or(&self.project)
    }

    /// Name of the endpoint that a candidate is compared on before a shift.
    pub fn shadow_endpoint(&self) -> String {
        format!("{}{}", self.endpoint(), shadow::SUFFIX)
    }

    /// Where a setting stands, for a message: `pipeline.toml`.
    pub fn source(&self) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None => "the default settings".into(),
        }
    }
}
