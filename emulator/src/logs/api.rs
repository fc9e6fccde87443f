//! The operations of CloudWatch Logs that read.

use serde_json::{Map, Value, json};

use super::store::{Event, Summary};
use crate::{ACCOUNT, account::Account, fault::Fault, shapes};

/// Most events of one answer.
const MOST: usize = 10_000;

/// Answers one operation.
pub(crate) fn answer(account: &Account, operation: &str, body: &[u8]) -> Result<Value, Fault> {
    let Some(known) = shapes::logs().operations.get(operation) else {
        return Err(Fault::new(
            "UnknownOperationException",
            format!("The emulator does not know the operation {operation}"),
        ));
    };
    let request: Value = match body {
        [] => Value::Object(Map::new()),
        body => serde_json::from_slice(body).map_err(|e| Fault::new("SerializationException", e.to_string()))?,
    };
    if let Some(input) = &known.input {
        shapes::validate(shapes::logs(), input, &request)
            .map_err(|refusal| Fault { kind: "InvalidParameterException", ..Fault::from(refusal) })?;
    }
    match operation {
        "DescribeLogGroups" => groups(account, &request),
        "DescribeLogStreams" => streams(account, &request),
        "GetLogEvents" => events(account, &request),
        _ => filter(account, &request),
    }
}

fn text<'a>(request: &'a Value, member: &str) -> &'a str {
    request.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn number(request: &Value, member: &str) -> Option<usize> {
    request.get(member).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok())
}

/// The group a request names, by name or ARN.
fn group(request: &Value) -> &str {
    let name = text(request, "logGroupName");
    let name = if name.is_empty() { text(request, "logGroupIdentifier") } else { name };
    name.split_once(":log-group:").map_or(name, |(_, rest)| rest.trim_end_matches(":*"))
}

fn group_arn(region: &str, name: &str) -> String {
    format!("arn:aws:logs:{region}:{ACCOUNT}:log-group:{name}")
}

fn missing(what: &str) -> Fault {
    Fault::new("ResourceNotFoundException", format!("The specified log {what} does not exist."))
}

/// One page of `items`, and where the next begins.
fn page<T>(request: &Value, items: Vec<T>, default: usize) -> Result<(Vec<T>, Option<usize>), Fault> {
    let from = match text(request, "nextToken") {
        "" => 0,
        token => {
            token.parse().map_err(|_| Fault::new("InvalidParameterException", "The specified nextToken is invalid."))?
        }
    };
    let (all, limit) = (items.len(), number(request, "limit").unwrap_or(default));
    let next = from + limit;
    Ok((items.into_iter().skip(from).take(limit).collect(), (next < all).then_some(next)))
}

fn answered(member: &str, items: Vec<Value>, next: Option<usize>) -> Value {
    let mut out = json!({member: items});
    if let Some(next) = next {
        out["nextToken"] = json!(next.to_string());
    }
    out
}

fn groups(account: &Account, request: &Value) -> Result<Value, Fault> {
    let (prefix, pattern) = (text(request, "logGroupNamePrefix"), text(request, "logGroupNamePattern"));
    let found = account.logs.groups(prefix).into_iter().filter(|name| name.contains(pattern)).collect();
    let (names, next) = page(request, found, 50)?;
    let describe = |name: String| {
        let streams = account.logs.streams(&name, "").and_then(Result::ok).unwrap_or_default();
        let created = streams.iter().map(|s| s.created_ms).min().unwrap_or_default();
        let bytes: u64 = streams.iter().map(|s| s.bytes).sum();
        let arn = group_arn(&account.region, &name);
        json!({"logGroupName": name, "arn": format!("{arn}:*"), "logGroupArn": arn, "creationTime": created, "storedBytes": bytes, "metricFilterCount": 0})
    };
    Ok(answered("logGroups", names.into_iter().map(describe).collect(), next))
}

fn streams(account: &Account, request: &Value) -> Result<Value, Fault> {
    let group = group(request);
    let found = account.logs.streams(group, text(request, "logStreamNamePrefix")).ok_or_else(|| missing("group"))?;
    let mut found = found?;
    if text(request, "orderBy") == "LastEventTime" {
        found.sort_by_key(|stream| stream.last_ms);
    }
    if request.get("descending") == Some(&Value::Bool(true)) {
        found.reverse();
    }
    let (streams, next) = page(request, found, 50)?;
    let describe = |stream: Summary| {
        let mut out = json!({
            "logStreamName": stream.name,
            "creationTime": stream.created_ms,
            "arn": format!("{}:log-stream:{}", group_arn(&account.region, group), stream.name),
            "storedBytes": stream.bytes,
        });
        for (member, at) in [
            ("firstEventTimestamp", stream.first_ms),
            ("lastEventTimestamp", stream.last_ms),
            ("lastIngestionTime", stream.last_ms),
        ] {
            if let Some(at) = at {
                out[member] = json!(at);
            }
        }
        out
    };
    Ok(answered("logStreams", streams.into_iter().map(describe).collect(), next))
}

/// Tokens are positions: forward `f/<next event>`, backward `b/<first event given>`.
fn events(account: &Account, request: &Value) -> Result<Value, Fault> {
    let (group, stream) = (group(request), text(request, "logStreamName"));
    if account.logs.streams(group, "").is_none() {
        return Err(missing("group"));
    }
    let count = account.logs.count(group, stream).ok_or_else(|| missing("stream"))??;
    let limit = number(request, "limit").unwrap_or(MOST).min(MOST);
    let invalid = || Fault::new("InvalidParameterException", "The specified nextToken is invalid.");
    let position = |text: &str| text.parse::<usize>().map(|n| n.min(count)).map_err(|_| invalid());
    let from_head = request.get("startFromHead") == Some(&Value::Bool(true));
    let range = match text(request, "nextToken").split_once('/') {
        None if !text(request, "nextToken").is_empty() => return Err(invalid()),
        None if from_head => 0..limit.min(count),
        None => count.saturating_sub(limit)..count,
        Some(("f", at)) => position(at).map(|at| at..(at + limit).min(count))?,
        Some(("b", at)) => position(at).map(|at| at.saturating_sub(limit)..at)?,
        Some(_) => return Err(invalid()),
    };
    let (first, next) = (range.start, range.end);
    let found = account.logs.read(group, stream, range).ok_or_else(|| missing("stream"))??;
    let events: Vec<Value> =
        found.into_iter().filter(|event| in_time(request, event)).map(|event| output(&event)).collect();
    Ok(json!({"events": events, "nextForwardToken": format!("f/{next}"), "nextBackwardToken": format!("b/{first}")}))
}

fn in_time(request: &Value, event: &Event) -> bool {
    let bound = |member: &str| request.get(member).and_then(Value::as_i64);
    bound("startTime").is_none_or(|start| event.timestamp_ms >= start)
        && bound("endTime").is_none_or(|end| event.timestamp_ms < end)
}

fn output(event: &Event) -> Value {
    json!({"timestamp": event.timestamp_ms, "message": event.message, "ingestionTime": event.timestamp_ms})
}

/// Events of all streams in time order whose message holds every word of the pattern.
fn filter(account: &Account, request: &Value) -> Result<Value, Fault> {
    let group = group(request);
    let streams =
        account.logs.streams(group, text(request, "logStreamNamePrefix")).ok_or_else(|| missing("group"))??;
    let named: Vec<&str> =
        request["logStreamNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let words: Vec<String> =
        text(request, "filterPattern").split_whitespace().map(|w| w.trim_matches('"').to_owned()).collect();
    let mut found = Vec::new();
    for stream in streams.into_iter().filter(|stream| named.is_empty() || named.contains(&stream.name.as_str())) {
        let events = account.logs.read(group, &stream.name, 0..usize::MAX).ok_or_else(|| missing("stream"))??;
        for (i, event) in events.into_iter().enumerate() {
            if in_time(request, &event) && words.iter().all(|word| event.message.contains(word)) {
                let mut out = output(&event);
                out["logStreamName"] = json!(stream.name);
                out["eventId"] = json!(format!("{}/{i}", stream.name));
                found.push((event.timestamp_ms, out));
            }
        }
    }
    found.sort_by_key(|(at, _)| *at);
    let (events, next) = page(request, found.into_iter().map(|(_, event)| event).collect(), MOST)?;
    let mut out = answered("events", events, next);
    out["searchedLogStreams"] = json!([]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_group_is_named_or_given_as_an_arn() {
        let arn = super::group_arn("us-east-1", "/aws/sagemaker/TrainingJobs");
        for request in [
            serde_json::json!({"logGroupName": "/aws/sagemaker/TrainingJobs"}),
            serde_json::json!({"logGroupIdentifier": format!("{arn}:*")}),
        ] {
            assert_eq!(super::group(&request), "/aws/sagemaker/TrainingJobs");
        }
    }
}
