"""`http` events -> methods of a REST API, with the permission to invoke their functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import add_permission, execute_arn, free_id, without_nothing
from bareboat.aws.template.rest_integrations import integration_of
from bareboat.aws.template.rest_resources import RestMethod, RestTree, rest_api_id
from bareboat.aws.template.rest_responses import method_responses
from bareboat.aws.template.targets import target_depends


def add_permissions(draft: Draft, methods: list[RestMethod]) -> None:
    """Let the API invoke the functions of all its methods."""
    for method in methods:
        function = method.function.name
        source = execute_arn(rest_api_id(draft), "/*/*")
        add_permission(draft, naming.rest_permission_id(function), source, function=function)


def add_methods(
    draft: Draft,
    tree: RestTree,
    methods: list[RestMethod],
    authorizers: Mapping[str, Json],
    models: Mapping[str, Json],
) -> list[str]:
    """Add a method for each event, and return their logical ids.

    Args:
        authorizers, models: what each method says of them, by its route key.
    """
    return [
        _add(draft, tree, method, {**authorizers[method.event.route_key], **models[method.event.route_key]})
        for method in methods
    ]


def _add(draft: Draft, tree: RestTree, method: RestMethod, more: Json) -> str:
    event, function = method.event, method.function.name
    properties = {
        "HttpMethod": method.verb,
        "RequestParameters": {f"method.request.{name}": required for name, required in event.rules.parameters.items()},
        "ResourceId": tree.resource(method.path),
        "RestApiId": rest_api_id(draft),
        "OperationName": event.options.get("operationId"),
        "ApiKeyRequired": event.private,
        "Integration": integration_of(draft, method),
        "MethodResponses": method_responses(event),
        **more,
    }
    depends: list[Any] = [naming.rest_permission_id(function)]
    alias = target_depends(draft, function)
    if alias:
        depends.append(alias)
    logical_id = free_id(draft, naming.rest_method_id(method.path, method.verb), event.route_key)
    return draft.add(logical_id, "AWS::ApiGateway::Method", without_nothing(properties), DependsOn=depends)
