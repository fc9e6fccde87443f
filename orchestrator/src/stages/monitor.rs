//! Stage `monitor`: a baseline of the data, a schedule that compares traffic with it, and one comparison now.

use std::{collections::BTreeMap, fmt, path::Path};

use aws_sdk_sagemaker::types::Tag;
use jiff::{SignedDuration, Timestamp};
use report::DriftReport;
use serde::Serialize;

use super::{Context, waves, windows};
use crate::{
    alarms::{self, AlarmsDone},
    bucket, captures,
    error::{self, Failure, Result},
    files, names,
    output::Outcome,
    processing::{self, MonitorJob},
    run_record::{DataPart, DeploymentPart, MonitoringPart, RunRecord, TrainingPart, WatchPart},
    schedule,
    tags::tags,
    topic,
};

/// What `monitor` left to be compared with, below `/opt/ml/processing`.
const BASELINE: &str = "/opt/ml/processing/baseline";
/// `monitor.toml`, labels, and the ledger of the windows done.
const CONFIG: &str = "/opt/ml/processing/config";
const TRUTH: &str = "/opt/ml/processing/ground_truth";
const LEDGER: &str = "/opt/ml/processing/ledger";
/// The window of a look that is asked for by hand goes back to the deployment, and at most this far.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct MonitorDone {
    /// Of the baseline.
    pub baseline: Outcome,
    /// Of the schedule.
    pub schedule: Outcome,
    /// One sentence.
    pub verdict: String,
    /// Every violation, a sentence each.
    pub violations: Vec<String>,
    /// The alarms and their topic; none where the settings want none.
    pub alarms: Option<AlarmsDone>,
    /// What watches, and what it saw.
    pub monitoring: MonitoringPart,
}

impl fmt::Display for MonitorDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.monitoring;
        writeln!(f, "monitoring    {}", self.verdict)?;
        for violation in &self.violations {
            writeln!(f, "  violation   {violation}")?;
        }
        writeln!(f, "  baseline    {}: {}", self.baseline, part.baseline_uri)?;
        write!(f, "  schedule    {}: {}", self.schedule, part.schedule)?;
        if let Some(alarms) = &self.alarms {
            write!(f, "\n  alarms      {}: {} to {}", alarms.outcome, alarms.names.len(), alarms.topic)?;
        }
        part.watch.as_ref().map_or(Ok(()), |watch| write!(f, "\n  report      {}", watch.report.display()))
    }
}

impl MonitorDone {
    /// `Err` with exit code 3 where there are violations.
    pub fn finding(&self) -> Result<()> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let failure = Failure::refused(format!("the traffic has drifted: {}", self.verdict));
        let report = self.monitoring.watch.as_ref().map(|watch| watch.report.display().to_string());
        Err(failure.hint(format!("look at {}", report.unwrap_or_default())))
    }
}

/// Baseline, schedule, and a look at the traffic so far.
pub async fn monitor(context: &Context, run: &mut RunRecord) -> Result<MonitorDone> {
    let (data, training, deployment) = (run.data()?.clone(), run.training()?.clone(), run.deployment()?.clone());
    let (baseline_uri, baseline) = baseline(context, run, &data, &training).await?;
    let tags = tags(context, run);
    begin(context, &deployment).await?;
    let beside = Beside::of(context).await?;
    let watch =
        Watch { data: &data, training: &training, deployment: &deployment, baseline: &baseline_uri, tags, beside };
    let (seen, said, found) = match landed(context, run, &deployment).await? {
        false => (None, "no captured requests yet: send some, then run `monitor` again".into(), Vec::new()),
        true => {
            let (part, report) = watch.now(context).await?;
            let said = verdict(&report);
            (Some((part, report.because())), said, report.violations.into_iter().map(|v| v.description).collect())
        }
    };
    // After the look: some schedules fire as soon as they are made, and an alarm asks what was looked at.
    let (schedule_name, schedule) = schedule(context, &watch).await?;
    let alarms = alarms::ensure(context, run).await?;
    for (_, there) in waves::further(context, Some(&*run)) {
        alarms::ensure_serving(&there, run).await?;
    }
    let (seen, because) = seen.map_or((None, None), |(part, because)| (Some(part), because));
    if let (Some(alarms), Some(part), false) = (&alarms, &seen, found.is_empty()) {
        tell(context, &alarms.topic, part, &said, because.as_deref()).await?;
    }
    let monitoring =
        MonitoringPart { endpoint: deployment.endpoint.clone(), baseline_uri, schedule: schedule_name, watch: seen };
    run.monitoring = Some(monitoring.clone());
    Ok(MonitorDone { baseline, schedule, verdict: said, violations: found, alarms, monitoring })
}

/// A message on a look that found violations: the strongest words, and where the report is.
async fn tell(context: &Context, topic: &str, part: &WatchPart, said: &str, because: Option<&str>) -> Result<()> {
    let endpoint = context.settings.endpoint();
    let link = match &context.settings.monitor.report_link {
        Some(link) => link.replace("{window}", &part.job),
        None => format!("{}report.html", part.uri),
    };
    let text = format!("{} to {}\n{said}\n{}\n{link}\n", part.from, part.to, because.unwrap_or_default());
    let violations = usize::try_from(part.violations).unwrap_or(usize::MAX);
    topic::publish(context, topic, &windows::subject(endpoint, violations), &text).await
}

/// Where the ledger of the endpoint's windows begins, written once: the windows before are nobody's.
async fn begin(context: &Context, deployment: &DeploymentPart) -> Result<()> {
    let address = format!("{}begin.json", windows::ledger(context, &deployment.endpoint));
    let (bucket, key) = bucket::parse(&address)?;
    if bucket::head(&context.aws.s3, bucket, key).await?.is_none() {
        let since = serde_json::json!({ "since": deployment.since }).to_string();
        bucket::put(&context.aws.s3, bucket, key, since.into_bytes()).await?;
    }
    Ok(())
}

/// What the settings hand to every job: `s3://` prefixes.
#[derive(Default)]
struct Beside {
    config: Option<String>,
    truth: Option<String>,
}

impl Beside {
    /// Files of this machine are put into the bucket, by their content.
    async fn of(context: &Context) -> Result<Self> {
        let settings = &context.settings.monitor;
        let mut beside = Beside::default();
        if let Some(path) = &settings.config {
            beside.config = Some(uploaded(context, path, "config", "monitor.toml").await?);
        }
        match &settings.ground_truth {
            Some(prefix) if prefix.starts_with("s3://") => {
                let (bucket, key) = bucket::parse(prefix)?;
                if bucket::list(&context.aws.s3, bucket, key).await?.is_empty() {
                    return Err(Failure::new(format!("monitor.ground_truth = {prefix:?}: nothing lies there"))
                        .hint("upload labels first, JSON Lines in SageMaker's ground-truth format"));
                }
                beside.truth = Some(prefix.clone());
            }
            Some(path) => {
                beside.truth = Some(uploaded(context, Path::new(path), "ground-truth", "labels.jsonl").await?)
            }
            None => {}
        }
        Ok(beside)
    }

    fn inputs(&self) -> impl Iterator<Item = (&'static str, String, &'static str)> {
        let input = |name, uri: &Option<String>, path| uri.clone().map(|uri| (name, uri, path));
        input("config", &self.config, CONFIG).into_iter().chain(input("ground_truth", &self.truth, TRUTH))
    }
}

async fn uploaded(context: &Context, path: &Path, kind: &str, name: &str) -> Result<String> {
    let bytes = std::fs::read(path).map_err(error::io(format!("{}: cannot be read", path.display())))?;
    let folder = format!("monitoring/{kind}/{}/", &names::sha256(&bytes)[..16]);
    bucket::put(&context.aws.s3, &context.account.bucket, &format!("{folder}{name}"), bytes).await?;
    Ok(bucket::uri(&context.account.bucket, &folder))
}

fn verdict(report: &DriftReport) -> String {
    let (documents, checks) = (report.documents, report.checks.len());
    match report.violations.len() {
        _ if documents == 0 => "no requests in the window".into(),
        0 => format!("no drift: {documents} documents, {checks} checks, no violation"),
        1 => format!("DRIFT: 1 violation, {documents} documents, {checks} checks"),
        n => format!("DRIFT: {n} violations, {documents} documents, {checks} checks"),
    }
}

/// The baseline of this data and this artifact, made once.
async fn baseline(
    context: &Context,
    run: &RunRecord,
    data: &DataPart,
    training: &TrainingPart,
) -> Result<(String, Outcome)> {
    let environment = [
        ("dataset_format", dataset_format(data)),
        ("dataset_source", "/opt/ml/processing/input"),
        ("held_out_source", "/opt/ml/processing/held_out"),
        ("output_path", crate::processing::OUTPUT),
        ("publish_cloudwatch_metrics", "Disabled"),
        ("text_column", &data.text_column),
        ("label_column", &data.label_column),
    ];
    let job = MonitorJob {
        inputs: vec![
            ("train", data.train.uri.clone(), "/opt/ml/processing/input"),
            ("held_out", data.test.uri.clone(), "/opt/ml/processing/held_out"),
            ("model", training.model_uri.clone(), "/opt/ml/processing/model"),
        ],
        output: String::new(),
        ledger: None,
        environment: owned(&environment),
        tags: tags(context, run),
    };
    let (project, account) = (&context.settings.project, &context.account);
    let base = names::name(project, &["baseline", &training.job, &data.digest, &account.image, &account.code]);
    let output = |name: &str| bucket::uri(&account.bucket, &format!("monitoring/{name}/"));
    let (_, uri, outcome) = job.run(context, &base, output).await?;
    Ok((uri, outcome))
}

fn dataset_format(data: &DataPart) -> &'static str {
    let json = |name: &str| name.trim_end_matches(".gz").ends_with(".jsonl");
    match data.train.files.iter().all(|file| json(&file.name)) {
        true => r#"{"json":{"line":true}}"#,
        false => r#"{"csv":{"header":true}}"#,
    }
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Everything that a comparison needs.
struct Watch<'a> {
    data: &'a DataPart,
    training: &'a TrainingPart,
    deployment: &'a DeploymentPart,
    baseline: &'a str,
    tags: Vec<Tag>,
    beside: Beside,
}

impl Watch<'_> {
    fn job(&self, context: &Context, captures: String, output: String, window: &[(&str, &str)]) -> MonitorJob {
        let (statistics, constraints) = (format!("{BASELINE}/statistics.json"), format!("{BASELINE}/constraints.json"));
        let mut environment = owned(&[
            ("dataset_format", r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}"#),
            ("dataset_source", "/opt/ml/processing/input"),
            ("output_path", crate::processing::OUTPUT),
            ("baseline_statistics", &statistics),
            ("baseline_constraints", &constraints),
            ("publish_cloudwatch_metrics", "Enabled"),
            ("sagemaker_endpoint_name", &self.deployment.endpoint),
            ("text_column", &self.data.text_column),
            ("label_column", &self.data.label_column),
        ]);
        environment.extend(owned(window));
        let config = format!("{CONFIG}/monitor.toml");
        let beside =
            [("monitor_config", &self.beside.config, &*config), ("ground_truth_source", &self.beside.truth, TRUTH)];
        let beside = beside.into_iter().filter(|(_, given, _)| given.is_some());
        environment.extend(beside.map(|(name, _, path)| (name.to_owned(), path.to_owned())));
        if let Some(link) = &context.settings.monitor.report_link {
            environment.insert("report_link".into(), link.clone());
        }
        environment.insert("ledger_source".into(), LEDGER.into());
        let mut inputs = vec![
            ("captures", captures, "/opt/ml/processing/input"),
            ("baseline", self.baseline.to_owned(), BASELINE),
            ("model", self.training.model_uri.clone(), "/opt/ml/processing/model"),
            ("ledger", windows::ledger(context, &self.deployment.endpoint), LEDGER),
        ];
        inputs.extend(self.beside.inputs());
        MonitorJob { inputs, output, ledger: None, environment, tags: self.tags.clone() }
    }

    /// Runs one comparison of what came since the deployment.
    async fn now(&self, context: &Context) -> Result<(WatchPart, DriftReport)> {
        // Captured times have whole seconds; the end is exclusive.
        let now = Timestamp::now();
        let to = at_second(now + SignedDuration::from_secs(1));
        let since = self.deployment.since.parse::<Timestamp>().unwrap_or(Timestamp::MIN);
        let from = at_second(since.max(to - LONGEST_WINDOW));
        let (start, end) = (from.to_string(), to.to_string());
        let captures = format!("{}{}", self.deployment.capture_uri, captures::common_folder(from, to));
        let job = self.job(context, captures, String::new(), &[("start_time", &start), ("end_time", &end)]);
        let stamp = now.as_millisecond();
        let base = format!("{}-watch-{stamp}", context.settings.project);
        let output = |name: &str| bucket::uri(&context.account.bucket, &format!("monitoring/{name}/"));
        let (name, uri, _) = job.run(context, &base, output).await?;
        let report = read(context, &uri).await?;
        let page = fetch(context, &format!("{uri}report.html")).await?;
        let path = context.report("drift.html");
        files::write(&path, &page)?;
        let (documents, violations) = (report.documents, report.violations.len() as u64);
        Ok((WatchPart { job: name, from: start, to: end, documents, violations, report: path, uri }, report))
    }
}

fn at_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

async fn fetch(context: &Context, uri: &str) -> Result<Vec<u8>> {
    let found = bucket::get(&context.aws.s3, uri).await?;
    found.ok_or_else(|| Failure::new(format!("the monitoring job is completed and left no {uri}")))
}

async fn read(context: &Context, uri: &str) -> Result<DriftReport> {
    let uri = format!("{uri}drift.json");
    let bytes = fetch(context, &uri).await?;
    serde_json::from_slice(&bytes).map_err(|e| Failure::new(format!("{uri} cannot be read")).because(e))
}

/// Whether there are captures to look at; those of `run`'s own requests are waited for.
async fn landed(context: &Context, run: &RunRecord, deployment: &DeploymentPart) -> Result<bool> {
    let uri = &deployment.capture_uri;
    if let Some(traffic) = run.traffic.as_ref().filter(|traffic| traffic.endpoint == deployment.endpoint) {
        let from = traffic.from.parse().unwrap_or_else(|_| Timestamp::now());
        let sampled = context.settings.endpoint.capture_percentage;
        // A sample's size is chance; its first line is enough to know that captures land.
        let expected = if sampled == 100 { traffic.requests } else { u64::from(sampled > 0) };
        let captured = captures::wait_for(context, uri, from, &traffic.id, expected).await?;
        if captured < expected {
            context.out.say(format_args!("  {captured} of {expected} requests are captured so far; looking at those"));
        }
    }
    let since = deployment.since.parse().unwrap_or(Timestamp::MIN).max(Timestamp::now() - LONGEST_WINDOW);
    captures::any(context, uri, since).await
}

/// The schedule of later looks, made or mended.
async fn schedule(context: &Context, watch: &Watch<'_>) -> Result<(String, Outcome)> {
    let settings = &context.settings;
    let name = format!("{}-monitor", settings.project);
    let window = format!("{}", u64::from(settings.monitor.window_hours) * 3600);
    let (endpoint, catch_up) = (&watch.deployment.endpoint, settings.monitor.catch_up.to_string());
    let times = [
        ("window_seconds", window.as_str()),
        ("end_time", "<aws.scheduler.scheduled-time>"),
        ("catch_up", &catch_up),
        ("ledger_output", processing::DONE),
    ];
    // A schedule may call twice, late, or not at all: which windows a job does is decided by the ledger alone.
    let mut job = watch.job(context, watch.deployment.capture_uri.clone(), windows::files(context, endpoint), &times);
    job.ledger = Some(windows::ledger(context, endpoint));
    let input = job.request(context, &format!("{}-<aws.scheduler.execution-id>", settings.project)).to_string();
    Ok((name.clone(), schedule::ensure(context, &name, &settings.monitor.schedule, &input).await?))
}
