"""Two answers to one request -> whether they agree, probabilities but for their last binary digit."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bareboat.artifact.proof.compare import Part, shown

_PROBABILITY = re.compile(r"proba", re.IGNORECASE)
_RAW = re.compile(r"decision|raw|margin", re.IGNORECASE)
_TRANSFORM = re.compile(r"poisson|gamma|tweedie|logistic|cross_?entropy|xentropy|sigmoid|softmax|exp", re.IGNORECASE)
"""Objectives whose outputs are no raw scores: exp() and its kin."""
_HEADERS = ("x-model-version", "x-bareboat-warning")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request.

    Args:
        headers: in lower case.
        failure: why the function gave none, as far as it is known here.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One part in which the live answer is not the local one.

    Args:
        part: `status`, a header's name, or `body.proba[0]`.
        live, local: as JSON; "" where it is not there.
    """

    part: str
    live: str
    local: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two answers compare.

    Args:
        differences: what must not be.
        off_by_one: how many probabilities differ in their last binary digit, which is as good as the same.
        ignored: parts that differ between two local runs too: times, ids.
    """

    differences: tuple[Difference, ...]
    off_by_one: int = 0
    ignored: int = 0


def is_transformed(signature: Mapping[str, Any]) -> bool:
    """Return whether the numbers that a function answers come out of a transform of raw scores, or may do so.

    Args:
        signature: of the function, in the manifest of its artifact.
    """
    return any(
        document.get("kind") == "proba"
        or document.get("engine") != "forest"
        or _TRANSFORM.search(str(document.get("model", {}).get("objective", ""))) is not None
        for versions in signature.get("models", {}).values()
        for document in versions.values()
    )


def agreement(live: Answer, local: Answer, again: Answer | None = None, *, is_transformed: bool) -> Agreement:
    """Compare two answers.

    Args:
        again: the local answer to the same request from another caller, at another time: what differs there is of the
            request, not of the code.
        is_transformed: whether all fractions but raw scores come out of a transform, whose last digit depends on the
            CPU; else only those of a key that says so.
    """
    found: list[Difference] = []
    if live.status != local.status:
        found.append(Difference("status", str(live.status), str(local.status)))
    found += [
        Difference(name, live.headers.get(name, ""), local.headers.get(name, ""))
        for name in _HEADERS
        if live.headers.get(name, "") != local.headers.get(name, "")
    ]
    one, other = _parsed(live.body), _parsed(local.body)
    unstable = set() if again is None else {part for part, _, _ in _unequal(other, _parsed(again.body), ())}
    off_by_one = ignored = 0
    for part, mine, theirs in _unequal(one, other, ()):
        if any(part[: len(each)] == each for each in unstable):
            ignored += 1
        elif _is_close(mine, theirs) and _may_be_close(part, is_transformed=is_transformed):
            off_by_one += 1
        else:
            found.append(Difference(shown(("body", *part)), _said(mine), _said(theirs)))
    return Agreement(tuple(found), off_by_one, ignored)


class _Absent:
    """What is not there."""


_ABSENT = _Absent()


def _unequal(one: Any, other: Any, at: Part) -> Iterator[tuple[Part, Any, Any]]:
    """Yield the parts that differ, as deep down as both have the same shape."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in (*one, *(key for key in other if key not in one)):
            if key not in one or key not in other:
                yield (*at, key), one.get(key, _ABSENT), other.get(key, _ABSENT)
            else:
                yield from _unequal(one[key], other[key], (*at, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _unequal(left, right, (*at, number))
    elif isinstance(one, bool) is not isinstance(other, bool) or one != other:
        yield at, one, other


def _is_close(one: Any, other: Any) -> bool:
    """Return whether two numbers are neighbours among float64."""
    if not (isinstance(one, float) and isinstance(other, float)):
        return False
    return math.nextafter(one, other) == other


def _may_be_close(part: Part, *, is_transformed: bool) -> bool:
    names = [step for step in part if isinstance(step, str)]
    if any(_RAW.search(name) for name in names):
        return False
    return is_transformed or any(_PROBABILITY.search(name) for name in names)


def _parsed(body: bytes) -> Any:
    """Return what a body says; its bytes where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _said(value: Any) -> str:
    if value is _ABSENT:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}... ({len(text)} characters)"
