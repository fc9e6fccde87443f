//! A transform job: the model's container up, every object below the prefix through it, an `.out` object for each.

mod path;
mod records;

use std::{io::Read as _, sync::Arc, time::Duration};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;
use tokio::{sync::watch, task::spawn_blocking};

use self::{
    path::JsonPath,
    records::{Format, Processing, batches, lines},
};
use super::{ABANDONED, supervise::asked};
use crate::{
    account::Account,
    container::inputs::{self, Selection},
    endpoint::{self, Fleet},
    logs,
    s3_uri::S3Uri,
    sagemaker::TransformJob,
    time,
};

/// What a request's `MaxConcurrentTransforms` × `MaxPayloadInMB` may come to.
const MOST_MB: u64 = 100;
/// How long `/execution-parameters` may take.
const PARAMETERS: Duration = Duration::from_secs(2);

/// A request, read.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    input: String,
    selection: Selection,
    gzip: bool,
    output: S3Uri,
    headers: HeaderMap,
    by_line: bool,
    line_ends: bool,
    processing: Processing,
    /// Whether a request holds one record; nothing where the container decides.
    single: Option<bool>,
    payload_mb: Option<u64>,
    concurrent: Option<u64>,
    patience: Duration,
    retries: u64,
}

impl Plan {
    /// Reads a request that the shapes have checked; the reason where it cannot be done.
    pub fn of(request: &Value) -> Result<Plan, String> {
        let (input, output) = (&request["TransformInput"], &request["TransformOutput"]);
        let source = &input["DataSource"]["S3DataSource"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let selection = match text(&source["S3DataType"]).as_str() {
            "S3Prefix" => Selection::Prefix,
            "ManifestFile" => Selection::Manifest,
            other => return Err(format!("S3DataType {other} is not one that a transform job of the emulator reads.")),
        };
        let by_line = match text(&input["SplitType"]).as_str() {
            "Line" => true,
            "" | "None" => false,
            other => return Err(format!("SplitType {other} is not supported by the emulator; use Line or None.")),
        };
        if !request["DataCaptureConfig"].is_null() {
            return Err("DataCaptureConfig of a transform job is not supported by the emulator.".to_owned());
        }
        let to = text(&output["S3OutputPath"]);
        let output_uri =
            S3Uri::parse(&to).ok_or_else(|| format!("S3OutputPath {to} must be of the form s3://bucket/prefix."))?;
        let line_ends = text(&output["AssembleWith"]) == "Line";
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::CONTENT_TYPE, &input["ContentType"]), (header::ACCEPT, &output["Accept"])] {
            if let Some(value) = value.as_str() {
                headers.insert(name, HeaderValue::from_str(value).map_err(|_| format!("{value} is no content type."))?);
            }
        }
        let processing = processing(request, by_line, line_ends)?;
        let payload_mb = request["MaxPayloadInMB"].as_u64();
        let concurrent = request["MaxConcurrentTransforms"].as_u64();
        let product = payload_mb.unwrap_or(6).saturating_mul(concurrent.unwrap_or(1).max(1));
        if product > MOST_MB {
            return Err(format!(
                "MaxConcurrentTransforms x MaxPayloadInMB is {product}; it must not exceed {MOST_MB}."
            ));
        }
        let client = &request["ModelClientConfig"];
        Ok(Plan {
            input: text(&source["S3Uri"]),
            selection,
            gzip: input["CompressionType"] == "Gzip",
            output: output_uri,
            headers,
            by_line,
            line_ends,
            processing,
            single: request["BatchStrategy"].as_str().map(|strategy| strategy == "SingleRecord"),
            payload_mb,
            concurrent,
            patience: Duration::from_secs(client["InvocationsTimeoutInSeconds"].as_u64().unwrap_or(600)),
            retries: client["InvocationsMaxRetries"].as_u64().unwrap_or(3),
        })
    }

    /// What the request leaves open, the container may say.
    fn ask(&mut self, parameters: &Value) {
        let number = |name: &str| parameters[name].as_u64();
        self.single = self.single.or_else(|| parameters["BatchStrategy"].as_str().map(|s| s == "SINGLE_RECORD"));
        self.payload_mb = self.payload_mb.or(number("MaxPayloadInMB"));
        self.concurrent = self.concurrent.filter(|n| *n > 0).or(number("MaxConcurrentTransforms"));
    }

    /// Most bytes of a request; 0 MB means any number.
    fn payload(&self) -> usize {
        match self.payload_mb.unwrap_or(6) {
            0 => usize::MAX,
            mb => usize::try_from(mb << 20).unwrap_or(usize::MAX),
        }
    }
}

fn processing(request: &Value, by_line: bool, line_ends: bool) -> Result<Processing, String> {
    let asked = &request["DataProcessing"];
    let path = |member: &str| match asked[member].as_str() {
        None | Some("$") => Ok(None),
        Some(text) => JsonPath::parse(text).map(Some).map_err(|why| format!("{member}: {why}")),
    };
    let kind = |value: &Value| Format::of(value.as_str().unwrap_or_default());
    let processing = Processing {
        input: path("InputFilter")?,
        output: path("OutputFilter")?,
        join: asked["JoinSource"] == "Input",
        sent: kind(&request["TransformInput"]["ContentType"]),
        answered: kind(&request["TransformOutput"]["Accept"]),
    };
    let filters = processing.input.is_some() || processing.looks();
    if filters && processing.sent == Format::Bytes || processing.looks() && processing.answered != processing.sent {
        return Err("DataProcessing needs ContentType and Accept to be the same, text/csv or JSON.".to_owned());
    }
    if filters && (by_line != line_ends || processing.sent == Format::Csv && !by_line) {
        return Err("DataProcessing needs SplitType and AssembleWith to be the same, and Line for text/csv.".to_owned());
    }
    Ok(processing)
}

pub(super) async fn run(account: Arc<Account>, job: TransformJob, mut stop: watch::Receiver<bool>) {
    let outcome = attempt(&account, &job, &mut stop).await;
    account.transform_jobs.change(&job.name, |job| match outcome {
        Ok(status) => job.enter(status),
        Err(reason) => job.fail(&reason),
    });
    account.stops.leave(&job.arn);
}

async fn attempt(
    account: &Arc<Account>,
    job: &TransformJob,
    stop: &mut watch::Receiver<bool>,
) -> Result<&'static str, String> {
    let mut plan = Plan::of(&job.request)?;
    // To its end, whatever is asked meanwhile: what is dropped half-way would outlive the job.
    let up = Fleet::bring_up(account, &job.name, logs::TRANSFORM, &job.deployment()).await;
    let fleet = up.ok_or_else(|| ABANDONED.to_owned())??;
    account.transform_jobs.change(&job.name, |job| job.started = Some(time::now()));
    if let Some(said) = fleet.get("/execution-parameters", PARAMETERS).await {
        plan.ask(&serde_json::from_slice(&said).unwrap_or_default());
    }
    let work = Work { account, job, plan: &plan, fleet: &fleet };
    let (ended, grace) = tokio::select! {
        done = work.all() => (done.map(|()| "Completed"), account.timing.instance_grace),
        () = asked(stop) => (Ok("Stopped"), account.timing.instance_grace),
        () = account.tasks.closing() => (Err(ABANDONED.to_owned()), account.timing.shutdown_grace),
    };
    fleet.end(grace).await;
    ended
}

struct Work<'a> {
    account: &'a Account,
    job: &'a TransformJob,
    plan: &'a Plan,
    fleet: &'a Fleet,
}

impl Work<'_> {
    /// Every object; one that fails fails the job, and the others are done all the same.
    async fn all(&self) -> Result<(), String> {
        let objects = inputs::select(self.account, &self.plan.input, self.plan.selection).await;
        let objects = objects.map_err(|why| format!("ClientError: Data download failed:{why}"))?;
        let mut failed = None;
        for (from, name) in objects {
            if let Err(why) = self.object(&from, &name).await {
                let stream = format!("{}/data-log", self.job.name);
                self.account.logs.append(logs::TRANSFORM, &stream, &format!("{from}: {why}"));
                failed.get_or_insert(format!("AlgorithmError: {from}: {why}"));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn object(&self, from: &S3Uri, name: &str) -> Result<(), String> {
        let bytes = self.account.bucket.get_bytes(&from.bucket, &from.key).await.map_err(|e| e.to_string())?;
        let bytes = if self.plan.gzip { unpacked(bytes).await? } else { bytes };
        let out = if self.plan.by_line { self.by_line(&bytes).await? } else { self.whole(&bytes).await? };
        let to = self.plan.output.join(&format!("{name}.out"));
        let put = self.account.bucket.put_bytes(&to.bucket, &to.key, out, "").await;
        put.map(|_| ()).map_err(|e| format!("{to}: {e}"))
    }

    async fn whole(&self, object: &Bytes) -> Result<Vec<u8>, String> {
        let processing = &self.plan.processing;
        let sent = processing.filtered(object)?;
        if sent.len() > self.plan.payload() {
            return Err(format!("{} bytes are more than MaxPayloadInMB; split it with SplitType Line", sent.len()));
        }
        let answer = self.ask(sent.into()).await?;
        let mut out = if processing.looks() { processing.assembled(object, &answer)? } else { answer.to_vec() };
        self.end_line(&mut out);
        Ok(out)
    }

    async fn by_line(&self, object: &[u8]) -> Result<Vec<u8>, String> {
        let processing = &self.plan.processing;
        let records = lines(object);
        let named = |(n, record): (usize, &&[u8])| {
            processing.filtered(record).map_err(|why| format!("record {}: {why}", n + 1))
        };
        let sent = records.iter().enumerate().map(named).collect::<Result<Vec<_>, _>>()?;
        let most = self.plan.payload();
        if let Some(large) = sent.iter().position(|record| record.len() > most) {
            return Err(format!("record {}: {} bytes are more than MaxPayloadInMB", large + 1, sent[large].len()));
        }
        let single = self.plan.single.unwrap_or(false);
        let batches = if single { (0..sent.len()).map(|n| n..n + 1).collect() } else { batches(&sent, most) };
        let concurrent = usize::try_from(self.plan.concurrent.unwrap_or(1).max(1)).unwrap_or(1);
        let (sent, records) = (&sent, &records);
        let answered = futures::stream::iter(batches).map(|batch| async move {
            let answer = self.ask(sent[batch.clone()].join(&b'\n').into()).await?;
            if !processing.looks() {
                let mut out = answer.to_vec();
                self.end_line(&mut out);
                return Ok::<_, String>(out);
            }
            let answers = lines(&answer);
            if answers.len() != batch.len() {
                return Err(format!(
                    "{} answers to the {} records from record {} on: there is nothing to join or filter line by line",
                    answers.len(),
                    batch.len(),
                    batch.start + 1
                ));
            }
            let mut out = Vec::new();
            for (n, answer) in batch.zip(answers) {
                let record = processing.assembled(records[n], answer);
                out.extend(record.map_err(|why| format!("record {}: {why}", n + 1))?);
                out.push(b'\n');
            }
            Ok(out)
        });
        let parts: Vec<Vec<u8>> = answered.buffered(concurrent).try_collect().await?;
        Ok(parts.concat())
    }

    fn end_line(&self, out: &mut Vec<u8>) {
        if self.plan.line_ends && out.last() != Some(&b'\n') {
            out.push(b'\n');
        }
    }

    /// Sends a payload, again where it fails and may be tried again.
    async fn ask(&self, payload: Bytes) -> Result<Bytes, String> {
        let Plan { headers, patience, retries, .. } = self.plan;
        let mut tries = 0;
        loop {
            let answer = endpoint::ask(self.account, self.fleet, headers.clone(), payload.clone(), *patience).await;
            let (why, for_good) = match answer {
                Ok((status, _, body)) if status.is_success() => return Ok(body),
                Ok((status, _, body)) => {
                    let said: String = String::from_utf8_lossy(&body).chars().take(500).collect();
                    (
                        format!("Bad HTTP status received from algorithm: {}: {said}", status.as_u16()),
                        status.is_client_error(),
                    )
                }
                Err(why) => (why, false),
            };
            if for_good || tries == *retries {
                return Err(why);
            }
            tries += 1;
        }
    }
}

async fn unpacked(packed: Bytes) -> Result<Bytes, String> {
    let unpack = move || {
        let mut plain = Vec::new();
        MultiGzDecoder::new(&packed[..]).read_to_end(&mut plain).map(|_| Bytes::from(plain))
    };
    let done = spawn_blocking(unpack).await.map_err(std::io::Error::other).flatten();
    done.map_err(|e| format!("it is not gzip: {e}"))
}
