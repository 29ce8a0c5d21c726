"""`bareboat event`: sample events as AWS sends them, printed, or sent to a running local cloud."""

from __future__ import annotations

from typing import Any

import click

from bareboat.cli.group import LazyGroup

SECTIONS = {
    "Messages, objects, events": ("sqs", "sns", "s3", "event-bridge", "schedule"),
    "Requests": ("http-api", "http", "url"),
}


@click.group(cls=LazyGroup, package="bareboat.cli.commands.event", sections=SECTIONS, about_a_service=True)
def event(**_before_the_command: Any) -> None:
    """Print a sample event as AWS sends it, or send it to serve.

    bareboat event sqs --body hello | bareboat invoke local -f worker

    bareboat event sqs --body hello --send -f worker
    """
