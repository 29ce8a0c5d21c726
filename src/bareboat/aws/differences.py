"""Two versions of a resource in templates -> what differs, property by property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class _Absent:
    """What is not there; null is."""

    def __repr__(self) -> str:
        return "-"


ABSENT: Any = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not as it was.

    Args:
        path: dotted: `Environment.Variables.LEVEL`, `Layers[0]`.
        before, after: JSON-like; ABSENT where it was not there, or is no longer. Both are ABSENT where it changes only
            because something else does.
        recreates: whether CloudFormation makes the resource anew for it: Never, Conditionally, Always.
        cause: what it follows from, such as `Role.Arn`; "" where the template itself says so.
    """

    path: str
    before: Any = ABSENT
    after: Any = ABSENT
    recreates: str = "Never"
    cause: str = ""

    @property
    def top(self) -> str:
        """The name that CloudFormation calls it by: that of the property at the top."""
        return self.path.split(".")[0].split("[")[0]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs between two versions of a resource: its properties, then DeletionPolicy and the like."""
    yield from _below("", before.get("Properties") or {}, after.get("Properties") or {})
    for key in sorted({*before, *after} - {"Properties", "DependsOn", "Type"}):
        yield from _between(key, before.get(key, ABSENT), after.get(key, ABSENT))


def _below(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in sorted({*before, *after}):
        yield from _between(f"{path}.{key}" if path else key, before.get(key, ABSENT), after.get(key, ABSENT))


def _between(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after and type(before) is type(after):
        return
    if _is_plain(before) and _is_plain(after):
        yield from _below(path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _between(f"{path}[{place}]", old, new)
    else:
        yield Difference(path, before, after)


def _is_plain(value: Any) -> bool:
    """Return whether a value is a mapping of properties, and no intrinsic function."""
    return isinstance(value, dict) and not (
        len(value) == 1 and (next(iter(value)) in ("Ref", "Condition") or next(iter(value)).startswith("Fn::"))
    )
