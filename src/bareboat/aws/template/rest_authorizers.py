"""Authorizers of REST methods: functions, Cognito user pools, IAM."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bareboat.aws.template import naming, words
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import add_permission, execute_arn, invocation_uri, without_nothing
from bareboat.aws.template.rest_resources import RestMethod, rest_api_id
from bareboat.aws.template.targets import target_arn, target_depends
from bareboat.service.api import IamAuthorizer, JwtAuthorizer, LambdaAuthorizer

_SOURCE = "method.request.header.Authorization"


def add_rest_authorizers(draft: Draft, methods: list[RestMethod]) -> dict[str, Json]:
    """Add the authorizers, one a name, and return what each method says of its own, by its route key."""
    found: dict[str, Json] = {}
    for method in methods:
        found[method.event.route_key] = _authorization(draft, method)
    return found


def _authorization(draft: Draft, method: RestMethod) -> Json:
    event = method.event
    authorizer = event.authorizer
    if authorizer is None:
        return {"AuthorizationType": "NONE"}
    if isinstance(authorizer, IamAuthorizer):
        return {"AuthorizationType": "AWS_IAM"}
    said: Any = event.options.get("authorizer")
    said = said if isinstance(said, dict) else {"arn": said} if ":" in str(said) else {"name": said}
    pool = isinstance(authorizer, JwtAuthorizer) or str(said.get("type")).upper() == "COGNITO_USER_POOLS"
    found: Json = {"AuthorizationType": "COGNITO_USER_POOLS" if pool else "CUSTOM"}
    if pool and said.get("scopes"):
        found["AuthorizationScopes"] = said["scopes"]
    if said.get("authorizerId"):
        return {**found, "AuthorizerId": said["authorizerId"]}
    return {**found, "AuthorizerId": {"Ref": _add(draft, authorizer, said)}}


def _add(draft: Draft, authorizer: JwtAuthorizer | LambdaAuthorizer, said: Json) -> str:
    """Add an authorizer once, and return its logical id; another one of the same name gets a name of its own."""
    own = authorizer.function if isinstance(authorizer, LambdaAuthorizer) and "arn" not in said else ""
    properties = without_nothing(_properties(draft, authorizer, said, own))
    depends = target_depends(draft, own) if own else None
    logical_id = naming.rest_authorizer_id(_plain(authorizer.name))
    there = draft.resources.get(logical_id)
    if there is not None:
        if there["Properties"] == properties:
            return logical_id
        digest = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:8]
        properties["Name"] = f"{authorizer.name}-{digest}"
        logical_id += digest
        if logical_id in draft.resources:
            return logical_id
    draft.add(logical_id, "AWS::ApiGateway::Authorizer", properties, DependsOn=depends)
    if isinstance(authorizer, LambdaAuthorizer) and not said.get("managedExternally"):
        arn = target_arn(draft, own) if own else said["arn"]
        permission = _free_permission(draft, naming.rest_permission_id(_plain(authorizer.name)), arn)
        add_permission(draft, permission, execute_arn(rest_api_id(draft), "/*/*"), function=own, arn=arn)
    return logical_id


def _free_permission(draft: Draft, logical_id: str, arn: Any) -> str:
    """Return the logical id of the permission to ask a function, which is not that of another one with its name."""
    there = draft.resources.get(logical_id)
    if there is None or there["Properties"]["FunctionName"] == arn:
        return logical_id
    return logical_id + hashlib.sha256(json.dumps(arn, sort_keys=True).encode()).hexdigest()[:8]


def _plain(name: str) -> str:
    """Return a name that makes a logical id: an ARN that is an intrinsic function gives none."""
    return name if words.normal(name).isalnum() else words.alphanumeric(name)


def _properties(draft: Draft, authorizer: JwtAuthorizer | LambdaAuthorizer, said: Json, own: str) -> Json:
    ttl = said.get("resultTtlInSeconds")
    whole = len(said) > 1 or "name" not in said
    found: Json = {
        "Name": authorizer.name,
        "RestApiId": rest_api_id(draft),
        "AuthorizerResultTtlInSeconds": ttl if ttl is not None else 300 if whole else None,
    }
    if isinstance(authorizer, JwtAuthorizer):
        return {
            **found,
            "Type": "COGNITO_USER_POOLS",
            "ProviderARNs": [said["arn"]],
            "IdentitySource": said.get("identitySource") or _SOURCE,
        }
    return {
        **found,
        "Type": authorizer.kind.upper(),
        "IdentitySource": said.get("identitySource") or (", ".join(authorizer.identity_sources) or None),
        "IdentityValidationExpression": said.get("identityValidationExpression"),
        "AuthorizerUri": invocation_uri(target_arn(draft, own) if own else said["arn"]),
    }
