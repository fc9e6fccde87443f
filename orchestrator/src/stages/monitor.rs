//! Stage `monitor`: a baseline of the data, a schedule that compares traffic with it, and one comparison now.

use std::{collections::BTreeMap, fmt};

use aws_sdk_sagemaker::types::Tag;
use jiff::{SignedDuration, Timestamp};
use report::DriftReport;
use serde::Serialize;

use super::Context;
use crate::{
    bucket, captures,
    error::{Failure, Result},
    files, names,
    output::Outcome,
    processing::MonitorJob,
    run_record::{DataPart, DeploymentPart, MonitoringPart, RunRecord, TrainingPart, WatchPart},
    schedule,
    tags::tags,
};

/// What `monitor` left to be compared with, below `/opt/ml/processing`.
const BASELINE: &str = "/opt/ml/processing/baseline";
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
    let watch = Watch { data: &data, training: &training, deployment: &deployment, baseline: &baseline_uri, tags };
    let (seen, verdict, violations) = match landed(context, run, &deployment).await? {
        false => (None, "no captured requests yet: send some, then run `monitor` again".into(), Vec::new()),
        true => {
            let (part, report) = watch.now(context).await?;
            (Some(part), verdict(&report), report.violations.into_iter().map(|v| v.description).collect())
        }
    };
    // After the look: some schedules fire as soon as they are made.
    let (schedule_name, schedule) = schedule(context, &watch).await?;
    let monitoring =
        MonitoringPart { endpoint: deployment.endpoint.clone(), baseline_uri, schedule: schedule_name, watch: seen };
    run.monitoring = Some(monitoring.clone());
    Ok(MonitorDone { baseline, schedule, verdict, violations, monitoring })
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
}

impl Watch<'_> {
    fn job(&self, captures: String, output: String, window: &[(&str, &str)]) -> MonitorJob {
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
        MonitorJob {
            inputs: vec![
                ("captures", captures, "/opt/ml/processing/input"),
                ("baseline", self.baseline.to_owned(), BASELINE),
                ("model", self.training.model_uri.clone(), "/opt/ml/processing/model"),
            ],
            output,
            environment,
            tags: self.tags.clone(),
        }
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
        let job = self.job(captures, String::new(), &[("start_time", &start), ("end_time", &end)]);
        let stamp = now.as_millisecond();
        let base = format!("{}-watch-{stamp}", context.settings.project);
        let output = |name: &str| bucket::uri(&context.account.bucket, &format!("monitoring/{name}/"));
        let (name, uri, _) = job.run(context, &base, output).await?;
        let report = read(context, &uri).await?;
        files::append_to("GITHUB_STEP_SUMMARY", &report::drift::markdown(&report))?;
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
    let output = bucket::uri(&context.account.bucket, "monitoring/scheduled/<aws.scheduler.execution-id>/");
    let times = [("window_seconds", window.as_str()), ("end_time", "<aws.scheduler.scheduled-time>")];
    let job = watch.job(watch.deployment.capture_uri.clone(), output, &times);
    let input = job.request(context, &format!("{}-<aws.scheduler.execution-id>", settings.project)).to_string();
    Ok((name.clone(), schedule::ensure(context, &name, &settings.monitor.schedule, &input).await?))
}
