//! Whose a request is: by the service its signature names, then by its target, then by its path; else S3's.

use http::{HeaderMap, Method, request::Parts};

use crate::{
    protocol::{Protocol, Service},
    shelf::decode,
};

/// What CloudWatch calls itself.
const CLOUDWATCH: &str = "GraniteServiceVersion20100801";

/// Where a request goes.
#[derive(Debug, PartialEq)]
pub(crate) enum Route {
    Health,
    /// SageMaker's control plane; the operation.
    SageMaker(String),
    /// An endpoint's name.
    Invocations(String),
    Logs(String),
    AutoScaling(String),
    /// A schedule's name, where the path has one.
    Schedules(Option<String>),
    Ecr(String),
    Sts,
    /// A service that speaks several protocols.
    Spoken(Service, Protocol),
    S3,
    /// A service or path that the emulator does not know.
    Unknown(String),
}

/// Decides by the head alone.
pub(crate) fn route(head: &Parts) -> Route {
    let path = head.uri.path();
    if path == "/_sagebrush/health" {
        return Route::Health;
    }
    let target = header(&head.headers, "x-amz-target");
    let signed = signed_service(&head.headers, head.uri.query().unwrap_or_default());
    match signed.as_deref() {
        Some("sagemaker") if path != "/" => invocations(path).unwrap_or_else(|| Route::Unknown(path.to_owned())),
        Some("sagemaker") => Route::SageMaker(operation(target)),
        Some("logs") => Route::Logs(operation(target)),
        Some("application-autoscaling") => Route::AutoScaling(operation(target)),
        Some("scheduler") => schedules(path).unwrap_or_else(|| Route::Unknown(path.to_owned())),
        Some("ecr") => Route::Ecr(operation(target)),
        Some("sts") => Route::Sts,
        Some("monitoring") => Route::Spoken(Service::CloudWatch, protocol(path, target)),
        Some("sns") => Route::Spoken(Service::Sns, protocol(path, target)),
        Some("s3" | "s3express") => Route::S3,
        Some(other) => Route::Unknown(format!("{other} {}", operation(target))),
        None => unsigned(head, target, path),
    }
}

fn unsigned(head: &Parts, target: &str, path: &str) -> Route {
    match target.split_once('.') {
        Some(("SageMaker", operation)) => return Route::SageMaker(operation.to_owned()),
        Some(("Logs_20140328", operation)) => return Route::Logs(operation.to_owned()),
        Some((CLOUDWATCH, _)) => return Route::Spoken(Service::CloudWatch, protocol(path, target)),
        Some(("AnyScaleFrontendService", operation)) => return Route::AutoScaling(operation.to_owned()),
        Some(("AmazonEC2ContainerRegistry_V20150921", operation)) => return Route::Ecr(operation.to_owned()),
        _ => {}
    }
    if let Protocol::Cbor(operation) = protocol(path, target) {
        return Route::Spoken(Service::CloudWatch, Protocol::Cbor(operation));
    }
    // The link by which a subscription is confirmed or ended.
    let action = parameters(head.uri.query().unwrap_or_default()).into_iter().find(|(key, _)| key == "Action");
    if path == "/" && action.is_some_and(|(_, action)| matches!(&*action, "ConfirmSubscription" | "Unsubscribe")) {
        return Route::Spoken(Service::Sns, Protocol::Query);
    }
    let form = header(&head.headers, "content-type").starts_with("application/x-www-form-urlencoded");
    if head.method == Method::POST && path == "/" && form {
        return Route::Sts;
    }
    let invoked = if head.method == Method::POST { invocations(path) } else { None };
    invoked.or_else(|| schedules(path)).unwrap_or(Route::S3)
}

/// JSON where a header names the operation, CBOR where the path does, else a form.
fn protocol(path: &str, target: &str) -> Protocol {
    let named = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"));
    match (named, target) {
        (Some((CLOUDWATCH, operation)), _) => Protocol::Cbor(operation.to_owned()),
        (_, "") => Protocol::Query,
        (_, target) => Protocol::Json(operation(target)),
    }
}

fn operation(target: &str) -> String {
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

fn invocations(path: &str) -> Option<Route> {
    let name = path.strip_prefix("/endpoints/")?.strip_suffix("/invocations")?;
    (!name.is_empty() && !name.contains('/')).then(|| Route::Invocations(decode(name)))
}

fn schedules(path: &str) -> Option<Route> {
    match path.strip_prefix("/schedules")? {
        "" | "/" => Some(Route::Schedules(None)),
        rest => rest.strip_prefix('/').filter(|n| !n.contains('/')).map(|n| Route::Schedules(Some(decode(n)))),
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The credential scope `<access key>/<date>/<region>/<service>/aws4_request`.
fn scope(headers: &HeaderMap, query: &str) -> Option<String> {
    match header(headers, "authorization").split_once("Credential=") {
        Some((_, rest)) => rest.split(',').next().map(|scope| scope.trim().to_owned()),
        None => Some(parameters(query).into_iter().find(|(key, _)| key == "X-Amz-Credential")?.1),
    }
}

/// The service that a request is signed for.
pub(crate) fn signed_service(headers: &HeaderMap, query: &str) -> Option<String> {
    scope(headers, query)?.rsplit('/').nth(1).map(str::to_owned)
}

/// The region that a request is signed for.
pub(crate) fn signed_region(headers: &HeaderMap, query: &str) -> Option<String> {
    scope(headers, query)?.rsplit('/').nth(2).map(str::to_owned)
}

/// The access key that a request is signed with.
pub(crate) fn access_key(head: &Parts) -> Option<String> {
    let scope = scope(&head.headers, head.uri.query().unwrap_or_default())?;
    scope.split('/').next().map(str::to_owned)
}

/// The parameters of a query or form.
pub(crate) fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(key, value)| (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_find_their_service() {
        let auth = |service: &str| {
            format!("AWS4-HMAC-SHA256 Credential=AK/20240101/us-east-1/{service}/aws4_request, SignedHeaders=host")
        };
        let unknown = |what: &str| Route::Unknown(what.to_owned());
        for (method, uri, headers, want) in [
            (
                "POST",
                "/",
                vec![("authorization", auth("sagemaker")), ("x-amz-target", "SageMaker.ListModels".to_owned())],
                Route::SageMaker("ListModels".to_owned()),
            ),
            (
                "POST",
                "/endpoints/live/invocations",
                vec![("authorization", auth("sagemaker"))],
                Route::Invocations("live".to_owned()),
            ),
            ("POST", "/endpoints/live/invocations", vec![], Route::Invocations("live".to_owned())),
            ("PUT", "/endpoints/live/invocations", vec![("authorization", auth("s3"))], Route::S3),
            (
                "POST",
                "/endpoints/live/async-invocations",
                vec![("authorization", auth("sagemaker"))],
                unknown("/endpoints/live/async-invocations"),
            ),
            (
                "POST",
                "/",
                vec![("x-amz-target", "Logs_20140328.GetLogEvents".to_owned())],
                Route::Logs("GetLogEvents".to_owned()),
            ),
            (
                "GET",
                "/schedules/daily?groupName=default",
                vec![("authorization", auth("scheduler"))],
                Route::Schedules(Some("daily".to_owned())),
            ),
            ("GET", "/schedules", vec![("authorization", auth("s3"))], Route::S3),
            ("POST", "/", vec![("authorization", auth("sts"))], Route::Sts),
            (
                "POST",
                "/",
                vec![
                    ("authorization", auth("ecr")),
                    ("x-amz-target", "AmazonEC2ContainerRegistry_V20150921.DescribeImages".to_owned()),
                ],
                Route::Ecr("DescribeImages".to_owned()),
            ),
            ("POST", "/", vec![("authorization", auth("sqs"))], unknown("sqs ")),
            ("POST", "/", vec![("authorization", auth("sns"))], Route::Spoken(Service::Sns, Protocol::Query)),
            ("GET", "/?Action=ConfirmSubscription&Token=t", vec![], Route::Spoken(Service::Sns, Protocol::Query)),
            (
                "POST",
                "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm",
                vec![("authorization", auth("monitoring"))],
                Route::Spoken(Service::CloudWatch, Protocol::Cbor("PutMetricAlarm".to_owned())),
            ),
            (
                "POST",
                "/",
                vec![("x-amz-target", "GraniteServiceVersion20100801.DescribeAlarms".to_owned())],
                Route::Spoken(Service::CloudWatch, Protocol::Json("DescribeAlarms".to_owned())),
            ),
            ("GET", "/b/k?X-Amz-Credential=AK%2F20240101%2Fus-east-1%2Fs3%2Faws4_request", vec![], Route::S3),
            ("GET", "/b/k", vec![], Route::S3),
            ("GET", "/_sagebrush/health", vec![], Route::Health),
        ] {
            let mut request = http::Request::builder().method(method).uri(uri);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let (head, ()) = request.body(()).expect("request").into_parts();
            assert_eq!(route(&head), want, "{method} {uri}");
        }
    }
}
