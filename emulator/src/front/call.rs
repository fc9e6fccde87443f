//! What a request calls, by botocore's names: decided by the head, and by the form where the protocol is Query.

use http::{HeaderMap, Method, request::Parts};

use crate::route::{header, parameters, signed_service};

/// A service's operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// As botocore calls it: `sagemaker`, `sagemaker-runtime`, `s3`, `cloudwatch`, …
    pub service: String,
    /// For instance `CreateTrainingJob`; empty where the request calls nothing that is known.
    pub operation: String,
}

impl Call {
    /// Of a request; `form` is the body of a Query request.
    pub fn of(head: &Parts, form: &[u8]) -> Call {
        let path = head.uri.path();
        let query = parameters(head.uri.query().unwrap_or_default());
        let target = header(&head.headers, "x-amz-target");
        let service = service(head, target, form);
        let operation = if let Some((_, operation)) = target.rsplit_once('.') {
            operation.to_owned()
        } else if let Some((_, operation)) =
            path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"))
        {
            operation.to_owned()
        } else if let Some((_, action)) = action(&query, form) {
            action
        } else {
            match service.as_str() {
                "s3" => s3(&head.method, path, &query, &head.headers).to_owned(),
                "sagemaker-runtime" => runtime(path).to_owned(),
                "scheduler" => scheduler(&head.method, path),
                _ => String::new(),
            }
        };
        Call { service, operation }
    }

    /// Whether the request's body is the user's own bytes, as long as they like.
    pub fn sends_payload(&self) -> bool {
        let object = matches!(self.operation.as_str(), "PutObject" | "UploadPart");
        self.service == "sagemaker-runtime" || self.service == "s3" && object
    }

    /// Whether the answer's body is.
    pub fn answers_payload(&self) -> bool {
        self.service == "sagemaker-runtime" || self.service == "s3" && self.operation == "GetObject"
    }
}

fn action(query: &[(String, String)], form: &[u8]) -> Option<(String, String)> {
    let form = parameters(&String::from_utf8_lossy(form));
    form.into_iter().chain(query.iter().cloned()).find(|(key, _)| key == "Action")
}

fn service(head: &Parts, target: &str, form: &[u8]) -> String {
    let path = head.uri.path();
    let signed = signed_service(&head.headers, head.uri.query().unwrap_or_default());
    let named = match signed.as_deref() {
        Some("sagemaker") if path != "/" => "sagemaker-runtime",
        Some("monitoring") => "cloudwatch",
        Some("s3express") => "s3",
        Some(other) => other,
        None if target.starts_with("SageMaker.") => "sagemaker",
        None if target.starts_with("Logs_") => "logs",
        None if path.starts_with("/endpoints/") && head.method == Method::POST => "sagemaker-runtime",
        None if path.starts_with("/schedules") => "scheduler",
        None if !form.is_empty() => "sts",
        None => "s3",
    };
    named.to_owned()
}

fn runtime(path: &str) -> &'static str {
    match path.rsplit('/').next() {
        Some("invocations") => "InvokeEndpoint",
        Some("async-invocations") => "InvokeEndpointAsync",
        Some("invocations-response-stream") => "InvokeEndpointWithResponseStream",
        _ => "",
    }
}

fn scheduler(method: &Method, path: &str) -> String {
    let verb = match method.as_str() {
        "POST" => "Create",
        "GET" => "Get",
        "PUT" => "Update",
        "DELETE" => "Delete",
        _ => return String::new(),
    };
    let mut parts = path.trim_matches('/').split('/');
    match (parts.next(), parts.next()) {
        (Some("schedules"), None) => "ListSchedules".to_owned(),
        (Some("schedules"), Some(_)) => format!("{verb}Schedule"),
        (Some("schedule-groups"), None) => "ListScheduleGroups".to_owned(),
        (Some("schedule-groups"), Some(_)) => format!("{verb}ScheduleGroup"),
        (Some("tags"), _) => match verb {
            "Create" => "TagResource",
            "Delete" => "UntagResource",
            _ => "ListTagsForResource",
        }
        .to_owned(),
        _ => String::new(),
    }
}

/// What is asked of a bucket besides its objects: parameter, then the operation without its verb.
const OF_BUCKET: [(&str, &str); 10] = [
    ("acl", "BucketAcl"),
    ("encryption", "BucketEncryption"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("notification", "BucketNotificationConfiguration"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("policy", "BucketPolicy"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
];

/// S3's operation, path style.
fn s3(method: &Method, path: &str, query: &[(String, String)], headers: &HeaderMap) -> String {
    let has = |name: &str| query.iter().any(|(key, _)| key == name);
    let copies = headers.contains_key("x-amz-copy-source");
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let verb = match method.as_str() {
        "GET" => "Get",
        "PUT" => "Put",
        "DELETE" => "Delete",
        "HEAD" => "Head",
        _ => "Post",
    };
    let plain = match (bucket.is_empty(), key.is_empty(), verb) {
        (true, _, "Get") => "ListBuckets",
        (true, ..) => "",
        (_, true, "Head") => "HeadBucket",
        (_, true, "Post") if has("delete") => "DeleteObjects",
        (_, true, _) => {
            if let Some((_, name)) = OF_BUCKET.iter().find(|(parameter, _)| has(parameter)) {
                // One name in the API's hundred is other than its sisters.
                return format!("{verb}{name}").replace("DeleteBucketLifecycleConfiguration", "DeleteBucketLifecycle");
            }
            match verb {
                "Get" if has("versions") => "ListObjectVersions",
                "Get" if has("uploads") => "ListMultipartUploads",
                "Get" if has("list-type") => "ListObjectsV2",
                "Get" => "ListObjects",
                "Put" => "CreateBucket",
                "Delete" => "DeleteBucket",
                _ => "",
            }
        }
        (_, _, "Post") if has("uploads") => "CreateMultipartUpload",
        (_, _, "Post") if has("uploadId") => "CompleteMultipartUpload",
        (_, _, "Put") if has("uploadId") => {
            if copies {
                "UploadPartCopy"
            } else {
                "UploadPart"
            }
        }
        (_, _, "Get") if has("uploadId") => "ListParts",
        (_, _, "Delete") if has("uploadId") => "AbortMultipartUpload",
        (_, _, "Get") if has("attributes") => "GetObjectAttributes",
        _ if has("tagging") => return format!("{verb}ObjectTagging"),
        (_, _, "Put") if copies => "CopyObject",
        (_, _, "Post") => "",
        _ => return format!("{verb}Object"),
    };
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_botocores_names() {
        let auth = |service: &str| {
            (
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential=AK/20240101/us-east-1/{service}/aws4_request, SignedHeaders=host"),
            )
        };
        let target = |name: &str| ("x-amz-target", name.to_owned());
        for (method, uri, headers, form, want) in [
            ("POST", "/", vec![auth("sagemaker"), target("SageMaker.ListModels")], "", "sagemaker ListModels"),
            ("POST", "/", vec![target("SageMaker.ListModels")], "", "sagemaker ListModels"),
            ("POST", "/endpoints/live/invocations", vec![auth("sagemaker")], "", "sagemaker-runtime InvokeEndpoint"),
            ("POST", "/", vec![auth("logs"), target("Logs_20140328.GetLogEvents")], "", "logs GetLogEvents"),
            ("POST", "/", vec![auth("sts")], "Action=GetCallerIdentity&Version=2011-06-15", "sts GetCallerIdentity"),
            ("POST", "/", vec![auth("sns")], "Version=2010-03-31&Action=CreateTopic", "sns CreateTopic"),
            (
                "POST",
                "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm",
                vec![auth("monitoring")],
                "",
                "cloudwatch PutMetricAlarm",
            ),
            (
                "POST",
                "/",
                vec![auth("application-autoscaling"), target("AnyScaleFrontendService.PutScalingPolicy")],
                "",
                "application-autoscaling PutScalingPolicy",
            ),
            ("PUT", "/schedules/daily", vec![auth("scheduler")], "", "scheduler UpdateSchedule"),
            ("GET", "/schedules", vec![auth("scheduler")], "", "scheduler ListSchedules"),
            ("GET", "/", vec![auth("s3")], "", "s3 ListBuckets"),
            ("HEAD", "/b", vec![auth("s3")], "", "s3 HeadBucket"),
            ("PUT", "/b/", vec![auth("s3")], "", "s3 CreateBucket"),
            ("GET", "/b/?list-type=2&prefix=a", vec![auth("s3")], "", "s3 ListObjectsV2"),
            ("PUT", "/b?publicAccessBlock", vec![auth("s3")], "", "s3 PutPublicAccessBlock"),
            ("GET", "/b/?versioning", vec![auth("s3")], "", "s3 GetBucketVersioning"),
            ("DELETE", "/b?lifecycle", vec![auth("s3")], "", "s3 DeleteBucketLifecycle"),
            ("POST", "/b?delete", vec![auth("s3")], "", "s3 DeleteObjects"),
            ("GET", "/b/a/c?x-id=GetObject", vec![auth("s3")], "", "s3 GetObject"),
            ("HEAD", "/b/a/c", vec![auth("s3")], "", "s3 HeadObject"),
            ("PUT", "/b/a/c?x-id=PutObject", vec![auth("s3")], "", "s3 PutObject"),
            ("PUT", "/b/k", vec![auth("s3"), ("x-amz-copy-source", "b/j".into())], "", "s3 CopyObject"),
            ("PUT", "/b/k?partNumber=1&uploadId=u", vec![auth("s3")], "", "s3 UploadPart"),
            ("POST", "/b/k?uploadId=u", vec![auth("s3")], "", "s3 CompleteMultipartUpload"),
            ("DELETE", "/b/k?uploadId=u", vec![auth("s3")], "", "s3 AbortMultipartUpload"),
            ("PUT", "/b/k?tagging", vec![auth("s3")], "", "s3 PutObjectTagging"),
            (
                "POST",
                "/",
                vec![auth("ecr"), target("AmazonEC2ContainerRegistry_V20150921.DescribeImages")],
                "",
                "ecr DescribeImages",
            ),
        ] {
            let mut request = http::Request::builder().method(method).uri(uri);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let (head, ()) = request.body(()).expect("request").into_parts();
            let Call { service, operation } = Call::of(&head, form.as_bytes());
            assert_eq!(format!("{service} {operation}"), want, "{method} {uri}");
        }
    }
}
