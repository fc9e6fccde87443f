//! The hosting container: an artifact of `model` answers SageMaker's requests.
//!
//! A request's path: [`server`] (connections, time limits, draining) → [`router()`] (what each path takes) →
//! [`formats`] (body → documents, predictions → answer) around [`App`] (the opened artifact and the limits).

pub mod app;
pub mod cli;
pub mod error;
pub mod formats;
mod gzip;
pub mod log;
pub mod models;
mod multi;
pub mod options;
pub mod router;
pub mod served;
pub mod server;
mod stalled;
mod upload;

pub use app::{App, Limits};
pub use cli::main;
pub use error::ApiError;
pub use models::Models;
pub use router::router;
