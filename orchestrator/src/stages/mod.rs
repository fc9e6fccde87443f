//! The stages, one file each, in the order of the pipeline. Each reads what is wanted, looks what is there, makes the
//! difference, and extends the run record.

pub mod approve;
pub mod data;
pub mod deploy;
pub mod destroy;
pub mod diff;
pub mod evaluate;
pub mod invoke;
pub mod lineage;
pub mod loadtest;
pub mod monitor;
pub mod register;
pub mod reproduce;
pub mod run;
pub mod status;
pub mod traffic;
pub mod train;
pub mod transform;
pub mod tune;
pub mod waves;
pub mod windows;

use std::time::Duration;

use crate::{
    aws::{Account, Aws},
    ecr,
    output::Output,
    poll::Waiting,
    settings::{Regions, Settings, Target},
};

/// What every stage works with.
pub struct Context {
    /// The settings, with the command line over them.
    pub settings: Settings,
    /// The clients.
    pub aws: Aws,
    /// What the settings leave open.
    pub account: Account,
    /// Where to say what.
    pub out: Output,
    /// Whether `--yes` was given.
    pub yes: bool,
}

impl Context {
    /// Where `name` is shown in the account's console; none for the local target, which has no console.
    pub fn console(&self, page: &str) -> Option<String> {
        let (region, page) = (&self.aws.region, page.trim_start_matches('/'));
        match self.settings.target {
            Target::Local => None,
            Target::Aws => {
                Some(format!("https://{region}.console.aws.amazon.com/sagemaker/home?region={region}#/{page}"))
            }
        }
    }

    /// The same project in another region of the account: its bucket, its repository, and no region besides.
    pub fn in_region(&self, region: &str) -> Context {
        let (mut settings, mut account) = (self.settings.clone(), self.account.clone());
        settings.region = Some(region.to_owned());
        settings.regions = Regions::default();
        // What was compared in the first region is not compared again.
        settings.endpoint.shadow = None;
        // An ARN names a topic of its own region alone.
        settings.alarms.topic = settings.alarms.topic.filter(|topic| !topic.starts_with("arn:"));
        account.bucket = format!("{}-{}-{region}", settings.project, self.aws.account);
        account.image = ecr::in_region(&account.image, region);
        Context { settings, account, aws: self.aws.in_region(region), out: self.out.clone(), yes: self.yes }
    }

    /// A page of this machine: `<state>/reports/<name>`.
    pub fn report(&self, name: &str) -> std::path::PathBuf {
        self.settings.local.state.join("reports").join(name)
    }

    /// A wait for `what`, which itself takes up to `minutes` once it runs.
    pub fn waiting(&self, what: impl Into<String>, minutes: i32) -> Waiting {
        let minutes = f64::from(minutes) + self.settings.wait_minutes;
        self.aws.poll.until(what, Duration::from_secs_f64(minutes * 60.0))
    }
}
