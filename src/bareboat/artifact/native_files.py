"""The native files of an artifact and of what lies beside it -> those that Lambda would not load."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from bareboat.artifact.contents import Contents, Entry
from bareboat.artifact.names import some
from bareboat.artifact.parts import Parts
from bareboat.artifact.python_code import PythonCode
from bareboat.errors import ArtifactError, Problem
from bareboat.packaging.elf import Elf, is_elf, read_elf
from bareboat.packaging.native import check_native, importable, native_problems
from bareboat.packaging.redistributable import is_redistributable
from bareboat.packaging.target import Target
from bareboat.service.model import Note

TAG = re.compile(r"\.cpython-3(\d+)[a-z]*-")
_MACH_O = {b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"}


class Native(NamedTuple):
    """Headers by path, and files that are none for Linux, or damaged."""

    elves: dict[str, Elf]
    problems: list[Problem]


def native_files(parts: Iterable[tuple[str, Contents]]) -> Native:
    """Read the headers of native files.

    Args:
        parts: files, with what their paths begin with.
    """
    found = Native({}, [])
    for prefix, contents in parts:
        for entry in contents.entries:
            if entry.link or not _may_be_native(entry):
                continue
            path = prefix + entry.path
            try:
                data = contents.read(entry.path)
                if data[:4] in _MACH_O and entry.path.endswith((".so", ".dylib")):
                    text = f"{path} was compiled for macOS"
                    found.problems.append(Problem(text, expected="a file for Linux", where=path))
                if not data and PurePosixPath(path).suffix == ".so":
                    found.problems.append(Problem(f"{path} is empty", expected="a whole ELF file", where=path))
                if is_elf(data[:4]) and (elf := read_elf(data)) is not None:
                    found.elves[path] = elf
            except ArtifactError as error:
                found.problems.extend(error.problems)
            except ValueError as error:
                if ".so" in PurePosixPath(path).name:
                    found.problems.append(Problem(f"{path} {error}", expected="a whole ELF file", where=path))
    return found


def _may_be_native(entry: Entry) -> bool:
    name = entry.path.rpartition("/")[2]
    return ".so" in name or entry.path.endswith(".dylib") or bool(entry.mode & 0o111 and "." not in name)


def loading(
    names: list[str], parts: Parts, elves: Mapping[str, Elf], target: Target
) -> tuple[list[Problem], list[Note]]:
    """Return what would not load on the target, and what does not need to."""
    report = check_native(elves, target, names, PythonCode(names, parts.read))
    problems = []
    for problem in native_problems(report, target):
        library = problem.found.partition(" ")[0]
        if is_redistributable(library, target):
            by_itself = f"bareboat package puts {library} into lib/ by itself when it installs the requirements"
            fix = f"{by_itself}; or put one there"
            problem = Problem(problem.found, expected=problem.expected, fix=fix)  # noqa: PLW2901
        problems.append(problem)
    notes = [
        Note("info", f"{path} does not load, since Lambda has no {library}: {why}")
        for path, library, why in report.optional
    ]
    return problems, notes


def for_other_pythons(paths: Iterable[str], target: Target, origin: str) -> list[Problem]:
    """Name packages whose modules were compiled for another Python."""
    wanted = target.python.rpartition(".")[2]
    others: dict[str, tuple[str, str]] = {}
    fitting = set()
    for path in paths:
        match = TAG.search(path)
        if match is None:
            if ".so" in path:
                fitting.add(path.partition(".abi3.so")[0].removesuffix(".so"))
        elif match[1] == wanted:
            fitting.add(path[: match.start()])
        else:
            others.setdefault(path[: match.start()], (path, match[1]))
    wrong: dict[tuple[str, str], list[str]] = {}
    for stem, (path, version) in others.items():
        if stem not in fitting:
            inside = importable(path)
            package = path.removesuffix(inside) + inside.split("/")[0]
            wrong.setdefault((package, version), []).append(path)
    return [
        Problem(
            f"{package} was compiled for python3.{version}: {some(files)}",
            expected=f"modules for python{target.python} (known from {origin})",
            fix=f"install it for python{target.python}, as bareboat package does, or change the runtime",
        )
        for (package, version), files in sorted(wrong.items())
    ]
