"""Authorizers of `http` events: functions, Cognito user pools, IAM."""

from __future__ import annotations

from typing import Any, Literal

from bareboat.service.api import Authorizer, IamAuthorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.authorizer_functions import Surroundings, function_of_arn, named_function, sources_of
from bareboat.service.intrinsics import text_of
from bareboat.service.jwks import Jwks
from bareboat.service.keys.apis import HttpAuthorizerKeys
from bareboat.service.nodes import Node
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

# Serverless Framework, guide "REST API"; API Gateway developer guide
SOURCE = "method.request.header.Authorization"
TTL_S = 300
_KINDS = ("token", "request", "cognito_user_pools", "aws_iam")
_COGNITO = "cognito_user_pools"


def rest_authorizer(
    said: str | HttpAuthorizerKeys, node: Node, route: str, around: Surroundings, report: Report
) -> tuple[Authorizer | None, tuple[str, ...]]:
    """Return the authorizer of a method of the REST API, and the scopes."""
    path = f"the authorizer of {route}"
    if isinstance(said, str):
        if not said:
            report.problems.add(node.place, f"{path} is empty", expected="a function, an ARN, or no authorizer at all")
            return None, ()
        if said.lower() == "aws_iam":
            return IamAuthorizer(node.place), ()
        keys = HttpAuthorizerKeys()
        if ":" in said or node.state:
            keys.arn = said
        else:
            keys.name = said
    else:
        keys = said
    kind = (keys.type or "").lower()
    kind = "request" if kind == "custom" else kind
    if kind and kind not in _KINDS:
        near = nearest(kind, _KINDS)
        report.problems.add(
            (node.get("type") or node).place,
            f"{path} has the type '{keys.type}'",
            expected=f"one of {listed(_KINDS)}",
            fix=f"write {near}" if near else "",
        )
        return None, ()
    if kind == "aws_iam":
        return IamAuthorizer(node.place), ()
    if keys.type and keys.authorizer_id:
        report.warn(
            f"{route}: the authorizer {text_of(keys.authorizer_id, {})[0]} is not of this file and is not asked "
            "locally; the method is closed to everybody",
            node.place,
        )
        return LambdaAuthorizer(text_of(keys.authorizer_id, {})[0], node.place, payload="1.0"), ()
    if keys.arn and (kind == _COGNITO or _is_pool(keys.arn)):
        return _cognito(keys, node, path, around, report), _scopes(keys, around)
    if kind == _COGNITO:
        report.problems.add(node.place, f"{path} has no arn", expected="arn of a Cognito user pool")
        return None, ()
    if keys.scopes:
        report.warn(
            f"{route}: scopes have a meaning with a Cognito user pool alone; a function looks at them itself",
            (node.get("scopes") or node).place,
        )
    return _rest_lambda(keys, node, path, kind, around, report), ()


def _is_pool(arn: Any) -> bool:
    return isinstance(arn, str) and arn.startswith("arn:") and ":cognito-idp:" in arn


def _scopes(keys: HttpAuthorizerKeys, around: Surroundings) -> tuple[str, ...]:
    return tuple(text_of(scope, around.pseudo)[0] for scope in keys.scopes or ())


def _cognito(
    keys: HttpAuthorizerKeys, node: Node, path: str, around: Surroundings, report: Report
) -> JwtAuthorizer | None:
    arn, whole = text_of(keys.arn, around.pseudo)
    name = keys.name or arn.rsplit(":", 1)[-1].rsplit("-", 1)[-1]
    if not keys.name and not isinstance(keys.arn, str):
        report.problems.add(node.place, f"{path} has no name", expected="name, beside an arn that is CloudFormation")
    local = around.jwks.get(name, Jwks(""))
    region, pool = around.pseudo.get("AWS::Region", ""), arn
    if whole and ":userpool/" in arn:
        region, pool = arn.split(":")[3], arn.rpartition("/")[2]
    elif not local.issuer:
        pool = arn.replace(".Arn}", "}").rpartition("/")[2]
        report.warn(
            f"{path}: {arn} is known only after a deployment; locally a token needs the issuer of '{pool}', or what "
            f"custom.bareboat.jwks.{name} says in its place",
            (node.get("arn") or node).place,
        )
    if keys.claims:
        report.warn(f"{path}: claims are picked by the lambda integration alone", (node.get("claims") or node).place)
    return JwtAuthorizer(
        name=name,
        where=node.place,
        issuer=local.issuer or f"https://cognito-idp.{region}.amazonaws.com/{pool}",
        audience=local.audience,
        identity_source=keys.identity_source or SOURCE,
        cognito=True,
        jwks=local.source,
    )


def _rest_lambda(
    keys: HttpAuthorizerKeys, node: Node, path: str, kind: str, around: Surroundings, report: Report
) -> LambdaAuthorizer | None:
    if keys.arn:
        function, arn = function_of_arn(keys.arn, node.get("arn") or node, path, around, report)
        name = keys.name or arn.rsplit(":", 1)[-1].rsplit("-", 1)[-1]
    elif keys.name:
        function, arn = named_function(keys.name, node.get("name") or node, path, around, report), ""
        name = keys.name
    else:
        broken = [child for key in ("name", "arn") if (child := node.get(key)) is not None and child.state]
        if not node.state and not broken:
            report.problems.add(node.place, f"{path} has neither name nor arn", expected="a function's name, or an arn")
        return None
    ttl_s = TTL_S if keys.result_ttl_in_seconds is None else keys.result_ttl_in_seconds
    how: Literal["token", "request"] = "request" if kind == "request" else "token"
    sources = sources_of(keys.identity_source)
    if not sources and not (how == "request" and ttl_s == 0):
        sources = (SOURCE,)
    if how == "token" and len(sources) > 1:
        report.problems.add(
            (node.get("identitySource") or node).place,
            f"{path} is a token authorizer with {len(sources)} identity sources",
            expected="one header",
            fix="write type: request",
        )
    if how == "request" and keys.identity_validation_expression:
        report.warn(f"{path}: identityValidationExpression has a meaning for tokens alone", node.place)
    return LambdaAuthorizer(
        name=name,
        where=node.place,
        function=function,
        arn=arn,
        kind=how,
        payload="1.0",
        identity_sources=sources,
        ttl_s=ttl_s,
        pattern=keys.identity_validation_expression or "" if how == "token" else "",
    )
