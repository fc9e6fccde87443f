//! All stages in order, one line each, and what exists at the end.

use std::{collections::BTreeMap, fmt, path::Path, time::Instant};

use serde::Serialize;

use super::{
    Context, approve, data, deploy,
    evaluate::{self, EvaluateDone},
    monitor::{self, MonitorDone},
    register::{self, RegisterDone},
    traffic, train,
};
use crate::{check::CheckedData, error::Result, output::duration, run_record::RunRecord, settings::Target};

/// What exists at the end.
#[derive(Debug, Serialize)]
pub struct RunDone {
    /// What was measured.
    pub evaluation: EvaluateDone,
    /// What was registered.
    pub registration: RegisterDone,
    /// The stages after the approval; none in an account where nobody has approved yet.
    pub live: Option<LiveDone>,
}

/// What serves and watches.
#[derive(Debug, Serialize)]
pub struct LiveDone {
    /// The endpoint.
    pub deployment: deploy::DeployDone,
    /// What watches it.
    pub monitoring: MonitorDone,
}

impl fmt::Display for RunDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evaluation = &self.evaluation.evaluation;
        let metrics = &evaluation.metrics;
        writeln!(
            f,
            "accuracy        {:.4} on {} test documents (precision {:.4}, recall {:.4}, F1 {:.4}); gate {}",
            metrics.accuracy, evaluation.rows, metrics.precision, metrics.recall, metrics.f1, evaluation.gate
        )?;
        writeln!(f, "evaluation      {}", evaluation.report.display())?;
        writeln!(f, "model package   {}", self.registration.model_package.arn)?;
        let Some(LiveDone { deployment, monitoring }) = &self.live else {
            return write!(f, "next            orchestrator approve --reason TEXT, then deploy and monitor");
        };
        let live = &deployment.deployment;
        writeln!(f, "endpoint        {} (config {})", live.endpoint, live.config)?;
        writeln!(f, "captures        {}", live.capture_uri)?;
        writeln!(f, "monitoring      {}", monitoring.verdict)?;
        for violation in &monitoring.violations {
            writeln!(f, "  violation     {violation}")?;
        }
        if let Some(watch) = &monitoring.monitoring.watch {
            writeln!(f, "drift report    {}", watch.report.display())?;
        }
        // `cargo run` leaves this variable; the executable's name is on nobody's PATH then.
        let program = if std::env::var_os("CARGO").is_some() { "cargo run --" } else { "orchestrator" };
        write!(f, "try it          {program} invoke \"Works perfectly, I am very happy with it.\"")
    }
}

/// Every stage; the run record is written after each.
pub async fn run(
    context: &Context,
    record: &mut RunRecord,
    path: &Path,
    checked: &CheckedData,
    hyperparameters: &BTreeMap<String, String>,
) -> Result<RunDone> {
    let line = |name: &str, start: Instant, what: String| {
        context.out.say(format_args!("{name:<10} {:>8}  {what}", duration(start.elapsed())));
    };
    let start = Instant::now();
    let made = kept(data::data(context, record, checked).await, record, path)?;
    let rows = |part: &crate::run_record::ChannelPart| part.files.iter().map(|file| file.rows).sum::<u64>();
    let (train_rows, test_rows) = (rows(&made.data.train), rows(&made.data.test));
    line("data", start, format!("{}: {train_rows} + {test_rows} rows in s3://{}", made.outcome, made.data.bucket));

    let start = Instant::now();
    let made = kept(train::train(context, record, hyperparameters).await, record, path)?;
    line("train", start, format!("{}: {}", made.outcome, made.training.job));

    let start = Instant::now();
    let evaluation = kept(evaluate::evaluate(context, record).await, record, path)?;
    let (accuracy, gate) = (evaluation.evaluation.metrics.accuracy, evaluation.evaluation.gate);
    let verdict = if evaluation.evaluation.passed { "passed" } else { "REFUSED" };
    line("evaluate", start, format!("{verdict}: accuracy {accuracy:.4}, gate {gate}"));
    for found in &evaluation.gate.verdicts {
        context.out.say(evaluate::Told(found));
    }
    evaluate::gate(context, &evaluation.evaluation)?;

    let start = Instant::now();
    let registration = kept(register::register(context, record, false).await, record, path)?;
    let arn = &registration.model_package.arn;
    line("register", start, format!("{}: {arn}, {}", registration.outcome, registration.status));

    if context.settings.target == Target::Aws && registration.status != "Approved" {
        context.out.say(
            "approve               waits for a person: orchestrator approve --reason TEXT, then deploy and monitor",
        );
        return Ok(RunDone { evaluation, registration, live: None });
    }
    let start = Instant::now();
    let reason = format!("`run` on the local target approves by itself: accuracy {accuracy:.4} is above {gate}");
    let made = kept(approve::approve(context, record, &reason, None).await, record, path)?;
    line("approve", start, format!("{}: by `run` itself, since this is the local target", made.outcome));

    let start = Instant::now();
    let deployment = kept(deploy::deploy(context, record).await, record, path)?;
    let (name, verified) = (&deployment.deployment.endpoint, deployment.deployment.verified);
    line("deploy", start, format!("{}: endpoint {name}, {verified} golden predictions repeated", deployment.outcome));
    let compared = deployment.shadow.as_ref().map(ToString::to_string).unwrap_or_default();
    for told in compared.lines() {
        context.out.say(format_args!("{:<20} {told}", ""));
    }

    let start = Instant::now();
    let made = kept(traffic::traffic(context, record, &checked.test_texts).await, record, path)?;
    line("traffic", start, format!("{}: {} test documents as requests", made.outcome, made.traffic.requests));

    let start = Instant::now();
    let monitoring = kept(monitor::monitor(context, record).await, record, path)?;
    line("monitor", start, monitoring.verdict.clone());
    for violation in &monitoring.violations {
        context.out.say(format_args!("{:<20} violation: {violation}", ""));
    }
    Ok(RunDone { evaluation, registration, live: Some(LiveDone { deployment, monitoring }) })
}

/// Writes the record whatever the stage came to: what it had made by then exists.
pub fn kept<T>(done: Result<T>, record: &RunRecord, path: &Path) -> Result<T> {
    let written = record.write(path);
    let done = done?;
    written?;
    Ok(done)
}
