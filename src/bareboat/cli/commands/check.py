"""`bareboat check`: serverless.yml validated, and each value with where it came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.service.model import Note, Service


@click.command(cls=Command)
@click.option(
    "--artifact",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="Look a zip or a folder through instead, whoever made it.",
)
@click.option("--runtime", metavar="NAME", help="With --artifact: the runtime it is for, such as python3.13.")
@click.option(
    "--architecture", type=click.Choice(["x86_64", "arm64"]), help="With --artifact: the architecture it is for."
)
@click.option(
    "--layer",
    "layers",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    metavar="FILE",
    help="With --artifact: a layer that lies beside it, a zip or a folder; may be repeated.",
)
@service_options
@click.pass_context
def check(
    ctx: click.Context,
    source: Source,
    artifact: Path | None,
    runtime: str | None,
    architecture: Literal["x86_64", "arm64"] | None,
    layers: tuple[Path, ...],
) -> None:
    """Validate serverless.yml and its models, and list all values.

    Every problem is told at once, with its line and column, what was expected and the fix; the exit code is then 2, or
    1 when only a model file is at fault.

    With --artifact a zip, or a folder of unpacked files, is held against Lambda: native libraries, versions, sizes,
    names, rights, handlers, bytecode. What would fail there is an error, and the exit code is 1. What lies in layers
    counts: in those of serverless.yml as they were built last, or in those that --layer names.
    """
    terminal = ctx.ensure_object(Terminal)
    if artifact is not None:
        if not _artifact_is_fit(terminal, source, artifact, runtime or "", architecture, layers):
            ctx.exit(1)
        return
    if runtime or architecture or layers:
        raise click.UsageError("--runtime, --architecture and --layer go with --artifact")
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


def _artifact_is_fit(
    terminal: Terminal,
    source: Source,
    path: Path,
    runtime: str,
    architecture: Literal["x86_64", "arm64"] | None,
    layers: tuple[Path, ...],
) -> bool:
    import re

    from bareboat.artifact.inspection import inspect_artifact

    if runtime and not re.fullmatch(r"(python)?3\.\d+", runtime):
        raise click.UsageError(f"--runtime {runtime} is no runtime of Lambda's such as python3.13")
    service = source.load(terminal) if source.config is not None or Path("serverless.yml").is_file() else None
    with terminal.progress(f"Checking {shown(path)}"):
        found = inspect_artifact(path, python=runtime, architecture=architecture, service=service, layers=layers)
    terminal.notes(found.notes, infos=True)
    for problem in found.problems:
        terminal.error(str(problem))
    if terminal.as_json:
        terminal.document(
            {
                "artifact": str(path),
                "fit": not found.problems,
                "target": str(found.target),
                "target_from": found.origin,
                "size_bytes": found.size_bytes,
                "unzipped_bytes": found.unzipped_bytes,
                "files": found.files,
                "native_files": found.native,
                "problems": [problem.to_dict() for problem in found.problems],
                "notes": [{"level": note.level, "text": note.text, "where": note.where} for note in found.notes],
            }
        )
        return not found.problems
    size = f"{found.size_bytes / 1e6:.3f} MB, " if found.size_bytes is not None else ""
    terminal.say()
    terminal.write(
        f"{shown(path)}: {size}{found.unzipped_bytes / 1e6:.3f} MB unzipped, {_count(found.files, 'file')}, "
        f"{_count(found.native, 'native file')}, for {found.target} (known from {found.origin})"
    )
    terminal.write(_count(len(found.problems), "problem") if found.problems else "nothing stands against it on Lambda")
    return not found.problems


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
