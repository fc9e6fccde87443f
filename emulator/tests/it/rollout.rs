//! Rollouts: shares of the requests step by step, and back where an alarm says so.

use http::Method;
use serde_json::{Value, json};

use crate::lab::Lab;

const CANARY: &str = "CANARY";

fn deployment(kind: &str, size: &str, percent: u32, alarms: &[&str], wait: u32) -> Value {
    let mut config = json!({
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": kind, "WaitIntervalInSeconds": wait, size: {"Type": "CAPACITY_PERCENT", "Value": percent},
            },
        },
    });
    if !alarms.is_empty() {
        let alarms: Vec<Value> = alarms.iter().map(|name| json!({"AlarmName": name})).collect();
        config["AutoRollbackConfiguration"] = json!({"Alarms": alarms});
    }
    config
}

async fn two_models(lab: &Lab) {
    for name in ["old", "new"] {
        lab.model(name, json!({"SAY_WHO": name})).await;
        lab.config(name, name, json!({})).await;
    }
    lab.endpoint("live", "old").await;
}

/// Which model answers each of so many requests.
async fn answers(lab: &Lab, requests: usize) -> usize {
    let mut new = 0;
    for _ in 0..requests {
        let text = lab.invoke("live", &[], "x").await.text();
        new += usize::from(text.starts_with("new|"));
    }
    new
}

async fn alarm(lab: &Lab, operation: &str, more: Value) {
    let headers = [
        ("x-amz-target", &*format!("GraniteServiceVersion20100801.{operation}")),
        ("authorization", "AWS4-HMAC-SHA256 Credential=any/20240101/us-east-1/monitoring/aws4_request, Signature=x"),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let answer = lab.send(Method::POST, "/", &headers, more.to_string()).await;
    assert!(answer.status.is_success(), "{operation}: {}", answer.text());
}

async fn make_alarm(lab: &Lab) {
    let request = json!({
        "AlarmName": "errors", "Namespace": "AWS/SageMaker", "MetricName": "Invocation5XXErrors", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    alarm(lab, "PutMetricAlarm", request).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_step_is_everything() {
    let lab = Lab::start().await;
    two_models(&lab).await;
    let config = deployment("LINEAR", "LinearStepSize", 50, &[], 0);
    let request = json!({"EndpointName": "live", "EndpointConfigName": "new", "DeploymentConfig": config});
    lab.call("UpdateEndpoint", request).await.expect("update");
    let done = lab.settled("live").await;
    assert_eq!(
        (&done["EndpointStatus"], &done["EndpointConfigName"]),
        (&json!("InService"), &json!("new")),
        "{done:#}"
    );
    assert_eq!(answers(&lab, 10).await, 10);
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_has_its_share_until_an_alarm_brings_the_old_deployment_back() {
    let lab = Lab::start().await;
    two_models(&lab).await;
    make_alarm(&lab).await;
    let config = deployment(CANARY, "CanarySize", 25, &["errors"], 3600);
    let request = json!({"EndpointName": "live", "EndpointConfigName": "new", "DeploymentConfig": config});
    lab.call("UpdateEndpoint", request).await.expect("update");
    while answers(&lab, 8).await == 0 {}
    let share = answers(&lab, 40).await;
    assert!((8..=12).contains(&share), "a quarter of 40 go to the canary: {share}");
    let during = lab.call("DescribeEndpoint", json!({"EndpointName": "live"})).await.expect("describe");
    assert_eq!((&during["EndpointStatus"], &during["EndpointConfigName"]), (&json!("Updating"), &json!("old")));
    alarm(&lab, "SetAlarmState", json!({"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "a test"})).await;
    let back = lab.settled("live").await;
    assert_eq!(
        (&back["EndpointStatus"], &back["EndpointConfigName"]),
        (&json!("InService"), &json!("old")),
        "{back:#}"
    );
    let reason = back["FailureReason"].as_str().expect("reason");
    assert!(
        reason.starts_with("One or more configured alarms went into ALARM state during the deployment: errors."),
        "{reason}"
    );
    assert_eq!(answers(&lab, 10).await, 0);

    // An alarm that is off already lets nothing begin.
    let config = deployment(CANARY, "CanarySize", 10, &["errors"], 0);
    let request = json!({"EndpointName": "live", "EndpointConfigName": "new", "DeploymentConfig": config});
    lab.call("UpdateEndpoint", request).await.expect("update");
    assert_eq!(lab.settled("live").await["EndpointConfigName"], "old");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_ends_in_the_middle_serves_what_served() {
    let lab = Lab::start().await;
    two_models(&lab).await;
    let config = deployment(CANARY, "CanarySize", 50, &[], 3600);
    let request = json!({"EndpointName": "live", "EndpointConfigName": "new", "DeploymentConfig": config});
    lab.call("UpdateEndpoint", request).await.expect("update");
    while answers(&lab, 4).await == 0 {}
    let lab = lab.restart().await;
    let back = lab.settled("live").await;
    assert_eq!((&back["EndpointStatus"], &back["EndpointConfigName"]), (&json!("InService"), &json!("old")));
    assert_eq!(answers(&lab, 10).await, 0);
    let odd = json!({"EndpointName": "live", "EndpointConfigName": "new", "DeploymentConfig": deployment(CANARY, "CanarySize", 60, &[], 0)});
    let refused = lab.refused("UpdateEndpoint", odd, "ValidationException").await;
    assert_eq!(refused, "CanarySize is 60% of the capacity; it must be between 0% and 50%.");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serverless_endpoint_takes_so_many_requests_at_once() {
    let lab = Lab::start().await;
    lab.model("slow", json!({"DELAY_MS": "500"})).await;
    let variant = |more: Value| {
        let mut variant = json!({"VariantName": "main", "ModelName": "slow", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}});
        variant.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
        json!([variant])
    };
    lab.config("light", "slow", json!({"ProductionVariants": variant(json!({}))})).await;
    let endpoint = lab.endpoint("light", "light").await;
    assert_eq!(endpoint["ProductionVariants"][0]["CurrentServerlessConfig"]["MaxConcurrency"], 1);
    let (one, other) = tokio::join!(lab.invoke("light", &[], "x"), lab.invoke("light", &[], "x"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort();
    assert_eq!(statuses, [200, 429]);
    let capture = json!({"EnableCapture": true, "InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://lab/c", "CaptureOptions": [{"CaptureMode": "Input"}]});
    for (request, want) in [
        (
            json!({"ProductionVariants": variant(json!({"InstanceType": "ml.m5.large"}))}),
            "ServerlessConfig cannot be specified together with InstanceType",
        ),
        (
            json!({"ProductionVariants": variant(json!({})), "DataCaptureConfig": capture}),
            "Data capture is not supported for serverless endpoints.",
        ),
        (
            json!({"ProductionVariants": variant(json!({"ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}))}),
            "MemorySizeInMB must be 1024",
        ),
    ] {
        let mut request = request;
        request["EndpointConfigName"] = json!("refused");
        let said = lab.refused("CreateEndpointConfig", request, "ValidationException").await;
        assert!(said.starts_with(want), "{said}");
    }
    lab.emulator.shutdown().await;
}
