//! "Not now" in each service's own words and protocol, as a client's retries know it.

use axum::body::Body;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use serde_json::json;

use super::{call::Call, is_form, rule::Effect};
use crate::route;

/// A refusal: status, code, sentence.
type Words = (u16, &'static str, &'static str);

/// The answer to a call that is not let through.
pub(super) fn answer(effect: Effect, call: &Call, head: &Parts) -> Response<Body> {
    let (status, code, message) = words(effect, call);
    let cbor = route::header(&head.headers, "smithy-protocol") == "rpc-v2-cbor";
    let kind = route::header(&head.headers, header::CONTENT_TYPE.as_str());
    let (kind, body) = if call.service == "s3" {
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        ("application/xml", if head.method == Method::HEAD { Vec::new() } else { xml.into_bytes() })
    } else if cbor {
        ("application/cbor", cbor_map([("__type", code), ("message", message)]))
    } else if is_form(&head.headers) {
        let error = format!("<Error><Type>Receiver</Type><Code>{code}</Code><Message>{message}</Message></Error>");
        ("text/xml", format!("<ErrorResponse>{error}</ErrorResponse>").into_bytes())
    } else {
        let kind = if kind == "application/x-amz-json-1.0" {
            "application/x-amz-json-1.0"
        } else {
            "application/x-amz-json-1.1"
        };
        (kind, json!({ "__type": code, "message": message }).to_string().into_bytes())
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response.headers_mut().insert(if call.service == "s3" { "x-amz-request-id" } else { "x-amzn-requestid" }, id);
    }
    if cbor {
        response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    } else if call.service != "s3" {
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(code));
    }
    response
}

fn words(effect: Effect, call: &Call) -> Words {
    match (effect, call.service.as_str()) {
        (Effect::Throttle, "s3") => (503, "SlowDown", "Please reduce your request rate."),
        (Effect::InternalError, "s3") => (500, "InternalError", "We encountered an internal error. Please try again."),
        (_, "s3") => (503, "ServiceUnavailable", "Reduce your request rate."),
        (Effect::Throttle, "sts") => (400, "Throttling", "Rate exceeded"),
        (Effect::Throttle, "sns") => (429, "Throttled", "Rate exceeded"),
        (Effect::Throttle, "scheduler") => (429, "ThrottlingException", "Rate exceeded"),
        (Effect::Throttle, _) => (400, "ThrottlingException", "Rate exceeded"),
        (Effect::InternalError, "scheduler") => {
            (500, "InternalServerException", "Unexpected error encountered while processing the request.")
        }
        (Effect::InternalError, "sns") => {
            (500, "InternalError", "The request processing has failed because of an unknown error.")
        }
        (Effect::InternalError, _) => (
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
        (_, _) => (503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
    }
}

/// A map of short texts in CBOR.
fn cbor_map(pairs: [(&str, &str); 2]) -> Vec<u8> {
    /// A map of two, and a text with one byte of length.
    const MAP: u8 = 0xa2;
    const TEXT: u8 = 0x78;
    let mut out = vec![MAP];
    for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
        // One byte of length is enough: the sentences above are shorter.
        out.extend([TEXT, text.len() as u8]);
        out.extend(text.bytes());
    }
    out
}
