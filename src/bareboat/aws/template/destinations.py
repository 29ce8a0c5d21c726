"""What becomes of asynchronous events: how often they are tried, where results and failures go."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.targets import condition_of, function_of, function_ref, target_arn, target_depends
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function

_ACTIONS = {
    "function": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "eventBus": "events:PutEvents",
}
_IN_ARN = {":function:": "function", ":sqs:": "sqs", ":sns:": "sns", ":event-bus/": "eventBus"}
_OF_TYPE = {
    "AWS::Lambda::Function": "function",
    "AWS::SQS::Queue": "sqs",
    "AWS::SNS::Topic": "sns",
    "AWS::Events::EventBus": "eventBus",
}


def add_event_config(draft: Draft, function: Function) -> None:
    """Add `destinations`, `maximumEventAge` and `maximumRetryAttempts`, where there are any."""
    options = function.options
    destinations = options.get("destinations") or {}
    age, attempts = options.get("maximumEventAge"), options.get("maximumRetryAttempts")
    if not destinations and not age and attempts is None:
        return
    config: Json = {}
    depends = [target_depends(draft, function.name)]
    for key in ("onSuccess", "onFailure"):
        if target := destinations.get(key):
            config[key[0].upper() + key[1:]] = {"Destination": _destination(draft, function, key, target)}
            if isinstance(target, str):
                depends.append(target_depends(draft, target))
    alias = draft.aliases.get(function.name)
    properties: Json = {
        "FunctionName": function_ref(draft, function.name),
        "DestinationConfig": config,
        "Qualifier": alias[1] if alias else "$LATEST",
    }
    if age:
        properties["MaximumEventAgeInSeconds"] = age
    if attempts is not None:
        properties["MaximumRetryAttempts"] = attempts
    needed = sorted({name for name in depends if name})
    draft.add(
        naming.event_config_id(function.name),
        "AWS::Lambda::EventInvokeConfig",
        properties,
        DependsOn=(needed[0] if len(needed) == 1 else needed) if needed else None,
        Condition=condition_of(draft, function.name),
    )


def allow_dead_letters(draft: Draft, function: Function, target: Any) -> None:
    """Let a function's role send to its dead letter queue or topic."""
    kind = kind_of(draft, target)
    actions = [_ACTIONS[kind]] if kind in ("sqs", "sns") else [_ACTIONS["sqs"], _ACTIONS["sns"]]
    draft.allow(function.name, {"Effect": "Allow", "Action": actions, "Resource": [target]})


def kind_of(draft: Draft, arn: Any) -> str:
    """Return what an ARN is of: function, sqs, sns or eventBus; "" where that cannot be told."""
    if isinstance(arn, str):
        return next((kind for part, kind in _IN_ARN.items() if part in arn), "")
    if not isinstance(arn, dict) or len(arn) != 1:
        return ""
    ((key, value),) = arn.items()
    if key == "Fn::GetAtt":
        value = value[0] if isinstance(value, list) else str(value).split(".")[0]
    elif key in ("Fn::Sub", "Fn::Join"):
        text = str(value)
        return next((kind for part, kind in _IN_ARN.items() if part in text), "")
    elif key != "Ref":
        return ""
    resource = (draft.service.resources.get("Resources") or {}).get(value) or draft.resources.get(value) or {}
    return _OF_TYPE.get(resource.get("Type", ""), "")


def _destination(draft: Draft, function: Function, key: str, target: Any) -> Any:
    """Return the ARN of a destination, and let the function's role send there."""
    where = f"functions.{function.name}.destinations.{key}"
    if isinstance(target, dict):
        kind, arn = str(target.get("type", "")), target.get("arn")
        allowed = arn
    elif target.startswith("arn:"):
        kind, arn, allowed = kind_of(draft, target), target, target
    else:
        found = function_of(draft.service, target)
        if found is None:
            raise ConfigurationError(
                f"{where} is {target}",
                expected=f"an ARN, {{type, arn}}, or one of {', '.join(draft.service.functions)}",
                where=str(function.where),
            )
        # both may have the same role, which therefore cannot wait for either: the ARN is spelt out
        alias = f":{draft.aliases[target][1]}" if target in draft.aliases else ""
        name = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{found.full_name}{alias}"
        kind, arn, allowed = "function", target_arn(draft, target), {"Fn::Sub": name}
    if kind not in _ACTIONS:
        raise ConfigurationError(
            f"{where} is {target}",
            expected="a function, an SQS queue, an SNS topic or an event bus; {type: ..., arn: ...}",
            where=str(function.where),
        )
    draft.allow(function.name, {"Effect": "Allow", "Action": _ACTIONS[kind], "Resource": allowed})
    return arn
