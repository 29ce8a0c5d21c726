"""Authorizers of REST methods: functions, Cognito user pools, IAM."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
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
    """Add an authorizer once, and return its logical id."""
    logical_id = naming.rest_authorizer_id(authorizer.name)
    if not logical_id.isalnum():  # an ARN that is an intrinsic function gives no better name
        logical_id = naming.rest_authorizer_id(naming.alphanumeric(authorizer.name))
    if logical_id in draft.resources:
        return logical_id
    api = rest_api_id(draft)
    ttl = said.get("resultTtlInSeconds")
    whole = len(said) > 1 or "name" not in said
    properties = {
        "Name": authorizer.name,
        "RestApiId": api,
        "AuthorizerResultTtlInSeconds": ttl if ttl is not None else 300 if whole else None,
    }
    if isinstance(authorizer, JwtAuthorizer):
        properties.update(
            Type="COGNITO_USER_POOLS",
            ProviderARNs=[said["arn"]],
            IdentitySource=said.get("identitySource") or _SOURCE,
        )
        return draft.add(logical_id, "AWS::ApiGateway::Authorizer", without_nothing(properties))
    own = authorizer.function if "arn" not in said else ""
    properties.update(
        Type=authorizer.kind.upper(),
        IdentitySource=said.get("identitySource") or (", ".join(authorizer.identity_sources) or None),
        IdentityValidationExpression=said.get("identityValidationExpression"),
        AuthorizerUri=invocation_uri(target_arn(draft, own) if own else said["arn"]),
    )
    depends = target_depends(draft, own) if own else None
    draft.add(logical_id, "AWS::ApiGateway::Authorizer", without_nothing(properties), DependsOn=depends)
    if not said.get("managedExternally"):
        permission = naming.rest_permission_id(authorizer.name)
        if not permission.isalnum():
            permission = naming.rest_permission_id(naming.alphanumeric(authorizer.name))
        add_permission(draft, permission, execute_arn(api, "/*/*"), function=own, arn=said.get("arn"))
    return logical_id
