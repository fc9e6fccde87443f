//! The emulator as the real SDK sees it: codes, pages, versions, checksums.

use aws_sdk_s3::{
    config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider},
    error::ProvideErrorMetadata as _,
    types::{CompletedMultipartUpload, CompletedPart},
};

use crate::cli::Project;

pub fn config(url: &str) -> aws_config::SdkConfig {
    let credentials = Credentials::new("any", "any", None, None, "test");
    aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

pub fn s3(url: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&config(url)).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}

#[tokio::test]
async fn what_is_not_there_has_the_code_of_aws() {
    let project = Project::new();
    let emulator = project.emulator();
    let sagemaker = aws_sdk_sagemaker::Client::new(&config(&emulator.url));
    let endpoint = sagemaker.describe_endpoint().endpoint_name("gone").send().await.unwrap_err();
    assert_eq!(endpoint.code(), Some("ValidationException"));
    assert!(endpoint.message().unwrap().starts_with("Could not find endpoint \"arn:aws:sagemaker:"), "{endpoint:?}");
    let job = sagemaker.describe_training_job().training_job_name("gone").send().await.unwrap_err();
    assert_eq!((job.code(), job.message()), (Some("ValidationException"), Some("Requested resource not found.")));
    let group = sagemaker.list_model_packages().model_package_group_name("gone").send().await.unwrap_err();
    assert!(group.message().unwrap().contains("does not exist"), "{group:?}");
    let named = sagemaker.describe_model().model_name("not a name").send().await.unwrap_err();
    assert!(
        named.message().unwrap().contains("1 validation error detected: Value 'not a name' at 'modelName'"),
        "{named:?}"
    );
    let runtime = aws_sdk_sagemakerruntime::Client::new(&config(&emulator.url));
    let body = aws_sdk_sagemakerruntime::primitives::Blob::new("x");
    let asked = runtime.invoke_endpoint().endpoint_name("gone").body(body).send().await.unwrap_err();
    assert_eq!(asked.code(), Some("ValidationError"), "{asked:?}");
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config(&emulator.url));
    let group = logs.describe_log_streams().log_group_name("/aws/sagemaker/TrainingJobs").send().await.unwrap_err();
    assert_eq!(group.code(), Some("ResourceNotFoundException"));
    let scheduler = aws_sdk_scheduler::Client::new(&config(&emulator.url));
    assert_eq!(
        scheduler.get_schedule().name("gone").send().await.unwrap_err().code(),
        Some("ResourceNotFoundException")
    );
    let sts = aws_sdk_sts::Client::new(&config(&emulator.url)).get_caller_identity().send().await.unwrap();
    assert_eq!(sts.account(), Some("000000000000"));
    assert_eq!(emulator.stop(), Some(0));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let project = Project::new();
    let emulator = project.emulator();
    let sagemaker = aws_sdk_sagemaker::Client::new(&config(&emulator.url));
    for n in 0..7 {
        let request = sagemaker.create_model_package_group().model_package_group_name(format!("group-{n}"));
        request.send().await.unwrap();
    }
    let again = sagemaker.create_model_package_group().model_package_group_name("group-1").send().await.unwrap_err();
    assert!(again.message().unwrap().starts_with("Model Package Group already exists: "), "{again:?}");
    let mut pages = sagemaker.list_model_package_groups().max_results(3).into_paginator().send();
    let mut sizes = Vec::new();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let list = page.model_package_group_summary_list();
        sizes.push(list.len());
        names.extend(list.iter().map(|group| group.model_package_group_name().unwrap().to_owned()));
    }
    names.sort();
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(names, (0..7).map(|n| format!("group-{n}")).collect::<Vec<_>>());
    assert_eq!(emulator.stop(), Some(0));
}

#[tokio::test]
async fn objects_have_versions_and_outlive_the_process() {
    let project = Project::new();
    let emulator = project.emulator();
    let client = s3(&emulator.url);
    client.create_bucket().bucket("things").send().await.unwrap();
    let put =
        |body: &'static [u8]| client.put_object().bucket("things").key("a/b c+ü").body(body.to_vec().into()).send();
    let first = put(b"one").await.unwrap();
    let second = put(b"two").await.unwrap();
    assert_ne!(first.version_id().unwrap(), second.version_id().unwrap());
    client.delete_object().bucket("things").key("a/b c+ü").send().await.unwrap();
    let gone = client.get_object().bucket("things").key("a/b c+ü").send().await.unwrap_err();
    assert_eq!(gone.code(), Some("NoSuchKey"));

    let upload = client.create_multipart_upload().bucket("things").key("large").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, size) in [(1, 5 << 20), (2, 1000)] {
        let body = vec![b'0' + number as u8; size];
        let part = client.upload_part().bucket("things").key("large").upload_id(id).part_number(number);
        let part = part.body(body.into()).send().await.unwrap();
        parts = parts.parts(CompletedPart::builder().part_number(number).e_tag(part.e_tag().unwrap()).build());
    }
    let complete = client.complete_multipart_upload().bucket("things").key("large").upload_id(id);
    complete.multipart_upload(parts.build()).send().await.unwrap();
    assert_eq!(emulator.stop(), Some(0));

    let emulator = project.emulator();
    let client = s3(&emulator.url);
    let version = client.get_object().bucket("things").key("a/b c+ü").version_id(first.version_id().unwrap());
    assert_eq!(version.send().await.unwrap().body.collect().await.unwrap().to_vec(), b"one");
    let tail = client.get_object().bucket("things").key("large").range("bytes=5242878-5242881").send().await.unwrap();
    assert_eq!(tail.body.collect().await.unwrap().to_vec(), b"1122");
    assert_eq!(emulator.stop(), Some(0));
}
