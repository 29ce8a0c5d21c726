"""`eventBridge` and `cloudwatchEvent` -> rules of an event bus, and the bus where it is new."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.events.schedules import input_text, state
from bareboat.aws.template.events.sources import compact, dependent, permit, rule_target, settings, short, sourced
from bareboat.aws.template.targets import target_arn
from bareboat.service.model import Function
from bareboat.service.triggers import OtherEvent, SourceEvent

PRINCIPAL = "events.amazonaws.com"


def add_buses(draft: Draft) -> None:
    """Add the rules of all functions."""
    for function, place, event in sourced(draft, "eventBridge"):
        _add_rule(draft, function, place, event)
    numbers: dict[str, int] = {}
    for function, _, event in sourced(draft, "cloudwatchEvent"):
        number = numbers[function.name] = numbers.get(function.name, 0) + 1
        _add_cloudwatch_rule(draft, function, number, event)


def _add_rule(draft: Draft, function: Function, place: int, event: SourceEvent | OtherEvent) -> None:
    config = settings(event, "pattern")
    bus, depends = _bus(draft, config.get("eventBus"))
    own_name = f"{function.full_name}-rule-{place}"
    name = config.get("name") or short(own_name, f"rule-{place}")
    target: Json = {"Arn": target_arn(draft, function.name), "Id": short(f"{name}-target", "target")}
    if retry := config.get("retryPolicy"):
        said = {
            "MaximumEventAgeInSeconds": retry.get("maximumEventAge"),
            "MaximumRetryAttempts": retry.get("maximumRetryAttempts"),
        }
        target["RetryPolicy"] = {key: value for key, value in said.items() if value is not None}
    if config.get("deadLetterQueueArn"):
        target["DeadLetterConfig"] = {"Arn": config["deadLetterQueueArn"]}
    if config.get("input"):
        target["Input"] = compact(config["input"])
    else:
        rule_target(target, config)
    properties = {
        "Description": config.get("description"),
        "EventBusName": bus,
        "EventPattern": config.get("pattern"),
        "Name": name,
        "ScheduleExpression": config.get("schedule"),
        "State": state(enabled=config.get("enabled") is not False),
        "Targets": [target],
    }
    more = dependent(draft, function)
    before = [each for each in (more["DependsOn"], depends) if each]
    more["DependsOn"] = before[0] if len(before) == 1 else before or None
    kept = {key: value for key, value in properties.items() if value is not None}
    draft.add(naming.bus_rule_id(own_name), "AWS::Events::Rule", kept, **more)
    path = [bus, name] if bus is not None else [name]
    source = ["arn", {"Ref": "AWS::Partition"}, "events", {"Ref": "AWS::Region"}, {"Ref": "AWS::AccountId"}]
    arn = {"Fn::Join": [":", [*source, {"Fn::Join": ["/", ["rule", *path]]}]]}
    permit(draft, naming.bus_permission_id(function.name, place), function, PRINCIPAL, arn)


def _bus(draft: Draft, said: Any) -> tuple[Any, str | None]:
    """Return a bus by its name, None for the default one, and the logical id of one that is made here."""
    if said is None or said == "default":
        return None, None
    if not isinstance(said, str):
        return said, None
    if said.startswith("arn:"):
        name = said.partition("/")[2]
        return (None if name == "default" else name), None
    logical_id = naming.bus_id(said)
    if logical_id not in draft.resources:
        draft.add(logical_id, "AWS::Events::EventBus", {"Name": said})
    return said, logical_id


def _add_cloudwatch_rule(draft: Draft, function: Function, number: int, event: SourceEvent | OtherEvent) -> None:
    """Add the older form of a rule: `cloudwatchEvent`."""
    config = settings(event, "event")
    target: Json = {"Arn": target_arn(draft, function.name), "Id": short(f"{function.name}CloudWatchEvent", "target")}
    if config.get("input"):
        target["Input"] = input_text(config["input"])
    else:
        rule_target(target, config)
    properties = {
        "EventPattern": config.get("event"),
        "State": state(enabled=config.get("enabled") is not False),
        "Description": config.get("description"),
        "Name": config.get("name"),
        "Targets": [target],
    }
    kept = {key: value for key, value in properties.items() if value}
    rule = draft.add(
        naming.cloudwatch_rule_id(function.name, number), "AWS::Events::Rule", kept, **dependent(draft, function)
    )
    permission = naming.cloudwatch_permission_id(function.name, number)
    permit(draft, permission, function, PRINCIPAL, {"Fn::GetAtt": [rule, "Arn"]})
