"""`stream` -> the mapping of a stream of DynamoDB or Kinesis, and its consumer."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.events.sources import (
    Grants,
    dependent,
    filters,
    map_source,
    settings,
    source_name,
    sourced,
)
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function
from bareboat.service.triggers import OtherEvent, SourceEvent

DYNAMODB = (
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:DescribeStream",
    "dynamodb:ListStreams",
)
KINESIS = ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListStreams")
SHARED = ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStreamSummary", "kinesis:ListShards")
CONSUMER = ("kinesis:SubscribeToShard",)
FAILURES = {"sns": ("sns:Publish",), "sqs": ("sqs:SendMessage",)}
_SAME = {
    "MaximumBatchingWindowInSeconds": "batchWindow",
    "ParallelizationFactor": "parallelizationFactor",
    "MaximumRetryAttempts": "maximumRetryAttempts",
    "BisectBatchOnFunctionError": "bisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds": "maximumRecordAgeInSeconds",
    "TumblingWindowInSeconds": "tumblingWindowInSeconds",
    "StartingPositionTimestamp": "startingPositionTimestamp",
}


def add_streams(draft: Draft) -> None:
    """Add the streams of all functions.

    Raises:
        ConfigurationError: the kind of a stream cannot be told.
    """
    grants = Grants(draft, (DYNAMODB, KINESIS, SHARED, CONSUMER, *FAILURES.values()), by_function=True)
    for function, _, event in sourced(draft, "stream"):
        config = settings(event, "arn")
        arn = config["arn"]
        kind = config.get("type") or _service(arn)
        if kind not in ("dynamodb", "kinesis"):
            raise ConfigurationError(
                f"the stream of functions.{function.name} is {arn}",
                expected="type: dynamodb or type: kinesis beside an arn that does not say it",
                where=str(event.where),
            )
        name = stream_name(arn, event)
        response = config.get("functionResponseType")
        properties: Json = {
            "BatchSize": config.get("batchSize") or 10,
            "Enabled": config.get("enabled") is not False,
            "EventSourceArn": arn,
            "StartingPosition": config.get("startingPosition") or "TRIM_HORIZON",
            "FunctionResponseTypes": [response] if response else None,
            "FilterCriteria": filters(config),
            **{key: config.get(said) for key, said in _SAME.items()},
        }
        if failure := _failure(config):
            service, target = failure
            properties["DestinationConfig"] = {"OnFailure": {"Destination": target}}
            grants.add(function, FAILURES.get(service, FAILURES["sqs"]), target)
        more: Json = {}
        if kind == "dynamodb":
            grants.add(function, DYNAMODB, arn)
        elif config.get("consumer"):
            more = _consume(draft, function, config["consumer"], name, properties)
            grants.add(function, SHARED, arn)
            grants.add(function, CONSUMER, properties["EventSourceArn"])
        else:
            grants.add(function, KINESIS, arn)
        map_source(draft, naming.stream_mapping_id(function.name, kind, name), function, event, properties, **more)
    grants.grant()


def stream_name(arn: Any, event: SourceEvent | OtherEvent) -> str:
    """Return the name of a stream, or of a stream's table, as its logical id has it."""
    text = source_name(arn, event)
    if isinstance(arn, str):
        parts = arn.split("/")
        return parts[1] if len(parts) > 1 else text
    return text.rsplit("/", 1)[-1]


def _service(arn: Any) -> str:
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[2] if len(parts) > 2 else ""


def _failure(config: Json) -> tuple[str, Any] | None:
    """Return what gets the batches that fail for good: its service and ARN."""
    said = (config.get("destinations") or {}).get("onFailure")
    if not said:
        return None
    if isinstance(said, dict) and "arn" in said:
        return str(said.get("type") or _service(said["arn"])), said["arn"]
    return _service(said), said


def _consume(draft: Draft, function: Function, said: Any, name: str, properties: Json) -> Json:
    """Read through a consumer with its own throughput: a new one, or the one that is named."""
    if said is not True:
        properties["EventSourceArn"] = said
        return {}
    own = (draft.service.provider.options.get("kinesis") or {}).get("consumerNamingMode")
    of = (draft.service.name, draft.stage) if own else ()
    consumer = naming.stream_consumer_name(function.name, name, *of)
    logical_id = naming.stream_consumer_id(consumer)
    if logical_id not in draft.resources:
        draft.add(
            logical_id,
            "AWS::Kinesis::StreamConsumer",
            {"StreamARN": properties["EventSourceArn"], "ConsumerName": consumer},
        )
    properties["EventSourceArn"] = {"Ref": logical_id}
    return {"DependsOn": dependent(draft, function)["DependsOn"]}
