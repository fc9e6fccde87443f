//! The hosting container: an artifact of `model` answers SageMaker's requests.
//!
//! A request's path: [`server`] (connections, time limits, draining, and around each request the clock and the log) →
//! [`router()`] (what each path takes) → [`formats`] (body → documents, predictions → answer) around [`App`] (the opened
//! artifact, the limits and the counts).

pub mod app;
pub mod capture;
pub mod cli;
mod clock;
pub mod emf;
pub mod error;
pub mod formats;
mod guard;
mod gzip;
pub mod log;
pub mod metrics;
pub mod models;
mod multi;
mod observe;
pub mod opening;
pub mod options;
mod refusal;
mod reply;
pub mod router;
pub mod served;
pub mod server;
mod threshold;
mod upload;
mod workers;

pub use app::{App, Limits};
pub use capture::{Capture, CaptureSettings};
pub use cli::main;
pub use error::ApiError;
pub use log::LogPolicy;
pub use metrics::Metrics;
pub use models::Models;
pub use router::router;
pub use threshold::Threshold;
