//! `InvokeEndpoint`: a request to the variant's least busy instance, its answer back, both recorded.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    capture::{Exchange, Side},
    fleet::{Fleet, Variant},
    measure::{self, Invocation},
};
use crate::{ACCOUNT, account::Account, logs, time};

/// Largest payload, either way.
const LARGEST: usize = 25 << 20;
/// How often a request that a process died of is sent again.
const RESENDS: u32 = 2;
const VARIANT: HeaderName = HeaderName::from_static("x-amzn-invoked-production-variant");
const ATTRIBUTES: HeaderName = HeaderName::from_static("x-amzn-sagemaker-custom-attributes");
const INFERENCE_ID: HeaderName = HeaderName::from_static("x-amzn-sagemaker-inference-id");
const TARGET_VARIANT: HeaderName = HeaderName::from_static("x-amzn-sagemaker-target-variant");
/// What of a request's headers reaches the container.
const THERE: [HeaderName; 8] = [
    header::CONTENT_TYPE,
    header::ACCEPT,
    ATTRIBUTES,
    INFERENCE_ID,
    TARGET_VARIANT,
    HeaderName::from_static("x-amzn-sagemaker-target-model"),
    HeaderName::from_static("x-amzn-sagemaker-target-container-hostname"),
    HeaderName::from_static("x-amzn-sagemaker-session-id"),
];
/// What of the container's headers comes back.
const BACK: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    ATTRIBUTES,
    HeaderName::from_static("x-amzn-sagemaker-new-session-id"),
    HeaderName::from_static("x-amzn-sagemaker-closed-session-id"),
];

/// Why there is no answer from the container.
enum Refused {
    /// The request is at fault.
    Validation { code: Option<&'static str>, message: String },
    /// There are too many.
    Throttled,
    /// The container is.
    Model { status: u16, message: String },
}

/// Answers `POST /endpoints/{name}/invocations`.
pub(crate) async fn answer(account: &Arc<Account>, name: &str, request: Request<Body>) -> Response<Body> {
    invoke(account, name, request).await.unwrap_or_else(|refused| refused.answer(&account.region, name))
}

async fn invoke(account: &Arc<Account>, name: &str, request: Request<Body>) -> Result<Response<Body>, Refused> {
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let sent = Sent { headers: check_headers(&parts.headers)?, body: read(body).await? };
    let missing = || Refused::Validation {
        code: Some("NO_SUCH_ENDPOINT"),
        message: format!("Endpoint {name} of account {ACCOUNT} not found."),
    };
    let serving = account.endpoints.get(name).is_some_and(|endpoint| endpoint.deployed.is_some());
    let leased = if serving { account.fleets.lease(name, account.timing.restart).await } else { None };
    let fleet = &leased.as_ref().ok_or_else(missing)?.fleet;
    let target = sent.headers.get(TARGET_VARIANT).and_then(|v| v.to_str().ok());
    let variant = fleet.variant(target).ok_or_else(|| Refused::Validation {
        code: None,
        message: format!("Variant {} was not found on endpoint {name}.", target.unwrap_or_default()),
    })?;
    if variant.is_full() {
        return Err(Refused::Throttled);
    }
    if fleet.copies(variant) {
        copy(account, name, fleet, &sent);
    }
    let (headers, body) = exchange(account, name, fleet, variant, &sent, begun).await?;
    let mut response = Response::new(Body::from(body));
    for name in BACK {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    if let Ok(value) = HeaderValue::from_str(&variant.name) {
        response.headers_mut().insert(VARIANT, value);
    }
    Ok(response)
}

/// Asks a variant, counts and captures it.
async fn exchange(
    account: &Arc<Account>,
    name: &str,
    fleet: &Fleet,
    variant: &Variant,
    sent: &Sent,
    begun: Instant,
) -> Result<(HeaderMap, Bytes), Refused> {
    let at = time::now();
    let forwarded = Instant::now();
    let limit = forwarded + account.timing.invocation;
    let answered = timeout_at(limit, forward(fleet, variant, sent, account.timing.restart)).await;
    let answered = answered.unwrap_or_else(|_| {
        let message = "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.";
        Err(Refused::Model { status: 0, message: message.to_owned() })
    });
    let (model, overhead) = (forwarded.elapsed(), forwarded.duration_since(begun));
    let seen = Invocation {
        endpoint: name,
        variant: &variant.name,
        instances: variant.size(),
        status: answered.as_ref().ok().map(|(status, ..)| status.as_u16()),
        model,
        overhead,
    };
    measure::record(account, &seen);
    let (status, headers, body) = answered?;
    if !status.is_success() {
        return Err(Refused::Model { status: status.as_u16(), message: String::from_utf8_lossy(&body).into_owned() });
    }
    if let Some(capture) = &fleet.capture {
        let text =
            |headers: &HeaderMap, name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        capture.record(Exchange {
            variant: variant.name.clone(),
            input: Side { content_type: text(&sent.headers, header::CONTENT_TYPE), data: sent.body.clone() },
            output: Side { content_type: text(&headers, header::CONTENT_TYPE), data: body.clone() },
            inference_id: text(&sent.headers, INFERENCE_ID),
            custom_attributes: text(&sent.headers, ATTRIBUTES),
            at,
        });
    }
    Ok((headers, body))
}

/// Asks the shadow variant the same. Nobody waits for it and its answer goes to nobody: it is counted and captured.
fn copy(account: &Arc<Account>, name: &str, fleet: &Arc<Fleet>, sent: &Sent) {
    let (account, name, fleet, sent, lease) =
        (account.clone(), name.to_owned(), fleet.clone(), sent.clone(), fleet.lease());
    account.clone().tasks.spawn(async move {
        if let Some(shadow) = fleet.shadow() {
            let _ = exchange(&account, &name, &fleet, shadow, &sent, Instant::now()).await;
        }
        drop(lease);
    });
}

/// Sends a body to the fleet's first variant and waits, not for ever; the reason where no answer comes.
pub(crate) async fn ask(
    account: &Account,
    fleet: &Fleet,
    headers: HeaderMap,
    body: Bytes,
    limit: Duration,
) -> Result<(StatusCode, HeaderMap, Bytes), String> {
    let variant = fleet.variant(None).ok_or("there is no variant")?;
    let sent = Sent { headers, body };
    match timeout(limit, forward(fleet, variant, &sent, account.timing.restart)).await {
        Ok(answered) => answered.map_err(|refused| match refused {
            Refused::Validation { message, .. } | Refused::Model { message, .. } => message,
            Refused::Throttled => "there are too many requests".to_owned(),
        }),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
    }
}

/// What goes to the container.
#[derive(Clone)]
struct Sent {
    headers: HeaderMap,
    body: Bytes,
}

fn check_headers(all: &HeaderMap) -> Result<HeaderMap, Refused> {
    let mut headers = HeaderMap::new();
    for name in THERE {
        if let Some(value) = all.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, member, most) in [(ATTRIBUTES, "customAttributes", 1024), (INFERENCE_ID, "inferenceId", 64)] {
        if let Some(value) = headers.get(name).filter(|v| v.len() > most) {
            let shown = String::from_utf8_lossy(value.as_bytes());
            return Err(Refused::Validation {
                code: None,
                message: format!(
                    "1 validation error detected: Value '{shown}' at '{member}' failed to satisfy constraint: Member must have length less than or equal to {most}"
                ),
            });
        }
    }
    Ok(headers)
}

async fn read(body: Body) -> Result<Bytes, Refused> {
    let read = Limited::new(body, LARGEST).collect().await;
    read.map(|body| body.to_bytes()).map_err(|e| Refused::Validation {
        code: None,
        message: match e.downcast_ref::<LengthLimitError>() {
            Some(_) => format!("Request size exceeds the maximum payload of {LARGEST} bytes."),
            None => format!("The request's body could not be read to its end: {e}"),
        },
    })
}

/// Sends to an instance; where its process has died meanwhile, to another, or to the same once it is up again.
async fn forward(
    fleet: &Fleet,
    variant: &Variant,
    sent: &Sent,
    patience: Duration,
) -> Result<(StatusCode, HeaderMap, Bytes), Refused> {
    let died = |detail: String| Refused::Model { status: 0, message: detail };
    let (limit, mut resends) = (Instant::now() + patience, 0);
    loop {
        let Some(instance) = variant.ready() else {
            let up = timeout_at(limit, variant.any_ready()).await;
            up.map_err(|_| died("the container's process is down and did not come back in time".to_owned()))?;
            continue;
        };
        let Some(address) = instance.address() else { continue };
        let _busy = instance.busy.take();
        let mut request = Request::new(Full::new(sent.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.headers_mut() = sent.headers.clone();
        *request.uri_mut() = format!("http://{address}/invocations").parse().map_err(|e| died(format!("{e}")))?;
        match fleet.client.request(request).await {
            Ok(answer) => {
                let (head, body) = answer.into_parts();
                match Limited::new(body, LARGEST).collect().await {
                    Ok(body) => return Ok((head.status, head.headers, body.to_bytes())),
                    Err(e) if e.downcast_ref::<LengthLimitError>().is_some() => {
                        return Err(died(format!("the container's answer is over {LARGEST} bytes")));
                    }
                    Err(e) if resends == RESENDS => return Err(died(e.to_string())),
                    Err(_) => resends += 1,
                }
            }
            // Nothing was sent: it costs nothing to try again until the process is back.
            Err(e) if e.is_connect() && Instant::now() < limit => {}
            Err(e) if e.is_connect() || resends == RESENDS => return Err(died(e.to_string())),
            Err(_) => resends += 1,
        }
        // The keeper of the process is about to notice; until then it would be chosen again.
        let mut state = instance.state.subscribe();
        let moved = state.wait_for(|state| *state != super::instance::State::Ready(address));
        // Still there after a moment: only that connection was lost.
        let _ = timeout(Duration::from_millis(20), moved).await;
        if Instant::now() >= limit {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Refused {
    fn answer(self, region: &str, endpoint: &str) -> Response<Body> {
        let (status, kind, body) = match self {
            Refused::Validation { code, message } => {
                let mut body = json!({"Message": message});
                if let Some(code) = code {
                    body["ErrorCode"] = json!(code);
                }
                (StatusCode::BAD_REQUEST, "ValidationError", body)
            }
            Refused::Throttled => {
                let body = json!({"Message": "The endpoint's MaxConcurrency is reached; try again later."});
                (StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", body)
            }
            Refused::Model { status, message } => {
                let (side, code) = match status {
                    400..500 => ("client", "CLIENT_ERROR_FROM_MODEL"),
                    _ => ("server", "INTERNAL_FAILURE_FROM_MODEL"),
                };
                let group = logs::endpoint(endpoint);
                let text = format!(
                    "Received {side} error ({status}) from primary with message \"{message}\". See https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} in account {ACCOUNT} for more information."
                );
                let body = json!({
                    "ErrorCode": code,
                    "LogStreamArn": format!("arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}"),
                    "Message": text,
                    "OriginalMessage": message,
                    "OriginalStatusCode": status,
                });
                (StatusCode::FAILED_DEPENDENCY, "ModelError", body)
            }
        };
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
        response
    }
}
