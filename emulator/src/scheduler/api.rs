//! The operations on schedules.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Schedule, expression::Expression, fire};
use crate::{account::Account, fault::Fault, shapes, time};

/// The group of a schedule that names none; the only one there is.
const DEFAULT_GROUP: &str = "default";

/// Answers `/schedules` and `/schedules/{name}`; `query` holds the URL's parameters.
pub(crate) fn answer(
    account: &Account,
    method: &Method,
    name: Option<&str>,
    query: &[(String, String)],
    body: &[u8],
) -> Result<Value, Fault> {
    let parameter = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let Some(name) = name else {
        return if method == Method::GET { list(account, &parameter) } else { Err(unknown(method)) };
    };
    let group = parameter("groupName").unwrap_or(DEFAULT_GROUP);
    match *method {
        Method::POST => create(account, request(name, body)?),
        Method::PUT => update(account, request(name, body)?),
        Method::GET => find(account, group, name).map(|schedule| schedule.describe()),
        Method::DELETE => delete(account, group, name),
        _ => Err(unknown(method)),
    }
}

fn unknown(method: &Method) -> Fault {
    Fault::new("UnknownOperationException", format!("The emulator does not know {method} on schedules"))
}

/// A create or update request with its name and defaults filled in, checked.
fn request(name: &str, body: &[u8]) -> Result<Value, Fault> {
    let parsed: Value =
        serde_json::from_slice(body).map_err(|e| Fault::new("SerializationException", e.to_string()))?;
    let mut request = parsed.as_object().cloned().unwrap_or_default();
    request.insert("Name".to_owned(), json!(name));
    for (member, default) in [
        ("GroupName", DEFAULT_GROUP),
        ("State", "ENABLED"),
        ("ScheduleExpressionTimezone", "UTC"),
        ("ActionAfterCompletion", "NONE"),
    ] {
        request.entry(member).or_insert(json!(default));
    }
    let request = Value::Object(request);
    shapes::validate(shapes::scheduler(), "CreateScheduleInput", &request)?;
    let text = |member: &str| request[member].as_str().unwrap_or_default();
    if text("GroupName") != DEFAULT_GROUP {
        return Err(Fault {
            status: 404,
            ..Fault::new("ResourceNotFoundException", format!("Schedule group {} does not exist.", text("GroupName")))
        });
    }
    let expression = text("ScheduleExpression");
    Expression::parse(expression)
        .map_err(|why| Fault::validation(format!("Invalid Schedule Expression {expression}: {why}.")))?;
    let zone = text("ScheduleExpressionTimezone");
    jiff::tz::TimeZone::get(zone)
        .map_err(|_| Fault::validation(format!("Invalid ScheduleExpressionTimezone {zone}.")))?;
    let target = &request["Target"];
    let arn = target["Arn"].as_str().unwrap_or_default();
    if fire::operation(arn).is_none() {
        return Err(Fault::validation(format!(
            "Target {arn}: the emulator calls operations of SageMaker that it knows (arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob)."
        )));
    }
    let input = target["Input"].as_str().unwrap_or("{}");
    if let Err(e) = serde_json::from_str::<Map<String, Value>>(input) {
        return Err(Fault::validation(format!("Invalid RequestJson provided. Reason {e}")));
    }
    Ok(request)
}

fn create(account: &Account, request: Value) -> Result<Value, Fault> {
    let member = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let (group, name, now) = (member("GroupName"), member("Name"), account.clock().now());
    let region = account.region.clone();
    let schedule = Schedule { request, group, name: name.clone(), region, created: now, modified: now, fired: None };
    let arn = schedule.arn();
    if !account.schedules.add(&schedule.key(), schedule)? {
        return Err(Fault {
            status: 409,
            ..Fault::new("ConflictException", format!("Schedule {name} already exists."))
        });
    }
    account.schedules_changed.send_modify(|count| *count += 1);
    Ok(json!({"ScheduleArn": arn}))
}

fn missing(name: &str) -> Fault {
    Fault { status: 404, ..Fault::new("ResourceNotFoundException", format!("Schedule {name} does not exist.")) }
}

fn find(account: &Account, group: &str, name: &str) -> Result<Schedule, Fault> {
    account.schedules.get(&format!("{group}/{name}")).ok_or_else(|| missing(name))
}

fn update(account: &Account, request: Value) -> Result<Value, Fault> {
    let member = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let (group, name) = (member("GroupName"), member("Name"));
    let changed = account.schedules.update(&format!("{group}/{name}"), |schedule| {
        (schedule.request, schedule.modified) = (request, account.clock().now());
        schedule.arn()
    })?;
    let arn = changed.ok_or_else(|| missing(&name))?;
    account.schedules_changed.send_modify(|count| *count += 1);
    Ok(json!({"ScheduleArn": arn}))
}

fn delete(account: &Account, group: &str, name: &str) -> Result<Value, Fault> {
    let schedule = find(account, group, name)?;
    account.schedules.remove(&schedule.key())?;
    account.schedules_changed.send_modify(|count| *count += 1);
    Ok(json!({}))
}

fn list<'a>(account: &Account, parameter: &dyn Fn(&str) -> Option<&'a str>) -> Result<Value, Fault> {
    let (group, prefix) = (parameter("ScheduleGroup"), parameter("NamePrefix").unwrap_or_default());
    let (state, after) = (parameter("State"), parameter("NextToken").unwrap_or_default());
    let most = parameter("MaxResults").and_then(|n| n.parse().ok()).filter(|n| (1..=100).contains(n)).unwrap_or(100);
    let mut found: Vec<Schedule> = account.schedules.all();
    found.retain(|schedule| {
        group.is_none_or(|group| schedule.group == group)
            && schedule.name.starts_with(prefix)
            && state.is_none_or(|state| schedule.text("State") == state)
            && schedule.key().as_str() > after
    });
    let more = found.len() > most;
    found.truncate(most);
    let mut out = json!({});
    if let Some(last) = found.last().filter(|_| more) {
        out["NextToken"] = json!(last.key());
    }
    let summary = |schedule: &Schedule| {
        let mut summary = shapes::pick(shapes::scheduler(), "ScheduleSummary", &schedule.describe());
        summary.insert("Target".to_owned(), json!({"Arn": schedule.request["Target"]["Arn"]}));
        Value::Object(summary)
    };
    out["Schedules"] = found.iter().map(summary).collect();
    Ok(out)
}

impl Schedule {
    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::scheduler(), "GetScheduleOutput", &self.request);
        out.insert("Arn".to_owned(), json!(self.arn()));
        out.insert("CreationDate".to_owned(), time::epoch(self.created));
        out.insert("LastModificationDate".to_owned(), time::epoch(self.modified));
        let retry = json!({"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185});
        if let Some(target) = out.get_mut("Target").and_then(Value::as_object_mut) {
            target.entry("RetryPolicy").or_insert(retry);
        }
        Value::Object(out)
    }
}
