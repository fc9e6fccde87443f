//! SageMaker, its runtime and S3 on loopback, doing the work for real: a training job runs the real program on the
//! real files, an endpoint starts the real server and routes to it. It knows containers and contracts, never models.
//!
//! A folder is a service, a file a resource. A request comes in through `server`, passes `front`, `route` says whose it is,
//! `shapes` checks it against AWS's own model, the service does it and keeps it below the state folder.

mod account;
mod arn;
mod autoscaling;
mod clock;
mod cloudwatch;
mod container;
mod ecr;
mod emulator;
mod endpoint;
mod fault;
mod files;
mod front;
mod jobs;
mod lock;
mod logs;
mod protocol;
mod regions;
mod route;
pub mod s3;
mod s3_uri;
mod sagemaker;
mod scheduler;
mod server;
mod settings;
mod shapes;
mod shelf;
mod sns;
mod sts;
mod tasks;
mod time;

pub use clock::Clock;
pub use container::{Engine, EngineError};
pub use emulator::{Connection, Emulator, connect, start, start_with};
pub use front::{Effect, Rule, RuleError};
pub use lock::StartError;
pub use settings::{Runtime, Settings, Timing};
pub use shapes::faults;

/// The account every ARN names.
pub const ACCOUNT: &str = "000000000000";
/// The region of every request that is signed for none.
pub const REGION: &str = "us-east-1";
