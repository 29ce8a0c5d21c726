"""`bareboat image tag`: another name for an image."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@click.argument("image")
@click.argument("name")
@click.pass_obj
def tag(terminal: Terminal, image: str, name: str) -> None:
    """Give an image another name.

    IMAGE is one of `bareboat image list`, or the first digits of its digest. NAME is NAME:TAG, with the registry that
    it is to be pushed to: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris:1.
    """
    from bareboat.container.store import Store

    store = Store.open()
    found = store.get(image)
    named = store.tag(name, found)
    terminal.result({"name": named.name, "digest": named.digest}, named.name)
