//! `[endpoint.shadow]`: what a new deployment must answer like before it gets requests.

use serde::Deserialize;

/// After the endpoint's name: the endpoint that a candidate is compared on.
pub(super) const SUFFIX: &str = "-shadow";

/// `[endpoint.shadow]`; without it a deployment is compared with nothing before the shift.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shadow {
    /// The last captured requests that are asked again.
    pub requests: u32,
    /// Fewer than these are no evidence: the shift is refused.
    pub min_requests: u32,
    /// Share of the documents whose predicted class may change.
    pub max_changed: f64,
    /// Requests that the new deployment may fail and the live one answers.
    pub max_errors: u64,
    /// Milliseconds, 99 of 100; none: measured and not judged.
    pub latency_p99_ms: Option<f64>,
    /// Whether messages show the requests whose prediction changed.
    pub show_texts: bool,
}

impl Default for Shadow {
    fn default() -> Self {
        Shadow {
            requests: 200,
            min_requests: 20,
            max_changed: 0.1,
            max_errors: 0,
            latency_p99_ms: None,
            show_texts: false,
        }
    }
}

impl Shadow {
    /// The key and what is wrong with it; `captured`: percent of the requests.
    pub fn check(
        &self,
        endpoint: &str,
        captured: i32,
        serverless: bool,
    ) -> Result<(), (&'static str, String, &'static str)> {
        if serverless {
            let expected =
                "to be left out: SageMaker captures nothing of serverless endpoints, so that nothing can be replayed";
            return Err(("endpoint.shadow", "a table".into(), expected));
        }
        if captured == 0 {
            let expected = "1 to 100, since endpoint.shadow replays what was captured";
            return Err(("endpoint.capture_percentage", captured.to_string(), expected));
        }
        if endpoint.len() + SUFFIX.len() > 63 {
            let expected = "at most 56 characters, since endpoint.shadow makes <name>-shadow";
            return Err(("endpoint.name", format!("{endpoint:?}"), expected));
        }
        if !(1..=10_000).contains(&self.requests) {
            return Err(("endpoint.shadow.requests", self.requests.to_string(), "1 to 10000"));
        }
        if self.min_requests > self.requests {
            return Err((
                "endpoint.shadow.min_requests",
                self.min_requests.to_string(),
                "at most endpoint.shadow.requests",
            ));
        }
        if !(0.0..=1.0).contains(&self.max_changed) {
            return Err(("endpoint.shadow.max_changed", self.max_changed.to_string(), "a share, 0 to 1"));
        }
        if let Some(bound) = self.latency_p99_ms.filter(|bound| !(bound.is_finite() && *bound > 0.0)) {
            return Err(("endpoint.shadow.latency_p99_ms", bound.to_string(), "a number above 0"));
        }
        Ok(())
    }
}
