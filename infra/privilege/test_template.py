"""stack.yaml as it comes out with other parameters, and what of CloudFormation is not known."""

import pathlib
import tempfile
import unittest

from template import Stack

STACK = pathlib.Path(__file__).resolve().parent.parent / "stack.yaml"


def stack(**given):
    return Stack(STACK, "123456789012", "eu-central-1", **given)


def matched(pattern, event):
    """Whether EventBridge would take the event: every key, any of its alternatives; of a list, any element."""

    def one(wanted, value):
        if not isinstance(wanted, dict):
            return wanted == value
        ((how, what),) = wanted.items()
        match how:
            case "prefix":
                return isinstance(value, str) and value.startswith(what)
            case "anything-but":
                return value is not None and not one(what, value)
        raise ValueError(f"{how} is not known here")

    for key, wanted in pattern.items():
        if isinstance(wanted, dict):
            if not matched(wanted, event.get(key, {})):
                return False
            continue
        values = event.get(key)
        values = values if isinstance(values, list) else [values]
        if not any(one(alternative, value) for alternative in wanted for value in values):
            return False
    return True


class Resolved(unittest.TestCase):
    def test_names_are_built_on_the_project(self):
        made = stack(Project="reviews").resources
        self.assertEqual(made["Bucket"]["Properties"]["BucketName"], "reviews-123456789012-eu-central-1")
        self.assertEqual(made["ExecutionRole"]["Properties"]["RoleName"], "reviews-ExecutionRole")
        resource = made["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]
        self.assertEqual(resource[1], "arn:aws:s3:::reviews-123456789012-eu-central-1/*")

    def test_without_a_repository_there_are_no_roles_for_it(self):
        self.assertEqual(set(stack().roles()), {"ExecutionRole", "SchedulerRole"})
        self.assertNotIn("GitHubProvider", stack().resources)

    def test_another_region_makes_no_roles(self):
        self.assertEqual(stack(Roles="none", GitHubRepository="o/r").roles(), [])

    def test_a_provider_is_made_or_taken(self):
        made = stack(GitHubRepository="o/r")
        self.assertIn("GitHubProvider", made.resources)
        trust, _ = made.role("PipelineRole")
        provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        self.assertEqual(trust[0]["Principal"]["Federated"], provider)
        taken = stack(GitHubRepository="o/r", GitHubProviderArn="arn:of:another")
        self.assertNotIn("GitHubProvider", taken.resources)
        self.assertEqual(taken.role("DeployRole")[0][0]["Principal"]["Federated"], "arn:of:another")

    def test_immutable_subjects(self):
        trust, _ = stack(GitHubRepository="octo@123/reviews@456").role("DeployRole")
        subject = trust[0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        self.assertEqual(subject, "repo:octo@123/reviews@456:environment:production")

    def test_the_roles_work_where_they_are_told(self):
        def regions(made):
            denied = [one for one in made.role("PipelineRole")[1] if one["Effect"] == "Deny"]
            return denied[0]["Condition"]["StringNotEquals"]["aws:RequestedRegion"]

        self.assertEqual(regions(stack(GitHubRepository="o/r")), ["eu-central-1"])
        self.assertEqual(regions(stack(GitHubRepository="o/r", Regions="eu-west-1,us-east-1")), ["eu-west-1", "us-east-1"])

    def test_the_words_that_moved_reach_the_topic_and_nobody_else_publishes(self):
        made = stack(Project="reviews")
        rule = made.resources["DriftMessage"]["Properties"]
        topic = "arn:aws:sns:eu-central-1:123456789012:reviews-alarms"
        self.assertEqual([target["Arn"] for target in rule["Targets"]], [topic])

        def matches(job, status="Completed", message="CompletedWithViolations: refund"):
            arn = f"arn:aws:sagemaker:eu-central-1:123456789012:processing-job/{job}"
            detail = {"ProcessingJobName": job, "ProcessingJobStatus": status, "ExitMessage": message}
            kind = "SageMaker Processing Job State Change"
            event = {"source": "aws.sagemaker", "detail-type": kind, "resources": [arn], "detail": detail}
            return matched(rule["EventPattern"], event)

        self.assertTrue(matches("reviews-d32c5kddcf5bb8c3"))
        for other in [
            matches("reviews-watch-1764529200000"),
            matches("others-d32c5kddcf5bb8c3"),
            matches("reviews-d32c5kddcf5bb8c3", status="Failed"),
            matches("reviews-d32c5kddcf5bb8c3", message="Completed: alike"),
            matches("reviews-d32c5kddcf5bb8c3", message=None),
        ]:
            self.assertFalse(other)
        allowed = [one for one in made.policy_of("AWS::SNS::TopicPolicy") if one["Effect"] == "Allow"]
        events = [one for one in allowed if one["Principal"] == {"Service": "events.amazonaws.com"}]
        arn = f"arn:aws:events:eu-central-1:123456789012:rule/{rule['Name']}"
        self.assertEqual([one["Condition"] for one in events], [{"ArnEquals": {"aws:SourceArn": arn}}])

    def test_images_are_copied_where_they_are_told(self):
        self.assertNotIn("Replication", stack().resources)

        def to(regions):
            made = stack(ImageRegions=regions).resources["Replication"]["Properties"]["ReplicationConfiguration"]
            return [one["Region"] for one in made["Rules"][0]["Destinations"]]

        self.assertEqual(to("eu-west-1"), ["eu-west-1"])
        self.assertEqual(to("eu-west-1,us-east-1"), ["eu-west-1", "us-east-1"])
        self.assertEqual(to("a-b-1,a-b-2,a-b-3"), ["a-b-1", "a-b-2", "a-b-3"])

    def test_what_cloudformation_would_refuse(self):
        for given in [{"Project": "Reviews"}, {"Roles": "some"}, {"GitHubRepository": "o/r:*"}, {"Nothing": "x"}]:
            with self.assertRaises(ValueError, msg=given):
                stack(**given)

    def test_an_intrinsic_that_is_not_known_is_an_error(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("Parameters: {}\nResources:\n  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Base64 x}}\n")
            file.flush()
            with self.assertRaisesRegex(ValueError, "Fn::Base64 is not known here"):
                Stack(file.name, "1", "r")


if __name__ == "__main__":
    unittest.main()
