"""The stack as CloudFormation would make it: parameters, conditions and the intrinsics used there, resolved.

Only what stack.yaml uses is known; anything else is an error, so that nothing is judged that was not understood.
"""

import re

import yaml


# What a list leaves out.
NO_VALUE = object()


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` is `{"Fn::Sub": "x"}`."""


def _short(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _short)
# A date would become a date object; policies mean their version as text.
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Stack:
    """A template with its parameters: `resources` holds what would be made, resolved."""

    def __init__(self, path, account, region, **given):
        with open(path, encoding="utf-8") as file:
            self.template = yaml.load(file, Loader)  # noqa: S506 (a SafeLoader)
        self.account, self.region = account, region
        self.pseudo = {"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws"}
        declared = self.template["Parameters"]
        if unknown := set(given) - set(declared):
            raise ValueError(f"{path}: no such parameter: {sorted(unknown)}")
        self.parameters = {name: given.get(name, what.get("Default")) for name, what in declared.items()}
        for name, what in declared.items():
            self._permitted(name, what)
        self.resources = {
            name: self.resolve(what)
            for name, what in self.template["Resources"].items()
            if self._holds(what.get("Condition"))
        }

    def _permitted(self, name, what):
        value = str(self.parameters[name])
        pattern, allowed = what.get("AllowedPattern"), what.get("AllowedValues")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise ValueError(f"{name} = {value!r}: expected {pattern}")
        if allowed is not None and value not in map(str, allowed):
            raise ValueError(f"{name} = {value!r}: expected one of {allowed}")

    def _holds(self, condition):
        return True if condition is None else self.resolve(self.template["Conditions"][condition])

    def _ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            value = self.parameters[name]
            if self.template["Parameters"][name]["Type"] == "CommaDelimitedList":
                return value.split(",")
            return str(value)
        return self._made(name)[0]

    def _made(self, name):
        """What `Ref` and `GetAtt Arn` give for a resource."""
        what = self.template["Resources"][name]
        kind, properties = what["Type"], what.get("Properties", {})
        here = f"{self.region}:{self.account}"
        named = lambda key: self.resolve(properties[key])  # noqa: E731
        match kind:
            case "AWS::S3::Bucket":
                return named("BucketName"), f"arn:aws:s3:::{named('BucketName')}"
            case "AWS::ECR::Repository":
                return named("RepositoryName"), f"arn:aws:ecr:{here}:repository/{named('RepositoryName')}"
            case "AWS::IAM::Role":
                return named("RoleName"), f"arn:aws:iam::{self.account}:role/{named('RoleName')}"
            case "AWS::SNS::Topic":
                return (f"arn:aws:sns:{here}:{named('TopicName')}",) * 2
            case "AWS::IAM::OIDCProvider":
                return (f"arn:aws:iam::{self.account}:oidc-provider/{named('Url').removeprefix('https://')}",) * 2
        raise ValueError(f"{name}: what Ref and GetAtt give for {kind} is not known here")

    def _sub(self, text):
        def put(found):
            name = found.group(1)
            resource, _, attribute = name.partition(".")
            return self.resolve({"Fn::GetAtt": f"{resource}.{attribute}"} if attribute else {"Ref": name})

        return re.sub(r"\$\{([^}]+)\}", put, text)

    def resolve(self, value):
        if isinstance(value, list):
            return [one for one in map(self.resolve, value) if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) != 1 or not next(iter(value)).startswith(("Fn::", "Ref", "Condition")):
            return {key: self.resolve(one) for key, one in value.items()}
        ((name, of),) = value.items()
        match name:
            case "Ref":
                return self._ref(of)
            case "Condition" if isinstance(of, str):
                return self._holds(of)
            case "Condition":
                return {name: self.resolve(of)}
            case "Fn::Sub":
                return self._sub(of)
            case "Fn::GetAtt":
                resource, attribute = of.split(".") if isinstance(of, str) else of
                if attribute != "Arn":
                    raise ValueError(f"GetAtt {of}: only Arn is known here")
                return self._made(resource)[1]
            case "Fn::Join":
                return self.resolve(of[0]).join(self.resolve(of[1]))
            case "Fn::Split":
                return self.resolve(of[1]).split(self.resolve(of[0]))
            case "Fn::Select":
                return self.resolve(of[1])[int(of[0])]
            case "Fn::Equals":
                return self.resolve(of[0]) == self.resolve(of[1])
            case "Fn::Not":
                return not self.resolve(of[0])
            case "Fn::And":
                return all(self.resolve(one) for one in of)
            case "Fn::If":
                return self.resolve(of[1] if self._holds(of[0]) else of[2])
        raise ValueError(f"{name} is not known here")

    def role(self, name):
        """Trust and permissions of a role: two lists of statements."""
        properties = self.resources[name]["Properties"]
        permissions = [one for policy in properties["Policies"] for one in policy["PolicyDocument"]["Statement"]]
        return properties["AssumeRolePolicyDocument"]["Statement"], permissions

    def roles(self):
        return [name for name, what in self.resources.items() if what["Type"] == "AWS::IAM::Role"]

    def policy_of(self, kind):
        """Statements of the resource policies of this kind."""
        found = [what["Properties"] for what in self.resources.values() if what["Type"] == kind]
        return [one for properties in found for one in properties["PolicyDocument"]["Statement"]]
