//! Application Auto Scaling of the endpoint's variant: a target, a tracking policy, scheduled minima; made or mended.

use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalableTargetAction, ScheduledAction,
    ServiceNamespace, TargetTrackingScalingPolicyConfiguration,
};
use serde::Serialize;

use crate::{
    endpoint,
    error::{self, Failure, Found as _, Result},
    run_record::LoadPart,
    settings::{Autoscaling, Scheduled},
    stages::Context,
};

const SERVICE: ServiceNamespace = ServiceNamespace::Sagemaker;
const DIMENSION: ScalableDimension = ScalableDimension::SageMakerVariantDesiredInstanceCount;
/// Name of the one policy.
const POLICY: &str = "invocations-per-instance";

/// What scales the endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scaled {
    /// Fewest instances.
    pub min: i32,
    /// Most instances.
    pub max: i32,
    /// Invocations a minute that an instance is to have.
    pub target: f64,
    /// Where the target is from.
    pub because: String,
    /// Whether instances are taken away again.
    pub scale_in: bool,
    /// Names of scheduled actions.
    pub scheduled: Vec<String>,
}

/// The target that the settings and the load test give: the most that an instance took, a minute, times the factor.
pub fn target(settings: &Autoscaling, load: Option<&LoadPart>) -> Option<(f64, String)> {
    if let Some(given) = settings.invocations_per_minute {
        return Some((given, "endpoint.autoscaling.invocations_per_minute".into()));
    }
    let load = load?;
    let an_instance = load.requests_per_second / load.instances.max(1) as f64;
    let target = (an_instance * 60.0 * settings.safety_factor).floor().max(1.0);
    let (p99, bound, factor) = (load.p99_ms, load.latency_bound_ms, settings.safety_factor);
    let because =
        format!("measured {an_instance:.1} requests/s an instance, p99 {p99:.1} ms within {bound} ms, x 60 x {factor}");
    Some((target, because))
}

fn resource(name: &str) -> String {
    format!("endpoint/{name}/variant/{}", endpoint::VARIANT)
}

/// Registers the variant and puts policy and schedules; repeating it changes nothing.
pub async fn ensure(
    context: &Context,
    name: &str,
    settings: &Autoscaling,
    (value, because): (f64, String),
) -> Result<Scaled> {
    let (client, resource) = (&context.aws.scaling, resource(name));
    let what = |thing: &str| format!("{thing} of endpoint {name} cannot be made");
    let request = client.register_scalable_target().service_namespace(SERVICE).resource_id(&resource);
    let request = request.scalable_dimension(DIMENSION);
    let request = request.min_capacity(settings.min_instances).max_capacity(settings.max_instances);
    request.send().await.map_err(error::aws(what("the scalable target")))?;
    let incomplete = |e: &dyn std::fmt::Display| Failure::new("the scaling policy is incomplete").because(e);
    let metric = PredefinedMetricSpecification::builder()
        .predefined_metric_type(MetricType::SageMakerVariantInvocationsPerInstance)
        .build()
        .map_err(|e| incomplete(&e))?;
    let tracking = TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(value)
        .predefined_metric_specification(metric)
        .scale_in_cooldown(settings.scale_in_cooldown_seconds)
        .scale_out_cooldown(settings.scale_out_cooldown_seconds)
        .disable_scale_in(!settings.scale_in)
        .build()
        .map_err(|e| incomplete(&e))?;
    let request = client.put_scaling_policy().policy_name(POLICY).service_namespace(SERVICE).resource_id(&resource);
    let request = request.scalable_dimension(DIMENSION).policy_type(PolicyType::TargetTrackingScaling);
    let request = request.target_tracking_scaling_policy_configuration(tracking);
    request.send().await.map_err(error::aws(what("the scaling policy")))?;
    let mut scheduled = Vec::new();
    for action in &settings.scheduled {
        let capacity = ScalableTargetAction::builder()
            .min_capacity(action.min_instances)
            .set_max_capacity(action.max_instances)
            .build();
        let request = client.put_scheduled_action().scheduled_action_name(&action.name).service_namespace(SERVICE);
        let request = request.resource_id(&resource).scalable_dimension(DIMENSION).schedule(&action.schedule);
        let request = request.scalable_target_action(capacity);
        request.send().await.map_err(error::aws(what(&format!("the scheduled action {}", action.name))))?;
        scheduled.push(action.name.clone());
    }
    let (min, max, scale_in) = (settings.min_instances, settings.max_instances, settings.scale_in);
    Ok(Scaled { min, max, target: value, because, scale_in, scheduled })
}

/// What scales an endpoint at the moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    min: i32,
    max: i32,
    /// Of the policy that the orchestrator makes; none where there is no such policy.
    target: Option<f64>,
    /// Name, schedule, minimum, maximum of each scheduled action, in name order.
    scheduled: Vec<(String, String, Option<i32>, Option<i32>)>,
}

impl Live {
    /// Whether a deployment with these settings, and this target where it is known beforehand, changes nothing.
    pub fn is(&self, settings: &Autoscaling, target: Option<f64>) -> bool {
        let mut wanted: Vec<_> = settings.scheduled.iter().map(scheduled).collect();
        wanted.sort();
        (self.min, self.max) == (settings.min_instances, settings.max_instances)
            && self.target.is_some()
            && target.is_none_or(|target| self.target == Some(target))
            && self.scheduled == wanted
    }
}

fn scheduled(action: &Scheduled) -> (String, String, Option<i32>, Option<i32>) {
    (action.name.clone(), action.schedule.clone(), Some(action.min_instances), action.max_instances)
}

/// Looks at target, policy and scheduled actions of an endpoint; none where nothing scales it.
pub async fn live(context: &Context, name: &str) -> Result<Option<Live>> {
    let (client, resource) = (&context.aws.scaling, resource(name));
    let what = |thing: &str| format!("the {thing} of endpoint {name} cannot be looked at");
    let request = client.describe_scalable_targets().service_namespace(SERVICE).resource_ids(&resource);
    let request = request.scalable_dimension(DIMENSION).into_paginator().items().send();
    let targets = request.collect::<std::result::Result<Vec<_>, _>>().await;
    let targets = targets.map_err(error::aws(what("scalable target")))?;
    let Some(target) = targets.first() else { return Ok(None) };
    let request = client.describe_scaling_policies().service_namespace(SERVICE).resource_id(&resource);
    let request = request.scalable_dimension(DIMENSION).into_paginator().items().send();
    let policies = request.collect::<std::result::Result<Vec<_>, _>>().await;
    let policies = policies.map_err(error::aws(what("scaling policy")))?;
    let policy = policies.iter().find(|policy| policy.policy_name() == POLICY);
    let tracking = policy.and_then(|policy| policy.target_tracking_scaling_policy_configuration());
    let request = client.describe_scheduled_actions().service_namespace(SERVICE).resource_id(&resource);
    let request = request.scalable_dimension(DIMENSION).into_paginator().items().send();
    let actions = request.collect::<std::result::Result<Vec<_>, _>>().await;
    let actions = actions.map_err(error::aws(what("scheduled actions")))?;
    let shown = |action: &ScheduledAction| {
        let capacity = action.scalable_target_action();
        let (min, max) = (capacity.and_then(|c| c.min_capacity()), capacity.and_then(|c| c.max_capacity()));
        (action.scheduled_action_name().to_owned(), action.schedule().to_owned(), min, max)
    };
    let mut scheduled: Vec<_> = actions.iter().map(shown).collect();
    scheduled.sort();
    let target_value = tracking.map(|tracking| tracking.target_value());
    Ok(Some(Live { min: target.min_capacity(), max: target.max_capacity(), target: target_value, scheduled }))
}

/// Takes the variant out of scaling; policies and schedules go with it.
pub async fn forget(context: &Context, name: &str) -> Result<bool> {
    let request = context.aws.scaling.deregister_scalable_target().service_namespace(SERVICE);
    let request = request.resource_id(resource(name)).scalable_dimension(DIMENSION);
    let gone = request.send().await.found(format!("the scalable target of endpoint {name} cannot be deleted"))?;
    Ok(gone.is_some())
}

/// What the settings want, in words: instances, target, scheduled actions.
pub fn told(settings: &Autoscaling) -> String {
    let target = match settings.invocations_per_minute {
        Some(target) => format!("{target} invocations a minute on each"),
        None => format!("as many invocations on each as a load test finds within {} ms", settings.latency_p99_ms),
    };
    let named = settings.scheduled.iter().map(|action| format!(", {} at {}", action.name, action.schedule));
    let named: String = named.collect();
    format!("{} to {} instances, {target}{named}", settings.min_instances, settings.max_instances)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_what_was_measured_times_the_factor() {
        let settings = Autoscaling { safety_factor: 0.5, ..Autoscaling::default() };
        let load = LoadPart {
            endpoint: "e".into(),
            config: "c".into(),
            instances: 2,
            requests_per_second: 100.0,
            p99_ms: 12.0,
            latency_bound_ms: 50.0,
            concurrency: 8,
        };
        assert_eq!(target(&settings, Some(&load)).unwrap().0, 1500.0);
        assert_eq!(target(&settings, None), None);
        let given = Autoscaling { invocations_per_minute: Some(600.0), ..settings };
        assert_eq!(target(&given, None).unwrap().0, 600.0);
    }
}
