//! `[endpoint.autoscaling]`: how many instances, and when.

use serde::Deserialize;

/// `[endpoint.autoscaling]`; without it the endpoint has as many instances as it was deployed with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Autoscaling {
    /// Fewest instances.
    pub min_instances: i32,
    /// Most instances.
    pub max_instances: i32,
    /// The load test looks for the most requests a second within it, 99 of 100.
    pub latency_p99_ms: f64,
    /// Share of what was measured that an instance is to have.
    pub safety_factor: f64,
    /// In place of a load test.
    pub invocations_per_minute: Option<f64>,
    /// Whether instances are taken away again.
    pub scale_in: bool,
    /// Between two removals.
    pub scale_in_cooldown_seconds: i32,
    /// Between two additions.
    pub scale_out_cooldown_seconds: i32,
    /// Minima by the clock.
    pub scheduled: Vec<Scheduled>,
}

/// `[[endpoint.autoscaling.scheduled]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    /// Its name.
    pub name: String,
    /// `cron(…)`, `rate(…)` or `at(…)`, UTC.
    pub schedule: String,
    /// Fewest instances from then on.
    pub min_instances: i32,
    /// Most instances from then on; none: as before.
    pub max_instances: Option<i32>,
}

impl Default for Autoscaling {
    fn default() -> Self {
        Autoscaling {
            min_instances: 1,
            max_instances: 2,
            latency_p99_ms: 100.0,
            safety_factor: 0.7,
            invocations_per_minute: None,
            scale_in: true,
            scale_in_cooldown_seconds: 300,
            scale_out_cooldown_seconds: 60,
            scheduled: Vec::new(),
        }
    }
}

impl Autoscaling {
    /// The key and what is wrong with it.
    pub fn check(&self, serverless: bool) -> Result<(), (&'static str, String, &'static str)> {
        let zero = "1 or more: an instance variant cannot go to zero; SageMaker scales only inference components to zero, \
                    which Sagebrush does not deploy. A serverless endpoint costs nothing at rest";
        let minima = self.scheduled.iter().map(|action| action.min_instances);
        if let Some(min) = std::iter::once(self.min_instances).chain(minima).find(|min| *min < 1) {
            return Err(("endpoint.autoscaling.min_instances", min.to_string(), zero));
        }
        if self.max_instances < self.min_instances {
            return Err((
                "endpoint.autoscaling.max_instances",
                self.max_instances.to_string(),
                "min_instances or more",
            ));
        }
        if !(self.safety_factor > 0.0 && self.safety_factor <= 1.0) {
            let expected = "a number above 0, up to 1";
            return Err(("endpoint.autoscaling.safety_factor", self.safety_factor.to_string(), expected));
        }
        let positive = |value: f64| value.is_finite() && value > 0.0;
        if !positive(self.latency_p99_ms) {
            return Err(("endpoint.autoscaling.latency_p99_ms", self.latency_p99_ms.to_string(), "a number above 0"));
        }
        if let Some(given) = self.invocations_per_minute.filter(|given| !positive(*given)) {
            return Err(("endpoint.autoscaling.invocations_per_minute", given.to_string(), "a number above 0"));
        }
        if serverless {
            let expected = "to be left out: a serverless endpoint scales by itself, up to max_concurrency";
            return Err(("endpoint.autoscaling", "a table".into(), expected));
        }
        Ok(())
    }
}
