//! What is said on stderr: one line of JSON for a failed request, without anything of its documents, and few lines else.

use crate::error::Failure;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use std::io::Write;
use std::time::Instant;

/// SageMaker's header with the client's name for a request.
const INFERENCE_ID: &str = "x-amzn-sagemaker-inference-id";

#[derive(Serialize)]
struct Line<'a> {
    status: u16,
    method: &'a str,
    path: &'a str,
    error: &'a str,
    milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_id: Option<&'a str>,
}

/// Says one line. Where stderr is gone there is nobody to tell, and that is no reason to stop serving.
pub(crate) fn say(line: &str) {
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Middleware that says one line for a failed request.
pub async fn failures(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let id = request.headers().get(INFERENCE_ID).cloned();
    let response = next.run(request).await;
    if let Some(Failure(error)) = response.extensions().get() {
        let path = uri.path();
        let line = Line {
            status: response.status().as_u16(),
            method: method.as_str(),
            path: path.get(..100).unwrap_or(path),
            error,
            milliseconds: start.elapsed().as_millis() as u64,
            inference_id: id.as_ref().and_then(|id| id.to_str().ok()),
        };
        if let Ok(line) = serde_json::to_string(&line) {
            say(&line);
        }
    }
    response
}
