//! Models, endpoint configs, tags: made, described, listed, deleted, refused.

use http::Method;
use serde_json::json;

use crate::lab::{Lab, ROLE};

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_worded_as_awss() {
    let lab = Lab::start().await;
    lab.model("m", json!({})).await;
    lab.config("c", "m", json!({})).await;
    let arn = |kind: &str, name: &str| format!("\"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}\".");
    let model = json!({"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i"}});
    let variant =
        json!([{"VariantName": "v", "ModelName": "gone", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}]);
    for (operation, request, want) in [
        ("DescribeTrainingJob", json!({"TrainingJobName": "gone"}), "Requested resource not found.".to_owned()),
        ("StopTrainingJob", json!({"TrainingJobName": "gone"}), "Requested resource not found.".to_owned()),
        ("DescribeModel", json!({"ModelName": "gone"}), format!("Could not find model {}", arn("model", "gone"))),
        ("DeleteModel", json!({"ModelName": "gone"}), format!("Could not find model {}", arn("model", "gone"))),
        ("CreateModel", model, format!("Cannot create already existing model {}", arn("model", "m"))),
        ("DescribeEndpointConfig", json!({"EndpointConfigName": "gone"}), format!("Could not find endpoint configuration {}", arn("endpoint-config", "gone"))),
        ("CreateEndpointConfig", json!({"EndpointConfigName": "d", "ProductionVariants": variant}), format!("Could not find model {}", arn("model", "gone"))),
        ("CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "gone"}), format!("Could not find endpoint configuration {}", arn("endpoint-config", "gone"))),
        ("DescribeEndpoint", json!({"EndpointName": "Gone"}), format!("Could not find endpoint {}", arn("endpoint", "gone"))),
        ("UpdateEndpoint", json!({"EndpointName": "gone", "EndpointConfigName": "c"}), format!("Could not find endpoint {}", arn("endpoint", "gone"))),
        ("DeleteEndpoint", json!({"EndpointName": "gone"}), format!("Could not find endpoint {}", arn("endpoint", "gone"))),
        ("DescribeModelPackageGroup", json!({"ModelPackageGroupName": "gone"}), "ModelPackageGroup arn:aws:sagemaker:us-east-1:000000000000:model-package-group/gone does not exist.".to_owned()),
        ("DescribeModel", json!({}), "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null".to_owned()),
    ] {
        assert_eq!(lab.refused(operation, request, "ValidationException").await, want, "{operation}");
    }
    lab.refused("CreateUniverse", json!({}), "UnknownOperationException").await;
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_described_listed_and_deleted() {
    let lab = Lab::start().await;
    for name in ["one", "two", "three"] {
        lab.model(name, json!({"NAME": name})).await;
        lab.config(&format!("of-{name}"), name, json!({})).await;
    }
    let model = lab.call("DescribeModel", json!({"ModelName": "two"})).await.expect("describe");
    assert_eq!(model["PrimaryContainer"]["Environment"], json!({"NAME": "two"}));
    let config = lab.call("DescribeEndpointConfig", json!({"EndpointConfigName": "of-two"})).await.expect("describe");
    assert_eq!(config["ProductionVariants"][0]["InitialVariantWeight"], 1.0);

    let page = lab.call("ListModels", json!({"MaxResults": 2, "SortBy": "Name"})).await.expect("list");
    let rest = json!({"MaxResults": 2, "SortBy": "Name", "NextToken": page["NextToken"]});
    let rest = lab.call("ListModels", rest).await.expect("list");
    let names: Vec<_> =
        [&page, &rest].iter().flat_map(|p| p["Models"].as_array().expect("models")).map(|m| &m["ModelName"]).collect();
    assert_eq!(names, ["two", "three", "one"], "models are listed from the last by default");
    assert!(rest.get("NextToken").is_none());
    let found = lab.call("ListEndpointConfigs", json!({"NameContains": "thr"})).await.expect("list");
    assert_eq!(found["EndpointConfigs"].as_array().map(Vec::len), Some(1));

    lab.call("DeleteEndpointConfig", json!({"EndpointConfigName": "of-two"})).await.expect("delete");
    lab.call("DeleteModel", json!({"ModelName": "two"})).await.expect("delete");
    lab.refused("DescribeModel", json!({"ModelName": "two"}), "ValidationException").await;
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_put_listed_and_taken_off() {
    let lab = Lab::start().await;
    let request = json!({"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i"}, "Tags": [{"Key": "a", "Value": "1"}]});
    let arn = lab.call("CreateModel", request).await.expect("create")["ModelArn"].clone();
    lab.call("AddTags", json!({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]}))
        .await
        .expect("add");
    let tags = lab.call("ListTags", json!({"ResourceArn": arn})).await.expect("list");
    assert_eq!(tags["Tags"], json!([{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]));
    lab.call("DeleteTags", json!({"ResourceArn": arn, "TagKeys": ["a"]})).await.expect("delete");
    let tags = lab.call("ListTags", json!({"ResourceArn": arn})).await.expect("list");
    assert_eq!(tags["Tags"], json!([{"Key": "b", "Value": ""}]));
    let many: Vec<_> = (0..50).map(|i| json!({"Key": format!("k{i}"), "Value": ""})).collect();
    lab.refused("AddTags", json!({"ResourceArn": arn, "Tags": many}), "ResourceLimitExceeded").await;
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sts_says_who_everyone_is() {
    let lab = Lab::start().await;
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let answer = lab.send(Method::POST, "/", &form, "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(answer.text().contains("<Account>000000000000</Account>"), "{}", answer.text());
    for (body, code) in [("Action=AssumeRole", "ValidationError"), ("Action=GetSessionToken", "InvalidAction")] {
        let answer = lab.send(Method::POST, "/", &form, body).await;
        assert!(answer.status == 400 && answer.text().contains(&format!("<Code>{code}</Code>")), "{}", answer.text());
    }
    lab.emulator.shutdown().await;
}
