//! The one account in one of its regions: everything the services share. Buckets alone are the account's, whatever the region.

use std::{io, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    REGION, Settings, StartError, Timing,
    autoscaling::Kept,
    clock::Clock,
    cloudwatch::{Alarm, Metrics},
    container::{Launcher, leftovers},
    endpoint::Fleets,
    files,
    jobs::Stops,
    logs::Logs,
    s3,
    sagemaker::{
        Endpoint, EndpointConfig, Model, ModelPackage, ModelPackageGroup, ProcessingJob, Tag, TrainingJob,
        TransformJob, TuningJob,
    },
    scheduler::Schedule,
    shelf::Shelf,
    sns::{Subscription, Topic},
    sts,
    tasks::Tasks,
};

/// State, runtime and settings of one region of the emulator.
pub(crate) struct Account {
    /// What its ARNs name.
    pub region: String,
    pub settings: Settings,
    pub timing: Timing,
    pub url: String,
    /// What is older was there before this run.
    pub opened: Timestamp,
    pub bucket: Arc<s3::Store>,
    pub logs: Logs,
    pub launcher: Launcher,
    pub tasks: Tasks,
    pub stops: Stops,
    pub fleets: Fleets,
    pub training_jobs: Shelf<TrainingJob>,
    pub processing_jobs: Shelf<ProcessingJob>,
    pub transform_jobs: Shelf<TransformJob>,
    pub tuning_jobs: Shelf<TuningJob>,
    pub scalable_targets: Shelf<Kept>,
    pub scaling_policies: Shelf<Kept>,
    pub scheduled_actions: Shelf<Kept>,
    pub models: Shelf<Model>,
    pub endpoint_configs: Shelf<EndpointConfig>,
    pub endpoints: Shelf<Endpoint>,
    pub model_package_groups: Shelf<ModelPackageGroup>,
    pub model_packages: Shelf<ModelPackage>,
    pub tags: Shelf<Vec<Tag>>,
    pub metrics: Metrics,
    pub alarms: Shelf<Alarm>,
    pub topics: Shelf<Topic>,
    pub subscriptions: Shelf<Subscription>,
    pub schedules: Shelf<Schedule>,
    pub sessions: sts::Sessions,
    /// Counts the changes of schedules, for the clock that waits for the next one due.
    pub schedules_changed: watch::Sender<u64>,
}

impl Account {
    /// Opens the state of the account's own region; `settings.state` is absolute by now.
    pub async fn open(settings: Settings, timing: Timing, url: String) -> Result<Account, StartError> {
        let buckets = settings.state.join("s3");
        let store = s3::Store::open(&buckets).await;
        let store = store.map_err(|e| StartError::Store { path: buckets, reason: e.to_string() })?;
        Account::of_region(home(), settings, timing, url, Arc::new(store))
    }

    /// Opens another region of the same account, whose state lies in a folder of its own.
    pub fn in_region(&self, region: &str) -> Result<Account, StartError> {
        let settings = Settings { state: self.regions().join(region), ..self.settings.clone() };
        Account::of_region(region.to_owned(), settings, self.timing.clone(), self.url.clone(), self.bucket.clone())
    }

    fn of_region(
        region: String,
        settings: Settings,
        timing: Timing,
        url: String,
        bucket: Arc<s3::Store>,
    ) -> Result<Account, StartError> {
        let state = settings.state.clone();
        let in_state = |e: io::Error| StartError::file(&state, e);
        let resources = state.join("sagemaker");
        let account = Account {
            region,
            bucket,
            logs: Logs::open(state.join("logs"))?,
            launcher: Launcher::start().map_err(in_state)?,
            tasks: Tasks::new(),
            stops: Stops::default(),
            fleets: Fleets::default(),
            training_jobs: Shelf::open(resources.join("training-jobs"))?,
            processing_jobs: Shelf::open(resources.join("processing-jobs"))?,
            tuning_jobs: Shelf::open(resources.join("tuning-jobs"))?,
            transform_jobs: Shelf::open(resources.join("transform-jobs"))?,
            scalable_targets: Shelf::open(state.join("autoscaling/targets"))?,
            scaling_policies: Shelf::open(state.join("autoscaling/policies"))?,
            scheduled_actions: Shelf::open(state.join("autoscaling/actions"))?,
            models: Shelf::open(resources.join("models"))?,
            endpoint_configs: Shelf::open(resources.join("endpoint-configs"))?,
            endpoints: Shelf::open(resources.join("endpoints"))?,
            model_package_groups: Shelf::open(resources.join("model-package-groups"))?,
            model_packages: Shelf::open(resources.join("model-packages"))?,
            tags: Shelf::open(resources.join("tags"))?,
            metrics: Metrics::open(state.join("cloudwatch/metrics"))?,
            alarms: Shelf::open(state.join("cloudwatch/alarms"))?,
            topics: Shelf::open(state.join("sns/topics"))?,
            subscriptions: Shelf::open(state.join("sns/subscriptions"))?,
            schedules: Shelf::open(state.join("scheduler"))?,
            sessions: sts::Sessions::default(),
            schedules_changed: watch::Sender::new(0),
            opened: timing.clock.now(),
            settings,
            timing,
            url,
        };
        leftovers::end(&account.processes()).map_err(in_state)?;
        files::remove_tree(&account.work()).map_err(in_state)?;
        Ok(account)
    }

    /// The time that schedules and alarms go by.
    pub fn clock(&self) -> &Clock {
        &self.timing.clock
    }

    /// Where the states of the other regions lie.
    pub fn regions(&self) -> PathBuf {
        self.settings.state.join("regions")
    }

    /// Where the children that live are written down.
    pub fn processes(&self) -> PathBuf {
        self.settings.state.join("processes")
    }

    /// Where the folders that stand for `/opt/ml` are while something runs in them.
    pub fn work(&self) -> PathBuf {
        self.settings.state.join("work")
    }
}

/// The region that is meant where none is said.
pub(crate) fn home() -> String {
    REGION.to_owned()
}
