//! Application Auto Scaling: what is kept, and what is refused.

use serde_json::{Value, json};

use crate::lab::Lab;

fn on(endpoint: &str, more: Value) -> Value {
    let mut request = json!({
        "ServiceNamespace": "sagemaker", "ResourceId": format!("endpoint/{endpoint}/variant/main"),
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    });
    request.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
    request
}

fn policy(value: f64) -> Value {
    let metric = json!({"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"});
    let tracking = json!({"TargetValue": value, "PredefinedMetricSpecification": metric, "DisableScaleIn": true});
    json!({"PolicyName": "load", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": tracking})
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_policies_and_schedules_are_kept() {
    let lab = Lab::start().await;
    lab.model("model", json!({})).await;
    lab.config("config", "model", json!({})).await;
    lab.endpoint("live", "config").await;
    let capacity = json!({"MinCapacity": 1, "MaxCapacity": 4});
    let made = lab.scaling("RegisterScalableTarget", on("live", capacity)).await.expect("register");
    assert!(made["ScalableTargetARN"].as_str().expect("arn").starts_with("arn:aws:application-autoscaling:us-east-1:"));
    lab.scaling("RegisterScalableTarget", on("live", json!({"MinCapacity": 2}))).await.expect("register again");
    let kept =
        lab.scaling("DescribeScalableTargets", json!({"ServiceNamespace": "sagemaker"})).await.expect("describe");
    assert_eq!(
        (&kept["ScalableTargets"][0]["MinCapacity"], &kept["ScalableTargets"][0]["MaxCapacity"]),
        (&json!(2), &json!(4))
    );
    let first = lab.scaling("PutScalingPolicy", on("live", policy(600.0))).await.expect("policy");
    let again = lab.scaling("PutScalingPolicy", on("live", policy(900.0))).await.expect("policy again");
    assert_eq!(first["PolicyARN"], again["PolicyARN"]);
    let action = json!({"ScheduledActionName": "day", "Schedule": "cron(0 7 * * ? *)", "ScalableTargetAction": {"MinCapacity": 2}});
    lab.scaling("PutScheduledAction", on("live", action)).await.expect("action");

    let lab = lab.restart().await;
    let policies = lab.scaling("DescribeScalingPolicies", on("live", json!({}))).await.expect("describe");
    let tracking = &policies["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"];
    assert_eq!((&tracking["TargetValue"], &tracking["DisableScaleIn"]), (&json!(900.0), &json!(true)));
    let actions = lab
        .scaling("DescribeScheduledActions", on("live", json!({"ScheduledActionNames": ["day"]})))
        .await
        .expect("describe");
    assert_eq!(actions["ScheduledActions"][0]["Schedule"], "cron(0 7 * * ? *)");
    lab.scaling("DeregisterScalableTarget", on("live", json!({}))).await.expect("deregister");
    let gone = lab.scaling("DescribeScalingPolicies", on("live", json!({}))).await.expect("describe");
    assert_eq!(gone["ScalingPolicies"], json!([]));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_scaled_is_refused() {
    let lab = Lab::start().await;
    lab.model("model", json!({})).await;
    lab.config("config", "model", json!({})).await;
    lab.endpoint("live", "config").await;
    let serverless = json!([{"VariantName": "main", "ModelName": "model", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}]);
    lab.config("serverless", "model", json!({"ProductionVariants": serverless})).await;
    lab.endpoint("light", "serverless").await;
    let capacity = |min: i32, max: i32| json!({"MinCapacity": min, "MaxCapacity": max});
    for (operation, request, kind, want) in [
        (
            "RegisterScalableTarget",
            on("gone", capacity(1, 2)),
            "ValidationException",
            "No endpoint gone with a variant main is in service.",
        ),
        (
            "RegisterScalableTarget",
            on("light", capacity(1, 2)),
            "ValidationException",
            "Variant main of endpoint light is serverless",
        ),
        (
            "RegisterScalableTarget",
            on("live", capacity(3, 2)),
            "ValidationException",
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            "RegisterScalableTarget",
            on("live", capacity(0, 2)),
            "ValidationException",
            "MinCapacity 0 is not allowed for sagemaker:variant:DesiredInstanceCount: only an inference component",
        ),
        (
            "RegisterScalableTarget",
            on("live", json!({"MinCapacity": 1})),
            "ValidationException",
            "You must specify both MinCapacity and MaxCapacity",
        ),
        (
            "PutScalingPolicy",
            on("live", policy(1.0)),
            "ObjectNotFoundException",
            "No scalable target registered for service namespace: sagemaker, resource ID: endpoint/live/variant/main",
        ),
        (
            "DeleteScalingPolicy",
            on("live", json!({"PolicyName": "load"})),
            "ObjectNotFoundException",
            "No scaling policy named load found for",
        ),
    ] {
        let fault = lab.scaling(operation, request).await.expect_err(operation);
        let said = fault["message"].as_str().unwrap_or_default();
        assert!(fault["__type"] == kind && said.starts_with(want), "{operation}: {fault}");
    }
    lab.emulator.shutdown().await;
}
