"""What is wrong with a configuration, collected until all of it is known."""

from __future__ import annotations

from collections.abc import Iterable

from bareboat.errors import ConfigurationError, Problem
from bareboat.service.model import Place


class Problems:
    """Problems in the order of their places; raised together."""

    def __init__(self) -> None:
        self._found: list[tuple[tuple[str, int, int], Problem]] = []
        self._seen: set[tuple[str, str]] = set()

    def __len__(self) -> int:
        return len(self._found)

    def add(self, where: Place | str | None, found: str, *, expected: str = "", fix: str = "") -> None:
        """Note one problem; the same text at the same place is noted once."""
        place = str(where) if where else ""
        if (place, found) in self._seen:
            return
        self._seen.add((place, found))
        order = (where.file, where.line, where.column) if isinstance(where, Place) else ("", 0, 0)
        self._found.append((order, Problem(found, expected=expected, fix=fix, where=place)))

    def raise_if_any(self) -> None:
        """Raise ConfigurationError with every problem, sorted by file, line and column, when there is one."""
        if self._found:
            ordered = tuple(problem for _, problem in sorted(self._found, key=lambda item: item[0]))
            raise ConfigurationError(_summary(ordered), problems=ordered)


def _summary(problems: tuple[Problem, ...]) -> str:
    return problems[0].found if len(problems) == 1 else f"{len(problems)} problems, the first: {problems[0].found}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the known name that a misspelt one most likely stands for, or None."""
    known = list(names)
    plain = {_plain(candidate): candidate for candidate in known}
    if _plain(name) in plain:
        return plain[_plain(name)]
    import difflib

    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not found:
        found = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
        return plain[found[0]] if found else None
    return found[0]


def rename_fix(name: str, names: Iterable[str]) -> str:
    """Return "rename it to 'x'" when a known name is near, else ""."""
    match = nearest(name, names)
    return f"rename it to '{match}'" if match else ""


def is_misspelt(wanted: str, keys: Iterable[str], known: Iterable[str]) -> bool:
    """Say whether one of a mapping's keys most likely stands for the wanted one, which is a problem of its own."""
    names = list(known)
    return any(key not in names and nearest(key, names) == wanted for key in keys)


def listed(names: Iterable[str]) -> str:
    """Return the names as a person reads them, in their order: `a, b, c`."""
    return ", ".join(names)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
