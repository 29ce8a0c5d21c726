"""`bareboat strip`: Python files without comments, docstrings and blank lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.source.batch import Stripped
    from bareboat.source.tasks import Wanted


@click.command(cls=Command)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--docstrings", is_flag=True, help="Take docstrings out too.")
@click.option("--blank-lines", is_flag=True, help="Take blank lines out too; tracebacks then tell other line numbers.")
@click.option(
    "--keep",
    multiple=True,
    metavar="WORD",
    help="Leave comments that begin with WORD, such as 'type:', noqa or pragma; may be repeated.",
)
@click.option("--check", is_flag=True, help="Write nothing; the exit code is 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing to the files, but show what would change.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write all Python files there and leave PATH as it is.",
)
@click.pass_context
def strip(
    ctx: click.Context,
    paths: tuple[Path, ...],
    docstrings: bool,
    blank_lines: bool,
    keep: tuple[str, ...],
    check: bool,
    diff: bool,
    output: Path | None,
) -> None:
    """Take the comments out of Python files.

    Every statement stays on its line. '#!' lines and declared encodings always stay. A result is compiled and compared
    with what it was made from, syntax tree against syntax tree; a file that would become another program, or that this
    Python cannot read, is left alone and named, and the exit code is 1.

    A folder stands for all Python files below it; links in it are not followed. '-' reads one file from stdin and
    writes it to stdout.
    """
    terminal = ctx.ensure_object(Terminal)
    from bareboat.source.batch import strip_files
    from bareboat.source.files import python_files
    from bareboat.source.tasks import Wanted

    wanted = Wanted(docstrings, blank_lines, keep)
    if paths == (Path("-"),):
        _filter(wanted)
        return
    files, links = python_files(paths)
    done = []
    with terminal.progress("Stripping") as step:
        for one in strip_files(files, wanted, write=not (check or diff), output=output):
            done.append(one)
            if len(done) % 1000 == 0:
                step(f"Stripping {len(done)} of {len(files)} files")
            if diff and not terminal.as_json:
                _show_diff(terminal, one)
    for link in links:
        terminal.log(link)
    alone = [one for one in done if one.outcome.why]
    changed = [one for one in done if one.outcome.data is not None]
    for one in alone:
        terminal.warning(f"{shown(one.file.path)}: left alone: {one.outcome.why}")
    if terminal.as_json:
        terminal.document(_document(done, links))
    elif not diff:
        if check:
            for one in changed:
                terminal.write(str(shown(one.file.path)))
        terminal.say(_summary(done, len(changed), would=check))
    if alone or (check and changed):
        ctx.exit(1)


def _filter(wanted: Wanted) -> None:
    import sys

    from bareboat.errors import BareboatError
    from bareboat.source.tasks import strip as strip_one

    data = sys.stdin.buffer.read()
    outcome = strip_one(data, wanted)
    if outcome.why:
        raise BareboatError(outcome.why, where="stdin")
    sys.stdout.flush()
    sys.stdout.buffer.write(data if outcome.data is None else outcome.data)
    sys.stdout.buffer.flush()


def _show_diff(terminal: Terminal, one: Stripped) -> None:
    if one.outcome.data is None:
        return
    from difflib import unified_diff

    from bareboat.source.text import read_text

    name = str(shown(one.file.path))
    before = read_text(one.file.path.read_bytes()).data.decode().splitlines()
    after = read_text(one.outcome.data).data.decode().splitlines()
    terminal.write("\n".join(unified_diff(before, after, name, name, lineterm="")))


def _summary(done: list[Stripped], n_changed: int, *, would: bool) -> str:
    before = sum(one.outcome.before_bytes for one in done)
    after = sum(one.outcome.after_bytes for one in done)
    percent = f" (-{100 * (before - after) / before:.1f} %)" if before > after else ""
    return (
        f"{n_changed} of {len(done)} files {'would change' if would else 'changed'}: "
        f"{before / 1e6:.3f} MB -> {after / 1e6:.3f} MB{percent}"
    )


def _document(done: list[Stripped], links: tuple[str, ...]) -> dict[str, object]:
    return {
        "files": [
            {
                "path": str(one.file.path),
                "state": "left alone" if one.outcome.why else "unchanged" if one.outcome.data is None else "changed",
                "why": one.outcome.why,
                "before_bytes": one.outcome.before_bytes,
                "after_bytes": one.outcome.after_bytes,
            }
            for one in done
        ],
        "before_bytes": sum(one.outcome.before_bytes for one in done),
        "after_bytes": sum(one.outcome.after_bytes for one in done),
        "not_followed": list(links),
    }
