"""Options and words that the commands of `bareboat image` share."""

from __future__ import annotations

import click

insecure_option = click.option(
    "--insecure",
    is_flag=True,
    help="Take any certificate of the registry, and plain HTTP. One on this machine may speak that anyway.",
)
