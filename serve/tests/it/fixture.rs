//! Small fitted artifacts, and a client without a port.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use model::{Algorithm, Artifact, Calibration, Provenance, Settings, TextClassifier, fit_classifier};
use serde_json::Value;
use serve::{App, Limits, router};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tower::ServiceExt;

const REVIEWS: [(&str, usize); 12] = [
    ("a wonderful film, warm and funny", 1),
    ("wonderful acting, I loved every minute", 1),
    ("great fun, great cast, loved it", 1),
    ("a great and moving story", 1),
    ("dull, slow and far too long", 0),
    ("a terrible waste of time", 0),
    ("terrible acting and a dull story", 0),
    ("I hated every slow minute", 0),
    ("der Film war langweilig und lang", 2),
    ("ein schöner Film, sehr schön gespielt", 2),
    ("die Geschichte war schön", 2),
    ("leider langweilig, die Schauspieler aber gut", 2),
];

/// What is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Two classes, `0` and `1`: one weight vector.
    Two,
    /// Three classes, with labels that need escapes: a weight vector each.
    Three,
    /// Two classes, no weights.
    Tree,
}

pub const KINDS: [Kind; 3] = [Kind::Two, Kind::Three, Kind::Tree];

/// A folder laid out as `/opt/ml`, with the artifact in `model/`.
pub fn ml_root(kind: Kind) -> TempDir {
    let (count, classes): (usize, &[&str]) = match kind {
        Kind::Three => (3, &["bad, \"really\"", "good", "über"]),
        _ => (2, &["0", "1"]),
    };
    let algorithm = if kind == Kind::Tree { Algorithm::Tree } else { Algorithm::Logistic };
    let settings = Settings { algorithm, ..Settings::default() };
    let (texts, targets): (Vec<&str>, Vec<usize>) = REVIEWS.iter().copied().filter(|(_, class)| *class < count).unzip();
    let (featurizer, records) = settings.tfidf.fit_transform(&texts, &targets, count).unwrap();
    let dataset = model::Dataset::new(records, targets.into());
    let classifier = fit_classifier(&settings, &dataset, count, None).unwrap().classifier;
    let classes = classes.iter().map(|class| class.to_string()).collect();
    let fitted = TextClassifier { featurizer, classifier, calibration: Calibration::None, classes };
    let root = tempfile::tempdir().unwrap();
    fitted.save(&root.path().join("model"), &Provenance::default()).unwrap();
    root
}

/// The artifact, open; its folder is gone already, the mapped files stay until it is dropped.
pub fn artifact(kind: Kind) -> Artifact {
    Artifact::open(&ml_root(kind).path().join("model")).unwrap()
}

pub fn app(kind: Kind, limits: Limits) -> Arc<App> {
    let app = App::new(limits);
    app.install(artifact(kind));
    Arc::new(app)
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The message of a refusal, which is always `{"error": …}`.
    pub fn error(&self) -> String {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        self.json()["error"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

pub async fn send(app: &Arc<App>, request: Request<Body>) -> Reply {
    let (parts, body) = router(Arc::clone(app)).oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

pub fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// `POST /invocations`.
pub fn post(content_type: &str, accept: &str, body: impl Into<Body>) -> Request<Body> {
    request(
        "POST",
        "/invocations",
        &[(header::CONTENT_TYPE.as_str(), content_type), (header::ACCEPT.as_str(), accept)],
        body,
    )
}

/// A body that arrives as it is sent into the channel, and does not say how long it gets.
pub struct Arriving(mpsc::Receiver<&'static str>);

impl Arriving {
    /// Once a second piece was sent, the first has been taken by the server.
    pub fn channel() -> (mpsc::Sender<&'static str>, Body) {
        let (sender, receiver) = mpsc::channel(1);
        (sender, Body::new(Self(receiver)))
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let piece = |text: &'static str| Ok(hyper::body::Frame::data(Bytes::from_static(text.as_bytes())));
        self.0.poll_recv(cx).map(|text| text.map(piece))
    }
}
