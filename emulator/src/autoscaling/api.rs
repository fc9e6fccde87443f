//! The operations.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Kept;
use crate::{ACCOUNT, account::Account, fault::Fault, shapes, shelf::Shelf, time};

/// The one dimension of what the emulator runs.
const INSTANCES: &str = "sagemaker:variant:DesiredInstanceCount";

/// Answers one operation.
pub(crate) fn answer(account: &Arc<Account>, operation: &str, body: &[u8]) -> Result<Value, Fault> {
    let model = shapes::autoscaling();
    let unknown =
        || Fault::new("UnknownOperationException", format!("The emulator does not know the operation {operation}"));
    let input = model.operations.get(operation).and_then(|known| known.input.as_ref()).ok_or_else(unknown)?;
    let request: Value = match body {
        [] => Value::Object(Map::new()),
        body => serde_json::from_slice(body).map_err(|e| Fault::new("SerializationException", e.to_string()))?,
    };
    shapes::validate(model, input, &request)?;
    let Account { scalable_targets, scaling_policies, scheduled_actions, .. } = &**account;
    match operation {
        "RegisterScalableTarget" => register(account, &request),
        "PutScalingPolicy" => put_policy(account, &request),
        "PutScheduledAction" => put_action(account, &request),
        "DescribeScalableTargets" => {
            Ok(list(scalable_targets, &request, "ScalableTargets", ("ResourceIds", "ResourceId")))
        }
        "DescribeScalingPolicies" => {
            Ok(list(scaling_policies, &request, "ScalingPolicies", ("PolicyNames", "PolicyName")))
        }
        "DescribeScheduledActions" => {
            Ok(list(scheduled_actions, &request, "ScheduledActions", ("ScheduledActionNames", "ScheduledActionName")))
        }
        "DeregisterScalableTarget" => deregister(account, &request),
        "DeleteScalingPolicy" => remove(scaling_policies, &request, "PolicyName", "scaling policy"),
        "DeleteScheduledAction" => remove(scheduled_actions, &request, "ScheduledActionName", "scheduled action"),
        _ => Err(unknown()),
    }
}

fn text<'a>(request: &'a Value, member: &str) -> &'a str {
    request[member].as_str().unwrap_or_default()
}

/// What is scaled, as a key.
fn scaled(request: &Value) -> String {
    let [service, resource, dimension] =
        ["ServiceNamespace", "ResourceId", "ScalableDimension"].map(|m| text(request, m));
    format!("{service}|{resource}|{dimension}")
}

fn named(request: &Value, member: &str) -> String {
    format!("{}|{}", scaled(request), text(request, member))
}

/// What is scaled, in AWS's words.
fn words(request: &Value) -> String {
    let [service, resource, dimension] =
        ["ServiceNamespace", "ResourceId", "ScalableDimension"].map(|m| text(request, m));
    format!("service namespace: {service}, resource ID: {resource}, scalable dimension: {dimension}")
}

fn target(account: &Account, request: &Value) -> Result<Kept, Fault> {
    let missing =
        || Fault::new("ObjectNotFoundException", format!("No scalable target registered for {}", words(request)));
    account.scalable_targets.get(&scaled(request)).ok_or_else(missing)
}

fn register(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    check_variant(account, request)?;
    let there = account.scalable_targets.get(&scaled(request)).map(|kept| kept.shown);
    let capacity = |member: &str| {
        let given = request[member].as_i64().or_else(|| there.as_ref()?[member].as_i64());
        given.ok_or_else(|| {
            Fault::validation("You must specify both MinCapacity and MaxCapacity to register a new scalable target.")
        })
    };
    let (min, max) = (capacity("MinCapacity")?, capacity("MaxCapacity")?);
    if min > max {
        return Err(Fault::validation("Maximum capacity cannot be less than minimum capacity"));
    }
    if min < 1 {
        return Err(Fault::validation(format!(
            "MinCapacity {min} is not allowed for {INSTANCES}: only an inference component's copies can be scaled to zero."
        )));
    }
    let arn = format!("arn:aws:application-autoscaling:{}:{ACCOUNT}:scalable-target/{}", account.region, id());
    let role = format!(
        "arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    );
    let suspended = json!({"DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": false});
    let mut shown = there.unwrap_or_else(|| {
        json!({
            "ScalableTargetARN": arn, "RoleARN": role, "CreationTime": time::epoch(time::now()), "SuspendedState": suspended,
            "ServiceNamespace": request["ServiceNamespace"], "ResourceId": request["ResourceId"],
            "ScalableDimension": request["ScalableDimension"],
        })
    });
    (shown["MinCapacity"], shown["MaxCapacity"]) = (json!(min), json!(max));
    for (member, value) in request["SuspendedState"].as_object().into_iter().flatten() {
        shown["SuspendedState"][member] = value.clone();
    }
    let arn = shown["ScalableTargetARN"].clone();
    put(&account.scalable_targets, &scaled(request), shown)?;
    Ok(json!({"ScalableTargetARN": arn}))
}

/// The resource is a variant that is deployed, with instances to be counted.
fn check_variant(account: &Account, request: &Value) -> Result<(), Fault> {
    let (service, dimension) = (text(request, "ServiceNamespace"), text(request, "ScalableDimension"));
    if service != "sagemaker" || dimension != INSTANCES {
        return Err(Fault::validation(format!(
            "The emulator scales sagemaker's {INSTANCES} alone, not {service}'s {dimension}."
        )));
    }
    let named = text(request, "ResourceId").strip_prefix("endpoint/").and_then(|rest| rest.split_once("/variant/"));
    let (endpoint, variant) = named.ok_or_else(|| {
        Fault::validation(format!(
            "Unsupported service namespace, resource type or scalable dimension: {}",
            words(request)
        ))
    })?;
    let deployed = account.endpoints.get(endpoint).and_then(|endpoint| endpoint.deployed);
    let found = deployed.and_then(|d| d.variants.into_iter().find(|deployed| deployed.variant.variant_name == variant));
    match found {
        None => Err(Fault::validation(format!("No endpoint {endpoint} with a variant {variant} is in service."))),
        Some(found) if found.variant.serverless_config.is_some() => Err(Fault::validation(format!(
            "Variant {variant} of endpoint {endpoint} is serverless: it has no instances to scale."
        ))),
        Some(_) => Ok(()),
    }
}

fn put_policy(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    target(account, request)?;
    let tracking = &request["TargetTrackingScalingPolicyConfiguration"];
    if text(request, "PolicyType") != "TargetTrackingScaling" || tracking.is_null() {
        return Err(Fault::validation(
            "The emulator keeps policies of PolicyType TargetTrackingScaling with a TargetTrackingScalingPolicyConfiguration.",
        ));
    }
    if tracking["PredefinedMetricSpecification"].is_null() == tracking["CustomizedMetricSpecification"].is_null() {
        return Err(Fault::validation(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified.",
        ));
    }
    if !tracking["TargetValue"].as_f64().is_some_and(|value| value > 0.0) {
        return Err(Fault::validation("TargetValue must be greater than 0."));
    }
    let key = named(request, "PolicyName");
    let there = account.scaling_policies.get(&key).map(|kept| kept.shown);
    let resource = format!("resource/sagemaker/{}", text(request, "ResourceId"));
    let arn = format!(
        "arn:aws:autoscaling:{}:{ACCOUNT}:scalingPolicy:{}:{resource}:policyName/{}",
        account.region,
        id(),
        text(request, "PolicyName")
    );
    let arn = there.as_ref().map_or(json!(arn), |there| there["PolicyARN"].clone());
    let created = there.map_or_else(|| time::epoch(time::now()), |there| there["CreationTime"].clone());
    let mut shown = Value::Object(shapes::pick(shapes::autoscaling(), "ScalingPolicy", request));
    (shown["PolicyARN"], shown["CreationTime"], shown["Alarms"]) = (arn.clone(), created, json!([]));
    put(&account.scaling_policies, &key, shown)?;
    Ok(json!({"PolicyARN": arn, "Alarms": []}))
}

fn put_action(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    target(account, request)?;
    let key = named(request, "ScheduledActionName");
    let mut shown = account.scheduled_actions.get(&key).map_or_else(
        || {
            let resource = format!("resource/sagemaker/{}", text(request, "ResourceId"));
            let name = text(request, "ScheduledActionName");
            let arn = format!(
                "arn:aws:autoscaling:{}:{ACCOUNT}:scheduledAction:{}:{resource}:scheduledActionName/{name}",
                account.region,
                id()
            );
            json!({"ScheduledActionARN": arn, "CreationTime": time::epoch(time::now())})
        },
        |kept| kept.shown,
    );
    for (member, value) in shapes::pick(shapes::autoscaling(), "ScheduledAction", request) {
        shown[member] = value;
    }
    let schedule = text(&shown, "Schedule").to_owned();
    if !["cron(", "rate(", "at("].iter().any(|kind| schedule.starts_with(kind)) || !schedule.ends_with(')') {
        return Err(Fault::validation(format!("Schedule `{schedule}` must be cron(…), rate(…) or at(…).")));
    }
    if shown["ScalableTargetAction"].is_null() {
        return Err(Fault::validation("You must specify a ScalableTargetAction for a new scheduled action."));
    }
    put(&account.scheduled_actions, &key, shown)?;
    Ok(json!({}))
}

fn put(shelf: &Shelf<Kept>, key: &str, shown: Value) -> Result<(), Fault> {
    let kept = Kept { shown };
    if !shelf.add(key, kept.clone())? {
        shelf.update(key, |there| *there = kept)?;
    }
    Ok(())
}

/// Those of the request's resource, dimension and names.
fn list(shelf: &Shelf<Kept>, request: &Value, member: &str, (names, name): (&str, &str)) -> Value {
    let wanted = |shown: &Value| {
        let same = |member: &str| request[member].is_null() || request[member] == shown[member];
        let named = request[names].as_array().is_none_or(|all| all.is_empty() || all.contains(&shown[name]));
        same("ServiceNamespace") && same("ResourceId") && same("ScalableDimension") && named
    };
    let found: Vec<Value> = shelf.all().into_iter().map(|kept| kept.shown).filter(wanted).collect();
    json!({ member: found })
}

fn remove(shelf: &Shelf<Kept>, request: &Value, name: &str, kind: &str) -> Result<Value, Fault> {
    match shelf.remove(&named(request, name))? {
        true => Ok(json!({})),
        false => {
            let name = text(request, name);
            Err(Fault::new("ObjectNotFoundException", format!("No {kind} named {name} found for {}", words(request))))
        }
    }
}

/// With the target go its policies and scheduled actions.
fn deregister(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    target(account, request)?;
    let ours = |shown: &Value| scaled(shown) == scaled(request);
    for (shelf, name) in
        [(&account.scaling_policies, "PolicyName"), (&account.scheduled_actions, "ScheduledActionName")]
    {
        for kept in shelf.all().into_iter().filter(|kept| ours(&kept.shown)) {
            shelf.remove(&named(&kept.shown, name))?;
        }
    }
    account.scalable_targets.remove(&scaled(request))?;
    Ok(json!({}))
}

fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}
