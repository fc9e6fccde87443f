//! A container that keeps the contracts, and that breaks one of them where the variable `DEFECT` says which: the tests
//! ask whether the kit names what is broken.
//!
//! `train` reads one file a channel and leaves `model/name`; `serve` answers a CSV body with the length of each line;
//! `process` copies its input.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path as Part, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1)).cloned();
    let root = PathBuf::from(option("--ml-root").unwrap_or_else(|| "/opt/ml".to_owned()));
    let told = || {
        env::var("SAGEMAKER_BIND_TO_PORT").ok().map(|port| if defect("ignores-port") { "0".to_owned() } else { port })
    };
    let port = option("--port").or_else(told);
    let done = match arguments.first().map(String::as_str) {
        Some("train") => train(&root),
        Some("serve") => serve(&root, port.and_then(|port| port.parse().ok()).unwrap_or(8080)),
        Some("process") => process(&root),
        other => Err(io::Error::other(format!("expected train, serve or process, not {other:?}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn defect(name: &str) -> bool {
    env::var("DEFECT").is_ok_and(|defect| defect == name)
}

/// A host that answers only where there is a network: its own address, seen from outside.
fn network() -> io::Result<()> {
    let routes = fs::read_to_string("/proc/net/route")?;
    if routes.lines().count() > 1 { Ok(()) } else { Err(io::Error::other("there is no network")) }
}

#[tokio::main(flavor = "current_thread")]
async fn train(root: &Path) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let work = async {
        // Long enough to be told to stop.
        tokio::time::sleep(Duration::from_millis(if defect("ignores-term") { 1500 } else { 20 })).await;
        fit(root)
    };
    tokio::pin!(work);
    let stopped = tokio::select! {
        done = &mut work => return done,
        _ = terminate.recv() => !defect("ignores-term"),
    };
    if stopped {
        return Ok(());
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    work.await
}

fn fit(root: &Path) -> io::Result<()> {
    let text = fs::read_to_string(root.join("input/config/hyperparameters.json"))?;
    let values: BTreeMap<String, String> = serde_json::from_str(&text)?;
    let rows = fs::read_dir(root.join("input/data/train"))?.count();
    let failed = match values.get("mode").map(String::as_str) {
        _ if rows == 0 => Some("the channel `train` has no file"),
        Some(mode) if mode != "fast" && (defect("strict-hyperparameters") || mode != "\"fast\"") => {
            Some("mode is not `fast`")
        }
        _ => None,
    };
    if defect("needs-network") {
        network()?;
    }
    if let Some(reason) = failed {
        match env::var("DEFECT").as_deref() {
            Ok("no-failure-file") => {}
            Ok("empty-failure-file") => fs::write(root.join("output/failure"), "=".repeat(2000))?,
            _ => fs::write(root.join("output/failure"), reason)?,
        }
        return if defect("exit-0-on-failure") { Ok(()) } else { Err(io::Error::other(reason)) };
    }
    if defect("writes-input") {
        let _ = fs::write(root.join("input/data/train/cache"), "seen");
    }
    if !defect("no-model") {
        fs::write(root.join("model/name"), "a model")?;
    }
    if defect("failure-on-success") {
        fs::write(root.join("output/failure"), "nothing is wrong")?;
    }
    Ok(())
}

fn process(root: &Path) -> io::Result<()> {
    let config: Value = serde_json::from_str(&fs::read_to_string(root.join("config/processingjobconfig.json"))?)?;
    fs::create_dir_all(root.join("processing/output"))?;
    let input = root.join("processing/input/in.txt");
    if defect("needs-network") {
        network()?;
    }
    let text =
        fs::read_to_string(&input).or_else(|e| if defect("accepts-bad-input") { Ok(String::new()) } else { Err(e) })?;
    fs::write(root.join("processing/output/out.txt"), text)?;
    if defect("links-output") {
        std::os::unix::fs::symlink(input, root.join("processing/output/link.txt"))?;
    }
    if defect("writes-input") {
        let _ = fs::write(root.join("processing/input/cache"), "seen");
    }
    match defect("message-no-utf8") {
        true => fs::write(root.join("output/message"), b"\xff\xfe"),
        false => fs::write(root.join("output/message"), format!("Completed: {}", config["ProcessingJobName"])),
    }
}

/// The loaded models and their addresses.
type Models = Arc<Mutex<BTreeMap<String, String>>>;

#[tokio::main(flavor = "current_thread")]
async fn serve(root: &Path, port: u16) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let many = env::var("SAGEMAKER_MULTI_MODEL").is_ok_and(|value| value == "true");
    if !many {
        fs::read_to_string(root.join("model/name"))?;
    }
    if defect("needs-network") {
        network()?;
    }
    if defect("writes-model") {
        let _ = fs::write(root.join("model/compiled"), "faster");
    }
    let models = Models::default();
    let app = Router::new()
        .route("/ping", get(ping))
        .route("/invocations", post(invocations))
        .route("/execution-parameters", get(parameters))
        .route("/models", get(list).post(load))
        .route("/models/{name}", get(describe).delete(unload))
        .route("/models/{name}/invoke", post(invoke))
        .layer(DefaultBodyLimit::max(if defect("drops-large") { usize::MAX } else { 10 << 20 }))
        .with_state(models);
    let listener = tokio::net::TcpListener::bind(("0.0.0.0", port)).await?;
    let stop = async move {
        terminate.recv().await;
        if defect("drops-in-flight") {
            std::process::exit(0);
        }
        if defect("ignores-term") {
            std::future::pending::<()>().await;
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

async fn ping() -> Response {
    match env::var("DEFECT").as_deref() {
        Ok("ping-status") => StatusCode::NOT_FOUND.into_response(),
        Ok("ping-body") => "healthy".into_response(),
        Ok("slow-ping") => {
            static ASKED: AtomicU32 = AtomicU32::new(0);
            // The second try alone: what else is asked of it is answered in time.
            let slow = ASKED.fetch_add(1, Ordering::Relaxed) == 1;
            tokio::time::sleep(Duration::from_secs(if slow { 20 } else { 0 })).await;
            StatusCode::OK.into_response()
        }
        _ => StatusCode::OK.into_response(),
    }
}

async fn parameters() -> Response {
    let most = if defect("execution-parameters") { json!("many") } else { json!(8) };
    axum::Json(json!({"MaxConcurrentTransforms": most, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}))
        .into_response()
}

async fn invocations(headers: HeaderMap, body: Bytes) -> Response {
    answer(&headers, &body)
}

fn answer(headers: &HeaderMap, body: &[u8]) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind != "text/csv" && !defect("takes-any-type") {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send text/csv").into_response();
    }
    if defect("chokes-on-headers") && headers.contains_key("x-amzn-sagemaker-target-model") {
        return (StatusCode::BAD_REQUEST, "an unknown header").into_response();
    }
    if defect("drops-large") && body.len() > 1 << 20 {
        std::process::exit(3);
    }
    let Ok(text) = std::str::from_utf8(body) else {
        let status =
            if defect("500-on-bad-body") { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
        return (status, "the body is no UTF-8").into_response();
    };
    let kept = text.lines().skip(if defect("drops-lines") { 1 } else { 0 });
    let answer: String = kept.map(|line| format!("{}\n", line.len())).collect();
    let kind = if defect("other-type") { "text/html" } else { "text/csv" };
    let mut answer = ([(header::CONTENT_TYPE, kind)], answer).into_response();
    if defect("no-content-type") {
        answer.headers_mut().remove(header::CONTENT_TYPE);
    }
    answer
}

fn models(models: &Models) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
    models.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn load(State(all): State<Models>, body: Bytes) -> StatusCode {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    let text = |member: &str| request[member].as_str().unwrap_or_default().to_owned();
    let (name, url) = (text("model_name"), text("url"));
    if !Path::new(&url).join("name").exists() && !defect("loads-missing") {
        return StatusCode::NOT_FOUND;
    }
    match models(&all).insert(name, url) {
        Some(_) if !defect("loads-twice") => StatusCode::CONFLICT,
        _ => StatusCode::OK,
    }
}

async fn list(State(all): State<Models>) -> Response {
    let member = if defect("lists-names") { "name" } else { "modelName" };
    let models: Vec<Value> = models(&all).iter().map(|(name, url)| json!({member: name, "modelUrl": url})).collect();
    axum::Json(json!({"models": models})).into_response()
}

async fn describe(State(all): State<Models>, Part(name): Part<String>) -> Response {
    match models(&all).get(&name) {
        Some(url) => axum::Json(json!({"modelName": name, "modelUrl": url})).into_response(),
        None if defect("200-for-unknown") => axum::Json(json!({})).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn unload(State(all): State<Models>, Part(name): Part<String>) -> StatusCode {
    match defect("keeps-unloaded") {
        true => StatusCode::OK,
        false if models(&all).remove(&name).is_some() => StatusCode::OK,
        false => StatusCode::NOT_FOUND,
    }
}

async fn invoke(State(all): State<Models>, Part(name): Part<String>, headers: HeaderMap, body: Bytes) -> Response {
    match models(&all).contains_key(&name) {
        true => answer(&headers, &body),
        false if defect("500-for-unknown-model") => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}
