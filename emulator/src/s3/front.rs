//! In front of the protocol: any credentials are good. Signatures are taken off, since nobody here knows the secret to
//! check them against; what they say besides (a pre-signed URL's end, the body's framing, SHA-256 and trailers) counts.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode, Uri};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Error, S3ErrorCode, StdError};

use super::checksum::Algorithm;
use super::chunked;
use super::key::{check_bucket_name, check_key};
use super::object::new_id;
use super::service::Protocol;
use super::store::Store;
use crate::shelf::decode;

/// S3's protocol over a store, path style.
#[derive(Clone, Debug)]
pub struct Service {
    protocol: S3Service,
}

/// S3's protocol over `store`.
pub fn service(store: Arc<Store>) -> Service {
    Service { protocol: S3ServiceBuilder::new(Protocol::new(store)).build() }
}

/// What the framing and the signature of a request said of its body.
#[derive(Debug, Default)]
pub struct Envelope {
    /// Of the body, hexadecimal.
    pub sha256: Option<String>,
    /// Of the body without framing.
    pub length: Option<u64>,
    /// Of the checksum announced as a trailer.
    pub trailer: Option<Algorithm>,
    trailers: Mutex<Vec<(String, String)>>,
}

impl Envelope {
    /// A trailer's value, once the body has been read.
    pub fn trailer_value(&self, algorithm: Algorithm) -> Option<String> {
        let trailers = self.trailers.lock().unwrap_or_else(PoisonError::into_inner);
        trailers.iter().find(|(name, _)| Algorithm::of_header(name) == Some(algorithm)).map(|(_, value)| value.clone())
    }
}

impl Service {
    /// Answers one request.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        StdError: From<B::Error>,
    {
        let answer = match opened(request.map(Body::http_body_unsync), SystemTime::now()) {
            Ok(request) => self
                .protocol
                .call(request)
                .await
                .map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, error.into())),
            Err(error) => Err(error),
        };
        let mut answer = answer.or_else(S3Error::to_http_response).unwrap_or_else(|_| {
            let mut bare = Response::new(Body::empty());
            *bare.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            bare
        });
        if let Ok(id) = HeaderValue::try_from(new_id()) {
            answer.headers_mut().insert("x-amz-request-id", id);
        }
        answer
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    StdError: From<B::Error>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.handle(request).await) })
    }
}

/// The request as an unsigned client would have sent it; what its envelope said travels in the extensions.
fn opened(mut request: Request<Body>, now: SystemTime) -> Result<Request<Body>, S3Error> {
    // The protocol refuses such names too, but without a sentence.
    let path = request.uri().path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if !bucket.is_empty() {
        check_bucket_name(bucket)?;
    }
    if !key.is_empty() {
        check_key(&decode(key))?;
    }
    let query = request.uri().query().unwrap_or_default();
    if expires_at(query).is_some_and(|end| end < now) {
        return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Request has expired"));
    }
    if let Some(unsigned) = without_signature(query) {
        let path = request.uri().path();
        let uri = if unsigned.is_empty() { path.to_owned() } else { format!("{path}?{unsigned}") };
        *request.uri_mut() =
            Uri::try_from(uri).map_err(|error| S3Error::with_source(S3ErrorCode::InvalidURI, error.into()))?;
    }

    let headers = request.headers_mut();
    headers.remove(AUTHORIZATION);
    headers.remove("x-amz-security-token");
    let framing = text(headers.remove("x-amz-content-sha256"));
    let encodings = text(headers.get(CONTENT_ENCODING).cloned()).unwrap_or_default();
    let chunked = framing.as_deref().is_some_and(|value| value.starts_with("STREAMING-"))
        || encodings.split(',').any(|encoding| encoding.trim() == "aws-chunked");
    let length = text(headers.remove("x-amz-decoded-content-length")).and_then(|value| value.parse().ok());
    let trailer = text(headers.remove("x-amz-trailer"));
    let envelope = Arc::new(Envelope {
        sha256: framing.filter(|value| value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())),
        length: length.filter(|_| chunked),
        trailer: trailer.and_then(|names| names.split(',').find_map(Algorithm::of_header)),
        trailers: Mutex::default(),
    });
    if chunked {
        take_framing_off(headers, &encodings, length)?;
        let trailers = Arc::clone(&envelope);
        request = request.map(|body| {
            chunked::decode(body, move |found| {
                *trailers.trailers.lock().unwrap_or_else(PoisonError::into_inner) = found;
            })
        });
    }
    request.extensions_mut().insert(envelope);
    Ok(request)
}

fn take_framing_off(headers: &mut HeaderMap, encodings: &str, length: Option<u64>) -> Result<(), S3Error> {
    let Some(length) = length else {
        let what =
            "You must provide the Content-Length HTTP header (x-amz-decoded-content-length of an aws-chunked body).";
        return Err(S3Error::with_message(S3ErrorCode::MissingContentLength, what));
    };
    headers.remove(TRANSFER_ENCODING);
    headers.insert(CONTENT_LENGTH, length.into());
    let others: Vec<_> =
        encodings.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "aws-chunked")).collect();
    match HeaderValue::try_from(others.join(", ")) {
        Ok(others) if !others.is_empty() => headers.insert(CONTENT_ENCODING, others),
        _ => headers.remove(CONTENT_ENCODING),
    };
    Ok(())
}

fn text(value: Option<HeaderValue>) -> Option<String> {
    value.and_then(|value| value.to_str().ok().map(str::to_owned))
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The query without what signs it; `None` if nothing does.
fn without_signature(query: &str) -> Option<String> {
    const V4: [&str; 7] = [
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    ];
    const V2: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];
    let v2 = parameters(query).any(|(name, _)| name == "AWSAccessKeyId");
    let signs = |name: &str| V4.contains(&name.to_ascii_lowercase().as_str()) || v2 && V2.contains(&name);
    if !parameters(query).any(|(name, _)| signs(name)) {
        return None;
    }
    let kept: Vec<_> = query.split('&').filter(|pair| !signs(pair.split('=').next().unwrap_or_default())).collect();
    Some(kept.join("&"))
}

/// Until when a pre-signed URL is good.
fn expires_at(query: &str) -> Option<SystemTime> {
    let value =
        |wanted: &str| parameters(query).find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
    let seconds: i64 = if let Some(signed) = value("X-Amz-Date") {
        let signed = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", signed).ok()?.to_datetime().ok()?;
        let signed = jiff::tz::TimeZone::UTC.to_timestamp(signed).ok()?.as_second();
        signed.checked_add(value("X-Amz-Expires")?.parse().ok()?)?
    } else {
        value("AWSAccessKeyId")?;
        value("Expires")?.parse().ok()?
    };
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn signatures_leave_the_query() {
        for (query, want) in [
            ("", None),
            ("list-type=2&prefix=a%2Fb", None),
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T000000Z&X-Amz-Signature=a", Some("")),
            ("versionId=v&X-Amz-Credential=k%2F20260101&x-amz-expires=60", Some("versionId=v")),
            ("AWSAccessKeyId=k&Expires=1&Signature=s&uploads", Some("uploads")),
            ("Expires=1", None),
        ] {
            assert_eq!(without_signature(query).as_deref(), want, "{query}");
        }
    }

    #[test]
    fn presigned_urls_end() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        for (query, want) in [
            ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=60", at(1_767_225_660)),
            ("AWSAccessKeyId=k&Expires=1767225600&Signature=s", at(1_767_225_600)),
            ("X-Amz-Date=yesterday&X-Amz-Expires=60", None),
            ("Expires=1", None),
        ] {
            assert_eq!(expires_at(query), want, "{query}");
        }
    }

    #[test]
    fn framing_leaves_the_headers() {
        let request = Request::put("/bucket/key")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=…")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("content-encoding", "gzip, aws-chunked")
            .header("x-amz-decoded-content-length", "5")
            .header("content-length", "51")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(Body::empty())
            .unwrap();
        let request = opened(request, UNIX_EPOCH).unwrap();
        let left: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(left, [("content-encoding", "gzip"), ("content-length", "5")]);
        let envelope = request.extensions().get::<Arc<Envelope>>().unwrap();
        assert_eq!((envelope.length, envelope.trailer), (Some(5), Some(Algorithm::Crc32)));
    }
}
