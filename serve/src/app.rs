//! What every request shares: the opened artifact, and the limits that keep the server answering.

use crate::capture::Capture;
use crate::error::ApiError;
use crate::formats::input::InputFormat;
use crate::formats::negotiate::OutputFormat;
use crate::log::LogPolicy;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::served::Served;
use crate::threshold::Threshold;
use model::Artifact;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// How much is taken on at once. What is beyond is refused at once, with a status that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests answered at once; more get 503.
    pub in_flight: usize,
    /// Longest body; longer ones get 413. SageMaker takes 25 MB for a real-time request.
    pub body_bytes: usize,
    /// Memory for all bodies above [`Self::inline_bytes`] together, never under `body_bytes`; more get 503.
    pub upload_bytes: usize,
    /// Time a client has to send its body. SageMaker gives a request 60 s in all.
    pub body_time: Duration,
    /// Bodies up to this length (an eighth of it for trees and explanations) are answered on the thread that read them,
    /// which takes well under a millisecond; longer ones on the blocking pool, so that they delay nobody else.
    pub inline_bytes: usize,
    /// Most documents in one request.
    pub documents: usize,
    /// Longest answer.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 256,
            body_bytes: 25 << 20,
            upload_bytes: 256 << 20,
            body_time: Duration::from_secs(60),
            inline_bytes: 16 << 10,
            documents: 1_000_000,
            answer_bytes: 128 << 20,
        }
    }
}

/// Shared by all requests.
pub struct App {
    limits: Limits,
    served: OnceLock<Arc<Served>>,
    /// Why there is no model to serve, or no more.
    failure: OnceLock<String>,
    /// Where it serves many: then there is no one model.
    models: Option<Models>,
    in_flight: Arc<AtomicUsize>,
    /// One permit a KiB.
    uploads: Arc<Semaphore>,
    log: LogPolicy,
    metrics: Option<Metrics>,
    threshold: Option<Threshold>,
    capture: Option<Capture>,
}

/// A place among the requests in flight, free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Of the body.
    pub input: InputFormat,
    /// Of the answer.
    pub output: OutputFormat,
    /// Terms to explain each prediction with.
    pub explain: Option<NonZeroUsize>,
}

impl App {
    /// Without an artifact: answers that it is not ready until [`Self::install`].
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { upload_bytes: limits.upload_bytes.max(limits.body_bytes), ..limits };
        Self {
            served: OnceLock::new(),
            failure: OnceLock::new(),
            models: None,
            in_flight: Arc::default(),
            uploads: Arc::new(Semaphore::new(limits.upload_bytes.div_ceil(1024))),
            limits,
            log: LogPolicy::default(),
            metrics: None,
            threshold: None,
            capture: None,
        }
    }

    /// Logs by this policy, and counts where there is something to count with.
    pub fn observed(self, log: LogPolicy, metrics: Option<Metrics>) -> Self {
        Self { log, metrics, ..self }
    }

    /// Predicts the second of two classes from this probability on, not from one half.
    pub fn thresholded(self, threshold: Option<Threshold>) -> Self {
        Self { threshold, ..self }
    }

    /// Captures requests and answers, where there is something to capture with.
    pub fn captured(self, capture: Option<Capture>) -> Self {
        Self { capture, ..self }
    }

    /// What captures, where something does.
    pub fn capture(&self) -> Option<&Capture> {
        self.capture.as_ref()
    }

    /// Where the line between two classes is drawn; none: at one half.
    pub fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    /// Serves the models that are loaded into it, each under its name, none at first.
    pub fn of_many(limits: Limits, models: Models) -> Self {
        Self { models: Some(models), ..Self::new(limits) }
    }

    /// Serves this artifact from now on; where there is one already, that one stays.
    pub fn install(&self, artifact: Artifact) {
        if let Some(metrics) = &self.metrics {
            metrics.count_classes(artifact.classes());
        }
        self.served.get_or_init(|| Arc::new(Served::new(artifact)));
    }

    /// Answers from now on that the model is of no use, and why; the first reason stays.
    pub fn fail(&self, reason: String) {
        self.failure.get_or_init(|| reason);
    }

    /// Whether [`fail`](Self::fail) was told why.
    pub fn failed(&self) -> bool {
        self.failure.get().is_some()
    }

    /// The limits it keeps.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is logged.
    pub fn log(&self) -> &LogPolicy {
        &self.log
    }

    /// What is counted, where it is.
    pub fn metrics(&self) -> Option<&Metrics> {
        self.metrics.as_ref()
    }

    /// The one model that is served.
    pub fn served(&self) -> Result<&Arc<Served>, ApiError> {
        if let Some(reason) = self.failure.get() {
            return Err(ApiError::Unusable { reason: reason.clone() });
        }
        match self.models {
            None => self.served.get().ok_or(ApiError::NotReady),
            Some(_) => Err(ApiError::ManyModels),
        }
    }

    /// The many models, where it serves many.
    pub fn models(&self) -> Option<&Models> {
        self.models.as_ref()
    }

    /// Whether requests can be answered.
    pub(crate) fn ready(&self) -> Result<(), ApiError> {
        match self.models {
            None => self.served().map(drop),
            Some(_) => Ok(()),
        }
    }

    /// Takes a place for a request, or refuses at once: nobody waits in a line that may never move.
    pub fn admit(&self) -> Result<Place, ApiError> {
        // Taken first, so that two who find the last one do not both have it.
        let (before, place) = (self.in_flight.fetch_add(1, Relaxed), Place(Arc::clone(&self.in_flight)));
        match before < self.limits.in_flight {
            true => Ok(place),
            false => Err(ApiError::Overloaded { in_flight: self.limits.in_flight }),
        }
    }

    /// Sets memory aside for a body of this length, or refuses at once. Short bodies need none: there are at most as
    /// many as requests in flight.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
        if bytes <= self.limits.inline_bytes {
            return Ok(None);
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        match Arc::clone(&self.uploads).try_acquire_many_owned(kib) {
            Ok(permit) => Ok(Some(permit)),
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
                Err(ApiError::UploadsFull { bytes: self.limits.upload_bytes })
            }
        }
    }
}
