"""A request that nobody sends -> the event that API Gateway, or a function URL, would make of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from bareboat.local.addresses import api_id
from bareboat.local.events.origin import Origin
from bareboat.local.fronts import http_api_routes
from bareboat.local.gateway import Api, Route, RouteTable, event_v1, event_v2
from bareboat.local.gateway.call import Call
from bareboat.local.ids import request_id
from bareboat.local.messages import Request
from bareboat.local.rest.binary import BinaryTypes
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.event import build_event as build_rest_event
from bareboat.local.rest.methods import Method, rest_table
from bareboat.local.url import build_event as build_url_event
from bareboat.local.url import url_id
from bareboat.service.model import Function, Service

CLIENT = ("203.0.113.7", 54_321)  # RFC 5737: an address of no one's
SAMPLE_ID = "a1b2c3d4e5"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Args:
        path: without the stage and the query.
        query: names and values, decoded.
    """

    method: str = "GET"
    path: str = "/"
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def request(self, host: str, prefix: str = "") -> Request:
        """Return the request as it comes to a host; JSON gets its content type where the headers name none."""
        headers = [("Host", host), ("Accept", "*/*"), ("User-Agent", "bareboat")]
        given = {name.lower() for name, _ in self.headers}
        headers = [each for each in headers if each[0].lower() not in given]
        if self.body:
            if "content-type" not in given:
                headers.append(("Content-Type", "application/json" if _is_json(self.body) else "text/plain"))
            headers.append(("Content-Length", str(len(self.body))))
        target = prefix + quote(self.path, safe="/%~!$&'()*+,;=:@-._")
        if self.query:
            target += "?" + urlencode(self.query)
        return Request(self.method.upper(), target, [*headers, *self.headers], self.body, CLIENT)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def http_api(asked: Asked, origin: Origin, service: Service | None) -> tuple[dict[str, Any], str]:
    """Return the event of a request to the HTTP API, and the function that its route calls ("" where none does)."""
    table = RouteTable(http_api_routes(service) if service is not None else ())
    found = table.find(asked.method.upper(), asked.path)
    route, parameters = found or (
        Route(f"{asked.method.upper()} {asked.path}", asked.method.upper(), asked.path, ""),
        {},
    )
    name = SAMPLE_ID if service is None else api_id(service)
    variables = {} if service is None else dict(service.provider.http_api.stage_variables)
    api = _api(name, origin, "execute-api", "amazonaws.com")
    call = Call(asked.request(api.domain), replace(api, stage_variables=variables))
    call.parameters = parameters
    builder = event_v1 if route.payload == "1.0" else event_v2
    return builder.build_event(call, route, parameters), route.function


def rest(asked: Asked, origin: Origin, service: Service | None) -> tuple[dict[str, Any], str]:
    """Return the event of a request to the REST API, and the function that its method calls ("" where none does)."""
    found = None if service is None else rest_table(service).find(asked.method.upper(), asked.path.rstrip("/") or "/")
    method, parameters = found or (Method(asked.path, asked.method.upper(), asked.path, "", resource_id="abc123"), {})
    name = SAMPLE_ID if service is None else api_id(service, "rest")
    stage = "dev" if service is None else service.provider.stage
    given = None if service is None else service.provider.rest_api
    api = _api(name, origin, "execute-api", "amazonaws.com")
    api = replace(api, stage=stage, stage_variables=dict(given.stage_variables) if given else {})
    call = RestCall(asked.request(api.domain, f"/{stage}"), api)
    call.parameters = parameters
    binary = BinaryTypes(given.binary_types if given else ())
    return build_rest_event(call, method, binary, "d1e2f3"), method.function


def url(asked: Asked, origin: Origin, service: Service | None, function: Function | None) -> dict[str, Any]:
    """Return the event of a request to a function URL."""
    name = SAMPLE_ID if service is None or function is None else url_id(service, function.name)
    api = replace(_api(name, origin, "lambda-url", "on.aws"), account_id="anonymous")
    call = Call(asked.request(api.domain), api)
    call.request_id = request_id()
    return build_url_event(call, Route("$default", "*", "*", ""))


def _api(name: str, origin: Origin, service: str, domain: str) -> Api:
    return Api(
        name,
        account_id=origin.account,
        scheme="https",
        port="443",
        domain=f"{name}.{service}.{origin.region}.{domain}",
    )
