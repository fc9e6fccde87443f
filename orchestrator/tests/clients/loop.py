"""What a user's own boto3 sees of a finished loop.

AWS_ENDPOINT_URL and the usual variables come from the test; boto3 has no other hint that this is not AWS.
Prints one line a fact; any surprise is an exception.
"""

import io
import json
import tarfile

import boto3
from botocore.exceptions import ClientError

sagemaker = boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")
s3 = boto3.client("s3")
sns = boto3.client("sns")
cloudwatch = boto3.client("cloudwatch")


def pages(operation, key, **arguments):
    return [item for page in sagemaker.get_paginator(operation).paginate(**arguments) for item in page[key]]


# the training job
summaries = [s for s in pages("list_training_jobs", "TrainingJobSummaries") if s["TrainingJobStatus"] == "Completed"]
job = sagemaker.describe_training_job(TrainingJobName=summaries[0]["TrainingJobName"])
assert job["TrainingJobStatus"] == "Completed" and job["SecondaryStatus"] == "Completed", job
steps = [t["Status"] for t in job["SecondaryStatusTransitions"]]
assert steps[0] == "Starting" and "Training" in steps and "Uploading" in steps and steps[-1] == "Completed", steps
metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
assert 0.5 < metrics["accuracy"] <= 1.0, metrics
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job["TrainingJobName"])
print("training job:", job["TrainingJobName"], job["TrainingJobStatus"], f"accuracy {metrics['accuracy']:.4f}")

# its artifact, out of the bucket
bucket, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").split("/", 1)
artifact = s3.get_object(Bucket=bucket, Key=key)
with tarfile.open(fileobj=io.BytesIO(artifact["Body"].read()), mode="r:gz") as tar:
    names = sorted(tar.getnames())
    manifest = json.load(tar.extractfile("manifest.json"))
assert "manifest.json" in names and "vocabulary.bin" in names, names
assert manifest["classes"] == ["0", "1"], manifest["classes"]
assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
assert artifact["VersionId"], artifact
print("artifact:", f"s3://{bucket}/{key}", names)

# the registry: one more package of the same artifact, approved from here
packages = []
for group in pages("list_model_package_groups", "ModelPackageGroupSummaryList"):
    packages += pages(
        "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group["ModelPackageGroupName"]
    )
first = sagemaker.describe_model_package(ModelPackageName=packages[-1]["ModelPackageArn"])
assert first["ModelApprovalStatus"] == "Approved", first["ModelApprovalStatus"]
container = first["InferenceSpecification"]["Containers"][0]
second = sagemaker.create_model_package(
    ModelPackageGroupName=first["ModelPackageGroupName"],
    InferenceSpecification={
        "Containers": [{"Image": container["Image"], "ModelDataUrl": container["ModelDataUrl"]}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    ModelApprovalStatus="PendingManualApproval",
)["ModelPackageArn"]
role = job["RoleArn"]
try:
    sagemaker.create_model(
        ModelName="not-yet", ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": second}
    )
    raise AssertionError("a package that nobody approved became a model")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ValidationException", error
sagemaker.update_model_package(
    ModelPackageArn=second, ModelApprovalStatus="Approved", ApprovalDescription="boto3 says so"
)
assert sagemaker.describe_model_package(ModelPackageName=second)["ModelApprovalStatus"] == "Approved"
print("approved:", second)
sagemaker.delete_model_package(ModelPackageName=second)

# the endpoint
endpoint = pages("list_endpoints", "Endpoints")[0]["EndpointName"]
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
answer = runtime.invoke_endpoint(
    EndpointName=endpoint,
    ContentType="application/json",
    Body=json.dumps({"instances": ["I love it, works perfectly.", {"text": "Broke after a day, I want a refund."}]}),
)
predictions = json.load(answer["Body"])["predictions"]
assert len(predictions) == 2 and all(p["label"] in ("0", "1") and 0.5 <= p["score"] <= 1 for p in predictions)
assert answer["InvokedProductionVariant"]
print("predictions:", predictions)
try:
    runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=b"{nonsense")
    raise AssertionError("nonsense was predicted")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ModelError" and error.response["OriginalStatusCode"] == 400, error
    print("nonsense:", error.response["OriginalMessage"])

# what `monitor` made: a schedule, alarms, and the topic that they tell
topic = next(t["TopicArn"] for t in sns.list_topics()["Topics"])
project = topic.rpartition(":")[2].removesuffix("-alarms")
tags = {tag["Key"]: tag["Value"] for tag in sns.list_tags_for_resource(ResourceArn=topic)["Tags"]}
assert project in tags.values(), tags
assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["TopicArn"] == topic
alarms = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{project}-")
alarms = {alarm["AlarmName"]: alarm for page in alarms for alarm in page["MetricAlarms"]}
kinds = {"errors-5xx", "errors-4xx", "latency-p99", "no-invocations", "drift", "monitoring-missing"}
assert set(alarms) == {f"{project}-{kind}" for kind in kinds}, sorted(alarms)
assert all(topic in alarm["AlarmActions"] and alarm["ActionsEnabled"] for alarm in alarms.values()), alarms
latency = alarms[f"{project}-latency-p99"]
assert (latency["ExtendedStatistic"], latency["EvaluationPeriods"], latency["DatapointsToAlarm"]) == ("p99", 5, 3), latency
assert {"Name": "EndpointName", "Value": endpoint} in latency["Dimensions"], latency["Dimensions"]
drift = alarms[f"{project}-drift"]
assert (drift["Namespace"], drift["MetricName"]) == ("Sagebrush", "DriftViolations"), drift
# What an alarm says is what a subscriber gets: it is made to go off, and its history has it.
subscription = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="boto3@example.com", ReturnSubscriptionArn=True)
listed = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
assert "boto3@example.com" in [s["Endpoint"] for page in listed for s in page["Subscriptions"]], subscription
cloudwatch.set_alarm_state(AlarmName=drift["AlarmName"], StateValue="ALARM", StateReason="boto3 says so")
history = cloudwatch.describe_alarm_history(AlarmName=drift["AlarmName"])["AlarmHistoryItems"]
assert any("ALARM" in item["HistorySummary"] for item in history), history
assert sns.publish(TopicArn=topic, Subject="from boto3", Message="hello")["MessageId"]
found = cloudwatch.list_metrics(Namespace="AWS/SageMaker", MetricName="Invocations")["Metrics"]
assert any({"Name": "EndpointName", "Value": endpoint} in metric["Dimensions"] for metric in found), found
print("alarms:", topic, sorted(alarms))

# what AWS refuses is refused in AWS's words
for call, arguments, code in [
    (sagemaker.describe_endpoint, {"EndpointName": "gone"}, "ValidationException"),
    (sagemaker.describe_training_job, {"TrainingJobName": "gone"}, "ValidationException"),
    (sagemaker.describe_endpoint, {"EndpointName": "not a name"}, "ValidationException"),
    (sagemaker.create_model_package_group, {"ModelPackageGroupName": first["ModelPackageGroupName"]}, "ValidationException"),
    (s3.get_object, {"Bucket": bucket, "Key": "gone"}, "NoSuchKey"),
    (runtime.invoke_endpoint, {"EndpointName": "gone", "Body": b"x"}, "ValidationError"),
    (sns.get_topic_attributes, {"TopicArn": f"{topic}-gone"}, "NotFound"),
    (cloudwatch.set_alarm_state, {"AlarmName": "gone", "StateValue": "OK", "StateReason": "x"}, "ResourceNotFound"),
]:
    try:
        call(**arguments)
        raise AssertionError(f"{arguments} was accepted")
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, (arguments, error)
        print("refused:", error)
