//! CloudWatch: metrics that the endpoints, the jobs' logs and clients send, and alarms on them that really go off.

mod alarm;
mod api;
mod data;
mod evaluate;
mod metrics;
mod summary;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use alarm::Alarm;
pub(crate) use api::answer;
pub(crate) use data::from_log_line;
pub(crate) use evaluate::run;
pub(crate) use metrics::{Metric, Metrics};
pub(crate) use summary::Summary;

/// The metric that a request's `Namespace`, `MetricName` and `Dimensions` name.
fn metric_of(request: &Value) -> Metric {
    let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
    let dimensions = request["Dimensions"].as_array().into_iter().flatten();
    let dimensions: BTreeMap<String, String> = dimensions.map(|d| (text(d, "Name"), text(d, "Value"))).collect();
    Metric { namespace: text(request, "Namespace"), name: text(request, "MetricName"), dimensions }
}
