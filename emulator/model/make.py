"""Trims botocore's service models to the operations the emulator knows.

    python3 -m venv /tmp/botocore && /tmp/botocore/bin/pip install botocore
    /tmp/botocore/bin/python emulator/model/make.py

Kept: of every implemented operation the input and output shapes, with their members, required members, types,
patterns, bounds and enumerations. Dropped: all prose. `src/shapes/` reads what this writes.
"""

import json
import pathlib

import botocore
import botocore.loaders

OPERATIONS = {
    "sagemaker": """
        CreateTrainingJob DescribeTrainingJob ListTrainingJobs StopTrainingJob
        CreateProcessingJob DescribeProcessingJob ListProcessingJobs StopProcessingJob
        CreateTransformJob DescribeTransformJob ListTransformJobs StopTransformJob
        CreateHyperParameterTuningJob DescribeHyperParameterTuningJob ListHyperParameterTuningJobs
        ListTrainingJobsForHyperParameterTuningJob StopHyperParameterTuningJob
        CreateModel DescribeModel ListModels DeleteModel
        CreateEndpointConfig DescribeEndpointConfig ListEndpointConfigs DeleteEndpointConfig
        CreateEndpoint DescribeEndpoint ListEndpoints UpdateEndpoint DeleteEndpoint
        CreateModelPackageGroup DescribeModelPackageGroup ListModelPackageGroups DeleteModelPackageGroup
        CreateModelPackage DescribeModelPackage ListModelPackages UpdateModelPackage DeleteModelPackage
        AddTags ListTags DeleteTags
    """,
    "cloudwatch": """
        PutMetricAlarm DescribeAlarms DescribeAlarmHistory DeleteAlarms SetAlarmState EnableAlarmActions DisableAlarmActions
        PutMetricData GetMetricStatistics GetMetricData ListMetrics TagResource UntagResource ListTagsForResource
    """,
    "sns": """
        CreateTopic DeleteTopic ListTopics GetTopicAttributes SetTopicAttributes Publish
        Subscribe ConfirmSubscription Unsubscribe ListSubscriptions ListSubscriptionsByTopic
        TagResource UntagResource ListTagsForResource
    """,
    "logs": "DescribeLogGroups DescribeLogStreams GetLogEvents FilterLogEvents",
    "autoscaling": """
        RegisterScalableTarget DescribeScalableTargets DeregisterScalableTarget
        PutScalingPolicy DescribeScalingPolicies DeleteScalingPolicy
        PutScheduledAction DescribeScheduledActions DeleteScheduledAction
    """,
    "scheduler": "CreateSchedule GetSchedule UpdateSchedule DeleteSchedule ListSchedules",
}
KEPT = ("type", "required", "min", "max", "pattern", "enum", "locationName")


def trim(shape):
    kept = {name: shape[name] for name in KEPT if shape.get(name) not in (None, [])}
    if shape["type"] == "structure":
        kept["members"] = {name: member["shape"] for name, member in shape["members"].items()}
    elif shape["type"] == "list":
        kept["member"] = shape["member"]["shape"]
    elif shape["type"] == "map":
        kept["key"], kept["value"] = shape["key"]["shape"], shape["value"]["shape"]
    return kept


def reach(name, shapes, found):
    if name in found:
        return
    shape = found[name] = trim(shapes[name])
    for inner in [*shape.get("members", {}).values(), *(shape[k] for k in ("member", "key", "value") if k in shape)]:
        reach(inner, shapes, found)


def make(service, operations):
    named = {"autoscaling": "application-autoscaling"}.get(service, service)
    model = botocore.loaders.Loader().load_service_model(named, "service-2")
    found, known = {}, {}
    for name in sorted(operations):
        operation = model["operations"][name]
        known[name] = {side: operation[side]["shape"] for side in ("input", "output") if side in operation}
        for shape in known[name].values():
            reach(shape, model["shapes"], found)
    return {"botocore": botocore.__version__, "operations": known, "shapes": dict(sorted(found.items()))}


def write(path, model):
    """One shape a line, so that a new botocore gives a readable difference."""
    dump = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    lines = lambda table: ",\n".join(f"  {dump(name)}: {dump(value)}" for name, value in table.items())
    path.write_text(
        f'{{\n"botocore": {dump(model["botocore"])},\n"operations": {{\n{lines(model["operations"])}\n}},\n'
        f'"shapes": {{\n{lines(model["shapes"])}\n}}\n}}\n'
    )


if __name__ == "__main__":
    for service, names in OPERATIONS.items():
        path = pathlib.Path(__file__).with_name(f"{service}.json")
        write(path, make(service, names.split()))
        print(path.name, path.stat().st_size)
