"""`bareboat event url`: a request to a function URL."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, asked_of, request_options, sample_options


@click.command(cls=Command)
@request_options
@sample_options
def url(
    sample: Sample, method: str | None, path: str, body: str | None, headers: tuple[str, ...], query: tuple[str, ...]
) -> None:
    """A request to a function URL."""
    from bareboat.local.events import requests

    function = sample.function("url")
    asked = asked_of(method, path, body, headers, query)
    made = requests.url(asked, sample.origin(), sample.service(), function)
    sample.finish(sample.document(lambda: made), function)
