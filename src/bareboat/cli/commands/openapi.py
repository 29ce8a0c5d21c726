"""`bareboat openapi`: the routes of a service, what they take and what they answer, as OpenAPI 3.1."""

from __future__ import annotations

from pathlib import Path

import click

from bareboat.cli.functions import function_option
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@function_option("Only this function.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@service_options
@click.pass_obj
def openapi(terminal: Terminal, source: Source, name: str | None, output: Path | None) -> None:
    """Print an OpenAPI 3.1 document of the APIs.

    It has the routes, who may call them, what requests of model functions hold (types, ranges, values, defaults) and
    what is answered, by functions and by the gateway itself.
    """
    import json

    from bareboat.artifact.openapi import openapi as described
    from bareboat.cli.functions import chosen
    from bareboat.errors import BareboatError

    service = source.load(terminal)
    with terminal.progress("Reading models"):
        document = described(service, None if name is None else chosen(service, name))
    if output is None:
        terminal.document(document)
        return
    try:
        output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BareboatError(f"{output} cannot be written: {error.strerror}") from error
    terminal.result({"path": str(output)}, str(output))
