"""REST API: resources, methods, authorizers, keys, plans, stage."""

from __future__ import annotations

from bareboat.aws.template.draft import Draft


def add_rest_api(draft: Draft) -> None:
    """Add nothing yet."""
