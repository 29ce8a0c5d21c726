"""What the probe found -> a report that can be shared, and the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bareboat import __version__
from bareboat.aws.doctor.asking import Answer
from bareboat.aws.doctor.probing import Findings

_ACCOUNT = re.compile(r"\b\d{12}\b")
_SHOWN = 60


def report(region: str, findings: Findings, *, now: datetime | None = None) -> dict[str, Any]:
    """Return all that was found as JSON has it, without account numbers."""
    document = {
        "bareboat": __version__,
        "at": (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "took_s": dict(findings.took_s),
        "answers": [
            {
                "id": one.question.id,
                "rule": one.question.rule,
                "request": f"{one.question.method} {one.question.target}",
                "agrees": one.agrees,
                "differs_in": one.differs_in,
                "live": asdict(one.live),
                "assumed": asdict(one.local),
            }
            for one in findings.replies
        ],
        "images": [{**asdict(one), "agrees": one.agrees} for one in findings.facts],
        "inventory": dict(findings.images),
    }
    cleaned: dict[str, Any] = without_accounts(document)
    return cleaned


def without_accounts(value: Any) -> Any:
    """Return JSON in which numbers of twelve digits in texts are one that is nobody's."""
    if isinstance(value, str):
        return _ACCOUNT.sub("123456789012", value)
    if isinstance(value, dict):
        return {key: without_accounts(child) for key, child in value.items()}
    return [without_accounts(child) for child in value] if isinstance(value, (list, tuple)) else value


def rows(findings: Findings) -> Iterator[tuple[str, str, str, str]]:
    """Yield whether it agrees, what, what is assumed, what was found; what differs comes first."""
    told = [
        ("yes" if one.agrees else "NO", one.question.id, _said(one.local), _said(one.live)) for one in findings.replies
    ]
    for fact in findings.facts:
        name = f"{fact.function} {fact.id}"
        told.append(("yes" if fact.agrees else "NO", name, _short(fact.assumed), _short(fact.found)))
    yield from sorted(told, key=lambda row: row[0] != "NO")


def _said(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, str) else "an event"
    return _short(f"{answer.status or 'none'} {body}".strip())


def _short(value: Any) -> str:
    text = str(value) if value not in ([], "") else "none"
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
