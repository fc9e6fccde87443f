//! Stage `traffic`, of `run` alone: the test documents as requests, so that there is traffic to watch.

use std::fmt;

use aws_sdk_sagemakerruntime::primitives::Blob;
use jiff::Timestamp;
use serde::Serialize;

use super::Context;
use crate::{
    error::{self, Failure, Result},
    output::Outcome,
    run_record::{RunRecord, TrafficPart},
};

/// At most so many requests.
const MOST: usize = 200;
/// Requests on their way at once.
const AT_ONCE: usize = 4;

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct TrafficDone {
    /// Whether requests were sent now.
    pub outcome: Outcome,
    /// What was sent.
    pub traffic: TrafficPart,
}

impl fmt::Display for TrafficDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrafficPart { requests, endpoint, .. } = &self.traffic;
        write!(f, "traffic       {}: {requests} test documents sent to {endpoint}", self.outcome)
    }
}

/// Sends the documents one by one, unless this deployment had them within the hour.
pub async fn traffic(context: &Context, run: &mut RunRecord, texts: &[String]) -> Result<TrafficDone> {
    let endpoint = run.deployment()?.endpoint.clone();
    let now = Timestamp::now();
    if let Some(known) = &run.traffic
        && known.endpoint == endpoint
        && known.from.parse::<Timestamp>().is_ok_and(|from| now.duration_since(from).as_secs() < 3600)
    {
        return Ok(TrafficDone { outcome: Outcome::Unchanged, traffic: known.clone() });
    }
    let id = format!("run-{:x}-", now.as_nanosecond());
    // Spread over the file: one sorted by class gives both.
    let count = texts.len().min(MOST);
    let chosen = (0..count).map(|n| texts[n * texts.len() / count].clone());
    let mut requests = chosen.enumerate();
    let mut flying = tokio::task::JoinSet::new();
    loop {
        while flying.len() < AT_ONCE
            && let Some((n, text)) = requests.next()
        {
            flying.spawn(send(context.aws.runtime.clone(), endpoint.clone(), format!("{id}{n}"), text));
        }
        match flying.join_next().await {
            Some(sent) => sent.map_err(|e| Failure::new("a request was given up").because(e))??,
            None => break,
        }
    }
    let from = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let traffic = TrafficPart { endpoint, id, requests: count as u64, from };
    run.traffic = Some(traffic.clone());
    Ok(TrafficDone { outcome: Outcome::Done, traffic })
}

async fn send(runtime: aws_sdk_sagemakerruntime::Client, endpoint: String, id: String, text: String) -> Result<()> {
    let body = serde_json::to_vec(&serde_json::json!({ "text": text }))
        .map_err(|e| error::io("the request as JSON")(e.into()))?;
    let request = runtime.invoke_endpoint().endpoint_name(&endpoint).inference_id(id).body(Blob::new(body));
    let request = request.content_type("application/json").accept("application/json");
    request.send().await.map_err(error::aws(format!("endpoint {endpoint} gives no prediction")))?;
    Ok(())
}
