"""`provider` -> Provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bareboat.service.check import Checker, checked_value, known_keys
from bareboat.service.keys.provider import ProviderKeys, RoleKeys
from bareboat.service.model import Provider
from bareboat.service.nodes import Node
from bareboat.service.report import Report

_STAGE = re.compile(r"[A-Za-z0-9-]+\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d\Z")
_INHERITED = frozenset(
    [
        "name",
        "runtime",
        "stage",
        "region",
        "environment",
        "memorySize",
        "timeout",
        "architecture",
        "httpApi",
        "apiGateway",
        "apiKeys",
        "usagePlan",
        "resourcePolicy",
        "tags",
        "stackName",
        "layers",
    ]
)
NO_MEANING: dict[str, str] = {
    "lambdaHashingVersion": "artifacts are named by their SHA-256",
    "variableSyntax": "${AWS::Region} and the like are left alone without it",
    "useCloudFormation": "deployments always go through CloudFormation",
}


def check_name(node: Node, report: Report) -> None:
    """Note a provider that is not AWS."""
    name = node.get("name")
    if name is None:
        report.problems.add(node.place, "provider has no name", expected="name: aws", fix="add name: aws")
    elif name.value != "aws" and not name.state:
        report.problems.add(name.place, f"provider.name is '{name.value}'", expected="aws; bareboat knows no other")


def provider_of(
    keys: ProviderKeys,
    node: Node,
    service: str,
    flags: Mapping[str, tuple[str, str]],
    checker: Checker,
    report: Report,
) -> Provider:
    """Return the provider with defaults filled in, and without its APIs.

    Args:
        flags: `stage` and `region` as given outside the file, each with its origin.
    """
    stage, stage_origin = _setting("stage", keys.stage, "dev", node, flags)
    region, region_origin = _setting("region", keys.region, "us-east-1", node, flags)
    stage_node, region_node = node.get("stage"), node.get("region")
    if not _STAGE.match(stage) and not (stage_node and stage_node.state):
        report.problems.add(_place_or(stage_origin), f"the stage is '{stage}'", expected="letters, digits and '-'")
    if not _REGION.match(region) and not (region_node and region_node.state):
        report.problems.add(
            _place_or(region_origin), f"the region is '{region}'", expected="an AWS region such as us-east-1"
        )
    report.value("provider.stage", stage, stage_origin)
    report.value("provider.region", region, region_origin)
    for name, what in NO_MEANING.items():
        if node.get(name) is not None:
            report.info(f"provider.{name} has no meaning here: {what}", node.key_place(name))
    _check_role(node, checker)
    stack = keys.stack_name or f"{service}-{stage}"
    report.value("provider.stackName", stack, node.get("stackName") or "default")
    known = known_keys(ProviderKeys)
    options = {
        key: checked_value(keys, key, child)
        for key, child in node.items()
        if key in known and key not in _INHERITED and child.value is not None
    }
    return Provider(stage, region, keys.runtime or "", stack, tags=dict(keys.tags or {}), options=options)


def _setting(
    name: str, written: str | None, default: str, node: Node, flags: Mapping[str, tuple[str, str]]
) -> tuple[str, Node | str]:
    if name in flags:
        return flags[name]
    child = node.get(name)
    if written is None or child is None:
        return default, "default"
    return written, child


def _place_or(origin: Node | str) -> Any:
    return origin if isinstance(origin, str) else origin.place


def _check_role(node: Node, checker: Checker) -> None:
    role = node.get("iam", "role")
    if role is not None and role.is_mapping and not any(key == "Ref" or key.startswith("Fn::") for key in role.value):
        checker.keys(role, RoleKeys, "provider.iam.role")
