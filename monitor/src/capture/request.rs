//! The documents of a captured request, as `serve` reads them.

use serde::Deserialize;

use super::record::essence;

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Bare(String),
    Keyed { text: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Many(Vec<Document>),
    Instances { instances: Vec<Document> },
    One { text: String },
}

impl From<Document> for String {
    fn from(document: Document) -> Self {
        match document {
            Document::Bare(text) | Document::Keyed { text } => text,
        }
    }
}

/// At least one document, or why there is none.
pub fn read(content_type: &str, body: &str) -> Result<Vec<String>, String> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let (essence, header) = essence(content_type);
    let texts = match essence.as_str() {
        "application/json" => json(body)?,
        "application/jsonlines" | "application/x-jsonlines" | "application/jsonl" => json_lines(body)?,
        "text/csv" => csv(body, header)?,
        "text/plain" => vec![without_line_end(body).to_string()],
        other => return Err(format!("content type `{other}` is none of those that are read")),
    };
    if texts.is_empty() { Err("it is empty".into()) } else { Ok(texts) }
}

fn json(body: &str) -> Result<Vec<String>, String> {
    match serde_json::from_str(body).map_err(|e| e.to_string())? {
        Body::Many(documents) | Body::Instances { instances: documents } => {
            Ok(documents.into_iter().map(String::from).collect())
        }
        Body::One { text } => Ok(vec![text]),
    }
}

fn json_lines(body: &str) -> Result<Vec<String>, String> {
    body.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str::<Document>(line).map(String::from).map_err(|e| e.to_string()))
        .collect()
}

fn csv(body: &str, header: bool) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(header).flexible(true).from_reader(body.as_bytes());
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| e.to_string())?;
            match (record.get(0), record.len()) {
                (Some(text), 1) => Ok(text.to_string()),
                (_, columns) => Err(format!("{columns} columns in a record, expected one")),
            }
        })
        .collect()
}

fn without_line_end(body: &str) -> &str {
    let body = body.strip_suffix('\n').unwrap_or(body);
    body.strip_suffix('\r').unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_and_shape() {
        for (content_type, body, want) in [
            ("application/json", r#"{"text": "a"}"#, vec!["a"]),
            ("application/json; charset=utf-8", r#"{"instances": ["a", {"text": "b"}], "more": 1}"#, vec!["a", "b"]),
            ("Application/JSON", r#"["a", "b"]"#, vec!["a", "b"]),
            ("application/jsonlines", "\"a\"\n{\"text\": \"b\"}\n\n", vec!["a", "b"]),
            ("application/x-jsonlines", "\"a\"", vec!["a"]),
            ("text/csv", "plain\n\"a, \"\"b\"\"\nc\"\n", vec!["plain", "a, \"b\"\nc"]),
            ("text/csv; header=present", "text\r\na\r\n", vec!["a"]),
            ("text/plain", "one\ntwo\r\n", vec!["one\ntwo"]),
        ] {
            assert_eq!(
                read(content_type, body),
                Ok(want.into_iter().map(String::from).collect()),
                "{content_type} {body}"
            );
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for (content_type, body) in [
            ("application/json", "{"),
            ("application/json", r#"{"instances": [1]}"#),
            ("application/json", "[]"),
            ("application/jsonlines", "a"),
            ("text/csv", "a,b\n"),
            ("text/csv", ""),
            ("image/png", "x"),
            ("", "x"),
        ] {
            assert!(read(content_type, body).is_err(), "{content_type} {body}");
        }
    }
}
