//! Refusals: status, message, and nothing of the document.

use crate::fixture::{Kind, app, post, request, send};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serve::{App, Limits};
use std::sync::Arc;

#[tokio::test]
async fn each_refusal_has_its_status_and_says_what_to_send() {
    let app = app(Kind::Two, Limits::default());
    let with = |headers: &[(&str, &str)]| request("POST", "/invocations", headers, "good");
    let cases: Vec<(&str, Request<Body>, u16, &str)> = vec![
        ("bad JSON", post("application/json", "", "{\"text\": secret}"), 400, "line 1 column 10"),
        ("wrong type", post("application/json", "", r#"{"text": 7}"#), 400, "text: expected a string, found a number"),
        ("one record, CSV", post("application/json", "text/csv", r#"["a", {"text": 7}]"#), 400, "[1].text: expected"),
        ("one line, CSV", post("application/jsonlines", "text/csv", "\"a\"\n{}\n"), 400, "line 2: the object has no"),
        ("empty batch", post("application/json", "", "[]"), 400, "no document"),
        ("empty text", post("text/csv", "text/csv", "good\n\"\"\n"), 400, "record 2 (line 2)"),
        ("open quote", post("text/csv", "", "good\n\"secret\n"), 400, "record 2 (line 2) has an opening quote"),
        ("lone surrogate", post("application/json", "", r#"["good \udc00 secret"]"#), 400, "[0]: "),
        ("deep", post("application/json", "", "[".repeat(1 << 20)), 400, "[0]: "),
        ("deeper", post("application/json", "", format!("{{\"text\": {}", "{\"a\":".repeat(1 << 18))), 400, "text: "),
        (
            "10 MB on a line",
            post("application/jsonlines", "text/csv", " ".repeat(10 << 20) + "7"),
            400,
            "line 1: expected",
        ),
        ("empty body", post("text/plain", "", ""), 400, "the body is an empty text"),
        ("two columns", post("text/csv", "text/csv", "1,secret\n"), 400, "more than one column"),
        ("not UTF-8", post("text/plain", "", &b"caf\xe9"[..]), 400, "byte 3"),
        ("no content type", with(&[]), 415, "application/jsonlines"),
        ("content type", with(&[("content-type", "image/png")]), 415, "`image/png`"),
        ("charset", with(&[("content-type", "text/plain; charset=latin1")]), 415, "`latin1`"),
        ("encoding", with(&[("content-type", "text/plain"), ("content-encoding", "br")]), 415, "content encoding"),
        ("accept", post("text/plain", "image/png", "good"), 406, "application/json"),
        ("path", request("GET", "/models", &[], ""), 404, "POST /invocations"),
        ("method", request("GET", "/invocations", &[], ""), 405, "GET is not taken here"),
        ("ping method", request("POST", "/ping", &[], ""), 405, "POST is not taken here"),
        ("query", request("POST", "/invocations?k=5", &[("content-type", "text/plain")], "good"), 400, "?explain=K"),
        (
            "explained CSV",
            request(
                "POST",
                "/invocations?explain=5",
                &[("content-type", "text/plain"), ("accept", "text/csv")],
                "good",
            ),
            406,
            "explain",
        ),
    ];
    for (name, request, status, part) in cases {
        let reply = send(&app, request).await;
        let error = reply.error();
        assert_eq!(reply.status, status, "{name}: {error}");
        assert!(error.contains(part), "{name}: {error}");
        assert!(!error.contains("secret"), "{name}: {error}");
        assert!(error.contains("; send ") || error.contains("; ask for "), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_bad_record_is_answered_in_its_place() {
    let app = app(Kind::Two, Limits::default());
    let lines = "\"a wonderful film\"\n{\"text\": 7}\n{\"txt\": \"secret\"}\nsecret\n\n\"terrible, dull\"\n";
    let list = r#"{"instances": ["a wonderful film", 7, {"txt": "secret"}, null, "", "terrible, dull"]}"#;
    let csv = "a wonderful film\n1,secret\n\"secret\",secret\n\n  \n\"terrible, dull\"\n";
    for (content_type, body, names) in [
        ("application/jsonlines", lines, ["line 2: ", "line 3: ", "line 4: ", "line 5: "]),
        ("application/json", list, ["instances[1]: ", "instances[2]: ", "instances[3]: ", "instances[4] "]),
        ("text/csv", csv, ["record 2 ", "record 3 ", "record 4 ", "record 5 "]),
    ] {
        let reply = send(&app, post(content_type, "", body)).await;
        assert_eq!(reply.status, StatusCode::OK, "{content_type}: {reply:?}");
        let lines = send(&app, post(content_type, "application/jsonlines", body)).await;
        let lines: Vec<serde_json::Value> =
            lines.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(reply.json()["predictions"].as_array().unwrap(), &lines, "{content_type}");
        assert_eq!(lines.len(), 6, "{content_type}: {lines:?}");
        assert_eq!((&lines[0]["label"], &lines[5]["label"]), (&"1".into(), &"0".into()), "{content_type}");
        for (answer, name) in lines[1..5].iter().zip(names) {
            assert_eq!(answer.as_object().unwrap().len(), 1, "{content_type}: {answer}");
            let error = answer["error"].as_str().unwrap();
            assert!(error.starts_with(name) && error.contains("; send "), "{content_type}: {error}");
            assert!(!error.contains("secret"), "{content_type}: {error}");
        }
        let refused = send(&app, post(content_type, "text/csv", body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{content_type}: {refused:?}");
        let first = names[0].trim_end_matches([':', ' ']);
        assert!(refused.error().starts_with(first), "{content_type}: {refused:?}");
    }
}

#[tokio::test]
async fn a_405_names_the_methods_there_are() {
    let app = app(Kind::Two, Limits::default());
    for (method, path, allowed) in [("GET", "/invocations", "POST"), ("DELETE", "/ping", "GET,HEAD")] {
        let reply = send(&app, request(method, path, &[], "")).await;
        assert_eq!(reply.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_tree_has_no_explanation_and_says_so() {
    let app = app(Kind::Tree, Limits::default());
    let explained = request("POST", "/invocations?explain=5", &[("content-type", "text/plain")], "good");
    let reply = send(&app, explained).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.error().starts_with("this model is not linear"), "{reply:?}");
    assert_eq!(send(&app, post("text/plain", "", "good")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn until_the_model_is_open_it_is_not_ready() {
    let app = Arc::new(App::new(Limits::default()));
    for request in [request("GET", "/ping", &[], ""), post("text/plain", "", "good")] {
        let reply = send(&app, request).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reply.error().contains("still being opened"), "{reply:?}");
        assert_eq!(reply.header("retry-after"), "1");
    }
    app.install(crate::fixture::artifact(Kind::Two));
    let reply = send(&app, request("GET", "/ping", &[], "")).await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn a_refused_model_is_503_with_the_reason() {
    let app = Arc::new(App::new(Limits::default()));
    app.fail("manifest.json is damaged; fetch it again".into());
    for request in [request("GET", "/ping", &[], ""), post("text/plain", "", "good")] {
        let reply = send(&app, request).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.error(), "manifest.json is damaged; fetch it again; then start the server again");
    }
}

#[tokio::test]
async fn execution_parameters_fit_the_service() {
    let reply = send(&app(Kind::Two, Limits::default()), request("GET", "/execution-parameters", &[], "")).await;
    let parameters = reply.json();
    let number = |name: &str| parameters[name].as_u64().unwrap();
    assert!((1..=100).contains(&(number("MaxConcurrentTransforms") * number("MaxPayloadInMB"))), "{parameters}");
    assert_eq!(parameters["BatchStrategy"], "MULTI_RECORD");
}
