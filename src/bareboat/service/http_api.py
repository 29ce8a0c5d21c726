"""`provider.httpApi` -> HttpApi: CORS, payload, authorizers."""

from __future__ import annotations

from dataclasses import replace

from bareboat.service.api import Authorizer, Cors, HttpApi, JwtAuthorizer
from bareboat.service.authorizer_functions import Surroundings
from bareboat.service.authorizers import http_authorizers
from bareboat.service.keys.apis import CorsKeys, ProviderHttpApiKeys
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report
from bareboat.service.routes import CORS_HEADERS
from bareboat.service.stages import Stage
from bareboat.service.triggers import HttpApiEvent

PATH = "provider.httpApi"
# lib/plugins/aws/package/compile/events/http-api.js
CORS_ANY = ("GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE")
_OPTIONS = (
    "authorizers",
    "description",
    "id",
    "metrics",
    "name",
    "shouldStartNameWithService",
    "timeout",
    "useProviderTags",
)


def http_api_of(keys: ProviderHttpApiKeys | None, node: Node | None, around: Surroundings, report: Report) -> HttpApi:
    """Return the HTTP API; its stage and CORS methods are filled in once the routes are known."""
    if keys is None or node is None:
        report.value(f"{PATH}.payload", "2.0", "default")
        return HttpApi()
    report.value(f"{PATH}.payload", keys.payload or "2.0", node.get("payload") or "default")
    listed = node.get("authorizers")
    authorizers: dict[str, Authorizer] = {}
    if keys.authorizers and listed is not None and listed.is_mapping:
        authorizers = http_authorizers(keys.authorizers, listed, around, report)
    for each in authorizers.values():
        if isinstance(each, JwtAuthorizer):
            report.value(f"{PATH}.authorizers.{each.name}.issuerUrl", each.issuer, str(each.where))
            report.value(f"{PATH}.authorizers.{each.name}.audience", list(each.audience), str(each.where))
        else:
            function = getattr(each, "function", "") or getattr(each, "arn", "")
            report.value(f"{PATH}.authorizers.{each.name}.functionName", function, str(each.where))
    return HttpApi(
        cors=_cors(keys.cors),
        payload=keys.payload or "2.0",
        authorizers=authorizers,
        disabled=bool(keys.disable_default_endpoint),
        options={key: plain(child) for key, child in node.items() if key in _OPTIONS and child.value is not None},
    )


def _cors(keys: bool | CorsKeys | None) -> Cors | None:
    """Return the CORS rules; methods that are not given are filled in from the routes by `with_routes`."""
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


def with_routes(api: HttpApi, routes: list[HttpApiEvent], stage: Stage) -> HttpApi:
    """Return the API with its stage, and CORS methods of the routes, OPTIONS first, where the file names none."""
    cors = api.cors
    if cors is not None and not cors.allowed_methods:
        methods = ["OPTIONS"]
        for route in routes:
            methods += CORS_ANY if route.method == "*" else (route.method,)
        cors = replace(cors, allowed_methods=tuple(dict.fromkeys(methods)))
    return replace(
        api,
        cors=cors,
        stage_variables=stage.variables,
        throttle=stage.limits.stage,
        throttles=dict(stage.limits.routes),
    )


def check_cors(cors: Cors | None, node: Node | None, path: str, report: Report) -> None:
    """Note what API Gateway refuses: credentials together with any origin."""
    if cors is not None and node is not None and cors.allow_credentials and "*" in cors.allowed_origins:
        report.problems.add(
            node.place,
            f"{path} allows credentials for any origin",
            expected="allowedOrigins with the origins by name, as API Gateway asks",
        )


def show_cors(cors: Cors | None, node: Node | None, path: str, report: Report) -> None:
    """Add the effective CORS rules to the values."""
    if cors is None or node is None:
        return
    report.value(f"{path}.allowedOrigins", list(cors.allowed_origins), node)
    report.value(f"{path}.allowedMethods", list(cors.allowed_methods), node)
    report.value(f"{path}.allowedHeaders", list(cors.allowed_headers), node)
    if cors.exposed_headers:
        report.value(f"{path}.exposedResponseHeaders", list(cors.exposed_headers), node)
    report.value(f"{path}.allowCredentials", cors.allow_credentials, node)
    if cors.max_age_s is not None:
        report.value(f"{path}.maxAge", cors.max_age_s, node)
