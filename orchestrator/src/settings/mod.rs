//! `pipeline.toml`, typed: what is not known is refused, what is not said has the default that the example names.

mod batch;
mod load;
mod rollout;
mod sections;

pub use batch::{Strategy, TransformSettings, TuneSettings};
pub use load::{Overrides, load};
pub use rollout::{Rollout, Serverless, Shift};
pub use sections::{ApprovalStatus, EndpointSettings, Local, Runtime, Settings, Target};
