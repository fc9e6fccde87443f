//! The clock: waits for the next schedule that is due, and calls its target.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::{Schedule, expression::Expression};
use crate::{account::Account, sagemaker, shapes};

/// Targets are operations of SageMaker, called by name.
const TARGET: &str = "arn:aws:scheduler:::aws-sdk:sagemaker:";
/// Where what came of each call is written.
const LOG: &str = "/emulator/scheduler";
/// The clock looks again at least this often: the system's own may be set.
const LOOK: Duration = Duration::from_secs(60);

/// The SageMaker operation of a target, as SageMaker spells it.
pub(super) fn operation(target_arn: &str) -> Option<String> {
    let name = target_arn.strip_prefix(TARGET)?;
    let mut letters = name.chars();
    let name: String = letters.next()?.to_uppercase().chain(letters).collect();
    shapes::sagemaker().operations.contains_key(&name).then_some(name)
}

/// Runs until the emulator closes.
pub(crate) async fn run(account: Arc<Account>) {
    let mut changed = account.schedules_changed.subscribe();
    // What was due while no emulator ran is not made up for.
    let mut looked = account.opened;
    loop {
        let now = account.clock().now();
        // A clock that was set back looks again from there: what was due then is due again, as a schedule's calls may repeat.
        looked = looked.min(now);
        let mut next = None;
        for schedule in account.schedules.all() {
            match schedule.next(looked.max(schedule.modified)) {
                Some(due) if due <= now => fire(&account, &schedule, due),
                Some(due) => next = Some(next.map_or(due, |next: Timestamp| next.min(due))),
                None => {}
            }
        }
        looked = now;
        tokio::select! {
            () = account.clock().wait(next.unwrap_or(Timestamp::MAX), LOOK) => {}
            _ = changed.changed() => {}
            () = account.tasks.closing() => return,
        }
    }
}

fn fire(account: &Arc<Account>, schedule: &Schedule, due: Timestamp) {
    let key = schedule.key();
    let note = |text: String| account.logs.append(LOG, &key, &text);
    let once = Expression::parse(schedule.text("ScheduleExpression")).is_ok_and(|expression| expression.is_once());
    let recorded = if once && schedule.text("ActionAfterCompletion") == "DELETE" {
        account.schedules.remove(&key).map(|_| ())
    } else {
        account.schedules.update(&key, |schedule| schedule.fired = Some(due)).map(|_| ())
    };
    if let Err(e) = recorded {
        note(format!("not fired: its state cannot be written: {e}"));
        return;
    }
    let target = &schedule.request["Target"];
    let Some(operation) = target["Arn"].as_str().and_then(operation) else { return };
    let id = uuid::Uuid::new_v4().to_string();
    let input = target["Input"].as_str().unwrap_or("{}");
    let input = substitute(
        input,
        &[
            ("<aws.scheduler.execution-id>", &id),
            ("<aws.scheduler.scheduled-time>", &format!("{due:.0}")),
            ("<aws.scheduler.schedule-arn>", &schedule.arn()),
            ("<aws.scheduler.attempt-number>", "1"),
        ],
    );
    match sagemaker::answer(account, &operation, input.as_bytes()) {
        Ok(answer) => note(format!("{operation} at {due}: {}", shown(&answer))),
        Err(fault) => note(format!("{operation} at {due}: {}: {}", fault.kind, fault.message)),
    }
}

fn substitute(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn shown(answer: &Value) -> String {
    if answer.is_null() { "done".to_owned() } else { answer.to_string() }
}
