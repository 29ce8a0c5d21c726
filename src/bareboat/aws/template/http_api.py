"""HTTP API: routes, integrations, authorizers, stage."""

from __future__ import annotations

from bareboat.aws.template.draft import Draft


def add_http_api(draft: Draft) -> None:
    """Add nothing yet."""
