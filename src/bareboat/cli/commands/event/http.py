"""`bareboat event http`: a request to the REST API."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, asked_of, request_options, sample_options


@click.command(cls=Command)
@request_options
@sample_options
def http(
    sample: Sample, method: str | None, path: str, body: str | None, headers: tuple[str, ...], query: tuple[str, ...]
) -> None:
    """A request to the REST API, as its proxy integration hands it over. The path is without the stage."""
    from bareboat.local.events import requests

    service = sample.service()
    asked = asked_of(method, path, body, headers, query)
    made, name = requests.rest(asked, sample.origin(), service)
    sample.finish(sample.document(lambda: made), sample.called(f"{asked.method} {asked.path}", name))
