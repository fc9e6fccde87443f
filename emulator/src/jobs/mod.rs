//! Jobs in the background: a fresh folder laid out as the contract says, the container in it, what it left uploaded.

pub(crate) mod metrics;
mod processing;
mod supervise;
mod training;
pub(crate) mod transform;
pub(crate) mod tuning;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use tokio::{sync::watch, task::spawn_blocking};

use crate::{account::Account, fault::Fault, files};

/// Why a job that was running is Failed after the emulator ended under it.
const ABANDONED: &str = "InternalServerError: the emulator stopped while the job ran";

/// Who may be asked to stop, by ARN.
#[derive(Default)]
pub(crate) struct Stops(Mutex<BTreeMap<String, watch::Sender<bool>>>);

impl Stops {
    /// Asks a running job to stop.
    pub fn ask(&self, arn: &str) {
        if let Some(stop) = self.lock().get(arn) {
            stop.send_replace(true);
        }
    }

    fn enter(&self, arn: &str) -> watch::Receiver<bool> {
        self.lock().entry(arn.to_owned()).or_insert_with(|| watch::Sender::new(false)).subscribe()
    }

    fn leave(&self, arn: &str) {
        self.lock().remove(arn);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, watch::Sender<bool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the training job of that name.
pub(crate) fn start_training(account: &Arc<Account>, name: &str) {
    if let Some(job) = account.training_jobs.get(name) {
        let (stop, account) = (account.stops.enter(&job.arn), account.clone());
        account.clone().tasks.spawn(async move { training::run(account, job, stop, None).await });
    }
}

/// Runs the training job of that name to its end; `heard` is told the values of its metrics.
async fn run_training(account: &Arc<Account>, name: &str, heard: Option<metrics::Heard>) {
    if let Some(job) = account.training_jobs.get(name) {
        let stop = account.stops.enter(&job.arn);
        training::run(account.clone(), job, stop, heard).await;
    }
}

/// Starts the tuning job of that name.
pub(crate) fn start_tuning(account: &Arc<Account>, name: &str) {
    if let Some(job) = account.tuning_jobs.get(name) {
        let (stop, account) = (account.stops.enter(&job.arn), account.clone());
        account.clone().tasks.spawn(async move { tuning::run(account, job, stop).await });
    }
}

/// Starts the processing job of that name.
pub(crate) fn start_processing(account: &Arc<Account>, name: &str) {
    if let Some(job) = account.processing_jobs.get(name) {
        let (stop, account) = (account.stops.enter(&job.arn), account.clone());
        account.clone().tasks.spawn(async move { processing::run(account, job, stop).await });
    }
}

/// Starts the transform job of that name.
pub(crate) fn start_transform(account: &Arc<Account>, name: &str) {
    if let Some(job) = account.transform_jobs.get(name) {
        let (stop, account) = (account.stops.enter(&job.arn), account.clone());
        account.clone().tasks.spawn(async move { transform::run(account, job, stop).await });
    }
}

/// Ends, as failed, the jobs that ran when an earlier emulator was killed.
pub(crate) fn fail_abandoned(account: &Account) -> io::Result<()> {
    for job in account.training_jobs.all().into_iter().filter(|job| !job.is_over()) {
        account.training_jobs.update(&job.name, |job| job.fail(ABANDONED))?;
    }
    for job in account.processing_jobs.all().into_iter().filter(|job| !job.is_over()) {
        account.processing_jobs.update(&job.name, |job| job.fail(ABANDONED))?;
    }
    for job in account.tuning_jobs.all().into_iter().filter(|job| !job.is_over()) {
        account.tuning_jobs.update(&job.name, |job| job.fail(ABANDONED))?;
    }
    for job in account.transform_jobs.all().into_iter().filter(|job| !job.is_over()) {
        account.transform_jobs.update(&job.name, |job| job.fail(ABANDONED))?;
    }
    Ok(())
}

/// A job has one host here: more is refused as an account without the quota is.
pub(crate) fn check_instances(resources: &Value, what: &str) -> Result<(), Fault> {
    let count = resources["InstanceCount"].as_u64().unwrap_or(1);
    if count <= 1 {
        return Ok(());
    }
    let kind = resources["InstanceType"].as_str().unwrap_or("ml.m5.large");
    Err(Fault::new(
        "ResourceLimitExceeded",
        format!(
            "The account-level service limit '{kind} for {what} usage' is 1 Instances, with current utilization of 0 Instances and a request delta of {count} Instances. The emulator runs a job on one host."
        ),
    ))
}

/// A job's own folder, removed with all that is in it when the job is over.
struct Folder(PathBuf);

impl Folder {
    async fn make(account: &Account, name: &str) -> io::Result<Folder> {
        let path = account.work().join(format!("{name}-{}", uuid::Uuid::new_v4().simple()));
        tokio::fs::create_dir_all(&path).await?;
        Ok(Folder(path))
    }

    fn join(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Where a path of the container is: `/opt/ml/…` is below this folder.
    fn inside(&self, path: &str) -> PathBuf {
        self.0.join(path.strip_prefix("/opt/ml").unwrap_or(path).trim_start_matches('/'))
    }

    fn write_json(&self, path: &str, value: &Value) -> io::Result<()> {
        files::write_json(&self.join(path), value)
    }

    async fn remove(self) {
        // What is left is swept at the next start.
        let _ = spawn_blocking(move || files::remove_tree(&self.0)).await;
    }
}

/// `resourceconfig.json` of a cluster of one.
fn resource_config(instance_type: Option<&str>) -> Value {
    let mut config = json!({"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"});
    if let Some(kind) = instance_type {
        config["current_instance_type"] = json!(kind);
        config["current_group_name"] = json!("homogeneousCluster");
        config["instance_groups"] =
            json!([{"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": ["algo-1"]}]);
    }
    config
}

/// A request's string map as pairs.
fn environment(map: &Value) -> Vec<(String, String)> {
    let pairs = map.as_object().into_iter().flatten();
    pairs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

/// A request's list of strings.
fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `FailureReason` of a job whose container does not run at all.
fn cannot_start(reason: impl std::fmt::Display) -> String {
    format!("ClientError: the container cannot be started: {reason}")
}

/// The first `most` characters of a file that a container may have left.
async fn beginning(path: &Path, most: usize) -> Option<String> {
    let text = tokio::fs::read(path).await.ok()?;
    let text = String::from_utf8_lossy(&text[..text.len().min(most * 4)]).trim().chars().take(most).collect::<String>();
    (!text.is_empty()).then_some(text)
}
