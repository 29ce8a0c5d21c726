"""What both kinds of API have in common in a template: ARNs, permissions, log groups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.targets import target_arn, target_depends

_GATEWAY = "apigateway.amazonaws.com"


def invocation_uri(target: Any, *, streams: bool = False) -> Json:
    """Return what API Gateway calls a function.

    Args:
        target: the ARN of the function or its alias.
        streams: whether the answer comes in pieces (REST APIs).
    """
    version, kind = ("2021-11-15", "response-streaming-invocations") if streams else ("2015-03-31", "invocations")
    return _joined(
        "arn:",
        {"Ref": "AWS::Partition"},
        ":apigateway:",
        {"Ref": "AWS::Region"},
        f":lambda:path/{version}/functions/",
        target,
        f"/{kind}",
    )


def execute_arn(api: Any, path: str) -> Json:
    """Return the ARN of requests to an API; `path` is `/*` or `/*/*`."""
    return _joined(
        "arn:",
        {"Ref": "AWS::Partition"},
        ":execute-api:",
        {"Ref": "AWS::Region"},
        ":",
        {"Ref": "AWS::AccountId"},
        ":",
        api,
        path,
    )


def address(api: Any, path: str = "") -> Json:
    """Return the address that AWS gives an API."""
    parts = ["https://", api, ".execute-api.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]
    return _joined(*parts, *([path] if path else []))


def _joined(*parts: Any) -> Json:
    return {"Fn::Join": ["", list(parts)]}


def add_permission(draft: Draft, logical_id: str, source: Json, *, function: str = "", arn: Any = None) -> None:
    """Let an API invoke a function, once.

    Args:
        source: the ARN of the requests.
        function: its name in this service; else `arn` is the function's.
    """
    if logical_id in draft.resources:
        return
    properties = {
        "FunctionName": target_arn(draft, function) if function else arn,
        "Action": "lambda:InvokeFunction",
        "Principal": _GATEWAY,
        "SourceArn": source,
    }
    depends = target_depends(draft, function) if function else None
    draft.add(logical_id, "AWS::Lambda::Permission", properties, DependsOn=depends)


def add_log_group(draft: Draft, logical_id: str, name: str) -> None:
    """Add the log group of an API's accesses."""
    options = draft.service.provider.options
    properties: Json = {"LogGroupName": name}
    for key, option in (("RetentionInDays", "logRetentionInDays"), ("DataProtectionPolicy", "logDataProtectionPolicy")):
        if options.get(option):
            properties[key] = options[option]
    draft.add(logical_id, "AWS::Logs::LogGroup", properties)


def free_id(draft: Draft, logical_id: str, text: str) -> str:
    """Return a logical id that is not taken: two paths that differ in signs alone have one name in Serverless.

    Args:
        text: what tells the two apart, such as a route key.
    """
    if logical_id not in draft.resources:
        return logical_id
    return logical_id + hashlib.sha256(text.encode()).hexdigest()[:8]


def known_text(text: str) -> Any:
    """Return a text for a template; `${Queue.Arn}` in it, which stands for an intrinsic function, is one again."""
    return {"Fn::Sub": text} if "${" in text else text


def variables(found: Mapping[str, str]) -> Json:
    """Return stage variables for a template."""
    return {name: known_text(text) for name, text in found.items()}


def once(items: Iterable[Any]) -> list[Any]:
    """Return a list without what is there twice."""
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def without_nothing(properties: Mapping[str, Any]) -> Json:
    """Return properties without those that are None."""
    return {key: value for key, value in properties.items() if value is not None}
