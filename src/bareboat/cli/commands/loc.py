"""`bareboat loc`: lines of Python code by kind, for each package or file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.source.count import Lines


@click.command(cls=Command)
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path(path_type=Path, exists=True), default=(Path(),))
@click.option(
    "--by",
    type=click.Choice(["package", "file"]),
    default="package",
    show_default=True,
    help="What a row of the table stands for.",
)
@click.option(
    "--depth",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    metavar="N",
    help="How many levels of packages below PATH have a row of their own.",
)
@click.pass_obj
def loc(terminal: Terminal, paths: tuple[Path, ...], by: str, depth: int) -> None:
    """Count lines of Python code by kind.

    Every physical line is of one kind: blank, nothing but a comment, part of a docstring, or effective.
    """
    from bareboat.source.batch import by_package, count_files
    from bareboat.source.count import Lines
    from bareboat.source.files import python_files

    files, links = python_files(paths)
    with terminal.progress("Counting"):
        counted = list(count_files(files))
    for link in links:
        terminal.log(link)
    for one in counted:
        if one.why:
            terminal.warning(f"{shown(one.file.path)}: counted roughly: {one.why}")
    total = Lines()
    for one in counted:
        total = total.plus(one.lines)
    packages = by_package(counted, depth)
    if terminal.as_json:
        terminal.document(
            {
                "files": [{"path": str(one.file.path), **one.lines._asdict(), "why": one.why} for one in counted],
                "packages": [
                    {"package": name, "files": number, **lines._asdict()} for name, (number, lines) in packages.items()
                ],
                "total": {"files": len(counted), **total._asdict()},
            }
        )
        return
    rows: list[tuple[object, ...]] = (
        [(shown(one.file.path), 1, *_row(one.lines)) for one in counted]
        if by == "file"
        else [(name, number, *_row(lines)) for name, (number, lines) in packages.items()]
    )
    if len(rows) != 1:
        rows.append(("total", len(counted), *_row(total)))
    terminal.table((by, "files", *Lines._fields), rows, whole=by)


def _row(lines: Lines) -> tuple[int, ...]:
    return tuple(lines)
