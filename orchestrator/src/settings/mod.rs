//! `pipeline.toml`, typed: what is not known is refused, what is not said has the default that the example names.

mod load;
mod sections;

pub use load::{Overrides, load};
pub use sections::{ApprovalStatus, EndpointSettings, Local, Runtime, Settings, Target};
