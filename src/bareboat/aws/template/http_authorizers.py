"""Authorizers of the HTTP API, and what its routes ask of them."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import add_permission, execute_arn, invocation_uri, once, without_nothing
from bareboat.aws.template.targets import target_arn, target_depends
from bareboat.service.triggers import HttpApiEvent

_KIND = "AWS::ApiGatewayV2::Authorizer"
_TYPES = {"request": "CUSTOM", "aws_iam": "AWS_IAM"}


def add_authorizers(draft: Draft, api: Any) -> None:
    """Add `provider.httpApi.authorizers`, whether a route asks for them or not.

    Args:
        api: the id of the HTTP API.
    """
    for name, said in (draft.service.provider.http_api.options.get("authorizers") or {}).items():
        if said.get("type") == "request":
            _add_lambda(draft, name, said, api)
        else:
            _add_jwt(draft, name, said, api)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _add_jwt(draft: Draft, name: str, said: Json, api: Any) -> None:
    shown = said.get("name") or name
    properties = {
        "ApiId": api,
        "Name": shown,
        "IdentitySource": _listed(said.get("identitySource")) or ["$request.header.Authorization"],
        "AuthorizerType": "JWT",
        "JwtConfiguration": {"Audience": once(_listed(said.get("audience"))), "Issuer": said.get("issuerUrl")},
    }
    draft.add(naming.http_authorizer_id(shown), _KIND, properties)


def _add_lambda(draft: Draft, name: str, said: Json, api: Any) -> None:
    shown = said.get("name") or name
    function = said.get("functionName") or ""
    properties = {
        "ApiId": api,
        "Name": shown,
        "IdentitySource": _listed(said.get("identitySource")),
        "AuthorizerType": "REQUEST",
        "EnableSimpleResponses": said.get("enableSimpleResponses"),
        "AuthorizerResultTtlInSeconds": said.get("resultTtlInSeconds"),
        "AuthorizerPayloadFormatVersion": said.get("payloadVersion") or "2.0",
        "AuthorizerUri": invocation_uri(target_arn(draft, function) if function else said.get("functionArn")),
    }
    depends = target_depends(draft, function) if function else None
    draft.add(naming.http_authorizer_id(shown), _KIND, without_nothing(properties), DependsOn=depends)
    if not said.get("managedExternally"):
        add_permission(
            draft,
            naming.http_authorizer_permission_id(shown),
            execute_arn(api, "/*"),
            function=function,
            arn=said.get("functionArn"),
        )


def authorization(draft: Draft, event: HttpApiEvent) -> Json:
    """Return what a route says of its authorizer; {} where anybody may call."""
    said = event.options.get("authorizer")
    if not said:
        return {}
    reference: Json = said if isinstance(said, dict) else {"name": said}
    kind = reference.get("type") or ""
    if kind == "aws_iam":
        return {"AuthorizationType": "AWS_IAM"}
    known = draft.service.provider.http_api.options.get("authorizers") or {}
    found = {"AuthorizerId": reference.get("id")}
    if not found["AuthorizerId"]:
        authorizer = known.get(reference["name"]) or {}
        kind = authorizer.get("type") or ""
        found["AuthorizerId"] = {"Ref": naming.http_authorizer_id(authorizer.get("name") or reference["name"])}
    found["AuthorizationType"] = _TYPES.get(kind, "JWT")
    if reference.get("scopes"):
        found["AuthorizationScopes"] = once(reference["scopes"])
    return found
