"""`bareboat model info`: what a model is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bareboat.cli.group import Command
from bareboat.cli.models import kilobytes, model_argument, open_model
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@model_argument
@click.pass_obj
def info(terminal: Terminal, model: Path) -> None:
    """Show what a model is made of.

    That is its trees, features, objective and classes, and the size of each section of its .forest file. MODEL is a
    model file of any known format, or a .forest file.
    """
    from bareboat.forest.summary import summary

    document = summary(open_model(terminal, model))
    if terminal.as_json:
        terminal.document({"model": str(model), **document})
        return
    features, sections = document["features"], document["sections"]
    terminal.table(("property", "value"), [(name, _shown(document[name])) for name in _PROPERTIES], whole="property")
    terminal.write("")
    terminal.table(
        ("feature", "splits", "thresholds", "categories", "missing"),
        [
            (each["name"], each["splits"], each["thresholds"], each["categories"], ", ".join(each["missing"]))
            for each in features
        ],
    )
    terminal.write("")
    terminal.table(("section", "bytes"), [(each["name"], each["bytes"]) for each in sections])
    terminal.say(f"the .forest file has {kilobytes(document['size_bytes'])}; {document['path']} scores it here")


_PROPERTIES = (
    "source",
    "objective",
    "kind",
    "classes",
    "transform",
    "n_features",
    "n_outputs",
    "n_rounds",
    "n_trees",
    "n_leaves",
    "max_leaves",
    "depth",
    "leaves",
    "arithmetic",
    "statistics",
    "size_bytes",
    "open_ms",
    "path",
)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
