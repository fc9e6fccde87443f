//! SNS: topics, subscriptions, and messages that really go out: to a webhook by HTTP, to anyone else into a file.

mod api;
mod deliver;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use api::{answer, publish};

/// A topic as it is kept, by its ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Topic {
    arn: String,
    attributes: Map<String, Value>,
    created: Timestamp,
}

/// A subscription as it is kept, by its ARN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    arn: String,
    topic: String,
    protocol: String,
    endpoint: String,
    /// A webhook shows it again to say that it wants the messages.
    token: String,
    confirmed: bool,
    attributes: Map<String, Value>,
}
