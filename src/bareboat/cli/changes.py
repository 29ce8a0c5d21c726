"""A plan -> lines that a person reads, and a document for programs."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bareboat.aws.changes import Change
    from bareboat.aws.differences import Difference
    from bareboat.aws.plan import Plan

SIGNS = {"add": "+", "modify": "~", "maybe-replace": "?", "replace": "!", "remove": "-"}
WORDS = {
    "add": "added",
    "modify": "changed",
    "maybe-replace": "perhaps replaced",
    "replace": "replaced",
    "remove": "removed",
}
_LONGEST = 60
_SHA = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def show_changes(terminal: Terminal, plan: Plan, *, is_result: bool = False) -> None:
    """Show what a plan changes, what is lost in red.

    Args:
        is_result: whether that is what was asked for, so that it goes to stdout (and with `--json` nowhere).
    """
    if is_result and terminal.as_json:
        return
    say = terminal.write if is_result else terminal.say
    where = f"{plan.stack_name} (new)" if plan.is_first else plan.stack_name
    say(f"{where}: {summary(plan)}")
    for change in plan.changes:
        for line in change_lines(terminal, change):
            say(line)
    for drift in plan.drifted:
        say(f"~ {drift.function}  runs other code than its template says (deploy -f?): it is put back in place")
    for text in plan.further:
        say(f"~ {text}")


def summary(plan: Plan) -> str:
    """Say in a line how many resources are added, changed, replaced and removed."""
    if plan.is_empty:
        return "nothing changes"
    counts = Counter(change.kind for change in plan.changes)
    parts = [f"{counts[kind]} {WORDS[kind]}" for kind in SIGNS if counts[kind]]  # type: ignore[index]
    if plan.drifted:
        parts.append(f"the code of {functions(len(plan.drifted))} put back in place")
    return ", ".join([*parts, *plan.further])


def functions(number: int) -> str:
    """Say how many functions."""
    return "1 function" if number == 1 else f"{number} functions"


def change_lines(terminal: Terminal, change: Change) -> Iterator[str]:
    """Yield a change as lines: what it is, then each property."""
    note = ""
    if change.kind in ("replace", "maybe-replace", "remove"):
        note = f"  {WORDS[change.kind]}"
        if change.is_loss:
            lost = "lost" if change.kind != "maybe-replace" else "lost if it is"
            note += f"; {lost}: {change.loss}"
        elif change.keeps:
            note += "; the old one is kept"
    line = printable(f"{SIGNS[change.kind]} {change.logical_id}  {change.type}{note}")
    yield terminal.alarming(line) if change.is_loss else line
    for difference in change.properties:
        yield printable(f"    {_said(change.type, difference)}")


def _said(type_: str, difference: Difference) -> str:
    from bareboat.aws.differences import ABSENT
    from bareboat.aws.secret_values import is_secret, without_secrets

    path = difference.path
    before, after = (without_secrets(type_, path, value) for value in (difference.before, difference.after))
    if difference.before is ABSENT and difference.after is ABSENT:
        text = f"{path}  follows from {difference.cause}" if difference.cause else f"{path}  may change"
    elif is_secret(type_, path) or before == after:
        word = "is set" if difference.before is ABSENT else "is taken away" if difference.after is ABSENT else "changes"
        text = f"{path}  {word} (not shown)"
    else:
        text = f"{path}  {' -> '.join(_values(before, after))}"
    return text + ("  (makes it anew)" if difference.recreates == "Always" else "")


def _values(before: Any, after: Any) -> tuple[str, str]:
    """Return both values as they are shown: of long ones the part where they differ."""
    old, new = _text(before), _text(after)
    if max(len(old), len(new)) <= _LONGEST:
        return old, new
    same = next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - _LONGEST // 3) if same > _LONGEST // 2 else 0
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    shown = f"...{text[start:]}" if start else text
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."


def _text(value: Any) -> str:
    from bareboat.aws.differences import ABSENT

    if value is ABSENT:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _SHA.sub(r"\1", text).rsplit("/code/", 1)[-1]


def change_documents(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Return changes as JSON has them."""
    return [
        {
            "change": change.kind,
            "logical_id": change.logical_id,
            "physical_id": change.physical_id,
            "type": change.type,
            "loses": change.loss if change.is_loss else "",
            "kept": change.keeps,
            "properties": [_document(change.type, one) for one in change.properties],
        }
        for change in changes
    ]


def _document(type_: str, difference: Difference) -> dict[str, Any]:
    from bareboat.aws.differences import ABSENT
    from bareboat.aws.secret_values import is_secret, without_secrets

    found: dict[str, Any] = {"path": difference.path, "recreates": difference.recreates}
    if difference.cause:
        found["follows_from"] = difference.cause
    if not is_secret(type_, difference.path):
        told = (("before", difference.before), ("after", difference.after))
        found |= {name: without_secrets(type_, difference.path, value) for name, value in told if value is not ABSENT}
    return found


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON has it."""
    return {
        "stack": plan.stack_name,
        "first": plan.is_first,
        "changes": change_documents(plan.changes),
        "drifted": [drift.function for drift in plan.drifted],
        "further": list(plan.further),
        "losses": [change.logical_id for change in plan.losses],
    }
