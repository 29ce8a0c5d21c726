"""`bareboat image`: container images without a daemon, to a registry and back, and into an engine that runs them."""

from __future__ import annotations

from typing import Any

import click

from bareboat.cli.group import LazyGroup


@click.group(
    cls=LazyGroup,
    package="bareboat.cli.commands.image",
    sections={
        "On this machine": ("build", "list", "inspect", "tag", "rm"),
        "In a registry": ("push", "pull"),
        "In docker or podman": ("run", "exec"),
    },
)
def image(**_before_the_command: Any) -> None:
    """Build container images, push, pull and run them."""
