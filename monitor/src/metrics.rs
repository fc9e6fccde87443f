//! What CloudWatch is told: a JSON line a metric, where Model Monitor's containers leave theirs.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::features::{Columns, Numeric, PREDICTED_LABEL};
use crate::settings::WatchJob;
use crate::stats::sample::Sample;
use report::DriftReport;

/// Where CloudWatch shows them, beside `serve`'s.
const NAMESPACE: &str = "Sagebrush";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'l> {
    metric_name: String,
    timestamp: &'l str,
    dimensions: &'l [Dimension<'l>],
    #[serde(flatten)]
    value: Value,
    unit: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension<'l> {
    name: &'static str,
    value: &'l str,
}

#[derive(Serialize)]
enum Value {
    Value(f64),
    #[serde(rename_all = "PascalCase")]
    StatisticValues {
        sample_count: f64,
        sum: f64,
        minimum: f64,
        maximum: f64,
    },
}

/// All lines of a run: Model Monitor's names a feature, and `documents`, `violations`, `unreadable_requests`,
/// `damaged_lines` of the whole window.
pub fn lines(job: &WatchJob, report: &DriftReport, window: &Columns, timestamp: &str) -> String {
    let dimensions: Vec<Dimension> =
        [("Endpoint", Some(job.endpoint.as_str())), ("MonitoringSchedule", job.schedule.as_deref())]
            .into_iter()
            .filter_map(|(name, value)| value.filter(|v| !v.is_empty()).map(|value| Dimension { name, value }))
            .collect();
    let line = |metric_name: String, value: Value, unit: &'static str| Line {
        metric_name,
        timestamp,
        dimensions: &dimensions,
        value,
        unit,
    };
    let count = |name: &str, value: u64| line(name.into(), Value::Value(value as f64), "Count");
    let mut lines = vec![
        count("documents", report.documents),
        count("violations", report.violations.len() as u64),
        count("unreadable_requests", report.unreadable_requests),
        count("damaged_lines", report.damaged),
    ];
    for feature in Numeric::ALL {
        let values = window.values(feature);
        lines.push(count(&format!("feature_non_null_{}", feature.name()), values.len()));
        if let Some(value) = spread(values) {
            lines.push(line(format!("feature_data_{}", feature.name()), value, "None"));
        }
    }
    lines.push(count(&format!("feature_non_null_{PREDICTED_LABEL}"), window.labelled()));
    for check in &report.checks {
        let name = format!("feature_baseline_drift_{}", check.feature);
        lines.push(line(name, Value::Value(check.value), "None"));
    }
    let mut share = |name: &str, value: Option<f64>| {
        lines.extend(value.map(|value| line(name.into(), Value::Value(value), "None")));
    };
    share("accuracy_estimated", report.accuracy.as_ref().map(|accuracy| accuracy.accuracy));
    share("accuracy_measured", report.measured.as_ref().map(|measured| measured.all.accuracy));
    lines.extend(report.records.iter().map(|record| count(&format!("records_{}", record.kind), record.documents)));
    lines.iter().filter_map(|line| serde_json::to_string(line).ok()).map(|line| line + "\n").collect()
}

/// The figures that alarms are set on, in CloudWatch's embedded metric format: a line in the log, whose time is that of the
/// run, since an alarm asks what is known by now.
pub fn embedded(job: &WatchJob, report: &DriftReport, now: Timestamp) -> String {
    let accuracy = report.accuracy.as_ref().map(|found| found.accuracy);
    let measured = report.measured.as_ref().map(|found| found.all.accuracy);
    let figures = [
        ("MonitoredWindows", "Count", Some(1.0)),
        ("MonitoredDocuments", "Count", Some(report.documents as f64)),
        ("DriftViolations", "Count", Some(report.violations.len() as f64)),
        ("EstimatedAccuracy", "None", accuracy),
        ("MeasuredAccuracy", "None", measured),
    ];
    let known = || figures.iter().filter_map(|(name, unit, value)| Some((*name, *unit, (*value)?)));
    let definitions: Vec<Json> = known().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [["Endpoint"]], "Metrics": definitions});
    let head = json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive]});
    let mut line = json!({"_aws": head, "Endpoint": job.endpoint});
    known().for_each(|(name, _, value)| line[name] = json!(value));
    line.to_string()
}

fn spread(values: &Sample) -> Option<Value> {
    let moments = values.moments();
    (!values.is_empty()).then_some(Value::StatisticValues {
        sample_count: moments.count as f64,
        sum: moments.mean * moments.count as f64,
        minimum: moments.min,
        maximum: moments.max,
    })
}
