//! Times as AWS writes them.

use jiff::Timestamp;
use serde_json::{Number, Value};

/// Now, to the millisecond AWS keeps.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// Seconds since 1970 with milliseconds as the fraction, the timestamp of AWS's JSON protocols.
pub(crate) fn epoch(time: Timestamp) -> Value {
    Number::from_f64(time.as_millisecond() as f64 / 1000.0).map_or(Value::Null, Value::Number)
}

/// A timestamp of a request: seconds since 1970, or RFC 3339.
pub(crate) fn parse(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(n) => Timestamp::from_millisecond((n.as_f64()? * 1000.0) as i64).ok(),
        Value::String(s) => s.parse().ok(),
        _ => None,
    }
}
