"""`bareboat model`: what is in a model, how good it is after each round, its files and its versions."""

from __future__ import annotations

from typing import Any

import click

from bareboat.cli.group import LazyGroup


@click.group(
    cls=LazyGroup,
    package="bareboat.cli.commands.model",
    sections={
        "Commands": ("import", "info", "signature", "stages", "tree", "importances"),
        "In a store": ("push", "list", "pin"),
    },
)
def model(**_before_the_command: Any) -> None:
    """Look into a model, judge it, import it, keep its versions."""
