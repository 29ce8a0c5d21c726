"""Custom domains."""

from __future__ import annotations

from bareboat.aws.template.draft import Draft


def add_domains(draft: Draft) -> None:
    """Add nothing yet."""
