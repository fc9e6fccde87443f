//! Alarms looked at again and again, and their actions.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::alarm::Alarm;
use crate::{account::Account, sns};

/// How often alarms are looked at when nothing else asks.
const LOOK: Duration = Duration::from_secs(5);
/// Where what cannot be done is said.
const LOG: &str = "/emulator/cloudwatch";

/// Runs until the emulator closes.
pub(crate) async fn run(account: Arc<Account>) {
    loop {
        let next = account.clock().now() + SignedDuration::from_secs(5);
        tokio::select! {
            () = account.clock().wait(next, LOOK) => look(&account),
            () = account.tasks.closing() => break,
        }
    }
    keep(&account);
}

/// Brings every alarm up to what its metric's values say.
pub(super) fn look(account: &Arc<Account>) {
    keep(account);
    let now = account.clock().now();
    for alarm in account.alarms.all() {
        if alarm.held.is_some_and(|until| now < until) {
            continue;
        }
        let (state, reason) = alarm.judged(&account.metrics, now);
        if alarm.state != state {
            enter(account, &alarm.name, state, reason, None);
        }
    }
}

fn keep(account: &Account) {
    if let Err(e) = account.metrics.flush(account.clock().now()) {
        account.logs.append(LOG, "values", &format!("the values of metrics cannot be written: {e}"));
    }
}

/// Puts an alarm into a state and does what it is to do there.
pub(super) fn enter(account: &Arc<Account>, name: &str, state: &str, reason: String, held: Option<Timestamp>) {
    let now = account.clock().now();
    let changed = account.alarms.update(name, |alarm| {
        let old = alarm.state.clone();
        alarm.held = held;
        alarm.enter(state, reason, now);
        (old, alarm.clone())
    });
    match changed {
        Ok(Some((old, alarm))) if old != alarm.state => act(account, &old, &alarm),
        Ok(_) => {}
        Err(e) => account.logs.append(LOG, name, &format!("its state cannot be written: {e}")),
    }
}

fn act(account: &Arc<Account>, old: &str, alarm: &Alarm) {
    let (subject, body) = alarm.message(old);
    for action in alarm.actions() {
        let done = match action.starts_with("arn:aws:sns:") {
            true => sns::publish(account, action, Some(&subject), &body).map(|_| ()),
            false => Err("the emulator acts on topics alone".to_owned()),
        };
        let said = match done {
            Ok(()) => format!("Successfully executed action {action}"),
            Err(why) => format!("Failed to execute action {action}: {why}"),
        };
        account.logs.append(LOG, &alarm.name, &format!("{} to {}: {said}", old, alarm.state));
        account.alarms.change(&alarm.name, |alarm| alarm.remember(account.clock().now(), "Action", said));
    }
}
