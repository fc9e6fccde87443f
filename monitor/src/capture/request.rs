//! The documents of a captured request, as `serve` reads them.

use serde::Deserialize;

use super::record::essence;

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Bare(String),
    Keyed {
        text: String,
    },
    /// What `serve` answers with an error, in its place.
    None(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Many(Vec<Document>),
    Instances { instances: Vec<Document> },
    One { text: String },
}

impl From<Document> for Option<String> {
    fn from(document: Document) -> Self {
        match document {
            Document::Bare(text) | Document::Keyed { text } => Some(text),
            Document::None(_) => None,
        }
    }
}

/// At least one record, `None` where it is no document; or why there is none.
pub fn read(content_type: &str, body: &str) -> Result<Vec<Option<String>>, String> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let (essence, header) = essence(content_type);
    let texts = match essence.as_str() {
        "application/json" => json(body)?,
        "application/jsonlines" | "application/x-jsonlines" | "application/jsonl" => json_lines(body)?,
        "text/csv" => csv(body, header)?,
        "text/plain" => vec![Some(without_line_end(body).to_string())],
        other => return Err(format!("content type `{other}` is none of those that are read")),
    };
    if texts.is_empty() { Err("it is empty".into()) } else { Ok(texts) }
}

fn json(body: &str) -> Result<Vec<Option<String>>, String> {
    match serde_json::from_str(body).map_err(|e| e.to_string())? {
        Body::Many(documents) | Body::Instances { instances: documents } => {
            Ok(documents.into_iter().map(Option::from).collect())
        }
        Body::One { text } => Ok(vec![Some(text)]),
    }
}

fn json_lines(body: &str) -> Result<Vec<Option<String>>, String> {
    Ok(body.trim_end().lines().map(|line| serde_json::from_str::<Document>(line).ok().and_then(Option::from)).collect())
}

fn csv(body: &str, header: bool) -> Result<Vec<Option<String>>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(header).flexible(true).from_reader(body.as_bytes());
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| e.to_string())?;
            Ok(record.get(0).filter(|_| record.len() == 1).map(str::to_string))
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
            let want = want.into_iter().map(|text| Some(text.to_string())).collect();
            assert_eq!(read(content_type, body), Ok(want), "{content_type} {body}");
        }
    }

    #[test]
    fn a_record_that_is_no_document_has_its_place() {
        for (content_type, body) in [
            ("application/json", r#"["a", 1, "b"]"#),
            ("application/json", r#"{"instances": ["a", {"txt": "x"}, "b"]}"#),
            ("application/jsonlines", "\"a\"\nx\n\"b\"\n"),
            ("application/jsonlines", "\"a\"\n\n\"b\"\n"),
            ("text/csv", "a\nx,y\nb\n"),
        ] {
            let want = [Some("a"), None, Some("b")].map(|text| text.map(str::to_string));
            assert_eq!(read(content_type, body), Ok(want.into()), "{content_type} {body}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for (content_type, body) in [
            ("application/json", "{"),
            ("application/json", r#"{"instances": 1}"#),
            ("application/json", "[]"),
            ("application/jsonlines", "\n"),
            ("text/csv", ""),
            ("image/png", "x"),
            ("", "x"),
        ] {
            assert!(read(content_type, body).is_err(), "{content_type} {body}");
        }
    }
}
