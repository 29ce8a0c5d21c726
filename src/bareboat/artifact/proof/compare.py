"""Answers of two runs -> whether they are the same, part by part, and which parts differ from run to run anyway."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

Part = tuple[str | int, ...]

_NESTED = 20  # JSON inside of a text inside of JSON: no deeper


def same(one: str, other: str, unstable: frozenset[Part] = frozenset()) -> bool:
    """Tell whether two answers are the same to the last digit, but for the parts named."""
    if one == other:
        return True
    return bool(unstable) and not any(part not in unstable for part in differences(one, other, unstable))


def differences(one: str, other: str, beside: frozenset[Part] = frozenset()) -> tuple[Part, ...]:
    """Return the parts in which two answers (JSON) differ, without those that lie in `beside`."""
    if one == other:
        return ()
    return tuple(_compare(_parsed(one), _parsed(other), (), beside))


def unstable_parts(answers: Sequence[str]) -> frozenset[Part]:
    """Return the parts that are not the same in all answers to one event."""
    found: set[Part] = set()
    for answer in answers[1:]:
        found.update(differences(answers[0], answer))
    return frozenset(found)


def shown(part: Part) -> str:
    """Return a part as a person reads it: `body.proba[0]`; "the answer" for the whole."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in part)
    return text.lstrip(".") or "the answer"


def _compare(one: Any, other: Any, at: Part, beside: frozenset[Part]) -> Iterator[Part]:
    if at in beside:
        return
    if isinstance(one, str) and isinstance(other, str) and one != other and len(at) < _NESTED:
        one, other = _inner(one), _inner(other)
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _compare(one[key], other[key], (*at, key), beside)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _compare(left, right, (*at, number), beside)
    elif json.dumps(one) != json.dumps(other):
        yield at


def _inner(text: str) -> Any:
    """Return the document that a text holds, such as the body of an HTTP answer; else the text."""
    if text[:1] in {"{", "["}:
        return _parsed(text)
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
