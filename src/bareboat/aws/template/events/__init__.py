"""What calls functions beside APIs: schedules, queues, topics, buckets, buses, streams, logs, brokers."""

from __future__ import annotations

from bareboat.aws.template.draft import Draft
from bareboat.aws.template.events.brokers import add_brokers
from bareboat.aws.template.events.buckets import add_buckets
from bareboat.aws.template.events.buses import add_buses
from bareboat.aws.template.events.existing_buckets import add_existing_buckets
from bareboat.aws.template.events.logs import add_logs
from bareboat.aws.template.events.queues import add_queues
from bareboat.aws.template.events.schedules import add_schedules
from bareboat.aws.template.events.streams import add_streams
from bareboat.aws.template.events.topics import add_topics


def add_events(draft: Draft) -> None:
    """Add what calls the functions, with its permission to do so, or the functions' to read it.

    Raises:
        ConfigurationError: an event cannot be deployed as it stands.
    """
    for add in (
        add_schedules,
        add_buckets,
        add_existing_buckets,
        add_topics,
        add_streams,
        add_brokers,
        add_buses,
        add_queues,
        add_logs,
    ):
        add(draft)
