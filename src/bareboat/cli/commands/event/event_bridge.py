"""`bareboat event event-bridge`: an event of a bus."""

from __future__ import annotations

import json
from typing import Any

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, sample_options
from bareboat.errors import ConfigurationError


@click.command(cls=Command)
@click.option("--source", "sender", metavar="TEXT", help="Who sends it.  [default: the pattern's, else custom.app]")
@click.option("--detail-type", metavar="TEXT", help="What kind it is.  [default: the pattern's, else Sample]")
@click.option("--detail", default="{}", show_default=True, metavar="JSON", help="What it says.")
@click.option("--resource", "resources", multiple=True, metavar="ARN", help="What it is about; may be repeated.")
@sample_options
def event_bridge(
    sample: Sample, sender: str | None, detail_type: str | None, detail: str, resources: tuple[str, ...]
) -> None:
    """An event of a bus, as the function's rule hands it over (input, inputPath and inputTransformer)."""
    from bareboat.local.events import samples
    from bareboat.local.events.inputs import event_for

    function = sample.function("eventBridge")
    config: dict[str, Any] = sample.source_config(function, "eventBridge")
    pattern = config.get("pattern") or {}
    event = sample.document(
        lambda: samples.event_bridge(
            sample.origin(),
            source=sender or _first(pattern.get("source")) or "custom.app",
            detail_type=detail_type or _first(pattern.get("detail-type")) or "Sample",
            detail=_detail(detail),
            resources=resources,
        )
    )
    if isinstance(event, dict):
        event = json.loads(event_for(event, config.get("input"), config))
    sample.finish(event, function)


def _first(values: Any) -> str:
    found = values[0] if isinstance(values, list) and values else values
    return found if isinstance(found, str) else ""


def _detail(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"--detail is no JSON: {error}", expected='an object, such as {"a": 1}') from error
    if not isinstance(found, dict):
        raise ConfigurationError("--detail is no JSON object", expected='one, such as {"a": 1}')
    return found
