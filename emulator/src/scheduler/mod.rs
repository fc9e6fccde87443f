//! EventBridge Scheduler, REST-JSON: schedules that really fire.

mod api;
mod expression;
mod fire;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use api::answer;
pub(crate) use fire::run;

use crate::{ACCOUNT, account::home, time};
use expression::Expression;

/// A schedule as it is kept, by `<group>/<name>`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Schedule {
    request: Value,
    group: String,
    name: String,
    #[serde(default = "home")]
    region: String,
    created: Timestamp,
    modified: Timestamp,
    /// When it last was due.
    fired: Option<Timestamp>,
}

impl Schedule {
    fn key(&self) -> String {
        format!("{}/{}", self.group, self.name)
    }

    fn arn(&self) -> String {
        format!("arn:aws:scheduler:{}:{ACCOUNT}:schedule/{}", self.region, self.key())
    }

    fn text(&self, member: &str) -> &str {
        self.request[member].as_str().unwrap_or_default()
    }

    /// When it is due next, after `now`; `None` where it is disabled or over.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        if self.text("State") == "DISABLED" {
            return None;
        }
        let zone = TimeZone::get(self.text("ScheduleExpressionTimezone")).unwrap_or(TimeZone::UTC);
        let expression = Expression::parse(self.text("ScheduleExpression")).ok()?;
        let start = time::parse(&self.request["StartDate"]).unwrap_or(self.modified);
        let due = expression.next(now, start, self.fired, &zone)?;
        let end = time::parse(&self.request["EndDate"]);
        end.is_none_or(|end| due <= end).then_some(due)
    }
}
