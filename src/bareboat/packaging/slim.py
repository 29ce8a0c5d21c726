"""Which files of an installed package a Lambda never needs.

The rules are of the kind that needs no proof by running: nothing that Python imports is taken away, but directories of
tests, and those only when no other module of the package imports them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from bareboat.packaging.patterns import Matcher

Level = Literal["none", "safe", "max"]

_SUFFIXES = {
    ".pyi": "type stubs",
    ".pyx": "sources of compiled modules",
    ".pxd": "sources of compiled modules",
    ".pxi": "sources of compiled modules",
    ".a": "static libraries",
    ".lib": "static libraries",
    ".h": "headers",
    ".hh": "headers",
    ".hpp": "headers",
    ".hxx": "headers",
    ".cuh": "headers",
    ".pyc": "bytecode of another machine",
    ".pyo": "bytecode of another machine",
    ".debug": "debug symbols",
}
_CACHES = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}
_TESTS = {"tests", "test"}
# importlib.metadata reads these; top_level.txt is how packages_distributions() knows a package without its RECORD.
_METADATA = {"METADATA", "entry_points.txt", "top_level.txt"}
LICENCE = re.compile(r"(?i)^(licen[cs]es?|copying|notice|authors|copyright)")


@dataclass(frozen=True, slots=True)
class Slimming:
    """How dependencies are slimmed.

    Args:
        level: "none" leaves packages as their wheels have them; "max" is "safe" and more (docs/slimming.md).
        patterns: further globs of files to leave out (`slimPatterns`), at levels other than none.
        defaults: whether the rules of this module apply too (`slimPatternsAppendDefaults`).
        strip: whether native files lose their debug symbols.
        keep: normalised paths of files that a proof found needed: they stay as they were, against the rules.
    """

    level: Level = "safe"
    patterns: tuple[str, ...] = ()
    defaults: bool = True
    strip: bool = True
    keep: frozenset[str] = frozenset()


class Removed(msgspec.Struct, frozen=True):
    """Files that slimming left out or made smaller, for one reason.

    Args:
        paths: path in the artifact -> bytes saved.
    """

    reason: str
    paths: dict[str, int]

    @property
    def files(self) -> int:
        """Return how many files it touches."""
        return len(self.paths)

    @property
    def size_bytes(self) -> int:
        """Return the bytes saved, unzipped."""
        return sum(self.paths.values())


def count_removed(files: Mapping[str, Path], removed: Mapping[str, str]) -> tuple[Removed, ...]:
    """Gather what `removed_files` found, by reason."""
    found: dict[str, dict[str, int]] = {}
    for path, reason in sorted(removed.items()):
        found.setdefault(reason, {})[path] = files[path].stat().st_size
    return tuple(Removed(reason, paths) for reason, paths in sorted(found.items()))


def removed_files(files: Mapping[str, Path], slimming: Slimming) -> dict[str, str]:
    """Return the files of one package that are left out, each with the reason.

    Args:
        files: path in the artifact -> where it lies.
    """
    removed: dict[str, str] = {}
    if slimming.level == "none":
        return removed
    if slimming.patterns:
        matcher = Matcher(slimming.patterns)
        removed = {path: "slimPatterns" for path in files if matcher.last_match(path) is True}
    if not slimming.defaults:
        return removed
    tests = _test_folders(files)
    needed = _imported_tests(files, tests) if tests else set()
    for path in files:
        if path not in removed:
            reason = _reason(PurePosixPath(path), tests - needed)
            if reason:
                removed[path] = reason
    return removed


def _reason(path: PurePosixPath, tests: set[str]) -> str:
    folders = path.parts[:-1]
    if not folders:
        return _SUFFIXES.get(path.suffix, "")
    if _CACHES.intersection(folders):
        return "caches"
    if folders[0] == "bin":
        return "commands"
    if folders[0].endswith(".dist-info"):
        return "" if _is_kept_metadata(path) else "metadata"
    if any("/".join(folders[: end + 1]) in tests for end in range(len(folders))):
        return "tests"
    return _SUFFIXES.get(path.suffix, "")


def _is_kept_metadata(path: PurePosixPath) -> bool:
    inner = path.parts[1:]
    return inner[0] in _METADATA or inner[0] == "licenses" or LICENCE.match(inner[0]) is not None


def _test_folders(files: Iterable[str]) -> set[str]:
    """The outermost folders called `tests` or `test` inside a package, never a top-level one."""
    found = set()
    for path in files:
        folders = path.split("/")[:-1]
        for end in range(1, len(folders)):
            if folders[end] in _TESTS:
                found.add("/".join(folders[: end + 1]))
                break
    return found


_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]*)|import[ \t]+([\w., \t]+))", re.MULTILINE
)


def _imported_tests(files: Mapping[str, Path], tests: set[str]) -> set[str]:
    """Which of the test folders some module outside of them imports.

    A private module that no other module imports does not count: such are scripts that made a package's test data.
    """
    dotted = {folder.replace("/", "."): folder for folder in tests}
    importers: dict[str, set[str]] = {}
    for path, source in _modules_outside(files, tests):
        text = source.read_bytes()
        if b"test" not in text:
            continue
        for name in _imported_names(text, path):
            for module, folder in dotted.items():
                if name == module or name.startswith(module + "."):
                    importers.setdefault(path, set()).add(folder)
    idle = {path for path in importers if _is_private(path)}
    if idle:
        idle -= _imported_modules(files, tests, idle)
    return {folder for path, folders in importers.items() if path not in idle for folder in folders}


def _modules_outside(files: Mapping[str, Path], tests: set[str]) -> Iterable[tuple[str, Path]]:
    folders = tuple(folder + "/" for folder in tests)
    return ((path, source) for path, source in files.items() if path.endswith(".py") and not path.startswith(folders))


def _is_private(path: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in path.split("/"))


def _imported_modules(files: Mapping[str, Path], tests: set[str], wanted: set[str]) -> set[str]:
    """Which of the modules `wanted` some other module imports."""
    dotted = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in wanted}
    found: set[str] = set()
    for path, source in _modules_outside(files, tests):
        names = set(_imported_names(source.read_bytes(), path))
        found |= {wanted_path for module, wanted_path in dotted.items() if module in names and wanted_path != path}
    return found


def _imported_names(text: bytes, path: str) -> Iterable[str]:
    """Dotted names that a module's text imports; each name after `from x import` counts as a module `x.name`."""
    package = path.split("/")[:-1]
    for match in _IMPORT.finditer(text):
        if match[3]:
            for part in match[3].decode().split(","):
                yield part.split(" as ")[0].strip()
            continue
        base = match[1].decode()
        dots = len(base) - len(base.lstrip("."))
        parents = package[: len(package) - dots + 1] if dots else []
        full = ".".join([*parents, *filter(None, [base.lstrip(".")])])
        yield full
        for part in match[2].decode(errors="replace").strip("()").split(","):
            yield f"{full}.{part.split(' as ')[0].strip()}"
