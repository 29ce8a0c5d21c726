"""Authorizers of the HTTP API: `provider.httpApi.authorizers`, and those that its routes ask for.

What cannot be known before a deployment closes a route here rather than opening it, and `check` says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bareboat.service.api import Authorizer, IamAuthorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.authorizer_functions import Surroundings, function_of_arn, named_function, sources_of
from bareboat.service.intrinsics import text_of
from bareboat.service.jwks import Jwks
from bareboat.service.keys.apis import AuthorizerKeys
from bareboat.service.keys.events import HttpApiAuthorizerRef
from bareboat.service.nodes import Node
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

_SOURCE = re.compile(r"\$(request\.(header|querystring)|context|stageVariables)\.\S")
SOURCE = "$request.header.Authorization"  # what Serverless's guide "HTTP API" has


def http_authorizers(
    keys: Mapping[str, AuthorizerKeys], node: Node, around: Surroundings, report: Report
) -> dict[str, Authorizer]:
    """Return `provider.httpApi.authorizers` by name."""
    found: dict[str, Authorizer] = {}
    for name, each in keys.items():
        child = node.value[name]
        if each is None or not child.is_mapping:
            report.problems.add(
                node.key_place(name), f"provider.httpApi.authorizers.{name} is empty", expected="a type"
            )
            continue
        path = f"provider.httpApi.authorizers.{name}"
        if each.type == "request":
            found[name] = _http_lambda(name, each, child, path, around, report)
        else:
            found[name] = _jwt(name, each, child, path, around, report)
    return found


def _jwt(name: str, keys: AuthorizerKeys, node: Node, path: str, around: Surroundings, report: Report) -> JwtAuthorizer:
    local = around.jwks.get(name, Jwks(""))
    issuer = local.issuer or _text(keys.issuer_url, node.get("issuerUrl"), f"{path}.issuerUrl", around, report)
    said = keys.audience if isinstance(keys.audience, list) else [keys.audience] if keys.audience else []
    children = _entries(node.get("audience"))
    audience = local.audience or tuple(
        _text(each, child, f"{path}.audience", around, report) for each, child in zip(said, children, strict=False)
    )
    missing = [
        key
        for key, value in (("issuerUrl", issuer), ("audience", audience))
        if not value and not _has_problem(node, key)
    ]
    if missing and (keys.type or node.get("type") is None):  # a wrong type is a problem of its own
        report.problems.add(
            node.place,
            f"{path} has no {' and no '.join(missing)}",
            expected="issuerUrl and audience of the tokens that it takes",
        )
    if issuer and not local.issuer and not _is_address(issuer):
        report.problems.add(
            (node.get("issuerUrl") or node).place,
            f"{path}.issuerUrl is '{issuer}'",
            expected="the address of an issuer, such as https://issuer.example",
        )
    sources = sources_of(keys.identity_source)
    _check_sources(sources, node.get("identitySource") or node, f"{path}.identitySource", report)
    return JwtAuthorizer(
        name=name,
        where=node.place,
        issuer=issuer,
        audience=audience,
        identity_source=sources[0] if sources else SOURCE,
        jwks=local.source,
    )


def _is_address(text: str) -> bool:
    return "${" in text or re.match(r"https?://[^/\s]", text) is not None


def _check_sources(sources: tuple[str, ...], node: Node, path: str, report: Report) -> None:
    for source in sources:
        if _SOURCE.match(source) is None and "${" not in source:
            report.problems.add(
                node.place,
                f"{path} has '{source}'",
                expected="$request.header.NAME, $request.querystring.NAME, $context.NAME or $stageVariables.NAME",
            )


def _text(value: Any, node: Node | None, path: str, around: Surroundings, report: Report) -> str:
    if value is None:
        return ""
    text, whole = text_of(value, around.pseudo)
    if not whole or (node is not None and node.state == "pending"):
        report.warn(
            f"{path} is known only after a deployment; locally a token needs '{text}', or what "
            "custom.bareboat.jwks says in its place",
            node.place if node is not None else None,
        )
    return text


def _has_problem(node: Node, key: str) -> bool:
    child = node.get(key)
    return child is not None and child.state != ""


def _entries(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def _http_lambda(
    name: str, keys: AuthorizerKeys, node: Node, path: str, around: Surroundings, report: Report
) -> LambdaAuthorizer:
    given = [key for key in ("functionName", "functionArn") if node.get(key) is not None]
    if len(given) != 1:
        report.problems.add(
            node.place,
            f"{path} has {' and '.join(given) or 'no function'}",
            expected="functionName, or functionArn",
        )
    function, arn = "", ""
    if keys.function_name:
        function = named_function(keys.function_name, node.get("functionName") or node, path, around, report)
    elif keys.function_arn:
        function, arn = function_of_arn(keys.function_arn, node.get("functionArn") or node, path, around, report)
    sources = sources_of(keys.identity_source)
    _check_sources(sources, node.get("identitySource") or node, f"{path}.identitySource", report)
    ttl_s = keys.result_ttl_in_seconds or 0
    if ttl_s and not sources:
        report.problems.add(
            (node.get("resultTtlInSeconds") or node).place,
            f"{path} keeps answers for {ttl_s} s and has no identitySource to keep them by",
            expected="identitySource, such as $request.header.Authorization",
        )
    payload = keys.payload_version or "2.0"
    if keys.enable_simple_responses and payload == "1.0":
        report.problems.add(
            (node.get("enableSimpleResponses") or node).place,
            f"{path} has simple responses with the payload 1.0",
            expected="payloadVersion: '2.0'",
        )
    return LambdaAuthorizer(
        name=name,
        where=node.place,
        function=function,
        arn=arn,
        payload=payload,
        simple=bool(keys.enable_simple_responses),
        identity_sources=sources,
        ttl_s=ttl_s,
    )


def http_route_authorizer(
    said: str | HttpApiAuthorizerRef | None,
    node: Node | None,
    route: str,
    authorizers: Mapping[str, Authorizer],
    report: Report,
) -> tuple[Authorizer | None, tuple[str, ...]]:
    """Return the authorizer that a route of the HTTP API asks for, and the scopes.

    Args:
        said: the checked value of `authorizer`; None for none, and after a problem.
        route: such as `GET /items`.
    """
    if said is None or node is None:
        return None, ()
    if isinstance(said, str):
        return _by_name(said, node, route, authorizers, report), ()
    scopes = tuple(said.scopes or ())
    if said.type == "aws_iam":
        if said.name or said.id or scopes:
            report.problems.add(
                node.place, f"the authorizer of {route} is aws_iam and more", expected="type: aws_iam alone"
            )
        return IamAuthorizer(node.place), ()
    if said.id:
        report.warn(
            f"{route}: the authorizer {text_of(said.id, {})[0]} is not of this file and is not asked locally; the "
            "route is closed to everybody",
            node.place,
        )
        return LambdaAuthorizer(name=text_of(said.id, {})[0], where=node.place), scopes
    if not said.name:
        if not node.state:
            report.problems.add(
                node.place, f"the authorizer of {route} has no name", expected="name, or id, or type: aws_iam"
            )
        return None, ()
    found = _by_name(said.name, node.get("name") or node, route, authorizers, report)
    if scopes and found is not None and not isinstance(found, JwtAuthorizer):
        report.problems.add(
            (node.get("scopes") or node).place,
            f"{route} asks for scopes, and its authorizer {said.name} is a function",
            expected="scopes only with a JWT authorizer",
            fix="take out scopes, and let the function look at them",
        )
    return found, scopes


def _by_name(
    name: str, node: Node, route: str, authorizers: Mapping[str, Authorizer], report: Report
) -> Authorizer | None:
    if name not in authorizers and not node.state:
        near = nearest(name, authorizers)
        names = f": {listed(authorizers)}" if authorizers else ""
        report.problems.add(
            node.place,
            f"{route} asks for the authorizer '{name}'",
            expected=f"a name under provider.httpApi.authorizers{names}",
            fix=f"write {near}" if near else "",
        )
    return authorizers.get(name)
