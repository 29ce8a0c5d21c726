"""`provider.apiGateway`, its older forms, and what `resources` adds -> RestApi."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from bareboat.service.api import RestApi, Schema, UsagePlan
from bareboat.service.api_keys import check_plans, keys_of, plans_of
from bareboat.service.check import Checker
from bareboat.service.gateway_responses import binary_types_of, responses_of
from bareboat.service.keys.apis import ApiGatewayKeys
from bareboat.service.keys.provider import ProviderKeys
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import nearest
from bareboat.service.report import Report
from bareboat.service.request_rules import schemas_of
from bareboat.service.rest_events import TIMEOUT_S
from bareboat.service.stages import Stage
from bareboat.service.triggers import HttpEvent

PATH = "provider.apiGateway"
_OPTIONS = (
    "binaryMediaTypes",
    "description",
    "endpoint",
    "metrics",
    "request",
    "restApiId",
    "restApiResources",
    "restApiRootResourceId",
    "shouldStartNameWithService",
    "stage",
    "websocketApiId",
    "timeoutInMillis",
)


def rest_api_of(keys: ProviderKeys, tree: Node, checker: Checker, report: Report) -> RestApi:
    """Return the REST API; its stage is filled in by `with_stage` once the methods are known."""
    provider = tree.get("provider") or Node({}, tree.place)
    api = keys.api_gateway or ApiGatewayKeys()
    node = provider.get("apiGateway") or Node({}, provider.place)
    plans_node, plans_path = _older(provider, node, "usagePlan", report)
    plans = plans_of(api.usage_plan or keys.usage_plan, plans_node, plans_path, report)
    keys_node, keys_path = _older(provider, node, "apiKeys", report)
    known = keys_of(keys_node, keys_path, plans, checker, report) if api.api_keys or keys.api_keys else ()
    if known and not plans and keys_node is not None:
        plans = (UsagePlan("", keys_node.place),)  # Serverless makes one without limits
    check_plans(known, plans, report)
    types = tuple(api.binary_media_types) if isinstance(api.binary_media_types, list) else ()
    for text in types:
        if "/" not in text:
            report.problems.add(
                (node.get("binaryMediaTypes") or node).place,
                f"{PATH}.binaryMediaTypes has '{text}'",
                expected="content types such as image/png, or */*",
            )
    _show(known, plans, types, keys_node, plans_node, node, report)
    return RestApi(
        keys=known,
        plans=plans,
        key_source=_key_source(api, node, report),
        binary_types=tuple(dict.fromkeys((*types, *binary_types_of(tree)))),
        compress_from_bytes=api.minimum_compression_size,
        responses=responses_of(tree, report),
        policy=_policy(provider, node, report),
        disabled=bool(api.disable_default_endpoint),
        options={key: plain(child) for key, child in node.items() if key in _OPTIONS and child.value is not None},
    )


def shared_schemas(keys: ProviderKeys, provider: Node, report: Report) -> dict[str, Schema]:
    """Return the schemas that methods may name."""
    request = keys.api_gateway.request if keys.api_gateway is not None else None
    if request is None or request.schemas is None:
        return {}
    return schemas_of(request.schemas, provider.get("apiGateway", "request", "schemas"), report)


def timeout_of(keys: ProviderKeys) -> float:
    """Return how long methods wait that do not say otherwise, in seconds."""
    millis = keys.api_gateway.timeout_in_millis if keys.api_gateway is not None else None
    return TIMEOUT_S if millis is None else millis / 1000


def with_stage(api: RestApi, stage: Stage) -> RestApi:
    """Return the API with variables and limits of its stage."""
    return replace(
        api, stage_variables=stage.variables, throttle=stage.limits.stage, throttles=dict(stage.limits.routes)
    )


def check_private(api: RestApi, events: list[HttpEvent], report: Report) -> None:
    """Warn of methods that need an API key where no key can open them, and of plans without such a method."""
    private = [event for event in events if event.private]
    open_keys = [key for key in api.keys if key.enabled]
    for event in private:
        if api.key_source == "AUTHORIZER" and event.authorizer is None:
            report.problems.add(
                event.where,
                f"http {event.route_key} is private, and the key comes from an authorizer, which it has none of",
                expected="an authorizer that answers usageIdentifierKey, or apiKeySourceType: HEADER",
            )
        elif not open_keys:
            report.warn(
                f"http {event.route_key} is private and there is no API key: every request is refused (403); "
                f"name one under {PATH}.apiKeys",
                event.where,
            )
    if api.plans and not private and events and api.keys:
        report.warn("no method is private: API keys and usage plans have no effect", api.plans[0].where)


def _older(provider: Node, node: Node, key: str, report: Report) -> tuple[Node | None, str]:
    """Return the node of a key that once stood right under provider, and its path."""
    new, old = node.get(key), provider.get(key)
    if new is not None and old is not None:
        report.problems.add(
            provider.key_place(key), f"provider.{key} and {PATH}.{key} are both there", expected=f"{PATH}.{key} alone"
        )
    if new is None and old is not None:
        report.info(f"provider.{key} is the older form of {PATH}.{key}; read as such", provider.key_place(key))
        return old, f"provider.{key}"
    return new, f"{PATH}.{key}"


def _key_source(api: ApiGatewayKeys, node: Node, report: Report) -> Literal["HEADER", "AUTHORIZER"]:
    said = (api.api_key_source_type or "HEADER").upper()
    if said == "AUTHORIZER":
        return "AUTHORIZER"
    if said == "HEADER":
        return "HEADER"
    near = nearest(said, ("HEADER", "AUTHORIZER"))
    report.problems.add(
        (node.get("apiKeySourceType") or node).place,
        f"{PATH}.apiKeySourceType is '{api.api_key_source_type}'",
        expected="HEADER or AUTHORIZER",
        fix=f"write {near}" if near else "",
    )
    return "HEADER"


def _policy(provider: Node, node: Node, report: Report) -> tuple[Any, ...]:
    """Return the statements of the resource policy; `check_policy` tells what they mean here."""
    found, _ = _older(provider, node, "resourcePolicy", report)
    if found is None:
        return ()
    said = plain(found)
    return tuple(said) if isinstance(said, list) else (said,)


def _show(
    known: tuple[Any, ...],
    plans: tuple[Any, ...],
    types: tuple[str, ...],
    keys_node: Node | None,
    plans_node: Node | None,
    node: Node,
    report: Report,
) -> None:
    if known and keys_node is not None:
        names = [key.name or f"(a value at line {key.where.line})" for key in known]
        report.value(f"{PATH}.apiKeys", names, keys_node)
    for plan in plans if plans_node is not None else ():
        label = f"{PATH}.usagePlan" + (f".{plan.name}" if plan.name else "")
        if plan.throttle:
            text = f"{plan.throttle.rate:g} a second, {plan.throttle.burst} at once"
            report.value(f"{label}.throttle", text, str(plan.where))
        if plan.quota:
            report.value(f"{label}.quota", f"{plan.quota.limit} a {plan.quota.period.lower()}", str(plan.where))
    if types:
        report.value(f"{PATH}.binaryMediaTypes", list(types), node.get("binaryMediaTypes") or "")
