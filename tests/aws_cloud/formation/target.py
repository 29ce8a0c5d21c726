"""What a stack shall become, and its resources resolved against those that are there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cloud.formation.intrinsics import Resolver
from aws_cloud.formation.parameters import as_values
from aws_cloud.formation.schemas import schema
from aws_cloud.formation.stack import Resource, Stack
from aws_cloud.formation.template import Template, dependencies
from aws_cloud.messages import Refused
from aws_cloud.moto import ACCOUNT

_IAM = {"AccessKey", "Group", "InstanceProfile", "ManagedPolicy", "Policy", "Role", "User", "UserToGroupAddition"}
_NAMES = {"RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a stack shall become."""

    template: Template
    parameters: dict[str, str]
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


def pseudo(stack: Stack) -> dict[str, Any]:
    """Return the pseudo parameters of a stack."""
    return {
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": stack.region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::NotificationARNs": stack.settings.get("NotificationARNs") or [],
    }


def check_capabilities(template: Template, given: list[str]) -> None:
    """Refuse a template that makes what the caller has not agreed to.

    Raises:
        Refused: InsufficientCapabilitiesException.
    """
    if template.document.get("Transform") and "CAPABILITY_AUTO_EXPAND" not in given:
        raise Refused("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
    needed = needed_capability(template)
    if needed and not {"CAPABILITY_NAMED_IAM", needed} & set(given):
        raise Refused("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def needed_capability(template: Template) -> str:
    """Return CAPABILITY_NAMED_IAM, CAPABILITY_IAM or ""."""
    kinds = [one for one in template.resources.values() if one["Type"].removeprefix("AWS::IAM::") in _IAM]
    if any(_NAMES & set(one.get("Properties") or {}) for one in kinds):
        return "CAPABILITY_NAMED_IAM"
    return "CAPABILITY_IAM" if kinds else ""


def with_tags(kind: str, properties: dict[str, Any], tags: list[dict[str, str]]) -> dict[str, Any]:
    """Return properties with the stack's tags, where the type takes any."""
    document = schema(kind) or {}
    tagging = document.get("tagging") or {}
    if not tags or not tagging.get("taggable") or not tagging.get("tagOnCreate", True):
        return properties
    name = str(tagging.get("tagProperty", "/properties/Tags")).removeprefix("/properties/")
    shape = (document.get("properties") or {}).get(name, {})
    own = properties.get(name)
    if shape.get("type") == "object" or isinstance(own, dict):
        return {**properties, name: {**{one["Key"]: one["Value"] for one in tags}, **(own or {})}}
    have = {one["Key"] for one in own or ()}
    return {**properties, name: [*(own or ()), *(dict(one) for one in tags if one["Key"] not in have)]}


def resolver(target: Target, stack: Stack, resources: Mapping[str, Resource], imported: Any, dynamic: Any) -> Resolver:
    """Return a resolver that knows the resources that are there."""

    def reference(name: str) -> Any:
        if name not in resources:
            raise Refused("ValidationError", f"Unresolved resource dependencies [{name}] in the Resources block")
        return resources[name].physical_id

    def attribute(name: str, wanted: str) -> Any:
        if name not in resources:
            raise Refused("ValidationError", f"Unresolved resource dependencies [{name}] in the Resources block")
        found = resources[name].attributes
        if wanted not in found:
            raise Refused(
                "ValidationError",
                f"Template error: resource {name} does not support attribute type {wanted} in Fn::GetAtt",
            )
        return found[wanted]

    return Resolver(
        target.template.document,
        pseudo(stack),
        as_values(target.template, target.parameters),
        reference=reference,
        attribute=attribute,
        imported=imported,
        dynamic=dynamic,
    )


def wanted(target: Target, resolve: Resolver) -> dict[str, dict[str, Any]]:
    """Return the resources whose condition holds."""
    return {
        name: one
        for name, one in target.template.resources.items()
        if "Condition" not in one or resolve.condition(one["Condition"])
    }


def needs(resources: Mapping[str, dict[str, Any]]) -> dict[str, frozenset[str]]:
    """Return what each resource needs first.

    Raises:
        Refused: they need each other.
    """
    found = {name: frozenset(dependencies(one) & set(resources)) - {name} for name, one in resources.items()}
    left = dict(found)
    while ready := [name for name, before in left.items() if not before & set(left)]:
        for name in ready:
            del left[name]
    if left:
        raise Refused("ValidationError", f"Circular dependency between resources: [{', '.join(sorted(left))}]")
    return found


def s3_place(url: str) -> tuple[str, str]:
    """Return bucket and key of a TemplateURL.

    Raises:
        Refused: it is no address of S3.
    """
    found = re.fullmatch(r"https?://([^/]+?)(?::\d+)?/(.+?)(?:\?.*)?", url)
    if found is None:
        raise Refused("ValidationError", "TemplateURL must be a supported URL.")
    host, path = found.groups()
    if virtual := re.fullmatch(r"(.+?)\.s3[.-].*", host):
        return virtual[1], path
    if "/" not in path:
        raise Refused("ValidationError", "TemplateURL must be a supported URL.")
    bucket, _, key = path.partition("/")
    return bucket, key
