//! Rows of a JSON Lines file: one object a line.

use std::io::{BufRead, BufReader, Read};

use serde_json::{Map, Value};

use super::source::Text;
use super::{Columns, Fault, Row};

/// As [`super::csv::read`].
pub fn read(
    text: Text<impl Read>,
    columns: &Columns,
    sink: &mut dyn FnMut(Result<Row<'_>, Fault>),
) -> Result<(), Fault> {
    let mut reader = BufReader::new(text);
    let mut buffer = String::new();
    for line in 1.. {
        buffer.clear();
        if reader.read_line(&mut buffer)? == 0 {
            break;
        }
        if buffer.trim().is_empty() {
            continue;
        }
        match read_object(&buffer, columns) {
            Ok((text, label)) => sink(Ok(Row { line, text: &text, label: &label })),
            Err(message) => sink(Err(Fault::at(line, message))),
        }
    }
    Ok(())
}

fn read_object(line: &str, columns: &Columns) -> Result<(String, String), String> {
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("is no JSON: {error}; expected one object a line"))?;
    let Value::Object(mut object) = value else {
        return Err(format!("is {}; expected an object with {columns}", kind(&value)));
    };
    let text = match take(&mut object, &columns.text, columns)? {
        Value::String(text) => text,
        other => return Err(format!("key {:?} is {}; expected a string", columns.text, kind(&other))),
    };
    let label = match take(&mut object, &columns.label, columns)? {
        Value::String(label) => label,
        Value::Bool(label) => label.to_string(),
        Value::Number(label) if !label.is_f64() => label.to_string(),
        other => {
            return Err(format!(
                "key {:?} is {}; expected a string, an integer or a boolean",
                columns.label,
                kind(&other)
            ));
        }
    };
    Ok((text, label))
}

fn take(object: &mut Map<String, Value>, key: &str, columns: &Columns) -> Result<Value, String> {
    object.remove(key).ok_or_else(|| {
        let found = object.keys().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(", ");
        format!(
            "no key {key:?}; found {}; name the right one with the hyperparameter {}",
            if found.is_empty() { "none" } else { &found },
            columns.hyperparameter(key)
        )
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
