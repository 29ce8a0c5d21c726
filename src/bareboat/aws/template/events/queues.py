"""`sqs` -> the mapping of a queue."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.aws.template.events.sources import Grants, filters, map_source, settings, source_name, sourced
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function
from bareboat.service.triggers import SourceEvent

VISIBILITY_S = 30
"""Of a queue that says nothing: Amazon SQS API reference, CreateQueue."""
READ = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def add_queues(draft: Draft) -> None:
    """Add the queues of all functions. Those of model functions tell which messages failed, said or not."""
    grants = Grants(draft)
    for function, _, event in sourced(draft, "sqs"):
        assert isinstance(event, SourceEvent)
        config = settings(event, "arn")
        arn = config["arn"]
        _check_visibility(draft, function, event, arn)
        limit = config.get("maximumConcurrency")
        map_source(
            draft,
            naming.queue_mapping_id(function.name, source_name(arn, event)),
            function,
            event,
            {
                "BatchSize": event.batch_size,
                "MaximumBatchingWindowInSeconds": config.get("maximumBatchingWindow"),
                "EventSourceArn": arn,
                "Enabled": event.enabled,
                "FunctionResponseTypes": ["ReportBatchItemFailures"] if event.reports_failures else None,
                "FilterCriteria": filters(config),
                "ScalingConfig": {"MaximumConcurrency": limit} if limit else None,
            },
        )
        grants.add(function, READ, arn)
    grants.grant()


def _check_visibility(draft: Draft, function: Function, event: SourceEvent, arn: Any) -> None:
    """Refuse what Lambda refuses: a queue of the stack whose messages show up again before the function is done.

    Source:
        AWS Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping".
    """
    queue = (draft.service.resources.get("Resources") or {}).get(source_name(arn, event))
    if not isinstance(queue, dict) or queue.get("Type") != "AWS::SQS::Queue":
        return
    visible_s = (queue.get("Properties") or {}).get("VisibilityTimeout", VISIBILITY_S)
    if isinstance(visible_s, int) and visible_s < function.timeout_s:
        name = source_name(arn, event)
        raise ConfigurationError(
            f"the messages of {name} show up again after {visible_s} s and functions.{function.name} may take "
            f"{function.timeout_s} s",
            expected="a VisibilityTimeout of the function's timeout at least; six times that is AWS's advice",
            fix=f"resources: {name}: Properties: {{VisibilityTimeout: {6 * function.timeout_s}}}",
            where=str(event.where),
        )
