"""`bareboat event sns`: a message of a topic."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, pairs, sample_options


@click.command(cls=Command)
@click.option("--message", default="hello", show_default=True, metavar="TEXT", help="The message.")
@click.option("--subject", metavar="TEXT", help="Its subject.")
@click.option("--topic", metavar="NAME", help="The topic.  [default: the function's, else topic]")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=TEXT", help="A message attribute.")
@sample_options
def sns(sample: Sample, message: str, subject: str | None, topic: str | None, attributes: tuple[str, ...]) -> None:
    """A message of a topic."""
    from bareboat.local.events import samples

    function = sample.function("sns")
    event = sample.document(
        lambda: samples.sns(
            message,
            sample.origin(),
            topic=topic or sample.source_name(function, "sns") or "topic",
            subject=subject,
            attributes=dict(pairs(attributes, "--attribute", "=")),
        )
    )
    sample.finish(event, function)
