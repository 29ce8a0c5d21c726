"""Which files of an installed package a Lambda never needs.

The rules are of the kind that needs no proof by running: nothing that Python imports is taken away, but folders of
tests, examples and benchmarks, and those only when no other module of the package imports them.
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
UNUSED = "not used by the samples"

_SUFFIXES = {
    ".pyi": "type stubs",
    ".pyx": "sources of compiled modules",
    ".pxd": "sources of compiled modules",
    ".pxi": "sources of compiled modules",
    ".c": "sources of compiled modules",
    ".cc": "sources of compiled modules",
    ".cpp": "sources of compiled modules",
    ".cxx": "sources of compiled modules",
    ".f": "sources of compiled modules",
    ".f90": "sources of compiled modules",
    ".pyf": "sources of compiled modules",
    ".tp": "sources of compiled modules",  # Tempita, as scikit-learn's .pyx.tp
    ".cmake": "build files",
    ".pc": "build files",
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
_NAMES = {
    "py.typed": "type stubs",
    "meson.build": "build files",
    "CMakeLists.txt": "build files",
    ".gitignore": "build files",
    ".gitattributes": "build files",
    ".gitkeep": "build files",
}
# Scripts and libraries of other systems, in packages for Linux.
_OTHER_SYSTEMS = {".exe", ".bat", ".cmd", ".ps1", ".dll", ".pyd", ".dylib"}
# What installers put under sys.prefix, where Lambda has no packages: nobody finds it there.
_PREFIX = {
    "share": {"jupyter", "man", "doc", "info", "applications", "icons", "bash-completion", "zsh", "fish", "cmake"},
    "etc": {"jupyter", "bash_completion.d"},
}
_CACHES = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}
_FOLDERS = {
    "tests": "tests",
    "test": "tests",
    "examples": "examples",
    "_examples": "examples",
    "benchmarks": "benchmarks",
}
# importlib.metadata reads these; top_level.txt is how packages_distributions() knows a package without its RECORD.
_METADATA = {"METADATA", "entry_points.txt", "top_level.txt"}
LICENCE = re.compile(r"(?i)^(licen[cs]es?|copying|notice|authors|copyright)")


@dataclass(frozen=True, slots=True)
class Slimming:
    """How dependencies are slimmed.

    Args:
        level: "none" leaves packages as their wheels have them; "max" is "safe" and more (docs/slimming.md).
        patterns: further globs of files to leave out (`slimPatterns`), at levels other than none; with `!` of files
            to keep.
        defaults: whether the rules of this module apply too (`slimPatternsAppendDefaults`).
        strip: whether native files lose their debug symbols.
        keep: normalised paths of files that a proof found needed: they stay as they were, against the rules.
    """

    level: Level = "safe"
    patterns: tuple[str, ...] = ()
    defaults: bool = True
    strip: bool = True
    keep: frozenset[str] = frozenset()

    @property
    def matcher(self) -> Matcher:
        """Return the patterns, compiled."""
        return Matcher(self.patterns)


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


def removed_files(files: Mapping[str, Path], slimming: Slimming, *, system: str = "linux") -> dict[str, str]:
    """Return the files of one package that are left out, each with the reason.

    Args:
        files: path in the artifact -> where it lies.
        system: of the target: linux, macos or windows.
    """
    if slimming.level == "none":
        return {}
    said = {path: matched(slimming.matcher, path) for path in files}
    removed = {path: "slimPatterns" for path in files if said[path] is True}
    if not slimming.defaults:
        return removed
    folders = _idle_folders(files)
    for path in files:
        if said[path] is None:
            reason = _reason(PurePosixPath(path), folders, system)
            if reason:
                removed[path] = reason
    return removed


def matched(matcher: Matcher, path: str) -> bool | None:
    """Return what `slimPatterns` say of a file, by its own path or, as the plugin has it, by a folder's above it.

    Returns:
        True takes it away, False (a pattern with `!`) keeps it whatever other rules say, None is for nothing said.
    """
    while path:
        said = matcher.last_match(path)
        if said is not None:
            return said
        path = path.rpartition("/")[0]
    return None


def _reason(path: PurePosixPath, idle: Mapping[str, str], system: str) -> str:
    folders = path.parts[:-1]
    if not folders:
        return _SUFFIXES.get(path.suffix, "")
    if _CACHES.intersection(folders):
        return "caches"
    if folders[0] == "bin":
        return "commands"
    if folders[0] in _PREFIX and len(folders) > 1 and folders[1] in _PREFIX[folders[0]]:
        return "files of other programs"
    if folders[0].endswith(".dist-info"):
        return "" if _is_kept_metadata(path) else "metadata"
    for end in range(len(folders) + 1):
        if (reason := idle.get("/".join(path.parts[: end + 1]))) is not None:
            return reason
    if system == "linux" and path.suffix in _OTHER_SYSTEMS:
        return "files of other systems"
    if path.name in _NAMES:
        return _NAMES[path.name]
    return _SUFFIXES.get(path.suffix, "") or _SUFFIXES.get(PurePosixPath(path.stem).suffix * (path.suffix == ".in"), "")


def _is_kept_metadata(path: PurePosixPath) -> bool:
    inner = path.parts[1:]
    return inner[0] in _METADATA or inner[0] == "licenses" or LICENCE.match(inner[0]) is not None


def _idle_folders(files: Mapping[str, Path]) -> dict[str, str]:
    """Return folders of tests and examples, and pytest's conftest.py, that no module outside of them imports.

    Returns:
        path -> reason, of the outermost folder of its kind inside a package, never a top-level one.
    """
    found: dict[str, str] = {}
    for path in files:
        parts = path.split("/")
        if len(parts) > 1 and parts[-1] == "conftest.py":
            found[path] = "tests"
        for end in range(1, len(parts) - 1):
            if parts[end] in _FOLDERS:
                found["/".join(parts[: end + 1])] = _FOLDERS[parts[end]]
                break
    imported = _imported(files, set(found)) if found else set()
    return {path: reason for path, reason in found.items() if path not in imported}


_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#;]*)|import[ \t]+([\w., \t]+))", re.MULTILINE
)


def _imported(files: Mapping[str, Path], folders: set[str]) -> set[str]:
    """Which of the folders (or modules) some module outside of them imports.

    A private module that no other module imports does not count: such are scripts that made a package's test data.
    """
    dotted = {folder.removesuffix(".py").replace("/", "."): folder for folder in folders}
    hints = {module.rpartition(".")[2].encode() for module in dotted}
    importers: dict[str, set[str]] = {}
    for path, source in _modules_outside(files, folders):
        text = source.read_bytes()
        if not any(hint in text for hint in hints):
            continue
        for name in _imported_names(text, path):
            for module, folder in dotted.items():
                if name == module or name.startswith(module + "."):
                    importers.setdefault(path, set()).add(folder)
    idle = {path for path in importers if _is_private(path)}
    if idle:
        idle -= _imported_modules(files, folders, idle)
    return {folder for path, found in importers.items() if path not in idle for folder in found}


def _modules_outside(files: Mapping[str, Path], folders: set[str]) -> Iterable[tuple[str, Path]]:
    inside = tuple(folder if folder.endswith(".py") else folder + "/" for folder in folders)
    return ((path, source) for path, source in files.items() if path.endswith(".py") and not path.startswith(inside))


def _is_private(path: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in path.split("/"))


def _imported_modules(files: Mapping[str, Path], folders: set[str], wanted: set[str]) -> set[str]:
    """Which of the modules `wanted` some other module imports."""
    dotted = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in wanted}
    found: set[str] = set()
    for path, source in _modules_outside(files, folders):
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
