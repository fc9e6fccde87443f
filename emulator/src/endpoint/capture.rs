//! Data capture: what went in and out, as JSON Lines in the bucket, written off the request's path.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64_simd::STANDARD;
use bytes::Bytes;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use crate::{
    account::Account,
    s3_uri::S3Uri,
    sagemaker::{CaptureMode, DataCapture},
};

/// Records are written once none came for so long,
const IDLE: Duration = Duration::from_millis(250);
/// or the first has waited for so long,
const OLDEST: Duration = Duration::from_secs(2);
/// or so many bytes are together.
const LARGEST: usize = 1 << 20;
/// Records that may wait for the writer; more make requests wait.
const WAITING: usize = 4096;

/// The recorder of one fleet.
pub(super) struct Capture {
    settings: DataCapture,
    records: Mutex<Option<mpsc::Sender<Record>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// One side of a request.
pub(super) struct Side {
    pub content_type: Option<String>,
    pub data: Bytes,
}

/// A request and its answer.
pub(super) struct Exchange {
    pub variant: String,
    pub input: Side,
    pub output: Side,
    pub inference_id: Option<String>,
    pub custom_attributes: Option<String>,
    pub at: Timestamp,
}

struct Record {
    variant: String,
    at: Timestamp,
    line: String,
}

impl Capture {
    pub fn start(account: &Arc<Account>, endpoint: &str, settings: DataCapture) -> Capture {
        let (records, inbox) = mpsc::channel(WAITING);
        let writer = S3Uri::parse(&settings.destination_s3_uri).map(|to| {
            let writer = Writer { account: account.clone(), to: to.join(endpoint), pending: BTreeMap::new() };
            tokio::spawn(writer.run(inbox))
        });
        Capture { settings, records: Mutex::new(Some(records)), writer: Mutex::new(writer) }
    }

    /// Records an exchange, if it is in the sample.
    pub async fn record(&self, exchange: Exchange) {
        let id = uuid::Uuid::new_v4();
        if u128::from(self.settings.initial_sampling_percentage) <= id.as_u128() % 100 {
            return;
        }
        let line = self.line(&exchange, &id.to_string());
        let sender = self.records.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sender) = sender {
            // The writer ends only after `close`, and `close` waits for the requests in flight first.
            let _ = sender.send(Record { variant: exchange.variant, at: exchange.at, line }).await;
        }
    }

    fn line(&self, exchange: &Exchange, id: &str) -> String {
        let mut data = serde_json::Map::new();
        for (name, mode, other, side) in [
            ("endpointInput", "INPUT", CaptureMode::Output, &exchange.input),
            ("endpointOutput", "OUTPUT", CaptureMode::Input, &exchange.output),
        ] {
            if self.settings.capture_options.iter().any(|option| option.capture_mode != other) {
                data.insert(name.to_owned(), self.side(mode, side));
            }
        }
        let mut metadata = json!({"eventId": id, "inferenceTime": format!("{:.0}", exchange.at)});
        if let Some(inference_id) = &exchange.inference_id {
            metadata["inferenceId"] = json!(inference_id);
        }
        if let Some(attributes) = &exchange.custom_attributes {
            metadata["customAttributes"] = json!([attributes]);
        }
        json!({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}).to_string()
    }

    fn side(&self, mode: &str, side: &Side) -> Value {
        let encoding = self.encoding(side.content_type.as_deref());
        let text = std::str::from_utf8(&side.data).ok().filter(|_| encoding != "BASE64");
        let (data, encoding) = match text {
            Some(text) => (text.to_owned(), encoding),
            None => (STANDARD.encode_to_string(&side.data), "BASE64"),
        };
        json!({"observedContentType": side.content_type, "mode": mode, "data": data, "encoding": encoding})
    }

    /// As the content type's lists say; where none is given, those of the Python SDK.
    fn encoding(&self, content_type: Option<&str>) -> &'static str {
        let lists = &self.settings.capture_content_type_header;
        let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let default = lists.csv_content_types.is_empty() && lists.json_content_types.is_empty();
        let listed = |list: &[String], known: &str| {
            if default { kind.eq_ignore_ascii_case(known) } else { list.iter().any(|l| l.eq_ignore_ascii_case(kind)) }
        };
        match () {
            () if listed(&lists.csv_content_types, "text/csv") => "CSV",
            () if listed(&lists.json_content_types, "application/json") => "JSON",
            () => "BASE64",
        }
    }

    /// Writes what is left.
    pub async fn close(&self) {
        drop(self.records.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It ends by itself: its last sender is gone.
            let _ = writer.await;
        }
    }
}

struct Writer {
    account: Arc<Account>,
    to: S3Uri,
    pending: BTreeMap<String, Pending>,
}

/// The records of one variant that will be one object.
struct Pending {
    first: Timestamp,
    lines: String,
}

impl Writer {
    async fn run(mut self, mut inbox: mpsc::Receiver<Record>) {
        let (mut oldest, mut newest) = (Instant::now(), Instant::now());
        loop {
            let due = (newest + IDLE).min(oldest + OLDEST);
            let record = tokio::select! {
                record = inbox.recv() => record,
                () = sleep_until(due), if !self.pending.is_empty() => {
                    self.flush().await;
                    continue;
                }
            };
            let Some(record) = record else { break };
            newest = Instant::now();
            if self.pending.is_empty() {
                oldest = newest;
            }
            self.take(record).await;
        }
        self.flush().await;
    }

    async fn take(&mut self, record: Record) {
        let hour = |at: Timestamp| at.as_second().div_euclid(3600);
        let full = self.pending.get(&record.variant).is_some_and(|pending| {
            pending.lines.len() + record.line.len() > LARGEST || hour(pending.first) != hour(record.at)
        });
        if full {
            self.flush().await;
        }
        let new = || Pending { first: record.at, lines: String::new() };
        let pending = self.pending.entry(record.variant).or_insert_with(new);
        pending.lines.push_str(&record.line);
        pending.lines.push('\n');
    }

    async fn flush(&mut self) {
        for (variant, pending) in std::mem::take(&mut self.pending) {
            let to = self.to.join(&variant).join(&key(pending.first));
            let put = self.account.bucket.put_bytes(&to.bucket, &to.key, pending.lines, "application/x-jsonlines");
            if let Err(e) = put.await {
                eprintln!("captured requests cannot be written to {to}: {e}");
            }
        }
    }
}

/// `yyyy/mm/dd/hh/MM-SS-mmm-<uuid>.jsonl`, UTC.
fn key(at: Timestamp) -> String {
    let utc = at.to_zoned_datetime(TimeZone::UTC);
    format!("{}-{:03}-{}.jsonl", utc.strftime("%Y/%m/%d/%H/%M-%S"), utc.millisecond(), uuid::Uuid::new_v4())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(lists: Value) -> Capture {
        let settings = json!({
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://b/c",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": lists,
        });
        let settings = serde_json::from_value(settings).expect("settings");
        Capture { settings, records: Mutex::new(None), writer: Mutex::new(None) }
    }

    #[test]
    fn a_record_is_model_monitors() {
        let side = |content_type: Option<&str>, data: &'static str| Side {
            content_type: content_type.map(str::to_owned),
            data: Bytes::from_static(data.as_bytes()),
        };
        let exchange = Exchange {
            variant: "v".to_owned(),
            input: side(Some("text/csv; charset=utf-8"), "1,2\n"),
            output: side(None, "?"),
            inference_id: Some("x".to_owned()),
            custom_attributes: Some("explain=3".to_owned()),
            at: "2024-01-19T19:27:57.9Z".parse().expect("time"),
        };
        let line = capture(json!({})).line(&exchange, "id");
        let want = json!({
            "captureData": {
                "endpointInput": {"observedContentType": "text/csv; charset=utf-8", "mode": "INPUT", "data": "1,2\n", "encoding": "CSV"},
                "endpointOutput": {"observedContentType": null, "mode": "OUTPUT", "data": "Pw==", "encoding": "BASE64"},
            },
            "eventMetadata": {"eventId": "id", "inferenceId": "x", "customAttributes": ["explain=3"], "inferenceTime": "2024-01-19T19:27:57Z"},
            "eventVersion": "0",
        });
        assert_eq!(serde_json::from_str::<Value>(&line).expect("json"), want);
    }

    #[test]
    fn encodings_follow_the_lists() {
        let default = capture(json!({}));
        let own = capture(json!({"CsvContentTypes": ["text/plain"], "JsonContentTypes": ["application/jsonlines"]}));
        for (capture, content_type, want) in [
            (&default, Some("application/json;charset=utf-8"), "JSON"),
            (&default, Some("text/plain"), "BASE64"),
            (&default, None, "BASE64"),
            (&own, Some("text/plain"), "CSV"),
            (&own, Some("application/jsonlines"), "JSON"),
            (&own, Some("text/csv"), "BASE64"),
        ] {
            assert_eq!(capture.encoding(content_type), want, "{content_type:?}");
        }
    }

    #[test]
    fn keys_are_by_hour() {
        let key = key("2024-01-09T03:07:05.042Z".parse().expect("time"));
        assert!(key.starts_with("2024/01/09/03/07-05-042-") && key.ends_with(".jsonl"), "{key}");
    }
}
