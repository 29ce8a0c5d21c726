"""The calls of CloudFormation that only read stacks."""

from __future__ import annotations

import json
from typing import Any

from aws_cloud.formation.difference import current
from aws_cloud.formation.pages import page
from aws_cloud.formation.stack import Resource, Stack
from aws_cloud.formation.target import resolver
from aws_cloud.formation.world import World
from aws_cloud.messages import Refused

_WITH_ID = "Stack with id {} does not exist"
_BRACKETS = "Stack [{}] does not exist"


class ReadApi:
    """Stacks, events, resources, exports."""

    def __init__(self, world: World) -> None:
        self.world = world

    def DescribeStacks(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        if given.get("StackName"):
            return {"Stacks": [_described(self._stack(given, region, _WITH_ID))]}
        living = [one for one in self.world.stacks if one.region == region and one.status != "DELETE_COMPLETE"]
        stacks, token = page(list(reversed(living)), given.get("NextToken"))
        return {"Stacks": [_described(one) for one in stacks], "NextToken": token}

    def ListStacks(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        wanted = given.get("StackStatusFilter")
        listed = [
            _summary(one)
            for one in reversed(self.world.stacks)
            if one.region == region and (not wanted or one.status in wanted)
        ]
        summaries, token = page(listed, given.get("NextToken"))
        return {"StackSummaries": summaries, "NextToken": token}

    def DescribeStackEvents(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self._stack(given, region, _BRACKETS)
        with stack.lock:
            events = list(reversed(stack.events))
        listed, token = page(events, given.get("NextToken"))
        return {"StackEvents": listed, "NextToken": token}

    def DescribeStackResources(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        if not given.get("StackName"):
            for stack in self.world.stacks:
                if any(one.physical_id == given.get("PhysicalResourceId") for one in stack.resources.values()):
                    return self.DescribeStackResources({"StackName": stack.id}, region)
            raise Refused("ValidationError", f"Stack for {given.get('PhysicalResourceId')} does not exist")
        stack = self._stack(given, region, _WITH_ID)
        wanted = given.get("LogicalResourceId")
        listed = [
            {
                "StackName": stack.name,
                "StackId": stack.id,
                **_of(one),
                "Timestamp": one.timestamp,
                "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
            }
            for one in _resources(stack)
            if wanted in (None, one.logical_id)
        ]
        return {"StackResources": listed[:100]}

    def DescribeStackResource(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self._stack(given, region, "Stack '{}' does not exist")
        for one in _resources(stack):
            if one.logical_id == given["LogicalResourceId"]:
                return {
                    "StackResourceDetail": {
                        "StackName": stack.name,
                        "StackId": stack.id,
                        **_of(one),
                        "LastUpdatedTimestamp": one.timestamp,
                        "Metadata": _metadata(self.world, stack, one.logical_id),
                        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
                    }
                }
        raise Refused(
            "ValidationError", f"Resource {given['LogicalResourceId']} does not exist for stack {given['StackName']}"
        )

    def ListStackResources(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self._stack(given, region, _WITH_ID)
        listed = [
            {
                **_of(one),
                "LastUpdatedTimestamp": one.timestamp,
                "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
            }
            for one in _resources(stack)
        ]
        summaries, token = page(listed, given.get("NextToken"))
        return {"StackResourceSummaries": summaries, "NextToken": token}

    def ListExports(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        listed = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value}
            for name, (stack, value) in sorted(self.world.exports(region).items())
        ]
        exports, token = page(listed, given.get("NextToken"))
        return {"Exports": exports, "NextToken": token}

    def ListImports(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        name = given["ExportName"]
        if name not in self.world.exports(region):
            raise Refused("ValidationError", f"Export '{name}' does not exist.")
        users = self.world.importers(name, region)
        if not users:
            raise Refused("ValidationError", f"Export '{name}' is not imported by any stack.")
        return {"Imports": users}

    def _stack(self, given: dict[str, Any], region: str, text: str) -> Stack:
        stack = self.world.stack(given["StackName"], region)
        if stack is None:
            raise Refused("ValidationError", text.format(given["StackName"]))
        return stack


def _resources(stack: Stack) -> list[Resource]:
    with stack.lock:
        gone = stack.gone if stack.status == "DELETE_COMPLETE" else []
        return sorted([*list(stack.resources.values()), *gone], key=lambda one: one.logical_id)


def _of(resource: Resource) -> dict[str, Any]:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.kind,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
    }


def _metadata(world: World, stack: Stack, logical_id: str) -> str | None:
    """Return a resource's Metadata with its references resolved, as the helper scripts of instances read it."""
    if stack.template is None or not stack.template.resources.get(logical_id, {}).get("Metadata"):
        return None
    resolve = resolver(
        current(stack), stack, stack.resources, lambda name: world.imported(stack, name, set()), world.dynamic
    )
    return json.dumps(resolve.value(stack.template.resources[logical_id]["Metadata"]))


def _described(stack: Stack) -> dict[str, Any]:
    """Return what DescribeStacks says of a stack."""
    template = stack.template
    parameters = [
        {"ParameterKey": key, "ParameterValue": _echoed(template, key, value)}
        for key, value in stack.parameters.items()
    ]
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.settings.get("Description"),
        "Parameters": parameters or None,
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "RollbackConfiguration": stack.settings.get("RollbackConfiguration") or {},
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DisableRollback": not stack.rollback,
        "NotificationARNs": stack.settings.get("NotificationARNs") or [],
        "Capabilities": sorted(stack.capabilities) or None,
        "Outputs": stack.outputs or None,
        "RoleARN": stack.settings.get("RoleARN"),
        "Tags": stack.tags,
        "EnableTerminationProtection": None if stack.deleted else stack.protected,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def _echoed(template: Any, key: str, value: str) -> str:
    rule = template.parameters.get(key, {}) if template is not None else {}
    return "****" if str(rule.get("NoEcho", "")).lower() == "true" else value


def _summary(stack: Stack) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": stack.settings.get("Description"),
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
