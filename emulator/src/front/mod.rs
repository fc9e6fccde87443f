//! In front of every service: a request is named, and, where that is wanted, written down with its answer.
//!
//! It stands before the protocols are spoken, so that it sees each call as the client sent it, whatever the protocol, and
//! services that come later need nothing more than their place in `call`.

mod call;
mod record;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header, request::Parts};
use http_body_util::{BodyExt, Limited};

use crate::{StartError, settings::Settings};
use call::Call;
use record::Recorder;

/// Largest body that is looked at; S3's objects and a model's documents never are.
const LARGEST: usize = 8 << 20;

/// What every request passes.
#[derive(Debug, Default)]
pub(crate) struct Front {
    recorder: Option<Recorder>,
}

impl Front {
    /// As the settings want it.
    pub fn open(settings: &Settings) -> Result<Front, StartError> {
        let recorder = settings.record.as_deref().map(Recorder::open).transpose()?;
        Ok(Front { recorder })
    }

    /// Hands `request` on to `answer`, and the answer back.
    pub async fn pass<F>(&self, request: Request<Body>, answer: impl Fn(Request<Body>) -> F) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        let Some(recorder) = &self.recorder else { return answer(request).await };
        let (head, body) = request.into_parts();
        let (call, body) = match named(&head, body).await {
            Ok(named) => named,
            // What is too long or breaks off is for the service to refuse.
            Err(body) => return answer(Request::from_parts(head, body)).await,
        };
        let sent = recorder.request(&head, body.kept());
        let response = answer(Request::from_parts(head, body.into())).await;
        let (head, body) = response.into_parts();
        let body = if call.answers_payload() { Read::Stream(body) } else { read(body).await };
        recorder.write(&call, sent, &head, body.kept());
        Response::from_parts(head, body.into())
    }
}

/// A body that was read, or is left to flow.
enum Read {
    Whole(Bytes),
    Stream(Body),
}

impl Read {
    fn kept(&self) -> Option<&Bytes> {
        match self {
            Read::Whole(bytes) => Some(bytes),
            Read::Stream(_) => None,
        }
    }
}

impl From<Read> for Body {
    fn from(read: Read) -> Body {
        match read {
            Read::Whole(bytes) => Body::from(bytes),
            Read::Stream(body) => body,
        }
    }
}

/// What is called; its body is read, unless that is a payload.
async fn named(head: &Parts, body: Body) -> Result<(Call, Read), Body> {
    if !is_form(&head.headers) {
        let call = Call::of(head, b"");
        return if call.sends_payload() {
            Ok((call, Read::Stream(body)))
        } else {
            whole(body).await.map(|body| (call, body))
        };
    }
    let body = whole(body).await?;
    Ok((Call::of(head, body.kept().map_or(b"", |form| form)), body))
}

async fn whole(body: Body) -> Result<Read, Body> {
    match read(body).await {
        Read::Stream(body) => Err(body),
        body => Ok(body),
    }
}

/// The whole body; one that breaks off breaks off for who reads it next.
async fn read(body: Body) -> Read {
    match Limited::new(body, LARGEST).collect().await {
        Ok(whole) => Read::Whole(whole.to_bytes()),
        Err(error) => Read::Stream(Body::from_stream(futures::stream::iter([Err::<Bytes, _>(error)]))),
    }
}

/// Query services name their operation in the body.
fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/x-www-form-urlencoded")
}
