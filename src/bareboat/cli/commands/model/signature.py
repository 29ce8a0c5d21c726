"""`bareboat model signature`: what a model takes, for serverless.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from bareboat.cli.group import Command
from bareboat.cli.models import FILE, model_argument, tell_of_opening
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@model_argument
@click.option(
    "--from", "sample", type=FILE, metavar="FILE", help="Examples, CSV or Parquet: their types, ranges and values."
)
@click.option("--target", metavar="NAME", help="A column of the examples that is no input.")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write a file for `signature: FILE`.")
@click.pass_obj
def signature(terminal: Terminal, model: Path, sample: Path | None, target: str | None, output: Path | None) -> None:
    """Print the inputs of a model as YAML for serverless.yml.

    They are what the model says of itself; with --from also the types, ranges, values and missing values of examples.
    Values outside the ranges are then answered with a warning (bounds: warn); change it to error to refuse them.
    """
    from bareboat.artifact.engines import read_alone
    from bareboat.artifact.inference import infer
    from bareboat.errors import BareboatError
    from bareboat.project.signature_text import signature_text

    if target is not None and sample is None:
        raise click.UsageError("--target needs --from")
    tell_of_opening(terminal, model)
    with terminal.progress(f"Reading {model.name}"):
        found = infer(read_alone(model), sample, target)
    bounds: Literal["warn"] | None = "warn" if found.has_ranges else None
    for note in found.notes:
        terminal.say(f"note: {note}")
    if output is not None:
        try:
            output.write_text(signature_text(found.inputs, bounds), encoding="utf-8")
        except OSError as error:
            raise BareboatError(f"{output} cannot be written: {error.strerror}") from error
        terminal.result({"path": str(output)}, str(output))
        terminal.say(f"Put this below the model in serverless.yml: signature: {output}")
    elif terminal.as_json:
        terminal.document({"bounds": bounds or "error", "inputs": [_document(each) for each in found.inputs]})
    else:
        terminal.write("    signature:\n" + signature_text(found.inputs, bounds, 6).rstrip("\n"))


def _document(feature: object) -> dict[str, object]:
    keys = ("name", "dtype", "nullable", "enum", "minimum", "maximum")
    said = {key: getattr(feature, key) for key in keys}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in said.items() if value is not None}
