#!/usr/bin/env python3
"""Least privilege, shown: infra/privilege/check.py [[ROLE=]RECORDED.jsonl …]

1. stack.yaml and calls.py against AWS's Service Authorization Reference;
2. every recorded call of the orchestrator is allowed to the role that makes it, and what follows from it to the role that jobs,
   endpoints and the scheduler work as; without a role in front of the recording or in it, to one of CI's;
   whose project it is, the recording says: jobs name their role, PROJECT-ExecutionRole;
3. every line of denied.py is refused, and no stranger's token gets a role.

Exit code 1 where anything is otherwise.
"""

import argparse
import collections
import json
import pathlib
import re
import sys

import calls
import denied
from evaluator import Request, allowed
from reference import Reference
from template import Stack

HERE = pathlib.Path(__file__).resolve().parent
ACCOUNT, REGION, REPOSITORY = "000000000000", "us-east-1", "example/reviews"
ENVIRONMENTS = {"PipelineRole": "pipeline", "DeployRole": "production"}
# The stack has done it before: `orchestrator data` makes a bucket only where there is none.
STACKS_OWN = {"s3:CreateBucket", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning"}
# Inline policies of a role, characters without white space (IAM's quotas).
INLINE = 10_240


class Check:
    def __init__(self, project, regions=(REGION,)):
        given = {"Project": project, "GitHubRepository": REPOSITORY, "Regions": ",".join(regions)}
        self.stack = Stack(HERE.parent / "stack.yaml", ACCOUNT, REGION, **given)
        self.project = project
        self.where = calls.Where(ACCOUNT, REGION)
        self.reference = Reference()
        self.bucket_policy = self.stack.policy_of("AWS::S3::BucketPolicy")
        self.wrong = []

    def fail(self, text):
        self.wrong.append(text)

    def may(self, role, request):
        _, statements = self.stack.role(role)
        ours = f"arn:aws:s3:::{self.project}-{ACCOUNT}-{REGION}"
        if request.resource.partition("/")[0] == ours:
            statements = statements + self.bucket_policy
        return allowed(statements, request)

    def policies(self):
        """The stack's own words."""
        roles = self.stack.roles()
        for role in roles:
            trust, statements = self.stack.role(role)
            for kind, group in (("trust", trust), ("permissions", statements)):
                for statement in group:
                    for text in self.reference.wrong(statement, kind == "trust"):
                        self.fail(f"{role}, {statement.get('Sid', kind)}: {text}")
            policies = self.stack.resources[role]["Properties"]["Policies"]
            size = sum(len(json.dumps(p["PolicyDocument"], separators=(",", ":"))) for p in policies)
            if size > INLINE:
                self.fail(f"{role}: {size} characters of inline policies, IAM takes {INLINE}")
            print(f"{role:<14} {len(statements):>2} statements, {size} of {INLINE} characters")

    def recorded(self, spelled):
        """The calls of a recording, all of them one role's or each of whom it says."""
        caller, _, path = spelled.rpartition("=")
        path = pathlib.Path(path)
        counts, stacks = collections.Counter(), set()
        held = {}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            call = {"role": caller, **json.loads(line)}
            where = calls.Where(ACCOUNT, call.get("region", REGION))
            key = (call["service"], call["operation"], call["role"])
            counts[key] += 1
            try:
                asked = calls.asked(call, where)
                later = calls.follows(call, where, self.project)
            except (calls.Unknown, KeyError) as error:
                self.fail(f"{path.name}:{number}: {error!r}")
                continue
            own = [request for request in asked if request.action in STACKS_OWN]
            stacks |= {request.action for request in own}
            asked = [request for request in asked if request.action not in STACKS_OWN]
            who = [call["role"]] if call["role"] else denied.CI
            by = [role for role in who if all(self.may(role, request) for request in asked)]
            held.setdefault(key, set(by)).intersection_update(by)
            if not by:
                bad = [r for r in asked if not any(self.may(role, r) for role in who)] or asked
                self.fail(f"{path.name}:{number}: {key[0]} {key[1]}: not allowed to {' or '.join(who)}: {shown(bad[0])}")
            for role, requests in later:
                role = role.removeprefix(f"{self.project}-")
                for request in requests:
                    if role not in self.stack.roles():
                        self.fail(f"{path.name}:{number}: {key[1]} works as {role}, which stack.yaml does not make")
                    elif not self.may(role, request):
                        self.fail(f"{path.name}:{number}: {key[1]} works as {role}, not allowed: {shown(request)}")
            for request in [*asked, *own, *(r for _, rs in later for r in rs)]:
                if not self.reference.takes(request):
                    self.fail(f"{path.name}:{number}: {key[1]}: AWS's tables know no {shown(request)}")
        print(f"\n{spelled} ({self.project}): {sum(counts.values())} calls of {len(counts)} kinds")
        for (service, operation, role), n in sorted(counts.items(), key=str):
            roles = ", ".join(sorted(held.get((service, operation, role), ()))) or "-"
            print(f"  {n:>5}  {service:<24} {operation:<32} {roles}")
        if stacks:
            print(f"  not granted, since the stack has done it: {', '.join(sorted(stacks))}")

    def refused(self):
        """What must not be."""
        count = 0
        names = {"project": self.project, "account": ACCOUNT, "region": REGION}
        put = lambda text: text.format(**names)  # noqa: E731
        for roles, action, resource, context, why in denied.DENIED:
            for role in roles:
                keys = {**self.where.context, **{key: put(value) for key, value in context.items()}}
                count += 1
                if self.may(role, Request(action, put(resource), keys)):
                    self.fail(f"{role} may {action} on {put(resource)} ({why})")
            if not self.reference.actions(action):
                self.fail(f"denied.py: {action}: there is no such action")
        print(f"\n{count} requests refused, {len(denied.DENIED)} kinds")

    def trusted(self):
        """Who may take a role on, and who may not."""
        count = 0
        for role, environment in ENVIRONMENTS.items():
            names = {"repository": REPOSITORY, "environment": environment}
            right = {"sub": "repo:{repository}:environment:{environment}", "aud": "sts.amazonaws.com"}
            for differs, why in [({}, None), *denied.STRANGERS]:
                token = {f"token.actions.githubusercontent.com:{k}": v.format(**names) for k, v in (right | differs).items()}
                provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
                request = Request("sts:AssumeRoleWithWebIdentity", "*", token, ("Federated", provider))
                count += 1
                if allowed(self.stack.role(role)[0], request) == bool(why):
                    self.fail(f"{role}: a token of {why or 'the right environment'} {'gets' if why else 'does not get'} the role")
        for role, service in (("ExecutionRole", "sagemaker"), ("SchedulerRole", "scheduler")):
            for name, account, want in [
                (f"{service}.amazonaws.com", ACCOUNT, True),
                (f"{service}.amazonaws.com", "999999999999", False),
                ("ec2.amazonaws.com", ACCOUNT, False),
            ]:
                request = Request("sts:AssumeRole", "*", {"aws:SourceAccount": account}, ("Service", name))
                count += 1
                if allowed(self.stack.role(role)[0], request) != want:
                    self.fail(f"{role}: {name} for {account}: {'not trusted' if want else 'trusted'}")
        print(f"{count} callers asked for a role; those got it that should")


def shown(request):
    return f"{request.action} on {request.resource}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("recorded", nargs="*", metavar="[ROLE=]RECORDED.jsonl")
    given = arguments.parse_args()
    check = Check("sagebrush")
    check.policies()
    for spelled in given.recorded:
        _, _, path = spelled.rpartition("=")
        of = re.search(r":role/([a-z0-9-]+)-ExecutionRole", pathlib.Path(path).read_text(encoding="utf-8"))
        if not of:
            check.fail(f"{path}: no call names a role, so that whose project it is cannot be told")
            continue
        # Who works in further regions has told the roles' stack so.
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        regions = {REGION} | {json.loads(line).get("region", REGION) for line in lines if line.strip()}
        its = Check(of.group(1), sorted(regions))
        its.recorded(spelled)
        check.wrong += its.wrong
    check.refused()
    check.trusted()
    for text in check.wrong:
        print(f"error: {text}", file=sys.stderr)
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
