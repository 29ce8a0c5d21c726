"""`sqs`, `sns`, `s3` and `eventBridge` events -> SourceEvent; what is not known locally -> OtherEvent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bareboat.service.intrinsics import name_in_arn, text_of
from bareboat.service.keys.events import EventBridgeKeys, S3Keys, SnsKeys, SqsKeys, StreamKeys
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import is_misspelt, listed, nearest
from bareboat.service.report import Report
from bareboat.service.triggers import Event, OtherEvent, ScheduleEvent, SourceEvent

BATCH_SIZE = 10  # Serverless's and AWS's default of a queue
_FIFO_BATCH = 10  # AWS Lambda developer guide: a FIFO queue gives at most ten
# Amazon S3 user guide, "Supported event types for SQS, SNS, and Lambda": what stands before the second colon.
_S3_EVENTS = (
    "ObjectCreated", "ObjectRemoved", "ObjectRestore", "ReducedRedundancyLostObject", "Replication", "ObjectTagging",
    "ObjectAcl", "LifecycleExpiration", "LifecycleTransition", "IntelligentTiering", "TestEvent",
)  # fmt: skip
_NEEDED = {
    "stream": ("arn",),
    "cloudwatchEvent": ("event",),
    "cloudwatchLog": ("logGroup",),
    "rabbitmq": ("arn", "basicAuthArn", "queue"),
}
_TRANSFORMS = frozenset(["inputPath", "inputTransformer"])
_UNREAD = frozenset(["s3", "stream", "cloudwatchLog", "rabbitmq"])
_WHAT = {
    "stream": "no local stream calls the function; give it records by `bareboat invoke local -f NAME -e FILE`",
    "cloudwatchEvent": "no local bus calls the function; `bareboat event event-bridge` makes such an event",
    "cloudwatchLog": "no local log group calls the function",
    "rabbitmq": "no local broker calls the function",
}


def source_event(
    kind: str, value: Any, node: Node, path: str, pseudo: Mapping[str, str], report: Report
) -> SourceEvent | None:
    """Return what a source of events calls the function with.

    Args:
        kind: sqs, sns, s3 or eventBridge.
        value: the checked setting.
        path: `functions.NAME.events[0]`.
    """
    if kind == "sqs":
        return _sqs(value, node, f"{path}.sqs", pseudo, report)
    if kind == "sns":
        return _sns(value, node, f"{path}.sns", pseudo, report)
    if kind == "s3":
        return _s3(value, node, f"{path}.s3", pseudo, report)
    return _event_bridge(value, node, f"{path}.eventBridge", pseudo, report)


def other_event(kind: str, value: Any, node: Node, path: str, report: Report) -> OtherEvent | None:
    """Return an event that nothing local fires, with a warning of what that means.

    Args:
        value: the checked setting.
        path: `functions.NAME.events[0]`.
    """
    if not isinstance(value, str):
        names = list(node.value)
        missing = [key for key in _NEEDED.get(kind, ()) if key not in names]
        missing = [key for key in missing if not is_misspelt(key, names, _known(type(value)))]
        if missing:
            report.problems.add(node.place, f"{path}.{kind} has no {missing[0]}", expected=missing[0])
            return None
    if kind == "stream":
        _check_stream(value, node, f"{path}.stream", report)
    report.warn(f"{path}: {kind} is not served locally: {_WHAT.get(kind, 'nothing here fires it')}", node.place)
    return OtherEvent(kind, plain(node), node.place)


def _known(kind: type) -> Any:
    from bareboat.service.check import known_keys

    return known_keys(kind)


def _check_stream(value: str | StreamKeys, node: Node, path: str, report: Report) -> None:
    """Note a stream whose kind nothing says."""
    arn = value if isinstance(value, str) else value.arn
    kind = None if isinstance(value, str) else value.type
    is_told = isinstance(arn, str) and ("${" in arn or arn.split(":")[2:3] in (["dynamodb"], ["kinesis"]))
    if arn is not None and kind is None and not is_told and not node.state:
        report.problems.add(
            node.place, f"{path} does not say what stream it is", expected="type: dynamodb or type: kinesis beside arn"
        )


def model_event(event: Event, path: str, report: Report, *, wrapped: bool) -> Event:
    """Return an event as a model function has it: of a queue it names the messages that failed.

    Args:
        path: `functions.NAME`.
        wrapped: whether a `before` function makes rows of what no model can read.
    """
    kind = event.kind if isinstance(event, (SourceEvent, OtherEvent)) else ""
    if isinstance(event, SourceEvent) and kind == "sqs":
        return replace(event, reports_failures=True)
    if isinstance(event, ScheduleEvent) and event.input is None and not _TRANSFORMS.intersection(event.options):
        report.warn(f"{path}: a schedule without input brings a model function no row: it fails", event.where)
    elif kind in _UNREAD and not wrapped:
        report.warn(
            f"{path}: a model function does not read {kind} events: they fail; "
            "before: MODULE.FUNCTION can make rows of them",
            event.where,
        )
    return event


def _missing(node: Node, key: str, kind: type, path: str, expected: str, report: Report) -> None:
    from bareboat.service.check import known_keys

    names = list(node.value) if node.is_mapping else []
    if key not in names and not is_misspelt(key, names, known_keys(kind)):
        report.problems.add(node.place, f"{path} has no {key}", expected=expected)


def _sqs(value: str | SqsKeys, node: Node, path: str, pseudo: Mapping[str, str], report: Report) -> SourceEvent | None:
    if isinstance(value, str):
        if not value.startswith("arn:") and "${" not in value and not node.state:
            report.problems.add(node.place, f"{path} is '{value}'", expected="the arn of a queue")
        return SourceEvent("sqs", name_in_arn(value), plain(node), node.place)
    if value.arn is None:
        _missing(node, "arn", SqsKeys, path, "arn of a queue", report)
        return None
    name = name_in_arn(text_of(value.arn, pseudo)[0])
    size = value.batch_size or BATCH_SIZE
    child = node.get("batchSize") or node
    if name.endswith(".fifo") and size > _FIFO_BATCH:
        report.problems.add(
            child.place, f"{path}.batchSize is {size}", expected=f"at most {_FIFO_BATCH}, as the queue is FIFO"
        )
    elif size > _FIFO_BATCH and not value.maximum_batching_window:
        report.problems.add(
            child.place,
            f"{path}.batchSize is {size} and there is no maximumBatchingWindow",
            expected="maximumBatchingWindow of 1 s or more with a batch over 10, as Lambda asks",
        )
    if value.filter_patterns:
        report.warn(f"{path}.filterPatterns: messages that are sent here are not filtered", node.place)
    return SourceEvent(
        "sqs",
        name,
        plain(node),
        node.place,
        enabled=value.enabled is not False,
        batch_size=size,
        reports_failures=value.function_response_type is not None,
    )


def _sns(value: str | SnsKeys, node: Node, path: str, pseudo: Mapping[str, str], report: Report) -> SourceEvent | None:
    if isinstance(value, str):
        if not value and not node.state:
            report.problems.add(node.place, f"{path} is empty", expected="the name of a topic, or its arn")
        return SourceEvent("sns", name_in_arn(value), plain(node), node.place)
    if value.arn is None and value.topic_name is None:
        if not is_misspelt("topicName", list(node.value), ("arn", "topicName")):
            _missing(node, "arn", SnsKeys, path, "arn, or topicName", report)
        return None
    if value.arn is not None and not isinstance(value.arn, str) and value.topic_name is None:
        report.problems.add(
            node.place, f"{path} has an arn that is CloudFormation and no topicName", expected="topicName beside it"
        )
    if value.filter_policy:
        report.warn(f"{path}.filterPolicy: messages that are sent here are not filtered", node.place)
    name = value.topic_name or name_in_arn(text_of(value.arn, pseudo)[0])
    return SourceEvent("sns", name, plain(node), node.place)


def _s3(value: str | S3Keys, node: Node, path: str, pseudo: Mapping[str, str], report: Report) -> SourceEvent | None:
    if isinstance(value, str):
        return SourceEvent("s3", value, plain(node), node.place)
    if value.bucket is None:
        _missing(node, "bucket", S3Keys, path, "bucket", report)
        return None
    if not isinstance(value.bucket, str) and not value.existing:
        report.problems.add(
            (node.get("bucket") or node).place,
            f"{path}.bucket is CloudFormation, and the bucket is to be made",
            expected="existing: true, or the bucket's name",
        )
    said = node.get("event")
    kind = said.value if said is not None and isinstance(said.value, str) and not said.state else ""
    if said is not None and kind.startswith("s3:") and kind[3:].partition(":")[0] not in _S3_EVENTS:
        near = nearest(kind[3:].partition(":")[0], _S3_EVENTS)
        report.problems.add(
            said.place,
            f"{path}.event is '{kind}'",
            expected=f"s3: and one of {listed(_S3_EVENTS)}",
            fix=f"write s3:{near}" if near else "",
        )
    for rule in (node.get("rules") or Node([], node.place)).value:
        if rule.is_mapping and (len(rule.value) != 1 or next(iter(rule.value)) not in ("prefix", "suffix")):
            report.problems.add(
                rule.place, f"{path}.rules has {', '.join(rule.value)}", expected="prefix or suffix, one an entry"
            )
    return SourceEvent("s3", name_in_arn(text_of(value.bucket, pseudo)[0]), plain(node), node.place)


def _event_bridge(
    value: EventBridgeKeys, node: Node, path: str, pseudo: Mapping[str, str], report: Report
) -> SourceEvent | None:
    if value.pattern is None and value.schedule is None:
        _missing(node, "pattern", EventBridgeKeys, path, "pattern, or schedule", report)
        return None
    bus = name_in_arn(text_of(value.event_bus, pseudo)[0]) if value.event_bus is not None else "default"
    return SourceEvent(
        "eventBridge", bus.removeprefix("event-bus/"), plain(node), node.place, enabled=value.enabled is not False
    )
