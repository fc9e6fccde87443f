//! `[endpoint.rollout]` and `[endpoint.serverless]`: how a new config takes over, and what it runs on where no machine is
//! chosen.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How requests move to a new deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    /// All in one step.
    #[default]
    AllAtOnce,
    /// A small share first.
    Canary,
    /// In equal steps.
    Linear,
    /// Instance by instance, without a second fleet.
    Rolling,
}

/// `[endpoint.rollout]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rollout {
    /// How requests move.
    pub shift: Shift,
    /// Canary: the first share; linear: each step; rolling: instances at once. Percent of the capacity.
    pub step_percent: i32,
    /// After each step, with an eye on the alarms.
    pub wait_seconds: i32,
    /// Before the old fleet ends.
    pub termination_wait_seconds: i32,
    /// Names of alarms that roll it back.
    pub rollback_alarms: Vec<String>,
}

impl Default for Rollout {
    fn default() -> Self {
        Rollout {
            shift: Shift::AllAtOnce,
            step_percent: 10,
            wait_seconds: 0,
            termination_wait_seconds: 0,
            rollback_alarms: Vec::new(),
        }
    }
}

impl Rollout {
    /// The key and what is wrong with it; AWS refuses the same, after the models were made.
    pub fn check(&self, serverless: bool) -> Result<(), (&'static str, String, &'static str)> {
        let (least, most) = match self.shift {
            Shift::AllAtOnce | Shift::Canary => (1, 50),
            Shift::Linear => (10, 50),
            Shift::Rolling => (5, 50),
        };
        let percent = |expected| Err(("endpoint.rollout.step_percent", self.step_percent.to_string(), expected));
        if !(least..=most).contains(&self.step_percent) {
            return percent(match self.shift {
                Shift::AllAtOnce | Shift::Canary => "1 to 50",
                Shift::Linear => "10 to 50 for a linear shift",
                Shift::Rolling => "5 to 50 for a rolling update",
            });
        }
        for (key, seconds) in [
            ("endpoint.rollout.wait_seconds", self.wait_seconds),
            ("endpoint.rollout.termination_wait_seconds", self.termination_wait_seconds),
        ] {
            if !(0..=3600).contains(&seconds) {
                return Err((key, seconds.to_string(), "0 to 3600"));
            }
        }
        if self.rollback_alarms.len() > 10 {
            return Err(("endpoint.rollout.rollback_alarms", self.rollback_alarms.len().to_string(), "at most 10"));
        }
        if serverless && self.shift != Shift::AllAtOnce {
            let found = format!("{:?}", self.shift);
            return Err(("endpoint.rollout.shift", found, "all_at_once, since a serverless endpoint has no instances"));
        }
        Ok(())
    }
}

/// `[endpoint.serverless]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serverless {
    /// 1024 to 6144, in steps of 1024.
    pub memory_mb: i32,
    /// Requests at once.
    pub max_concurrency: i32,
}

impl Serverless {
    /// The key and what is wrong with it.
    pub fn check(self) -> Result<(), (&'static str, String, &'static str)> {
        if !(1024..=6144).contains(&self.memory_mb) || self.memory_mb % 1024 != 0 {
            let expected = "1024, 2048, 3072, 4096, 5120 or 6144";
            return Err(("endpoint.serverless.memory_mb", self.memory_mb.to_string(), expected));
        }
        if !(1..=200).contains(&self.max_concurrency) {
            return Err(("endpoint.serverless.max_concurrency", self.max_concurrency.to_string(), "1 to 200"));
        }
        Ok(())
    }
}
