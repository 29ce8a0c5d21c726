"""`provider` -> Provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bareboat.service.api import Cors, HttpApi
from bareboat.service.check import Checker, known_keys
from bareboat.service.keys.provider import CorsKeys, ProviderHttpApiKeys, ProviderKeys, RoleKeys
from bareboat.service.model import Provider
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report
from bareboat.service.triggers import HttpApiEvent

# The Serverless Framework's headers for `cors: true`, lib/plugins/aws/package/compile/events/http-api.js
CORS_HEADERS = (
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
)
CORS_ANY = ("GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE")

_STAGE = re.compile(r"[A-Za-z0-9-]+\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d\Z")
_INHERITED = frozenset(
    [
        "name",
        "runtime",
        "stage",
        "region",
        "environment",
        "memorySize",
        "timeout",
        "architecture",
        "httpApi",
        "tags",
        "stackName",
        "layers",
    ]
)
NO_MEANING: dict[str, str] = {
    "lambdaHashingVersion": "artifacts are named by their SHA-256",
    "variableSyntax": "${AWS::Region} and the like are left alone without it",
    "useCloudFormation": "deployments always go through CloudFormation",
}


def check_name(node: Node, report: Report) -> None:
    """Note a provider that is not AWS."""
    name = node.get("name")
    if name is None:
        report.problems.add(node.place, "provider has no name", expected="name: aws", fix="add name: aws")
    elif name.value != "aws" and not name.state:
        report.problems.add(name.place, f"provider.name is '{name.value}'", expected="aws; bareboat knows no other")


def provider_of(
    keys: ProviderKeys,
    node: Node,
    service: str,
    flags: Mapping[str, tuple[str, str]],
    checker: Checker,
    report: Report,
) -> Provider:
    """Return the provider with defaults filled in.

    Args:
        flags: `stage` and `region` as given outside the file, each with its origin.
    """
    stage, stage_origin = _setting("stage", keys.stage, "dev", node, flags)
    region, region_origin = _setting("region", keys.region, "us-east-1", node, flags)
    stage_node, region_node = node.get("stage"), node.get("region")
    if not _STAGE.match(stage) and not (stage_node and stage_node.state):
        report.problems.add(_place_or(stage_origin), f"the stage is '{stage}'", expected="letters, digits and '-'")
    if not _REGION.match(region) and not (region_node and region_node.state):
        report.problems.add(
            _place_or(region_origin), f"the region is '{region}'", expected="an AWS region such as us-east-1"
        )
    report.value("provider.stage", stage, stage_origin)
    report.value("provider.region", region, region_origin)
    for name, what in NO_MEANING.items():
        if node.get(name) is not None:
            report.info(f"provider.{name} has no meaning here: {what}", node.key_place(name))
    _check_role(node, checker)
    stack = keys.stack_name or f"{service}-{stage}"
    report.value("provider.stackName", stack, node.get("stackName") or "default")
    api = _http_api(keys.http_api, node.get("httpApi"), report)
    options = {key: plain(child) for key, child in node.items() if key not in _INHERITED and child.value is not None}
    return Provider(stage, region, keys.runtime or "", stack, api, tags=dict(keys.tags or {}), options=options)


def _setting(
    name: str, written: str | None, default: str, node: Node, flags: Mapping[str, tuple[str, str]]
) -> tuple[str, Node | str]:
    if name in flags:
        return flags[name]
    child = node.get(name)
    if written is None or child is None:
        return default, "default"
    return written, child


def _place_or(origin: Node | str) -> Any:
    return origin if isinstance(origin, str) else origin.place


def _check_role(node: Node, checker: Checker) -> None:
    role = node.get("iam", "role")
    if role is not None and role.is_mapping and not any(key == "Ref" or key.startswith("Fn::") for key in role.value):
        checker.keys(role, RoleKeys, "provider.iam.role")


def _http_api(keys: ProviderHttpApiKeys | None, node: Node | None, report: Report) -> HttpApi:
    if keys is None or node is None:
        report.value("provider.httpApi.payload", "2.0", "default")
        return HttpApi()
    report.value("provider.httpApi.payload", keys.payload or "2.0", node.get("payload") or "default")
    known = known_keys(ProviderHttpApiKeys)
    options = {key: plain(child) for key, child in node.items() if key not in ("cors", "payload") and key in known}
    return HttpApi(_cors(keys.cors), keys.payload or "2.0", options=options)


def _cors(keys: bool | CorsKeys | None) -> Cors | None:
    """Return the CORS rules; methods that are not given are filled in from the routes by `with_methods`."""
    if not keys:
        return None
    if keys is True:
        return Cors(allowed_headers=CORS_HEADERS)
    return Cors(
        allowed_origins=tuple(keys.allowed_origins or ("*",)),
        allowed_methods=tuple(keys.allowed_methods or ()),
        allowed_headers=tuple(keys.allowed_headers or CORS_HEADERS),
        exposed_headers=tuple(keys.exposed_response_headers or ()),
        allow_credentials=bool(keys.allow_credentials),
        max_age_s=keys.max_age,
    )


def with_methods(provider: Provider, routes: list[HttpApiEvent]) -> Provider:
    """Return the provider with CORS methods taken from the routes, OPTIONS first, where the file names none."""
    cors = provider.http_api.cors
    if cors is None or cors.allowed_methods:
        return provider
    methods = ["OPTIONS"]
    for route in routes:
        methods += CORS_ANY if route.method == "*" else (route.method,)
    from dataclasses import replace

    filled = replace(cors, allowed_methods=tuple(dict.fromkeys(methods)))
    return replace(provider, http_api=replace(provider.http_api, cors=filled))


def check_cors(provider: Provider, node: Node, report: Report) -> None:
    """Note what API Gateway refuses: credentials together with any origin."""
    cors, place = provider.http_api.cors, node.get("httpApi", "cors")
    if cors is not None and place is not None and cors.allow_credentials and "*" in cors.allowed_origins:
        report.problems.add(
            place.place,
            "provider.httpApi.cors allows credentials for any origin",
            expected="allowedOrigins with the origins by name, as API Gateway asks",
        )


def show_cors(provider: Provider, node: Node, report: Report) -> None:
    """Add the effective CORS rules to the values."""
    cors, child = provider.http_api.cors, node.get("httpApi", "cors")
    if cors is not None and child is not None:
        report.value("provider.httpApi.cors.allowedOrigins", list(cors.allowed_origins), child)
        report.value("provider.httpApi.cors.allowedMethods", list(cors.allowed_methods), child)
        report.value("provider.httpApi.cors.allowedHeaders", list(cors.allowed_headers), child)
        if cors.exposed_headers:
            report.value("provider.httpApi.cors.exposedResponseHeaders", list(cors.exposed_headers), child)
        report.value("provider.httpApi.cors.allowCredentials", cors.allow_credentials, child)
        if cors.max_age_s is not None:
            report.value("provider.httpApi.cors.maxAge", cors.max_age_s, child)
