//! Filters, order and pages, the same for every kind of resource.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::text;
use crate::{fault::Fault, time};

/// One resource in a list.
pub(super) struct Row {
    pub name: String,
    pub status: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub summary: Value,
}

/// The order where the request does not say.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// The rows a list request asks for, as `{member: [summary, …], NextToken}`.
pub(super) fn page(request: &Value, rows: Vec<Row>, member: &str, order: Order) -> Result<Value, Fault> {
    let order = match text(request, "SortOrder") {
        "Ascending" => Order::Ascending,
        "Descending" => Order::Descending,
        _ => order,
    };
    let mut rows: Vec<_> = rows.into_iter().filter(|row| wanted(request, row)).map(|r| (key(request, &r), r)).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    if order == Order::Descending {
        rows.reverse();
    }
    if let Some(after) = request.get("NextToken").and_then(Value::as_str) {
        if !after.contains('/') {
            return Err(Fault::validation("Invalid pagination token."));
        }
        let seen = |key: &str| if order == Order::Ascending { key <= after } else { key >= after };
        rows.retain(|(key, _)| !seen(key));
    }
    let limit = request.get("MaxResults").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(10);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let mut answer = Map::new();
    if let Some((key, _)) = rows.last().filter(|_| more) {
        answer.insert("NextToken".to_owned(), Value::String(key.clone()));
    }
    answer.insert(member.to_owned(), rows.into_iter().map(|(_, row)| row.summary).collect());
    Ok(Value::Object(answer))
}

fn wanted(request: &Value, row: &Row) -> bool {
    let status = text(request, "StatusEquals");
    let bound = |member: &str| request.get(member).and_then(time::parse);
    row.name.to_lowercase().contains(&text(request, "NameContains").to_lowercase())
        && (status.is_empty() || status == row.status)
        && bound("CreationTimeAfter").is_none_or(|t| row.created > t)
        && bound("CreationTimeBefore").is_none_or(|t| row.created < t)
        && bound("LastModifiedTimeAfter").is_none_or(|t| row.modified > t)
        && bound("LastModifiedTimeBefore").is_none_or(|t| row.modified < t)
}

/// What a row is ordered by; unique, since it ends in the name.
fn key(request: &Value, row: &Row) -> String {
    let first = match text(request, "SortBy") {
        "Name" => String::new(),
        "Status" => row.status.clone(),
        "FinalObjectiveMetricValue" => {
            let value = row.summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"].as_f64();
            let bits = value.unwrap_or(f64::NEG_INFINITY).to_bits();
            // The bits of numbers in the order of the numbers.
            format!("{:020}", if bits >> 63 == 1 { !bits } else { bits | 1 << 63 })
        }
        _ => format!("{:020}", row.created.as_millisecond()),
    };
    format!("{first}/{}", row.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows() -> Vec<Row> {
        let row = |(i, name): (usize, &str)| {
            let at = Timestamp::from_second(1_000 + i as i64).expect("time");
            let status = if i % 2 == 0 { "Completed" } else { "Failed" };
            Row { name: name.to_owned(), status: status.to_owned(), created: at, modified: at, summary: json!(name) }
        };
        ["c", "a", "d", "b"].into_iter().enumerate().map(row).collect()
    }

    #[test]
    fn lists_are_filtered_ordered_and_cut() {
        for (request, want) in [
            (json!({}), vec!["c", "a", "d", "b"]),
            (json!({"SortBy": "Name"}), vec!["a", "b", "c", "d"]),
            (json!({"SortBy": "Name", "SortOrder": "Descending"}), vec!["d", "c", "b", "a"]),
            (json!({"StatusEquals": "Failed"}), vec!["a", "b"]),
            (json!({"NameContains": "D"}), vec!["d"]),
            (json!({"CreationTimeAfter": 1001, "CreationTimeBefore": 1003.0}), vec!["d"]),
        ] {
            let page = page(&request, rows(), "Items", Order::Ascending).expect("page");
            assert_eq!(page, json!({"Items": want}), "{request}");
        }
    }

    #[test]
    fn pages_join_to_the_whole() {
        for order in [Order::Ascending, Order::Descending] {
            let (mut seen, mut token) = (Vec::new(), Value::Null);
            loop {
                let answer = page(&json!({"MaxResults": 3, "NextToken": token}), rows(), "Items", order).expect("page");
                seen.extend(answer["Items"].as_array().expect("items").clone());
                match answer.get("NextToken") {
                    Some(next) => token = next.clone(),
                    None => break,
                }
            }
            assert_eq!(seen.len(), 4);
        }
        assert!(page(&json!({"NextToken": "x"}), rows(), "Items", Order::Ascending).is_err());
    }
}
