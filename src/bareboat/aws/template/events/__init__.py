"""What calls functions beside APIs: schedules, queues, topics, buckets, buses, streams."""

from __future__ import annotations

from bareboat.aws.template.draft import Draft


def add_events(draft: Draft) -> None:
    """Add nothing yet."""
