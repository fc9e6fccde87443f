//! A bare axum server, which `bench/serve` measures `serve` beside: it reads a body and answers as many bytes as a prediction has.
//!
//! `echo PORT` listens on 127.0.0.1, with axum's and tokio's own settings.

use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};

const ANSWER: &str = r#"{"predictions":[{"label":"1","score":0.9876543210987654,"probabilities":{"0":0.012345678901234567,"1":0.9876543210987654}}]}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("usage: echo PORT")?.parse()?;
    let router = Router::new().route("/ping", get(async || ())).route("/invocations", post(echo));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn echo(_body: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], ANSWER)
}
