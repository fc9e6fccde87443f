//! `run.json`: what the stages so far have found or made. CI passes this one file from job to job.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use report::evaluation::Metrics;
use serde::{Deserialize, Serialize};

use crate::{
    error::{self, Failure, Result},
    secrets,
    settings::Target,
    shadow::ShadowPart,
};

/// The value of [`RunRecord::format`].
pub const FORMAT: &str = "sagebrush.run/1";

/// The content of `run.json`; a part a stage, in the order of the stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Always [`FORMAT`].
    pub format: String,
    /// `project` of the settings.
    pub project: String,
    /// Where the stages ran.
    pub target: Target,
    /// Region of everything named here.
    pub region: String,
    /// Account of everything named here.
    pub account: String,
    /// Which run it is, on the tags of what it made; empty in records of versions before it.
    #[serde(default)]
    pub id: String,
    /// Made by `data`.
    pub data: Option<DataPart>,
    /// Made by `tune`; none where nothing was searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningPart>,
    /// Made by `train`.
    pub training: Option<TrainingPart>,
    /// Made by `evaluate`.
    pub evaluation: Option<EvaluationPart>,
    /// Made by `register`.
    pub model_package: Option<PackagePart>,
    /// Made by `approve`.
    pub approval: Option<ApprovalPart>,
    /// Made by `deploy`.
    pub deployment: Option<DeploymentPart>,
    /// Made by `deploy` where it compares before it shifts; the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowPart>,
    /// Made by `deploy` where several regions serve, wave after wave, the first region first; what is no longer wanted serves on until `destroy`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<RegionPart>,
    /// Made by `loadtest`, or by `deploy` where it scales; the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadPart>,
    /// Made by `transform`; the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<TransformPart>,
    /// Made by `run`: requests sent so that there is something to watch.
    pub traffic: Option<TrafficPart>,
    /// Made by `monitor`.
    pub monitoring: Option<MonitoringPart>,
}

/// The data, as it lies in the bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataPart {
    /// The bucket.
    pub bucket: String,
    /// Digest of names and contents of all files.
    pub digest: String,
    /// Column of the text.
    pub text_column: String,
    /// Column of the label.
    pub label_column: String,
    /// Documents a class of the training files.
    pub class_rows: BTreeMap<String, u64>,
    /// Files to fit on.
    pub train: ChannelPart,
    /// Files to measure on.
    pub test: ChannelPart,
}

/// The files of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelPart {
    /// Common prefix, `s3://bucket/data/train/<digest>/`.
    pub uri: String,
    /// In name order.
    pub files: Vec<FilePart>,
}

/// One uploaded file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilePart {
    /// Name below the channel.
    pub name: String,
    /// Key in the bucket.
    pub key: String,
    /// The bucket's version of it; none where it keeps none.
    pub version: Option<String>,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Size, bytes.
    pub bytes: u64,
    /// Documents in it.
    pub rows: u64,
}

/// A completed training job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingPart {
    /// Its name.
    pub job: String,
    /// Its ARN.
    pub arn: String,
    /// [`DataPart::digest`] of what it read.
    pub data_digest: String,
    /// The image it ran.
    pub image: String,
    /// That image's digest when the job was made or found, or what tells this executable from another where it stands for the
    /// image; empty in records of versions before it.
    #[serde(default)]
    pub image_digest: String,
    /// As it was given them.
    pub hyperparameters: BTreeMap<String, String>,
    /// `s3://…/model.tar.gz`.
    pub model_uri: String,
    /// `s3://…/output.tar.gz`.
    pub output_uri: String,
    /// What the job's metric definitions read from its log.
    pub metrics: BTreeMap<String, f64>,
}

/// A completed search for hyperparameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningPart {
    /// Its name.
    pub job: String,
    /// Its ARN.
    pub arn: String,
    /// Training jobs that it completed or stopped early.
    pub jobs: u64,
    /// Those of them that were stopped early.
    #[serde(default)]
    pub stopped: u64,
    /// The best of them.
    pub best_job: String,
    /// What was to be as large as can be.
    pub metric: String,
    /// Its value in the best one.
    pub value: f64,
    /// The hyperparameters that were searched, as the best one has them.
    pub tuned: BTreeMap<String, String>,
}

/// What a live endpoint was measured to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadPart {
    /// The endpoint.
    pub endpoint: String,
    /// Its config at that time.
    pub config: String,
    /// Its instances at that time.
    pub instances: u64,
    /// The most it answered within the bound.
    pub requests_per_second: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// What they were not to take longer than.
    pub latency_bound_ms: f64,
    /// Clients at once.
    pub concurrency: u64,
}

/// A batch of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransformPart {
    /// The job.
    pub job: String,
    /// The model it ran.
    pub model: String,
    /// The package that the model is made of.
    pub package: String,
    /// Prefix of the documents.
    pub input_uri: String,
    /// Prefix of the predictions, an `.out` object each.
    pub output_uri: String,
    /// Objects predicted.
    pub objects: u64,
}

/// An evaluation held against the gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationPart {
    /// The training job it belongs to.
    pub job: String,
    /// `s3://…/evaluation.json`.
    pub uri: String,
    /// SHA-256 of that file.
    pub sha256: String,
    /// Documents measured on.
    pub rows: u64,
    /// Headline figures.
    pub metrics: Metrics,
    /// The gate's accuracy at that time.
    pub gate: f64,
    /// Whether every rule of the gate is content.
    pub passed: bool,
    /// The gate's report; none in records of versions before it.
    #[serde(default)]
    pub verdicts: Option<GatePart>,
    /// The page, on this machine.
    pub report: PathBuf,
    /// The page, in the bucket.
    pub report_uri: String,
}

/// What the gate's report says, and where it lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatePart {
    /// `s3://…/gate.json`.
    pub uri: String,
    /// SHA-256 of that file.
    pub sha256: String,
    /// The model package that it was held against; none where there was none.
    pub champion: Option<String>,
    /// Rules that do not let it pass, each with its reason.
    pub refusals: Vec<String>,
    /// `s3://…/bias.json`; none where bias was not measured.
    pub bias_uri: Option<String>,
    /// The page, on this machine.
    pub report: PathBuf,
}

/// A model package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackagePart {
    /// Its ARN.
    pub arn: String,
    /// Its group.
    pub group: String,
    /// The training job whose artifact it holds.
    pub job: String,
    /// Model quality in the registry's schema.
    pub statistics_uri: String,
}

/// Who approved what, when and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalPart {
    /// The package.
    pub package: String,
    /// Who.
    pub by: String,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Why.
    pub reason: String,
    /// Why it was approved though its gate failed; none where the gate passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_override: Option<String>,
}

/// A deployment that proved itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentPart {
    /// The endpoint.
    pub endpoint: String,
    /// Its config.
    pub config: String,
    /// The model of its one variant.
    pub model: String,
    /// The package that the model is made of.
    pub package: String,
    /// When it was seen in service with this config first, RFC 3339, UTC.
    pub since: String,
    /// Golden documents whose predictions it repeated.
    pub verified: u64,
    /// Captured requests lie below, `s3://…/capture/`.
    pub capture_uri: String,
}

/// A region that serves, proved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionPart {
    /// Its name.
    pub region: String,
    /// 0: the first region, by itself.
    pub wave: usize,
    /// The endpoint's config there.
    pub config: String,
    /// The model there.
    pub model: String,
    /// `s3://…/model.tar.gz`, in that region's bucket.
    pub model_uri: String,
    /// When it had been watched as long as the settings say, RFC 3339, UTC; none where it was not, as the last wave never is.
    pub healthy: Option<String>,
}

/// Requests that `run` sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrafficPart {
    /// The endpoint they went to.
    pub endpoint: String,
    /// First words of their inference ids.
    pub id: String,
    /// How many.
    pub requests: u64,
    /// Start of the first, RFC 3339, UTC.
    pub from: String,
}

/// What watches the traffic, and what it saw last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonitoringPart {
    /// The endpoint.
    pub endpoint: String,
    /// Folder of the baseline's files.
    pub baseline_uri: String,
    /// The schedule's name.
    pub schedule: String,
    /// The last run of `monitor`; none where there was no traffic to look at.
    pub watch: Option<WatchPart>,
}

/// One look at a window of traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchPart {
    /// The processing job.
    pub job: String,
    /// Start of the window (inclusive), RFC 3339, UTC.
    pub from: String,
    /// End of the window (exclusive), RFC 3339, UTC.
    pub to: String,
    /// Documents seen.
    pub documents: u64,
    /// Violations found.
    pub violations: u64,
    /// The page, on this machine.
    pub report: PathBuf,
    /// Folder of the job's files in the bucket.
    pub uri: String,
}

impl RunRecord {
    /// A record of nothing yet.
    pub fn new(project: &str, target: Target, region: &str, account: &str) -> Self {
        RunRecord {
            format: FORMAT.into(),
            project: project.into(),
            target,
            region: region.into(),
            account: account.into(),
            id: id(),
            data: None,
            tuning: None,
            training: None,
            evaluation: None,
            model_package: None,
            approval: None,
            deployment: None,
            shadow: None,
            regions: Vec::new(),
            load: None,
            transform: None,
            traffic: None,
            monitoring: None,
        }
    }

    /// The record in `path`; `None` where there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(error::io(format!("{}: cannot be read", path.display()))(e)),
        };
        let damaged = |why: String| {
            Failure::new(format!("{}: is no run record", path.display()))
                .because(why)
                .hint("name another file with --run, or remove this one and start again with `data`")
        };
        let record: RunRecord = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
        if record.format != FORMAT {
            return Err(damaged(format!("its format is {:?}, expected {FORMAT:?}", record.format)));
        }
        Ok(Some(record))
    }

    /// Writes the record aside, then renames it.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| error::io("the run record as JSON")(e.into()))?;
        crate::files::write(path, &[&secrets::scrub_bytes(&text)[..], b"\n"].concat())
    }

    /// What `data` made.
    pub fn data(&self) -> Result<&DataPart> {
        self.data.as_ref().ok_or_else(|| missing("data", "data"))
    }

    /// What `train` made.
    pub fn training(&self) -> Result<&TrainingPart> {
        self.training.as_ref().ok_or_else(|| missing("training job", "train"))
    }

    /// What `evaluate` made.
    pub fn evaluation(&self) -> Result<&EvaluationPart> {
        self.evaluation.as_ref().ok_or_else(|| missing("evaluation", "evaluate"))
    }

    /// What `register` made.
    pub fn model_package(&self) -> Result<&PackagePart> {
        self.model_package.as_ref().ok_or_else(|| missing("model package", "register"))
    }

    /// What `deploy` made.
    pub fn deployment(&self) -> Result<&DeploymentPart> {
        self.deployment.as_ref().ok_or_else(|| missing("deployment", "deploy"))
    }

    /// Sets the data; what was made of other data is forgotten.
    pub fn set_data(&mut self, data: DataPart) {
        if self.data.as_ref().is_none_or(|old| (&old.digest, &old.bucket) != (&data.digest, &data.bucket)) {
            self.tuning = None;
            self.training = None;
            self.forget_after_training();
        }
        self.data = Some(data);
    }

    /// Sets the training job; what was made of another job is forgotten.
    pub fn set_training(&mut self, training: TrainingPart) {
        if self.training.as_ref().is_none_or(|old| old.job != training.job) {
            self.tuning = None;
            self.forget_after_training();
        }
        self.training = Some(training);
    }

    fn forget_after_training(&mut self) {
        self.evaluation = None;
        self.model_package = None;
        self.approval = None;
        self.forget_deployment();
    }

    /// The endpoint is gone, or runs something else.
    pub fn forget_deployment(&mut self) {
        self.deployment = None;
        self.traffic = None;
        self.monitoring = None;
    }
}

/// CI's number of the run, else the moment it begins.
fn id() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match variable("GITHUB_RUN_ID") {
        Some(run) => format!("github-{run}-{}", variable("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".into())),
        None => jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string(),
    }
}

fn missing(part: &str, stage: &str) -> Failure {
    Failure::new(format!("the run record has no {part} yet"))
        .hint(format!("run the stage before first: orchestrator {stage} (or all of them: orchestrator run)"))
}
