"""Python interpreters of this machine, found by running them, never by trusting a name.

A pyenv shim is a script that fails unless its version is selected, so a name on PATH proves nothing. An interpreter
counts once it has said its version; what it said is remembered in the cache until the file changes.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import BareboatError, PackagingError
from bareboat.packaging.cache import cache_folder, write_whole

OLDEST, NEWEST = (3, 8), (3, 20)
_ASK = (
    "import sys,platform;"
    "print(platform.python_implementation(),'%d.%d.%d'%sys.version_info[:3],getattr(sys,'abiflags',''),sys.maxsize>2**32)"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython that runs here.

    Args:
        path: the executable, absolute; of a virtual environment, the interpreter that it was made from.
        version: minor version, "3.13".
        release: "3.13.2".
    """

    path: Path
    version: str
    release: str


def find_python(minor: str) -> Interpreter | None:
    """Return an interpreter of a minor version such as "3.13", or None.

    Looked at in this order: the running interpreter, pyenv's versions, uv's own, PATH, the usual folders.
    """
    running = running_python()
    if running is not None and running.version == minor:
        return running
    return _first_that_runs(_candidates(minor), minor)


def nearest_python(minor: str) -> Interpreter:
    """Return the interpreter whose minor version is nearest to the one asked for; of two as near, the newer.

    Raises:
        PackagingError: no CPython runs here: bareboat itself runs under something else.
    """
    wanted = int(minor.split(".")[1])
    minors = sorted(range(OLDEST[1], NEWEST[1] + 1), key=lambda m: (abs(m - wanted), -m))
    for candidate in minors:
        found = find_python(f"3.{candidate}")
        if found is not None:
            return found
    raise PackagingError("no CPython was found on this machine", fix=f"uv python install {minor}")


def running_python() -> Interpreter | None:
    """Return the interpreter that runs bareboat, outside of its virtual environment; None when it is no CPython."""
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None
    base = getattr(sys, "_base_executable", None) or sys.executable
    path = Path(base if base and Path(base).is_file() else sys.executable)
    major, minor, micro = sys.version_info[:3]
    return Interpreter(path=path, version=f"{major}.{minor}", release=f"{major}.{minor}.{micro}")


def _candidates(minor: str) -> Iterator[Path]:
    names = ("python.exe",) if sys.platform == "win32" else (f"python{minor}",)
    for root in _version_roots():
        for folder in _newest_first(root, minor):
            for name in names:
                yield folder / name if sys.platform == "win32" else folder / "bin" / name
    shims = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser()) / "shims"
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        if entry and Path(entry) != shims:
            yield Path(entry) / (f"python{minor}.exe" if sys.platform == "win32" else f"python{minor}")
    if sys.platform == "win32":
        short = minor.replace(".", "")
        local = os.environ.get("LOCALAPPDATA")
        yield from ([Path(local) / "Programs" / "Python" / f"Python{short}" / "python.exe"] if local else [])
        yield Path(os.environ.get("PROGRAMFILES", "C:/Program Files")) / f"Python{short}" / "python.exe"
    else:
        for usual in ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", f"/opt/python/{minor}/bin"):
            yield Path(usual) / f"python{minor}"
        yield Path(f"/Library/Frameworks/Python.framework/Versions/{minor}/bin/python{minor}")


def _version_roots() -> list[Path]:
    """Folders that hold one folder for each installed version: pyenv's and uv's."""
    roots = [Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser()) / "versions"]
    said = os.environ.get("UV_PYTHON_INSTALL_DIR")
    if said:
        roots.append(Path(said).expanduser())
    elif sys.platform == "win32":
        roots.append(Path(os.environ.get("APPDATA", "")) / "uv" / "python")
    else:
        data = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
        roots.append(Path(data) / "uv" / "python")
    return roots


def _newest_first(root: Path, minor: str) -> list[Path]:
    """The folders of one minor version: `3.13.0`, `cpython-3.13.2-linux-x86_64-gnu`; no `3.13.0t`, no `pypy3.13`."""
    found: list[tuple[int, str]] = []
    try:
        names = [entry.name for entry in os.scandir(root)]
    except OSError:
        return []
    for name in names:
        release = name.split("-")[1] if name.startswith("cpython-") and name.count("-") > 1 else name
        parts = release.split(".")
        if ".".join(parts[:2]) == minor and len(parts) == 3 and parts[2].isdigit():
            found.append((int(parts[2]), name))
    return [root / name for _, name in sorted(found, reverse=True)]


def _first_that_runs(candidates: Iterable[Path], minor: str) -> Interpreter | None:
    known = _Known.load()
    try:
        for path in candidates:
            release = known.release_of(path)
            if release.rpartition(".")[0] == minor:
                return Interpreter(path=path, version=minor, release=release)
    finally:
        known.save()
    return None


class _Known:
    """What interpreters said of themselves, by path, size and time of change."""

    def __init__(self, file: Path | None, said: dict[str, str]) -> None:
        self._file = file
        self._said = said
        self._changed = False

    @classmethod
    def load(cls) -> _Known:
        try:
            file = cache_folder("interpreters") / "known.json"
        except BareboatError:  # without a cache each is asked again
            return cls(None, {})
        try:
            said = json.loads(file.read_bytes())
        except (OSError, ValueError):
            said = {}
        return cls(file, said if isinstance(said, dict) else {})

    def release_of(self, path: Path) -> str:
        """Return "3.13.2" of a 64-bit CPython with a GIL that runs, else ""."""
        try:
            stat = path.stat()
        except OSError:
            return ""
        key = f"{path}|{stat.st_size}|{stat.st_mtime_ns}"
        if key not in self._said:
            self._said[key] = _ask(path)
            self._changed = True
        return str(self._said[key])

    def save(self) -> None:
        if self._changed and self._file is not None:
            try:
                write_whole(self._file, json.dumps(self._said, indent=1, sort_keys=True).encode())
            except BareboatError:
                self._file = None


def _ask(path: Path) -> str:
    try:
        answer = subprocess.run(
            [str(path), "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = answer.stdout.split(" ")
    if answer.returncode or len(words) != 4:
        return ""
    implementation, release, flags, wide = (word.strip() for word in words)
    return release if implementation == "CPython" and "t" not in flags and wide == "True" else ""
