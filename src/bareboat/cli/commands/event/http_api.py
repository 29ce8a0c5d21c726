"""`bareboat event http-api`: a request to the HTTP API."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, asked_of, request_options, sample_options


@click.command(cls=Command)
@request_options
@sample_options
def http_api(
    sample: Sample, method: str | None, path: str, body: str | None, headers: tuple[str, ...], query: tuple[str, ...]
) -> None:
    """A request to the HTTP API, in the payload format of its route (2.0 or 1.0). No authorizer is asked."""
    from bareboat.local.events import requests

    service = sample.service()
    asked = asked_of(method, path, body, headers, query)
    made, name = requests.http_api(asked, sample.origin(), service)
    sample.finish(sample.document(lambda: made), sample.called(f"{asked.method} {asked.path}", name))
