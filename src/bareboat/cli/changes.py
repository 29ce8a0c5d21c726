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
_VERSION = re.compile(r"(LambdaVersion[A-Za-z0-9]{6})[A-Za-z0-9]{20,}")  # of the digest of code and configuration
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
    if plan.left is not None:
        say(terminal.alarming(printable(plan.left.text)))
    if plan.follows:
        say(terminal.dimmed(f"{_and_more(len(plan.follows))} what changes, and stay as they are"))


def summary(plan: Plan) -> str:
    """Say in a line how many resources are added, changed, replaced and removed."""
    if plan.is_empty:
        return "nothing changes"
    counts = Counter("version" if one.succeeds else one.kind for one in plan.changes if not one.succeeded_by)
    parts = [f"{counts[kind]} {WORDS[kind]}" for kind in SIGNS if counts[kind]]
    if counts["version"]:
        parts.append("1 new version" if counts["version"] == 1 else f"{counts['version']} new versions")
    if plan.drifted:
        parts.append(f"the code of {functions(len(plan.drifted))} put back in place")
    return ", ".join([*parts, *plan.further])


def outcomes(plan: Plan) -> Iterator[str]:
    """Yield what was lost, once it is known."""
    for change in plan.changes:
        if change.is_asked and change.kind in ("replace", "remove"):
            yield f"  {change.logical_id} was {WORDS[change.kind]}; lost: {change.loss}"


def refuse_fixed_names(plan: Plan) -> None:
    """Refuse what CloudFormation would fail at: to make something anew under the name that the old one has.

    Raises:
        RemoteError: with each of them.
    """
    from bareboat.errors import RemoteError

    stuck = [change for change in plan.changes if change.fixed_name and change.kind == "replace"]
    if stuck:
        names = ", ".join(f"{change.logical_id} ({change.fixed_name})" for change in stuck)
        raise RemoteError(
            f"CloudFormation cannot replace {names}: the new one would have the name of the old one",
            expected="another name, or none: CloudFormation then makes one up",
            fix=f"another {stuck[0].fixed_name} of {stuck[0].logical_id} in the same change",
        )


def _and_more(number: int) -> str:
    return "1 more resource names a part of" if number == 1 else f"{number} more resources name a part of"


def functions(number: int) -> str:
    """Say how many functions."""
    return "1 function" if number == 1 else f"{number} functions"


def change_lines(terminal: Terminal, change: Change) -> Iterator[str]:
    """Yield a change as lines: what it is, then each property."""
    if change.succeeded_by:
        return  # told with the new one
    if change.succeeds:
        yield printable(f"+ {_short(change.logical_id)}: a new version; the old one is kept")
        return
    note = ""
    if change.kind in ("replace", "maybe-replace", "remove"):
        note = f"  {WORDS[change.kind]}"
        if change.is_loss:
            lost = "lost" if change.kind != "maybe-replace" else "lost if it is"
            note += "; its logs are lost" if change.goes_with else f"; {lost}: {change.loss}"
        elif change.keeps:
            note += "; the old one is kept"
    line = printable(f"{SIGNS[change.kind]} {_short(change.logical_id)}  {change.type}{note}")
    yield terminal.alarming(line) if change.is_loss else line
    for difference in change.properties:
        yield printable(f"    {_said(difference, change)}")
    if change.fixed_name:
        whether = "" if change.kind == "replace" else "if it has to: "
        yield terminal.alarming(f"    {whether}CloudFormation cannot replace it under the same {change.fixed_name}")


def _said(difference: Difference, change: Change) -> str:
    from bareboat.aws.differences import ABSENT
    from bareboat.aws.secret_values import is_secret, without_secrets

    type_ = change.type
    path = difference.path
    before, after = (without_secrets(type_, path, value) for value in (difference.before, difference.after))
    if difference.before is ABSENT and difference.after is ABSENT:
        text = f"{path}  follows from {difference.cause}" if difference.cause else f"{path}  may change"
    elif is_secret(type_, path) or before == after:
        word = "is set" if difference.before is ABSENT else "is taken away" if difference.after is ABSENT else "changes"
        text = f"{path}  {word} (not shown)"
    else:
        text = f"{path}  {' -> '.join(_values(before, after))}"
    return text + ("  (makes it anew)" if difference.recreates == "Always" and change.kind != "modify" else "")


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
    if isinstance(value, dict) and len(value) == 1:
        (name, said), *_ = value.items()
        if name == "Ref" and isinstance(said, str):
            return _short(said)
        if name == "Fn::GetAtt" and isinstance(said, list):
            return ".".join(_short(str(one)) for one in said)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _SHA.sub(r"\1", text).rsplit("/code/", 1)[-1]


def _short(logical_id: str) -> str:
    return _VERSION.sub(r"\1…", logical_id)


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
            "goes_with": change.goes_with,
            "succeeds": change.succeeds,
            "succeeded_by": change.succeeded_by,
            "fixed_name": change.fixed_name,
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
        "follows": list(plan.follows),
        "drifted": [drift.function for drift in plan.drifted],
        "further": list(plan.further),
        "notes": [plan.left.text] if plan.left is not None else [],
        "losses": [change.logical_id for change in plan.losses],
    }
