"""A new user's first hour with boto3 alone: from labelled text to an answer and back to nothing, and every mistake on the way.

AWS_ENDPOINT_URL and the usual variables come from the test. Refusals are held against AWS's words: those of the service's model, and those
that users have reported. Prints one line a fact; any surprise is an exception.
"""

import json
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# What boto3 would refuse by itself is sent all the same.
CONFIG = Config(parameter_validation=False)
sagemaker, runtime, s3, logs, iam = (
    boto3.client(name, config=CONFIG) for name in ("sagemaker", "sagemaker-runtime", "s3", "logs", "iam")
)
ROLE = "arn:aws:iam::000000000000:role/any"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:"
REQUIRED = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null".format
refused = 0


def refuse(call, code, message, **arguments):
    """The call is refused with this code, in words that begin so."""
    global refused
    try:
        call(**arguments)
    except ClientError as error:
        said = error.response["Error"]
        assert said["Code"] == code and said.get("Message", "").startswith(message), (arguments, said)
        refused += 1
    else:
        raise AssertionError(f"{call.__name__} took {arguments}")


def invalid(call, message, **arguments):
    refuse(call, "ValidationException", message, **arguments)


def without(request, *path):
    """The request without a member."""
    request = json.loads(json.dumps(request))
    inner = request
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return request


def until(describe, status, passing, **arguments):
    """Waits as boto3's waiters do, but not 30 s at a time."""
    while (found := describe(**arguments))[status] in passing:
        time.sleep(0.05)
    return found


s3.create_bucket(Bucket="reviews")
refuse(s3.create_bucket, "InvalidBucketName", "The specified bucket is not valid.", Bucket="Reviews")
refuse(s3.get_object, "NoSuchBucket", "The specified bucket does not exist", Bucket="gone", Key="x")
refuse(s3.get_object, "NoSuchKey", "The specified key does not exist.", Bucket="reviews", Key="gone")

# a training job
source = {"S3DataType": "S3Prefix", "S3Uri": "s3://reviews/train/"}
job = {
    "TrainingJobName": "first",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": "sagebrush", "TrainingInputMode": "File"},
    "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}],
    "OutputDataConfig": {"S3OutputPath": "s3://reviews/models"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}
nothing = 'No S3 objects found under S3 URL "s3://reviews/train/" given in input data source. Please ensure that the bucket exists'
invalid(sagemaker.create_training_job, nothing, **job)
rows = [f'"{text}, number {n}",{label}' for n in range(20) for text, label in (("works well", 1), ("broke at once", 0))]
s3.put_object(Bucket="reviews", Key="train/rows.csv", Body="\n".join(["review_text,sentiment", *rows]).encode())
for member in ("TrainingJobName", "RoleArn", "OutputDataConfig", "ResourceConfig"):
    invalid(sagemaker.create_training_job, REQUIRED(member[0].lower() + member[1:]), **without(job, member))
mode = without(job, "AlgorithmSpecification", "TrainingInputMode")
invalid(sagemaker.create_training_job, REQUIRED("algorithmSpecification.trainingInputMode"), **mode)
for change, value in [
    ({"TrainingJobName": "a_b"}, "Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular"),
    ({"ResourceConfig": job["ResourceConfig"] | {"InstanceType": "ml.big"}}, "Value 'ml.big' at 'resourceConfig.instanceType'"),
    ({"ResourceConfig": job["ResourceConfig"] | {"InstanceCount": 0}}, "Value '0' at 'resourceConfig.instanceCount'"),
    ({"OutputDataConfig": {"S3OutputPath": "reviews"}}, "Value 'reviews' at 'outputDataConfig.s3OutputPath'"),
]:
    invalid(sagemaker.create_training_job, f"1 validation error detected: {value}", **(job | change))
invalid(sagemaker.create_training_job, "2 validation errors detected: Value 'me' at 'roleArn'", **(job | {"RoleArn": "me"}))
refuse(sagemaker.create_training_job, "SerializationException", "NUMBER_VALUE can not", **(job | {"HyperParameters": {"C": 1}}))
assert sagemaker.create_training_job(**job)["TrainingJobArn"] == f"{ARN}training-job/first"
done = until(sagemaker.describe_training_job, "TrainingJobStatus", ("InProgress",), TrainingJobName="first")
assert done["TrainingJobStatus"] == "Completed", done
taken = "Training job names must be unique within an AWS account and region, and a training job with this name already exists"
refuse(sagemaker.create_training_job, "ResourceInUse", taken, **job)
invalid(sagemaker.describe_training_job, "Requested resource not found.", TrainingJobName="gone")
invalid(sagemaker.describe_training_job, REQUIRED("trainingJobName"))
ended = "The request was rejected because the training job is in status Completed."
invalid(sagemaker.stop_training_job, ended, TrainingJobName="first")
listed = sagemaker.list_training_jobs(StatusEquals="Completed", SortBy="CreationTime", SortOrder="Descending", MaxResults=1)
assert [found["TrainingJobName"] for found in listed["TrainingJobSummaries"]] == ["first"]
invalid(sagemaker.list_training_jobs, "1 validation error detected: Value '101' at 'maxResults'", MaxResults=101)
lines = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="first/")["events"]
assert any("channel train: 40 rows" in line["message"] for line in lines), lines
refuse(logs.get_log_events, "ResourceNotFoundException", "The specified log", logGroupName="gone", logStreamName="x")
print("training job:", done["TrainingJobArn"])

# a model, a config, an endpoint
artifact = done["ModelArtifacts"]["S3ModelArtifacts"]
model = {
    "ModelName": "first",
    "ExecutionRoleArn": ROLE,
    "PrimaryContainer": {"Image": "sagebrush", "ModelDataUrl": artifact},
}
gone = {"Image": "sagebrush", "ModelDataUrl": "s3://reviews/gone.tar.gz"}
invalid(sagemaker.create_model, "Could not find model data at s3://reviews/gone.tar.gz.", **(model | {"PrimaryContainer": gone}))
package = {"ModelPackageName": f"{ARN}model-package/gone/1"}
invalid(sagemaker.create_model, f"ModelPackage {ARN}model-package/gone/1 does not", **(model | {"PrimaryContainer": package}))
sagemaker.create_model(**model)
invalid(sagemaker.create_model, f'Cannot create already existing model "{ARN}model/first".', **model)
variant = {"VariantName": "all", "ModelName": "first", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
config = {"EndpointConfigName": "first", "ProductionVariants": [variant]}
at = "productionVariants.1.member"
for member in ("VariantName", "InstanceType", "InitialInstanceCount"):
    lacking = without(config, "ProductionVariants", 0, member)
    invalid(sagemaker.create_endpoint_config, REQUIRED(f"{at}.{member[0].lower()}{member[1:]}"), **lacking)
other = config | {"ProductionVariants": [variant | {"ModelName": "gone"}]}
invalid(sagemaker.create_endpoint_config, f'Could not find model "{ARN}model/gone".', **other)
sagemaker.create_endpoint_config(**config)
there = f'Cannot create already existing endpoint configuration "{ARN}endpoint-config/first".'
invalid(sagemaker.create_endpoint_config, there, **config)
missing = f'Could not find endpoint configuration "{ARN}endpoint-config/gone".'
invalid(sagemaker.create_endpoint, missing, EndpointName="reviews", EndpointConfigName="gone")
sagemaker.create_endpoint(EndpointName="reviews", EndpointConfigName="first")
there = f'Cannot create already existing endpoint "{ARN}endpoint/reviews".'
invalid(sagemaker.create_endpoint, there, EndpointName="reviews", EndpointConfigName="first")
live = until(sagemaker.describe_endpoint, "EndpointStatus", ("Creating",), EndpointName="reviews")
assert live["EndpointStatus"] == "InService", live
answer = runtime.invoke_endpoint(EndpointName="reviews", ContentType="text/csv", Accept="application/json", Body=b"works well")
assert json.load(answer["Body"])["predictions"][0]["label"] == "1" and answer["InvokedProductionVariant"] == "all"
refuse(runtime.invoke_endpoint, "ValidationError", "Endpoint gone of account 000000000000 not found.", EndpointName="gone", Body=b"x")
image = {"EndpointName": "reviews", "ContentType": "image/png", "Body": b"x"}
refuse(runtime.invoke_endpoint, "ModelError", "Received client error (415) from primary with message", **image)
invalid(sagemaker.update_endpoint, missing, EndpointName="reviews", EndpointConfigName="gone")
print("endpoint:", live["EndpointArn"])

# what is not there, and what nobody here knows
for kind, of, words in [
    ("endpoint", "Endpoint", "Could not find endpoint "),
    ("endpoint_config", "EndpointConfig", "Could not find endpoint configuration "),
    ("model", "Model", "Could not find model "),
]:
    for verb in ("describe", "delete"):
        arn = f'"{ARN}{kind.replace("_", "-")}/gone".'
        invalid(getattr(sagemaker, f"{verb}_{kind}"), words + arn, **{f"{of}Name": "gone"})
group = f"ModelPackageGroup {ARN}model-package-group/gone does not exist."
invalid(sagemaker.list_model_packages, group, ModelPackageGroupName="gone")
invalid(sagemaker.describe_processing_job, "Could not find requested job with name: gone", ProcessingJobName="gone")
job = "Could not find requested job with name: gone"
refuse(sagemaker.describe_transform_job, "ResourceNotFound", job, TransformJobName="gone")
invalid(sagemaker.describe_endpoint, "1 validation error detected: Value 'a b' at 'endpointName'", EndpointName="a b")
refuse(sagemaker.list_domains, "UnknownOperationException", "The emulator does not know the operation ListDomains")
refuse(iam.get_role, "InvalidAction", "The emulator does not know iam GetRole", RoleName="any")

# and back to nothing
sagemaker.delete_endpoint(EndpointName="reviews")
while sagemaker.list_endpoints()["Endpoints"]:
    time.sleep(0.05)
sagemaker.delete_endpoint_config(EndpointConfigName="first")
sagemaker.delete_model(ModelName="first")
assert not sagemaker.list_endpoint_configs()["EndpointConfigs"] and not sagemaker.list_models()["Models"]
refuse(s3.delete_bucket, "BucketNotEmpty", "The bucket you tried to delete is not empty.", Bucket="reviews")
print("refused:", refused)
