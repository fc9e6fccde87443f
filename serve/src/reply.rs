//! The body of an answer: whole as nearly all are, or as a router made it.

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The bytes of an answer.
#[derive(Debug)]
pub(crate) enum Reply {
    Whole(Full<Bytes>),
    Routed(Body),
}

impl Reply {
    /// A response of axum's.
    pub(crate) fn routed(response: impl IntoResponse) -> Response<Reply> {
        response.into_response().map(Reply::Routed)
    }

    /// A body for axum.
    pub(crate) fn into_body(self) -> Body {
        match self {
            Reply::Whole(whole) => Body::new(whole),
            Reply::Routed(body) => body,
        }
    }
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Reply::Whole(whole) => Pin::new(whole).poll_frame(cx).map_err(axum::Error::new),
            Reply::Routed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Reply::Whole(whole) => whole.is_end_stream(),
            Reply::Routed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Reply::Whole(whole) => whole.size_hint(),
            Reply::Routed(body) => body.size_hint(),
        }
    }
}
