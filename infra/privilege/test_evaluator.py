"""The evaluator against the rules that AWS documents, case by case."""

import unittest

from evaluator import Request, allowed, holds


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


class Evaluation(unittest.TestCase):
    def test_nothing_is_allowed_that_no_statement_allows(self):
        self.assertFalse(allowed([], Request("s3:GetObject", "arn:aws:s3:::b/k")))
        self.assertFalse(allowed([allow("s3:PutObject")], Request("s3:GetObject", "arn:aws:s3:::b/k")))

    def test_a_deny_wins_wherever_it_stands(self):
        deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/secret/*"}
        for statements in ([allow("s3:GetObject"), deny], [deny, allow("s3:GetObject")]):
            self.assertTrue(allowed(statements, Request("s3:GetObject", "arn:aws:s3:::b/k")))
            self.assertFalse(allowed(statements, Request("s3:GetObject", "arn:aws:s3:::b/secret/k")))

    def test_actions_have_no_case_and_resources_have(self):
        statements = [allow("s3:getobject", "arn:aws:s3:::b/k")]
        self.assertTrue(allowed(statements, Request("s3:GetObject", "arn:aws:s3:::b/k")))
        self.assertFalse(allowed(statements, Request("s3:GetObject", "arn:aws:s3:::b/K")))

    def test_wildcards(self):
        for pattern, resource, want in [
            ("arn:aws:s3:::b-*/x/*", "arn:aws:s3:::b-1/x/y/z", True),
            ("arn:aws:s3:::b-*/x/*", "arn:aws:s3:::b-1/y", False),
            ("arn:aws:s3:::b", "arn:aws:s3:::b/k", False),
            ("arn:aws:s3:::b?", "arn:aws:s3:::b1", True),
            ("arn:aws:s3:::b?", "arn:aws:s3:::b", False),
            ("arn:aws:s3:::b.c", "arn:aws:s3:::bxc", False),
        ]:
            self.assertEqual(allowed([allow("s3:*", pattern)], Request("s3:GetObject", resource)), want, pattern)

    def test_not_action_is_everything_else(self):
        deny = {"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*"}
        self.assertFalse(allowed([allow("*"), deny], Request("s3:GetObject", "*")))
        self.assertTrue(allowed([allow("*"), deny], Request("iam:PassRole", "*")))

    def test_conditions(self):
        for operator, wanted, found, want in [
            ("StringEquals", "a", "a", True),
            ("StringEquals", ["a", "b"], "b", True),
            ("StringEquals", "a", "A", False),
            ("StringEquals", "a", None, False),
            ("StringEqualsIfExists", "a", None, True),
            ("StringNotEquals", ["a", "b"], "b", False),
            ("StringNotEquals", ["a", "b"], "c", True),
            ("StringNotEquals", "a", None, True),
            ("StringLike", "a*", "abc", True),
            ("StringLike", "a*", "bc", False),
            ("ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bc", True),
            ("Bool", "false", "true", False),
            ("Bool", False, "false", True),
            ("NumericLessThan", "1.2", "1.1", True),
            ("NumericLessThan", "1.2", "1.2", False),
            ("NumericLessThan", "1.2", None, False),
            ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
            ("ForAllValues:StringEquals", ["a"], ["a", "b"], False),
            ("ForAllValues:StringEquals", ["a"], None, True),
            ("ForAnyValue:StringEquals", ["a"], ["a", "b"], True),
            ("ForAnyValue:StringEquals", ["a"], None, False),
        ]:
            self.assertEqual(holds(operator, wanted, found), want, (operator, wanted, found))

    def test_every_condition_must_hold_and_keys_have_no_case(self):
        condition = {"StringEquals": {"aws:SourceAccount": "1", "s3:prefix": "x"}, "Bool": {"aws:SecureTransport": "true"}}
        statements = [allow("s3:*", Condition=condition)]
        context = {"AWS:sourceaccount": "1", "s3:prefix": "x", "aws:SecureTransport": "true"}
        self.assertTrue(allowed(statements, Request("s3:GetObject", "*", context)))
        for key in context:
            self.assertFalse(allowed(statements, Request("s3:GetObject", "*", {**context, key: "other"})), key)

    def test_principals(self):
        trust = [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]
        ask = lambda kind, name: allowed(trust, Request("sts:AssumeRole", "*", {}, (kind, name)))  # noqa: E731
        self.assertTrue(ask("Service", "sagemaker.amazonaws.com"))
        self.assertFalse(ask("Service", "ec2.amazonaws.com"))
        self.assertFalse(ask("AWS", "sagemaker.amazonaws.com"))

    def test_what_is_not_understood_is_not_judged(self):
        for bad in [
            {"Effect": "Allow", "Action": "*", "NotResource": "*"},
            allow("*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
            allow("*", Condition={"StringEquals": {"aws:username": "${aws:username}"}}),
        ]:
            with self.assertRaises(ValueError):
                allowed([bad], Request("s3:GetObject", "*", {"aws:SourceIp": "10.0.0.1"}))


if __name__ == "__main__":
    unittest.main()
