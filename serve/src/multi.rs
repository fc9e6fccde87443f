//! The paths of the multi-model API.

use crate::app::App;
use crate::error::ApiError;
use crate::models::{LoadRequest, Models};
use crate::reply::Reply;
use crate::router::invoke;
use crate::served::Served;
use crate::upload::Upload;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::sync::Arc;

/// Mounted where there are many models.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/models", get(list).post(load))
        .route("/models/{name}", get(show).delete(unload))
        .route("/models/{name}/invoke", post(invoke_named))
}

#[derive(Deserialize)]
struct ListQuery {
    next_page_token: Option<String>,
}

/// A model's name in a path, or why it is none.
type Named = Result<Path<String>, PathRejection>;

fn name(named: Named) -> Result<String, ApiError> {
    let bad = |e: PathRejection| ApiError::BadOption(format!("{e}; send the model's name in UTF-8, percent-encoded"));
    named.map(|Path(name)| name).map_err(bad)
}

async fn list(
    State(app): State<Arc<App>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let query = query.map_err(|e| ApiError::BadOption(format!("{e}; send ?next_page_token=TOKEN or no query")))?;
    Ok(Json(models(&app)?.page(query.next_page_token.as_deref())).into_response())
}

async fn show(State(app): State<Arc<App>>, named: Named) -> Result<Response, ApiError> {
    Ok(Json(models(&app)?.get(&name(named)?)?).into_response())
}

async fn unload(State(app): State<Arc<App>>, named: Named) -> Result<StatusCode, ApiError> {
    models(&app)?.unload(&name(named)?).map(|()| StatusCode::OK)
}

async fn load(State(app): State<Arc<App>>, request: Request) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    let body = Upload::new(body, &parts.headers).read(&app).await?;
    let request: LoadRequest = serde_json::from_slice(&body).map_err(|e| {
        ApiError::BadBody(format!("{e}; send {{\"model_name\": \"…\", \"url\": \"/opt/ml/models/…/model\"}}"))
    })?;
    blocking(app, move |models| models.load(request)).await.map(|()| StatusCode::OK)
}

async fn invoke_named(State(app): State<Arc<App>>, named: Named, request: Request) -> Response {
    let served = match name(named) {
        Ok(name) => served(&app, name).await,
        Err(error) => Err(error),
    };
    let (parts, body) = request.into_parts();
    invoke(&app, served, &parts, body).await.map(Reply::into_body)
}

async fn served(app: &Arc<App>, name: String) -> Result<Arc<Served>, ApiError> {
    match models(app)?.awake(&name)? {
        Some(served) => Ok(served),
        None => blocking(Arc::clone(app), move |models| models.wake(&name)).await,
    }
}

async fn blocking<T: Send + 'static>(
    app: Arc<App>,
    work: impl FnOnce(&Models) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    // Files are read: others are answered meanwhile.
    let work = move || work(models(&app)?);
    tokio::task::spawn_blocking(work).await.map_err(|e| ApiError::Internal(e.to_string()))?
}

fn models(app: &App) -> Result<&Models, ApiError> {
    app.models().ok_or(ApiError::NotFound)
}
