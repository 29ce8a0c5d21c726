"""`bareboat check`: serverless.yml validated, and each value with where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.service.model import Note, Service


@click.command(cls=Command)
@service_options
@click.pass_obj
def check(terminal: Terminal, source: Source) -> None:
    """Validate serverless.yml and its models, and list all values.

    Every problem is told at once, with its line and column, what was expected and the fix; the exit code is then 2, or
    1 when only a model file is at fault.
    """
    from bareboat.artifact import check_models

    service = source.load(terminal)
    notes = (*service.notes, *check_models(service))
    terminal.notes(notes, infos=True)
    if terminal.as_json:
        terminal.document(_document(service, notes))
        return
    terminal.table(
        ("setting", "value", "from"),
        [(value.path, _short(value.value), value.origin) for value in service.values],
        whole="setting",
    )
    terminal.say()
    terminal.say(f"{service.path.name} is valid: {_count(len(service.functions), 'function')}.")
    if service.functions:
        terminal.next(f"bareboat package{source.flags}", f"bareboat serve{source.flags}")


def _document(service: Service, notes: tuple[Note, ...]) -> dict[str, Any]:
    return {
        "service": service.name,
        "path": str(service.path),
        "stage": service.provider.stage,
        "region": service.provider.region,
        "functions": list(service.functions),
        "notes": [{"level": note.level, "text": note.text, "where": note.where} for note in notes],
        "values": [{"path": value.path, "value": value.value, "origin": value.origin} for value in service.values],
    }


def _short(value: Any) -> str:
    """Show a value as one would write it in the file."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False, default=str)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
