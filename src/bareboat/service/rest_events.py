"""`http` events -> HttpEvent: methods of the REST API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple, cast

from bareboat.service.api import Authorizer, RestCors, Schema, Throttle
from bareboat.service.authorizer_functions import Surroundings
from bareboat.service.keys.apis import HttpCorsKeys
from bareboat.service.keys.events import HttpKeys
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report
from bareboat.service.request_rules import rules_of
from bareboat.service.rest_authorizers import rest_authorizer
from bareboat.service.routes import CORS_HEADERS, METHODS
from bareboat.service.stages import throttle_of_plugin
from bareboat.service.triggers import HttpEvent

Integration = Literal["AWS_PROXY", "AWS", "HTTP_PROXY", "HTTP", "MOCK"]

TIMEOUT_S = 29.0  # API Gateway's own limit, and Serverless's default
# Serverless Framework, lib/plugins/aws/package/compile/events/api-gateway/lib/validate.js
CORS_ANY = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_INTEGRATIONS: dict[str, Integration] = {
    "LAMBDA_PROXY": "AWS_PROXY",
    "AWS_PROXY": "AWS_PROXY",
    "LAMBDA": "AWS",
    "AWS": "AWS",
    "HTTP": "HTTP",
    "HTTP_PROXY": "HTTP_PROXY",
    "MOCK": "MOCK",
}
_READ = ("path", "method", "private", "async", "integration", "throttling")


class RestSurroundings(NamedTuple):
    """What methods are read against.

    Args:
        around: of authorizers.
        schemas: of the API, by name.
        timeout_s: of methods that do not say otherwise.
        throttle: of the stage, as the plugin has it.
    """

    around: Surroundings
    schemas: Mapping[str, Schema]
    timeout_s: float = TIMEOUT_S
    throttle: Throttle | None = None


def rest_event(
    method: str, route: str, keys: HttpKeys | str, node: Node, path: str, rest: RestSurroundings, report: Report
) -> HttpEvent:
    """Return a method of the REST API.

    Args:
        method: upper case, "*" for any.
        route: the resource's path, with its slash.
        keys: the checked mapping, or the short form.
        path: `functions.NAME.events[0].http`.
    """
    event = HttpEvent(method, route, node.place, timeout_s=rest.timeout_s)
    if isinstance(keys, str):
        return event
    integration = _integration(keys, node, path, event.route_key, report)
    authorizer: Authorizer | None = None
    scopes: tuple[str, ...] = ()
    said, child = keys.authorizer, node.get("authorizer")
    if said is not None and child is not None:
        authorizer, scopes = rest_authorizer(said, child, f"http {event.route_key}", rest.around, report)
    if node.get("response") is not None and integration == "AWS_PROXY":
        report.warn(
            f"{path}.response has no meaning with the integration lambda-proxy, on AWS as here",
            node.key_place("response"),
        )
    timeout_s = keys.timeout_in_millis / 1000 if keys.timeout_in_millis is not None else rest.timeout_s
    return replace(
        event,
        cors=_cors(keys.cors, node.get("cors"), method, path, report),
        authorizer=authorizer,
        scopes=scopes,
        private=bool(keys.private),
        rules=rules_of(keys.request, node.get("request"), f"{path}.request", rest.schemas, integration, report),
        throttle=throttle_of_plugin(keys.throttling, rest.throttle),
        asynchronous=bool(keys.async_),
        integration=integration,
        timeout_s=timeout_s,
        options={key: plain(each) for key, each in node.items() if key not in _READ and each.value is not None},
    )


def _integration(keys: HttpKeys, node: Node, path: str, route: str, report: Report) -> Integration:
    if not keys.integration:
        found: Integration = "AWS" if keys.async_ else "AWS_PROXY"  # `async: true` alone is Serverless's lambda
        return found
    name = keys.integration.upper().replace("-", "_")
    if name not in _INTEGRATIONS:
        names = [known.lower().replace("_", "-") for known in _INTEGRATIONS]
        near = nearest(keys.integration, names)
        report.problems.add(
            (node.get("integration") or node).place,
            f"{path}.integration is '{keys.integration}'",
            expected=f"one of {listed(names)}",
            fix=f"write {near}" if near else "",
        )
        return "AWS_PROXY"
    found = _INTEGRATIONS[name]
    request = node.get("request")
    if found in ("HTTP", "HTTP_PROXY"):
        _check_address(node, path, report)
    templates = node.get("response") or (request and (request.get("template") or request.get("passThrough")))
    if found != "AWS_PROXY" and (found != "AWS" or templates):
        report.warn(
            f"{path}: the integration {keys.integration.lower()} of {route} is not served locally"
            f"{' with templates of its own' if found == 'AWS' else ''}; its requests are answered 501",
            (node.get("integration") or node).place,
        )
    return found


def _check_address(node: Node, path: str, report: Report) -> None:
    """Note an integration with another server that does not say where it is."""
    if node.get("request", "uri") is None:
        report.problems.add(
            node.place, f"{path} has the integration {plain(node)['integration']} and no request.uri", expected="one"
        )
    link = node.get("connectionType")
    if link is not None and str(link.value).upper().replace("-", "_") == "VPC_LINK" and not node.get("connectionId"):
        report.problems.add(link.place, f"{path} has connectionType and no connectionId", expected="the VPC link's id")


def _cors(
    said: bool | HttpCorsKeys | None, node: Node | None, method: str, path: str, report: Report
) -> RestCors | None:
    if not said or node is None:
        return None
    own = "ANY" if method == "*" else method
    if said is True:
        return RestCors(methods=_spelt(("OPTIONS", own)), headers=CORS_HEADERS)
    assert isinstance(said, HttpCorsKeys)
    for name in said.methods or ():
        if name.upper() not in METHODS:
            near = nearest(name.upper(), METHODS)
            report.problems.add(
                (node.get("methods") or node).place,
                f"{path}.cors.methods has '{name}'",
                expected=f"one of {listed(METHODS)}",
                fix=f"write {near}" if near else "",
            )
    if said.origin and said.origins:
        report.warn(f"{path}.cors has origin and origins; origins win", node.key_place("origin"))
    origins = tuple(said.origins or ()) or tuple(part.strip() for part in (said.origin or "*").split(","))
    if said.allow_credentials and "*" in origins:
        report.warn(
            f"{path}.cors allows credentials for any origin, which browsers refuse: name the origins", node.place
        )
    methods = tuple(said.methods) if said.methods is not None else ("OPTIONS",)
    return RestCors(
        origins=origins,
        methods=_spelt(tuple(dict.fromkeys((*methods, "OPTIONS", own)))),
        headers=tuple(said.headers or CORS_HEADERS),
        allow_credentials=bool(said.allow_credentials),
        max_age_s=said.max_age,
        cache_control=said.cache_control or "",
    )


def _spelt(methods: Iterable[str]) -> tuple[str, ...]:
    spelt: list[str] = []
    for method in methods:
        spelt += CORS_ANY if method in ("ANY", "*") else (method,)
    return tuple(dict.fromkeys(spelt))


def with_shared_cors(events: list[HttpEvent]) -> dict[int, HttpEvent]:
    """Return the events whose resource several methods give CORS, by their place in the list, with all of it.

    One resource has one OPTIONS method: Serverless joins what its methods say, the last of them first.
    """
    by_path: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        if event.cors is not None:
            by_path.setdefault(event.path.rstrip("/"), []).append(index)
    joined: dict[int, HttpEvent] = {}
    for indices in by_path.values():
        if len(indices) < 2:
            continue
        cors = _joined([cast("RestCors", events[index].cors) for index in indices])
        for index in indices:
            joined[index] = replace(events[index], cors=cors)
    return joined


def _joined(all_cors: list[RestCors]) -> RestCors:
    latest = all_cors[::-1]
    named = _union(each.origins for each in latest if each.origins != ("*",))
    return RestCors(
        origins=named or ("*",),
        methods=_union(each.methods for each in latest),
        headers=_union(each.headers for each in latest),
        allow_credentials=any(each.allow_credentials for each in latest),
        max_age_s=next((each.max_age_s for each in latest if each.max_age_s), None),
        cache_control=next((each.cache_control for each in latest if each.cache_control), ""),
    )


def _union(lists: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(each for one in lists for each in one))
