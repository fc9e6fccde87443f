//! Rows of a JSON Lines file: one object a line.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};

use super::Columns;
use super::bad::BadRow;
use super::rows::{Parsed, Rows};

/// As [`super::csv::rows`], of whole lines.
pub fn rows(stretch: &str, columns: &Columns) -> Parsed {
    let mut rows = Rows::new(stretch);
    let mut at = 0;
    for line in 0.. {
        if at == stretch.len() {
            break;
        }
        let end = memchr(b'\n', &stretch.as_bytes()[at..]);
        rows.parsed.line_feeds += u64::from(end.is_some());
        let raw = &stretch[at..end.map_or(stretch.len(), |end| at + end)];
        at += raw.len() + usize::from(end.is_some());
        let raw = raw.trim();
        if raw.is_empty() {
            continue;
        }
        if let Some((text, label)) = strings(raw, columns) {
            let from = matches!(text, Cow::Borrowed(_)).then(|| text.as_ptr() as usize - stretch.as_ptr() as usize);
            rows.add(line, &text, from, &label);
            continue;
        }
        match object(raw, columns) {
            Ok((text, label)) => rows.add(line, &text, None, &label),
            Err((kind, message)) => rows.parsed.bad.add(kind, line, || message),
        }
    }
    rows.parsed
}

/// Text and label where both are strings, borrowed where they hold no escape. Whatever else the line is, is left to
/// [`object`].
fn strings<'a>(line: &'a str, columns: &Columns) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let found = reader.deserialize_map(Pair(columns)).ok()?;
    reader.end().ok()?;
    Some(found)
}

struct Pair<'c>(&'c Columns);

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Visitor<'a> for Pair<'_> {
    type Value = (Cow<'a, str>, Cow<'a, str>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", self.0)
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut text, mut label) = (None, None);
        while let Some(Text(key)) = map.next_key()? {
            if key == self.0.text {
                text = Some(map.next_value::<Text<'a>>()?.0);
            } else if key == self.0.label {
                label = Some(map.next_value::<Text<'a>>()?.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        text.zip(label).ok_or_else(|| de::Error::custom("a key is missing"))
    }
}

fn object(line: &str, columns: &Columns) -> Result<(String, String), (BadRow, String)> {
    let value: Value = serde_json::from_str(line)
        .map_err(|error| (BadRow::Json, format!("is no JSON: {error}; expected one object a line")))?;
    let Value::Object(mut object) = value else {
        return Err((BadRow::Key, format!("is {}; expected an object with {columns}", kind(&value))));
    };
    let text = match take(&mut object, &columns.text, columns)? {
        Value::String(text) => text,
        other => {
            let message = format!("key {:?} is {}; expected a string", columns.text, kind(&other));
            return Err((BadRow::Type, message));
        }
    };
    let label = match take(&mut object, &columns.label, columns)? {
        Value::String(label) => label,
        Value::Bool(label) => label.to_string(),
        Value::Number(label) if !label.is_f64() => label.to_string(),
        other => {
            let message =
                format!("key {:?} is {}; expected a string, an integer or a boolean", columns.label, kind(&other));
            return Err((BadRow::Type, message));
        }
    };
    Ok((text, label))
}

fn take(object: &mut Map<String, Value>, key: &str, columns: &Columns) -> Result<Value, (BadRow, String)> {
    object.remove(key).ok_or_else(|| {
        let found = object.keys().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(", ");
        let message = format!(
            "no key {key:?}; found {}; name the right one with the hyperparameter {}",
            if found.is_empty() { "none" } else { &found },
            columns.hyperparameter(key)
        );
        (BadRow::Key, message)
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fractional number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
