//! What a comparison came to: its figures, what of them is beyond a bound, and how it is told.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{latency::Latency, settings::Shadow};

/// A comparison before a shift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowPart {
    /// The config that served.
    pub live: String,
    /// The config that was to serve.
    pub candidate: String,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Captured requests that both were asked.
    pub requests: u64,
    /// Documents in those that both answered.
    pub documents: u64,
    /// Documents whose predicted class is another.
    pub changed: u64,
    /// Where their share lies: Wilson's 95 % interval.
    pub changed_interval: (f64, f64),
    /// Mean over the documents of the largest difference of a class's probability.
    pub mean_difference: f64,
    /// The largest of all.
    pub largest_difference: f64,
    /// Requests that the candidate failed and the live one answered.
    pub errors: u64,
    /// Requests that the live one failed.
    pub live_errors: u64,
    /// Of the live one, an instance, one request after the other; none where it answered nothing.
    pub live_latency: Option<Latency>,
    /// Of the candidate.
    pub candidate_latency: Option<Latency>,
    /// The first requests that were answered otherwise.
    pub examples: Vec<Example>,
    /// What is beyond its bound; none, and requests may be shifted.
    pub refusals: Vec<String>,
}

/// A request that was answered otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Its id in the capture.
    pub request: String,
    /// Which of its documents, from 1.
    pub document: u64,
    /// What the live one said.
    pub live: String,
    /// What the candidate said.
    pub candidate: String,
    /// The request; it is shown where that is asked for, and never kept.
    #[serde(skip)]
    pub text: String,
}

impl ShadowPart {
    /// What is beyond its bound, a sentence each.
    pub fn beyond(&self, bounds: &Shadow) -> Vec<String> {
        let Shadow { max_changed, max_errors, latency_p99_ms, .. } = bounds;
        let mut beyond = Vec::new();
        if self.documents == 0 {
            beyond.push(format!("no document was answered by both; the live one failed {} requests", self.live_errors));
        }
        if self.share() > *max_changed {
            beyond.push(format!(
                "{} of {} predictions changed, endpoint.shadow.max_changed is {max_changed}",
                self.changed, self.documents
            ));
        }
        if self.errors > *max_errors {
            beyond.push(format!("{} requests failed, endpoint.shadow.max_errors is {max_errors}", self.errors));
        }
        if let (Some(bound), Some(Latency { p99_ms, .. })) = (latency_p99_ms, self.candidate_latency)
            && p99_ms > *bound
        {
            beyond.push(format!("p99 is {p99_ms:.1} ms, endpoint.shadow.latency_p99_ms is {bound}"));
        }
        beyond
    }

    fn share(&self) -> f64 {
        self.changed as f64 / self.documents.max(1) as f64
    }
}

impl fmt::Display for ShadowPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| share * 100.0;
        let (low, high) = self.changed_interval;
        writeln!(
            f,
            "{} captured requests asked again: {} of {} predictions changed, {:.1} % ({:.1} to {:.1})",
            self.requests,
            self.changed,
            self.documents,
            percent(self.share()),
            percent(low),
            percent(high)
        )?;
        writeln!(
            f,
            "probabilities differ by {:.4} in the mean, {:.4} at most; {} errors, {} of the live one",
            self.mean_difference, self.largest_difference, self.errors, self.live_errors
        )?;
        let told = |latency: Option<Latency>| match latency {
            Some(Latency { p50_ms, p99_ms, .. }) => format!("p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms"),
            None => "no answer".into(),
        };
        write!(f, "latency: live {}; candidate {}", told(self.live_latency), told(self.candidate_latency))?;
        for Example { request, document, live, candidate, .. } in &self.examples {
            write!(f, "\nrequest {request}, document {document}: {live} became {candidate}")?;
        }
        Ok(())
    }
}
