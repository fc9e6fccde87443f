//! The Query protocol: a form as JSON, an answer's JSON as XML.

use std::{collections::BTreeMap, fmt::Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Kind, Model, Shape};

/// The members of the structure `name` out of a form's parameters (`Tags.member.1.Key`).
pub(crate) fn decode(model: &Model, name: &str, parameters: &[(String, String)]) -> Value {
    let all = parameters.iter().cloned().collect();
    read(model, model.shape(name), &all, "").unwrap_or_else(|| Value::Object(Map::new()))
}

fn read(model: &Model, shape: &Shape, all: &BTreeMap<String, String>, path: &str) -> Option<Value> {
    let text = || all.get(path).cloned();
    if let Kind::Structure { .. } | Kind::List { .. } | Kind::Map { .. } = shape.kind {
        // Nothing of it is given: a shape that holds itself ends here.
        let below = |key: &String| path.is_empty() || key.starts_with(&format!("{path}."));
        all.keys().find(|key| below(key))?;
    }
    match &shape.kind {
        Kind::Structure { members, .. } => {
            let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let given = |(name, inner): (&String, &String)| {
                Some((name.clone(), read(model, model.shape(inner), all, &at(name))?))
            };
            Some(Value::Object(members.iter().filter_map(given).collect()))
        }
        Kind::List { member } => {
            let item = |n: usize| read(model, model.shape(member), all, &format!("{path}.member.{n}"));
            Some(Value::Array((1..).map_while(item).collect()))
        }
        Kind::Map { value, .. } => {
            let entry = |n: usize| {
                let at = |names: [&str; 2]| names.map(|name| format!("{path}.entry.{n}.{name}"));
                let key = at(["key", "Name"]).iter().find_map(|key| all.get(key).cloned())?;
                let value = at(["value", "Value"]).iter().find_map(|at| read(model, model.shape(value), all, at))?;
                Some((key, value))
            };
            Some(Value::Object((1..).map_while(entry).collect()))
        }
        // What is no number stays text, which the check of types then refuses.
        Kind::Integer | Kind::Long => text().map(|t| t.parse::<i64>().map_or_else(|_| json!(t), |n| json!(n))),
        Kind::Float | Kind::Double => text().map(|t| t.parse::<f64>().map_or_else(|_| json!(t), |n| json!(n))),
        Kind::Boolean => text().map(|t| t.parse::<bool>().map_or_else(|_| json!(t), |b| json!(b))),
        Kind::String | Kind::Timestamp | Kind::Blob => text().map(Value::String),
    }
}

/// An answer as XML; `output` names its shape where the operation has one.
pub(crate) fn encode(
    model: &Model,
    (operation, namespace): (&str, &str),
    output: Option<&str>,
    answer: &Value,
    request_id: &str,
) -> String {
    let mut xml = format!("<{operation}Response xmlns=\"{namespace}\">");
    if let Some(output) = output {
        let _ = write!(xml, "<{operation}Result>");
        render(model, model.shape(output), answer, &mut xml);
        let _ = write!(xml, "</{operation}Result>");
    }
    let _ =
        write!(xml, "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>");
    xml
}

/// An error as XML.
pub(crate) fn fault(code: &str, message: &str, sender: bool, request_id: &str) -> String {
    let (kind, message) = (if sender { "Sender" } else { "Receiver" }, escaped(message));
    format!(
        "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

// Writing to a string cannot fail.
fn render(model: &Model, shape: &Shape, value: &Value, xml: &mut String) {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(object)) => {
            for (name, inner) in members {
                if let Some(value) = object.get(name).filter(|v| !v.is_null()) {
                    let _ = write!(xml, "<{name}>");
                    render(model, model.shape(inner), value, xml);
                    let _ = write!(xml, "</{name}>");
                }
            }
        }
        (Kind::List { member }, Value::Array(items)) => {
            for item in items {
                xml.push_str("<member>");
                render(model, model.shape(member), item, xml);
                xml.push_str("</member>");
            }
        }
        (Kind::Map { value: inner, .. }, Value::Object(object)) => {
            for (key, value) in object {
                let _ = write!(xml, "<entry><key>{}</key><value>", escaped(key));
                render(model, model.shape(inner), value, xml);
                xml.push_str("</value></entry>");
            }
        }
        (Kind::Timestamp, Value::Number(seconds)) => {
            let ms = (seconds.as_f64().unwrap_or_default() * 1000.0) as i64;
            let _ = write!(xml, "{:.3}", Timestamp::from_millisecond(ms).unwrap_or_default());
        }
        (_, Value::String(text)) => xml.push_str(&escaped(text)),
        (_, other) => {
            let _ = write!(xml, "{other}");
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\r', "&#xD;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn forms_become_members_and_answers_become_xml() {
        let form = [
            ("Action", "CreateTopic"),
            ("Name", "a"),
            ("Attributes.entry.1.key", "DisplayName"),
            ("Attributes.entry.1.value", "A & B"),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
        ];
        let form: Vec<(String, String)> = form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let read = decode(shapes::sns(), "CreateTopicInput", &form);
        let want = json!({"Name": "a", "Attributes": {"DisplayName": "A & B"}, "Tags": [{"Key": "k", "Value": "v"}]});
        assert_eq!(read, want);
        let answer = json!({"Attributes": {"DisplayName": "A & B"}});
        let xml =
            encode(shapes::sns(), ("GetTopicAttributes", "urn:x"), Some("GetTopicAttributesResponse"), &answer, "1");
        let inside = "<Attributes><entry><key>DisplayName</key><value>A &amp; B</value></entry></Attributes>";
        assert!(xml.contains(&format!("<GetTopicAttributesResult>{inside}</GetTopicAttributesResult>")), "{xml}");
    }
}
