//! The operations, by name.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    alarm::Alarm,
    data,
    evaluate::{enter, look},
    summary::Statistic,
};
use crate::{account::Account, fault::Fault, sagemaker::tags, time};

/// Alarms on a page where the request does not say.
const PAGE: usize = 50;

/// Answers one operation; `Null` for those that answer nothing.
pub(crate) fn answer(account: &Arc<Account>, operation: &str, request: &Value) -> Result<Value, Fault> {
    match operation {
        "PutMetricAlarm" => put(account, request),
        "DescribeAlarms" => describe(account, request),
        "DescribeAlarmHistory" => history(account, request),
        "DeleteAlarms" => delete(account, request),
        "SetAlarmState" => set(account, request),
        "EnableAlarmActions" => actions(account, request, true),
        "DisableAlarmActions" => actions(account, request, false),
        "PutMetricData" => {
            data::put(account, request)?;
            look(account);
            Ok(Value::Null)
        }
        "GetMetricStatistics" => data::statistics(account, request),
        "GetMetricData" => data::data(account, request),
        "ListMetrics" => data::list(account, request),
        "TagResource" => tags::add(account, request.clone()).map(|_| json!({})),
        "UntagResource" => tags::delete(account, request.clone()),
        _ => tags::list(account, request.clone()),
    }
}

fn text<'a>(request: &'a Value, member: &str) -> &'a str {
    request[member].as_str().unwrap_or_default()
}

fn invalid(message: String) -> Fault {
    Fault::new("ValidationError", message)
}

/// What an alarm must say that the emulator can judge.
fn check(request: &Value) -> Result<(), Fault> {
    let name = text(request, "AlarmName");
    for (member, what) in
        [("Metrics", "metric math"), ("EvaluationCriteria", "PromQL"), ("ThresholdMetricId", "anomaly detection")]
    {
        if !request[member].is_null() {
            return Err(invalid(format!("Alarm {name}: the emulator judges one metric and has no {what} ({member}).")));
        }
    }
    for member in ["MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator"] {
        if request[member].is_null() {
            return Err(Fault::new("MissingParameter", format!("The parameter {member} must be specified.")));
        }
    }
    let statistic = match (text(request, "Statistic"), text(request, "ExtendedStatistic")) {
        ("", "") => {
            return Err(Fault::new(
                "MissingParameter",
                "Exactly one of Statistic and ExtendedStatistic must be specified",
            ));
        }
        ("", extended) => extended,
        (plain, "") => plain,
        _ => {
            return Err(Fault::new(
                "InvalidParameterCombination",
                "Exactly one of Statistic and ExtendedStatistic must be specified",
            ));
        }
    };
    if Statistic::parse(statistic).is_none() {
        return Err(invalid(format!(
            "Invalid statistic {statistic}: the emulator has SampleCount, Average, Sum, Minimum, Maximum and percentiles such as p99."
        )));
    }
    let period = request["Period"].as_i64().unwrap_or_default();
    if !matches!(period, 1 | 5 | 10 | 20 | 30) && period % 60 != 0 {
        return Err(invalid("Period must be 10, 20, 30 or a multiple of 60".to_owned()));
    }
    let periods = request["EvaluationPeriods"].as_i64().unwrap_or(1);
    if request["DatapointsToAlarm"].as_i64().is_some_and(|needed| needed > periods) {
        return Err(invalid("DatapointsToAlarm must not be greater than EvaluationPeriods".to_owned()));
    }
    if period.saturating_mul(periods) > 7 * 86_400 {
        return Err(invalid(
            "Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= 604800)"
                .to_owned(),
        ));
    }
    let operator = text(request, "ComparisonOperator");
    if operator.contains("Lower") || operator.contains("Upper") {
        return Err(invalid(format!(
            "ComparisonOperator {operator} is of anomaly detection, which the emulator does not have."
        )));
    }
    let missing = text(request, "TreatMissingData");
    if !matches!(missing, "" | "breaching" | "notBreaching" | "ignore" | "missing") {
        return Err(invalid(format!("TreatMissingData {missing} is none of breaching, notBreaching, ignore, missing")));
    }
    Ok(())
}

/// Makes an alarm or changes it: a state that it has it keeps until the metric's values say another.
fn put(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    check(request)?;
    let now = account.clock().now();
    let mut kept = request.clone();
    let tags = kept.as_object_mut().and_then(|members| members.remove("Tags")).unwrap_or_default();
    let alarm = Alarm::new(kept.clone(), &account.region, now);
    let (name, arn) = (alarm.name.clone(), alarm.arn());
    if account.alarms.add(&name, alarm)? {
        tags::attach(account, &arn, &json!({"Tags": tags}))?;
    } else {
        // As AWS: tags of a request that changes an alarm are passed over.
        account.alarms.update(&name, |alarm| {
            if alarm.request != kept {
                (alarm.request, alarm.configured) = (kept, now);
                alarm.remember(now, "ConfigurationUpdate", format!("Alarm \"{}\" updated", alarm.name));
            }
        })?;
    }
    look(account);
    Ok(Value::Null)
}

fn describe(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    look(account);
    let names: Option<Vec<&str>> =
        request["AlarmNames"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect());
    let (prefix, state) = (text(request, "AlarmNamePrefix"), text(request, "StateValue"));
    let action = text(request, "ActionPrefix");
    let of_metrics =
        request["AlarmTypes"].as_array().is_none_or(|kinds| kinds.iter().any(|kind| kind == "MetricAlarm"));
    let wanted = |alarm: &Alarm| {
        of_metrics
            && names.as_ref().is_none_or(|names| names.contains(&alarm.name.as_str()))
            && alarm.name.starts_with(prefix)
            && (state.is_empty() || alarm.state == state)
            && (action.is_empty() || alarm.actions().iter().any(|arn| arn.starts_with(action)))
    };
    let from = data::position(request)?;
    let most = request["MaxRecords"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(PAGE);
    let mut found: Vec<Alarm> = account.alarms.all().into_iter().filter(wanted).skip(from).take(most + 1).collect();
    let more = found.len() > most;
    found.truncate(most);
    let mut answer =
        json!({"MetricAlarms": found.iter().map(Alarm::describe).collect::<Vec<_>>(), "CompositeAlarms": []});
    if more {
        answer["NextToken"] = json!((from + most).to_string());
    }
    Ok(answer)
}

fn history(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    look(account);
    let (name, kind) = (text(request, "AlarmName"), text(request, "HistoryItemType"));
    let bound = |member: &str| time::parse(&request[member]);
    let (since, until) = (bound("StartDate"), bound("EndDate"));
    let mut items = Vec::new();
    for alarm in account.alarms.all().into_iter().filter(|alarm| name.is_empty() || alarm.name == name) {
        let wanted = alarm.history.iter().filter(|change| {
            (kind.is_empty() || change.kind == kind)
                && since.is_none_or(|since| change.at >= since)
                && until.is_none_or(|until| change.at <= until)
        });
        items.extend(wanted.map(|change| {
            let item = json!({
                "AlarmName": alarm.name, "AlarmType": "MetricAlarm", "Timestamp": time::epoch(change.at),
                "HistoryItemType": change.kind, "HistorySummary": change.summary,
            });
            (change.at, item)
        }));
    }
    items.sort_by_key(|(at, _)| *at);
    if text(request, "ScanBy") != "TimestampAscending" {
        items.reverse();
    }
    let from = data::position(request)?;
    let most = request["MaxRecords"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(100);
    let more = items.len() > from + most;
    let page: Vec<Value> = items.into_iter().skip(from).take(most).map(|(_, item)| item).collect();
    let mut answer = json!({"AlarmHistoryItems": page});
    if more {
        answer["NextToken"] = json!((from + most).to_string());
    }
    Ok(answer)
}

fn delete(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    // As AWS: of several names none is deleted where one is missing; of one, that it is not there is no error.
    let names: Vec<&str> = request["AlarmNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(gone) = names.iter().find(|name| names.len() > 1 && !account.alarms.contains(name)) {
        return Err(missing(gone));
    }
    for name in names {
        if let Some(alarm) = account.alarms.get(name) {
            account.alarms.remove(name)?;
            tags::detach(account, &alarm.arn())?;
        }
    }
    Ok(Value::Null)
}

fn missing(name: &str) -> Fault {
    Fault { status: 404, ..Fault::new("ResourceNotFound", format!("Alarm {name} does not exist.")) }
}

/// Holds for one period; then the metric's values decide again.
fn set(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    let name = text(request, "AlarmName");
    let alarm = account.alarms.get(name).ok_or_else(|| missing(name))?;
    let held = account.clock().now() + SignedDuration::from_secs(alarm.period().max(60));
    enter(account, name, text(request, "StateValue"), text(request, "StateReason").to_owned(), Some(held));
    Ok(Value::Null)
}

fn actions(account: &Arc<Account>, request: &Value, enabled: bool) -> Result<Value, Fault> {
    for name in request["AlarmNames"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        account.alarms.update(name, |alarm| alarm.request["ActionsEnabled"] = json!(enabled))?;
    }
    Ok(Value::Null)
}
