//! One line of capture.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Exchange, answer, base64, request};
use crate::settings::Halves;

/// The `inferenceId` of requests that prove a deployment or measure it: they are nobody's traffic, and are passed over.
pub const OWN_REQUEST: &str = "sagebrush-own-request";

/// A request and its answer, as captured.
#[derive(Clone, Debug)]
pub struct Record {
    /// `eventMetadata.inferenceTime`.
    pub time: Timestamp,
    /// `eventMetadata.inferenceId`, else its `eventId`: what ground truth names it by.
    id: Option<String>,
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
    inference_id: Option<String>,
    event_id: Option<String>,
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
        let EventMetadata { inference_time: time, inference_id, event_id } = line.event_metadata;
        let time = time.parse().map_err(|_| format!("inferenceTime `{time}` is no time"))?;
        Ok(Self { time, id: inference_id.or(event_id), input, output })
    }

    /// Whether the pipeline asked for its own sake.
    pub fn is_own(&self) -> bool {
        self.id.as_deref() == Some(OWN_REQUEST)
    }

    /// What ground truth names it by.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The request as it was sent: its content type and its body; none where it was not captured.
    pub fn request(&self) -> Result<Option<(&str, Vec<u8>)>, String> {
        self.input.as_ref().map(|input| Ok((input.content_type(), input.bytes()?.into_owned()))).transpose()
    }

    /// Documents and predictions, matched in order; else why that cannot be.
    pub fn exchange(self, halves: Halves) -> Result<Exchange, String> {
        let half = |wanted: bool, payload| if wanted { payload } else { None };
        let answers = half(halves.output, self.output)
            .map(|output: Payload| answer::read(output.content_type(), &output.text()?))
            .transpose()
            .map_err(|why| format!("the answer is no prediction: {why}"))?;
        let texts = half(halves.input, self.input)
            .map(|input: Payload| request::read(input.content_type(), &input.text()?))
            .transpose()
            .map_err(|why| format!("the request has no documents: {why}"))?;
        let records = match (&texts, &answers) {
            (Some(texts), Some(answers)) if texts.len() != answers.len() => {
                return Err(format!("{} documents and {} predictions", texts.len(), answers.len()));
            }
            (None, None) => return Err("neither half that is to be read was captured".into()),
            (Some(texts), _) => texts.len(),
            (None, Some(answers)) => answers.len(),
        };
        // A record that was answered with an error is neither document nor prediction.
        let whole = |at: usize| {
            let text = texts.as_ref().is_none_or(|texts| texts[at].is_some());
            text && answers.as_ref().is_none_or(|answers| answers[at].is_some())
        };
        let kept: Vec<bool> = (0..records).map(whole).collect();
        if !kept.contains(&true) {
            return Err("every record of it was refused".into());
        }
        let (texts, answers) = (texts.map(|t| those(t, &kept)), answers.map(|a| those(a, &kept)));
        Ok(Exchange { time: self.time, id: self.id, records: kept, texts, answers })
    }
}

/// What is there of `all` where it is kept.
fn those<T>(all: Vec<Option<T>>, kept: &[bool]) -> Vec<T> {
    all.into_iter().zip(kept).filter(|(_, kept)| **kept).filter_map(|(one, _)| one).collect()
}

impl Payload {
    /// As observed; where nothing was, as encoded.
    fn content_type(&self) -> &str {
        let encoded = match self.encoding {
            Encoding::Csv => "text/csv",
            Encoding::Json => "application/json",
            Encoding::Base64 => "",
        };
        self.observed_content_type.as_deref().unwrap_or(encoded)
    }

    fn bytes(&self) -> Result<Cow<'_, [u8]>, String> {
        match self.encoding {
            Encoding::Csv | Encoding::Json => Ok(Cow::Borrowed(self.data.as_bytes())),
            Encoding::Base64 => base64::decode(&self.data).map(Cow::Owned),
        }
    }

    fn text(&self) -> Result<Cow<'_, str>, String> {
        match self.encoding {
            Encoding::Csv | Encoding::Json => Ok(Cow::Borrowed(&self.data)),
            Encoding::Base64 => {
                let bytes = self.bytes()?.into_owned();
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
