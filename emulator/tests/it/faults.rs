//! Calls that go wrong as they are told to, and `/_faults`, which tells them.

use std::time::{Duration, Instant};

use emulator::Settings;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lab::{BUCKET, Lab, settings, timing};

async fn fault(lab: &Lab, rule: Value) -> Value {
    let answer = lab.send(Method::POST, "/_faults", &[], rule.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{rule}: {}", answer.text());
    answer.json()["id"].clone()
}

async fn groups(lab: &Lab) -> usize {
    let list = lab.call("ListModelPackageGroups", json!({})).await.expect("list");
    list["ModelPackageGroupSummaryList"].as_array().expect("groups").len()
}

/// Asks for a group by raw HTTP; `None` where the connection broke.
async fn make(lab: &Lab, name: &str) -> Option<StatusCode> {
    let body = json!({"ModelPackageGroupName": name}).to_string();
    let headers =
        [("x-amz-target", "SageMaker.CreateModelPackageGroup"), ("content-type", "application/x-amz-json-1.1")];
    lab.try_send(Method::POST, "/", &headers, body).await.ok().map(|answer| answer.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_effect_leaves_what_it_says() {
    let lab = Lab::start().await;
    let mut there = 0;
    for (effect, status, made) in [
        ("throttle", Some(400), 0),
        ("internal-error", Some(500), 0),
        ("unavailable", Some(503), 0),
        ("reset-before", None, 0),
        ("reset-after", None, 1),
        ("duplicate", Some(200), 1),
        ("delay", Some(200), 1),
    ] {
        let rule = json!({"operation": "CreateModelPackageGroup", "effect": effect, "delay_ms": 30});
        let id = fault(&lab, rule).await;
        let start = Instant::now();
        let answered = make(&lab, effect).await;
        assert_eq!(answered.map(|status| status.as_u16()), status, "{effect}");
        assert!(effect != "delay" || start.elapsed() >= Duration::from_millis(30), "{effect}");
        there += made;
        assert_eq!(groups(&lab).await, there, "{effect}");
        let rules = lab.send(Method::GET, "/_faults", &[], "").await.json();
        let rule =
            rules["rules"].as_array().expect("rules").iter().find(|rule| rule["id"] == id).expect(effect).clone();
        assert_eq!((&rule["seen"], &rule["fired"], &rule["effect"]), (&json!(1), &json!(1), &json!(effect)));
        assert_eq!(lab.send(Method::DELETE, &format!("/_faults/{id}"), &[], "").await.status, StatusCode::OK);
    }
    // What hangs is done all the same, and does not keep the emulator from ending.
    fault(&lab, json!({"operation": "CreateModelPackageGroup", "effect": "hang"})).await;
    assert!(tokio::time::timeout(Duration::from_millis(300), make(&lab, "hung")).await.is_err());
    assert_eq!(groups(&lab).await, there + 1);
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_delivery_is_done_a_second_time() {
    let lab = Lab::start().await;
    fault(&lab, json!({"service": "s3", "operation": "PutObject", "effect": "duplicate"})).await;
    lab.put("twice", "body").await;
    let versions = lab.send(Method::GET, &format!("/{BUCKET}?versions&prefix=twice"), &[], "").await.text();
    assert_eq!(versions.matches("<Version>").count(), 2, "{versions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_in_the_services_words() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let faults = ["*@1x*=throttle"].map(|rule| rule.parse().expect(rule)).to_vec();
    let settings = Settings { faults, ..settings(&folder) };
    let lab = Lab::start_as(folder, settings, timing()).await;
    let scope = |service: &str| format!("AWS4-HMAC-SHA256 Credential=any/20240101/us-east-1/{service}/aws4_request");
    let form = "application/x-www-form-urlencoded";
    for (service, method, path, more, body, status, code) in [
        ("sagemaker", Method::POST, "/", ("x-amz-target", "SageMaker.ListModels"), "{}", 400, "ThrottlingException"),
        ("s3", Method::GET, "/lab/key", ("x", ""), "", 503, "<Code>SlowDown</Code>"),
        ("s3", Method::HEAD, "/lab/key", ("x", ""), "", 503, ""),
        ("sts", Method::POST, "/", ("content-type", form), "Action=GetCallerIdentity", 400, "<Code>Throttling</Code>"),
        ("scheduler", Method::GET, "/schedules/daily", ("x", ""), "", 429, "ThrottlingException"),
        ("sagemaker", Method::POST, "/endpoints/live/invocations", ("x", ""), "a", 400, "ThrottlingException"),
        (
            "monitoring",
            Method::POST,
            "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm",
            ("smithy-protocol", "rpc-v2-cbor"),
            "",
            400,
            "\u{a2}x\u{6}__typex\u{13}ThrottlingExceptionx\u{7}messagex\rRate exceeded",
        ),
    ] {
        let answer = lab.send(method, path, &[("authorization", &scope(service)), more], body).await;
        assert_eq!(answer.status, status, "{service} {path}");
        let text: String = answer.body.iter().map(|byte| char::from(*byte)).collect();
        assert!(text.contains(code) && (!code.is_empty() || text.is_empty()), "{service} {path}: {text:?}");
    }
    assert_eq!(lab.send(Method::GET, "/_sagebrush/health", &[], "").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_rule_is_refused() {
    let lab = Lab::start().await;
    for (method, path, body, status, want) in [
        (Method::POST, "/_faults", r#"{"effect":"explode"}"#, 400, "unknown variant `explode`"),
        (Method::POST, "/_faults", r#"{"effect":"hang","nth":0}"#, 400, "nth counts from 1"),
        (Method::POST, "/_faults", r#"{"effect":"hang","when":1}"#, 400, "unknown field `when`"),
        (Method::POST, "/_faults", "hang", 400, "this is no rule"),
        (Method::DELETE, "/_faults/7", "", 404, "there is no rule 7"),
        (Method::PUT, "/_faults", "", 405, "GET /_faults lists the rules"),
    ] {
        let answer = lab.send(method, path, &[], body).await;
        assert_eq!(answer.status, status, "{path} {body}");
        assert!(answer.json()["message"].as_str().is_some_and(|said| said.contains(want)), "{}", answer.text());
    }
}
