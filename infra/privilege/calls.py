"""What IAM is asked for when an API operation is called: actions, resources and condition keys of a recorded call.

A call is `{"service": …, "operation": …, "request": {…}}` with names and members as botocore has them. The mapping follows the
Service Authorization Reference (reference.py holds it against AWS's tables). An operation that is not here is an error.
"""

import json
import re

from evaluator import Request

# Operations on one named resource: its type, and the member that names it.
NAMED = {
    "CreateEndpoint": ("endpoint", "EndpointName"),
    "CreateEndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "CreateHyperParameterTuningJob": ("hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
    "CreateInferenceComponent": ("inference-component", "InferenceComponentName"),
    "CreateModel": ("model", "ModelName"),
    "CreateModelPackageGroup": ("model-package-group", "ModelPackageGroupName"),
    "CreateProcessingJob": ("processing-job", "ProcessingJobName"),
    "CreateTrainingJob": ("training-job", "TrainingJobName"),
    "CreateTransformJob": ("transform-job", "TransformJobName"),
    "DeleteEndpoint": ("endpoint", "EndpointName"),
    "DeleteEndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "DeleteInferenceComponent": ("inference-component", "InferenceComponentName"),
    "DeleteModel": ("model", "ModelName"),
    "DescribeEndpoint": ("endpoint", "EndpointName"),
    "DescribeEndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "DescribeHyperParameterTuningJob": ("hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
    "DescribeInferenceComponent": ("inference-component", "InferenceComponentName"),
    "DescribeModel": ("model", "ModelName"),
    "DescribeModelPackage": ("model-package", "ModelPackageName"),
    "DescribeModelPackageGroup": ("model-package-group", "ModelPackageGroupName"),
    "DescribeProcessingJob": ("processing-job", "ProcessingJobName"),
    "DescribeTrainingJob": ("training-job", "TrainingJobName"),
    "DescribeTransformJob": ("transform-job", "TransformJobName"),
    "ListTrainingJobsForHyperParameterTuningJob": ("hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
    "StopHyperParameterTuningJob": ("hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
    "StopProcessingJob": ("processing-job", "ProcessingJobName"),
    "StopTrainingJob": ("training-job", "TrainingJobName"),
    "StopTransformJob": ("transform-job", "TransformJobName"),
    "UpdateEndpoint": ("endpoint", "EndpointName"),
    "UpdateEndpointWeightsAndCapacities": ("endpoint", "EndpointName"),
    "UpdateInferenceComponent": ("inference-component", "InferenceComponentName"),
    "UpdateInferenceComponentRuntimeConfig": ("inference-component", "InferenceComponentName"),
    "UpdateModelPackage": ("model-package", "ModelPackageArn"),
}
# Operations that AWS authorises on everything or not at all.
WHOLE = {
    "application-autoscaling": {
        "DescribeScalableTargets",
        "DescribeScalingActivities",
        "DescribeScalingPolicies",
        "DescribeScheduledActions",
    },
    "cloudwatch": {"GetMetricData", "GetMetricStatistics", "ListMetrics"},
    "ecr": {"GetAuthorizationToken"},
    "sagemaker": {
        "ListEndpointConfigs",
        "ListEndpoints",
        "ListHyperParameterTuningJobs",
        "ListInferenceComponents",
        "ListModelPackageGroups",
        "ListModelPackages",
        "ListModels",
        "ListProcessingJobs",
        "ListTrainingJobs",
        "ListTransformJobs",
    },
    "scheduler": {"ListSchedules"},
}
OBJECT_WRITES = {"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}
BUCKET = {
    "CreateBucket": "CreateBucket",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketVersioning": "GetBucketVersioning",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjectsV2": "ListBucket",
    "PutBucketTagging": "PutBucketTagging",
    "PutBucketVersioning": "PutBucketVersioning",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


class Unknown(ValueError):
    """An operation that nobody has said the permissions of."""


class Where:
    """The account and region of a call."""

    def __init__(self, account, region):
        self.account, self.region = account, region
        self.context = {"aws:RequestedRegion": region, "aws:SecureTransport": "true"}

    def arn(self, service, rest):
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def ask(self, action, resource="*", **context):
        extra = {key.replace("__", ":"): value for key, value in context.items() if value is not None}
        if action.startswith("s3:"):
            extra |= {"aws:ResourceAccount": self.account, "s3:TlsVersion": "1.3"}
        return Request(action, resource, {**self.context, **extra})

    def object(self, action, bucket, key):
        return self.ask(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}")

    def bucket(self, action, bucket):
        return self.ask(f"s3:{action}", f"arn:aws:s3:::{bucket}")


def asked(call, where):
    """What IAM is asked when the call is made."""
    service, operation, request = call["service"], call["operation"], call["request"]
    if operation in WHOLE.get(service, ()):
        return [where.ask(f"{service}:{operation}")]
    by = {
        "application-autoscaling": scaling,
        "cloudwatch": cloudwatch,
        "ecr": ecr,
        "logs": logs,
        "s3": s3,
        "sagemaker": sagemaker,
        "sagemaker-runtime": runtime,
        "scheduler": scheduler,
        "sns": sns,
        "sts": sts,
    }
    if service not in by or (made := by[service](operation, request, where)) is None:
        raise Unknown(f"{service} {operation}: say in {__file__} what IAM is asked for it")
    return made


def sagemaker(operation, request, where):
    if operation in ("AddTags", "ListTags", "DeleteTags"):
        return [where.ask(f"sagemaker:{operation}", request["ResourceArn"])]
    if operation == "CreateModelPackage":
        group = request["ModelPackageGroupName"].rpartition("/")[2]
        status = request.get("ModelApprovalStatus")
        on = [f"model-package/{group}/1", f"model-package-group/{group}"]
        return [
            where.ask("sagemaker:CreateModelPackage", where.arn("sagemaker", one), sagemaker__ModelApprovalStatus=status)
            for one in on
        ]
    if operation not in NAMED:
        return None
    kind, member = NAMED[operation]
    name = request[member]
    resource = name if name.startswith("arn:") else where.arn("sagemaker", f"{kind}/{name}")
    # AWS writes the ARNs of endpoints and their configs, and of these alone, in lower case.
    if kind.startswith("endpoint"):
        resource = resource.lower()
    status = request.get("ModelApprovalStatus")
    made = [where.ask(f"sagemaker:{operation}", resource, sagemaker__ModelApprovalStatus=status)]
    for member, kind in [("EndpointConfigName", "endpoint-config"), ("EndpointName", "endpoint")]:
        if operation in ("CreateEndpoint", "UpdateEndpoint", "CreateInferenceComponent") and member in request:
            other = where.arn("sagemaker", f"{kind}/{request[member].lower()}")
            if other != resource:
                made.append(where.ask(f"sagemaker:{operation}", other))
    if request.get("Tags"):
        made.append(where.ask("sagemaker:AddTags", resource, sagemaker__TaggingAction=operation))
    for role in roles(request):
        made.append(where.ask("iam:PassRole", role, iam__PassedToService="sagemaker.amazonaws.com"))
    return made


def roles(request):
    """Roles that SageMaker is given to work as."""
    definition = request.get("TrainingJobDefinition") or {}
    found = [request.get("RoleArn"), request.get("ExecutionRoleArn"), definition.get("RoleArn")]
    return [role for role in found if role]


def runtime(operation, request, where):
    if operation not in ("InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"):
        return None
    return [where.ask(f"sagemaker:{operation}", where.arn("sagemaker", f"endpoint/{request['EndpointName'].lower()}"))]


def s3(operation, request, where):
    bucket, key = request["Bucket"], request.get("Key")
    if operation in BUCKET:
        return [where.bucket(BUCKET[operation], bucket)]
    if operation in ("GetObject", "HeadObject"):
        action = "GetObjectVersion" if request.get("VersionId") else "GetObject"
        # Without the second, an object that is not there is 403 and not 404.
        return [where.object(action, bucket, key), where.bucket("ListBucket", bucket)]
    if operation in OBJECT_WRITES:
        return [where.object("PutObject", bucket, key)]
    if operation == "AbortMultipartUpload":
        return [where.object("AbortMultipartUpload", bucket, key)]
    if operation == "CopyObject":
        source = request["CopySource"]
        if isinstance(source, dict):
            source = f"{source['Bucket']}/{source['Key']}"
        from_bucket, _, from_key = source.lstrip("/").partition("?")[0].partition("/")
        return [where.object("GetObject", from_bucket, from_key), where.object("PutObject", bucket, key)]
    return None


def logs(operation, request, where):
    if operation not in ("DescribeLogStreams", "FilterLogEvents", "GetLogEvents"):
        return None
    group = request.get("logGroupName") or request["logGroupIdentifier"].rpartition("log-group:")[2]
    if operation == "GetLogEvents":
        return [where.ask("logs:GetLogEvents", where.arn("logs", f"log-group:{group}:log-stream:{request['logStreamName']}"))]
    return [where.ask(f"logs:{operation}", where.arn("logs", f"log-group:{group}"))]


def scheduler(operation, request, where):
    if operation not in ("CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"):
        return None
    schedule = where.arn("scheduler", f"schedule/{request.get('GroupName', 'default')}/{request['Name']}")
    made = [where.ask(f"scheduler:{operation}", schedule)]
    if role := request.get("Target", {}).get("RoleArn"):
        made.append(where.ask("iam:PassRole", role, iam__PassedToService="scheduler.amazonaws.com"))
    return made


def cloudwatch(operation, request, where):
    alarm = lambda name: where.arn("cloudwatch", f"alarm:{name}")  # noqa: E731
    match operation:
        case "PutMetricData":
            return [where.ask("cloudwatch:PutMetricData", cloudwatch__namespace=request["Namespace"])]
        case "PutMetricAlarm":
            made = [where.ask("cloudwatch:PutMetricAlarm", alarm(request["AlarmName"]))]
            if request.get("Tags"):
                made.append(where.ask("cloudwatch:TagResource", alarm(request["AlarmName"])))
            return made
        case "DescribeAlarms" | "DeleteAlarms":
            # A look by prefix is authorised on what the prefix may find.
            names = request.get("AlarmNames") or [f"{request.get('AlarmNamePrefix', '')}*"]
            return [where.ask(f"cloudwatch:{operation}", alarm(name)) for name in names]
        case "TagResource" | "ListTagsForResource":
            return [where.ask(f"cloudwatch:{operation}", request["ResourceARN"])]
    return None


def sns(operation, request, where):
    if operation == "CreateTopic":
        made = [where.ask("sns:CreateTopic", where.arn("sns", request["Name"]))]
        if request.get("Tags"):
            made.append(where.ask("sns:TagResource", where.arn("sns", request["Name"])))
        return made
    if operation == "ListTagsForResource":
        return [where.ask("sns:ListTagsForResource", request["ResourceArn"])]
    if operation in ("DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish", "Subscribe"):
        return [where.ask(f"sns:{operation}", request["TopicArn"], sns__Protocol=request.get("Protocol"))]
    return None


def scaling(operation, request, where):
    known = {
        "DeleteScalingPolicy",
        "DeleteScheduledAction",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "PutScheduledAction",
        "RegisterScalableTarget",
    }
    if operation not in known:
        return None
    # AWS names a target by a number of its own, not by the endpoint.
    target = where.arn("application-autoscaling", "scalable-target/0ec50123")
    keys = {
        "application-autoscaling__service-namespace": request["ServiceNamespace"],
        "application-autoscaling__scalable-dimension": request.get("ScalableDimension"),
    }
    made = [where.ask(f"application-autoscaling:{operation}", target, **keys)]
    if request.get("Tags"):
        made.append(where.ask("application-autoscaling:TagResource", target, **keys))
    return made


def ecr(operation, request, where):
    return [where.ask(f"ecr:{operation}", where.arn("ecr", f"repository/{request['repositoryName']}"))]


def sts(operation, request, where):
    if operation == "GetCallerIdentity":
        return []  # Nobody can be refused it.
    if operation == "AssumeRole":
        return [where.ask("sts:AssumeRole", request["RoleArn"])]
    return None


def follows(call, where, project):
    """What others ask for because of the call: (role's name, requests). Jobs and endpoints work as the execution role, and
    the scheduler starts jobs as its own."""
    service, operation, request = call["service"], call["operation"], call["request"]
    if service == "scheduler" and operation in ("CreateSchedule", "UpdateSchedule"):
        target = request["Target"]
        job = target["Arn"].rpartition(":")[2]
        later = {"service": "sagemaker", "operation": job[0].upper() + job[1:], "request": json.loads(target["Input"])}
        return [(name_of(target["RoleArn"]), asked(later, where)), *follows(later, where, project)]
    found = [name_of(role) for role in roles(request)] if operation.startswith("Create") else []
    if operation in ("CreateEndpointConfig", "CreateTransformJob"):
        # Neither names a role: they work as their model does.
        found = found or [f"{project}-ExecutionRole"]
    needed = [need for uri, written in sorted(uris(request)) for need in bucket_needs(uri, written, where)]
    needed += [need for image in sorted(images(request)) for need in image_needs(image, where)]
    return [(role, needed + chores(where)) for role in found]


def name_of(role):
    return role.rpartition("/")[2]


def uris(value, parent=""):
    """Every `s3://…` in the request, and whether it is written to."""
    if isinstance(value, list):
        for one in value:
            yield from uris(one, parent)
    elif isinstance(value, dict):
        for name, one in value.items():
            if isinstance(one, str) and one.startswith("s3://"):
                written = name in ("S3OutputPath", "DestinationS3Uri", "S3FailurePath")
                yield one, written or parent in ("S3Output", "CheckpointConfig")
            else:
                yield from uris(one, name)


def bucket_needs(uri, written, where):
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if written:
        return [where.object("PutObject", bucket, f"{key.rstrip('/')}/any")]
    return [where.object("GetObject", bucket, f"{key}any" if key.endswith("/") else key), where.bucket("ListBucket", bucket)]


def images(value):
    """Every image of the registry in the request."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from images(one)
    elif isinstance(value, str) and re.match(r"[0-9]{12}\.dkr\.ecr\.", value):
        yield value


def image_needs(image, where):
    repository = re.split("[:@]", image.partition("/")[2])[0]
    if repository.endswith("-executable"):
        return []  # The emulator's name for its own program; no registry has it.
    resource = where.arn("ecr", f"repository/{repository}")
    actions = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
    return [where.ask(f"ecr:{action}", resource) for action in actions]


def chores(where):
    """What every job and endpoint does besides."""
    group = where.arn("logs", "log-group:/aws/sagemaker/TrainingJobs")
    return [
        where.ask("ecr:GetAuthorizationToken"),
        where.ask("logs:CreateLogStream", f"{group}:log-stream:any/algo-1"),
        where.ask("logs:PutLogEvents", f"{group}:log-stream:any/algo-1"),
        where.ask("cloudwatch:PutMetricData", cloudwatch__namespace="/aws/sagemaker/TrainingJobs"),
    ]
