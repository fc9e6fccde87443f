//! What an object is made of: its records, what of each is sent, how many go together, and what comes of an answer.

use std::ops::Range;

use serde_json::{Value, json};

use super::path::JsonPath;

/// What a record is to a filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    /// A row, an array of strings.
    Csv,
    Json,
    /// Bytes, which no filter looks into.
    Bytes,
}

impl Format {
    /// Of a content type; its parameters do not matter.
    pub fn of(content_type: &str) -> Format {
        match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "text/csv" => Format::Csv,
            "application/json" | "application/jsonlines" | "application/x-jsonlines" | "application/jsonl" => {
                Format::Json
            }
            _ => Format::Bytes,
        }
    }

    fn read(self, record: &[u8]) -> Result<Value, String> {
        match self {
            Format::Json => serde_json::from_slice(record).map_err(|e| format!("it is not JSON: {e}")),
            Format::Csv => {
                let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(record);
                let row = reader.records().next().ok_or("it is an empty row")?.map_err(|e| e.to_string())?;
                Ok(row.iter().collect())
            }
            Format::Bytes => Err("a filter or join needs text/csv or JSON".to_owned()),
        }
    }

    fn write(self, value: &Value) -> Result<Vec<u8>, String> {
        if self != Format::Csv {
            return Ok(value.to_string().into_bytes());
        }
        let field = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Array(_) | Value::Object(_) => Err(format!("{value} is no field of a row")),
            plain => Ok(plain.to_string()),
        };
        let fields = match value {
            Value::Array(fields) => fields.iter().map(field).collect::<Result<Vec<_>, _>>()?,
            one => vec![field(one)?],
        };
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(&fields).map_err(|e| e.to_string())?;
        let mut row = writer.into_inner().map_err(|e| e.to_string())?;
        row.pop();
        Ok(row)
    }
}

/// The lines of an object; empty ones are no records.
pub(super) fn lines(object: &[u8]) -> Vec<&[u8]> {
    let lines = object.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter(|line| !line.is_empty()).collect()
}

/// The records that go together, each with its line end: as many as fit in `most` bytes, at least one.
pub(super) fn batches(records: &[Vec<u8>], most: usize) -> Vec<Range<usize>> {
    let (mut batches, mut from, mut size) = (Vec::new(), 0, 0);
    for (at, record) in records.iter().enumerate() {
        if at > from && size + record.len() + 1 > most {
            batches.push(from..at);
            (from, size) = (at, 0);
        }
        size += record.len() + 1;
    }
    if from < records.len() {
        batches.push(from..records.len());
    }
    batches
}

/// What is done to records on their way in and out.
#[derive(Clone, Debug)]
pub(super) struct Processing {
    pub input: Option<JsonPath>,
    pub output: Option<JsonPath>,
    pub join: bool,
    pub sent: Format,
    pub answered: Format,
}

impl Processing {
    /// What of a record is sent.
    pub fn filtered(&self, record: &[u8]) -> Result<Vec<u8>, String> {
        match &self.input {
            None => Ok(record.to_vec()),
            Some(path) => self.sent.write(&path.select(&self.sent.read(record)?)?),
        }
    }

    /// Whether answers are looked into.
    pub fn looks(&self) -> bool {
        self.join || self.output.is_some()
    }

    /// What is written for a record and its answer.
    pub fn assembled(&self, record: &[u8], answer: &[u8]) -> Result<Vec<u8>, String> {
        let mut value = self.answered.read(answer).map_err(|why| format!("the answer: {why}"))?;
        if self.join {
            value = joined(self.sent.read(record)?, value);
        }
        if let Some(path) = &self.output {
            value = path.select(&value)?;
        }
        self.answered.write(&value)
    }
}

/// An object gains a member, a row columns; anything else becomes an object of both.
fn joined(input: Value, output: Value) -> Value {
    match (input, output) {
        (Value::Object(mut members), output) => {
            members.insert("SageMakerOutput".to_owned(), output);
            Value::Object(members)
        }
        (Value::Array(mut row), Value::Array(more)) if row.iter().all(Value::is_string) => {
            row.extend(more);
            Value::Array(row)
        }
        (input, output) => json!({"SageMakerInput": input, "SageMakerOutput": output}),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn processing(format: Format, input: &str, output: &str) -> Processing {
        let path = |text: &str| (!text.is_empty()).then(|| JsonPath::parse(text).expect("path"));
        Processing { input: path(input), output: path(output), join: true, sent: format, answered: format }
    }

    #[test]
    fn records_are_filtered_and_joined() {
        for (format, input, output, record, sent, answer, want) in [
            (Format::Json, "", "", r#"{"id":1}"#, r#"{"id":1}"#, r#"{"p":2}"#, r#"{"SageMakerOutput":{"p":2},"id":1}"#),
            (
                Format::Json,
                "$.t",
                "$['id','SageMakerOutput']",
                r#"{"id":1,"t":"x"}"#,
                r#""x""#,
                "3",
                r#"{"SageMakerOutput":3,"id":1}"#,
            ),
            (Format::Json, "", "", r#""x""#, r#""x""#, "3", r#"{"SageMakerInput":"x","SageMakerOutput":3}"#),
            (Format::Csv, "$[1:]", "$[0,-1]", r#"7,"a, b",c"#, r#""a, b",c"#, "1,0.9", "7,0.9"),
            (Format::Csv, "$[1]", "", "7,\"a \"\"b\"\"\"", r#""a ""b""""#, "1,0.9", "7,\"a \"\"b\"\"\",1,0.9"),
        ] {
            let processing = processing(format, input, output);
            assert_eq!(
                processing.filtered(record.as_bytes()).map(|b| String::from_utf8(b).unwrap()),
                Ok(sent.to_owned())
            );
            let out = processing.assembled(record.as_bytes(), answer.as_bytes());
            assert_eq!(out.map(|b| String::from_utf8(b).unwrap()), Ok(want.to_owned()), "{record}");
        }
        assert!(processing(Format::Json, "$.t", "").filtered(b"{").is_err());
    }

    #[test]
    fn lines_are_records() {
        assert_eq!(lines(b"a\r\n\nb\n"), [b"a", b"b"]);
        assert!(lines(b"").is_empty());
    }

    proptest! {
        #[test]
        fn batches_hold_every_record_once_and_no_more_than_fits(
            sizes in proptest::collection::vec(0_usize..40, 0..30),
            most in 1_usize..64,
        ) {
            let records: Vec<Vec<u8>> = sizes.iter().map(|n| vec![b'x'; *n]).collect();
            let batches = batches(&records, most);
            let all: Vec<usize> = batches.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..records.len()).collect::<Vec<_>>());
            for batch in &batches {
                let size: usize = records[batch.clone()].iter().map(|r| r.len() + 1).sum();
                prop_assert!(size <= most || batch.len() == 1);
            }
            for pair in batches.windows(2) {
                let size: usize = records[pair[0].clone()].iter().map(|r| r.len() + 1).sum();
                prop_assert!(size + records[pair[1].start].len() + 1 > most, "the next one would have fitted");
            }
        }
    }
}
