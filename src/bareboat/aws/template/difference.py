"""Two templates -> what differs between them, resource by resource and property by property."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Where one value and a list of it alone mean the same.
_LISTS = frozenset({"Action", "NotAction", "Resource", "NotResource", "Service", "DependsOn"})
_UNORDERED = frozenset({"DependsOn", "Tags"})
_PLACE = re.compile(r"\$\{([^!}][^}]*)\}")


class _Absent:
    """What is not there."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that two templates do not share.

    Args:
        section: of the template: Resources, Outputs, Parameters, Conditions, Mappings, ...
        logical_id: the name within it; "" where the section itself is one value.
        type: of the resource, in the template that has it; "" outside Resources.
        path: dotted, such as `Properties.Code.S3Key` or `Properties.Tags[0].Value`; "" where only one template has
            the whole entry.
        old, new: the values as they stand; ABSENT where there is none.
    """

    section: str
    logical_id: str
    type: str
    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        name = ".".join(part for part in (self.section, self.logical_id, self.path) if part)
        return f"{name} ({self.type or self.section}): {self.old!r} -> {self.new!r}"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Compare two templates.

    Different spellings of the same value are no difference: Fn::Join and Fn::Sub, 3 and "3", one value and a list of
    it where CloudFormation takes both, tags in another order.
    """
    found: list[Difference] = []
    for section in sorted({*old, *new}):
        one, other = old.get(section), new.get(section)
        if not isinstance(one or {}, Mapping) or not isinstance(other or {}, Mapping):
            found += _of_entry(section, "", "", one if section in old else ABSENT, other if section in new else ABSENT)
            continue
        one, other = one or {}, other or {}
        for name in (*one, *(name for name in other if name not in one)):
            entry, entry_of_other = one.get(name, ABSENT), other.get(name, ABSENT)
            kind = _kind(entry) or _kind(entry_of_other) if section == "Resources" else ""
            found += _of_entry(section, name, kind, entry, entry_of_other)
    return found


def canonical(value: Any, key: str = "") -> Any:
    """Return one spelling for all that mean the same to CloudFormation: texts with `${...}` for intrinsics.

    Args:
        key: the key that the value stands under.
    """
    if isinstance(value, Mapping):
        text = _intrinsic(value)
        done: Any = {name: canonical(child, name) for name, child in value.items()} if text is None else text
    elif isinstance(value, (list, tuple)):
        done = [canonical(child) for child in value]
    else:
        done = _scalar(value)
    if key in _LISTS and not isinstance(done, list):
        done = [done]
    if key == "DependsOn":
        done = list(dict.fromkeys(done))
    return sorted(done, key=repr) if key in _UNORDERED and isinstance(done, list) else done


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("${", "${!")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if float(value).is_integer() else str(value)
    return value


def _intrinsic(value: Mapping[str, Any]) -> str | None:
    """Return Ref, Fn::GetAtt, Fn::Sub and Fn::Join as text; None for everything else."""
    if len(value) != 1:
        return None
    (name, argument), *_ = value.items()
    if name == "Ref" and isinstance(argument, str):
        return f"${{{argument}}}"
    if name == "Fn::GetAtt":
        parts = argument.split(".") if isinstance(argument, str) else argument
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
            return f"${{{'.'.join(parts)}}}"
    if name == "Fn::Sub":
        return _substituted(argument)
    if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
        parts = [canonical(part) for part in argument[1]]
        if isinstance(argument[0], str) and all(isinstance(part, str) for part in parts):
            return str(canonical(argument[0])).join(parts)
    return None


def _substituted(argument: Any) -> str | None:
    if isinstance(argument, str):
        return argument
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
        values = {name: canonical(child) for name, child in argument[1].items()}
        if isinstance(argument[0], str) and all(isinstance(text, str) for text in values.values()):
            return _PLACE.sub(lambda match: str(values.get(match[1], match[0])), argument[0])
    return None


def _kind(entry: Any) -> str:
    return str(entry.get("Type", "")) if isinstance(entry, Mapping) else ""


def _of_entry(section: str, name: str, kind: str, old: Any, new: Any) -> Iterator[Difference]:
    if ABSENT in (old, new):
        yield Difference(section, name, kind, "", old, new)
        return
    for path, one, other in _unequal(old, new, "", ""):
        yield Difference(section, name, kind, path, one, other)


def _unequal(old: Any, new: Any, path: str, key: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the paths of what differs, as deep down as both have the same shape."""
    if canonical(old, key) == canonical(new, key):
        return
    if _is_plain(old) and _is_plain(new):
        for name in (*old, *(name for name in new if name not in old)):
            below = f"{path}.{name}" if path else name
            yield from _unequal(old.get(name, ABSENT), new.get(name, ABSENT), below, name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and key not in _UNORDERED:
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _unequal(one, other, f"{path}[{index}]", "")
    else:
        yield path, old, new


def _is_plain(value: Any) -> bool:
    """Tell whether it is a mapping of properties, and no intrinsic."""
    return isinstance(value, Mapping) and not any(name == "Ref" or name.startswith("Fn::") for name in value)
