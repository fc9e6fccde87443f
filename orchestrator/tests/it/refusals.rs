//! What AWS refuses, in AWS's own shapes: one clear message each, with what to do; and what it loses is not made twice.

use crate::{
    account::{SETTINGS, at},
    cli::{Done, Project, done},
    sdk,
    stub::{Fate, Stub, json, query},
};

fn against(project: &Project, stub: &Stub, args: &[&str]) -> Done {
    done(args, at(project, &stub.url, args).arg("--yes").output().unwrap())
}

#[test]
fn each_refusal_is_one_message_with_what_to_do() {
    let project = Project::new();
    project.write("pipeline.toml", SETTINGS);
    let emulator = project.emulator();
    against(&project, &Stub::start(&emulator.url, |_, _| Fate::Pass), &["data"]).exit(0);

    type Case = (&'static str, fn() -> Fate, &'static [&'static str]);
    let cases: [Case; 8] = [
        (
            "GetCallerIdentity",
            || query(403, "ExpiredToken", "The security token included in the request is expired"),
            &[
                "error: AWS does not say whose credentials these are (STS)",
                "hint: the credentials have expired: log in again",
            ],
        ),
        (
            "GetCallerIdentity",
            || {
                let said = "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for \
                            this request should have been\n'POST\nx-amz-security-token:planted-token'";
                query(403, "SignatureDoesNotMatch", said)
            },
            &[
                "SignatureDoesNotMatch: The request signature we calculated",
                "hint: the secret key is not the access key's",
            ],
        ),
        (
            "CreateTrainingJob",
            || {
                let said = "User: arn:aws:sts::000000000000:assumed-role/ci/run is not authorized to perform: sagemaker:CreateTrainingJob on \
                            resource: arn:aws:sagemaker:us-east-1:000000000000:training-job/story-1 because no identity-based policy \
                            allows the sagemaker:CreateTrainingJob action";
                json("AccessDeniedException", said)
            },
            &[
                "cannot be made",
                "hint: the caller needs sagemaker:CreateTrainingJob; PipelineRole or DeployRole of infra/stack.yaml has it",
            ],
        ),
        (
            "CreateTrainingJob",
            || {
                let said = "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances, with current utilization \
                            of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for \
                            this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.";
                json("ResourceLimitExceeded", said)
            },
            &[
                "ResourceLimitExceeded: The account-level service limit",
                "the quota \"ml.m5.large for training job usage\" at https://console.aws.amazon.com/servicequotas/",
                "aws service-quotas list-service-quotas --service-code sagemaker",
            ],
        ),
        (
            "CreateTrainingJob",
            || {
                let said = "Could not assume role arn:aws:iam::000000000000:role/story-ExecutionRole. Please ensure that the role exists and \
                            allows principal 'sagemaker.amazonaws.com' to assume the role.";
                json("ValidationException", said)
            },
            &["hint: the role is missing or does not trust that service: infra/stack.yaml makes both roles"],
        ),
        (
            "CreateTrainingJob",
            || {
                let said = "Invalid DNS suffix 'amazonaws.com' for region 'us-east-1' in training image. Please provide the valid \
                            <region>.<dns-suffix>: 'eu-central-1.amazonaws.com'";
                json("ValidationException", said)
            },
            &["hint: SageMaker pulls from its own region alone"],
        ),
        (
            "DescribeImages",
            || {
                let said = "The image with imageId {imageDigest:'null', imageTag:'1'} does not exist within the repository with name 'story' \
                            in the registry with id '000000000000'";
                json("ImageNotFoundException", said)
            },
            &["amazonaws.com/story:1 cannot be looked up", "hint: push the image first"],
        ),
        (
            "HEAD /story-000000000000-us-east-1",
            || Fate::Answer(403, "application/xml", String::new()),
            &[
                "error: bucket story-000000000000-us-east-1 belongs to somebody else, or access is denied",
                "s3:ListBucket",
            ],
        ),
    ];
    for (call, fate, wants) in cases {
        let stub = Stub::start(&emulator.url, move |seen, _| {
            // Path-style addresses may end in a slash or a query.
            let same = seen == call || seen.trim_end_matches('/') == call;
            if same { fate() } else { Fate::Pass }
        });
        let command: &[&str] = if call.starts_with("HEAD") { &["data"] } else { &["train"] };
        let refused = against(&project, &stub, command).exit(1);
        for want in wants {
            assert!(refused.stderr.contains(want), "{call}: {want}\n{}", refused.stderr);
        }
        assert_eq!(refused.stderr.matches("error: ").count(), 1, "{}", refused.stderr);
        assert!(!refused.stderr.contains("planted-token"), "{}", refused.stderr);
    }

    // Seen before anything is sent to SageMaker.
    let stub = Stub::start(&emulator.url, |_, _| Fate::Pass);
    project.write("elsewhere.toml", SETTINGS.replace("us-east-1", "eu-central-1"));
    let elsewhere = against(&project, &stub, &["plan", "--config", "elsewhere.toml"]).exit(2);
    assert!(elsewhere.stderr.contains("is in eu-central-1, the pipeline works in us-east-1"), "{}", elsewhere.stderr);
    assert_eq!(stub.calls(), ["GetCallerIdentity"]);
}

/// Throttled, failing, or done and the answer lost: the SDK tries again, and nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_again_is_made_once() {
    let project = Project::new();
    project.write("pipeline.toml", format!("{SETTINGS}[registry]\napproval_status = \"Approved\"\n"));
    let emulator = project.emulator();
    let stub = Stub::start(&emulator.url, |call, before| match (call, before) {
        ("GetCallerIdentity", 0) => query(503, "ServiceUnavailable", "later"),
        ("DescribeTrainingJob", 0) => json("ThrottlingException", "Rate exceeded"),
        (call, 0) if call.starts_with("Create") || call == "PUT /story-000000000000-us-east-1/" => Fate::DoneAndLost,
        _ => Fate::Pass,
    });
    against(&project, &stub, &["run"]).exit(0);
    let calls = stub.calls();
    let count = |call: &str| calls.iter().filter(|seen| *seen == call).count();
    for call in [
        "CreateTrainingJob",
        "CreateModelPackageGroup",
        "CreateModelPackage",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
    ] {
        assert!(count(call) >= 2, "{call} was tried again: {calls:?}");
    }
    let client = aws_sdk_sagemaker::Client::new(&sdk::config(&emulator.url));
    assert_eq!(client.list_training_jobs().send().await.unwrap().training_job_summaries().len(), 1);
    let packages = client.list_model_packages().model_package_group_name("story").send().await.unwrap();
    assert_eq!(packages.model_package_summary_list().len(), 1);
    assert_eq!(client.list_models().send().await.unwrap().models().len(), 1);
    assert_eq!(client.list_endpoint_configs().send().await.unwrap().endpoint_configs().len(), 1);
    assert_eq!(client.list_endpoints().send().await.unwrap().endpoints().len(), 1);
}

#[test]
fn a_wait_has_an_end() {
    let project = Project::new();
    project.write("pipeline.toml", format!("wait_minutes = 0.002\n{SETTINGS}"));
    let emulator = project.emulator();
    let stub = Stub::start(&emulator.url, |call, _| match call {
        "DescribeEndpoint" => {
            let arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/story";
            let body = serde_json::json!({
                "EndpointName": "story", "EndpointArn": arn, "EndpointConfigName": "c", "EndpointStatus": "Updating",
                "CreationTime": 1.0, "LastModifiedTime": 1.0,
            });
            Fate::Answer(200, "application/x-amz-json-1.1", body.to_string())
        }
        "ListTags" => {
            let tags = serde_json::json!({"Tags": [{"Key": "sagebrush:project", "Value": "story"}]});
            Fate::Answer(200, "application/x-amz-json-1.1", tags.to_string())
        }
        _ => Fate::Pass,
    });
    let given_up = against(&project, &stub, &["destroy"]).exit(1);
    assert!(given_up.stderr.contains("error: endpoint story is still Updating after "), "{}", given_up.stderr);
    assert!(given_up.stderr.contains("hint: repeat the command: it goes on waiting"), "{}", given_up.stderr);
}
