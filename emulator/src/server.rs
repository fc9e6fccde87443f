//! One port for every service.

use std::sync::Arc;

use axum::{Router, body::Body, extract::State};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};

use crate::{
    account::Account,
    autoscaling, ecr, endpoint,
    fault::Fault,
    front::Front,
    logs, protocol,
    regions::Regions,
    route::{Route, access_key, parameters, route},
    s3, sagemaker, scheduler, sts,
};

/// Largest request of a service that is not about bytes.
const LARGEST: usize = 8 << 20;

/// What answers a request.
#[derive(Clone)]
struct Services {
    regions: Arc<Regions>,
    s3: s3::Service,
    front: Arc<Front>,
}

/// All services of an account, in every region.
pub(crate) fn router(regions: Arc<Regions>, front: Arc<Front>) -> Router {
    let s3 = s3::service(regions.home().bucket.clone());
    Router::new().fallback(pass).with_state(Services { regions, s3, front })
}

async fn pass(State(services): State<Services>, request: Request<Body>) -> Response<Body> {
    services.front.pass(request, |request| answer(services.clone(), request)).await
}

async fn answer(services: Services, request: Request<Body>) -> Response<Body> {
    let Services { regions, s3, .. } = services;
    let (head, body) = request.into_parts();
    let route = route(&head);
    let account = match regions.of(&head).await {
        Ok(account) => account,
        Err(e) => return rest_json(Err(Fault { status: 500, ..Fault::new("InternalFailure", e.to_string()) })),
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = match route {
        Route::S3 => return s3.handle(Request::from_parts(head, body)).await.map(Body::new),
        Route::Invocations(name) => endpoint::answer(&account, &name, Request::from_parts(head, body)).await,
        Route::Health => {
            let state = regions.home().settings.state.display().to_string();
            json_response(StatusCode::OK, "application/json", &json!({"pid": std::process::id(), "state": state}))
        }
        Route::SageMaker(operation) => {
            json11(read(body).await.and_then(|body| sagemaker::answer(&account, &operation, &body)))
        }
        Route::AutoScaling(operation) => {
            json11(read(body).await.and_then(|body| autoscaling::answer(&account, &operation, &body)))
        }
        Route::Logs(operation) => json11(read(body).await.and_then(|body| logs::answer(&account, &operation, &body))),
        Route::Schedules(name) => {
            let query = parameters(head.uri.query().unwrap_or_default());
            let answered = read(body).await;
            rest_json(
                answered.and_then(|body| scheduler::answer(&account, &head.method, name.as_deref(), &query, &body)),
            )
        }
        Route::Ecr(operation) => json11(match read(body).await {
            Ok(body) => ecr::answer(&account, &operation, &body).await,
            Err(fault) => Err(fault),
        }),
        Route::Sts => query(regions.home(), &head, read(body).await, &request_id),
        Route::Spoken(service, protocol) => {
            let query = head.uri.query().unwrap_or_default();
            protocol::answer(&account, service, &protocol, (query, read(body).await), &request_id)
        }
        Route::Unknown(what) => unknown(what.trim_end(), &head, read(body).await),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

async fn read(body: Body) -> Result<Bytes, Fault> {
    let read = Limited::new(body, LARGEST).collect().await;
    read.map(|body| body.to_bytes()).map_err(|e| Fault::new("SerializationException", e.to_string()))
}

pub(crate) fn json_response(status: StatusCode, content_type: &'static str, body: &Value) -> Response<Body> {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn status(fault: &Fault) -> StatusCode {
    StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json11(answer: Result<Value, Fault>) -> Response<Body> {
    match answer {
        Ok(answer) => json_response(StatusCode::OK, "application/x-amz-json-1.1", &answer),
        Err(fault) => json_response(status(&fault), "application/x-amz-json-1.1", &fault.body()),
    }
}

fn rest_json(answer: Result<Value, Fault>) -> Response<Body> {
    let fault = match answer {
        Ok(answer) => return json_response(StatusCode::OK, "application/json", &answer),
        Err(fault) => fault,
    };
    let mut response = json_response(status(&fault), "application/json", &json!({"Message": fault.message}));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(fault.kind));
    response
}

/// A service or operation that nobody here knows, said in what the client speaks.
fn unknown(what: &str, head: &Parts, body: Result<Bytes, Fault>) -> Response<Body> {
    let form = crate::route::header(&head.headers, "content-type").starts_with("application/x-www-form-urlencoded");
    if !form {
        let said = format!("The emulator does not know {what}");
        return rest_json(Err(Fault::new("UnknownOperationException", said)));
    }
    let given = parameters(&String::from_utf8_lossy(&body.unwrap_or_default()));
    let action = given.iter().find(|(key, _)| key == "Action").map_or("", |(_, action)| action.as_str());
    let said = format!("The emulator does not know {what} {action}").replace(['<', '>', '&'], "?");
    let xml = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>{said}</Message></Error></ErrorResponse>"
    );
    let mut response = Response::new(Body::from(xml));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

fn query(account: &Account, head: &Parts, body: Result<Bytes, Fault>, request_id: &str) -> Response<Body> {
    let body = body.unwrap_or_default();
    let mut given = parameters(head.uri.query().unwrap_or_default());
    given.extend(parameters(&String::from_utf8_lossy(&body)));
    let (status, xml) = match sts::answer(&account.sessions, &given, access_key(head).as_deref(), request_id) {
        Ok(xml) => (StatusCode::OK, xml),
        Err((code, text)) => {
            let error = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            );
            (StatusCode::BAD_REQUEST, error)
        }
    };
    let mut response = Response::new(Body::from(xml));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}
