//! How a deployment's requests move from one fleet to the next, as its `DeploymentConfig` says.
//!
//! Blue/green: the new fleet is up as a whole before the first request; then its share grows step by step, alarms are
//! looked at between the steps, and the old fleet stays until the last wait is over. A rolling update's batches are such
//! steps too: its instances are not replaced one by one here, its requests are.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};

use crate::account::Account;

/// How often alarms are looked at during a wait.
const LOOK: Duration = Duration::from_millis(50);

/// A deployment config, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rollout {
    /// Shares of the requests, growing, the last of them all.
    pub steps: Vec<f64>,
    /// After each step.
    pub wait: Duration,
    /// Before the old fleet ends.
    pub termination: Duration,
    /// Of the whole.
    pub limit: Option<Duration>,
    /// Any of them in `ALARM` rolls it back.
    pub alarms: Vec<String>,
}

/// How a wait ended.
#[derive(Debug, PartialEq)]
pub(super) enum Waited {
    Well,
    /// Why requests go back to the old fleet.
    RollBack(String),
    Closing,
}

impl Rollout {
    /// Reads a deployment config that the shapes have checked, for variants of so many instances; the reason where it
    /// contradicts itself.
    pub fn of(config: &Value, instances: u32) -> Result<Rollout, String> {
        let seconds = |value: &Value| value.as_u64().map(Duration::from_secs);
        let alarms = config["AutoRollbackConfiguration"]["Alarms"].as_array().into_iter().flatten();
        let alarms = alarms.filter_map(|alarm| alarm["AlarmName"].as_str().map(str::to_owned)).collect();
        let (blue_green, rolling) = (&config["BlueGreenUpdatePolicy"], &config["RollingUpdatePolicy"]);
        let mut rollout =
            Rollout { steps: vec![1.0], wait: Duration::ZERO, termination: Duration::ZERO, limit: None, alarms };
        if !blue_green.is_null() && !rolling.is_null() {
            return Err("DeploymentConfig takes BlueGreenUpdatePolicy or RollingUpdatePolicy, not both.".to_owned());
        }
        if !rolling.is_null() {
            let part = share(&rolling["MaximumBatchSize"], "MaximumBatchSize", instances, (0.05, 0.5))?;
            rollout.steps = steps(part);
            rollout.wait = seconds(&rolling["WaitIntervalInSeconds"]).unwrap_or_default();
            rollout.limit = seconds(&rolling["MaximumExecutionTimeoutInSeconds"]);
        } else if !blue_green.is_null() {
            let routing = &blue_green["TrafficRoutingConfiguration"];
            rollout.steps = match routing["Type"].as_str() {
                Some("CANARY") => vec![share(&routing["CanarySize"], "CanarySize", instances, (0.0, 0.5))?, 1.0],
                Some("LINEAR") => steps(share(&routing["LinearStepSize"], "LinearStepSize", instances, (0.1, 0.5))?),
                _ => vec![1.0],
            };
            rollout.wait = seconds(&routing["WaitIntervalInSeconds"]).unwrap_or_default();
            rollout.termination = seconds(&blue_green["TerminationWaitInSeconds"]).unwrap_or_default();
            rollout.limit = seconds(&blue_green["MaximumExecutionTimeoutInSeconds"]);
        }
        let longest = rollout.wait * u32::try_from(rollout.steps.len()).unwrap_or(u32::MAX);
        match rollout.limit.filter(|limit| longest > *limit) {
            Some(limit) => Err(format!(
                "The waits of the deployment take {} s, MaximumExecutionTimeoutInSeconds is {}.",
                longest.as_secs(),
                limit.as_secs()
            )),
            None => Ok(rollout),
        }
    }

    /// Waits, with an eye on the alarms.
    pub(super) async fn bake(&self, account: &Arc<Account>, deadline: Option<Instant>) -> Waited {
        let end = Instant::now() + self.wait;
        loop {
            if let Some(alarm) = self.alarm(account) {
                return Waited::RollBack(format!(
                    "One or more configured alarms went into ALARM state during the deployment: {alarm}. The endpoint was rolled back."
                ));
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now > deadline) {
                return Waited::RollBack(
                    "The deployment took longer than MaximumExecutionTimeoutInSeconds.".to_owned(),
                );
            }
            if now >= end {
                return Waited::Well;
            }
            tokio::select! {
                () = sleep(LOOK.min(end - now)) => {}
                () = account.tasks.closing() => return Waited::Closing,
            }
        }
    }

    /// Waits before the old fleet ends.
    pub(super) async fn keep_old(&self, account: &Arc<Account>) {
        tokio::select! {
            () = sleep_until(Instant::now() + self.termination) => {}
            () = account.tasks.closing() => {}
        }
    }

    fn alarm(&self, account: &Account) -> Option<&str> {
        let goes_off = |name: &&String| account.alarms.get(name).is_some_and(|alarm| alarm.state == "ALARM");
        self.alarms.iter().find(goes_off).map(String::as_str)
    }
}

/// A capacity as a part of all instances.
fn share(size: &Value, member: &str, instances: u32, (least, most): (f64, f64)) -> Result<f64, String> {
    let value = size["Value"]
        .as_f64()
        .ok_or_else(|| format!("{member} must be specified for this type of traffic routing."))?;
    let part = match size["Type"].as_str() {
        Some("INSTANCE_COUNT") => value / f64::from(instances.max(1)),
        _ => value / 100.0,
    };
    // One instance cannot be halved: its requests can.
    let part = if instances <= 1 && size["Type"] == "INSTANCE_COUNT" { most } else { part };
    if part < least - 1e-9 || part > most + 1e-9 || part <= 0.0 {
        return Err(format!(
            "{member} is {:.0}% of the capacity; it must be between {:.0}% and {:.0}%.",
            part * 100.0,
            least * 100.0,
            most * 100.0
        ));
    }
    Ok(part)
}

fn steps(part: f64) -> Vec<f64> {
    let count = (1.0 / part - 1e-9).ceil() as u32;
    (1..=count).map(|n| (f64::from(n) * part).min(1.0)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn blue_green(routing: Value) -> Value {
        json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}})
    }

    #[test]
    fn requests_move_as_the_policy_says() {
        let percent = |n: u32| json!({"Type": "CAPACITY_PERCENT", "Value": n});
        for (config, instances, want) in [
            (Value::Null, 1, vec![1.0]),
            (blue_green(json!({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 1})), 1, vec![1.0]),
            (
                blue_green(json!({"Type": "CANARY", "WaitIntervalInSeconds": 1, "CanarySize": percent(10)})),
                1,
                vec![0.1, 1.0],
            ),
            (
                blue_green(
                    json!({"Type": "CANARY", "WaitIntervalInSeconds": 1, "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}),
                ),
                4,
                vec![0.25, 1.0],
            ),
            (
                blue_green(json!({"Type": "LINEAR", "WaitIntervalInSeconds": 1, "LinearStepSize": percent(50)})),
                1,
                vec![0.5, 1.0],
            ),
            (
                json!({"RollingUpdatePolicy": {"MaximumBatchSize": percent(25), "WaitIntervalInSeconds": 1}}),
                4,
                vec![0.25, 0.5, 0.75, 1.0],
            ),
        ] {
            assert_eq!(Rollout::of(&config, instances).map(|r| r.steps), Ok(want), "{config}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let percent = |n: u32| json!({"Type": "CAPACITY_PERCENT", "Value": n});
        for (config, want) in [
            (blue_green(json!({"Type": "CANARY"})), "CanarySize must be specified for this type of traffic routing."),
            (
                blue_green(json!({"Type": "CANARY", "CanarySize": percent(60)})),
                "CanarySize is 60% of the capacity; it must be between 0% and 50%.",
            ),
            (
                blue_green(json!({"Type": "LINEAR", "LinearStepSize": percent(5)})),
                "LinearStepSize is 5% of the capacity; it must be between 10% and 50%.",
            ),
            (
                json!({"BlueGreenUpdatePolicy": {}, "RollingUpdatePolicy": {}}),
                "DeploymentConfig takes BlueGreenUpdatePolicy or RollingUpdatePolicy, not both.",
            ),
        ] {
            assert_eq!(Rollout::of(&config, 2).unwrap_err(), want);
        }
    }
}
