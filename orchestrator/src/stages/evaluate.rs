//! Stage `evaluate`: the job's own evaluation out of the bucket, held against the gate. No figure is made here.

use std::{
    fmt,
    io::{Read as _, Write as _},
};

use flate2::read::GzDecoder;
use report::{
    Evaluation, GateReport, evaluation,
    gate::{Business, Judgement, Verdict},
};
use serde::Serialize;

use super::Context;
use crate::{
    bucket,
    error::{self, Failure, Result},
    files, judging, names,
    output::Outcome,
    run_record::{EvaluationPart, GatePart, RunRecord},
};

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct EvaluateDone {
    /// Whether this evaluation was judged by this gate before.
    pub outcome: Outcome,
    /// The verdict.
    pub evaluation: EvaluationPart,
    /// Class names, in the order of `confusion`.
    pub classes: Vec<String>,
    /// Documents by `[actual][predicted]`.
    pub confusion: Vec<Vec<u64>>,
    /// What the gate found.
    pub gate: GateReport,
}

impl fmt::Display for EvaluateDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, metrics) = (&self.evaluation, &self.evaluation.metrics);
        let verdict = if part.passed { "passed" } else { "refused" };
        writeln!(
            f,
            "evaluation    {verdict}: accuracy {:.4}, gate {} ({} documents)",
            metrics.accuracy, part.gate, part.rows
        )?;
        let average = match metrics.average {
            evaluation::Average::Binary => "",
            evaluation::Average::Macro => " (mean over the classes)",
        };
        let (precision, recall, f1) = (metrics.precision, metrics.recall, metrics.f1);
        writeln!(
            f,
            "  precision {precision:.4}, recall {recall:.4}, F1 {f1:.4}{average}, log loss {:.4}",
            metrics.log_loss
        )?;
        writeln!(f, "  actual class -> predicted as {}", self.classes.join(", "))?;
        for (class, row) in self.classes.iter().zip(&self.confusion) {
            let counts: Vec<String> = row.iter().map(u64::to_string).collect();
            writeln!(f, "    {class} -> {}", counts.join(", "))?;
        }
        for verdict in &self.gate.verdicts {
            writeln!(f, "{}", Told(verdict))?;
        }
        if let Some(c) = &self.gate.champion {
            let (package, accuracy, p) = (&c.package, c.accuracy, figure(c.p_value));
            writeln!(f, "  champion      {package}")?;
            writeln!(
                f,
                "                accuracy {accuracy:.4} on the same rows, {} won, {} lost, McNemar p {p}",
                c.won, c.lost
            )?;
        }
        if let Some(business) = &self.gate.business {
            write!(f, "{}", Worth(business))?;
        }
        for note in &self.gate.notes {
            writeln!(f, "  note          {note}")?;
        }
        if let Some(gate) = &part.verdicts {
            writeln!(f, "  gate          {}", gate.report.display())?;
        }
        write!(f, "  report        {}", part.report.display())
    }
}

/// A verdict in two lines: what, and what would change it.
pub struct Told<'v>(pub &'v Verdict);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        write!(f, "  rule          {}: {}", v.rule, v.judgement.word())?;
        if let Some(value) = v.value {
            write!(f, "; {}", figure(value))?;
        }
        if let Some((low, high)) = v.interval {
            write!(f, " ({:.0} %: {} to {})", v.level * 100.0, figure(low), figure(high))?;
        }
        if let Some(p) = v.p_value {
            write!(f, ", p {}", figure(p))?;
        }
        if v.n > 0 {
            write!(f, ", n {}, {}", v.n, v.method)?;
        }
        write!(f, "\n                {}", v.change)
    }
}

/// What it is worth, a line each.
struct Worth<'b>(&'b Business);

impl fmt::Display for Worth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Worth(b) = self;
        let (unit, cost) = (&b.currency, &b.cost);
        let (value, low, high) = (figure(cost.value), figure(cost.low), figure(cost.high));
        let always = figure(b.majority_cost);
        writeln!(
            f,
            "  cost          {value} {unit} a document (95 %: {low} to {high}); always {}: {always}",
            b.majority_class
        )?;
        write!(f, "                saves {:.0} {unit} a month against that", b.saving_against_majority)?;
        if let Some(saving) = &b.saving_against_champion {
            write!(f, ", {:.0} ({:.0} to {:.0}) against the champion", saving.value, saving.low, saving.high)?;
        }
        match (b.endpoint_price, b.break_even_documents) {
            (Some(_), Some(documents)) => {
                writeln!(f, "; the endpoint pays from {:.0} documents a month on", documents.ceil())?
            }
            (Some(_), None) => writeln!(f, "; the endpoint never pays for itself")?,
            (None, _) => writeln!(f)?,
        }
        let Some(t) = &b.threshold else { return Ok(()) };
        let used = if t.deployed { "the package bears it" } else { "not used: business.use_threshold = false" };
        let (from, cost) = (figure(t.value), figure(t.cost));
        writeln!(f, "  threshold     {} from {from} on costs least, {cost} {unit} a document ({used})", t.class)
    }
}

/// As many digits as say something.
fn figure(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.001 {
        format!("{value:.1e}")
    } else {
        format!("{}", (value * 1e4).round() / 1e4)
    }
}

/// Downloads, judges, reports. Below the gate the result says so; [`gate`] makes it the exit code.
pub async fn evaluate(context: &Context, run: &mut RunRecord) -> Result<EvaluateDone> {
    let training = run.training()?.clone();
    let Output { evaluation, bytes, predictions } = read(context, &training.output_uri, &training.job).await?;
    let judged = judging::judge(context, run.data()?, &training, &evaluation, predictions).await?;
    let (s3, bucket) = (&context.aws.s3, &context.account.bucket);
    let folder = format!("evaluations/{}", training.job);
    let page = evaluation::html(&evaluation);
    let report = context.report("evaluation.html");
    files::write(&report, page.as_bytes())?;
    let (key, page_key) = (format!("{folder}/evaluation.json"), format!("{folder}/evaluation.html"));
    let sha256 = bucket::put(s3, bucket, &key, bytes).await?;
    bucket::put(s3, bucket, &page_key, page.into_bytes()).await?;
    let gate = context.settings.gate.accuracy;
    let verdicts = keep(context, &folder, &judged).await?;
    let part = EvaluationPart {
        job: training.job,
        uri: bucket::uri(bucket, &key),
        sha256,
        rows: evaluation.rows,
        metrics: evaluation.metrics.clone(),
        gate,
        passed: judged.passed,
        verdicts: Some(verdicts),
        report,
        report_uri: bucket::uri(bucket, &page_key),
    };
    for_github(&part, &evaluation, &judged)?;
    let outcome = if run.evaluation.as_ref() == Some(&part) { Outcome::Unchanged } else { Outcome::Done };
    run.evaluation = Some(part.clone());
    Ok(EvaluateDone {
        outcome,
        evaluation: part,
        classes: evaluation.classes,
        confusion: evaluation.confusion,
        gate: judged,
    })
}

/// The gate's report beside the evaluation: as data, as a page, and the bias as the registry has it.
async fn keep(context: &Context, folder: &str, judged: &GateReport) -> Result<GatePart> {
    let (s3, bucket) = (&context.aws.s3, &context.account.bucket);
    let failed = || |e: serde_json::Error| error::io("the gate's report as JSON")(e.into());
    let page = report::gate::html(judged).into_bytes();
    let report = context.report("gate.html");
    files::write(&report, &page)?;
    let key = |name: &str| format!("{folder}/{name}");
    bucket::put(s3, bucket, &key("gate.html"), page).await?;
    let sha256 =
        bucket::put(s3, bucket, &key("gate.json"), serde_json::to_vec_pretty(judged).map_err(failed())?).await?;
    let bias_uri = match gate::clarify(judged) {
        Some(bias) => {
            bucket::put(s3, bucket, &key("bias.json"), serde_json::to_vec_pretty(&bias).map_err(failed())?).await?;
            Some(bucket::uri(bucket, &key("bias.json")))
        }
        None => None,
    };
    let refused = |verdict: &&Verdict| match verdict.judgement {
        Judgement::Failed => true,
        Judgement::Insufficient => judged.on_insufficient != "warn",
        Judgement::Passed | Judgement::NotApplicable => false,
    };
    let refusal = |verdict: &Verdict| {
        let value = verdict.value.map(|value| format!(" ({})", figure(value))).unwrap_or_default();
        format!("{}: {}{value}; {}", verdict.rule, verdict.judgement.word(), verdict.change)
    };
    Ok(GatePart {
        uri: bucket::uri(bucket, &key("gate.json")),
        sha256,
        champion: judged.champion.as_ref().map(|champion| champion.package.clone()),
        refusals: judged.verdicts.iter().filter(refused).map(refusal).collect(),
        bias_uri,
        report,
    })
}

/// `Err` with exit code 3 where the evaluation did not pass.
pub fn gate(context: &Context, part: &EvaluationPart) -> Result<()> {
    if part.passed {
        return Ok(());
    }
    let refusals = part.verdicts.as_ref().map(|gate| gate.refusals.join("\n")).unwrap_or_default();
    if part.metrics.accuracy > part.gate {
        return Err(Failure::refused(format!("the gate does not pass ({}, gate.rules)", context.settings.source()))
            .because(refusals)
            .because("nothing was registered")
            .hint(format!("see {}", context.report("gate.html").display())));
    }
    let (accuracy, gate) = (shown(part.metrics.accuracy, part.gate), format!("{:.2}", part.gate));
    let gate = if gate.parse() == Ok(part.gate) { gate } else { part.gate.to_string() };
    Err(Failure::refused(format!(
        "accuracy {accuracy} is not above {gate} ({}, gate.accuracy)",
        context.settings.source()
    ))
    .because(refusals)
    .because("nothing was registered")
    .hint(format!("see the mistakes in {}", part.report.display())))
}

/// Two digits, or as many as tell the two numbers apart.
fn shown(accuracy: f64, gate: f64) -> String {
    let short = format!("{accuracy:.2}");
    if accuracy < gate && short.parse::<f64>().is_ok_and(|rounded| rounded >= gate) {
        format!("{accuracy:.6}")
    } else {
        short
    }
}

/// The evaluation at `uri`, checked for what it claims to be.
pub async fn stored(context: &Context, part: &EvaluationPart) -> Result<Evaluation> {
    let bytes = bucket::get(&context.aws.s3, &part.uri).await?.ok_or_else(|| {
        Failure::new(format!("{} is gone", part.uri))
            .hint("run `evaluate` again: it takes it from the training job's output")
    })?;
    if names::sha256(&bytes) != part.sha256 {
        return Err(Failure::new(format!("{} is not the evaluation of the run record", part.uri))
            .because(format!("its SHA-256 is not {}", part.sha256))
            .hint("run `evaluate` again"));
    }
    parse(&bytes, &part.uri)
}

/// What the job left beside the artifact.
struct Output {
    evaluation: Evaluation,
    /// The evaluation as it was written.
    bytes: Vec<u8>,
    predictions: Vec<u8>,
}

async fn read(context: &Context, uri: &str, job: &str) -> Result<Output> {
    let none = |why: String| {
        Failure::new(format!("training job {job} left no evaluation")).because(why).hint(
            "the job evaluates where it has a `test` channel; run `data` and `train` again. Without an evaluation nothing is registered",
        )
    };
    let Some(archive) = bucket::get(&context.aws.s3, uri).await? else {
        return Err(none(format!("{uri} does not exist")));
    };
    let unreadable = || error::io(format!("{uri}: cannot be unpacked"));
    let mut archive = tar::Archive::new(GzDecoder::new(&archive[..]));
    let (mut evaluation, mut predictions) = (None, None);
    for entry in archive.entries().map_err(unreadable())? {
        let mut entry = entry.map_err(unreadable())?;
        let path = entry.path().map_err(unreadable())?.into_owned();
        let into = match path.strip_prefix(".").unwrap_or(&path).to_str() {
            Some("evaluation.json") => &mut evaluation,
            Some("predictions.jsonl") => &mut predictions,
            _ => continue,
        };
        entry.read_to_end(into.insert(Vec::new())).map_err(unreadable())?;
    }
    let bytes = evaluation.ok_or_else(|| none(format!("{uri} holds no evaluation.json")))?;
    let predictions = predictions.ok_or_else(|| {
        Failure::new(format!("training job {job} left no predictions"))
            .because(format!("{uri} holds no predictions.jsonl"))
            .hint("its image is of an earlier version; train with this version's image")
    })?;
    Ok(Output { evaluation: parse(&bytes, uri)?, bytes, predictions })
}

fn parse(bytes: &[u8], uri: &str) -> Result<Evaluation> {
    let damaged = |why: String| Failure::new(format!("{uri}: the evaluation cannot be read")).because(why);
    let evaluation: Evaluation = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
    if evaluation.format != evaluation::FORMAT {
        return Err(damaged(format!("its format is {:?}, expected {:?}", evaluation.format, evaluation::FORMAT)));
    }
    if evaluation.rows == 0 {
        return Err(damaged("it was measured on no document".into()));
    }
    Ok(evaluation)
}

/// What a GitHub workflow's later steps and its summary page read.
fn for_github(part: &EvaluationPart, evaluation: &Evaluation, judged: &GateReport) -> Result<()> {
    let metrics = &part.metrics;
    let outputs = format!(
        "accuracy={}\nprecision={}\nrecall={}\nf1={}\npassed={}\ntraining_job={}\n",
        metrics.accuracy, metrics.precision, metrics.recall, metrics.f1, part.passed, part.job
    );
    append("GITHUB_OUTPUT", &outputs)?;
    append("GITHUB_STEP_SUMMARY", &(report::gate::markdown(judged) + &evaluation::markdown(evaluation)))
}

fn append(variable: &str, text: &str) -> Result<()> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else { return Ok(()) };
    let file = std::fs::File::options().append(true).create(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(error::io(format!("{} ({variable}): cannot be written", path.display())))
}
