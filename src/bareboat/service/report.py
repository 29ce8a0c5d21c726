"""What loading a service finds: problems, notes and effective values."""

from __future__ import annotations

from typing import Any, Literal

from bareboat.service.model import Note, Place, Value
from bareboat.service.nodes import Node
from bareboat.service.problems import Problems


class Report:
    """Collects what a person should know of a service."""

    def __init__(self) -> None:
        self.problems = Problems()
        self._notes: list[tuple[tuple[str, int, int], Note]] = []
        self._noted: set[str] = set()
        self.values: list[Value] = []

    def note(self, level: Literal["info", "warning"], text: str, where: Place | None = None) -> None:
        """Add a note; the same text is noted once."""
        if text in self._noted:
            return
        self._noted.add(text)
        order = (where.file, where.line, where.column) if where else ("", 0, 0)
        self._notes.append((order, Note(level, text, str(where) if where else "")))

    def info(self, text: str, where: Place | None = None) -> None:
        """Add what needs no action."""
        self.note("info", text, where)

    def warn(self, text: str, where: Place | None = None) -> None:
        """Add what will not happen as written."""
        self.note("warning", text, where)

    def value(self, path: str, value: Any, origin: Node | str) -> None:
        """Add an effective setting."""
        self.values.append(Value(path, value, origin if isinstance(origin, str) else origin.provenance()))

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes in file order."""
        return tuple(note for _, note in sorted(self._notes, key=lambda item: item[0]))
