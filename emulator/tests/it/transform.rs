//! Transform jobs: every object below a prefix through the model's container, an `.out` object for each.

use serde_json::{Value, json};

use crate::lab::{BUCKET, Lab};

fn job(name: &str, model: &str, more: Value) -> Value {
    let mut request = json!({
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": format!("s3://{BUCKET}/batch/")}},
            "ContentType": "application/jsonlines", "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": format!("s3://{BUCKET}/out"), "Accept": "application/jsonlines", "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        match (request.get_mut(member).and_then(Value::as_object_mut), value.as_object()) {
            (Some(there), Some(more)) => there.extend(more.clone()),
            _ => request[member] = value.clone(),
        }
    }
    request
}

async fn ended(lab: &Lab, request: Value) -> Value {
    let name = request["TransformJobName"].clone();
    lab.call("CreateTransformJob", request).await.expect("create");
    let over =
        |job: &Value| !["InProgress", "Stopping"].contains(&job["TransformJobStatus"].as_str().unwrap_or_default());
    lab.until("DescribeTransformJob", json!({"TransformJobName": name}), over).await
}

async fn text(lab: &Lab, key: &str) -> String {
    String::from_utf8(lab.get(key).await.unwrap_or_else(|| panic!("{key} is not there")).to_vec()).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_come_out_in_order_joined_with_what_went_in() {
    let lab = Lab::start().await;
    lab.put("batch/a.jsonl", "{\"id\":1,\"text\":\"x\"}\n{\"id\":2,\"text\":\"y\"}\n\n{\"id\":3,\"text\":\"z\"}").await;
    lab.put("batch/more/b.jsonl", "{\"id\":4,\"text\":\"w\"}\n").await;
    lab.model("model", json!({"BY_LINE": "1"})).await;
    let processing =
        json!({"InputFilter": "$.text", "OutputFilter": "$['id','SageMakerOutput']", "JoinSource": "Input"});
    let done =
        ended(&lab, job("joined", "model", json!({"DataProcessing": processing, "MaxConcurrentTransforms": 4}))).await;
    assert_eq!(done["TransformJobStatus"], "Completed", "{done:#}");
    assert_eq!(done["TransformJobArn"], "arn:aws:sagemaker:us-east-1:000000000000:transform-job/joined");
    assert!(done["TransformStartTime"].as_f64() <= done["TransformEndTime"].as_f64());
    // All three records of a file go together: the container numbers the lines of one request.
    let line = |id: u32, n: u32, of: &str| {
        json!({"id": id, "SageMakerOutput": {"line": n, "of": format!("\"{of}\"")}}).to_string() + "\n"
    };
    assert_eq!(text(&lab, "out/a.jsonl.out").await, line(1, 0, "x") + &line(2, 1, "y") + &line(3, 2, "z"));
    assert_eq!(text(&lab, "out/more/b.jsonl.out").await, line(4, 0, "w"));
    let log = lab.log("/aws/sagemaker/TransformJobs", "joined/i-").await;
    assert!(log.iter().any(|line| line.starts_with("container: serve")), "{log:?}");

    // The container says what the request leaves open; what the request says goes before.
    let parameters =
        json!({"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}).to_string();
    lab.model("single", json!({"BY_LINE": "1", "PARAMETERS": parameters})).await;
    let to = |folder: &str| json!({"S3OutputPath": format!("s3://{BUCKET}/{folder}")});
    for (name, more, together) in [
        ("asks", json!({"TransformOutput": to("asks")}), false),
        ("says", json!({"TransformOutput": to("says"), "BatchStrategy": "MultiRecord"}), true),
    ] {
        let done = ended(&lab, job(name, "single", more)).await;
        assert_eq!(done["TransformJobStatus"], "Completed", "{done:#}");
        let out = text(&lab, &format!("{name}/a.jsonl.out")).await;
        assert_eq!(out.lines().count(), 3, "{out}");
        assert_eq!(out.contains("\"line\":2"), together, "{out}");
    }
    let listed =
        lab.call("ListTransformJobs", json!({"StatusEquals": "Completed", "NameContains": "s"})).await.expect("list");
    assert_eq!(listed["TransformJobSummaries"].as_array().map(Vec::len), Some(2));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_gains_columns_and_whole_objects_go_as_they_are() {
    let lab = Lab::start().await;
    lab.put("batch/a.csv", "7,\"good, cheap\"\r\n8,bad\n").await;
    lab.model("model", json!({"BY_LINE": "1"})).await;
    let csv = json!({
        "TransformInput": {"ContentType": "text/csv"}, "TransformOutput": {"Accept": "text/csv"},
        "DataProcessing": {"InputFilter": "$[1]", "JoinSource": "Input"},
    });
    let done = ended(&lab, job("csv", "model", csv)).await;
    assert_eq!(done["TransformJobStatus"], "Completed", "{done:#}");
    let out = text(&lab, "out/a.csv.out").await;
    let rows: Vec<&str> = out.lines().collect();
    assert!(rows[0].starts_with("7,\"good, cheap\",") && rows[1].starts_with("8,bad,"), "{out}");

    lab.model("plain", json!({})).await;
    let whole = json!({
        "TransformInput": {"SplitType": "None", "ContentType": "text/plain"},
        "TransformOutput": {"AssembleWith": "None", "Accept": "text/plain", "S3OutputPath": format!("s3://{BUCKET}/whole")},
    });
    let done = ended(&lab, job("whole", "plain", whole)).await;
    assert_eq!(done["TransformJobStatus"], "Completed", "{done:#}");
    let out = text(&lab, "whole/a.csv.out").await;
    assert!(out.ends_with("\\n\\n7,\\\"good, cheap\\\"\\r\\n8,bad\\n"), "one request, every byte of it: {out}");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_end_well_says_where() {
    let lab = Lab::start().await;
    lab.put("batch/a.jsonl", "{\"text\":\"x\"}\nnot json\n").await;
    lab.model("refuses", json!({"STATUS": "415 Odd"})).await;
    lab.model("sick", json!({"EXIT_AT_START": "9"})).await;
    lab.model("quiet", json!({})).await;
    let filter = json!({"DataProcessing": {"InputFilter": "$.text"}});
    let join = json!({"DataProcessing": {"JoinSource": "Input"}});
    for (name, model, more, want) in [
        ("filter", "quiet", filter, "AlgorithmError: s3://lab/batch/a.jsonl: record 2: it is not JSON: expected ident"),
        (
            "status",
            "refuses",
            json!({}),
            "AlgorithmError: s3://lab/batch/a.jsonl: Bad HTTP status received from algorithm: 415: ",
        ),
        (
            "start",
            "sick",
            json!({}),
            "The primary container for production variant start did not pass the ping health check.",
        ),
        ("count", "quiet", join, "AlgorithmError: s3://lab/batch/a.jsonl: 1 answers to the 2 records from record 1 on"),
    ] {
        let done = ended(&lab, job(name, model, more)).await;
        assert_eq!(done["TransformJobStatus"], "Failed", "{done:#}");
        assert!(done["FailureReason"].as_str().unwrap_or_default().starts_with(want), "{done:#}");
        assert_eq!(lab.keys("out/").await, Vec::<String>::new(), "nothing of an object that failed");
    }
    for (more, want) in [
        (
            json!({"DataProcessing": {"InputFilter": "text"}}),
            "InputFilter: `text` is no JSONPath that a transform job takes: it does not begin with $",
        ),
        (
            json!({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}),
            "MaxConcurrentTransforms x MaxPayloadInMB is 120; it must not exceed 100.",
        ),
        (
            json!({"TransformInput": {"SplitType": "RecordIO"}}),
            "SplitType RecordIO is not supported by the emulator; use Line or None.",
        ),
        (
            json!({"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"AssembleWith": "None"}}),
            "DataProcessing needs SplitType and AssembleWith to be the same, and Line for text/csv.",
        ),
        (json!({"ModelName": "gone"}), "Could not find model \"arn:aws:sagemaker:us-east-1:000000000000:model/gone\"."),
    ] {
        assert_eq!(lab.refused("CreateTransformJob", job("refused", "quiet", more), "ValidationException").await, want);
    }
    let missing = lab.refused("DescribeTransformJob", json!({"TransformJobName": "gone"}), "ResourceNotFound").await;
    assert_eq!(missing, "Could not find requested job with name: gone");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_ends_its_container() {
    let lab = Lab::start().await;
    lab.put("batch/a.jsonl", "1\n").await;
    lab.model("slow", json!({"DELAY_MS": "60000"})).await;
    lab.call("CreateTransformJob", job("slow", "slow", json!({}))).await.expect("create");
    lab.until("DescribeTransformJob", json!({"TransformJobName": "slow"}), |job| job["TransformStartTime"].is_number())
        .await;
    lab.call("StopTransformJob", json!({"TransformJobName": "slow"})).await.expect("stop");
    let over = |job: &Value| job["TransformJobStatus"] != "Stopping";
    let done = lab.until("DescribeTransformJob", json!({"TransformJobName": "slow"}), over).await;
    assert_eq!(done["TransformJobStatus"], "Stopped", "{done:#}");
    let again = lab.refused("StopTransformJob", json!({"TransformJobName": "slow"}), "ValidationException").await;
    assert_eq!(again, "The request was rejected because the transform job is in status Stopped.");
    let work = std::fs::read_dir(lab.folder.path().join("state/work")).expect("work").count();
    assert_eq!(work, 0, "the container's folder is removed");
    lab.emulator.shutdown().await;
}
