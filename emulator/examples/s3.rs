//! Serves a store alone, for trying clients by hand: `cargo run -p emulator --example s3 -- FOLDER PORT`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use emulator::s3::{Store, service};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(port)) = (args.next(), args.next()) else { return Err("usage: s3 FOLDER PORT".into()) };
    let store = Arc::new(Store::open(&PathBuf::from(folder)).await?);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, axum::Router::new().fallback_service(service(store))).await?)
}
