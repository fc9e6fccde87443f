//! Messages that go out at least once, and hardly ever twice, however many processes would send them.
//!
//! A marker in the bucket says who sends: it is put only where there is none (`If-None-Match`), says `sending` and until when,
//! and `sent` after the message is out. A marker whose time is up is of a process that was killed or cut off: the next one takes it
//! over (`If-Match`, so that only one does). Between sending and saying so a process can be killed too; then the message
//! goes out twice, and never not at all.

use aws_sdk_s3::{error::SdkError, operation::put_object::PutObjectError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    bucket,
    error::{self, Failure, Found as _, Result},
    stages::Context,
};

/// After this long whoever began to send does no more: longer than the SDK's tries take.
const PATIENCE: SignedDuration = SignedDuration::from_secs(120);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is out, by this process or another.
    Sent,
    /// Another process is sending it.
    BySomebody,
}

/// The content of a marker; one of an earlier version is empty, and means that it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Marker {
    Sending { until: Timestamp },
    Sent,
}

impl Marker {
    fn parse(bytes: &[u8], address: &str) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Marker::Sent);
        }
        serde_json::from_slice(bytes).map_err(|e| Failure::new(format!("{address} cannot be read")).because(e))
    }
}

/// Sends, unless the marker at `key` says that it is done or being done.
pub async fn once(context: &Context, key: &str, send: impl AsyncFnOnce() -> Result<()>) -> Result<Said> {
    let now = Timestamp::now();
    let claim = Marker::Sending { until: now + PATIENCE };
    let Some(tag) = put(context, key, claim, &Expected::Nothing).await? else {
        let Some((marker, tag)) = read(context, key).await? else { return Ok(Said::BySomebody) };
        return match marker {
            Marker::Sent => Ok(Said::Sent),
            Marker::Sending { until } if now < until => Ok(Said::BySomebody),
            Marker::Sending { .. } => match put(context, key, claim, &Expected::Tag(tag)).await? {
                Some(tag) => sent(context, key, tag, send).await,
                None => Ok(Said::BySomebody),
            },
        };
    };
    sent(context, key, tag, send).await
}

async fn sent(context: &Context, key: &str, tag: String, send: impl AsyncFnOnce() -> Result<()>) -> Result<Said> {
    send().await?;
    // Where somebody has taken it over meanwhile, that one says so.
    put(context, key, Marker::Sent, &Expected::Tag(tag)).await?;
    Ok(Said::Sent)
}

/// What must lie there for a marker to be written.
enum Expected {
    Nothing,
    Tag(String),
}

/// The new marker's tag; none where something else lies there than expected.
async fn put(context: &Context, key: &str, marker: Marker, expected: &Expected) -> Result<Option<String>> {
    let bucket = &context.account.bucket;
    let body = serde_json::to_vec(&marker).map_err(|e| error::io("a marker as JSON")(e.into()))?;
    let request = context.aws.s3.put_object().bucket(bucket).key(key).content_type("application/json");
    let request = match expected {
        Expected::Nothing => request.if_none_match("*"),
        Expected::Tag(tag) => request.if_match(tag),
    };
    match request.body(body.into()).send().await {
        Ok(put) => Ok(Some(put.e_tag().unwrap_or_default().to_owned())),
        Err(e) if otherwise(&e) => Ok(None),
        Err(e) => Err(error::aws(format!("{} cannot be written", bucket::uri(bucket, key)))(e)),
    }
}

/// 409: two at once; 412: it is not as expected; 404: it is gone.
fn otherwise(e: &SdkError<PutObjectError>) -> bool {
    e.raw_response().is_some_and(|raw| matches!(raw.status().as_u16(), 404 | 409 | 412))
}

/// The marker and its tag.
async fn read(context: &Context, key: &str) -> Result<Option<(Marker, String)>> {
    let address = bucket::uri(&context.account.bucket, key);
    let failed = format!("{address} cannot be read");
    let answer = context.aws.s3.get_object().bucket(&context.account.bucket).key(key).send().await;
    let Some(answer) = answer.found(&failed)? else { return Ok(None) };
    let tag = answer.e_tag().unwrap_or_default().to_owned();
    let bytes = answer.body.collect().await.map_err(|e| Failure::new(failed).because(e))?.to_vec();
    Ok(Some((Marker::parse(&bytes, &address)?, tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        assert_eq!(Marker::parse(b"", "a").unwrap(), Marker::Sent, "those of an earlier version");
        let sending = Marker::Sending { until: "2026-01-19T20:00:00Z".parse().unwrap() };
        let bytes = serde_json::to_vec(&sending).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), r#"{"state":"sending","until":"2026-01-19T20:00:00Z"}"#);
        assert_eq!(Marker::parse(&bytes, "a").unwrap(), sending);
        let refused = Marker::parse(b"{}", "s3://b/a").unwrap_err().to_string();
        assert!(refused.contains("s3://b/a cannot be read"), "{refused}");
    }
}
