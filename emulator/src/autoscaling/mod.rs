//! Application Auto Scaling, JSON 1.1: targets, policies and scheduled actions, kept and checked. Nothing is scaled by them
//! here: an emulator's instances are processes of one machine.

mod api;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use api::answer;

/// A target, policy or scheduled action as it is kept: what a Describe operation shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub shown: Value,
}
