//! An emulator to experiment on: a fresh state, the test container, a raw HTTP client.

use std::{io::Read, net::Ipv4Addr, path::PathBuf, time::Duration};

use bytes::Bytes;
use emulator::{Emulator, Runtime, Settings, Timing};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A role that the shapes take.
pub const ROLE: &str = "arn:aws:iam::000000000000:role/test";
/// The bucket every lab has.
pub const BUCKET: &str = "lab";

/// The emulator and what speaks to it.
pub struct Lab {
    pub emulator: Emulator,
    pub folder: TempDir,
    pub http: Http,
}

/// A client of one emulator.
#[derive(Clone)]
pub struct Http {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The text of a file in a `tar.gz`.
pub fn unpacked(archive: &[u8], name: &str) -> String {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let mut entries = archive.entries().expect("entries").map(|e| e.expect("entry"));
    let mut entry = entries.find(|e| e.path().is_ok_and(|p| p.to_str() == Some(name))).expect(name);
    let mut text = String::new();
    entry.read_to_string(&mut text).expect("text");
    text
}

/// The test container, built beside this test by `cargo test`.
pub fn container() -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    let path = test.with_file_name("../examples/container");
    assert!(path.exists(), "{} is missing: cargo build -p emulator --example container", path.display());
    path
}

pub fn settings(folder: &TempDir) -> Settings {
    let runtime = Runtime::Process(vec![container().into_os_string()]);
    Settings {
        state: folder.path().join("state"),
        host: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        runtime,
        record: None,
        faults: Vec::new(),
    }
}

/// AWS's patience is not a test's.
pub fn timing() -> Timing {
    Timing {
        job_grace: Duration::from_millis(300),
        instance_grace: Duration::from_millis(300),
        shutdown_grace: Duration::from_millis(300),
        startup: Duration::from_secs(5),
        ..Timing::default()
    }
}

impl Lab {
    pub async fn start() -> Lab {
        Lab::start_in(tempfile::tempdir().expect("temporary folder")).await
    }

    pub async fn start_in(folder: TempDir) -> Lab {
        let settings = settings(&folder);
        Lab::start_as(folder, settings, timing()).await
    }

    pub async fn start_as(folder: TempDir, settings: Settings, timing: Timing) -> Lab {
        let emulator = emulator::start_with(settings, timing).await.expect("start");
        let http = Http::new(emulator.url());
        http.send(Method::PUT, &format!("/{BUCKET}"), &[], "").await;
        Lab { emulator, folder, http }
    }

    /// Ends it and starts another on the same state.
    pub async fn restart(self) -> Lab {
        self.emulator.shutdown().await;
        Lab::start_in(self.folder).await
    }
}

impl std::ops::Deref for Lab {
    type Target = Http;

    fn deref(&self) -> &Http {
        &self.http
    }
}

impl Http {
    pub fn new(url: &str) -> Http {
        Http { url: url.to_owned(), client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.try_send(method, path, headers, body).await.expect("answer")
    }

    /// The answer, unless the connection broke.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, hyper_util::client::legacy::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("request");
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = body.collect().await.expect("body").to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Calls an operation of SageMaker; its answer is checked against AWS's model.
    pub async fn call(&self, operation: &str, request: Value) -> Result<Value, Value> {
        self.json11("sagemaker", &format!("SageMaker.{operation}"), request).await
    }

    pub async fn scaling(&self, operation: &str, request: Value) -> Result<Value, Value> {
        self.json11("application-autoscaling", &format!("AnyScaleFrontendService.{operation}"), request).await
    }

    pub async fn logs(&self, operation: &str, request: Value) -> Result<Value, Value> {
        self.json11("logs", &format!("Logs_20140328.{operation}"), request).await
    }

    /// Calls an operation of CloudWatch in JSON 1.0.
    pub async fn cloudwatch(&self, operation: &str, request: Value) -> Result<Value, Value> {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let scope = "AWS4-HMAC-SHA256 Credential=any/20240101/us-east-1/monitoring/aws4_request, Signature=x";
        let headers =
            [("x-amz-target", &*target), ("authorization", scope), ("content-type", "application/x-amz-json-1.0")];
        let answer = self.send(Method::POST, "/", &headers, request.to_string()).await;
        let body = answer.json();
        if answer.status != StatusCode::OK {
            return Err(body);
        }
        if body != json!({}) {
            assert_eq!(emulator::faults("cloudwatch", operation, &body), Vec::<String>::new(), "{operation}: {body:#}");
        }
        Ok(body)
    }

    /// Calls an operation of SNS; the XML.
    pub async fn sns(&self, operation: &str, parameters: &[(&str, &str)]) -> Answer {
        let scope = "AWS4-HMAC-SHA256 Credential=any/20240101/us-east-1/sns/aws4_request, Signature=x";
        let pairs = parameters
            .iter()
            .map(|(k, v)| format!("&{k}={}", v.replace('%', "%25").replace('&', "%26").replace(' ', "%20")));
        let form = format!("Action={operation}&Version=2010-03-31{}", pairs.collect::<String>());
        let headers = [("authorization", scope), ("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, "/", &headers, form).await
    }

    async fn json11(&self, service: &str, target: &str, request: Value) -> Result<Value, Value> {
        let scope = format!("AWS4-HMAC-SHA256 Credential=any/20240101/us-east-1/{service}/aws4_request, Signature=x");
        let headers =
            [("x-amz-target", target), ("authorization", &scope), ("content-type", "application/x-amz-json-1.1")];
        let answer = self.send(Method::POST, "/", &headers, request.to_string()).await;
        assert!(answer.headers.contains_key("x-amzn-requestid"), "{target}");
        let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
        if answer.status != StatusCode::OK {
            return Err(body);
        }
        let operation = target.split_once('.').expect("target").1;
        assert_eq!(emulator::faults(service, operation, &body), Vec::<String>::new(), "{operation}: {body:#}");
        Ok(body)
    }

    /// Calls an operation that is to be refused; the message.
    pub async fn refused(&self, operation: &str, request: Value, kind: &str) -> String {
        let fault = self.call(operation, request).await.expect_err(operation);
        assert_eq!(fault["__type"], kind, "{operation}: {fault}");
        let message = fault.get("message").or(fault.get("Message")).and_then(Value::as_str);
        message.unwrap_or_else(|| panic!("{fault}")).to_owned()
    }

    pub async fn put(&self, key: &str, body: impl Into<Bytes>) {
        let answer = self.send(Method::PUT, &format!("/{BUCKET}/{key}"), &[], body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }

    pub async fn get(&self, key: &str) -> Option<Bytes> {
        let answer = self.send(Method::GET, &format!("/{BUCKET}/{key}"), &[], "").await;
        (answer.status == StatusCode::OK).then_some(answer.body)
    }

    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        let answer = self.send(Method::GET, &format!("/{BUCKET}?list-type=2&prefix={prefix}"), &[], "").await.text();
        answer
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split_once("</Key>"))
            .map(|(key, _)| key.to_owned())
            .collect()
    }

    pub async fn invoke(&self, endpoint: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.send(Method::POST, &format!("/endpoints/{endpoint}/invocations"), headers, body).await
    }

    /// Asks until `done`; the operations that come to an end have no other way to be awaited.
    pub async fn until(&self, operation: &str, request: Value, done: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..20_000 {
            last = self.call(operation, request.clone()).await.expect(operation);
            if done(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{operation} {request} does not come to an end: {last:#}")
    }

    /// The messages of the only stream of a group that begins so.
    pub async fn log(&self, group: &str, prefix: &str) -> Vec<String> {
        self.try_log(group, prefix).await.expect("a stream")
    }

    /// The same, where there may be none yet.
    pub async fn try_log(&self, group: &str, prefix: &str) -> Option<Vec<String>> {
        let request = json!({"logGroupName": group, "logStreamNamePrefix": prefix});
        let streams = self.logs("DescribeLogStreams", request).await.ok()?;
        let name = streams["logStreams"].get(0)?["logStreamName"].clone();
        let request = json!({"logGroupName": group, "logStreamName": name, "startFromHead": true});
        let events = self.logs("GetLogEvents", request).await.expect("events");
        let events = events["events"].as_array().expect("events").clone();
        Some(events.into_iter().map(|e| e["message"].as_str().expect("message").to_owned()).collect())
    }

    // What most experiments begin with.

    pub async fn model(&self, name: &str, environment: Value) {
        let request = json!({
            "ModelName": name, "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {"Image": "registry/image:1", "Environment": environment},
        });
        self.call("CreateModel", request).await.expect("model");
    }

    pub async fn config(&self, name: &str, model: &str, more: Value) {
        let mut request = json!({
            "EndpointConfigName": name,
            "ProductionVariants": [{"VariantName": "main", "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}],
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            request[member] = value.clone();
        }
        self.call("CreateEndpointConfig", request).await.expect("config");
    }

    pub async fn endpoint(&self, name: &str, config: &str) -> Value {
        let request = json!({"EndpointName": name, "EndpointConfigName": config});
        self.call("CreateEndpoint", request).await.expect("endpoint");
        self.settled(name).await
    }

    /// The endpoint once nothing is being done to it.
    pub async fn settled(&self, name: &str) -> Value {
        let settled = |e: &Value| {
            !["Creating", "Updating", "RollingBack", "Deleting"]
                .contains(&e["EndpointStatus"].as_str().unwrap_or_default())
        };
        self.until("DescribeEndpoint", json!({"EndpointName": name}), settled).await
    }
}
