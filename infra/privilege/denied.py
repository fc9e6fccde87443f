"""What must stay refused, whatever is granted later: (role, action, resource, condition keys, why).

`{project}`, `{account}`, `{region}` are the stack's own. Roles: those of CI ("ci" means both), of jobs, of the scheduler.
"""

CI = ("PipelineRole", "DeployRole")
ALL = (*CI, "ExecutionRole", "SchedulerRole")
OURS = "arn:aws:{service}:{region}:{account}:"
SAGEMAKER = "arn:aws:sagemaker:{region}:{account}:"
EXECUTION = "arn:aws:iam::{account}:role/{project}-ExecutionRole"
BUCKET = "arn:aws:s3:::{project}-{account}-{region}"
S3 = {"aws:ResourceAccount": "{account}", "s3:TlsVersion": "1.3"}

DENIED = [
    # Buckets.
    (ALL, "s3:GetObject", "arn:aws:s3:::somebody-elses/key", S3, "another bucket"),
    (ALL, "s3:PutObject", "arn:aws:s3:::somebody-elses/jobs/key", S3, "another bucket"),
    (ALL, "s3:ListBucket", "arn:aws:s3:::somebody-elses", S3, "another bucket"),
    (ALL, "s3:ListAllMyBuckets", "*", {}, "every bucket's name"),
    (ALL, "s3:GetObject", "arn:aws:s3:::{project}-{account}-other/key", {**S3, "aws:ResourceAccount": "999999999999"}, "our name, made by somebody else"),
    (ALL, "s3:PutObject", "arn:aws:s3:::{project}-{account}-other/jobs/key", {**S3, "aws:ResourceAccount": "999999999999"}, "our name, made by somebody else"),
    (ALL, "s3:GetObject", BUCKET + "/key", {**S3, "aws:SecureTransport": "false"}, "without TLS"),
    (ALL, "s3:GetObject", BUCKET + "/key", {**S3, "s3:TlsVersion": "1.1"}, "with TLS of the past"),
    (ALL, "s3:DeleteObject", BUCKET + "/data/train/x", S3, "data is never deleted"),
    (ALL, "s3:DeleteObjectVersion", BUCKET + "/data/train/x", S3, "nor a version of it"),
    (ALL, "s3:DeleteBucket", BUCKET, S3, "nor the bucket"),
    (ALL, "s3:PutBucketPolicy", BUCKET, S3, "who may is the stack's business"),
    (ALL, "s3:PutBucketPublicAccessBlock", BUCKET, S3, "closed to the public stays closed"),
    (ALL, "s3:PutBucketVersioning", BUCKET, S3, "versions stay on"),
    (ALL, "s3:PutLifecycleConfiguration", BUCKET, S3, "what is kept is the stack's business"),
    (("ExecutionRole",), "s3:PutObject", BUCKET + "/data/train/x", S3, "a job cannot change what it is trained on"),
    (("ExecutionRole",), "s3:PutObject", BUCKET + "/evaluations/job/gate.json", S3, "nor what it is judged by"),
    (("SchedulerRole",), "s3:GetObject", BUCKET + "/key", S3, "the scheduler reads nothing"),
    # IAM.
    (ALL, "iam:CreateRole", EXECUTION, {}, "no role is made"),
    (ALL, "iam:PutRolePolicy", EXECUTION, {}, "nor widened"),
    (ALL, "iam:AttachRolePolicy", EXECUTION, {}, "nor widened"),
    (ALL, "iam:UpdateAssumeRolePolicy", EXECUTION, {}, "nor opened"),
    (ALL, "iam:CreateAccessKey", "arn:aws:iam::{account}:user/any", {}, "no lasting key"),
    (ALL, "iam:CreateUser", "arn:aws:iam::{account}:user/any", {}, "no user"),
    (ALL, "sts:AssumeRole", "arn:aws:iam::{account}:role/Admin", {}, "no way to another role"),
    (ALL, "iam:PassRole", "arn:aws:iam::{account}:role/Admin", {"iam:PassedToService": "sagemaker.amazonaws.com"}, "another role, passed on"),
    (ALL, "iam:PassRole", "arn:aws:iam::{account}:role/{project}-DeployRole", {"iam:PassedToService": "sagemaker.amazonaws.com"}, "a role of CI, passed on"),
    (ALL, "iam:PassRole", "arn:aws:iam::999999999999:role/{project}-ExecutionRole", {"iam:PassedToService": "sagemaker.amazonaws.com"}, "another account's"),
    (ALL, "iam:PassRole", EXECUTION, {"iam:PassedToService": "ec2.amazonaws.com"}, "to another service"),
    (ALL, "iam:PassRole", EXECUTION, {"iam:PassedToService": "lambda.amazonaws.com"}, "to another service"),
    (ALL, "iam:PassRole", EXECUTION, {}, "to whoever asks"),
    (ALL, "iam:PassRole", "arn:aws:iam::{account}:role/{project}-SchedulerRole", {"iam:PassedToService": "sagemaker.amazonaws.com"}, "the scheduler's role to jobs"),
    (("DeployRole", "SchedulerRole"), "iam:PassRole", "arn:aws:iam::{account}:role/{project}-SchedulerRole", {"iam:PassedToService": "scheduler.amazonaws.com"}, "schedules are the pipeline's"),
    # SageMaker.
    (ALL, "sagemaker:CreateTrainingJob", SAGEMAKER + "training-job/other-0123", {}, "outside of the prefix"),
    (ALL, "sagemaker:CreateProcessingJob", SAGEMAKER + "processing-job/other-0123", {}, "outside of the prefix"),
    (ALL, "sagemaker:StopTrainingJob", SAGEMAKER + "training-job/other-0123", {}, "outside of the prefix"),
    (ALL, "sagemaker:CreateModel", SAGEMAKER + "model/other-0123", {}, "outside of the prefix"),
    (ALL, "sagemaker:CreateEndpoint", SAGEMAKER + "endpoint/other", {}, "outside of the prefix"),
    (ALL, "sagemaker:UpdateEndpoint", SAGEMAKER + "endpoint/other", {}, "outside of the prefix"),
    (ALL, "sagemaker:DeleteEndpoint", SAGEMAKER + "endpoint/other", {}, "outside of the prefix"),
    (ALL, "sagemaker:DeleteModel", SAGEMAKER + "model/other-0123", {}, "outside of the prefix"),
    (ALL, "sagemaker:InvokeEndpoint", SAGEMAKER + "endpoint/other", {}, "outside of the prefix"),
    (ALL, "sagemaker:UpdateModelPackage", SAGEMAKER + "model-package/other/1", {"sagemaker:ModelApprovalStatus": "Approved"}, "outside of the prefix"),
    (ALL, "sagemaker:DeleteModelPackage", SAGEMAKER + "model-package/{project}/1", {}, "the registry is never emptied"),
    (ALL, "sagemaker:DeleteModelPackageGroup", SAGEMAKER + "model-package-group/{project}", {}, "the registry is never emptied"),
    (ALL, "sagemaker:CreateNotebookInstance", SAGEMAKER + "notebook-instance/{project}-x", {}, "no notebook"),
    (ALL, "sagemaker:CreatePresignedDomainUrl", SAGEMAKER + "user-profile/d/x", {}, "no studio"),
    (ALL, "sagemaker:CreateTrainingJob", "arn:aws:sagemaker:ap-southeast-2:{account}:training-job/{project}-0123", {"aws:RequestedRegion": "ap-southeast-2"}, "another region"),
    (CI, "sagemaker:CreateEndpoint", "arn:aws:sagemaker:ap-southeast-2:{account}:endpoint/{project}", {"aws:RequestedRegion": "ap-southeast-2"}, "another region"),
    # Who trains does not approve, and who approves does not train.
    (("PipelineRole", "ExecutionRole"), "sagemaker:UpdateModelPackage", SAGEMAKER + "model-package/{project}/1", {"sagemaker:ModelApprovalStatus": "Approved"}, "approval is the reviewed environment's"),
    (("PipelineRole", "ExecutionRole"), "sagemaker:CreateModelPackage", SAGEMAKER + "model-package/{project}/1", {"sagemaker:ModelApprovalStatus": "Approved"}, "registered as approved"),
    (("PipelineRole", "ExecutionRole"), "sagemaker:CreateModelPackage", SAGEMAKER + "model-package-group/{project}", {}, "registered without saying that it waits"),
    (("PipelineRole", "ExecutionRole", "SchedulerRole"), "sagemaker:UpdateEndpoint", SAGEMAKER + "endpoint/{project}", {}, "deployment is the reviewed environment's"),
    (("PipelineRole", "ExecutionRole", "SchedulerRole"), "sagemaker:CreateEndpoint", SAGEMAKER + "endpoint/{project}", {}, "deployment is the reviewed environment's"),
    (("PipelineRole", "ExecutionRole", "SchedulerRole"), "sagemaker:DeleteEndpoint", SAGEMAKER + "endpoint/{project}", {}, "so is its end"),
    (("DeployRole", "ExecutionRole", "SchedulerRole"), "sagemaker:CreateTrainingJob", SAGEMAKER + "training-job/{project}-0123", {}, "training is the pipeline's"),
    (("DeployRole", "ExecutionRole", "SchedulerRole"), "sagemaker:CreateModelPackage", SAGEMAKER + "model-package-group/{project}", {"sagemaker:ModelApprovalStatus": "Approved"}, "registration is the pipeline's"),
    # The rest.
    (ALL, "ecr:PutImage", "arn:aws:ecr:{region}:{account}:repository/other", {}, "another repository"),
    (ALL, "ecr:BatchDeleteImage", "arn:aws:ecr:{region}:{account}:repository/{project}", {}, "images that ran are kept"),
    (ALL, "ecr:PutImageTagMutability", "arn:aws:ecr:{region}:{account}:repository/{project}", {}, "tags stay immutable"),
    (ALL, "ecr:SetRepositoryPolicy", "arn:aws:ecr:{region}:{account}:repository/{project}", {}, "who may is the stack's business"),
    (("ExecutionRole", "SchedulerRole"), "ecr:PutImage", "arn:aws:ecr:{region}:{account}:repository/{project}", {}, "a job cannot change its image"),
    (ALL, "scheduler:CreateSchedule", "arn:aws:scheduler:{region}:{account}:schedule/default/other", {}, "outside of the prefix"),
    (ALL, "cloudwatch:DeleteAlarms", "arn:aws:cloudwatch:{region}:{account}:alarm:other", {}, "outside of the prefix"),
    (ALL, "cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:{region}:{account}:alarm:other", {}, "outside of the prefix"),
    (ALL, "sns:Publish", "arn:aws:sns:{region}:{account}:other", {}, "outside of the prefix"),
    (ALL, "logs:GetLogEvents", "arn:aws:logs:{region}:{account}:log-group:/aws/lambda/other:log-stream:x", {}, "others' logs"),
    (ALL, "logs:DeleteLogGroup", "arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/TrainingJobs", {}, "logs are not deleted"),
    (CI, "application-autoscaling:RegisterScalableTarget", "arn:aws:application-autoscaling:{region}:{account}:scalable-target/0", {"application-autoscaling:service-namespace": "dynamodb"}, "another service's scaling"),
    (ALL, "ec2:RunInstances", "*", {}, "no machine"),
    (ALL, "lambda:CreateFunction", "arn:aws:lambda:{region}:{account}:function:{project}", {}, "no function"),
    (ALL, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:{region}:{account}:secret:any", {}, "no secret"),
    (ALL, "cloudformation:UpdateStack", "arn:aws:cloudformation:{region}:{account}:stack/{project}/x", {}, "nor the stack itself"),
]

# Tokens of GitHub that get no role: what differs from the right one, and why.
STRANGERS = [
    ({"sub": "repo:somebody/reviews:environment:{environment}"}, "another owner"),
    ({"sub": "repo:{repository}x:environment:{environment}"}, "another repository"),
    ({"sub": "repo:{repository}:environment:other"}, "another environment"),
    ({"sub": "repo:{repository}:ref:refs/heads/main"}, "main, without the environment"),
    ({"sub": "repo:{repository}:pull_request"}, "a pull request"),
    ({"aud": "https://github.com/example"}, "another audience"),
]
