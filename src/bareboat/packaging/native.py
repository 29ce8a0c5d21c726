"""The native libraries of an artifact against the machine that will load them: what is missing, what is too new."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.elf import Elf
from bareboat.packaging.lambda_image import newest_versions, provided
from bareboat.packaging.loader import load
from bareboat.packaging.target import Target

# Files that their package tries to load and does without, by the beginning of their path.
_OPTIONAL = {
    "numba/np/ufunc/tbbpool.": "numba takes another threading layer",
    "numba/np/ufunc/omppool.": "numba takes another threading layer",
    "onnxruntime/capi/libonnxruntime_providers_cuda.": "ONNX Runtime computes with the CPU",
    "onnxruntime/capi/libonnxruntime_providers_tensorrt.": "ONNX Runtime computes with the CPU",
}
_DRIVERS = {"libcuda.so.1": "it comes with the driver of a GPU, and Lambda has none"}
_FOLDERS = re.compile(r"/opt/python/(?:lib/python3\.\d+/site-packages/)?|(?:.*/)?\.?requirements\.zip/")
_UNUSED = "nothing in the archive loads it"
_PROGRAM = "it is a program, and nothing loads it"
_CURES = {
    "cv2/": "opencv-python-headless in place of opencv-python: it needs no windows",
    "opencv_python": "opencv-python-headless in place of opencv-python: it needs no windows",
}


def importable(path: str) -> str:
    """Return a path as Python imports it: without a layer's `/opt/python/`, or the zip that `zip: true` leaves."""
    found = _FOLDERS.match(path)
    return path[found.end() :] if found else path


class Code(Protocol):
    """The Python code of an artifact."""

    def loads(self, path: str) -> bool:
        """Tell whether it loads the library at this path by its path."""
        ...

    def names(self, path: str) -> bool:
        """Tell whether it names the library at this path."""
        ...


@dataclass(frozen=True, slots=True)
class NativeReport:
    """What the headers say.

    Args:
        missing: library -> the files that want it.
        optional: (file, library, why it does not matter), of files that their package does without.
        wrong_machine: (file, machine).
        too_new: (file, symbol version, library, newest version there is), the newest one of each file and family.
        out_of_reach: (file, library, the file of that name that no search of the loader ends at).
    """

    missing: Mapping[str, tuple[str, ...]]
    optional: tuple[tuple[str, str, str], ...]
    wrong_machine: tuple[tuple[str, str], ...]
    too_new: tuple[tuple[str, str, str, str], ...]
    out_of_reach: tuple[tuple[str, str, str], ...] = ()


def check_native(
    elves: Mapping[str, Elf],
    target: Target,
    names: Iterable[str] = (),
    code: Code | None = None,
) -> NativeReport:
    """Compare what native files ask for with what the artifact and the Lambda image hold.

    A library counts as there when the image has it, when the loader's search ends at it (see `loader`), or when
    another file maps one of that name. What merely lies in the archive counts if Python code loads it by its path.

    Args:
        elves: path in the artifact -> headers, of every native file.
        names: further paths in the artifact.
        code: the artifact's Python code, asked only in doubt; without it nothing is loaded by its path.
    """
    there = provided(target)
    loaded = load(elves, names, there, target.machine)
    missing: dict[str, list[str]] = {}
    optional: list[tuple[str, str, str]] = []
    out_of_reach: list[tuple[str, str, str]] = []
    wrong: list[tuple[str, str]] = []
    too_new: list[tuple[str, str, str, str]] = []
    limits = newest_versions(target)
    inside = {posixpath.basename(path) for path in (*elves, *names)}
    for path, elf in sorted(elves.items()):
        if elf.machine != target.machine:
            wrong.append((path, elf.machine))
        else:
            too_new += _too_new(path, elf, limits, inside)
    loaded_by_name = {place for places in (loaded.found, loaded.ordered, loaded.stranded) for place in places.values()}
    stranded = [(path, library, place) for (path, library), place in loaded.stranded.items()]
    for path, library, place in sorted([*stranded, *((path, library, "") for path, library in loaded.missing)]):
        module = importable(path)
        why = next((why for start, why in _OPTIONAL.items() if module.startswith(start)), _DRIVERS.get(library, ""))
        if not why and elves[path].program:
            why = _PROGRAM
        if not why and code is not None and _is_plain(path) and path not in loaded_by_name and not code.names(path):
            why = _UNUSED
        if why:
            optional.append((path, library, why))
        elif not place:
            missing.setdefault(library, []).append(path)
        elif code is None or not code.loads(place):
            out_of_reach.append((path, library, place))
    return NativeReport(
        {name: tuple(who) for name, who in sorted(missing.items())},
        tuple(optional),
        tuple(wrong),
        tuple(too_new),
        tuple(out_of_reach),
    )


def _is_plain(path: str) -> bool:
    """Whether it is a library and no module that Python imports."""
    name = posixpath.basename(path)
    return name.startswith("lib") and ".so" in name and ".cpython-" not in name and ".abi3." not in name


def refuse(report: NativeReport, target: Target, *, where: str = "") -> None:
    """Raise for whatever of the report would fail on the target.

    Raises:
        PackagingError: with one problem for each library, file or package.
    """
    problems = native_problems(report, target, where=where)
    if problems:
        raise PackagingError(problems[0].found, problems=problems)


def native_problems(report: NativeReport, target: Target, *, where: str = "") -> tuple[Problem, ...]:
    """Return what of the report would fail on the target, at most ten of a kind."""
    problems = [_missing_problem(library, files, where) for library, files in report.missing.items()]
    problems += [
        Problem(
            f"{path} needs {library}, and no search of the loader ends at {place}",
            expected="the library where a DT_RUNPATH of its user says, or in the artifact's lib/ folder",
            fix=f"put {library} into the project's lib/ folder",
            where=where,
        )
        for path, library, place in report.out_of_reach[:10]
    ]
    for (package, machine), files in _grouped((path, (machine,)) for path, machine in report.wrong_machine).items():
        pattern = f"{package}/**" if len(files) > 1 else files[0]
        problems.append(
            Problem(
                f"{_some(files)} {'were' if len(files) > 1 else 'was'} compiled for {machine}",
                expected=f"{target.machine}, the target's CPU",
                fix=f"take it out with package.patterns: '!{pattern}', or bring the one for {target.machine}",
                where=where,
            )
        )
    too_new = ((path, (version, library, newest)) for path, version, library, newest in report.too_new)
    for (_, version, library, newest), files in _grouped(too_new).items():
        problems.append(
            Problem(
                f"{_some(files)} {'need' if len(files) > 1 else 'needs'} {version} of {library}",
                expected=f"at most {newest}, which the image of python{target.python} has",
                fix="runtime: python3.12 or later, or an older release of the package"
                if target.glibc < (2, 34)
                else "an older release of the package",
                where=where,
            )
        )
    return tuple(problems)


def _grouped(said: Iterable[tuple[str, tuple[str, ...]]]) -> dict[tuple[str, ...], list[str]]:
    """Put the files of one package of which the same is said together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for path, words in said:
        package = importable(path).partition("/")[0].removesuffix(".libs")
        groups.setdefault((package, *words), []).append(path)
    return groups


def _some(files: Sequence[str]) -> str:
    return ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def _missing_problem(library: str, files: tuple[str, ...], where: str) -> Problem:
    return Problem(
        f"{library} is missing; wanted by {_some(files)}",
        expected="a library of the Lambda image, or one in the artifact's lib/ folder",
        fix=next((cure for start, cure in _CURES.items() if importable(files[0]).startswith(start)), "")
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
