//! A request's body is read whole, within the limits of length, memory and time.

use crate::app::{App, Limits};
use crate::clock::within;
use crate::error::ApiError;
use axum::body::HttpBody;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::fmt::Display;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// How long the rest of a refused body is read, so that the client gets to see the answer: a connection closed with
/// data unread is reset, and the answer lost with it.
const DISCARD_TIME: Duration = Duration::from_secs(2);
/// What is set aside for a body before any of it is there, at most.
const RESERVED_BYTES: usize = 1 << 20;

pub(crate) struct Upload<B> {
    body: B,
    /// Nothing more is to come: the client waits for a `100 Continue`, or has gone, or sends too slowly.
    ended: bool,
    /// Memory set aside for the body: kept until the answer is computed.
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

impl<B> Upload<B>
where
    B: HttpBody<Data = Bytes, Error: Display> + Unpin + Send + 'static,
{
    pub(crate) fn new(body: B, headers: &HeaderMap) -> Self {
        Self { body, ended: headers.contains_key(header::EXPECT), memory: None }
    }

    /// The whole body.
    pub(crate) async fn read(&mut self, app: &App) -> Result<Bytes, ApiError> {
        let limits = app.limits();
        let too_large = ApiError::TooLarge { limit: limits.body_bytes };
        let length = self.body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if length.is_some_and(|length| length > limits.body_bytes) {
            return Err(too_large);
        }
        if let Some(length) = length {
            self.memory = app.reserve(length)?;
        }
        self.ended = false;
        let read = match within(limits.body_time, self.collect(app, length)).await {
            Some(read) => read,
            None => Err(ApiError::BodyTimeout { seconds: limits.body_time.as_secs() }),
        };
        self.ended = matches!(read, Ok(_) | Err(ApiError::BodyTimeout { .. } | ApiError::BodyLost(_)));
        read
    }

    async fn collect(&mut self, app: &App, length: Option<usize>) -> Result<Bytes, ApiError> {
        let Limits { body_bytes, inline_bytes, .. } = *app.limits();
        // Most bodies come in one piece, which is then taken as it is.
        let Some(first) = self.piece().await? else { return Ok(Bytes::new()) };
        if length == Some(first.len()) {
            return Ok(first);
        }
        let mut whole =
            BytesMut::with_capacity(length.unwrap_or(0).clamp(first.len(), RESERVED_BYTES.max(first.len())));
        let mut piece = Some(first);
        while let Some(bytes) = piece {
            let total = whole.len() + bytes.len();
            if total > body_bytes {
                return Err(ApiError::TooLarge { limit: body_bytes });
            }
            if total > inline_bytes && self.memory.is_none() {
                // A chunked body does not say how long it gets.
                self.memory = app.reserve(body_bytes)?;
            }
            whole.extend_from_slice(&bytes);
            piece = self.piece().await?;
        }
        Ok(whole.freeze())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(ApiError::BodyLost(error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// Reads what is left of a refused body and keeps none of it, while the refusal is on its way already.
    pub(crate) fn discard(mut self) {
        self.memory = None;
        if self.ended || self.body.is_end_stream() {
            return;
        }
        tokio::spawn(async move {
            let rest = async { while let Ok(Some(_)) = self.piece().await {} };
            // Whoever sends for longer learns of the refusal by the connection's end.
            let _ = timeout(DISCARD_TIME, rest).await;
        });
    }
}
