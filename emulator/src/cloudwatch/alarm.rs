//! An alarm: what it looks at, and what state that puts it in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    metrics::{Metric, Metrics},
    summary::Statistic,
};
use crate::{ACCOUNT, account::home, shapes, time};

/// State changes that are remembered of one alarm.
const REMEMBERED: usize = 100;

/// An alarm as it is kept, by its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alarm {
    /// What PutMetricAlarm was given.
    pub request: Value,
    pub name: String,
    #[serde(default = "home")]
    pub region: String,
    pub configured: Timestamp,
    pub state: String,
    pub reason: String,
    /// When the reason was last looked at.
    pub updated: Timestamp,
    /// When the state last changed.
    pub changed: Timestamp,
    /// SetAlarmState holds until then.
    pub held: Option<Timestamp>,
    pub history: Vec<Change>,
}

/// One line of an alarm's history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    pub at: Timestamp,
    /// `StateUpdate`, `ConfigurationUpdate`, `Action`.
    pub kind: String,
    pub summary: String,
}

impl Alarm {
    pub fn new(request: Value, region: &str, now: Timestamp) -> Alarm {
        let name = request["AlarmName"].as_str().unwrap_or_default().to_owned();
        let mut alarm = Alarm {
            request,
            name,
            region: region.to_owned(),
            configured: now,
            state: "INSUFFICIENT_DATA".to_owned(),
            reason: "Unchecked: Initial alarm creation".to_owned(),
            updated: now,
            changed: now,
            held: None,
            history: Vec::new(),
        };
        alarm.remember(now, "ConfigurationUpdate", format!("Alarm \"{}\" created", alarm.name));
        alarm
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:cloudwatch:{}:{ACCOUNT}:alarm:{}", self.region, self.name)
    }

    fn text(&self, member: &str) -> &str {
        self.request[member].as_str().unwrap_or_default()
    }

    fn number(&self, member: &str) -> Option<i64> {
        self.request[member].as_i64()
    }

    pub fn period(&self) -> i64 {
        self.number("Period").unwrap_or(60).max(1)
    }

    pub fn metric(&self) -> Metric {
        super::metric_of(&self.request)
    }

    /// What to do on entering the present state.
    pub fn actions(&self) -> Vec<&str> {
        let member = match self.state.as_str() {
            "OK" => "OKActions",
            "ALARM" => "AlarmActions",
            _ => "InsufficientDataActions",
        };
        let enabled = self.request["ActionsEnabled"].as_bool().unwrap_or(true);
        let all = self.request[member].as_array().into_iter().flatten();
        all.filter(|_| enabled).filter_map(Value::as_str).collect()
    }

    /// The state that the metric's values put it in, and why. A period ends now, the one before it where that begins.
    pub fn judged(&self, metrics: &Metrics, now: Timestamp) -> (&'static str, String) {
        let statistic = Statistic::parse(match self.text("Statistic") {
            "" => self.text("ExtendedStatistic"),
            plain => plain,
        });
        let (metric, unit) = (self.metric(), self.request["Unit"].as_str());
        let periods = self.number("EvaluationPeriods").unwrap_or(1).max(1);
        let needed = self.number("DatapointsToAlarm").unwrap_or(periods).clamp(1, periods);
        let threshold = self.request["Threshold"].as_f64().unwrap_or_default();
        let (end, length) = (now.as_second() + 1, self.period());
        let point = |n: i64| {
            let summed = metrics.summed(&metric, unit, end - (n + 1) * length..end - n * length)?;
            summed.get(statistic?)
        };
        let points: Vec<Option<f64>> = (0..periods).map(point).collect();
        let breaches = |value: f64| match self.text("ComparisonOperator") {
            "GreaterThanOrEqualToThreshold" => value >= threshold,
            "GreaterThanThreshold" => value > threshold,
            "LessThanThreshold" => value < threshold,
            _ => value <= threshold,
        };
        let missing = points.iter().filter(|point| point.is_none()).count();
        let mut breaching = points.iter().flatten().filter(|value| breaches(**value)).count();
        let treat = match self.text("TreatMissingData") {
            "" => "missing",
            treat => treat,
        };
        if treat == "breaching" {
            breaching += missing;
        }
        let shown: Vec<String> = points.iter().flatten().map(ToString::to_string).collect();
        let shown = format!(
            "{} datapoint{} [{}], {missing} missing (treated as [{treat}]), threshold {} ({threshold})",
            shown.len(),
            if shown.len() == 1 { "" } else { "s" },
            shown.join(", "),
            self.text("ComparisonOperator"),
        );
        let all_missing = missing == points.len();
        if all_missing && treat == "ignore" {
            return (self.known_state(), self.reason.clone());
        }
        if all_missing && treat == "missing" {
            return ("INSUFFICIENT_DATA", format!("Insufficient Data: {shown}"));
        }
        let needed = usize::try_from(needed).unwrap_or(1);
        match breaching >= needed {
            true => ("ALARM", format!("Threshold Crossed: {breaching} of the last {periods} periods: {shown}")),
            false => ("OK", format!("Threshold not crossed in {needed} of the last {periods} periods: {shown}")),
        }
    }

    fn known_state(&self) -> &'static str {
        match self.state.as_str() {
            "OK" => "OK",
            "ALARM" => "ALARM",
            _ => "INSUFFICIENT_DATA",
        }
    }

    /// Enters a state.
    pub fn enter(&mut self, state: &str, reason: String, now: Timestamp) {
        if self.state != state {
            let summary = format!("Alarm updated from {} to {state}", self.state);
            self.remember(now, "StateUpdate", summary);
            (self.state, self.changed) = (state.to_owned(), now);
        }
        (self.reason, self.updated) = (reason.chars().take(1023).collect(), now);
    }

    pub fn remember(&mut self, at: Timestamp, kind: &str, summary: String) {
        let summary = summary.chars().take(255).collect();
        self.history.push(Change { at, kind: kind.to_owned(), summary });
        let over = self.history.len().saturating_sub(REMEMBERED);
        self.history.drain(..over);
    }

    pub fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::cloudwatch(), "MetricAlarm", &self.request);
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        put("AlarmArn", json!(self.arn()));
        put("AlarmConfigurationUpdatedTimestamp", time::epoch(self.configured));
        put("StateValue", json!(self.state));
        put("StateReason", json!(self.reason));
        put("StateUpdatedTimestamp", time::epoch(self.updated));
        put("StateTransitionedTimestamp", time::epoch(self.changed));
        for (member, default) in [
            ("ActionsEnabled", json!(true)),
            ("OKActions", json!([])),
            ("AlarmActions", json!([])),
            ("InsufficientDataActions", json!([])),
            ("Dimensions", json!([])),
        ] {
            out.entry(member).or_insert(default);
        }
        Value::Object(out)
    }

    /// The message that an action on a topic publishes: subject and body.
    pub fn message(&self, old: &str) -> (String, String) {
        let list = |member: &str| self.request.get(member).cloned().unwrap_or_else(|| json!([]));
        let trigger = json!({
            "MetricName": self.request["MetricName"], "Namespace": self.request["Namespace"],
            "StatisticType": if self.request["Statistic"].is_null() { "ExtendedStatistic" } else { "Statistic" },
            "Statistic": self.text("Statistic").to_uppercase(),
            "ExtendedStatistic": self.request["ExtendedStatistic"],
            "Unit": self.request["Unit"], "Dimensions": list("Dimensions"), "Period": self.period(),
            "EvaluationPeriods": self.request["EvaluationPeriods"], "DatapointsToAlarm": self.request["DatapointsToAlarm"],
            "ComparisonOperator": self.request["ComparisonOperator"], "Threshold": self.request["Threshold"],
            "TreatMissingData": self.text("TreatMissingData"),
        });
        let body = json!({
            "AlarmName": self.name, "AlarmDescription": self.request["AlarmDescription"], "AWSAccountId": ACCOUNT,
            "AlarmConfigurationUpdatedTimestamp": self.configured.to_string(), "NewStateValue": self.state,
            "NewStateReason": self.reason, "StateChangeTime": self.changed.to_string(), "Region": self.region,
            "AlarmArn": self.arn(), "OldStateValue": old, "OKActions": list("OKActions"),
            "AlarmActions": list("AlarmActions"), "InsufficientDataActions": list("InsufficientDataActions"),
            "Trigger": trigger,
        });
        (format!("{}: \"{}\" in {}", self.state, self.name, self.region).chars().take(100).collect(), body.to_string())
    }
}
