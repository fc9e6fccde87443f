"""What a call asks IAM for, and what follows from it."""

import unittest

import calls
from reference import Reference, meet

WHERE = calls.Where("123456789012", "eu-central-1")
SAGEMAKER = "arn:aws:sagemaker:eu-central-1:123456789012:"
ROLE = "arn:aws:iam::123456789012:role/p-ExecutionRole"


def asked(service, operation, **request):
    return [(r.action, r.resource) for r in calls.asked({"service": service, "operation": operation, "request": request}, WHERE)]


class Asked(unittest.TestCase):
    def test_a_job_passes_its_role_and_is_tagged(self):
        made = asked("sagemaker", "CreateTrainingJob", TrainingJobName="p-1", RoleArn=ROLE, Tags=[{"Key": "k", "Value": "v"}])
        job = f"{SAGEMAKER}training-job/p-1"
        self.assertEqual(made, [("sagemaker:CreateTrainingJob", job), ("sagemaker:AddTags", job), ("iam:PassRole", ROLE)])

    def test_an_endpoint_needs_its_config_too(self):
        for operation in ("CreateEndpoint", "UpdateEndpoint"):
            made = asked("sagemaker", operation, EndpointName="P", EndpointConfigName="P-1")
            self.assertEqual([resource for _, resource in made], [f"{SAGEMAKER}endpoint/p", f"{SAGEMAKER}endpoint-config/p-1"])

    def test_a_version_of_an_object_is_another_action(self):
        self.assertEqual(asked("s3", "GetObject", Bucket="b", Key="k")[0], ("s3:GetObject", "arn:aws:s3:::b/k"))
        self.assertEqual(asked("s3", "GetObject", Bucket="b", Key="k", VersionId="1")[0][0], "s3:GetObjectVersion")

    def test_what_is_not_known_is_an_error(self):
        for service, operation in [("sagemaker", "CreateApp"), ("ec2", "RunInstances"), ("s3", "DeleteBucket")]:
            with self.assertRaises(calls.Unknown):
                asked(service, operation, Bucket="b")

    def test_what_a_job_reads_and_writes_follows_from_it(self):
        request = {
            "TrainingJobName": "p-1",
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/p@sha256:0"},
            "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": "s3://b/data/"}}}],
            "OutputDataConfig": {"S3OutputPath": "s3://b/jobs"},
        }
        call = {"service": "sagemaker", "operation": "CreateTrainingJob", "request": request}
        ((role, needed),) = calls.follows(call, WHERE, "p")
        self.assertEqual(role, "p-ExecutionRole")
        needed = {(one.action, one.resource) for one in needed}
        for want in [
            ("s3:GetObject", "arn:aws:s3:::b/data/any"),
            ("s3:ListBucket", "arn:aws:s3:::b"),
            ("s3:PutObject", "arn:aws:s3:::b/jobs/any"),
            ("ecr:BatchGetImage", "arn:aws:ecr:eu-central-1:123456789012:repository/p"),
        ]:
            self.assertIn(want, needed)
        self.assertNotIn(("s3:PutObject", "arn:aws:s3:::b/data/any"), needed)

    def test_a_schedule_starts_jobs_as_the_schedulers_role(self):
        target = {
            "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob",
            "RoleArn": "arn:aws:iam::123456789012:role/p-SchedulerRole",
            "Input": f'{{"ProcessingJobName": "p-x", "RoleArn": "{ROLE}"}}',
        }
        call = {"service": "scheduler", "operation": "CreateSchedule", "request": {"Name": "p-monitor", "Target": target}}
        (scheduler, starts), (execution, _) = calls.follows(call, WHERE, "p")
        self.assertEqual((scheduler, execution), ("p-SchedulerRole", "p-ExecutionRole"))
        self.assertEqual([one.action for one in starts], ["sagemaker:CreateProcessingJob", "iam:PassRole"])


class Tables(unittest.TestCase):
    def test_what_a_policy_says_wrong(self):
        reference = Reference()
        for statement, want in [
            ({"Action": "s3:GetObjects", "Resource": "*"}, "there is no such action"),
            ({"Action": "sagemaker:CreateModel", "Resource": "arn:aws:s3:::b"}, "which it does not take"),
            ({"Action": "sagemaker:CreateModel", "Resource": "*"}, "can be held to a resource"),
            ({"Action": "iam:PassRole", "Resource": ROLE, "Condition": {"Bool": {"s3:prefix": "x"}}}, "does not know"),
            ({"Action": "iam:PassRole", "Resource": ROLE}, None),
        ]:
            found = list(reference.wrong(statement))
            self.assertEqual(len(found), bool(want), found)
            self.assertTrue(want is None or want in found[0], found)

    def test_patterns_meet_where_one_text_matches_both(self):
        for first, second, want in [("a*", "*b", True), ("a*c", "ab*", True), ("a", "b*", False), ("*", "", True), ("a*b", "a*c", False)]:
            self.assertEqual(meet(first, second), want, (first, second))


if __name__ == "__main__":
    unittest.main()
