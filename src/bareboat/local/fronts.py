"""A service -> which doors it has, and what stands behind each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.local.access import HttpApiAccess, RestAccess, Settings
from bareboat.local.access.settings import secrets_of
from bareboat.local.access.url import UrlAccess
from bareboat.local.access.usage import FILE as QUOTAS
from bareboat.local.access.usage import Usage
from bareboat.local.addresses import api_id, is_loopback
from bareboat.local.gateway import Api, HttpApiGateway, Route, RouteTable
from bareboat.local.gateway.gateway import MAX_BODY_BYTES, MAX_HEADER_BYTES
from bareboat.local.lambda_api import MAX_BODY_BYTES as LAMBDA_BODY_BYTES
from bareboat.local.lambda_api import MAX_HEADER_BYTES as LAMBDA_HEADER_BYTES
from bareboat.local.lambda_api import LambdaApi, events_of
from bareboat.local.rest import RestApiGateway
from bareboat.local.rest.control import RestControl
from bareboat.local.rest.methods import rest_table
from bareboat.local.site import Front, Site
from bareboat.local.url import FunctionUrl, url_id
from bareboat.service.model import Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent

if TYPE_CHECKING:
    from bareboat.local.cloud import LocalCloud

CONSOLE_HEADER_BYTES = 65_536  # what a browser sends of cookies that other servers of this machine have set
CONSOLE_BODY_BYTES = 40 * 1024 * 1024  # a body as JSON text, whose escapes take up to six bytes


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of front.

    Args:
        doors: the names of its doors in a service; none where the service has no use for it.
        make: makes the front of one door; raises a BareboatError for what it cannot serve.
        check: raises what is wrong with a service before any port is open.
        max_header_bytes, max_body_bytes: what its server takes.
    """

    name: str
    doors: Callable[[Service], Iterable[str]]
    make: Callable[[Site], Front]
    check: Callable[[Service], object] = lambda _: None
    max_header_bytes: int = MAX_HEADER_BYTES
    max_body_bytes: int = MAX_BODY_BYTES


def has_http_api(service: Service) -> bool:
    """Return whether a service has routes of an HTTP API."""
    return any(isinstance(event, HttpApiEvent) for one in service.functions.values() for event in one.events)


def has_rest_api(service: Service) -> bool:
    """Return whether a service has methods of a REST API."""
    return any(isinstance(event, HttpEvent) for one in service.functions.values() for event in one.events)


def http_api_routes(service: Service) -> tuple[Route, ...]:
    """Return the routes of the service's `httpApi` events, in the order of serverless.yml."""
    return tuple(
        Route(
            event.route_key,
            event.method,
            event.path,
            function.name,
            payload=function.http_api_payload,
            timeout_s=function.timeout_s,
            where=str(event.where),
        )
        for function in service.functions.values()
        for event in function.events
        if isinstance(event, HttpApiEvent)
    )


def access_settings(site: Site) -> Settings:
    """Return the surroundings of access control. What is for this machine alone lets nobody in from the network."""
    return Settings(secrets_of(site.service), trusts_local=is_loopback(site.host))


def usage_of(cloud: LocalCloud, settings: Settings) -> Usage:
    """Return what API keys have used: kept over reloads and, in a file, over restarts."""
    usage = cloud.kept.get("usage")
    if usage is None:
        usage = cloud.kept["usage"] = Usage(settings.secrets.folder / QUOTAS)
    assert isinstance(usage, Usage)
    return usage


def _http_api(site: Site) -> HttpApiGateway:
    invoke = site.invoke

    return HttpApiGateway(
        RouteTable(http_api_routes(site.service)),
        lambda function, event, trace_id: invoke(function, event, trace_id, "httpApi"),
        api=Api(api_id(site.service), port=str(site.port), domain=site.host),
        cors=site.service.provider.http_api.cors,
        access=HttpApiAccess(site.service, invoke, access_settings(site)),
        on_request=site.on_request,
    )


def _lambda_api(site: Site) -> LambdaApi:
    cloud = site.cloud
    return LambdaApi(
        site.service,
        site.invoke,
        events_of(cloud),
        artifact_of=lambda name: cloud.artifacts.get(name),  # noqa: PLW0108 - another mapping after each reload
        url_of=lambda name: f"{cloud.urls[door]}/" if (door := f"url:{name}") in cloud.urls else None,
        rest=RestControl(site.service, site.invoke).handle if has_rest_api(site.service) else None,
    )


def _urls(service: Service) -> Iterable[str]:
    return (f"url:{name}" for name, one in service.functions.items() if one.url is not None)


def _function_url(site: Site) -> FunctionUrl:
    function = site.service.functions[site.function]
    is_open = function.url is not None and function.url.auth == "NONE"
    return FunctionUrl(
        function,
        site.invoke,
        api=Api(url_id(site.service, function.name), account_id="anonymous", port=str(site.port), domain=site.host),
        access=None if is_open else UrlAccess(site.service, function, access_settings(site)),
        on_request=site.on_request,
    )


def _console(site: Site) -> Front:
    from bareboat.local.console import Console
    from bareboat.local.console.source import Shown

    return Console(Shown(site.cloud))


def _http_api_doors(service: Service) -> tuple[str, ...]:
    """Return the HTTP API's door; a service without any API has it, and every request is a 404."""
    return () if has_rest_api(service) and not has_http_api(service) else ("httpApi",)


def _rest_api(site: Site) -> RestApiGateway:
    provider = site.service.provider
    functions = site.service.functions

    def later(function: str, event: bytes, trace_id: str, source: str) -> None:
        events_of(site.cloud).put(functions[function], event, trace_id=trace_id, source=source)

    return RestApiGateway(
        site.service,
        site.invoke,
        RestAccess(site.service, site.invoke, access_settings(site), usage=usage_of(site.cloud, access_settings(site))),
        api=Api(
            api_id(site.service),
            stage=provider.stage,
            port=str(site.port),
            domain=site.host,
            stage_variables=provider.rest_api.stage_variables,
        ),
        on_request=site.on_request,
        invoke_later=later,
    )


FRONTS: tuple[Kind, ...] = (
    Kind("httpApi", _http_api_doors, _http_api, check=lambda service: RouteTable(http_api_routes(service))),
    Kind("rest", lambda service: ("rest",) if has_rest_api(service) else (), _rest_api, check=rest_table),
    Kind(
        "lambda",
        lambda _: ("lambda",),
        _lambda_api,
        max_header_bytes=LAMBDA_HEADER_BYTES,
        max_body_bytes=LAMBDA_BODY_BYTES,
    ),
    Kind("url", _urls, _function_url, max_header_bytes=LAMBDA_HEADER_BYTES, max_body_bytes=LAMBDA_BODY_BYTES),
    Kind(
        "console",
        lambda _: ("console",),
        _console,
        max_header_bytes=CONSOLE_HEADER_BYTES,
        max_body_bytes=CONSOLE_BODY_BYTES,
    ),
)
"""Each kind of front; a further one is a line here."""
