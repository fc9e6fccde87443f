//! Values coming in and going out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    metric_of,
    metrics::{Metric, Metrics},
    summary::{Statistic, Summary},
};
use crate::{account::Account, fault::Fault, time};

/// Most datapoints of one answer.
const MOST: i64 = 1440;
/// Most metrics on a page.
const PAGE: usize = 500;

/// `PutMetricData`.
pub(super) fn put(account: &Account, request: &Value) -> Result<Value, Fault> {
    let now = account.clock().now();
    for (n, datum) in request["MetricData"].as_array().into_iter().flatten().enumerate() {
        let mut named = datum.clone();
        named["Namespace"] = request["Namespace"].clone();
        let at = time::parse(&datum["Timestamp"]).unwrap_or(now);
        let unit = datum["Unit"].as_str().unwrap_or("None");
        let values = values(datum).ok_or_else(|| {
            Fault::new(
                "MissingParameter",
                format!("At least one of the parameters MetricData.member.{}.Value, Values or StatisticValues must be specified.", n + 1),
            )
        })?;
        account.metrics.add(&metric_of(&named), unit, at, &values);
    }
    account.metrics.flush(now)?;
    Ok(Value::Null)
}

fn values(datum: &Value) -> Option<Summary> {
    if let Some(value) = datum["Value"].as_f64() {
        return Some(Summary::of(value, 1.0));
    }
    if let Some(values) = datum["Values"].as_array() {
        let mut sum = Summary::default();
        for (n, value) in values.iter().filter_map(Value::as_f64).enumerate() {
            sum.merge(&Summary::of(value, datum["Counts"][n].as_f64().unwrap_or(1.0)));
        }
        return Some(sum);
    }
    let figure = |name: &str| datum["StatisticValues"][name].as_f64();
    Some(Summary::of_figures(figure("SampleCount")?, figure("Sum")?, figure("Minimum")?, figure("Maximum")?))
}

/// The metrics in a line that a container printed, where it is in CloudWatch's embedded metric format.
pub(crate) fn from_log_line(metrics: &Metrics, line: &str, now: Timestamp) {
    if !(line.starts_with('{') && line.contains("\"_aws\"")) {
        return;
    }
    let Ok(root) = serde_json::from_str::<Value>(line) else { return };
    let at = root["_aws"]["Timestamp"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now);
    for directive in root["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
        let namespace = directive["Namespace"].as_str().unwrap_or_default();
        for set in directive["Dimensions"].as_array().into_iter().flatten() {
            let names = set.as_array().into_iter().flatten().filter_map(Value::as_str);
            let dimensions: BTreeMap<String, String> =
                names.filter_map(|name| Some((name.to_owned(), root[name].as_str()?.to_owned()))).collect();
            for definition in directive["Metrics"].as_array().into_iter().flatten() {
                let name = definition["Name"].as_str().unwrap_or_default();
                let unit = definition["Unit"].as_str().unwrap_or("None");
                let metric =
                    Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: dimensions.clone() };
                let found = match &root[name] {
                    Value::Array(all) => all.iter().filter_map(Value::as_f64).collect(),
                    one => one.as_f64().into_iter().collect::<Vec<f64>>(),
                };
                for value in found {
                    metrics.add(&metric, unit, at, &Summary::of(value, 1.0));
                }
            }
        }
    }
}

fn dimensions(metric: &Metric) -> Value {
    metric.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
}

/// `ListMetrics`.
pub(super) fn list(account: &Account, request: &Value) -> Result<Value, Fault> {
    let wanted = |member: &str, of: &str| request[member].as_str().is_none_or(|text| text == of);
    let filters = request["Dimensions"].as_array().cloned().unwrap_or_default();
    let has = |metric: &Metric, filter: &Value| {
        let value = metric.dimensions.get(filter["Name"].as_str().unwrap_or_default());
        value.is_some_and(|value| filter["Value"].as_str().is_none_or(|wanted| wanted == value))
    };
    let found = account.metrics.names().into_iter().filter(|metric| {
        wanted("Namespace", &metric.namespace)
            && wanted("MetricName", &metric.name)
            && filters.iter().all(|filter| has(metric, filter))
    });
    let from = position(request)?;
    let mut found: Vec<Metric> = found.skip(from).take(PAGE + 1).collect();
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let shown = |metric: &Metric| json!({"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions(metric)});
    let mut answer = json!({"Metrics": found.iter().map(shown).collect::<Vec<_>>()});
    if more {
        answer["NextToken"] = json!((from + PAGE).to_string());
    }
    Ok(answer)
}

/// Where the page begins that a token names.
pub(super) fn position(request: &Value) -> Result<usize, Fault> {
    match request["NextToken"].as_str() {
        None => Ok(0),
        Some(token) => token.parse().map_err(|_| Fault::new("InvalidNextToken", "The next token is invalid")),
    }
}

/// The periods of a question that have values, the earliest first.
fn periods(
    account: &Account,
    (metric, unit): (&Metric, Option<&str>),
    request: &Value,
    period: i64,
) -> Result<Vec<(i64, Summary)>, Fault> {
    let bound = |member: &str| time::parse(&request[member]).map(|at| at.as_second()).unwrap_or_default();
    let (start, end) = (bound("StartTime"), bound("EndTime"));
    if start >= end {
        return Err(Fault::new(
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    let first = start - start.rem_euclid(period);
    if (end - first) / period > MOST {
        return Err(Fault::new(
            "InvalidParameterCombination",
            format!(
                "You have requested up to {} datapoints, which exceeds the limit of {MOST}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
                (end - first) / period
            ),
        ));
    }
    let step = usize::try_from(period).unwrap_or(60);
    let starts = (first..end).step_by(step);
    let found = starts.filter_map(|at| Some((at, account.metrics.summed(metric, unit, at..(at + period).min(end))?)));
    Ok(found.collect())
}

fn statistic(text: &str) -> Result<Statistic, Fault> {
    let unknown = || {
        let known = "SampleCount, Average, Sum, Minimum, Maximum and percentiles such as p99";
        Fault::new(
            "InvalidParameterValue",
            format!("The statistic {text} is not known to the emulator; it has {known}."),
        )
    };
    Statistic::parse(text).ok_or_else(unknown)
}

/// `GetMetricStatistics`.
pub(super) fn statistics(account: &Account, request: &Value) -> Result<Value, Fault> {
    let (metric, unit) = (metric_of(request), request["Unit"].as_str());
    let words = |member: &str| request[member].as_array().cloned().unwrap_or_default();
    let (plain, extended) = (words("Statistics"), words("ExtendedStatistics"));
    if plain.is_empty() && extended.is_empty() {
        return Err(Fault::new(
            "MissingParameter",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        ));
    }
    let shown_unit = account.metrics.unit(&metric).unwrap_or_else(|| "None".to_owned());
    let mut points = Vec::new();
    for (at, values) in periods(account, (&metric, unit), request, request["Period"].as_i64().unwrap_or(60))? {
        let mut point = json!({"Timestamp": at as f64, "Unit": shown_unit});
        for (list, inside) in [(&plain, false), (&extended, true)] {
            for name in list.iter().filter_map(Value::as_str) {
                let Some(value) = values.get(statistic(name)?) else { continue };
                if inside {
                    point["ExtendedStatistics"][name] = json!(value);
                } else {
                    point[name] = json!(value);
                }
            }
        }
        points.push(point);
    }
    Ok(json!({"Label": metric.name, "Datapoints": points}))
}

/// `GetMetricData`, without expressions.
pub(super) fn data(account: &Account, request: &Value) -> Result<Value, Fault> {
    let mut results = Vec::new();
    for query in request["MetricDataQueries"].as_array().into_iter().flatten() {
        let stat = &query["MetricStat"];
        if stat.is_null() {
            let message = format!("Query {}: the emulator has no expressions, MetricStat alone.", query["Id"]);
            return Err(Fault::new("InvalidParameterValue", message));
        }
        let (metric, unit) = (metric_of(&stat["Metric"]), stat["Unit"].as_str());
        let asked = statistic(stat["Stat"].as_str().unwrap_or_default())?;
        let mut found = periods(account, (&metric, unit), request, stat["Period"].as_i64().unwrap_or(60))?;
        if request["ScanBy"].as_str() != Some("TimestampAscending") {
            found.reverse();
        }
        let points: Vec<(f64, f64)> = found.iter().filter_map(|(at, v)| Some((*at as f64, v.get(asked)?))).collect();
        if query["ReturnData"].as_bool() == Some(false) {
            continue;
        }
        let (times, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let label = query["Label"].as_str().unwrap_or(&metric.name);
        results.push(
            json!({"Id": query["Id"], "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete"}),
        );
    }
    Ok(json!({"MetricDataResults": results}))
}
