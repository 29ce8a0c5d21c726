"""The changes of a change set -> those that are real, and those that only follow from others and change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bareboat.aws.differences import ABSENT, Difference

if TYPE_CHECKING:
    from bareboat.aws.changes import Change

FUNCTION, VERSION, LOG_GROUP = "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Logs::LogGroup"
_STEADY = re.compile(r"(|(?!.*(Stream|Version)).*(Arn|Id|Name|Url|URL|Endpoint|Address))\Z")
"""Attributes that are the same for as long as their resource is; "" is what Ref gives."""
_OTHERS = ("Custom::", "AWS::CloudFormation::")
"""Types whose attributes are whatever somebody else says."""


def without_false_alarms(changes: Iterable[Change]) -> list[Change]:
    """Return changes; those that CloudFormation only fears for are told as what they are.

    A resource that names another one's ARN or id is listed, and "perhaps replaced", whenever that other one changes; an
    ARN or an id changes only when the other one is made anew itself.
    """
    found = {change.logical_id: change for change in changes}
    for _ in range(len(found)):
        afraid = [change for change in found.values() if change.kind == "maybe-replace" and _is_calm(change, found)]
        if not afraid:
            break
        for change in afraid:
            found[change.logical_id] = replace(change, kind="modify", loss="")
    return list(found.values())


def apart(changes: Iterable[Change]) -> tuple[list[Change], list[str]]:
    """Part real changes from those that only follow from what stays the same.

    Returns:
        The real ones, without the properties that only follow; and the logical ids of the others.
    """
    found = {change.logical_id: change for change in changes}
    real, follows = [], []
    for change in found.values():
        if change.kind != "modify" or not change.properties:
            real.append(change)
            continue
        properties = tuple(one for one in change.properties if not _stays(one, found))
        if properties:
            real.append(replace(change, properties=properties))
        else:
            follows.append(change.logical_id)
    return real, sorted(follows)


def _is_calm(change: Change, changes: Mapping[str, Change]) -> bool:
    """Return whether all that could replace a resource follows from others that are changed in place."""
    feared = [one for one in change.properties if one.recreates != "Never"]
    return bool(feared) and all(_stays(one, changes) for one in feared)


def _stays(one: Difference, changes: Mapping[str, Change]) -> bool:
    """Return whether a property follows from what another resource keeps, as that one is changed in place."""
    if one.before is not ABSENT or one.after is not ABSENT:
        return False
    name, _, attribute = one.cause.partition(".")
    other = changes.get(name)
    if other is None or other.kind != "modify" or other.type.startswith(_OTHERS):
        return False
    return _STEADY.match(attribute) is not None


def with_versions(changes: Iterable[Change], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return changes in which a new version of a function and the old one, which is kept, know of each other.

    Args:
        before, after: the templates.
    """
    listed = list(changes)
    gone = {
        name: one.logical_id
        for one in listed
        if one.type == VERSION and one.kind == "remove" and one.keeps and (name := _function(before, one.logical_id))
    }
    pairs = {
        one.logical_id: gone[name]
        for one in listed
        if one.type == VERSION and one.kind == "add" and (name := _function(after, one.logical_id)) in gone
    }
    back = {old: new for new, old in pairs.items()}
    return [
        replace(one, succeeds=pairs.get(one.logical_id, ""), succeeded_by=back.get(one.logical_id, ""))
        for one in listed
    ]


def with_own_logs(changes: Iterable[Change], before: Mapping[str, Any]) -> list[Change]:
    """Return changes in which a log group that goes with its function says so (`goes_with`).

    Args:
        before: the template that the stack has.
    """
    listed = list(changes)
    gone = {
        f"/aws/lambda/{name}": one.logical_id
        for one in listed
        if one.type == FUNCTION
        and one.kind in ("remove", "replace")
        and isinstance(name := _property(before, one.logical_id, "FunctionName"), str)
    }

    def told(one: Change) -> Change:
        if one.type != LOG_GROUP or one.kind not in ("remove", "replace"):
            return one
        return replace(one, goes_with=gone.get(str(_property(before, one.logical_id, "LogGroupName")), ""))

    return [told(one) for one in listed]


def _function(template: Mapping[str, Any], version: str) -> str:
    """Return the logical id of the function that a version is of; "" where that cannot be told."""
    said = _property(template, version, "FunctionName")
    return str(said.get("Ref") or "") if isinstance(said, Mapping) else ""


def _property(template: Mapping[str, Any], logical_id: str, name: str) -> Any:
    resource = (template.get("Resources") or {}).get(logical_id) or {}
    return (resource.get("Properties") or {}).get(name)
