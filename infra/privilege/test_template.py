"""stack.yaml as it comes out with other parameters, and what of CloudFormation is not known."""

import pathlib
import tempfile
import unittest

from template import Stack

STACK = pathlib.Path(__file__).resolve().parent.parent / "stack.yaml"


def stack(**given):
    return Stack(STACK, "123456789012", "eu-central-1", **given)


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

    def test_what_cloudformation_would_refuse(self):
        for given in [{"Project": "Reviews"}, {"Roles": "some"}, {"GitHubRepository": "o/r:*"}, {"Nothing": "x"}]:
            with self.assertRaises(ValueError, msg=given):
                stack(**given)

    def test_an_intrinsic_that_is_not_known_is_an_error(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("Parameters: {}\nResources:\n  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Select [0, [x]]}}\n")
            file.flush()
            with self.assertRaisesRegex(ValueError, "Fn::Select is not known here"):
                Stack(file.name, "1", "r")


if __name__ == "__main__":
    unittest.main()
