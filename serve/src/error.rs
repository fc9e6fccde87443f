//! What can go wrong with a request, and the status each kind has.

use crate::formats::input::{self, shown};
use crate::formats::negotiate;
use crate::formats::output::ErrorBody;
use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{ArtifactError, ExplainError};

/// A request that gets no prediction. The message says what was found and what to send instead; it never holds a
/// document's text, because it is logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The artifact is still being opened.
    #[error("the model is still being opened; send the request again in a moment")]
    NotReady,
    /// The artifact was refused.
    #[error("{reason}; then start the server again")]
    Unusable {
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// Documents for the one model, where there are many.
    #[error("this server holds many models; send documents to POST /models/NAME/invoke, and load with POST /models")]
    ManyModels,
    /// No model of that name is loaded.
    #[error("no model `{}` is loaded; load it with POST /models first", shown(name))]
    ModelMissing {
        /// What was asked for.
        name: String,
    },
    /// A model of that name is loaded.
    #[error("a model `{}` is loaded already; unload it with DELETE /models/NAME first", shown(name))]
    ModelLoaded {
        /// What was asked for.
        name: String,
    },
    /// All memory for models is in use.
    #[error(
        "the model needs {bytes} bytes, and {held} of the {bound} that are set aside for models are in use; unload others first"
    )]
    ModelMemory {
        /// Bytes of its files.
        bytes: u64,
        /// Bytes of the files of models that cannot be put to sleep now.
        held: u64,
        /// Bytes set aside.
        bound: u64,
    },
    /// A model to load that is not where the request says.
    #[error(
        "model `{}` cannot be loaded: `{}` holds no manifest.json ({reason}); send as `url` the folder that `train` left",
        shown(name),
        shown(url)
    )]
    ModelNotThere {
        /// What it was to be called.
        name: String,
        /// Where it was to be.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// A model to load that cannot be opened.
    #[error("model `{}` cannot be opened: {reason}", shown(name))]
    ModelRefused {
        /// What was asked for.
        name: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// Every place is taken.
    #[error(
        "{in_flight} requests are being answered, which is all this server takes at once; send it again in a moment"
    )]
    Overloaded {
        /// Requests this server answers at once.
        in_flight: usize,
    },
    /// The bodies being received would need more memory than is set aside for them.
    #[error(
        "{bytes} bytes of large bodies are being received, which is all this server holds at once; send it again in a moment"
    )]
    UploadsFull {
        /// Memory set aside for large bodies.
        bytes: usize,
    },
    /// The body is longer than is taken.
    #[error("the body is longer than {limit} bytes; split the documents over several requests")]
    TooLarge {
        /// Longest body taken, in bytes.
        limit: usize,
    },
    /// More documents than one request may hold.
    #[error("the body holds more than {limit} documents; split them over several requests")]
    TooManyDocuments {
        /// Most documents taken in one request.
        limit: usize,
    },
    /// The answer would not fit.
    #[error("the answer would be longer than {limit} bytes; split the documents over several requests")]
    AnswerTooLarge {
        /// Longest answer given, in bytes.
        limit: usize,
    },
    /// The client did not send the body in time.
    #[error("the body did not arrive within {seconds} s; send it faster or in smaller requests")]
    BodyTimeout {
        /// Time a client has to send a body.
        seconds: u64,
    },
    /// The connection broke while the body was read.
    #[error("the body ended early: {0}; send all of it")]
    BodyLost(String),
    /// A content type, charset or content encoding that is not read here.
    #[error("{found}; send {}", input::ACCEPTED)]
    UnsupportedMediaType {
        /// What was found, as a clause.
        found: String,
    },
    /// `Accept` asks for what cannot be had.
    #[error("{found}; ask for {}", negotiate::OFFERED)]
    NotAcceptable {
        /// What was found, as a clause.
        found: String,
    },
    /// The body is not what its content type promises.
    #[error("{0}")]
    BadBody(String),
    /// A query parameter or custom attribute that is not understood.
    #[error("{0}")]
    BadOption(String),
    /// An explanation of a model that has none.
    #[error("this model is not linear, so its predictions have no explanation by terms; leave out `explain`")]
    NotLinear,
    /// No such path.
    #[error("there is no such path; send documents to POST /invocations, or GET /ping, /execution-parameters")]
    NotFound,
    /// A known path, another method.
    #[error("{method} is not taken here; send documents to POST /invocations, or GET /ping, /execution-parameters")]
    MethodNotAllowed {
        /// The request's method.
        method: Method,
    },
    /// A defect of this server.
    #[error("the prediction failed inside the server: {0}; its log holds more")]
    Internal(String),
}

impl From<ArtifactError> for ApiError {
    fn from(damaged: ArtifactError) -> Self {
        Self::Internal(damaged.to_string())
    }
}

impl From<ExplainError> for ApiError {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::NotLinear(_) => Self::NotLinear,
            ExplainError::Artifact(damaged) => damaged.into(),
        }
    }
}

impl ApiError {
    /// The status, decided here for every kind.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotReady | Self::Unusable { .. } | Self::Overloaded { .. } | Self::UploadsFull { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::ModelLoaded { .. } => StatusCode::CONFLICT,
            Self::ModelMemory { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Self::TooLarge { .. } | Self::TooManyDocuments { .. } | Self::AnswerTooLarge { .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::BodyTimeout { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::BodyLost(_)
            | Self::BadBody(_)
            | Self::BadOption(_)
            | Self::ModelNotThere { .. }
            | Self::NotLinear => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::ManyModels | Self::ModelMissing { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::ModelRefused { .. } | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Carried by the response to [`crate::observe`], which logs it once.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) String);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let message = self.to_string();
        let status = self.status();
        let mut response = (status, Json(ErrorBody { error: &message })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(Failure(message));
        response
    }
}
