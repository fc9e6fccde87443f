//! Regions: what a request is signed for says where a name is; buckets are the account's.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lab::{Answer, BUCKET, Lab, ROLE};

fn scope(region: &str, service: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential=any/20240101/{region}/{service}/aws4_request, Signature=x")
}

async fn call(lab: &Lab, region: &str, operation: &str, request: Value) -> Answer {
    let target = format!("SageMaker.{operation}");
    let scope = scope(region, "sagemaker");
    let headers =
        [("x-amz-target", &*target), ("authorization", &*scope), ("content-type", "application/x-amz-json-1.1")];
    lab.send(Method::POST, "/", &headers, request.to_string()).await
}

async fn serve(lab: &Lab, region: &str, word: &str) {
    let container = json!({"Image": "registry/image:1", "Environment": {"WORD": word}});
    let model = json!({"ModelName": "model", "ExecutionRoleArn": ROLE, "PrimaryContainer": container});
    let variant =
        json!({"VariantName": "main", "ModelName": "model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"});
    let config = json!({"EndpointConfigName": "config", "ProductionVariants": [variant]});
    for (operation, request) in [
        ("CreateModel", model),
        ("CreateEndpointConfig", config),
        ("CreateEndpoint", json!({"EndpointName": "live", "EndpointConfigName": "config"})),
    ] {
        let made = call(lab, region, operation, request).await;
        assert_eq!(made.status, StatusCode::OK, "{operation} in {region}: {}", made.text());
    }
    in_service(lab, region).await;
}

async fn in_service(lab: &Lab, region: &str) -> String {
    loop {
        let live = call(lab, region, "DescribeEndpoint", json!({"EndpointName": "live"})).await.json();
        match live["EndpointStatus"].as_str() {
            Some("InService") => return live["EndpointArn"].as_str().expect("arn").to_owned(),
            Some("Creating") => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            _ => panic!("{live:#}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_regions_and_a_bucket_every_regions() {
    let lab = Lab::start().await;
    let frankfurt = "eu-central-1";
    serve(&lab, "us-east-1", "here").await;
    let missing = call(&lab, frankfurt, "DescribeEndpoint", json!({"EndpointName": "live"})).await;
    let missing = missing.text();
    assert!(missing.contains("Could not find endpoint \\\"arn:aws:sagemaker:eu-central-1:"), "{missing}");
    // The same names once more.
    serve(&lab, frankfurt, "there").await;
    let headers = [("authorization", &*scope(frankfurt, "sagemaker"))];
    let answer = lab.send(Method::POST, "/endpoints/live/invocations", &headers, "x").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());

    // Deleting one leaves the other.
    call(&lab, "us-east-1", "DeleteEndpoint", json!({"EndpointName": "live"})).await;
    loop {
        let gone = call(&lab, "us-east-1", "DescribeEndpoint", json!({"EndpointName": "live"})).await;
        if gone.status != StatusCode::OK {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let arn = in_service(&lab, frankfurt).await;
    assert_eq!(arn, "arn:aws:sagemaker:eu-central-1:000000000000:endpoint/live");

    // A bucket is seen from everywhere, with the region that it was made in.
    let headers = [("authorization", &*scope(frankfurt, "s3"))];
    let seen = lab.send(Method::HEAD, &format!("/{BUCKET}"), &headers, "").await;
    assert_eq!((seen.status, seen.headers["x-amz-bucket-region"].as_bytes()), (StatusCode::OK, &b"us-east-1"[..]));

    // A restart brings the other region's endpoint up again; what no AWS region is called is the account's own.
    let lab = lab.restart().await;
    in_service(&lab, frankfurt).await;
    let models = call(&lab, "local", "ListModels", json!({})).await.json();
    assert_eq!(models["Models"][0]["ModelArn"], "arn:aws:sagemaker:us-east-1:000000000000:model/model");
    lab.emulator.shutdown().await;
}
