"""Writes the captures beside it, as data capture writes them; standard library only.

    python make.py
"""

import base64
import json

WHERE = "2026-01-19T19:27:57Z"
ONE = {"label": "1", "score": 0.98, "probabilities": {"0": 0.02, "1": 0.98}}
TWO = {"label": "0", "score": 0.75, "probabilities": {"0": 0.75, "1": 0.25}}
ANSWERS = {
    1: {"application/json": json.dumps({"predictions": [ONE]}), "application/jsonlines": json.dumps(ONE) + "\n",
        "text/csv": "1,0.98\n"},
    2: {"application/json": json.dumps({"predictions": [ONE, TWO]}),
        "application/jsonlines": json.dumps(ONE) + "\n" + json.dumps(TWO) + "\n", "text/csv": "1,0.98\n0,0.75\n"},
}


def half(mode, content_type, data):
    listed = {"text/csv": "CSV", "application/json": "JSON"}
    encoding = listed.get(content_type.split(";")[0], "BASE64")
    if encoding == "BASE64":
        data = base64.b64encode(data.encode()).decode()
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def line(input_type, body, output_type, answer, time=WHERE, number=0):
    return json.dumps({
        "captureData": {"endpointInput": half("INPUT", input_type, body), "endpointOutput": half("OUTPUT", output_type, answer)},
        "eventMetadata": {"eventId": f"00000000-0000-4000-8000-{number:012}", "inferenceTime": time},
        "eventVersion": "0",
    }, ensure_ascii=False)


def formats():
    one, two = "very good, \"really\"", "not good\nat all"
    bodies = [
        ("application/json", json.dumps({"text": one}), 1),
        ("application/json; charset=utf-8", json.dumps({"instances": [one, {"text": two}]}), 2),
        ("application/json", json.dumps([one, two]), 2),
        ("application/jsonlines", json.dumps({"text": one}) + "\n" + json.dumps(two) + "\n", 2),
        ("text/csv", '"very good, ""really"""\n"not good\nat all"\n', 2),
        ("text/csv; header=present", 'text\n"very good, ""really"""\n', 1),
        ("text/plain", one + "\n", 1),
    ]
    for body_type, body, documents in bodies:
        for answer_type, answer in ANSWERS[documents].items():
            yield line(body_type, body, answer_type, answer)


def damaged():
    good = line("text/plain", "good", "text/csv", "1,0.98\n")
    yield good
    yield good[:100]
    yield "{}"
    yield good.replace(WHERE, "yesterday")
    yield ""
    yield good.replace('"CSV"', '"ROT13"')
    yield line("application/json", "{}", "application/json", json.dumps({"error": "send text"}))
    yield line("application/json", json.dumps(["a", "b"]), "text/csv", "1,0.98\n")
    yield good.replace(WHERE, "2026-01-19T18:59:59.999Z")
    yield good.replace(WHERE, "2026-01-19T20:00:00Z")
    yield good.replace(WHERE, "2026-01-19T20:00:00+01:00")


for name, lines in [("formats", formats()), ("damaged", damaged())]:
    with open(f"{name}.jsonl", "w", encoding="utf-8", newline="\n") as file:
        file.writelines(each + "\n" for each in lines)
