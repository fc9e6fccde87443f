//! In front of every service: a request is named, goes wrong where a rule says so, and is written down where that is wanted.
//!
//! It stands before the protocols are spoken, so that it sees each call as the client sent it, whatever the protocol, and
//! services that come later need nothing more than their place in `call`.

mod call;
mod connection;
mod faults;
mod record;
mod refusal;
mod rule;

use std::time::Duration;

use axum::{body::Body, extract::ConnectInfo};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header, request::Parts};
use http_body_util::{BodyExt, Limited};

use crate::{StartError, settings::Settings};
use call::Call;
pub(crate) use connection::{Cut, Door};
use faults::Faults;
use record::Recorder;
pub use rule::{Effect, Rule, RuleError};

/// Largest body that is looked at; S3's objects and a model's documents never are.
const LARGEST: usize = 8 << 20;

/// What every request passes.
#[derive(Debug, Default)]
pub(crate) struct Front {
    recorder: Option<Recorder>,
    faults: Faults,
}

impl Front {
    /// As the settings want it.
    pub fn open(settings: &Settings) -> Result<Front, StartError> {
        let recorder = settings.record.as_deref().map(Recorder::open).transpose()?;
        Ok(Front { recorder, faults: Faults::with(&settings.faults) })
    }

    /// Hands `request` on to `answer`, and the answer back.
    pub async fn pass<F>(&self, request: Request<Body>, answer: impl Fn(Request<Body>) -> F) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        if request.uri().path().starts_with(faults::PATH) {
            let (head, body) = request.into_parts();
            let body = read(body).await;
            return self.faults.answer(&head.method, head.uri.path(), body.kept().map_or(b"", |body| body));
        }
        // The emulator's own paths, which no bucket can have, are no calls.
        if request.uri().path().starts_with("/_") || self.recorder.is_none() && self.faults.is_empty() {
            return answer(request).await;
        }
        let (head, body) = request.into_parts();
        let (call, body) = match named(&head, body).await {
            Ok(named) => named,
            // What is too long or breaks off is for the service to refuse.
            Err(body) => return answer(Request::from_parts(head, body)).await,
        };
        let rule = self.faults.strike(&call);
        let sent = self.recorder.as_ref().map(|recorder| recorder.request(&head, body.kept()));
        let response = match &rule {
            None => answer(Request::from_parts(head, body.into())).await,
            Some((id, rule)) => {
                let response = struck(rule, &call, head, body, answer).await;
                self.faults.fired(*id);
                // What hangs is done by now, and its answer never goes out.
                if rule.effect == Effect::Hang { std::future::pending().await } else { response }
            }
        };
        let (Some(recorder), Some(sent)) = (&self.recorder, sent) else { return response };
        let (head, body) = response.into_parts();
        let body = if call.answers_payload() { Read::Stream(body) } else { read(body).await };
        recorder.write(&call, sent, &head, body.kept());
        Response::from_parts(head, body.into())
    }
}

/// A call that goes wrong.
async fn struck<F>(
    rule: &Rule,
    call: &Call,
    head: Parts,
    body: Read,
    answer: impl Fn(Request<Body>) -> F,
) -> Response<Body>
where
    F: Future<Output = Response<Body>>,
{
    let cut = head.extensions.get::<ConnectInfo<Cut>>().map(|ConnectInfo(cut)| cut.clone()).unwrap_or_default();
    match rule.effect {
        Effect::Throttle | Effect::InternalError | Effect::Unavailable => refusal::answer(rule.effect, call, &head),
        Effect::Delay => {
            tokio::time::sleep(Duration::from_millis(rule.delay_ms)).await;
            answer(Request::from_parts(head, body.into())).await
        }
        Effect::ResetBefore => {
            cut.cut();
            Response::new(Body::empty())
        }
        Effect::ResetAfter => {
            let response = answer(Request::from_parts(head, body.into())).await;
            cut.cut();
            response
        }
        Effect::Duplicate => {
            let body = match body {
                Read::Stream(body) => read(body).await,
                whole => whole,
            };
            let again = body.kept().map(|bytes| Request::from_parts(head.clone(), Body::from(bytes.clone())));
            let first = answer(Request::from_parts(head, body.into())).await;
            if let Some(again) = again {
                answer(again).await;
            }
            first
        }
        Effect::Hang => answer(Request::from_parts(head, body.into())).await,
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
