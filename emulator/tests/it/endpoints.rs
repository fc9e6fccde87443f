//! Endpoints: served, updated under load, restarted after a crash, refused where they cannot be.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::lab::{Answer, BUCKET, Http, Lab, ROLE};

/// What the container says of itself: its model's name and its process.
fn who(answer: &Answer) -> (String, String) {
    let text = answer.text();
    let mut parts = text.split('|').map(str::to_owned);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// A model whose artifact holds its name.
async fn named_model(lab: &Lab, name: &str, environment: Value) {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(name.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "name", name.as_bytes()).expect("append");
    lab.put(&format!("models/{name}.tar.gz"), archive.into_inner().expect("tar").finish().expect("gzip")).await;
    let request = json!({
        "ModelName": name, "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": "registry/image:1", "ModelDataUrl": format!("s3://{BUCKET}/models/{name}.tar.gz"), "Environment": environment},
    });
    lab.call("CreateModel", request).await.expect("model");
    lab.config(name, name, json!({})).await;
}

/// Clients that send without a pause until they are told to end; every answer must be good.
struct Load {
    go_on: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    clients: Vec<JoinHandle<BTreeSet<String>>>,
}

impl Load {
    fn start(http: &Http, endpoint: &str) -> Load {
        let (go_on, sent) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let client = |_| {
            let (http, endpoint, go_on, sent) = (http.clone(), endpoint.to_owned(), go_on.clone(), sent.clone());
            tokio::spawn(async move {
                let mut models = BTreeSet::new();
                while go_on.load(Ordering::Relaxed) {
                    let answer = http.invoke(&endpoint, &[("content-type", "text/plain")], "hello").await;
                    assert_eq!(answer.status, StatusCode::OK, "a request was lost: {}", answer.text());
                    models.insert(who(&answer).0);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
                models
            })
        };
        Load { clients: (0..4).map(client).collect(), go_on, sent }
    }

    /// Returns once so many more requests were answered.
    async fn more(&self, requests: u64) {
        let target = self.sent.load(Ordering::Relaxed) + requests;
        while self.sent.load(Ordering::Relaxed) < target {
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(!self.clients.iter().any(JoinHandle::is_finished), "a client ended");
        }
    }

    /// The models that answered.
    async fn end(self) -> BTreeSet<String> {
        self.go_on.store(false, Ordering::Relaxed);
        let mut models = BTreeSet::new();
        for client in self.clients {
            models.extend(client.await.expect("client"));
        }
        models
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_through_and_only_the_contracts_headers_with_it() {
    let lab = Lab::start().await;
    named_model(&lab, "first", json!({})).await;
    let endpoint = lab.endpoint("Live", "first").await;
    assert_eq!(endpoint["EndpointStatus"], "InService", "{endpoint:#}");
    assert_eq!(endpoint["EndpointArn"], "arn:aws:sagemaker:us-east-1:000000000000:endpoint/live");
    assert_eq!(endpoint["ProductionVariants"][0]["CurrentInstanceCount"], 1);
    let headers = [
        ("content-type", "text/csv"),
        ("accept", "application/json"),
        ("x-amzn-sagemaker-custom-attributes", "explain=3"),
        ("authorization", "secret"),
        ("x-other", "1"),
    ];
    let answer = lab.invoke("Live", &headers, "a,b\n").await;
    let text = answer.text();
    assert_eq!(answer.status, StatusCode::OK, "{text}");
    assert!(text.starts_with("first|") && text.ends_with("a,b\\n"), "{text}");
    assert!(text.contains("accept: application/json") && text.contains("custom-attributes: explain=3"), "{text}");
    assert!(!text.contains("secret") && !text.contains("x-other"), "{text}");
    assert_eq!(answer.headers["content-type"], "text/csv");
    assert_eq!(answer.headers["x-amzn-invoked-production-variant"], "main");
    assert_eq!(answer.headers["x-amzn-sagemaker-custom-attributes"], "explain=3");
    assert!(!answer.headers.contains_key("x-private"));

    let missing = lab.invoke("gone", &[], "x").await;
    assert_eq!(
        (missing.status, &missing.headers["x-amzn-errortype"]),
        (StatusCode::BAD_REQUEST, &"ValidationError".parse().expect("value"))
    );
    assert_eq!(
        missing.json(),
        json!({"ErrorCode": "NO_SUCH_ENDPOINT", "Message": "Endpoint gone of account 000000000000 not found."})
    );
    let target = lab.invoke("Live", &[("x-amzn-sagemaker-target-variant", "other")], "x").await;
    assert_eq!(target.status, StatusCode::BAD_REQUEST);

    lab.call("DeleteEndpoint", json!({"EndpointName": "Live"})).await.expect("delete");
    while lab.call("DescribeEndpoint", json!({"EndpointName": "Live"})).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(lab.invoke("Live", &[], "x").await.status, StatusCode::BAD_REQUEST);
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_refuses_is_a_model_error() {
    let lab = Lab::start().await;
    for (name, status, code, side) in [
        ("client", "415 Odd", "CLIENT_ERROR_FROM_MODEL", "client error (415)"),
        ("server", "500 Oops", "INTERNAL_FAILURE_FROM_MODEL", "server error (500)"),
    ] {
        lab.model(name, json!({"STATUS": status})).await;
        lab.config(name, name, json!({})).await;
        lab.endpoint(name, name).await;
        let answer = lab.invoke(name, &[], "x").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["x-amzn-errortype"]),
            (424, &"ModelError".parse().expect("value"))
        );
        let body = answer.json();
        assert_eq!(body["ErrorCode"], code);
        assert_eq!(body["OriginalStatusCode"].to_string(), status[..3]);
        assert!(
            body["Message"]
                .as_str()
                .expect("message")
                .starts_with(&format!("Received {side} from primary with message \"|")),
            "{body}"
        );
    }
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_under_load_loses_no_request() {
    let lab = Lab::start().await;
    // Slow enough that some requests are always in flight.
    named_model(&lab, "old", json!({"DELAY_MS": "20"})).await;
    named_model(&lab, "new", json!({"START_MS": "100"})).await;
    named_model(&lab, "sick", json!({"EXIT_AT_START": "9"})).await;
    lab.endpoint("live", "old").await;
    let load = Load::start(&lab, "live");
    load.more(100).await;

    lab.call("UpdateEndpoint", json!({"EndpointName": "live", "EndpointConfigName": "sick"})).await.expect("update");
    let busy = lab
        .refused("UpdateEndpoint", json!({"EndpointName": "live", "EndpointConfigName": "new"}), "ValidationException")
        .await;
    assert_eq!(busy, "Cannot update in-progress endpoint \"arn:aws:sagemaker:us-east-1:000000000000:endpoint/live\".");
    let failed = lab.settled("live").await;
    assert_eq!((&failed["EndpointStatus"], &failed["EndpointConfigName"]), (&json!("InService"), &json!("old")));
    assert_eq!(
        failed["FailureReason"],
        "The primary container for production variant main did not pass the ping health check. Please check CloudWatch logs for this endpoint."
    );
    let events = lab
        .logs("FilterLogEvents", json!({"logGroupName": "/aws/sagemaker/Endpoints/live", "filterPattern": "giving up"}))
        .await;
    assert_eq!(events.expect("log")["events"].as_array().map(Vec::len), Some(3), "three attempts, then no more");
    load.more(100).await;

    lab.call("UpdateEndpoint", json!({"EndpointName": "live", "EndpointConfigName": "new"})).await.expect("update");
    let done = lab.settled("live").await;
    assert_eq!((&done["EndpointStatus"], &done["EndpointConfigName"]), (&json!("InService"), &json!("new")));
    assert_eq!(done.get("FailureReason"), None);
    assert_eq!(who(&lab.invoke("live", &[], "x").await).0, "new", "all requests go to the new fleet at once");
    load.more(100).await;
    assert_eq!(load.end().await, BTreeSet::from(["old".to_owned(), "new".to_owned()]));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_never_gets_healthy_fails() {
    let lab = Lab::start().await;
    named_model(&lab, "sick", json!({"EXIT_AT_START": "9"})).await;
    let missing = json!({"ModelName": "missing", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i", "ModelDataUrl": format!("s3://{BUCKET}/none.tar.gz")}});
    let said = lab.refused("CreateModel", missing.clone(), "ValidationException").await;
    assert_eq!(said, format!("Could not find model data at s3://{BUCKET}/none.tar.gz."));
    lab.put("none.tar.gz", "").await;
    lab.call("CreateModel", missing).await.expect("model");
    lab.http.send(Method::DELETE, &format!("/{BUCKET}/none.tar.gz"), &[], "").await;
    lab.config("missing", "missing", json!({})).await;
    for (config, want) in [("sick", "did not pass the ping health check"), ("missing", "Failed to download model data")]
    {
        let failed = lab.endpoint(config, config).await;
        assert_eq!(failed["EndpointStatus"], "Failed", "{failed:#}");
        assert!(failed["FailureReason"].as_str().expect("reason").contains(want), "{failed:#}");
        assert_eq!(lab.invoke(config, &[], "x").await.json()["ErrorCode"], "NO_SUCH_ENDPOINT");
        lab.call("DeleteEndpoint", json!({"EndpointName": config})).await.expect("a failed endpoint can be deleted");
    }
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_stays_unwell_is_given_up_in_time() {
    let lab = Lab::start().await;
    lab.model("unwell", json!({"NEVER_HEALTHY": "1", "IGNORE_TERM": "1"})).await;
    lab.config("unwell", "unwell", json!({})).await;
    let began = std::time::Instant::now();
    let failed = lab.endpoint("unwell", "unwell").await;
    assert_eq!(failed["EndpointStatus"], "Failed");
    assert!(began.elapsed() < Duration::from_secs(9), "the lab's patience is 5 s");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_is_started_again_and_no_request_is_lost() {
    let lab = Lab::start().await;
    named_model(&lab, "fragile", json!({"CRASH_EVERY": "50"})).await;
    lab.endpoint("live", "fragile").await;
    let before = who(&lab.invoke("live", &[], "x").await).1;
    let load = Load::start(&lab, "live");
    load.more(200).await;
    load.end().await;
    assert_ne!(who(&lab.invoke("live", &[], "x").await).1, before, "it is another process");
    let endpoint = lab.call("DescribeEndpoint", json!({"EndpointName": "live"})).await.expect("describe");
    assert_eq!(endpoint["EndpointStatus"], "InService");

    let poison = lab.invoke("live", &[], "crash").await;
    assert_eq!(
        (poison.status.as_u16(), &poison.json()["OriginalStatusCode"]),
        (424, &json!(0)),
        "a request that kills is not sent for ever"
    );
    assert_eq!(lab.invoke("live", &[], "x").await.status, StatusCode::OK);
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_share_the_traffic_and_instances_the_work() {
    let lab = Lab::start().await;
    named_model(&lab, "a", json!({})).await;
    named_model(&lab, "b", json!({})).await;
    let variant = |name: &str, weight: f64, count: u32| json!({"VariantName": name, "ModelName": name, "InitialInstanceCount": count, "InstanceType": "ml.m5.large", "InitialVariantWeight": weight});
    lab.config("both", "a", json!({"ProductionVariants": [variant("a", 3.0, 2), variant("b", 1.0, 1)]})).await;
    lab.endpoint("live", "both").await;
    let (mut models, mut processes) = (Vec::new(), BTreeSet::new());
    for _ in 0..40 {
        let (model, process) = who(&lab.invoke("live", &[], "x").await);
        models.push(model);
        processes.insert(process);
    }
    let of_b = models.iter().filter(|m| *m == "b").count();
    assert!((9..=11).contains(&of_b), "a quarter goes to b: {of_b}");
    assert_eq!(processes.len(), 3);
    let answer = lab.invoke("live", &[("x-amzn-sagemaker-target-variant", "b")], "x").await;
    assert_eq!(
        (who(&answer).0.as_str(), &answer.headers["x-amzn-invoked-production-variant"]),
        ("b", &"b".parse().expect("value"))
    );
    lab.emulator.shutdown().await;
}
