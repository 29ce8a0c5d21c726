"""A service -> which doors it has, and what stands behind each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

from bareboat.local.access import HttpApiAccess, Settings
from bareboat.local.access.settings import secrets_of
from bareboat.local.addresses import api_id, is_loopback
from bareboat.local.gateway import Api, HttpApiGateway, Route, RouteTable
from bareboat.local.gateway.gateway import MAX_BODY_BYTES, MAX_HEADER_BYTES
from bareboat.local.messages import Request, Response
from bareboat.local.site import Front, Site
from bareboat.service.model import Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent

# what their servers take; lambda_api says why, and is loaded when it is asked
LAMBDA_BYTES = (16_384, 6_291_456)
# what a browser sends of cookies that other servers of this machine have set; a body as JSON, with its escapes
CONSOLE_BYTES = (65_536, 40 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of front.

    Args:
        doors: the names of its doors in a service; none where the service has no use for it.
        make: makes the front of one door; raises a BareboatError for what it cannot serve.
        check: raises what is wrong with a service before any port is open.
        limits: bytes of headers, and of a body, that its server takes.
    """

    name: str
    doors: Callable[[Service], Iterable[str]]
    make: Callable[[Site], Front]
    check: Callable[[Service], object] = lambda _: None
    limits: tuple[int, int] = (MAX_HEADER_BYTES, MAX_BODY_BYTES)


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


def _urls(service: Service) -> Iterable[str]:
    return (f"url:{name}" for name, one in service.functions.items() if one.url is not None)


def _http_api_doors(service: Service) -> tuple[str, ...]:
    """Return the HTTP API's door; a service without any API has it, and every request is a 404."""
    return () if has_rest_api(service) and not has_http_api(service) else ("httpApi",)


def _rest_doors(service: Service) -> tuple[str, ...]:
    return ("rest",) if has_rest_api(service) else ()


class Late:
    """A front that is made when it is first asked: what nobody uses costs no start-up time."""

    def __init__(self, site: Site, maker: str) -> None:
        self._site = site
        self._maker = maker
        self._front: Front | None = None

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request."""
        return self._made().handle(request)

    def refuse(self, status: int) -> Response:
        """Answer what the server could not read or will not take."""
        return self._made().refuse(status)

    async def close(self) -> None:
        """Give up what still runs."""
        if self._front is not None:
            await self._front.close()

    def _made(self) -> Front:
        if self._front is None:
            self._front = _maker(self._maker)(self._site)
        return self._front


def _maker(name: str) -> Callable[[Site], Front]:
    maker: Callable[[Site], Front] = getattr(import_module("bareboat.local.making"), name)
    return maker


def _rest_api(site: Site) -> Front:
    return _maker("rest_api")(site)


def _check_rest(service: Service) -> None:
    if has_rest_api(service):
        from bareboat.local.rest.methods import rest_table

        rest_table(service)


FRONTS: tuple[Kind, ...] = (
    Kind("httpApi", _http_api_doors, _http_api, check=lambda service: RouteTable(http_api_routes(service))),
    Kind("rest", _rest_doors, _rest_api, check=_check_rest),
    Kind("lambda", lambda _: ("lambda",), lambda site: Late(site, "lambda_api"), limits=LAMBDA_BYTES),
    Kind("url", _urls, lambda site: Late(site, "function_url"), limits=LAMBDA_BYTES),
    Kind("console", lambda _: ("console",), lambda site: Late(site, "console"), limits=CONSOLE_BYTES),
)
"""Each kind of front; a further one is a line here."""
