//! Calls written down, a JSON object a line: what was sent and what came back, as it went over the wire.
//!
//! Left out: signatures and tokens, the bytes of objects, and the documents that a model is asked about.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::{HeaderMap, Uri, request, response};
use serde::Serialize;

use super::call::Call;
use crate::{StartError, route::signed_region};

/// Headers that hold a secret, or a means to one.
const SECRET: [&str; 5] = [
    "authorization",
    "cookie",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
];

/// A file that lines are added to.
#[derive(Debug)]
pub(super) struct Recorder {
    path: PathBuf,
    file: File,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    service: &'a str,
    operation: &'a str,
    request: Sent,
    response: Answered,
}

/// What was sent.
#[derive(Serialize)]
pub(super) struct Sent {
    method: String,
    /// That it is signed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    uri: String,
    headers: BTreeMap<String, String>,
    body: Payload,
}

#[derive(Serialize)]
struct Answered {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Payload,
}

/// Bytes in JSON.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Payload {
    Text(String),
    Base64(String),
    /// The user's own.
    Omitted,
}

impl Payload {
    fn of(body: Option<&Bytes>) -> Payload {
        match body.map(|body| std::str::from_utf8(body).map_err(|_| body)) {
            None => Payload::Omitted,
            Some(Ok(text)) => Payload::Text(text.to_owned()),
            Some(Err(bytes)) => Payload::Base64(base64_simd::STANDARD.encode_to_string(bytes)),
        }
    }
}

impl Recorder {
    /// Adds to `path`, which may hold other processes' lines.
    pub fn open(path: &Path) -> Result<Recorder, StartError> {
        let file = File::options().create(true).append(true).open(path).map_err(|e| StartError::record(path, e))?;
        Ok(Recorder { path: path.to_owned(), file })
    }

    /// The request's part of a line.
    pub fn request(&self, head: &request::Parts, body: Option<&Bytes>) -> Sent {
        Sent {
            method: head.method.to_string(),
            region: signed_region(&head.headers, head.uri.query().unwrap_or_default()),
            uri: unsigned(&head.uri),
            headers: headers(&head.headers),
            body: Payload::of(body),
        }
    }

    /// Writes the line. That it cannot be written is said, and ends nothing.
    pub fn write(&self, call: &Call, request: Sent, head: &response::Parts, body: Option<&Bytes>) {
        let response =
            Answered { status: head.status.as_u16(), headers: headers(&head.headers), body: Payload::of(body) };
        let line = Line { service: &call.service, operation: &call.operation, request, response };
        let written = serde_json::to_string(&line).map_err(std::io::Error::from).and_then(|line| {
            // One write a line: those of several processes do not run into each other.
            (&self.file).write_all(format!("{line}\n").as_bytes())
        });
        if let Err(e) = written {
            eprintln!("{}: a call cannot be recorded: {e}", self.path.display());
        }
    }
}

fn headers(all: &HeaderMap) -> BTreeMap<String, String> {
    let told = all.iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
    told.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// The address without what signs it.
fn unsigned(uri: &Uri) -> String {
    let path = uri.path();
    let signs = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
            || name == "AWSAccessKeyId"
            || name == "Signature"
    };
    let told: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(|pair| !signs(pair)).collect();
    let told = told.join("&");
    if told.is_empty() { path.to_owned() } else { format!("{path}?{told}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_written_down() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("calls.jsonl");
        let recorder = Recorder::open(&path).expect("open");
        let uri = "/b/k?versionId=1&X-Amz-Credential=AK&X-Amz-Signature=TELLTALE&x-amz-security-token=TELLTALE";
        let request = http::Request::put(uri)
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AK/20240101/eu-west-1/s3/aws4_request, Signature=TELLTALE",
            )
            .header("x-amz-security-token", "TELLTALE")
            .header("x-amz-meta-of", "sagebrush");
        let (head, ()) = request.body(()).expect("request").into_parts();
        let (answer, ()) = http::Response::new(()).into_parts();
        let call = Call::of(&head, b"");
        let (text, binary) = (Bytes::from_static(b"<a/>"), Bytes::from_static(&[0xff, 0]));
        recorder.write(&call, recorder.request(&head, None), &answer, Some(&text));
        recorder.write(&call, recorder.request(&head, Some(&binary)), &answer, Some(&text));
        let written = std::fs::read_to_string(&path).expect("the file");
        assert!(!written.contains("TELLTALE"), "{written}");
        let lines: Vec<serde_json::Value> =
            written.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["service"], &lines[0]["operation"]), (&"s3".into(), &"PutObject".into()));
        assert_eq!(lines[0]["request"]["region"], "eu-west-1");
        assert_eq!(lines[0]["request"]["uri"], "/b/k?versionId=1");
        assert_eq!(lines[0]["request"]["headers"]["x-amz-meta-of"], "sagebrush");
        assert_eq!(lines[0]["request"]["body"], "omitted");
        assert_eq!(lines[1]["request"]["body"]["base64"], "/wA=");
        assert_eq!(lines[1]["response"]["body"]["text"], "<a/>");
    }
}
