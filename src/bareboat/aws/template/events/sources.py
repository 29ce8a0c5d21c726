"""What the events have in common: whose they are, the permission to invoke, statements of roles, ARNs and rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.targets import condition_of, functions_of, target_arn, target_depends
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function
from bareboat.service.triggers import OtherEvent, ScheduleEvent, SourceEvent


def sourced(draft: Draft, *kinds: str) -> Iterator[tuple[Function, int, SourceEvent | OtherEvent]]:
    """Yield the events of these kinds, each with its function and its place among the function's events, from 1.

    Raises:
        ConfigurationError: an event is a variable that nothing has resolved.
    """
    for function in functions_of(draft.service):
        for place, event in enumerate(function.events, 1):
            if isinstance(event, (SourceEvent, OtherEvent)) and event.kind in kinds:
                if isinstance(event.config, str) and event.config.startswith("${"):
                    raise ConfigurationError(
                        f"{event.kind} of functions.{function.name} is {event.config}, which is not known",
                        expected="its settings",
                        where=str(event.where),
                    )
                yield function, place, event


def scheduled(draft: Draft) -> Iterator[tuple[Function, ScheduleEvent]]:
    """Yield the schedules, each with its function."""
    for function in functions_of(draft.service):
        for event in function.events:
            if isinstance(event, ScheduleEvent):
                yield function, event


def permit(draft: Draft, logical_id: str, function: Function, principal: Any, source: Any, **more: Any) -> None:
    """Let a service invoke a function.

    Args:
        principal: such as `sns.amazonaws.com`.
        source: the ARN that it must come from.
        more: further properties, such as SourceAccount.
    """
    if logical_id in draft.resources:
        return
    draft.add(
        logical_id,
        "AWS::Lambda::Permission",
        {
            "FunctionName": target_arn(draft, function.name),
            "Action": "lambda:InvokeFunction",
            "Principal": principal,
            "SourceArn": source,
            **more,
        },
        **dependent(draft, function),
    )


def dependent(draft: Draft, function: Function) -> Json:
    """Return what a resource that calls a function has beside its properties: its alias, its condition."""
    return {"DependsOn": target_depends(draft, function.name), "Condition": condition_of(draft, function.name)}


def map_source(draft: Draft, logical_id: str, function: Function, event: Any, properties: Json, **more: Any) -> None:
    """Let Lambda read a source and hand what it finds to a function.

    Raises:
        ConfigurationError: two events of the function have the same source.
    """
    if logical_id in draft.resources:
        raise ConfigurationError(
            f"functions.{function.name} has two {event.kind} events of one source",
            expected="one event a source",
            where=str(event.where),
        )
    kept = {name: value for name, value in properties.items() if value is not None}
    kept["FunctionName"] = target_arn(draft, function.name)
    draft.add(logical_id, "AWS::Lambda::EventSourceMapping", kept, **{**dependent(draft, function), **more})


def filters(config: Json) -> Json | None:
    """Return `filterPatterns` as a mapping has them."""
    patterns = config.get("filterPatterns")
    return {"Filters": [{"Pattern": compact(each)} for each in patterns]} if patterns else None


def compact(value: Any) -> str:
    """Return JSON as JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def settings(event: SourceEvent | OtherEvent, key: str) -> Json:
    """Return an event's settings; one that is a text alone is that key."""
    return (
        dict(event.config) if isinstance(event.config, dict) and not is_intrinsic(event.config) else {key: event.config}
    )


def is_intrinsic(value: Any) -> bool:
    """Tell whether a value is a function of CloudFormation."""
    return isinstance(value, dict) and len(value) == 1 and all(key == "Ref" or "::" in key for key in value)


def source_name(arn: Any, event: Any) -> str:
    """Return what a source is called in logical ids: the end of its ARN, or what an intrinsic names.

    Raises:
        ConfigurationError: nothing in it is a name.
    """
    if isinstance(arn, str):
        return arn.rsplit(":", 1)[-1]
    if isinstance(arn, dict) and len(arn) == 1:
        ((function, argument),) = arn.items()
        if function == "Fn::GetAtt":
            return str(argument[0] if isinstance(argument, list) else str(argument).partition(".")[0])
        if function in ("Ref", "Fn::ImportValue") and isinstance(argument, str):
            return argument
        if function == "Fn::Join" and isinstance(argument[1], list) and isinstance(argument[1][-1], str):
            return str(argument[1][-1])
        if function == "Fn::Sub":
            text = argument[0] if isinstance(argument, list) else argument
            return str(text).rsplit(":", 1)[-1]
    raise ConfigurationError(
        f"the arn of {event.kind} is {compact(arn):.60}",
        expected="an ARN, Fn::GetAtt, Ref, Fn::ImportValue, Fn::Sub, or Fn::Join that ends in a name",
        where=str(event.where),
    )


def arn_of(service: str, resource: str, *, regional: bool = True) -> Json:
    """Return an ARN of the stack's account and region, as Fn::Join."""
    place = [":", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":"] if regional else [":::"]
    head = ["arn:", {"Ref": "AWS::Partition"}, f":{service}"]
    return {"Fn::Join": ["", [*head, *place, resource]]}


NAME = 64
"""Characters of the name of a rule, and of the id of its target: EventBridge API reference, PutRule, Target."""


class Grants:
    """What roles must allow, gathered into one statement a role and set of actions.

    Args:
        order: of the sets of actions; others come after them as they were met.
        by_function: a statement for each function, though they share a role.
    """

    def __init__(self, draft: Draft, order: tuple[tuple[str, ...], ...] = (), *, by_function: bool = False) -> None:
        self._draft = draft
        self._order = order
        self._by_function = by_function
        self._found: dict[str, dict[tuple[str, ...], list[Any]]] = {}
        self._functions: dict[str, str] = {}

    def add(self, function: Function, actions: tuple[str, ...], *resources: Any) -> None:
        """Let a function's role do something with resources."""
        is_own = self._by_function or function.name in self._draft.own_statements
        role = function.name if is_own else ""
        self._functions[role] = function.name
        found = self._found.setdefault(role, {}).setdefault(actions, [])
        found.extend(resource for resource in resources if resource not in found)

    def grant(self) -> None:
        """Write the statements."""
        for role, found in self._found.items():
            for actions in (*self._order, *(each for each in found if each not in self._order)):
                if actions in found:
                    resource = "*" if found[actions] == ["*"] else found[actions]
                    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
                    self._draft.allow(self._functions[role], statement)


def short(name: str, suffix: str) -> str:
    """Return a name that AWS takes: one that is too long is cut and has its md5, as Serverless has it."""
    if len(name) <= NAME:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: 31 - len(suffix)]}{digest}-{suffix}"


def rule_target(target: Json, config: Json) -> Json:
    """Add `inputPath` and `inputTransformer` to the target of a rule, in that which Serverless takes first."""
    if config.get("inputPath"):
        target["InputPath"] = config["inputPath"]
    elif config.get("inputTransformer"):
        said = config["inputTransformer"]
        target["InputTransformer"] = {f"{key[:1].upper()}{key[1:]}": value for key, value in said.items()}
    return target
