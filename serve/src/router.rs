//! The paths of the hosting contract.

use crate::app::{App, Asked};
use crate::error::{ApiError, Failure};
use crate::formats::input::InputFormat;
use crate::formats::negotiate::{self, OutputFormat};
use crate::options;
use crate::upload::Upload;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use std::sync::Arc;

/// The server as a value: what [`crate::server`] runs (with [`crate::log`] around it) and tests call without a port.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/ping", get(ping))
        .route("/invocations", post(invocations))
        .route("/execution-parameters", get(execution_parameters))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async |method: Method| ApiError::MethodNotAllowed { method })
        .with_state(app)
}

/// 200 with an empty body as soon as the artifact is open.
async fn ping(State(app): State<Arc<App>>) -> Response {
    match app.artifact() {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => {
            // Asked many times while it starts, by design: not worth a line of log each.
            let mut response = error.into_response();
            response.extensions_mut().remove::<Failure>();
            response
        }
    }
}

/// Documents in, predictions out.
async fn invocations(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut upload = Upload::new(body, &parts.headers);
    match answer(app, &parts, &mut upload).await {
        Ok(response) => response,
        Err(error) => {
            upload.discard().await;
            error.into_response()
        }
    }
}

async fn answer(app: Arc<App>, parts: &Parts, upload: &mut Upload) -> Result<Response, ApiError> {
    let place = app.admit()?;
    let explain = options::explain(&parts.uri, &parts.headers)?;
    let offer = negotiate::of(&parts.headers, explain.is_some())?;
    let asked = Asked { input: InputFormat::of(&parts.headers)?, output: offer.format, explain };
    let body = upload.read(&app).await?;
    let bytes = match body.len() <= app.limits().inline_bytes {
        true => app.answer(asked, &body)?,
        false => {
            // Place and memory are given back when the work ends, even where the client has left by then.
            let held = (place, upload.memory.take());
            let work = move || {
                let answer = app.answer(asked, &body);
                drop(held);
                answer
            };
            tokio::task::spawn_blocking(work).await.map_err(|e| ApiError::Internal(e.to_string()))??
        }
    };
    let content_type = match offer.format {
        OutputFormat::Csv => HeaderValue::from_static("text/csv; charset=utf-8"),
        _ => HeaderValue::from_static(offer.content_type),
    };
    Ok(([(header::CONTENT_TYPE, content_type)], bytes).into_response())
}

/// What batch transform asks before it starts.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExecutionParameters {
    max_concurrent_transforms: usize,
    batch_strategy: &'static str,
    #[serde(rename = "MaxPayloadInMB")]
    max_payload_in_mb: usize,
}

/// One request a core: predicting is all computing. Their payloads together stay under the service's 100 MB.
async fn execution_parameters() -> Json<ExecutionParameters> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    Json(ExecutionParameters {
        max_concurrent_transforms: cores.min(16),
        batch_strategy: "MULTI_RECORD",
        max_payload_in_mb: 6,
    })
}
