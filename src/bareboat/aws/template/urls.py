"""Function URLs."""

from __future__ import annotations

from bareboat.aws.template.draft import Draft


def add_urls(draft: Draft) -> None:
    """Add nothing yet."""
