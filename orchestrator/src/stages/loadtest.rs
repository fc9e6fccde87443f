//! Stage `loadtest`: how many requests a second the live endpoint answers within a bound, asked for with test documents by
//! more and more clients at once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aws_sdk_sagemakerruntime::primitives::Blob;
use serde::Serialize;
use tokio::task::JoinSet;

use super::Context;
use crate::{
    endpoint,
    error::{Failure, Result},
    judging::Test,
    latency::Latency,
    run_record::{LoadPart, RunRecord},
};

/// Most clients at once.
const MOST: usize = 128;
/// A step that answers less than this more than the one before has found the limit.
const WORTH: f64 = 1.03;
/// Most documents that are sent in turn.
const DOCUMENTS: usize = 200;

/// One step: so many clients, without a pause, for a while.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Clients at once.
    pub concurrency: usize,
    /// Answered.
    pub requests_per_second: f64,
    /// Of all requests of the step.
    pub latency: Latency,
    /// Requests without an answer.
    pub failed: usize,
}

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct LoadDone {
    /// Every step, in order.
    pub steps: Vec<Step>,
    /// The best within the bound.
    pub load: LoadPart,
}

impl fmt::Display for LoadDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let Latency { p50_ms, p99_ms, .. } = step.latency;
            writeln!(
                f,
                "load          {:>3} at once: {:>8.1} requests/s, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, {} failed",
                step.concurrency, step.requests_per_second, step.failed
            )?;
        }
        let LoadPart { endpoint, requests_per_second, concurrency, latency_bound_ms, instances, .. } = &self.load;
        write!(
            f,
            "endpoint      {endpoint}: {requests_per_second:.1} requests/s on {instances} instances within {latency_bound_ms} ms, {concurrency} at once"
        )
    }
}

/// Measures the endpoint of the run record; `seconds` a step.
pub async fn loadtest(context: &Context, run: &mut RunRecord, seconds: f64) -> Result<LoadDone> {
    let (data, training) = (run.data()?.clone(), run.training()?.clone());
    let (endpoint, config) = (run.deployment()?.endpoint.clone(), run.deployment()?.config.clone());
    let test = Test::fetch(context, &data, &training).await?;
    let texts = tokio::task::spawn_blocking(move || test.texts().map(|read| read.texts)).await;
    let mut texts = texts.map_err(|e| Failure::new("the reading of the test files broke off").because(e))??;
    texts.truncate(DOCUMENTS);
    let done = climb(context, &endpoint, &config, texts, seconds).await?;
    run.load = Some(done.load.clone());
    Ok(done)
}

/// More clients step by step, until the bound is passed or nothing is gained.
pub async fn climb(context: &Context, name: &str, config: &str, texts: Vec<String>, seconds: f64) -> Result<LoadDone> {
    let bound = context.settings.endpoint.autoscaling.as_ref().map_or(100.0, |scaling| scaling.latency_p99_ms);
    let found = endpoint::describe(context, name).await?;
    let variant = found.and_then(|found| found.production_variants().first()?.current_instance_count());
    let bodies: Vec<Vec<u8>> =
        texts.iter().map(|text| serde_json::json!({ "text": text }).to_string().into()).collect();
    if bodies.is_empty() {
        return Err(Failure::new("there is no test document to send"));
    }
    let bodies = Arc::new(bodies);
    let mut progress = context.out.progress();
    let (mut steps, mut concurrency) = (Vec::<Step>::new(), 1);
    loop {
        let step = step(context, name, &bodies, concurrency, Duration::from_secs_f64(seconds)).await?;
        progress.line(format!(
            "{concurrency} at once: {:.1} requests/s, p99 {:.1} ms",
            step.requests_per_second, step.latency.p99_ms
        ));
        let gained = steps.last().is_none_or(|before| step.requests_per_second > before.requests_per_second * WORTH);
        let within = step.failed == 0 && step.latency.p99_ms <= bound;
        steps.push(step);
        concurrency *= 2;
        if !within || !gained || concurrency > MOST {
            break;
        }
    }
    let within = steps.iter().filter(|step| step.failed == 0 && step.latency.p99_ms <= bound);
    let best = within.max_by(|a, b| a.requests_per_second.total_cmp(&b.requests_per_second));
    let Some(best) = best else {
        let Step { latency, failed, .. } = &steps[0];
        return Err(Failure::new(format!(
            "endpoint {name} does not answer within {bound} ms even when it is asked alone"
        ))
        .because(format!("p99 {:.1} ms of {} calls, {failed} failed", latency.p99_ms, latency.calls))
        .hint("raise endpoint.autoscaling.latency_p99_ms, or take a larger instance"));
    };
    let load = LoadPart {
        endpoint: name.to_owned(),
        config: config.to_owned(),
        instances: u64::try_from(variant.unwrap_or(1)).unwrap_or(1).max(1),
        requests_per_second: (best.requests_per_second * 10.0).round() / 10.0,
        p99_ms: best.latency.p99_ms,
        latency_bound_ms: bound,
        concurrency: best.concurrency as u64,
    };
    Ok(LoadDone { steps, load })
}

async fn step(
    context: &Context,
    name: &str,
    bodies: &Arc<Vec<Vec<u8>>>,
    clients: usize,
    long: Duration,
) -> Result<Step> {
    let turn = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut flying = JoinSet::new();
    for _ in 0..clients {
        let (runtime, name, bodies, turn) =
            (context.aws.runtime.clone(), name.to_owned(), bodies.clone(), turn.clone());
        flying.spawn(async move {
            let (mut took, mut failed) = (Vec::new(), 0);
            while start.elapsed() < long {
                let body = bodies[turn.fetch_add(1, Ordering::Relaxed) % bodies.len()].clone();
                let asked = Instant::now();
                let request = runtime.invoke_endpoint().endpoint_name(&name).body(Blob::new(body));
                let request = request.inference_id(::monitor::OWN_REQUEST);
                match request.content_type("application/json").accept("application/json").send().await {
                    Ok(_) => took.push(asked.elapsed()),
                    Err(_) => failed += 1,
                }
            }
            (took, failed)
        });
    }
    let (mut took, mut failed) = (Vec::new(), 0);
    while let Some(client) = flying.join_next().await {
        let (times, errors) = client.map_err(|e| Failure::new("a client of the load test broke off").because(e))?;
        took.extend(times);
        failed += errors;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let answered = took.len() as f64;
    let latency = Latency::of(took);
    let latency = latency.ok_or_else(|| Failure::new(format!("endpoint {name} answered none of {failed} requests")))?;
    Ok(Step { concurrency: clients, requests_per_second: answered / elapsed, latency, failed })
}
