"""Recorded calls as botocore's members.

    SAGEBRUSH_RECORD=wire.jsonl orchestrator run
    python3 orchestrator/tests/clients/calls.py wire.jsonl > calls.jsonl

An emulator writes what went over the wire; here it becomes, a line a call,
`{"service", "operation", "region", "request": {members}, "status", "response": {members}}`, whatever the protocol: moto's parsers
read the requests, botocore's own the answers. Blobs that the recording leaves out are null.
"""

import base64
import datetime
import io
import json
import sys

import botocore.loaders
import botocore.parsers
import moto.core.routing as routing
from botocore.awsrequest import HeadersDict
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from werkzeug.exceptions import NotFound

LOADER = botocore.loaders.Loader()
CBOR = "smithy-rpc-v2-cbor"
MODELS = {}


class Unreadable(Exception):
    """What was recorded is no call that the service's model knows."""


def model(service):
    if service not in MODELS:
        MODELS[service] = ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    return MODELS[service]


class Call:
    """One recorded call: as it was sent, and what it means."""

    def __init__(self, line):
        self.line = line
        self.service, self.operation = line["service"], line["operation"]
        self.sent, self.answered = line["request"], line["response"]
        self.headers, self.region = self.sent["headers"], self.sent.get("region") or "us-east-1"
        self.status = self.answered["status"]
        self.name = f"{self.service} {self.operation}"
        if self.operation not in model(self.service).operation_names:
            raise Unreadable(f"botocore's model of {self.service} has no operation {self.operation!r}")
        self.model = model(self.service).operation_model(self.operation)
        self.protocol = protocol(self.service, self.headers)
        self.request = self._request()
        self.response = self._response()

    @property
    def by_us(self):
        """Whether the orchestrator called, and not some other client of the emulator."""
        return "app/sagebrush" in self.headers.get("x-amz-user-agent", "") + self.headers.get("user-agent", "")

    def blob(self, side):
        """The name of the member that is the body of a side; none where the body holds members."""
        shape = self.model.input_shape if side == "request" else self.model.output_shape
        payload = shape.serialization.get("payload") if shape is not None else None
        return payload if payload and shape.members[payload].type_name == "blob" else None

    def _request(self):
        shape = self.model.input_shape
        if shape is None:
            return {}
        body = payload(self.sent["body"])
        if self.protocol == CBOR:
            return as_answer(CBOR, {}, body, 200, shape)
        request = Request.from_primitives(self.sent["method"], "http://emulator" + self.sent["uri"], self.headers, body)
        try:
            router = routing.get_router_class(self.service, self.protocol)(model(self.service))
            matched, labels = router.match(request)
        except NotFound as error:
            raise Unreadable(f"{self.name}: {self.sent['method']} {self.sent['uri']} is no operation of it") from error
        if matched.name != self.operation:
            raise Unreadable(f"{self.name} was recorded, the request is one of {matched.name}")
        parsed = PROTOCOL_PARSERS[self.protocol](self.model).parse({
            "method": request.method, "values": request.values, "headers": request.headers, "body": body,
            "url_path": request.path, "url_params": routing.to_uri_params(labels) if labels else {},
        })
        if (name := self.blob("request")) and self.sent["body"] == "omitted":
            parsed[name] = None
        return {name: value for name, value in parsed.items() if value is not None or name == self.blob("request")}

    def _response(self):
        body = self.answered["body"]
        shape, headers = self.model.output_shape, dict(self.answered["headers"])
        streamed = body == "omitted"
        if streamed and self.status >= 300:
            # The error of a call whose good answers are not written down.
            return {"Error": {"Code": headers.get("x-amzn-errortype", "unknown")}}
        body = io.BytesIO() if streamed and shape.serialization.get("payload") else payload(body)
        parsed = as_answer(self.protocol, headers, body, self.status, shape)
        if streamed:
            parsed[self.blob("response")] = None
        return parsed

    def members(self):
        line = {"service": self.service, "operation": self.operation, "region": self.region, "request": self.request}
        return line | {"status": self.status, "response": self.response}


def protocol(service, headers):
    """The protocol of a request, of those that the model knows."""
    known = model(service).metadata.get("protocols") or [model(service).metadata["protocol"]]
    kind = headers.get("content-type", "")
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return CBOR
    if kind.startswith("application/x-www-form-urlencoded"):
        return "query"
    if kind.startswith("application/x-amz-json"):
        return "json"
    return next(one for one in known if one not in (CBOR, "query") or len(known) == 1)


def as_answer(name, headers, body, status, shape):
    """A body as botocore reads an answer of this shape."""
    if name == CBOR:
        headers = {**headers, "smithy-protocol": "rpc-v2-cbor"}
    answer = {"headers": HeadersDict(headers), "body": body, "status_code": status}
    parsed = botocore.parsers.create_parser(name).parse(answer, shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def payload(body):
    if body == "omitted":
        return b""
    return base64.b64decode(body["base64"]) if "base64" in body else body["text"].encode()


def read(paths):
    """The calls in files, and what cannot be read as one."""
    calls, wrong = [], []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                line = json.loads(text)
                try:
                    calls.append(Call(line))
                except Exception as error:  # noqa: BLE001: whatever it is, the line is named
                    name = f"{line['service']} {line['operation']}"
                    wrong.append(f"{path}:{number}: {name}: {type(error).__name__}: {error}")
    return calls, wrong


def plain(value):
    """What JSON has no word for."""
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return None


if __name__ == "__main__":
    found, unreadable = read(sys.argv[1:])
    for call in found:
        print(json.dumps(call.members(), default=plain))
    if unreadable:
        sys.exit("\n".join(unreadable))
