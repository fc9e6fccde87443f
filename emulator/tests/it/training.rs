//! Training jobs, from their inputs to their artifact.

use serde_json::{Value, json};

use crate::lab::{BUCKET, Lab, ROLE, unpacked};

fn job(name: &str, environment: Value) -> Value {
    json!({
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": "registry/image:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "accuracy", "Regex": r"\baccuracy=([-+0-9.eE]+);"}],
        },
        "InputDataConfig": [{
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": format!("s3://{BUCKET}/data/train")}},
        }],
        "OutputDataConfig": {"S3OutputPath": format!("s3://{BUCKET}/jobs")},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "HyperParameters": {"C": "1.0"},
        "Environment": environment,
    })
}

fn over(job: &Value) -> bool {
    !["InProgress", "Stopping"].contains(&job["TrainingJobStatus"].as_str().unwrap_or_default())
}

fn steps(job: &Value) -> Vec<&str> {
    let transitions = job["SecondaryStatusTransitions"].as_array().expect("transitions");
    transitions.iter().map(|t| t["Status"].as_str().expect("status")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sees_the_contract_and_leaves_an_artifact() {
    let lab = Lab::start().await;
    lab.put("data/train/a.csv", "text,label\n").await;
    lab.put("data/train/more/b.csv", "b").await;
    let say = "accuracy=0.5;\nnoise\naccuracy=0.9333; f1=0.93;";
    let made = lab.call("CreateTrainingJob", job("good", json!({"SAY": say, "EVALUATE": "1"}))).await.expect("create");
    assert_eq!(made["TrainingJobArn"], "arn:aws:sagemaker:us-east-1:000000000000:training-job/good");
    let done = lab.until("DescribeTrainingJob", json!({"TrainingJobName": "good"}), over).await;
    assert_eq!(done["TrainingJobStatus"], "Completed", "{done:#}");
    assert_eq!(steps(&done), ["Starting", "Downloading", "Training", "Uploading", "Completed"]);
    assert_eq!(done["FinalMetricDataList"][0]["MetricName"], "accuracy");
    assert_eq!(done["FinalMetricDataList"][0]["Value"], 0.9333);
    assert_eq!(done["ModelArtifacts"]["S3ModelArtifacts"], "s3://lab/jobs/good/output/model.tar.gz");
    assert!(done["TrainingStartTime"].as_f64() <= done["TrainingEndTime"].as_f64());

    let seen = unpacked(&lab.get("jobs/good/output/model.tar.gz").await.expect("artifact"), "seen.txt");
    let line =
        |name: &str| seen.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {seen}"));
    let config =
        |name: &str| -> Value { serde_json::from_str(line(&format!("file input/config/{name}.json="))).expect(name) };
    assert_eq!(line("file input/data/train/a.csv="), "text,label ");
    assert_eq!(line("file input/data/train/more/b.csv="), "b");
    assert_eq!(config("hyperparameters"), json!({"C": "1.0"}));
    let channel = json!({"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"});
    assert_eq!(config("inputdataconfig"), json!({"train": channel}));
    assert_eq!(config("resourceconfig")["current_instance_type"], "ml.m5.large");
    assert_eq!(line("env TRAINING_JOB_NAME="), "good");
    assert_eq!(line("env TRAINING_JOB_ARN="), made["TrainingJobArn"].as_str().expect("arn"));
    assert_eq!(line("env AWS_ENDPOINT_URL="), lab.emulator.url());
    assert!(!seen.contains("env CARGO"), "the environment is clean: {seen}");
    assert_eq!(unpacked(&lab.get("jobs/good/output/output.tar.gz").await.expect("output"), "evaluation.json"), "{}");

    let log = lab.log("/aws/sagemaker/TrainingJobs", "good/").await;
    assert!(log[0].starts_with("[emulator] no image is pulled"), "{log:?}");
    assert!(log.contains(&"accuracy=0.9333; f1=0.93;".to_owned()), "{log:?}");
    let work = std::fs::read_dir(lab.folder.path().join("state/work")).expect("work").count();
    assert_eq!(work, 0, "the job's folder is removed");
    let again = lab.refused("CreateTrainingJob", job("good", json!({})), "ResourceInUse").await;
    assert!(again.ends_with("already exists (arn:aws:sagemaker:us-east-1:000000000000:training-job/good)"), "{again}");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_says_why() {
    let lab = Lab::start().await;
    lab.put("data/train/a.csv", "x").await;
    let mut absent = job("absent", json!({}));
    absent["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = json!(format!("s3://{BUCKET}/nothing"));
    let said = lab.refused("CreateTrainingJob", absent.clone(), "ValidationException").await;
    assert_eq!(
        said,
        format!(
            "No S3 objects found under S3 URL \"s3://lab/nothing\" given in input data source. Please ensure that the bucket exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that the role \"{ROLE}\" has \"s3:ListBucket\" permissions on bucket \"lab\"."
        )
    );
    // A manifest is read by the job itself.
    absent["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataType"] = json!("ManifestFile");
    let long = "é".repeat(2000);
    for (request, want) in [
        (job("told", json!({"FAIL": "column `sentiment` is missing", "EXIT": "3"})), "AlgorithmError: column `sentiment` is missing, exit code: 3".to_owned()),
        (job("long", json!({"FAIL": &long[..512]})), format!("AlgorithmError: {}, exit code: 1", "é".repeat(256))),
        (absent, "ClientError: Data download failed:Could not find the manifest s3://lab/nothing: The specified key does not exist., channel train".to_owned()),
    ] {
        let name = request["TrainingJobName"].clone();
        lab.call("CreateTrainingJob", request).await.expect("create");
        let done = lab.until("DescribeTrainingJob", json!({"TrainingJobName": name}), over).await;
        assert_eq!(done["TrainingJobStatus"], "Failed");
        assert_eq!(done["FailureReason"], want);
        assert_eq!(steps(&done).last(), Some(&"Failed"));
    }
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_stopped_politely_then_not() {
    let lab = Lab::start().await;
    lab.put("data/train/a.csv", "x").await;
    let mut slow = job("slow", json!({"SLEEP_MS": "60000"}));
    slow["StoppingCondition"]["MaxRuntimeInSeconds"] = json!(1);
    lab.call("CreateTrainingJob", slow).await.expect("create");
    for (name, environment) in [
        ("polite", json!({"SLEEP_MS": "60000"})),
        ("deaf", json!({"SLEEP_MS": "60000", "IGNORE_TERM": "1", "CHILD_MARK": "61"})),
    ] {
        lab.call("CreateTrainingJob", job(name, environment)).await.expect("create");
        let training = |job: &Value| job["SecondaryStatus"] == "Training";
        lab.until("DescribeTrainingJob", json!({"TrainingJobName": name}), training).await;
        lab.call("StopTrainingJob", json!({"TrainingJobName": name})).await.expect("stop");
        let done = lab.until("DescribeTrainingJob", json!({"TrainingJobName": name}), over).await;
        assert_eq!(done["TrainingJobStatus"], "Stopped", "{done:#}");
        assert_eq!(steps(&done), ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped"]);
        assert!(
            lab.get(&format!("jobs/{name}/output/model.tar.gz")).await.is_some(),
            "the model is uploaded all the same"
        );
        let again = lab.refused("StopTrainingJob", json!({"TrainingJobName": name}), "ValidationException").await;
        assert_eq!(again, "The request was rejected because the training job is in status Stopped.");
    }
    let done = lab.until("DescribeTrainingJob", json!({"TrainingJobName": "slow"}), over).await;
    assert_eq!(
        (&done["TrainingJobStatus"], &done["SecondaryStatus"]),
        (&json!("Stopped"), &json!("MaxRuntimeExceeded"))
    );
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_runtime_cannot_do_is_refused_at_once() {
    let lab = Lab::start().await;
    lab.put("data/train/a.csv", "x").await;
    let change = |path: &str, value: Value| {
        let mut request = job("refused", json!({}));
        *request.pointer_mut(path).expect(path) = value;
        request
    };
    for (request, kind, want) in [
        (change("/AlgorithmSpecification/TrainingInputMode", json!("Pipe")), "ValidationException", "Pipe"),
        (
            change("/ResourceConfig/InstanceCount", json!(2)),
            "ResourceLimitExceeded",
            "ml.m5.large for training job usage",
        ),
        (
            change("/AlgorithmSpecification/MetricDefinitions/0/Regex", json!("(")),
            "ValidationException",
            "Invalid regular expression '('",
        ),
        (
            change("/TrainingJobName", json!("a_b")),
            "ValidationException",
            "Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (change("/HyperParameters/C", json!(1.0)), "SerializationException", "can not be converted to a String"),
    ] {
        let message = lab.refused("CreateTrainingJob", request, kind).await;
        assert!(message.contains(want), "{message}");
    }
    let listed = lab.call("ListTrainingJobs", json!({})).await.expect("list");
    assert_eq!(listed["TrainingJobSummaries"], json!([]));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_come_by_manifest_and_compressed() {
    let lab = Lab::start().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, b"plain").expect("gzip");
    lab.put("data/x/a.csv.gz", gzip.finish().expect("gzip")).await;
    lab.put("data/x/b.csv.gz", "not listed").await;
    lab.put("data/manifest", format!(r#"[{{"prefix": "s3://{BUCKET}/data/"}}, "x/a.csv.gz"]"#)).await;
    let mut request = job("listed", json!({}));
    request["InputDataConfig"][0]["CompressionType"] = json!("Gzip");
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"] =
        json!({"S3DataType": "ManifestFile", "S3Uri": format!("s3://{BUCKET}/data/manifest")});
    lab.call("CreateTrainingJob", request).await.expect("create");
    let done = lab.until("DescribeTrainingJob", json!({"TrainingJobName": "listed"}), over).await;
    assert_eq!(done["TrainingJobStatus"], "Completed", "{done:#}");
    let seen = unpacked(&lab.get("jobs/listed/output/model.tar.gz").await.expect("artifact"), "seen.txt");
    assert!(seen.contains("file input/data/train/x/a.csv=plain") && !seen.contains("b.csv"), "{seen}");
    lab.emulator.shutdown().await;
}
