//! The multi-model API: loaded, listed, asked, put to sleep, unloaded.

use crate::fixture::{Kind, Reply, artifact, ml_root, request, send};
use serde_json::{Value, json};
use serve::{App, Limits, Models};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn app(bound: u64) -> Arc<App> {
    Arc::new(App::of_many(Limits::default(), Models::new(bound)))
}

async fn load(app: &Arc<App>, name: &str, url: &Path) -> Reply {
    let body = json!({"model_name": name, "url": url}).to_string();
    send(app, request("POST", "/models", &[("content-type", "application/json")], body)).await
}

async fn call(app: &Arc<App>, method: &str, path: &str) -> Reply {
    send(app, request(method, path, &[], "")).await
}

async fn invoke(app: &Arc<App>, name: &str, text: &'static str) -> Reply {
    send(app, request("POST", &format!("/models/{name}/invoke"), &[("content-type", "text/plain")], text)).await
}

fn label(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["predictions"][0]["label"].clone()
}

#[tokio::test]
async fn a_model_is_loaded_listed_asked_and_unloaded() {
    let (two, three) = (ml_root(Kind::Two), ml_root(Kind::Three));
    let (two, three) = (two.path().join("model"), three.path().join("model"));
    let app = app(1 << 30);
    assert_eq!(call(&app, "GET", "/ping").await.status, 200, "no model is needed to be ready");
    assert_eq!(call(&app, "GET", "/models").await.json(), json!({"models": []}));

    assert_eq!(load(&app, "a1", &two).await.status, 200);
    assert_eq!(load(&app, "b2", &three).await.status, 200);
    let again = load(&app, "a1", &three).await;
    assert_eq!(again.status, 409);
    assert!(again.error().starts_with("a model `a1` is loaded already"), "{again:?}");

    let a1 = json!({"modelName": "a1", "modelUrl": two});
    let b2 = json!({"modelName": "b2", "modelUrl": three});
    assert_eq!(call(&app, "GET", "/models").await.json(), json!({"models": [a1, b2]}));
    assert_eq!(call(&app, "GET", "/models/a1").await.json(), a1);
    assert_eq!(label(&invoke(&app, "a1", "a wonderful film").await), "1");
    assert_eq!(label(&invoke(&app, "b2", "der Film war langweilig").await), "über");

    assert_eq!(call(&app, "DELETE", "/models/a1").await.status, 200);
    for (method, path) in [("GET", "/models/a1"), ("DELETE", "/models/a1"), ("POST", "/models/a1/invoke")] {
        let reply = call(&app, method, path).await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert!(reply.error().starts_with("no model `a1` is loaded; load it"), "{reply:?}");
    }
    assert_eq!(load(&app, "a1", &three).await.status, 200, "the name is free again");
    assert_eq!(label(&invoke(&app, "a1", "der Film war langweilig").await), "über");
}

#[tokio::test]
async fn what_cannot_be_loaded_says_why() {
    let app = app(1 << 30);
    let empty = tempfile::tempdir().unwrap();
    for missing in [empty.path(), &empty.path().join("model")] {
        let reply = load(&app, "a1", missing).await;
        assert_eq!(reply.status, 400, "{}", missing.display());
        assert!(reply.error().starts_with("model `a1` cannot be loaded: "), "{reply:?}");
        assert!(reply.error().ends_with("; send as `url` the folder that `train` left"), "{reply:?}");
    }
    fs::write(empty.path().join("manifest.json"), "{}").unwrap();
    let reply = load(&app, "a1", empty.path()).await;
    assert_eq!(reply.status, 500, "what is there and no artifact is a fault of this side");
    assert!(reply.error().starts_with("model `a1` cannot be opened: "), "{reply:?}");
    assert_eq!(call(&app, "GET", "/models/a1").await.status, 404);
    for body in ["", "{", r#"{"model_name": "a1"}"#, r#"{"model_name": 7, "url": "x"}"#] {
        let reply = send(&app, request("POST", "/models", &[], body)).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.error().contains("; send {\"model_name\""), "{body}: {reply:?}");
    }
    for (method, path) in
        [("GET", "/models/%ff"), ("POST", "/models/%ff/invoke"), ("GET", "/models?next_page_token=a&next_page_token=b")]
    {
        let reply = call(&app, method, path).await;
        assert_eq!(reply.status, 400, "{path}: {reply:?}");
        assert!(reply.error().contains("; send "), "{path}: {reply:?}");
    }
    let reply = send(&app, request("POST", "/invocations", &[("content-type", "text/plain")], "good")).await;
    assert_eq!(reply.status, 404);
    assert!(reply.error().contains("POST /models/NAME/invoke"), "{reply:?}");
}

#[tokio::test]
async fn a_model_larger_than_the_bound_is_507() {
    let root = ml_root(Kind::Two);
    let app = app(artifact(Kind::Two).bytes() - 1);
    let reply = load(&app, "a1", &root.path().join("model")).await;
    assert_eq!(reply.status, 507);
    assert!(reply.error().contains("; unload others first"), "{reply:?}");
    assert_eq!(app.models().unwrap().held(), (0, 0, 0));
}

#[tokio::test]
async fn a_thousand_models_share_the_memory_of_ten() {
    let root = ml_root(Kind::Two);
    let url = root.path().join("model");
    let bytes = artifact(Kind::Two).bytes();
    let app = app(10 * bytes + bytes / 2);
    let models = app.models().unwrap();
    for i in 0..1000 {
        assert_eq!(load(&app, &format!("m{i:04}"), &url).await.status, 200, "{i}");
    }
    assert_eq!(models.held(), (1000, 10, 10 * bytes));
    for i in [0, 999, 500, 0, 1, 2, 3, 4, 5, 6, 7, 8] {
        assert_eq!(label(&invoke(&app, &format!("m{i:04}"), "dull and slow").await), "0", "{i}");
        assert_eq!(models.held(), (1000, 10, 10 * bytes), "{i}");
    }

    // Every name on one page or another, once, in order.
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = call(&app, "GET", &format!("/models{token}")).await.json();
        names.extend(page["models"].as_array().unwrap().iter().map(|m| m["modelName"].as_str().unwrap().to_owned()));
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("?next_page_token={next}"),
            None => break,
        }
    }
    assert_eq!(names, (0..1000).map(|i| format!("m{i:04}")).collect::<Vec<_>>());

    for i in 0..1000 {
        assert_eq!(call(&app, "DELETE", &format!("/models/m{i:04}")).await.status, 200, "{i}");
    }
    assert_eq!(models.held(), (0, 0, 0));
}

#[tokio::test]
async fn the_longest_unused_sleeps_and_is_opened_from_its_files() {
    let (kept, lost) = (ml_root(Kind::Two), ml_root(Kind::Two));
    let app = app(2 * artifact(Kind::Two).bytes());
    for (name, root) in [("a", &lost), ("b", &kept)] {
        assert_eq!(load(&app, name, &root.path().join("model")).await.status, 200);
    }
    // With its files gone only an awake model answers: that shows which one sleeps.
    drop(lost);
    assert_eq!(invoke(&app, "a", "good").await.status, 200);
    assert_eq!(load(&app, "c", &kept.path().join("model")).await.status, 200);
    assert_eq!(invoke(&app, "a", "good").await.status, 200, "b was unused for longer");
    assert_eq!(invoke(&app, "b", "good").await.status, 200, "b wakes in c's place");
    assert_eq!(invoke(&app, "c", "good").await.status, 200, "c wakes in a's place");
    let reply = invoke(&app, "a", "good").await;
    assert_eq!(reply.status, 500);
    assert!(reply.error().starts_with("model `a` cannot be opened: "), "{reply:?}");
}

/// What was verified is not read again while its files are the same; others in their place are verified before they answer.
#[tokio::test]
async fn files_that_changed_during_sleep_are_verified() {
    let (first, second) = (ml_root(Kind::Two), ml_root(Kind::Two));
    let app = app(artifact(Kind::Two).bytes());
    let url = first.path().join("model");
    assert_eq!(load(&app, "a", &url).await.status, 200);
    assert_eq!(load(&app, "b", &second.path().join("model")).await.status, 200, "a sleeps now");
    assert_eq!(invoke(&app, "a", "good").await.status, 200);
    assert_eq!(invoke(&app, "b", "good").await.status, 200, "a sleeps again");

    let path = url.join("tensors.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path.with_extension("new"), bytes).unwrap();
    fs::rename(path.with_extension("new"), &path).unwrap();
    // A text of no known word touches no block: only verifying all of it finds the damage.
    let reply = invoke(&app, "a", "zebra").await;
    assert_eq!(reply.status, 500);
    assert!(reply.error().contains("were changed after they were written"), "{reply:?}");
}
