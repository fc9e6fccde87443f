//! What CloudWatch is told of each invocation, as AWS names it.

use std::time::Duration;

use crate::{
    account::Account,
    cloudwatch::{Metric, Summary},
};

/// The namespace of an endpoint's own metrics.
const NAMESPACE: &str = "AWS/SageMaker";

/// One invocation, over.
pub(super) struct Invocation<'a> {
    pub endpoint: &'a str,
    pub variant: &'a str,
    /// Of the variant.
    pub instances: usize,
    /// What the container answered with; none where it did not answer.
    pub status: Option<u16>,
    /// How long the container took.
    pub model: Duration,
    /// How long everything else took.
    pub overhead: Duration,
}

/// Adds the invocation to the metrics of its variant.
pub(super) fn record(account: &Account, seen: &Invocation) {
    let dimensions = [("EndpointName", seen.endpoint), ("VariantName", seen.variant)];
    let now = account.clock().now();
    let add = |name: &str, unit: &str, value: f64| {
        account.metrics.add(&Metric::new(NAMESPACE, name, &dimensions), unit, now, &Summary::of(value, 1.0));
    };
    let micros = |took: Duration| took.as_secs_f64() * 1e6;
    let is = |yes: bool| if yes { 1.0 } else { 0.0 };
    let (client, server) = match seen.status {
        Some(status) => ((400..500).contains(&status), status >= 500),
        None => (false, true),
    };
    add("Invocations", "None", 1.0);
    add("InvocationsPerInstance", "None", 1.0 / seen.instances.max(1) as f64);
    add("Invocation4XXErrors", "None", is(client));
    add("Invocation5XXErrors", "None", is(server));
    add("InvocationModelErrors", "None", is(client || server));
    if seen.status.is_some() {
        add("ModelLatency", "Microseconds", micros(seen.model));
        add("OverheadLatency", "Microseconds", micros(seen.overhead));
    }
}
