//! Shadow variants: a copy of the requests for them, their answers for nobody but the capture.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::lab::Lab;

fn variant(name: &str, weight: f64) -> Value {
    json!({"VariantName": name, "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large", "InitialVariantWeight": weight})
}

fn config(weight: f64) -> Value {
    json!({
        "ProductionVariants": [variant("main", 2.0)],
        "ShadowProductionVariants": [variant("shadow", weight)],
        "DataCaptureConfig": {
            "EnableCapture": true, "InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://lab/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        },
    })
}

/// Inference ids that were captured of a variant, in order.
async fn captured(lab: &Lab, endpoint: &str, variant: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for key in lab.keys(&format!("capture/{endpoint}/{variant}/")).await {
        let object = lab.get(&key).await.expect("object");
        for line in str::from_utf8(&object).expect("text").lines() {
            let record: Value = serde_json::from_str(line).expect("a record a line");
            ids.push(record["eventMetadata"]["inferenceId"].as_str().expect("id").to_owned());
        }
    }
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_asked_what_the_production_variant_is_and_answers_nobody() {
    let lab = Lab::start().await;
    lab.model("main", json!({})).await;
    // Nobody waits for it.
    lab.model("shadow", json!({"DELAY_MS": "1000"})).await;
    lab.config("all", "main", config(2.0)).await;
    lab.config("half", "main", config(1.0)).await;
    let endpoint = lab.endpoint("all", "all").await;
    lab.endpoint("half", "half").await;
    assert_eq!(endpoint["ProductionVariants"].as_array().map(Vec::len), Some(1));
    assert_eq!(endpoint["ShadowProductionVariants"][0]["VariantName"], "shadow");
    let described = lab.call("DescribeEndpointConfig", json!({"EndpointConfigName": "half"})).await.expect("config");
    assert_eq!(described["ShadowProductionVariants"][0]["InitialVariantWeight"], 1.0);

    let mut sent = Vec::new();
    for number in 10..20 {
        let id = format!("id-{number}");
        let begun = Instant::now();
        for name in ["all", "half"] {
            let answer = lab.invoke(name, &[("x-amzn-sagemaker-inference-id", &id)], "x").await;
            assert_eq!(answer.headers["x-amzn-invoked-production-variant"], "main");
        }
        assert!(begun.elapsed() < Duration::from_millis(1000), "{:?}", begun.elapsed());
        sent.push(id);
    }
    let direct = lab.invoke("all", &[("x-amzn-sagemaker-target-variant", "shadow")], "x").await;
    assert_eq!(direct.status.as_u16(), 400, "{}", direct.text());

    // What is on its way is answered and written before it closes.
    let lab = lab.restart().await;
    for name in ["all", "half"] {
        assert_eq!(captured(&lab, name, "main").await, sent);
    }
    assert_eq!(captured(&lab, "all", "shadow").await, sent);
    let half = captured(&lab, "half", "shadow").await;
    assert!((4..=6).contains(&half.len()), "{half:?}");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_of_one_variant() {
    let lab = Lab::start().await;
    for name in ["main", "other", "shadow"] {
        lab.model(name, json!({})).await;
    }
    for (production, shadows, want) in [
        (
            json!([variant("main", 1.0), variant("other", 1.0)]),
            json!([variant("shadow", 1.0)]),
            "there is one variant in",
        ),
        (
            json!([variant("main", 1.0)]),
            json!([variant("shadow", 1.0), variant("other", 1.0)]),
            "there is one variant in",
        ),
        (json!([variant("main", 1.0)]), json!([variant("main", 1.0)]), "Duplicate variant name main"),
        (json!([variant("main", 1.0)]), json!([variant("gone", 1.0)]), "Could not find model"),
    ] {
        let request =
            json!({"EndpointConfigName": "c", "ProductionVariants": production, "ShadowProductionVariants": shadows});
        let said = lab.refused("CreateEndpointConfig", request, "ValidationException").await;
        assert!(said.contains(want), "{said}");
    }
    lab.emulator.shutdown().await;
}
