"""The native libraries of an artifact against the machine that will load them: what is missing, what is too new."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.elf import Elf
from bareboat.packaging.lambda_image import newest_versions, provided
from bareboat.packaging.target import Target

# Files that their package tries to load and does without, by the beginning of their path.
_OPTIONAL = {
    "numba/np/ufunc/tbbpool.": "numba takes another threading layer",
    "numba/np/ufunc/omppool.": "numba takes another threading layer",
}
_CURES = {
    "cv2/": "opencv-python-headless in place of opencv-python: it needs no windows",
    "opencv_python": "opencv-python-headless in place of opencv-python: it needs no windows",
}


@dataclass(frozen=True, slots=True)
class NativeReport:
    """What the headers say.

    Args:
        missing: library -> the files that want it.
        optional: (file, library, why it does not matter), of files that their package does without.
        wrong_machine: (file, machine).
        too_new: (file, symbol version, library, newest version there is), the newest one of each file and family.
    """

    missing: Mapping[str, tuple[str, ...]]
    optional: tuple[tuple[str, str, str], ...]
    wrong_machine: tuple[tuple[str, str], ...]
    too_new: tuple[tuple[str, str, str, str], ...]


def check_native(elves: Mapping[str, Elf], target: Target, names: Iterable[str] = ()) -> NativeReport:
    """Compare what native files ask for with what the artifact and the Lambda image hold.

    A library counts as there when the image has it, or when the artifact has it under that name anywhere: in a folder
    that the loader searches, or elsewhere, since a package that brings one there loads it by its path first.

    Args:
        elves: path in the artifact -> headers, of every native file.
        names: further paths in the artifact.
    """
    inside = {posixpath.basename(path) for path in (*elves, *names)}
    sonames = {elf.soname for elf in elves.values() if elf.soname}
    missing: dict[str, list[str]] = {}
    optional: list[tuple[str, str, str]] = []
    wrong: list[tuple[str, str]] = []
    too_new: list[tuple[str, str, str, str]] = []
    limits = newest_versions(target)
    there = provided(target)
    for path, elf in sorted(elves.items()):
        if elf.machine != target.machine:
            wrong.append((path, elf.machine))
            continue
        for library in elf.needed:
            if library in there or library in inside or library in sonames:
                continue
            why = next((why for start, why in _OPTIONAL.items() if path.startswith(start)), "")
            if why:
                optional.append((path, library, why))
            else:
                missing.setdefault(library, []).append(path)
        too_new += _too_new(path, elf, limits, inside)
    return NativeReport(
        {name: tuple(who) for name, who in sorted(missing.items())}, tuple(optional), tuple(wrong), tuple(too_new)
    )


def refuse(report: NativeReport, target: Target, *, where: str = "") -> None:
    """Raise for whatever of the report would fail on the target.

    Raises:
        PackagingError: with one problem for each library, file or package.
    """
    problems = [_missing_problem(library, files, where) for library, files in report.missing.items()]
    for path, machine in report.wrong_machine[:10]:
        problems.append(
            Problem(
                f"{path} was compiled for {machine}",
                expected=f"{target.machine}, the target's CPU",
                fix=f"take it out with package.patterns: '!{path}', or bring the one for {target.machine}",
                where=where,
            )
        )
    for path, version, library, newest in report.too_new[:10]:
        problems.append(
            Problem(
                f"{path} needs {version} of {library}",
                expected=f"at most {newest}, which the image of python{target.python} has",
                fix="runtime: python3.12 or later, or an older release of the package"
                if target.glibc < (2, 34)
                else "an older release of the package",
                where=where,
            )
        )
    if problems:
        raise PackagingError(problems[0].found, problems=tuple(problems))


def _missing_problem(library: str, files: tuple[str, ...], where: str) -> Problem:
    others = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return Problem(
        f"{library} is missing; wanted by {', '.join(files[:3])}{others}",
        expected="a library of the Lambda image, or one in the artifact's lib/ folder",
        fix=next((cure for start, cure in _CURES.items() if files[0].startswith(start)), "")
        or f"put {library} for the target into the project's lib/ folder; or, if the function works without, "
        f"leave the file out: custom.pythonRequirements.slimPatterns: ['{files[0]}']",
        where=where,
    )


def _too_new(
    path: str, elf: Elf, limits: Mapping[str, tuple[int, ...]], inside: set[str]
) -> list[tuple[str, str, str, str]]:
    found: dict[str, tuple[tuple[int, ...], str, str]] = {}
    for library, versions in elf.versions.items():
        if library in inside:
            continue  # the artifact brings its own copy, found before the image's
        for version in versions:
            family, _, number = version.partition("_")
            parts = number.split(".")
            if family not in limits or not all(part.isdigit() for part in parts):
                continue
            asked = tuple(map(int, parts))
            if asked > max(limits[family], found.get(family, ((), "", ""))[0]):
                found[family] = (asked, version, library)
    return [
        (path, version, library, f"{family}_{'.'.join(map(str, limits[family]))}")
        for family, (_, version, library) in sorted(found.items())
    ]
