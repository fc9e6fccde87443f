//! `HyperParameterTuningJob`: what is searched, the training jobs it has made, and the best of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    TrainingJob,
    listing::{Order, Row, page},
    tags, text, training_job,
};
use crate::{
    account::Account,
    arn,
    fault::Fault,
    jobs::{
        self,
        tuning::{Point, Space},
    },
    shapes, time,
};

/// Jobs where the request does not say how many.
const JOBS: usize = 100;
/// What a training job has of its definition under the same name.
const SAME: [&str; 9] = [
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "CheckpointConfig",
    "Environment",
];

/// A tuning job as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TuningJob {
    pub request: Value,
    pub name: String,
    pub arn: String,
    pub status: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub ended: Option<Timestamp>,
    pub failure: Option<String>,
    pub trials: Vec<Trial>,
}

/// One training job of a tuning job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    pub name: String,
    pub tuned: BTreeMap<String, String>,
    /// Its objective, once it has ended with one.
    pub value: Option<f64>,
    /// Whether it was ended before it was completed.
    #[serde(default)]
    pub stopped: bool,
}

impl Trial {
    pub fn new(name: String, tuned: Point) -> Trial {
        Trial { name, tuned, value: None, stopped: false }
    }
}

impl TuningJob {
    pub fn enter(&mut self, status: &str) {
        status.clone_into(&mut self.status);
        self.modified = time::now();
        if self.is_over() {
            self.ended = Some(self.modified);
        }
    }

    pub fn is_over(&self) -> bool {
        !matches!(self.status.as_str(), "InProgress" | "Stopping")
    }

    pub fn fail(&mut self, reason: &str) {
        self.failure = Some(reason.chars().take(1024).collect());
        self.enter("Failed");
    }

    fn config(&self) -> &Value {
        &self.request["HyperParameterTuningJobConfig"]
    }

    fn definition(&self) -> &Value {
        &self.request["TrainingJobDefinition"]
    }

    fn objective(&self) -> &Value {
        &self.config()["HyperParameterTuningJobObjective"]
    }

    pub fn space(&self) -> Result<Space, String> {
        Space::of(&self.config()["ParameterRanges"])
    }

    pub fn metric(&self) -> &str {
        text(self.objective(), "MetricName")
    }

    pub fn minimizes(&self) -> bool {
        self.objective()["Type"] == "Minimize"
    }

    pub fn stops_early(&self) -> bool {
        self.config()["TrainingJobEarlyStoppingType"] == "Auto"
    }

    pub fn strategy(&self) -> &str {
        text(self.config(), "Strategy")
    }

    /// The request's, else one that is a function of the name.
    pub fn seed(&self) -> u64 {
        let of_name = || self.name.bytes().fold(0_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
        self.config()["RandomSeed"].as_u64().unwrap_or_else(of_name)
    }

    fn limit(&self, name: &str) -> Option<usize> {
        self.config()["ResourceLimits"][name].as_u64().and_then(|n| usize::try_from(n).ok())
    }

    /// Most training jobs.
    pub fn most(&self) -> usize {
        self.limit("MaxNumberOfTrainingJobs").unwrap_or(JOBS)
    }

    /// Training jobs at once.
    pub fn parallel(&self) -> usize {
        self.limit("MaxParallelTrainingJobs").unwrap_or(1).max(1)
    }

    pub fn longest(&self) -> Option<Duration> {
        self.limit("MaxRuntimeInSeconds").map(|seconds| Duration::from_secs(seconds as u64))
    }

    /// `<job>-<number>-<digest>`, as AWS names them.
    pub fn trial_name(&self, number: usize, point: &Point) -> String {
        let fold = |sum: u64, b: u8| (sum ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        let words = point.iter().flat_map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes(), b";"].concat());
        let digest = words.fold(0xcbf2_9ce4_8422_2325, fold);
        format!("{}-{number:03}-{:08x}", self.name, digest >> 32)
    }

    /// The request of a training job.
    pub fn training_job(&self, trial: &Trial) -> Value {
        let definition = self.definition();
        let mut hyperparameters = definition["StaticHyperParameters"].as_object().cloned().unwrap_or_default();
        hyperparameters.extend(trial.tuned.iter().map(|(name, value)| (name.clone(), json!(value))));
        hyperparameters.insert("_tuning_objective_metric".to_owned(), self.objective()["MetricName"].clone());
        let mut request = json!({
            "TrainingJobName": trial.name,
            "TuningJobArn": self.arn,
            "AlgorithmSpecification": definition["AlgorithmSpecification"],
            "HyperParameters": hyperparameters,
        });
        for member in SAME {
            if let Some(value) = definition.get(member).filter(|value| !value.is_null()) {
                request[member] = value.clone();
            }
        }
        request
    }

    /// The objective of a training job that has ended, by itself or because it was stopped.
    fn objective_of(&self, training: &TrainingJob) -> Option<f64> {
        let found = training.metrics.iter().find(|metric| metric.name == self.metric());
        found.filter(|_| training.status != "Failed").map(|metric| metric.value)
    }

    pub fn ended_trial(&mut self, name: &str, training: Option<&TrainingJob>) {
        let value = training.and_then(|training| self.objective_of(training));
        if let Some(trial) = self.trials.iter_mut().find(|trial| trial.name == name) {
            trial.value = value;
            trial.stopped = training.is_some_and(|training| training.status == "Stopped");
        }
        self.modified = time::now();
    }

    fn better(&self, a: f64, b: f64) -> bool {
        if self.minimizes() { a < b } else { a > b }
    }

    /// The first of the best completed training jobs so far.
    pub fn best(&self) -> Option<&Trial> {
        let completed = self.trials.iter().filter(|trial| !trial.stopped);
        let measured = completed.filter_map(|trial| Some((trial, trial.value?)));
        let best = measured.reduce(|best, next| if self.better(next.1, best.1) { next } else { best });
        best.map(|(trial, _)| trial)
    }

    /// Whether a completion criterion is met.
    pub fn has_enough(&self) -> bool {
        let Some(best) = self.best() else { return false };
        let criteria = &self.config()["TuningJobCompletionCriteria"];
        let reached = criteria["TargetObjectiveMetricValue"].as_f64();
        let reached = reached.zip(best.value).is_some_and(|(target, value)| !self.better(target, value));
        let patience = criteria["BestObjectiveNotImproving"]["MaxNumberOfTrainingJobsNotImproving"].as_u64();
        let since = self.trials.iter().skip_while(|trial| trial.name != best.name).skip(1);
        let worse = since.filter(|trial| trial.value.is_some()).count() as u64;
        reached || patience.is_some_and(|most| worse >= most)
    }

    fn describe(&self, account: &Account) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeHyperParameterTuningJobResponse", &self.request);
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        put("HyperParameterTuningJobArn", json!(self.arn));
        put("HyperParameterTuningJobStatus", json!(self.status));
        put("Strategy", json!(self.strategy()));
        put("ResourceLimits", self.config()["ResourceLimits"].clone());
        put("CreationTime", time::epoch(self.created));
        put("LastModifiedTime", time::epoch(self.modified));
        if let Some(ended) = self.ended {
            put("HyperParameterTuningEndTime", time::epoch(ended));
        }
        let statuses: Vec<(String, Option<f64>)> = self.trials.iter().map(|t| (status(account, t), t.value)).collect();
        let count = |names: &[&str]| statuses.iter().filter(|(status, _)| names.contains(&status.as_str())).count();
        put(
            "TrainingJobStatusCounters",
            json!({
                "Completed": count(&["Completed"]), "InProgress": count(&["InProgress", "Stopping"]),
                "RetryableError": 0, "NonRetryableError": count(&["Failed"]), "Stopped": count(&["Stopped"]),
            }),
        );
        let succeeded = statuses.iter().filter(|(_, value)| value.is_some()).count();
        let pending = count(&["InProgress", "Stopping"]);
        let failed = statuses.len() - succeeded - pending.min(statuses.len() - succeeded);
        put("ObjectiveStatusCounters", json!({"Succeeded": succeeded, "Pending": pending, "Failed": failed}));
        if let Some(best) = self.best() {
            put("BestTrainingJob", self.summary(account, best));
        }
        if let Some(reason) = &self.failure {
            put("FailureReason", json!(reason));
        }
        Value::Object(out)
    }

    fn summary(&self, account: &Account, trial: &Trial) -> Value {
        let training = account.training_jobs.get(&trial.name);
        let mut out = json!({
            "TrainingJobName": trial.name,
            "TrainingJobArn": arn::sagemaker(&account.region, "training-job", &trial.name),
            "TrainingJobStatus": status(account, trial),
            "CreationTime": time::epoch(training.as_ref().map_or(self.created, |t| t.created)),
            "TunedHyperParameters": trial.tuned,
        });
        if let Some(value) = trial.value {
            let objective = self.objective();
            out["FinalHyperParameterTuningJobObjectiveMetric"] =
                json!({"Type": objective["Type"], "MetricName": objective["MetricName"], "Value": value});
        }
        let over = training.as_ref().is_some_and(TrainingJob::is_over);
        out["ObjectiveStatus"] = json!(match (trial.value, over) {
            (Some(_), _) => "Succeeded",
            (None, true) => "Failed",
            (None, false) => "Pending",
        });
        let times = training.as_ref().map(|t| [("TrainingStartTime", t.started), ("TrainingEndTime", t.ended)]);
        for (name, at) in times.into_iter().flatten() {
            if let Some(at) = at {
                out[name] = time::epoch(at);
            }
        }
        if let Some(reason) = training.and_then(|t| t.failure) {
            out["FailureReason"] = json!(reason);
        }
        out
    }
}

fn status(account: &Account, trial: &Trial) -> String {
    account.training_jobs.get(&trial.name).map_or_else(|| "InProgress".to_owned(), |training| training.status)
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let name = text(&request, "HyperParameterTuningJobName").to_owned();
    let arn = arn::sagemaker(&account.region, "hyper-parameter-tuning-job", &name);
    let now = time::now();
    let job = TuningJob {
        name: name.clone(),
        arn: arn.clone(),
        status: "InProgress".to_owned(),
        created: now,
        modified: now,
        ended: None,
        failure: None,
        trials: Vec::new(),
        request: request.clone(),
    };
    check(account, &job)?;
    if !account.tuning_jobs.add(&name, job)? {
        return Err(Fault::new(
            "ResourceInUse",
            format!(
                "Tuning job names must be unique within an AWS account and region, and a tuning job with this name already exists ({arn})"
            ),
        ));
    }
    tags::attach(account, &arn, &request)?;
    jobs::start_tuning(account, &name);
    Ok(json!({"HyperParameterTuningJobArn": arn}))
}

/// What AWS checks beyond the shapes, and what the emulator does not do.
fn check(account: &Account, job: &TuningJob) -> Result<(), Fault> {
    for (member, instead) in [
        ("TrainingJobDefinitions", "TrainingJobDefinition"),
        ("WarmStartConfig", "a tuning job without parents"),
        ("Autotune", "ParameterRanges"),
    ] {
        if !job.request[member].is_null() {
            return Err(Fault::validation(format!("{member} is not supported by the emulator; use {instead}.")));
        }
    }
    if job.definition().is_null() {
        return Err(Fault::validation("TrainingJobDefinition must be specified."));
    }
    if job.strategy() == "Hyperband" && job.stops_early() {
        return Err(Fault::validation(
            "TrainingJobEarlyStoppingType must be Off for the Hyperband strategy, which stops training jobs by itself.",
        ));
    }
    let metric = job.metric();
    let metrics = job.definition()["AlgorithmSpecification"]["MetricDefinitions"].as_array();
    let defined = metrics.into_iter().flatten().any(|definition| text(definition, "Name") == metric);
    if !defined || metric.is_empty() {
        return Err(Fault::validation(format!(
            "The objective metric `{metric}` must be one of the metric definitions of the training job definition."
        )));
    }
    let space = job.space().map_err(Fault::validation)?;
    let most = job.limit("MaxNumberOfTrainingJobs");
    if job.strategy() == "Grid" {
        let combinations = space.grid().map_err(Fault::validation)?.len();
        if most.is_some_and(|most| most != combinations) {
            return Err(Fault::validation(format!(
                "MaxNumberOfTrainingJobs must be {combinations}, the number of combinations of the grid, or not be given."
            )));
        }
    } else if most.is_none() && job.config()["TuningJobCompletionCriteria"].is_null() && job.longest().is_none() {
        return Err(Fault::validation(
            "MaxNumberOfTrainingJobs, MaxRuntimeInSeconds or completion criteria must be specified.",
        ));
    }
    training_job::check(account, &job.training_job(&Trial::new(String::new(), Point::new())))
}

fn find(account: &Account, request: &Value) -> Result<TuningJob, Fault> {
    let name = text(request, "HyperParameterTuningJobName");
    let missing = || {
        let arn = arn::sagemaker(&account.region, "hyper-parameter-tuning-job", name);
        Fault::new("ResourceNotFound", format!("Amazon SageMaker can't find a tuning job with ARN {arn}."))
    };
    account.tuning_jobs.get(name).ok_or_else(missing)
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let mut out = find(account, &request)?.describe(account);
    if let Some(out) = out.as_object_mut() {
        out.retain(|name, _| !matches!(name.as_str(), "Strategy" | "ResourceLimits"));
    }
    Ok(out)
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |job: TuningJob| Row {
        summary: Value::Object(shapes::pick(
            shapes::sagemaker(),
            "HyperParameterTuningJobSummary",
            &job.describe(account),
        )),
        name: job.name,
        status: job.status,
        created: job.created,
        modified: job.modified,
    };
    let rows = account.tuning_jobs.all().into_iter().map(row).collect();
    page(&request, rows, "HyperParameterTuningJobSummaries", Order::Ascending)
}

pub(super) fn trials(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let job = find(account, &request)?;
    let row = |trial: &Trial| {
        let summary = job.summary(account, trial);
        let created = account.training_jobs.get(&trial.name).map_or(job.created, |training| training.created);
        let status = text(&summary, "TrainingJobStatus").to_owned();
        Row { name: trial.name.clone(), status, created, modified: created, summary }
    };
    page(&request, job.trials.iter().map(row).collect(), "TrainingJobSummaries", Order::Ascending)
}

pub(super) fn stop(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let job = find(account, &request)?;
    if job.is_over() {
        return Err(Fault::validation(format!(
            "The request was rejected because the tuning job is in status {}.",
            job.status
        )));
    }
    account.tuning_jobs.update(&job.name, |job| job.enter("Stopping"))?;
    account.stops.ask(&job.arn);
    Ok(Value::Null)
}
