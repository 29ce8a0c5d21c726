"""A pickle, and what this process has imported -> the folder that the user's own modules in it come from."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path


def home_of(path: Path) -> Path | None:
    """Return the folder of a module of the user's that a pickle names and this process has imported, or None.

    Nothing is opened: a name that only looks like one in the file's bytes gives a folder in which nothing is found. A
    compressed file names nothing.

    Args:
        path: of the file; a module that lies beside it is none that must be looked for.
    """
    if not path.is_file():
        return None
    data = path.read_bytes()
    for name, file in _own_modules():
        folder = file.parent.parent if file.name == "__init__.py" else file.parent
        beside = path.parent / file.relative_to(folder)
        if not beside.is_file() and _is_named(name, data):
            return folder
    return None


def _is_named(name: str, data: bytes) -> bool:
    """Tell whether a pickle may name a module: before it stands its length, or the opcode GLOBAL, `c`."""
    return re.search(rb"(?:(?<![A-Za-z_.])|(?<=c))" + re.escape(name.encode()) + rb"(?![A-Za-z0-9_])", data) is not None


def _own_modules() -> list[tuple[str, Path]]:
    """Return the top modules that are of no package and not Python's own, with their files."""
    installed = {Path(place).resolve() for place in sysconfig.get_paths().values()}
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or name == "__main__" or not isinstance(file, str) or not file.endswith(".py"):
            continue
        path = Path(file).resolve()
        if "site-packages" not in path.parts and installed.isdisjoint(path.parents):
            found.append((name, path))
    return found
