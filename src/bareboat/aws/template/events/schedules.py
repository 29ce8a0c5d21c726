"""`schedule` -> a rule of EventBridge for each rate, or a schedule of EventBridge Scheduler."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.events.sources import Grants, compact, dependent, permit, rule_target, scheduled, short
from bareboat.aws.template.targets import target_arn
from bareboat.service.model import Function
from bareboat.service.triggers import ScheduleEvent

SCHEDULER = "scheduler.amazonaws.com"


def add_schedules(draft: Draft) -> None:
    """Add the schedules of all functions, numbered from 1 in each."""
    numbers: dict[str, int] = {}
    grants = Grants(draft)
    for function, event in scheduled(draft):
        for rate in event.written:
            number = numbers[function.name] = numbers.get(function.name, 0) + 1
            if event.options.get("method") == "scheduler":
                _add_schedule(draft, function, event, rate, number, grants)
            else:
                _add_rule(draft, function, event, rate, number)
    grants.grant()


def _add_rule(draft: Draft, function: Function, event: ScheduleEvent, rate: Any, number: int) -> None:
    options = dict(event.options)
    target: Json = {"Arn": target_arn(draft, function.name), "Id": short(f"{function.name}Schedule", "target")}
    if event.input is not None:
        target["Input"] = input_text(event.input)
    else:
        rule_target(target, options)
    properties: Json = {"ScheduleExpression": rate, "State": state(enabled=event.enabled), "Targets": [target]}
    for key in ("name", "description"):
        if options.get(key):
            properties[key.capitalize()] = options[key]
    rule = draft.add(
        naming.schedule_rule_id(function.name, number), "AWS::Events::Rule", properties, **dependent(draft, function)
    )
    permission = naming.schedule_permission_id(function.name, number)
    permit(draft, permission, function, "events.amazonaws.com", {"Fn::GetAtt": [rule, "Arn"]})


def _add_schedule(
    draft: Draft, function: Function, event: ScheduleEvent, rate: Any, number: int, grants: Grants
) -> None:
    """Add a schedule of EventBridge Scheduler, which invokes with a role: `roleArn`, or the function's own."""
    options = event.options
    role = options.get("roleArn")
    if role is None:
        role = draft.resources[naming.function_id(function.name)]["Properties"]["Role"]
        _let_invoke(draft, function, grants)
    target: Json = {"Arn": target_arn(draft, function.name), "RoleArn": role}
    if event.input is not None:
        target["Input"] = input_text(event.input)
    properties = {
        "ScheduleExpression": rate,
        "State": state(enabled=event.enabled),
        "Target": target,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Name": options.get("name"),
        "GroupName": options.get("groupName"),
        "Description": options.get("description"),
        "ScheduleExpressionTimezone": options.get("timezone"),
    }
    kept = {key: value for key, value in properties.items() if value is not None}
    draft.add(
        naming.scheduler_id(function.name, number), "AWS::Scheduler::Schedule", kept, **dependent(draft, function)
    )


def _let_invoke(draft: Draft, function: Function, grants: Grants) -> None:
    """Let the function's role be taken by the scheduler, and invoke the function."""
    draft.trust(function.name, SCHEDULER)
    arn = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{function.full_name}"
    grants.add(function, ("lambda:InvokeFunction",), {"Fn::Sub": arn}, {"Fn::Sub": f"{arn}:*"})


def input_text(said: Any) -> str:
    """Return `input` as JSON text; a `body` that is JSON text becomes what it says, as Serverless does it."""
    if isinstance(said, str):
        return said
    if isinstance(said, dict) and isinstance(said.get("body"), str):
        with suppress(ValueError):
            said = {**said, "body": json.loads(said["body"])}
    return compact(said)


def state(*, enabled: bool) -> str:
    """Return the state of a rule."""
    return "ENABLED" if enabled else "DISABLED"
