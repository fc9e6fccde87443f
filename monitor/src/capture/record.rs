//! One line of capture.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Exchange, answer, base64, request};
use crate::settings::Halves;

/// A request and its answer, as captured.
#[derive(Clone, Debug)]
pub struct Record {
    /// `eventMetadata.inferenceTime`.
    pub time: Timestamp,
    input: Option<Payload>,
    output: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    capture_data: CaptureData,
    event_metadata: EventMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaptureData {
    endpoint_input: Option<Payload>,
    endpoint_output: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventMetadata {
    inference_time: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    observed_content_type: Option<String>,
    data: String,
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Encoding {
    Csv,
    Json,
    Base64,
}

impl Record {
    /// Of a line's bytes; else why it is no record.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(line).map_err(|e| format!("not UTF-8 at byte {}", e.valid_up_to()))?;
        // serde_json knows of no other line than the first.
        let line: Line =
            serde_json::from_str(text).map_err(|e| e.to_string().replace(" at line 1 column", " at column"))?;
        let CaptureData { endpoint_input: input, endpoint_output: output } = line.capture_data;
        if input.is_none() && output.is_none() {
            return Err("neither endpointInput nor endpointOutput is there".into());
        }
        let time = line.event_metadata.inference_time;
        let time = time.parse().map_err(|_| format!("inferenceTime `{time}` is no time"))?;
        Ok(Self { time, input, output })
    }

    /// Documents and predictions, matched in order; else why that cannot be.
    pub fn exchange(&self, halves: Halves) -> Result<Exchange, String> {
        let half = |wanted: bool, payload: &Option<Payload>| payload.clone().filter(|_| wanted);
        let answers = half(halves.output, &self.output)
            .map(|output| answer::read(&output.content_type(), &output.text()?))
            .transpose()
            .map_err(|why| format!("the answer is no prediction: {why}"))?;
        let texts = half(halves.input, &self.input)
            .map(|input| request::read(&input.content_type(), &input.text()?))
            .transpose()
            .map_err(|why| format!("the request has no documents: {why}"))?;
        match (&texts, &answers) {
            (Some(texts), Some(answers)) if texts.len() != answers.len() => {
                return Err(format!("{} documents and {} predictions", texts.len(), answers.len()));
            }
            (None, None) => return Err("neither half that is to be read was captured".into()),
            _ => {}
        }
        // A record that was answered with an error is neither document nor prediction.
        let kept = |at: usize| {
            let text = texts.as_ref().is_none_or(|texts| texts[at].is_some());
            text && answers.as_ref().is_none_or(|answers| answers[at].is_some())
        };
        let records = texts.as_ref().map(Vec::len).or(answers.as_ref().map(Vec::len)).unwrap_or_default();
        let at: Vec<usize> = (0..records).filter(|&at| kept(at)).collect();
        if at.is_empty() {
            return Err("every record of it was refused".into());
        }
        let texts = texts.as_ref().map(|texts| at.iter().filter_map(|&at| texts[at].clone()).collect());
        let answers = answers.as_ref().map(|answers| at.iter().filter_map(|&at| answers[at].clone()).collect());
        Ok(Exchange { time: self.time, texts, answers })
    }
}

impl Payload {
    /// As observed; where nothing was, as encoded.
    fn content_type(&self) -> String {
        let encoded = match self.encoding {
            Encoding::Csv => "text/csv",
            Encoding::Json => "application/json",
            Encoding::Base64 => "",
        };
        self.observed_content_type.clone().unwrap_or_else(|| encoded.into())
    }

    fn text(&self) -> Result<Cow<'_, str>, String> {
        match self.encoding {
            Encoding::Csv | Encoding::Json => Ok(Cow::Borrowed(&self.data)),
            Encoding::Base64 => {
                let bytes = base64::decode(&self.data)?;
                String::from_utf8(bytes).map(Cow::Owned).map_err(|_| "its bytes are not UTF-8".into())
            }
        }
    }
}

/// The type without parameters, and whether `header=present` is among them.
pub(super) fn essence(content_type: &str) -> (String, bool) {
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    (essence, parts.any(|parameter| parameter == "header=present"))
}
