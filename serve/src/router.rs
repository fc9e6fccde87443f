//! The paths of the hosting contract.

use crate::app::{App, Asked};
use crate::error::{ApiError, Failure};
use crate::formats::input::InputFormat;
use crate::formats::negotiate::{self, OutputFormat};
use crate::observe::Excerpt;
use crate::reply::Reply;
use crate::served::Served;
use crate::upload::Upload;
use crate::{gzip, multi, options};
use axum::body::{Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::Full;
use serde::Serialize;
use std::fmt::Display;
use std::sync::Arc;

/// The server as a value: what [`crate::server`] runs (with the log and the counts around it) and tests call without a port.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/ping", get(ping))
        .route("/invocations", post(invocations))
        .route("/execution-parameters", get(execution_parameters));
    if app.models().is_some() {
        router = router.merge(multi::routes());
    }
    router
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async |method: Method| ApiError::MethodNotAllowed { method })
        .with_state(app)
}

async fn ping(State(app): State<Arc<App>>) -> Response {
    pong(&app).map(Reply::into_body)
}

/// 200 with an empty body as soon as the artifact is open; where there are many, always.
pub(crate) fn pong(app: &App) -> Response<Reply> {
    match app.ready() {
        Ok(()) => Response::new(Reply::Whole(Full::default())),
        Err(error) => {
            // Asked many times while it starts, by design: not worth a line of log each.
            let mut response = Reply::routed(error);
            response.extensions_mut().remove::<Failure>();
            response
        }
    }
}

async fn invocations(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    invoke(&app, app.served().cloned(), &parts, body).await.map(Reply::into_body)
}

/// Documents for this model in, predictions out.
pub(crate) async fn invoke<B>(
    app: &Arc<App>,
    served: Result<Arc<Served>, ApiError>,
    parts: &Parts,
    body: B,
) -> Response<Reply>
where
    B: HttpBody<Data = Bytes, Error: Display> + Unpin + Send + 'static,
{
    let mut upload = Upload::new(body, &parts.headers);
    let mut excerpt = None;
    let answered = match served {
        Ok(served) => answer(app, served, parts, &mut upload, &mut excerpt).await,
        Err(error) => Err(error),
    };
    let mut response = answered.unwrap_or_else(|error| {
        upload.discard();
        Reply::routed(error)
    });
    if let Some(body) = excerpt {
        response.extensions_mut().insert(Excerpt(body));
    }
    response
}

async fn answer<B>(
    app: &Arc<App>,
    served: Arc<Served>,
    parts: &Parts,
    upload: &mut Upload<B>,
    excerpt: &mut Option<String>,
) -> Result<Response<Reply>, ApiError>
where
    B: HttpBody<Data = Bytes, Error: Display> + Unpin + Send + 'static,
{
    let place = app.admit()?;
    let explain = options::explain(&parts.uri, &parts.headers)?;
    let offer = negotiate::of(&parts.headers, explain.is_some())?;
    let gzip = gzip::of(&parts.headers)?;
    let asked = Asked { input: InputFormat::of(&parts.headers)?, output: offer.format, explain };
    let mut body = upload.read(app).await?;
    let captured = app.capture().and_then(|capture| capture.take(&body, gzip));
    let body_bytes = app.limits().body_bytes;
    let inline_bytes = served.inline_bytes(asked, app.limits());
    let mut packed = false;
    if gzip {
        match gzip::inflate(&body, inline_bytes)? {
            Some(plain) => body = plain.into(),
            None => {
                // How much it gets is known when it is there: room for all that it may.
                upload.memory = None;
                upload.memory = app.reserve(body_bytes)?;
                packed = true;
            }
        }
    }
    if !packed {
        *excerpt = app.log().excerpt(&body);
    }
    let answered = match !packed && body.len() <= inline_bytes {
        true => served.answer(asked, &body, app)?,
        false => {
            // Place and memory are given back when the work ends, even where the client has left by then.
            let (held, app) = ((place, upload.memory.take()), Arc::clone(app));
            let work = move || {
                let body = match packed {
                    true => gzip::inflate(&body, body_bytes)?.ok_or(ApiError::TooLarge { limit: body_bytes })?.into(),
                    false => body,
                };
                let answer = served.answer(asked, &body, &app);
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
    let bytes = Bytes::from(answered.bytes);
    if let Some(captured) = captured {
        captured.answered(asked, &parts.headers, &content_type, &bytes);
    }
    let mut response = Response::new(Reply::Whole(Full::new(bytes)));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    if let Some(refused) = answered.refused {
        response.extensions_mut().insert(Failure(refused.to_string()));
    }
    Ok(response)
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
async fn execution_parameters(State(app): State<Arc<App>>) -> Json<ExecutionParameters> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    Json(ExecutionParameters {
        max_concurrent_transforms: cores.min(16),
        batch_strategy: "MULTI_RECORD",
        max_payload_in_mb: (app.limits().body_bytes >> 20).clamp(1, 6),
    })
}
