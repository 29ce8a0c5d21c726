"""Many Python files -> stripped or counted, several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import BareboatError
from bareboat.source.count import Lines
from bareboat.source.files import Source, write_source
from bareboat.source.tasks import Outcome, Wanted
from bareboat.source.workers import answers

_CRASHED = "Python itself stopped while reading it"


@dataclass(frozen=True, slots=True)
class Stripped:
    """A file and what became of it."""

    file: Source
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Counted:
    """A file and its lines.

    Args:
        why: "" or why it could only be counted roughly.
    """

    file: Source
    lines: Lines
    why: str = ""


def strip_all(sources: Sequence[str | bytes], wanted: Wanted, *, size_bytes: int) -> Iterator[Outcome]:
    """Strip files, given by path or as bytes, with as many processes as are worth it.

    Args:
        size_bytes: about how much source there is.
    Yields:
        An outcome for each, in order.
    """
    jobs = [("strip", (source, wanted)) for source in sources]
    for outcome in answers(jobs, size_bytes):
        yield outcome if outcome is not None else Outcome(0, None, _CRASHED)


def strip_files(
    files: Sequence[Source], wanted: Wanted, *, write: bool = True, output: Path | None = None
) -> Iterator[Stripped]:
    """Strip files where they lie; a file that would become another program is left alone.

    Args:
        write: False looks only.
        output: a folder to write all files into instead, each at its place below the folder that was asked for.
    Yields:
        What became of each file, in order, after it is written.
    Raises:
        BareboatError: a file cannot be written.
    """
    if output is not None:
        _refuse_overlap(files, output)
    size = sum(file.size_bytes for file in files)
    for file, outcome in zip(
        files, strip_all([str(file.path) for file in files], wanted, size_bytes=size), strict=True
    ):
        if write and output is not None:
            _write_below(output, file, outcome)
        elif write and outcome.data is not None:
            write_source(file.path, outcome.data)
        yield Stripped(file, outcome)


def _write_below(output: Path, file: Source, outcome: Outcome) -> None:
    target = output / file.inner
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        data = file.path.read_bytes() if outcome.data is None else outcome.data
    except OSError as error:
        raise BareboatError(f"cannot be written: {error.strerror}", where=str(target)) from error
    write_source(target, data, like=file.path)


def _refuse_overlap(files: Iterable[Source], output: Path) -> None:
    places: dict[str, Source] = {}
    for file in files:
        other = places.setdefault(file.inner, file)
        if other is not file:
            raise BareboatError(
                f"{other.path} and {file.path} would both become {output / file.inner}",
                fix="write one folder at a time",
            )


def count_files(files: Sequence[Source]) -> Iterator[Counted]:
    """Count the lines of files, in order."""
    jobs = [("count", (str(file.path),)) for file in files]
    for file, answer in zip(files, answers(jobs, sum(file.size_bytes for file in files)), strict=True):
        lines, why = answer if answer is not None else (Lines(), _CRASHED)
        yield Counted(file, lines, why)


def by_package(counted: Iterable[Counted], depth: int = 1) -> dict[str, tuple[int, Lines]]:
    """Add up by package: name -> how many files, and their lines.

    Args:
        depth: how many levels of folders below a folder that was asked for are told apart; what is deeper is counted
            into them.
    """
    sums: dict[str, tuple[int, Lines]] = {}
    for one in counted:
        name = package_name(one.file, depth)
        files, lines = sums.get(name, (0, Lines()))
        sums[name] = (files + 1, lines.plus(one.lines))
    return dict(sorted(sums.items()))


def package_name(file: Source, depth: int) -> str:
    """Return the dotted name of the folder that a file is counted into.

    A folder that was asked for gives its own name when it is a package itself; files beside packages are counted as
    "(modules)".
    """
    if file.path == file.below:
        return "(modules)"
    is_package = (file.below / "__init__.py").exists()
    first = [file.below.resolve().name] if is_package else []
    folders = file.inner.split("/")[:-1][:depth]
    return ".".join((*first, *folders)) or "(modules)"
