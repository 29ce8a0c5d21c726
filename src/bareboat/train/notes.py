"""What a training found that its person should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """One thing: `level` is `note` or `warning`, `column` the one that it is about, or ""."""

    level: str
    text: str
    column: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"level": self.level, "text": self.text, "column": self.column}


@dataclass(slots=True)
class Notes:
    """Notes in the order in which they came up."""

    all: list[Note] = field(default_factory=list)

    def note(self, text: str, column: str = "") -> None:
        """Add what is good to know."""
        self.all.append(Note("note", text, column))

    def warn(self, text: str, column: str = "") -> None:
        """Add what may be wrong."""
        self.all.append(Note("warning", text, column))


def listed(names: object, most: int = 8) -> str:
    """Join names for a sentence."""
    words = [str(name) for name in names]  # type: ignore[attr-defined]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")
