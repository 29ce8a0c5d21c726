"""`sqs` -> the mapping of a queue."""

from __future__ import annotations

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.aws.template.events.sources import Grants, filters, map_source, settings, source_name, sourced
from bareboat.service.triggers import SourceEvent

READ = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def add_queues(draft: Draft) -> None:
    """Add the queues of all functions. Those of model functions tell which messages failed, said or not."""
    grants = Grants(draft)
    for function, _, event in sourced(draft, "sqs"):
        assert isinstance(event, SourceEvent)
        config = settings(event, "arn")
        arn = config["arn"]
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
