//! `pipeline.toml`, typed: what is not known is refused, what is not said has the default that the example names.

mod autoscaling;
mod batch;
mod load;
mod regions;
mod rollout;
mod sections;
mod shadow;

pub use autoscaling::{Autoscaling, Scheduled};
pub use batch::Strategy;
pub use load::{Overrides, load};
pub use regions::Regions;
pub use rollout::{Rollout, Serverless, Shift};
pub use sections::{ApprovalStatus, EndpointSettings, Local, Runtime, Settings, Target};
pub use shadow::Shadow;
