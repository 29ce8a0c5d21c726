"""Two templates -> the changes that a change set lists, as CloudFormation finds them before anything is made.

What a reference will be is not known yet: a property that refers to a resource that is replaced, or with Fn::GetAtt to
one that is changed, is listed with `Evaluation: Dynamic`, whether it turns out to change or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cloud.formation.intrinsics import Resolver
from aws_cloud.formation.schemas import conditionally_create_only, create_only
from aws_cloud.formation.stack import Resource
from aws_cloud.formation.template import Template, references

_ATTRIBUTES = ("Metadata", "CreationPolicy", "UpdatePolicy")


class Outlook:
    """What a template's resources look like before they are made: references stay symbols."""

    def __init__(
        self, template: Template, pseudo: Mapping[str, Any], parameters: Mapping[str, Any], imported: Any
    ) -> None:
        self.template = template
        self.resolver = Resolver(
            template.document,
            pseudo,
            parameters,
            reference=lambda name: f"<ref {name}>",
            attribute=lambda name, attribute: f"<att {name}.{attribute}>",
            imported=imported,
        )

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources whose condition holds, their properties resolved as far as they can be."""
        return {
            name: {
                **one,
                "Properties": self.resolver.value(one.get("Properties") or {}),
                "Written": one.get("Properties") or {},
            }
            for name, one in self.template.resources.items()
            if "Condition" not in one or self.resolver.condition(one["Condition"])
        }


def changes(
    old: dict[str, dict[str, Any]],
    new: dict[str, dict[str, Any]],
    made: Mapping[str, Resource],
    parameters: set[str],
) -> list[dict[str, Any]]:
    """Return the changes from one outlook to another, by logical id.

    Args:
        made: the resources that there are.
        parameters: those whose value changes.
    """
    listed: dict[str, dict[str, Any]] = {}
    for name, resource in new.items():
        if name not in old:
            listed[name] = _change("Add", name, resource["Type"])
        elif found := _modified(name, old[name], resource, made, parameters):
            listed[name] = found
    _spread(new, listed, made)
    for name, resource in old.items():
        if name not in new:
            policy = "Retain" if resource.get("DeletionPolicy") == "Retain" else "Delete"
            physical = made[name].physical_id if name in made else ""
            listed[name] = _change("Remove", name, resource["Type"], physical, PolicyAction=policy)
    return [{"Type": "Resource", "ResourceChange": listed[name]} for name in sorted(listed)]


def _modified(
    name: str, old: dict[str, Any], new: dict[str, Any], made: Mapping[str, Resource], parameters: set[str]
) -> dict[str, Any] | None:
    physical = made[name].physical_id if name in made else ""
    if old["Type"] != new["Type"]:
        return _change("Modify", name, new["Type"], physical, Replacement="True", Scope=["Properties"])
    before, after = old["Properties"], new["Properties"]
    names = [one for one in sorted({*before, *after}) if before.get(one) != after.get(one)]
    details = [detail for one in names for detail in _direct(new, one, parameters)]
    scope = ["Properties"] if details else []
    for attribute in _ATTRIBUTES:
        if old.get(attribute) != new.get(attribute):
            scope.append(attribute)
            details.append(
                {
                    "Target": {"Attribute": attribute, "RequiresRecreation": "Never"},
                    "Evaluation": "Static",
                    "ChangeSource": "DirectModification",
                }
            )
    if not details:
        return None
    change = _change("Modify", name, new["Type"], physical, Scope=scope, Details=details)
    _judge(change, new)
    return change


def _direct(new: dict[str, Any], name: str, parameters: set[str]) -> list[dict[str, Any]]:
    """Return the details of a property that differs, with the parameters that make it differ."""
    recreation = _recreation(new["Type"], name)
    written = (new.get("Written") or {}).get(name)
    causes = sorted(parameters & set(references(written)))
    if not causes:
        return [_detail(name, recreation, "Static", "DirectModification")]
    return [
        *({**_detail(name, recreation, "Static", "ParameterReference"), "CausingEntity": one} for one in causes),
        _detail(name, recreation, "Dynamic", "DirectModification"),
    ]


def _spread(new: dict[str, dict[str, Any]], listed: dict[str, dict[str, Any]], made: Mapping[str, Resource]) -> None:
    """List what refers to a resource that is replaced, or to an attribute of one that is changed."""
    grown = True
    while grown:
        grown = False
        for name, resource in new.items():
            if name not in made or (name in listed and listed[name]["Action"] == "Add"):
                continue
            for key, value in resource["Properties"].items():
                for target, attribute in _symbols(value):
                    other = listed.get(target)
                    if other is None or other["Action"] != "Modify" or target == name:
                        continue
                    if not attribute and other.get("Replacement") == "False":
                        continue
                    grown |= _refer(listed, made[name], resource, key, target, attribute)


def _refer(
    listed: dict[str, dict[str, Any]], made: Resource, resource: dict[str, Any], key: str, target: str, attribute: str
) -> bool:
    change = listed.setdefault(
        made.logical_id, _change("Modify", made.logical_id, resource["Type"], made.physical_id, Scope=["Properties"])
    )
    cause = f"{target}.{attribute}" if attribute else target
    source = "ResourceAttribute" if attribute else "ResourceReference"
    detail = {**_detail(key, _recreation(resource["Type"], key), "Dynamic", source), "CausingEntity": cause}
    if detail in change["Details"]:
        return False
    change["Details"].append(detail)
    change["Scope"] = sorted({*change["Scope"], "Properties"})
    _judge(change, resource)
    return True


def _judge(change: dict[str, Any], resource: dict[str, Any]) -> None:
    """Say whether a change replaces its resource, and what becomes of the old one."""
    answer = "False"
    for detail in change["Details"]:
        recreation = detail["Target"]["RequiresRecreation"]
        if recreation == "Always" and detail["Evaluation"] == "Static":
            answer = "True"
        elif recreation in {"Always", "Conditionally"} and answer == "False":
            answer = "Conditional"
    change["Replacement"] = answer
    if answer != "False":
        kept = resource.get("UpdateReplacePolicy") == "Retain"
        change["PolicyAction"] = "ReplaceAndRetain" if kept else "ReplaceAndDelete"


def _recreation(kind: str, name: str) -> str:
    if name in create_only(kind):
        return "Always"
    return "Conditionally" if name in conditionally_create_only(kind) else "Never"


def _detail(name: str, recreation: str, evaluation: str, source: str) -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": source}


def _change(action: str, name: str, kind: str, physical: str = "", **more: Any) -> dict[str, Any]:
    change: dict[str, Any] = {
        "Action": action,
        "LogicalResourceId": name,
        "ResourceType": kind,
        "Scope": [],
        "Details": [],
    }
    if physical:
        change["PhysicalResourceId"] = physical
    change.update(more)
    return change


def _symbols(value: Any) -> list[tuple[str, str]]:
    """Return (logical id, attribute or "") of the references in a resolved value."""
    if isinstance(value, list):
        return [one for part in value for one in _symbols(part)]
    if isinstance(value, dict):
        return [one for part in value.values() for one in _symbols(part)]
    if not isinstance(value, str):
        return []
    found = [(part.split(">")[0], "") for part in value.split("<ref ")[1:]]
    for part in value.split("<att ")[1:]:
        name, _, attribute = part.split(">")[0].partition(".")
        found.append((name, attribute))
    return found
