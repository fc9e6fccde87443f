//! Around every request: the clock, the counts and the log.

use crate::app::App;
use crate::error::Failure;
use crate::log::Line;
use crate::reply::Reply;
use crate::router::{invoke, pong};
use axum::Router;
use axum::http::Method;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Instant;
use tower::Service;

/// SageMaker's header with the client's name for a request.
pub(crate) const INFERENCE_ID: &str = "x-amzn-sagemaker-inference-id";
/// Of a path that is logged.
const LONGEST_PATH: usize = 100;

/// The beginning of a body, carried by the response where it is to be logged.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt(pub(crate) String);

/// Answers a request, counts it where it asks for predictions, and says a line where it failed or is of the sample.
pub(crate) async fn answer(app: &Arc<App>, router: &Router, request: Request<Incoming>) -> Response<Reply> {
    let start = Instant::now();
    let (parts, body) = request.into_parts();
    // The two paths that are asked all the time go ahead of the router, which has them too.
    let response = match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/invocations") => invoke(app, app.served().cloned(), &parts, body).await,
        (&Method::GET, "/ping") => pong(app),
        _ => match router.clone().call(Request::from_parts(parts.clone(), body)).await {
            Ok(response) => response.map(Reply::Routed),
            Err(never) => match never {},
        },
    };
    let (status, path) = (response.status().as_u16(), parts.uri.path());
    let predicts = path == "/invocations" || (path.starts_with("/models/") && path.ends_with("/invoke"));
    if let Some(metrics) = app.metrics().filter(|_| predicts) {
        metrics.request(status, start.elapsed());
    }
    let failure = response.extensions().get::<Failure>();
    if failure.is_some() || (predicts && status < 400 && app.log().samples_this()) {
        let line = Line {
            status,
            method: parts.method.as_str(),
            path: path.get(..LONGEST_PATH).unwrap_or(path),
            error: failure.map(|Failure(error)| error.as_str()),
            microseconds: start.elapsed().as_micros() as u64,
            inference_id: parts.headers.get(INFERENCE_ID).and_then(|id| id.to_str().ok()),
            body: response.extensions().get::<Excerpt>().map(|Excerpt(body)| body.as_str()),
        };
        line.say();
    }
    response
}
