//! A body becomes documents, as its `Content-Type` says.

use super::documents::{BadRecord, Documents};
use super::{csv, json};
use crate::error::ApiError;
use axum::http::{HeaderMap, header};
use std::borrow::Cow;

/// What a client may send, for messages.
pub(crate) const ACCEPTED: &str = "UTF-8 with the content type application/json, application/jsonlines (also \
     application/x-jsonlines, application/jsonl), text/csv or text/plain";

/// How a body holds its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// `{"text": "…"}`, `{"instances": ["…", {"text": "…"}]}` or `["…", {"text": "…"}]`; other keys are ignored.
    Json,
    /// One `"…"` or `{"text": "…"}` a line.
    JsonLines,
    /// One column, one document a record, quoted as RFC 4180 says. Every record is a document unless the content type
    /// says `header=present` (RFC 4180, section 3): then the first is not.
    Csv {
        /// Whether the first record is a header.
        header: bool,
    },
    /// The whole body is one document; one line end after it is not part of it.
    Text,
}

impl InputFormat {
    /// The format that a request's headers name.
    pub fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let unsupported = |found: String| ApiError::UnsupportedMediaType { found };
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Err(unsupported("the request has no content type".into()));
        };
        if value == "application/json" {
            return Ok(Self::Json);
        }
        let value = value.to_str().map_err(|_| unsupported("the content type is not plain ASCII".into()))?;
        Self::parse(value)
    }

    /// The format that a `Content-Type` names.
    pub fn parse(content_type: &str) -> Result<Self, ApiError> {
        let unsupported = |found: String| ApiError::UnsupportedMediaType { found };
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let mut format = match essence.to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "application/jsonlines" | "application/x-jsonlines" | "application/jsonl" => Self::JsonLines,
            "text/csv" => Self::Csv { header: false },
            "text/plain" => Self::Text,
            _ => return Err(unsupported(format!("the content type `{}` is not read here", shown(essence)))),
        };
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case("charset") {
                if !["utf-8", "utf8", "us-ascii"].iter().any(|known| value.eq_ignore_ascii_case(known)) {
                    return Err(unsupported(format!("the charset `{}` is not read here", shown(value))));
                }
            } else if let (true, Self::Csv { header }) = (name.trim().eq_ignore_ascii_case("header"), &mut format) {
                *header = value.eq_ignore_ascii_case("present");
            }
        }
        Ok(format)
    }

    /// The records of a body, at least one and at most `limit`.
    pub fn documents(self, body: &[u8], limit: usize, bad: BadRecord) -> Result<Documents<'_>, ApiError> {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let mut documents = Documents::new(limit, bad);
        match self {
            Self::Json => json::read(utf8(body)?, &mut documents)?,
            Self::JsonLines => json::read_lines(body, &mut documents)?,
            Self::Csv { header } => csv::read(utf8(body)?, header, &mut documents)?,
            Self::Text => documents.push_only(Cow::Borrowed(without_line_end(utf8(body)?)), "the body")?,
        }
        if documents.is_empty() {
            return Err(ApiError::BadBody("the body holds no document; send at least one".into()));
        }
        Ok(documents)
    }
}

fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    str::from_utf8(body)
        .map_err(|e| ApiError::BadBody(format!("the body is not valid UTF-8 at byte {}; send UTF-8", e.valid_up_to())))
}

/// A line without the one line end it has.
pub(super) fn without_line_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// A header's value, short enough for a message.
pub(crate) fn shown(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(80) {
        Some((end, _)) => Cow::Owned(format!("{}…", &value[..end])),
        None => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        let csv = |header| Ok(InputFormat::Csv { header });
        for (content_type, want) in [
            ("application/json", Ok(InputFormat::Json)),
            ("Application/JSON; charset=UTF-8", Ok(InputFormat::Json)),
            ("application/json;charset=\"utf-8\"", Ok(InputFormat::Json)),
            ("application/jsonlines", Ok(InputFormat::JsonLines)),
            ("application/x-jsonlines", Ok(InputFormat::JsonLines)),
            ("application/jsonl ; charset=utf8", Ok(InputFormat::JsonLines)),
            ("text/csv", csv(false)),
            ("text/csv; header=absent", csv(false)),
            ("text/csv; charset=utf-8; header=present", csv(true)),
            ("text/plain;charset=us-ascii", Ok(InputFormat::Text)),
            ("text/plain;", Ok(InputFormat::Text)),
            ("text/html", Err("`text/html`")),
            ("application/octet-stream", Err("`application/octet-stream`")),
            ("text/plain; charset=latin1", Err("`latin1`")),
            ("", Err("``")),
        ] {
            match (InputFormat::parse(content_type), want) {
                (Ok(found), Ok(want)) => assert_eq!(found, want, "Content-Type: {content_type}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{content_type}: {error}"),
                (found, want) => panic!("Content-Type: {content_type}: {found:?} instead of {want:?}"),
            }
        }
    }

    #[test]
    fn text_is_the_body_without_its_last_line_end() {
        for (body, want) in [("good", "good"), ("good\n", "good"), ("good\r\n", "good"), ("a\nb\n\n", "a\nb\n")] {
            let documents = InputFormat::Text.documents(body.as_bytes(), 9, BadRecord::RefusesAll).unwrap();
            assert_eq!(documents.iter().collect::<Vec<_>>(), [Ok(want)], "{body:?}");
        }
    }

    #[test]
    fn invalid_utf8_names_the_byte() {
        for bad in [BadRecord::KeepsPlace, BadRecord::RefusesAll] {
            for format in [InputFormat::Json, InputFormat::Csv { header: false }, InputFormat::Text] {
                let error = format.documents(b"\"caf\xe9\"", 9, bad).unwrap_err().to_string();
                assert_eq!(error, "the body is not valid UTF-8 at byte 4; send UTF-8", "{format:?}");
            }
        }
        // A line is a line whatever it holds.
        let lines = b"\"good\"\n\"caf\xe9\"\n\"bad\"";
        let documents = InputFormat::JsonLines.documents(lines, 9, BadRecord::KeepsPlace).unwrap();
        let why = "line 2: it is not valid UTF-8 at byte 4; send one {\"text\": \"…\"} or \"…\" a line";
        assert_eq!(documents.iter().collect::<Vec<_>>(), [Ok("good"), Err(why), Ok("bad")]);
        let error = InputFormat::JsonLines.documents(lines, 9, BadRecord::RefusesAll).unwrap_err();
        assert_eq!(error.to_string(), why);
    }

    #[test]
    fn no_document_and_too_many() {
        for (format, body) in [
            (InputFormat::Json, "[]"),
            (InputFormat::Json, r#"{"instances": []}"#),
            (InputFormat::JsonLines, ""),
            (InputFormat::Csv { header: true }, "review_text\n"),
        ] {
            let error = format.documents(body.as_bytes(), 9, BadRecord::KeepsPlace).unwrap_err().to_string();
            assert_eq!(error, "the body holds no document; send at least one", "{format:?} {body}");
        }
        for (format, body) in [
            (InputFormat::Json, r#"["a", "b", "c"]"#),
            (InputFormat::Json, r#"["a", 5, ""]"#),
            (InputFormat::JsonLines, "\"a\"\n\"b\"\n\"c\""),
            (InputFormat::JsonLines, "\"a\"\n{\n\"c\""),
            (InputFormat::Csv { header: false }, "a\nb\nc"),
        ] {
            let read = |limit| format.documents(body.as_bytes(), limit, BadRecord::KeepsPlace);
            assert_eq!(read(2).unwrap_err(), ApiError::TooManyDocuments { limit: 2 }, "{format:?}");
            assert_eq!(read(3).unwrap().len(), 3, "{format:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_text() {
        let csv = InputFormat::Csv { header: false };
        let documents = csv.documents("\u{feff}good".as_bytes(), 9, BadRecord::KeepsPlace).unwrap();
        assert_eq!(documents.iter().collect::<Vec<_>>(), [Ok("good")]);
    }
}
