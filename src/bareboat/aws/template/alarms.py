"""Alarms on errors, throttles and spend."""

from __future__ import annotations

from bareboat.aws.template.draft import Draft


def add_alarms(draft: Draft) -> None:
    """Add nothing yet."""
