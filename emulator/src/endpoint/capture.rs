//! Data capture: what went in and out, as JSON Lines in the bucket, written off the request's path.
//!
//! No request waits for it: what finds no room, or cannot be written, is left out, counted, and told in the endpoint's log,
//! stream `data-capture`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use base64_simd::STANDARD;
use bytes::Bytes;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    account::Account,
    logs,
    s3_uri::S3Uri,
    sagemaker::{CaptureMode, DataCapture},
};

/// Records are written once none came for so long,
const IDLE: Duration = Duration::from_millis(250);
/// or the first has waited for so long,
const OLDEST: Duration = Duration::from_secs(2);
/// or so many bytes are together.
const LARGEST: usize = 1 << 20;
/// Requests that may wait for the writer, and their bytes; more are left out.
const WAITING: usize = 4096;
const WAITING_BYTES: usize = 64 << 20;
/// Between two lines of the log about what was left out.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// Time that the writer has at the end.
const CLOSING: Duration = Duration::from_secs(5);

/// The recorder of one fleet.
pub(super) struct Capture {
    percent: u32,
    exchanges: Mutex<Option<mpsc::Sender<Exchange>>>,
    waiting: Arc<Waiting>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What has been handed to the writer, and what found no room.
#[derive(Default)]
struct Waiting {
    bytes: AtomicUsize,
    left_out: AtomicU64,
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

impl Exchange {
    fn bytes(&self) -> usize {
        self.input.data.len() + self.output.data.len()
    }
}

impl Capture {
    pub fn start(account: &Arc<Account>, endpoint: &str, settings: DataCapture) -> Capture {
        let (exchanges, inbox) = mpsc::channel(WAITING);
        let (percent, waiting) = (settings.initial_sampling_percentage, Arc::<Waiting>::default());
        let writer = S3Uri::parse(&settings.destination_s3_uri).map(|to| {
            let writer = Writer {
                account: account.clone(),
                to: to.join(endpoint),
                group: logs::endpoint(endpoint),
                lines: Lines(settings),
                waiting: waiting.clone(),
                pending: BTreeMap::new(),
                untold: Untold::default(),
            };
            tokio::spawn(writer.run(inbox))
        });
        Capture { percent, exchanges: Mutex::new(Some(exchanges)), waiting, writer: Mutex::new(writer) }
    }

    /// Records an exchange, if it is in the sample and there is room; never waits.
    pub fn record(&self, exchange: Exchange) {
        if u128::from(self.percent) <= uuid::Uuid::new_v4().as_u128() % 100 {
            return;
        }
        let bytes = exchange.bytes();
        // A single one has room however long it is.
        let before = self.waiting.bytes.fetch_add(bytes, Relaxed);
        let room = before == 0 || before + bytes <= WAITING_BYTES;
        let sender = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !room || sender.is_none_or(|sender| sender.try_send(exchange).is_err()) {
            self.waiting.bytes.fetch_sub(bytes, Relaxed);
            self.waiting.left_out.fetch_add(1, Relaxed);
        }
    }

    /// Writes what is left, within a time.
    pub async fn close(&self) {
        drop(self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It ends by itself, for its last sender is gone, unless the bucket's disk hangs.
            let _ = timeout(CLOSING, writer).await;
        }
    }
}

/// Makes lines of exchanges.
struct Lines(DataCapture);

impl Lines {
    fn line(&self, exchange: &Exchange, id: &str) -> String {
        let mut data = serde_json::Map::new();
        for (name, mode, other, side) in [
            ("endpointInput", "INPUT", CaptureMode::Output, &exchange.input),
            ("endpointOutput", "OUTPUT", CaptureMode::Input, &exchange.output),
        ] {
            if self.0.capture_options.iter().any(|option| option.capture_mode != other) {
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
        let lists = &self.0.capture_content_type_header;
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
}

struct Writer {
    account: Arc<Account>,
    to: S3Uri,
    group: String,
    lines: Lines,
    waiting: Arc<Waiting>,
    pending: BTreeMap<String, Pending>,
    untold: Untold,
}

/// The records of one variant that will be one object.
struct Pending {
    first: Timestamp,
    records: u64,
    lines: String,
}

/// Requests that are in no object and not told yet.
#[derive(Default)]
struct Untold {
    told: Option<Instant>,
    unwritten: u64,
    why: String,
}

impl Writer {
    async fn run(mut self, mut inbox: mpsc::Receiver<Exchange>) {
        let (mut oldest, mut newest) = (Instant::now(), Instant::now());
        loop {
            let due = (newest + IDLE).min(oldest + OLDEST);
            let exchange = tokio::select! {
                exchange = inbox.recv() => exchange,
                () = sleep_until(due), if !self.pending.is_empty() => {
                    self.flush().await;
                    continue;
                }
            };
            let Some(exchange) = exchange else { break };
            newest = Instant::now();
            if self.pending.is_empty() {
                oldest = newest;
            }
            self.take(exchange).await;
        }
        self.flush().await;
        self.untold.told = None;
        self.tell();
    }

    async fn take(&mut self, exchange: Exchange) {
        let hour = |at: Timestamp| at.as_second().div_euclid(3600);
        let line = self.lines.line(&exchange, &uuid::Uuid::new_v4().to_string());
        self.waiting.bytes.fetch_sub(exchange.bytes(), Relaxed);
        let full = self.pending.get(&exchange.variant).is_some_and(|pending| {
            pending.lines.len() + line.len() > LARGEST || hour(pending.first) != hour(exchange.at)
        });
        if full {
            self.flush().await;
        }
        let new = || Pending { first: exchange.at, records: 0, lines: String::new() };
        let pending = self.pending.entry(exchange.variant).or_insert_with(new);
        pending.lines.push_str(&line);
        pending.lines.push('\n');
        pending.records += 1;
    }

    async fn flush(&mut self) {
        for (variant, pending) in std::mem::take(&mut self.pending) {
            let to = self.to.join(&variant).join(&key(pending.first));
            let put = self.account.bucket.put_bytes(&to.bucket, &to.key, pending.lines, "application/x-jsonlines");
            if let Err(e) = put.await {
                self.untold.unwritten += pending.records;
                self.untold.why = format!("{to} cannot be written: {e}");
            }
            self.tell();
        }
    }

    /// Says in the log, once in a while and at the end, how many requests are in no object.
    fn tell(&mut self) {
        let no_room = self.waiting.left_out.load(Relaxed);
        let Untold { told, unwritten, why } = &mut self.untold;
        if no_room + *unwritten == 0 || told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return;
        }
        let why = if why.is_empty() { String::new() } else { format!("; {why}") };
        let text = format!(
            "[emulator] {} requests were not captured: {unwritten} could not be written, {no_room} found too many waiting{why}",
            no_room + *unwritten
        );
        self.account.logs.append(&self.group, "data-capture", &text);
        self.waiting.left_out.fetch_sub(no_room, Relaxed);
        self.untold = Untold { told: Some(Instant::now()), ..Untold::default() };
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

    fn lines(lists: Value) -> Lines {
        let settings = json!({
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://b/c",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": lists,
        });
        Lines(serde_json::from_value(settings).expect("settings"))
    }

    #[test]
    fn a_writer_that_takes_nothing_keeps_no_request_waiting() {
        let (sender, mut inbox) = mpsc::channel(WAITING);
        let (exchanges, waiting) = (Mutex::new(Some(sender)), Arc::default());
        let capture = Capture { percent: 100, exchanges, waiting, writer: Mutex::new(None) };
        let exchange = |bytes: usize| Exchange {
            variant: "v".to_owned(),
            input: Side { content_type: None, data: vec![b'a'; bytes].into() },
            output: Side { content_type: None, data: Bytes::new() },
            inference_id: None,
            custom_attributes: None,
            at: Timestamp::UNIX_EPOCH,
        };
        let mut left_out = 0;
        for (bytes, fit) in [(1, WAITING), (16 << 20, 4), (WAITING_BYTES + 1, 1)] {
            let offered = fit as u64 + 10;
            (0..offered).for_each(|_| capture.record(exchange(bytes)));
            left_out += 10;
            assert_eq!(capture.waiting.left_out.load(Relaxed), left_out, "{bytes}");
            while let Ok(exchange) = inbox.try_recv() {
                capture.waiting.bytes.fetch_sub(exchange.bytes(), Relaxed);
            }
        }
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
        let line = lines(json!({})).line(&exchange, "id");
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
        let default = lines(json!({}));
        let own = lines(json!({"CsvContentTypes": ["text/plain"], "JsonContentTypes": ["application/jsonlines"]}));
        for (lines, content_type, want) in [
            (&default, Some("application/json;charset=utf-8"), "JSON"),
            (&default, Some("text/plain"), "BASE64"),
            (&default, None, "BASE64"),
            (&own, Some("text/plain"), "CSV"),
            (&own, Some("application/jsonlines"), "JSON"),
            (&own, Some("text/csv"), "BASE64"),
        ] {
            assert_eq!(lines.encoding(content_type), want, "{content_type:?}");
        }
    }

    #[test]
    fn keys_are_by_hour() {
        let key = key("2024-01-09T03:07:05.042Z".parse().expect("time"));
        assert!(key.starts_with("2024/01/09/03/07-05-042-") && key.ends_with(".jsonl"), "{key}");
    }
}
