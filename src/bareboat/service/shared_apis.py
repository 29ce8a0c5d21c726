"""APIs that another stack makes (`httpApi.id`, `restApiId`), and private ones: what cannot be said of them."""

from __future__ import annotations

from collections.abc import Iterable

from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report
from bareboat.service.triggers import HttpApiEvent


def check_apis(provider: Node, routes: Iterable[HttpApiEvent], report: Report) -> None:
    """Note what CloudFormation could not do, as Serverless does.

    Args:
        provider: the node of `provider`.
    """
    _check_http(provider, routes, report)
    _check_rest(provider, report)
    kind, endpoints = provider.get("endpointType"), provider.get("vpcEndpointIds")
    said = str(kind.value).upper() if kind is not None else "EDGE"
    if kind is not None and not kind.state and said not in ("EDGE", "REGIONAL", "PRIVATE"):
        report.problems.add(
            kind.place, f"provider.endpointType is {plain(kind)}", expected="edge, regional, or private"
        )
    if endpoints is not None and said != "PRIVATE":
        report.problems.add(
            endpoints.place,
            "provider.vpcEndpointIds is for private APIs",
            expected="endpointType: private",
            fix="add it, or take out vpcEndpointIds",
        )


def _check_http(provider: Node, routes: Iterable[HttpApiEvent], report: Report) -> None:
    shared = provider.get("httpApi", "id") is not None
    if shared:
        _refuse(
            provider,
            (("httpApi", "cors"), ("httpApi", "authorizers"), ("logs", "httpApi")),
            "provider.httpApi.id names an HTTP API that another stack makes",
            report,
        )
        return
    for route in routes:
        said = route.options.get("authorizer")
        if isinstance(said, dict) and said.get("id"):
            report.problems.add(
                route.where,
                f"the authorizer of {route.route_key} has an id, and the HTTP API is this stack's own",
                expected="name of one of provider.httpApi.authorizers; an id only with provider.httpApi.id",
            )


def _check_rest(provider: Node, report: Report) -> None:
    node = provider.get("apiGateway", "restApiId")
    if node is None:
        return
    if provider.get("apiGateway", "restApiRootResourceId") is None:
        report.problems.add(
            node.place,
            "provider.apiGateway has restApiId and no restApiRootResourceId",
            expected="both: paths hang on the root resource of the shared API",
        )
    _refuse(
        provider,
        (("tracing", "apiGateway"), ("logs", "restApi")),
        "provider.apiGateway.restApiId names a REST API that another stack makes",
        report,
    )


def _refuse(provider: Node, paths: Iterable[tuple[str, str]], why: str, report: Report) -> None:
    for outer, inner in paths:
        node = provider.get(outer, inner)
        if node is not None and node.value is not False:
            report.problems.add(
                node.place,
                f"provider.{outer}.{inner} has no effect: {why}",
                expected=f"{inner} where that API is made",
                fix=f"take out {outer}.{inner}",
            )
