"""Two templates -> what CloudFormation would change, worked out without asking it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bareboat.aws.changes import Change
from bareboat.aws.differences import ABSENT, Difference
from bareboat.aws.losses import loss_of
from bareboat.aws.template import difference as templates
from bareboat.aws.template.replacements import CREATE_ONLY, recreates

_KEPT = ("Retain", "Snapshot", "RetainExceptOnCreate")
_UNSEEN = ("DependsOn", "Condition")  # no change set lists a resource for these alone
_PLACE = re.compile(r"\$\{([^!.}]+)[.}]")


def foreseen(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what would change, in the order of the templates, the removals last.

    Values that are only spelt in another way are no change. What of a type cannot be changed in place is known for the
    types that serverless.yml makes; a change of any other one is `maybe-replace`.
    """
    before, after = old.get("Resources") or {}, new.get("Resources") or {}
    found = {change.logical_id: change for change in _changed(old, new)}
    gone = {name for name, change in found.items() if change.kind == "replace"}
    while gone:
        gone = {
            name
            for name in after
            if name in before and name not in gone and _follows(name, after[name], gone, found, before[name])
        }
    added = [Change("add", name, _type(body)) for name, body in after.items() if name not in before]
    removed = [
        Change("remove", name, _type(body), keeps=body.get("DeletionPolicy") in _KEPT, loss=loss_of(_type(body)))
        for name, body in before.items()
        if name not in after
    ]
    return (*added, *(found[name] for name in after if name in found), *removed)


def references(value: Any) -> set[str]:
    """Return the logical ids, parameters and pseudo parameters that a value refers to."""
    return set(_references(value))


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    found: dict[str, list[templates.Difference]] = {}
    for one in templates.differences(old, new):
        if one.section == "Resources" and one.path and one.path.split(".")[0] not in _UNSEEN:
            found.setdefault(one.logical_id, []).append(one)
    for name, differences in found.items():
        body = old["Resources"][name]
        type_ = _type(body)
        told = tuple(_told(one, type_) for one in differences)
        worst = {one.recreates for one in told}
        kind: Any = "replace" if "Always" in worst else "maybe-replace" if "Conditionally" in worst else "modify"
        loss = "" if kind == "modify" else loss_of(type_)
        yield Change(kind, name, type_, properties=told, keeps=body.get("UpdateReplacePolicy") in _KEPT, loss=loss)


def _told(one: templates.Difference, type_: str) -> Difference:
    """Return a difference as a change set tells of it: below Properties, or the name of an attribute."""
    before = ABSENT if one.old is templates.ABSENT else one.old
    after = ABSENT if one.new is templates.ABSENT else one.new
    path = one.path.removeprefix("Properties").removeprefix(".")
    found = Difference(path or "Properties", before, after)
    if path == "Type":
        return replace(found, recreates="Always")
    return replace(found, recreates=recreates(type_, found.top)) if one.path.startswith("Properties") else found


def _follows(
    name: str, body: Mapping[str, Any], gone: set[str], found: dict[str, Change], before: Mapping[str, Any]
) -> bool:
    """Note that a resource is made anew since one that it is bound to is; tell whether that is new."""
    change = found.get(name)
    if change is not None and change.kind == "replace":
        return False
    type_ = _type(body)
    for key in sorted(CREATE_ONLY.get(type_, ())):
        value = (body.get("Properties") or {}).get(key)
        cause = sorted(references(value) & gone)
        if cause:
            follows = Difference(key, recreates="Always", cause=cause[0])
            told = (*(change.properties if change is not None else ()), follows)
            keeps = before.get("UpdateReplacePolicy") in _KEPT
            found[name] = Change("replace", name, type_, properties=told, keeps=keeps, loss=loss_of(type_))
            return True
    return False


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key == "Ref" and isinstance(child, str):
                yield child
            elif key == "Fn::GetAtt" and child:
                yield str(child.split(".")[0] if isinstance(child, str) else child[0])
            elif key == "Fn::Sub":
                text = child if isinstance(child, str) else child[0] if isinstance(child, list) and child else ""
                yield from _PLACE.findall(str(text))
                yield from _references(child if isinstance(child, list) else ())
            else:
                yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def _type(body: Mapping[str, Any]) -> str:
    return str(body.get("Type", ""))
