"""`bareboat model info`: what a model is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.models import kilobytes, model_argument, open_any
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.pipeline.ir import Pipeline


@click.command(cls=Command)
@model_argument
@click.pass_obj
def info(terminal: Terminal, model: Path) -> None:
    """Show what a model is made of.

    That is its trees, features, objective and classes, and the size of each section of its .forest file; of a
    compiled pipeline its columns, its steps, and how near its answers are to the framework's. MODEL is a model file of
    any known format, or a .forest or .pipeline file.
    """
    from bareboat.pipeline.ir import Pipeline

    found = open_any(terminal, model)
    if isinstance(found, Pipeline):
        _show_pipeline(terminal, model, found)
        return
    from bareboat.forest.summary import summary

    document = summary(found)
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


def _show_pipeline(terminal: Terminal, model: Path, pipeline: Pipeline) -> None:
    from bareboat.pipeline.summary import summary

    document = summary(pipeline)
    if terminal.as_json:
        terminal.document({"model": str(model), **document})
        return
    properties = [(name, _shown(document[name])) for name in _OF_PIPELINES]
    terminal.table(("property", "value"), properties, whole="property")
    terminal.write("")
    terminal.table(
        ("column", "dtype", "nullable", "values", "others"),
        [
            (
                each["name"],
                each["dtype"] if each["used"] else "not read",
                _yes(each["nullable"]),
                _values(each["enum"] if each["enum"] is not None else each["values"]),
                _yes(each["others"]),
            )
            for each in document["columns"]
        ],
    )
    terminal.write("")
    terminal.table(
        ("step", "inputs", "outputs", "numbers", "bound"),
        [
            (each["op"], each["inputs"], each["outputs"], each["numbers"], f"{each['bound']:g}")
            for each in document["steps"]
        ],
    )
    for note in document["notes"]:
        terminal.note(note)
    terminal.say(f"the .pipeline file has {kilobytes(document['size_bytes'])}")


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _values(values: list[Any] | None) -> str:
    if values is None:
        return "any number"
    first = ", ".join("null" if value is None else repr(value) for value in values[:_MOST_VALUES])
    return f"{first} and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else first or "none"


_MOST_VALUES = 6

_OF_PIPELINES = (
    "source",
    "objective",
    "kind",
    "classes",
    "agreement",
    "n_features",
    "n_outputs",
    "n_steps",
    "n_forests",
    "n_trees",
    "size_bytes",
    "open_ms",
)

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
