//! One request and its answer, and the line that they become: SageMaker's data-capture format.

use super::redact::Redaction;
use crate::app::Asked;
use crate::formats::input::InputFormat;
use crate::formats::negotiate::OutputFormat;
use crate::gzip;
use axum::body::Bytes;
use axum::http::HeaderValue;
use base64_simd::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::time::SystemTime;
use uuid::Uuid;

/// As the request left it.
pub(super) struct Record {
    pub at: SystemTime,
    pub asked: Asked,
    /// Whether the body is.
    pub gzip: bool,
    pub body: Bytes,
    pub body_type: Option<Box<str>>,
    pub answer: Bytes,
    pub answer_type: HeaderValue,
    pub inference_id: Option<Box<str>>,
    pub custom_attributes: Option<Box<str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'r> {
    capture_data: CaptureData<'r>,
    event_metadata: EventMetadata<'r>,
    event_version: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CaptureData<'r> {
    endpoint_input: Side<'r>,
    endpoint_output: Side<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Side<'r> {
    observed_content_type: Option<&'r str>,
    mode: &'r str,
    data: &'r str,
    encoding: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventMetadata<'r> {
    event_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_attributes: Option<[&'r str; 1]>,
    inference_time: String,
}

impl Record {
    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let length = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let texts = length(&self.body_type) + length(&self.inference_id) + length(&self.custom_attributes);
        self.body.len() + self.answer.len() + texts
    }

    /// When it was asked.
    pub fn time(&self) -> Timestamp {
        Timestamp::try_from(self.at).unwrap_or_default()
    }

    /// The line, without its end; none where the body holds more than `most` bytes.
    pub fn line(&self, redaction: &Redaction, most: usize) -> Option<Vec<u8>> {
        let inflated = match self.gzip {
            true => Some(gzip::inflate(&self.body, most).ok()??),
            false => None,
        };
        let body = String::from_utf8_lossy(inflated.as_deref().unwrap_or(&self.body));
        let body = redaction.body(self.asked.input, &body);
        let answer = String::from_utf8_lossy(&self.answer);
        let answer = match self.asked.explain.is_some() && !redaction.is_none() {
            // Its terms are words of the text.
            true => unexplained(self.asked.output, &answer).into(),
            false => answer,
        };
        let redacted = |text: &Option<Box<str>>| text.as_deref().map(|text| redaction.text(text).into_owned());
        let (inference_id, attributes) = (redacted(&self.inference_id), redacted(&self.custom_attributes));
        // As SageMaker does where no content types are named for it.
        let input = match self.asked.input {
            InputFormat::Json => "JSON",
            InputFormat::Csv { .. } => "CSV",
            InputFormat::JsonLines | InputFormat::Text => "BASE64",
        };
        let output = match self.asked.output {
            OutputFormat::Json => "JSON",
            OutputFormat::Csv => "CSV",
            OutputFormat::JsonLines => "BASE64",
        };
        let encoded = |text: &str, encoding| match encoding {
            "BASE64" => STANDARD.encode_to_string(text),
            _ => text.to_owned(),
        };
        let (body, answer) = (encoded(&body, input), encoded(&answer, output));
        let line = Line {
            capture_data: CaptureData {
                endpoint_input: Side {
                    observed_content_type: self.body_type.as_deref(),
                    mode: "INPUT",
                    data: &body,
                    encoding: input,
                },
                endpoint_output: Side {
                    observed_content_type: self.answer_type.to_str().ok(),
                    mode: "OUTPUT",
                    data: &answer,
                    encoding: output,
                },
            },
            event_metadata: EventMetadata {
                event_id: Uuid::new_v4().to_string(),
                inference_id: inference_id.as_deref(),
                custom_attributes: attributes.as_deref().map(|attributes| [attributes]),
                inference_time: format!("{:.0}", self.time()),
            },
            event_version: "0",
        };
        serde_json::to_vec(&line).ok()
    }
}

/// The answer without its explanations.
fn unexplained(format: OutputFormat, answer: &str) -> String {
    let without = |prediction: &mut Value| {
        if let Some(prediction) = prediction.as_object_mut() {
            prediction.remove("explanation");
        }
    };
    let read = |json: &str| serde_json::from_str::<Value>(json).unwrap_or_default();
    match format {
        OutputFormat::JsonLines => answer
            .lines()
            .map(|line| {
                let mut prediction = read(line);
                without(&mut prediction);
                format!("{prediction}\n")
            })
            .collect(),
        OutputFormat::Json | OutputFormat::Csv => {
            let mut whole = read(answer);
            whole["predictions"].as_array_mut().into_iter().flatten().for_each(without);
            whole.to_string()
        }
    }
}
