//! Captured requests in the bucket.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::Lab;

fn config(sampling: u32) -> Value {
    json!({"DataCaptureConfig": {
        "EnableCapture": true, "InitialSamplingPercentage": sampling, "DestinationS3Uri": "s3://lab/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }})
}

async fn records(lab: &Lab) -> Vec<Value> {
    let mut records = Vec::new();
    for key in lab.keys("capture/").await {
        let object = lab.get(&key).await.expect("object");
        let text = String::from_utf8(object.to_vec()).expect("text");
        records.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record a line")));
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_lands_in_the_bucket() {
    let lab = Lab::start().await;
    lab.model("m", json!({})).await;
    lab.config("c", "m", config(100)).await;
    let endpoint = lab.endpoint("live", "c").await;
    assert_eq!(endpoint["DataCaptureConfig"]["CaptureStatus"], "Started");
    let headers = [
        ("content-type", "application/json"),
        ("x-amzn-sagemaker-inference-id", "id-1"),
        ("x-amzn-sagemaker-custom-attributes", "explain=3"),
    ];
    lab.invoke("live", &headers, r#"{"text": "good"}"#).await;
    while records(&lab).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let first = &records(&lab).await[0];
    let input = json!({"observedContentType": "application/json", "mode": "INPUT", "data": r#"{"text": "good"}"#, "encoding": "JSON"});
    assert_eq!(first["captureData"]["endpointInput"], input);
    assert_eq!(first["captureData"]["endpointOutput"]["mode"], "OUTPUT");
    assert_eq!(
        (&first["eventMetadata"]["inferenceId"], &first["eventMetadata"]["customAttributes"]),
        (&json!("id-1"), &json!(["explain=3"]))
    );
    let key = &lab.keys("capture/").await[0];
    assert!(key.starts_with("capture/live/main/2") && key.split('/').count() == 8, "{key}");

    for _ in 0..100 {
        lab.invoke("live", &[("content-type", "text/plain")], "x").await;
    }
    let lab = lab.restart().await;
    assert_eq!(records(&lab).await.len(), 101, "what was not written yet is written at shutdown");
    assert_eq!(records(&lab).await[100]["captureData"]["endpointInput"]["encoding"], "BASE64");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_costs_no_answer_and_is_told() {
    let lab = Lab::start().await;
    lab.model("m", json!({})).await;
    let mut config = config(100);
    config["DataCaptureConfig"]["DestinationS3Uri"] = json!("s3://gone/capture");
    lab.config("c", "m", config).await;
    lab.endpoint("live", "c").await;
    for _ in 0..20 {
        assert!(lab.invoke("live", &[], "x").await.status.is_success());
    }
    let lab = lab.restart().await;
    let told = lab.log("/aws/sagemaker/Endpoints/live", "data-capture").await;
    let lost: u64 = told
        .iter()
        .filter_map(|line| line.strip_prefix("[emulator] ")?.split_once(" requests were not captured: "))
        .map(|(count, _)| count.parse::<u64>().expect("a count"))
        .sum();
    assert_eq!(lost, 20, "{told:?}");
    assert!(told[0].contains("s3://gone/capture/live/main/"), "{told:?}");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_a_sample() {
    let lab = Lab::start().await;
    lab.model("m", json!({})).await;
    lab.config("c", "m", config(50)).await;
    lab.endpoint("live", "c").await;
    for _ in 0..200 {
        lab.invoke("live", &[], "x").await;
    }
    let lab = lab.restart().await;
    let kept = records(&lab).await.len();
    assert!((50..=150).contains(&kept), "about half of 200: {kept}");
    lab.emulator.shutdown().await;
}
