//! The services that speak several protocols: what was asked, whatever it is written in, and the answer in the same.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::{
    account::Account,
    cloudwatch,
    fault::Fault,
    route::parameters,
    shapes::{self, Model, cbor, query},
    sns,
};

/// How a request is written; the operation, where the head says it.
#[derive(Debug, PartialEq)]
pub(crate) enum Protocol {
    /// JSON 1.0.
    Json(String),
    /// RPC v2.
    Cbor(String),
    /// A form, or a URL's parameters.
    Query,
}

/// Whose a request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Service {
    CloudWatch,
    Sns,
}

impl Service {
    fn model(self) -> &'static Model {
        match self {
            Service::CloudWatch => shapes::cloudwatch(),
            Service::Sns => shapes::sns(),
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Service::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
            Service::Sns => "http://sns.amazonaws.com/doc/2010-03-31/",
        }
    }

    /// What a request is refused with that the model does not take.
    fn invalid(self) -> &'static str {
        match self {
            Service::CloudWatch => "ValidationError",
            Service::Sns => "InvalidParameter",
        }
    }

    fn handle(self, account: &Arc<Account>, operation: &str, request: &Value) -> Result<Value, Fault> {
        match self {
            Service::CloudWatch => cloudwatch::answer(account, operation, request),
            Service::Sns => sns::answer(account, operation, request),
        }
    }
}

/// Answers one request.
pub(crate) fn answer(
    account: &Arc<Account>,
    service: Service,
    protocol: &Protocol,
    (url, body): (&str, Result<Bytes, Fault>),
    request_id: &str,
) -> Response<Body> {
    let read = body.and_then(|body| read(service, protocol, url, &body));
    let (operation, request) = match read {
        Ok(read) => read,
        Err(fault) => return refused(protocol, &fault, request_id),
    };
    let done = checked(service, &operation, &request).and_then(|()| service.handle(account, &operation, &request));
    match done {
        Ok(answer) => written(service, protocol, &operation, &answer, request_id),
        Err(fault) => refused(protocol, &fault, request_id),
    }
}

fn checked(service: Service, operation: &str, request: &Value) -> Result<(), Fault> {
    let Some(known) = service.model().operations.get(operation) else { return Err(unknown(operation)) };
    let Some(input) = &known.input else { return Ok(()) };
    shapes::validate(service.model(), input, request)
        .map_err(|refusal| Fault { kind: service.invalid(), ..Fault::from(refusal) })
}

fn unknown(operation: &str) -> Fault {
    Fault::new("InvalidAction", format!("The emulator does not know the operation {operation}"))
}

fn read(service: Service, protocol: &Protocol, url: &str, body: &[u8]) -> Result<(String, Value), Fault> {
    let failed = |why: String| Fault::new("SerializationException", why);
    match protocol {
        Protocol::Json(operation) if body.is_empty() => Ok((operation.clone(), Value::Object(Map::new()))),
        Protocol::Json(operation) => {
            let request = serde_json::from_slice(body).map_err(|e| failed(e.to_string()))?;
            Ok((operation.clone(), request))
        }
        Protocol::Cbor(operation) => Ok((operation.clone(), cbor::decode(body).map_err(failed)?)),
        Protocol::Query => {
            let mut given = parameters(url);
            given.extend(parameters(&String::from_utf8_lossy(body)));
            let action = given.iter().find(|(key, _)| key == "Action").map(|(_, action)| action.clone());
            let action = action.unwrap_or_default();
            let known = service.model().operations.get(&action).ok_or_else(|| unknown(&action))?;
            let input = known.input.as_ref().map(|input| query::decode(service.model(), input, &given));
            Ok((action, input.unwrap_or(Value::Null)))
        }
    }
}

fn written(service: Service, protocol: &Protocol, operation: &str, answer: &Value, request_id: &str) -> Response<Body> {
    let output = service.model().operations.get(operation).and_then(|known| known.output.as_deref());
    let body = match protocol {
        Protocol::Json(_) => Body::from(if answer.is_null() { "{}".to_owned() } else { answer.to_string() }),
        Protocol::Cbor(_) => {
            Body::from(output.map_or_else(|| vec![0xa0], |output| cbor::encode(service.model(), output, answer)))
        }
        Protocol::Query => {
            let named = (operation, service.namespace());
            Body::from(query::encode(service.model(), named, output, answer, request_id))
        }
    };
    response(protocol, StatusCode::OK, body)
}

fn refused(protocol: &Protocol, fault: &Fault, request_id: &str) -> Response<Body> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let sender = status.is_client_error();
    let shape = json!({"__type": fault.kind, "message": fault.message});
    let body = match protocol {
        Protocol::Json(_) => Body::from(shape.to_string()),
        Protocol::Cbor(_) => Body::from(cbor::fault(&shape)),
        Protocol::Query => Body::from(query::fault(fault.kind, &fault.message, sender, request_id)),
    };
    let mut response = response(protocol, status, body);
    // A client that was made for the Query protocol looks for its codes here.
    let code = format!("{};{}", fault.kind, if sender { "Sender" } else { "Receiver" });
    if let Ok(code) = HeaderValue::from_str(&code) {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

fn response(protocol: &Protocol, status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = match protocol {
        Protocol::Json(_) => "application/x-amz-json-1.0",
        Protocol::Cbor(_) => "application/cbor",
        Protocol::Query => "text/xml",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Protocol::Cbor(_) = protocol {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    response
}
