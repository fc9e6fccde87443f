"""Recorded calls against AWS's own models, and against moto.

    python3 orchestrator/tests/clients/check.py wire.jsonl … [--sources orchestrator/src]

Every request of the orchestrator: the operation exists, what is required is there, nothing is there that the model does
not know, types, patterns, lengths, ranges, enumerations; botocore's own validator is asked too. Every answer: botocore's
parser reads it, and it is held against the model in the same way. Then each call is made once more, by boto3 on moto,
with moto's names for what AWS gives names to. With `--sources`, each call that stands in the orchestrator's sources must
be among the recorded ones. Exit 1 where anything is wrong.
"""

import argparse
import collections
import io
import json
import os
import pathlib
import sys
import urllib.parse

ACCOUNT = "000000000000"
os.environ.update(MOTO_ACCOUNT_ID=ACCOUNT, AWS_ACCESS_KEY_ID="any", AWS_SECRET_ACCESS_KEY="any")
os.environ.update(AWS_DEFAULT_REGION="us-east-1", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")

import boto3
import botocore.config
import botocore.exceptions
import botocore.serialize
import botocore.validate
import moto
import regex
from botocore import xform_name

import calls

# What moto refuses though AWS's model and documentation allow it, and why; everything else that it refuses is a fault.
REFUSED_BY_MOTO = {
    ("sagemaker DescribeEndpoint", "ValidationException: Could not find endpoint"):
        "moto's endpoints are gone at once; the recorded one was still being deleted",
}
# Query parameters and headers that belong to the SDK and the protocol, not to the operation.
TRANSPORT = {
    "x-id", "x-amz-date", "x-amz-content-sha256", "x-amz-user-agent", "x-amz-target", "x-amz-trailer", "x-amz-checksum-crc32",
    "x-amz-decoded-content-length", "x-amz-api-version", "x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc64nvme",
}
# Of a request to S3, what only the bytes left out of the recording would satisfy.
OF_THE_BYTES = ("Checksum", "ContentMD5", "ContentLength")


def matches(pattern, value):
    """AWS's patterns are Java's and have to match the whole value."""
    written = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF").replace("${1,", "{1,")
    return regex.fullmatch(written, value) is not None


def faults(shape, value, path=""):
    """What of `value` is not as `shape` says."""
    where, limits = path or "it", shape.metadata
    kind = shape.type_name
    size = None
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{where} is {value!r}, no structure"]
        found = [f"{where} has no {name}" for name in shape.required_members if value.get(name) is None]
        for name, inner in value.items():
            if name not in shape.members:
                found.append(f"{where} has a member that the model does not know: {name}")
            elif inner is not None:
                found += faults(shape.members[name], inner, f"{path}.{name}".lstrip("."))
        if shape.is_tagged_union and len([1 for inner in value.values() if inner is not None]) != 1:
            found.append(f"{where} is a union of {sorted(value)}, one is allowed")
        return found
    if kind == "list":
        if not isinstance(value, list):
            return [f"{where} is {value!r}, no list"]
        found, size = [f for n, inner in enumerate(value) for f in faults(shape.member, inner, f"{path}[{n}]")], len(value)
    elif kind == "map":
        if not isinstance(value, dict):
            return [f"{where} is {value!r}, no map"]
        found, size = [], len(value)
        for key, inner in value.items():
            found += faults(shape.key, key, f"{path} key") + faults(shape.value, inner, f"{path}[{key!r}]")
    elif kind in ("string", "character"):
        if not isinstance(value, str):
            return [f"{where} is {value!r}, no string"]
        found, size = [], len(value)
        if shape.enum and value not in shape.enum:
            found.append(f"{where} is {value!r}, none of {len(shape.enum)}: {', '.join(shape.enum[:5])} …")
        if (pattern := limits.get("pattern")) and not matches(pattern, value):
            found.append(f"{where} is {value!r}, which {pattern} does not match")
    elif kind in ("integer", "long", "float", "double"):
        if isinstance(value, bool) or not isinstance(value, (int, float) if kind in ("float", "double") else int):
            return [f"{where} is {value!r}, no {kind}"]
        found, size = [], value
    elif kind == "boolean":
        return [] if isinstance(value, bool) else [f"{where} is {value!r}, no boolean"]
    elif kind == "blob":
        found, size = [], len(value) if isinstance(value, bytes) else None
    else:
        return []
    if size is not None and not limits.get("min", size) <= size <= limits.get("max", size):
        what = value if kind in ("integer", "long", "float", "double") else f"{size} long"
        found.append(f"{where} is {what}, allowed is {limits.get('min', '-')} to {limits.get('max', '-')}")
    return found


def unknown(shape, raw, path=""):
    """Members of a body in JSON or CBOR that the model does not know; parsers pass them over."""
    kind = shape.type_name if shape is not None else "structure"
    if kind == "structure" and isinstance(raw, dict):
        members = shape.members if shape is not None else {}
        known = {member.serialization.get("name", name): member for name, member in members.items()}
        payload = shape.serialization.get("payload") if shape is not None else None
        if payload:
            return unknown(members[payload], raw, path)
        found = []
        for name, inner in raw.items():
            if name not in known and name != "__type":
                found.append(f"{path or 'it'} has a member that the model does not know: {name}")
            elif name in known:
                found += unknown(known[name], inner, f"{path}.{name}".lstrip("."))
        return found
    if kind == "list" and isinstance(raw, list):
        return [f for n, inner in enumerate(raw) for f in unknown(shape.member, inner, f"{path}[{n}]")]
    if kind == "map" and isinstance(raw, dict):
        return [f for key, inner in raw.items() for f in unknown(shape.value, inner, f"{path}[{key!r}]")]
    return []


def raw_body(protocol, body):
    """A body of JSON or CBOR; nothing of the others."""
    if body == "omitted" or protocol not in ("json", "rest-json", calls.CBOR):
        return {}
    content = calls.payload(body)
    if not content:
        return {}
    if protocol == calls.CBOR:
        parser = calls.botocore.parsers.create_parser(protocol)
        return parser.parse_data_item(io.BufferedReader(io.BytesIO(content)))
    return json.loads(content)


def not_repeated(call):
    """What was sent and botocore, given the same members, would not send."""
    serializer = botocore.serialize.create_serializer(call.protocol, include_validation=False)
    given = {name: value for name, value in call.request.items() if value is not None}
    again = serializer.serialize_to_request(given, call.model)
    query = urllib.parse.parse_qsl(urllib.parse.urlsplit(call.sent["uri"]).query, keep_blank_values=True)
    known = set(again["query_string"]) | {name for name, _ in urllib.parse.parse_qsl(again["url_path"].partition("?")[2], True)}
    found = [f"the query has {name}" for name, _ in query if name not in known | TRANSPORT]
    headers = {name.lower() for name in again["headers"]}
    sent = [name for name in call.headers if name.startswith("x-amz-") or name in headers]
    found += [f"the headers have {name}" for name in sent if name not in headers | TRANSPORT]
    if call.protocol == "query":
        form = urllib.parse.parse_qs(calls.payload(call.sent["body"]).decode(), keep_blank_values=True)
        found += [f"the form has {name}" for name in form if name not in again["body"]]
    if call.protocol == "rest-xml" and not call.blob("request"):
        tags = [tag for tag in regex.findall(r"<([A-Za-z]+)", calls.payload(call.sent["body"]).decode())]
        written = again["body"].decode() if isinstance(again["body"], bytes) else str(again["body"])
        found += [f"the body has <{tag}>" for tag in tags if f"<{tag}" not in written]
    return [f"{what}, which the model does not know" for what in found]


def wrong_request(call):
    """What AWS would say no to."""
    shape = call.model.input_shape
    found = unknown(shape, raw_body(call.protocol, call.sent["body"])) + not_repeated(call)
    if shape is not None:
        blob = call.blob("request")
        given = {name: (b"" if name == blob else value) for name, value in call.request.items() if value is not None or name == blob}
        found += faults(shape, given)
        said = botocore.validate.ParamValidator().validate(given, shape)
        found += [f"botocore: {line}" for line in said.generate_report().splitlines() if line]
    return found


def wrong_answer(call):
    """What AWS would not answer."""
    if call.status >= 300:
        code = call.response.get("Error", {}).get("Code")
        return [] if code else [f"status {call.status} without a code"]
    shape = call.model.output_shape
    if shape is None:
        return []
    given = {name: b"" if name == call.blob("response") and value is None else value for name, value in call.response.items()}
    return unknown(shape, raw_body(call.protocol, call.answered["body"])) + faults(shape, given)


class Moto:
    """AWS as moto has it, asked by boto3 for the recorded calls in their order."""

    def __init__(self):
        self.names, self.clients = {}, {}

    def client(self, service, region):
        if (service, region) not in self.clients:
            config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
            self.clients[service, region] = boto3.client(service, region_name=region, config=config)
        return self.clients[service, region]

    def renamed(self, value):
        if isinstance(value, dict):
            return {key: self.renamed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.renamed(inner) for inner in value]
        return self.names.get(value, value) if isinstance(value, str) else value

    def learn(self, ours, theirs):
        """Names that AWS gives (versions, tokens, ids) are others in moto."""
        if isinstance(ours, dict) and isinstance(theirs, dict):
            for key in ours.keys() & theirs.keys():
                self.learn(ours[key], theirs[key])
        elif isinstance(ours, list) and isinstance(theirs, list):
            for one, other in zip(ours, theirs):
                self.learn(one, other)
        elif isinstance(ours, str) and isinstance(theirs, str) and ours not in (theirs, ACCOUNT) and len(ours) >= 8:
            self.names[ours] = theirs

    def lay(self, code, asked, region):
        """Puts what a job or an endpoint would have left, since nothing runs in moto; whether that was it."""
        if code in ("NoSuchKey", "NoSuchVersion"):
            self.client("s3", region).put_object(Bucket=asked["Bucket"], Key=asked["Key"], Body=b"omitted")
            asked.pop("VersionId", None)
            return True
        if code == "RepositoryNotFoundException":
            # The stack makes it, and an image is pushed by other means than this API.
            ecr, name = self.client("ecr", region), asked["repositoryName"]
            ecr.create_repository(repositoryName=name)
            manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"})
            ecr.put_image(repositoryName=name, imageManifest=manifest, **asked["imageIds"][0])
            return True
        if code == "ResourceNotFoundException" and (group := asked.get("logGroupName")):
            logs = self.client("logs", region)
            if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
                logs.create_log_group(logGroupName=group)
            if stream := asked.get("logStreamName"):
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
            return True
        return False

    def ask(self, call):
        """`accepted`, `not implemented`, or why it was refused."""
        request = {name: value for name, value in call.request.items() if not name.startswith(OF_THE_BYTES)}
        if blob := call.blob("request"):
            request[blob] = b"omitted" if request.get(blob) is None else request[blob]
        try:
            asked = getattr(self.client(call.service, call.region), xform_name(call.operation))
            request = self.renamed(request)
            try:
                answer = asked(**request)
            except botocore.exceptions.ClientError as error:
                if call.status >= 300 or not self.lay(error.response["Error"].get("Code"), request, call.region):
                    raise
                answer = asked(**request)
        except botocore.exceptions.ClientError as error:
            said = error.response["Error"]
            recorded = call.response.get("Error", {}).get("Code") if call.status >= 300 else None
            if recorded is not None:
                return "refused too"
            return f"{said.get('Code')}: {said.get('Message')}"
        except botocore.exceptions.ParamValidationError as error:
            return f"boto3: {error}"
        except NotImplementedError:
            return "not implemented"
        except Exception as error:  # noqa: BLE001: moto breaks in its own ways where it implements half a call
            return f"moto broke: {type(error).__name__}: {error}"
        if call.status < 300:
            self.learn(call.response, answer)
        return "accepted"


def in_sources(folder):
    """Services and operations that the orchestrator's sources call, the operations as the SDK's clients name them."""
    text = "\n".join(path.read_text() for path in sorted(pathlib.Path(folder).rglob("*.rs")))
    crates = {"cloudwatchlogs": "logs"}
    crates.update((name.replace("-", ""), name) for name in calls.LOADER.list_available_services("service-2"))
    services = {crates[crate] for crate in regex.findall(r"aws_sdk_([a-z0-9]+)", text)}
    return services, set(regex.findall(r"\.\s*([a-z0-9_]+)\(\)", text))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("files", nargs="+")
    arguments.add_argument("--sources")
    given = arguments.parse_args()
    found, wrong = calls.read(given.files)
    found = [call for call in found if call.by_us]
    table = collections.defaultdict(lambda: collections.Counter())
    why = collections.defaultdict(collections.Counter)
    with moto.mock_aws():
        aws = Moto()
        for call in found:
            row = table[call.name]
            row["times"] += 1
            row["errors"] += call.status >= 300
            for side, said in (("request", wrong_request(call)), ("answer", wrong_answer(call))):
                row[side] += not said
                wrong += [f"{call.name}, {side}: {line}" for line in said]
            said = aws.ask(call)
            row[said if said in ("accepted", "refused too", "not implemented") else "refused"] += 1
            if said not in ("accepted", "refused too", "not implemented"):
                why[call.name][said.splitlines()[0][:200]] += 1
    print(f"{'call':<46} {'times':>5} {'model':>6} {'answer':>6} {'moto':>5}  moto else")
    for name, row in sorted(table.items()):
        rest = ", ".join(f"{row[what]} {what}" for what in ("refused too", "refused", "not implemented") if row[what])
        print(f"{name:<46} {row['times']:>5} {row['request']:>6} {row['answer']:>6} {row['accepted']:>5}  {rest}")
    total = sum((row for row in table.values()), collections.Counter())
    print(f"{len(table)} operations, {total['times']} calls: {total['request']} requests and {total['answer']} answers as botocore "
          f"{calls.botocore.__version__} says; moto {moto.__version__} accepted {total['accepted']}, refused {total['refused too']} "
          f"as the emulator did and {total['refused']} otherwise, does not implement {total['not implemented']}")
    for name, reasons in sorted(why.items()):
        for reason, times in reasons.items():
            known = next((told for (of, start), told in REFUSED_BY_MOTO.items() if of == name and reason.startswith(start)), None)
            print(f"  {name}: {times} x {reason}" + (f"\n    known: {known}" if known else ""))
            if known is None:
                wrong.append(f"{name}: moto says {reason}")
    if not found:
        wrong.append("nothing was recorded")
    if given.sources:
        recorded = {call.operation for call in found}
        services, called = in_sources(given.sources)
        everything = {name: service for service in sorted(services) for name in calls.model(service).operation_names}
        wrong += [f"{service} {name} stands in {given.sources} and was never recorded"
                  for name, service in sorted(everything.items()) if xform_name(name) in called and name not in recorded]
    for line, times in collections.Counter(wrong).items():
        print(f"error: {line}" + (f" ({times} times)" if times > 1 else ""), file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
