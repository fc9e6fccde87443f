//! Processing jobs, from their inputs to their outputs.

use serde_json::{Value, json};

use crate::lab::{BUCKET, Lab, ROLE};

pub fn job(name: &str, environment: Value) -> Value {
    json!({
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "registry/image:1", "ContainerEntrypoint": ["process"], "ContainerArguments": ["--quick"]},
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
        "Environment": environment,
        "ProcessingInputs": [{"InputName": "in", "S3Input": {
            "S3Uri": format!("s3://{BUCKET}/in"), "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix", "S3InputMode": "File",
        }}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {
            "S3Uri": format!("s3://{BUCKET}/out/{name}"), "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob",
        }}]},
    })
}

pub fn over(job: &Value) -> bool {
    !["InProgress", "Stopping"].contains(&job["ProcessingJobStatus"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sees_the_contract_and_its_outputs_are_uploaded() {
    let lab = Lab::start().await;
    lab.put("in/deep/a.txt", "hello").await;
    let environment = json!({"dataset_source": "/opt/ml/processing/in", "MESSAGE": "CompletedWithViolations: 2"});
    lab.call("CreateProcessingJob", job("good", environment)).await.expect("create");
    let done = lab.until("DescribeProcessingJob", json!({"ProcessingJobName": "good"}), over).await;
    assert_eq!(done["ProcessingJobStatus"], "Completed", "{done:#}");
    assert_eq!(done["ExitMessage"], "CompletedWithViolations: 2");
    let seen = String::from_utf8(lab.get("out/good/seen.txt").await.expect("output").to_vec()).expect("text");
    for line in [
        "file processing/in/deep/a.txt=hello",
        "env dataset_source=/opt/ml/processing/in",
        "file config/resourceconfig.json=",
    ] {
        assert!(seen.contains(line), "{line} in {seen}");
    }
    let config = seen.lines().find_map(|l| l.strip_prefix("file config/processingjobconfig.json=")).expect("config");
    let config: Value = serde_json::from_str(config).expect("config");
    assert_eq!(config["ProcessingJobArn"], done["ProcessingJobArn"]);
    assert_eq!(config["NetworkConfig"], Value::Null);
    let log = lab.log("/aws/sagemaker/ProcessingJobs", "good/").await;
    assert!(log.iter().any(|line| line.starts_with("container: process --quick --ml-root")), "{log:?}");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_fails_and_stops_with_its_reason() {
    let lab = Lab::start().await;
    lab.put("in/a.txt", "x").await;
    let mut silent = job("silent", json!({}));
    silent["AppSpecification"] = json!({"ImageUri": "registry/image:1"});
    for (request, want) in [
        (
            job("told", json!({"FAIL": "x", "EXIT": "4", "MESSAGE": "baseline is missing"})),
            "AlgorithmError: baseline is missing, exit code: 4",
        ),
        (silent, "ClientError: the request has neither ContainerEntrypoint nor ContainerArguments"),
    ] {
        let name = request["ProcessingJobName"].clone();
        lab.call("CreateProcessingJob", request).await.expect("create");
        let done = lab.until("DescribeProcessingJob", json!({"ProcessingJobName": name}), over).await;
        assert_eq!(done["ProcessingJobStatus"], "Failed");
        assert!(done["FailureReason"].as_str().expect("reason").starts_with(want), "{done:#}");
    }
    lab.call("CreateProcessingJob", job("slow", json!({"SLEEP_MS": "60000"}))).await.expect("create");
    let started = |job: &Value| job.get("ProcessingStartTime").is_some();
    lab.until("DescribeProcessingJob", json!({"ProcessingJobName": "slow"}), started).await;
    lab.call("StopProcessingJob", json!({"ProcessingJobName": "slow"})).await.expect("stop");
    let done = lab.until("DescribeProcessingJob", json!({"ProcessingJobName": "slow"}), over).await;
    assert_eq!(done["ProcessingJobStatus"], "Stopped");

    let listed =
        lab.call("ListProcessingJobs", json!({"StatusEquals": "Failed", "SortBy": "Name"})).await.expect("list");
    let names: Vec<_> =
        listed["ProcessingJobSummaries"].as_array().expect("list").iter().map(|j| &j["ProcessingJobName"]).collect();
    assert_eq!(names, ["silent", "told"]);
    let missing =
        lab.refused("DescribeProcessingJob", json!({"ProcessingJobName": "none"}), "ValidationException").await;
    assert!(missing.starts_with("Could not find requested job"), "{missing}");
    let mut outside = job("outside", json!({}));
    outside["ProcessingInputs"][0]["S3Input"]["LocalPath"] = json!("/opt/ml/processing/../x");
    lab.refused("CreateProcessingJob", outside, "ValidationException").await;
    lab.emulator.shutdown().await;
}
