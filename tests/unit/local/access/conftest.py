"""An API with access control in front of functions that are a few lines of Python, with clocks that stand still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bareboat.local.access import HttpApiAccess, RestAccess, Settings
from bareboat.local.access.secrets import LocalSecrets
from bareboat.local.access_record import AccessRecord
from bareboat.local.fronts import http_api_routes
from bareboat.local.gateway import Api, HttpApiGateway, RouteTable
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response
from bareboat.service.api import Authorizer, HttpApi, RestApi, Throttle
from bareboat.service.model import Function, Place, Provider, Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent

HERE = Place("serverless.yml", 1, 1)
NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
Answer = Callable[[dict[str, Any]], Any]


class Clock:
    """A clock that a test sets."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@dataclass
class Cloud:
    """What stands behind an API: functions by name, and what they were called with.

    A function returns its answer, or raises; `fail` makes the error document that AWS's runtime client posts.
    """

    functions: dict[str, Answer]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def invoke(self, function: str, event: bytes, trace_id: str = "", source: str = "invoke") -> Invocation:
        told = json.loads(event)
        self.calls.append((function, told))
        try:
            answer = self.functions[function](told)
            if asyncio.iscoroutine(answer):
                answer = await answer
            payload, error = json.dumps(answer).encode(), ""
        except Exception as problem:  # noqa: BLE001 - as a handler's
            payload = json.dumps({"errorType": type(problem).__name__, "errorMessage": str(problem)}).encode()
            error = "Unhandled"
        return Invocation("an-id", function, payload, error, 1.0, 1, 128, 40, None, "", source=source)

    def called(self, function: str) -> int:
        return sum(1 for name, _ in self.calls if name == function)


def echo(event: dict[str, Any]) -> dict[str, Any]:
    """Answer with what access control told of the caller."""
    context = event["requestContext"]
    told = {"authorizer": context.get("authorizer"), "identity": context.get("identity")}
    return {"statusCode": 200, "body": json.dumps(told)}


@dataclass
class TestApi:
    """An HTTP API that can be asked, request by request, in one event loop."""

    __test__ = False
    gateway: HttpApiGateway
    cloud: Cloud
    records: list[AccessRecord]

    async def send(
        self, method: str, target: str, headers: Mapping[str, str] | list[tuple[str, str]] = (), body: bytes = b""
    ) -> Response:
        listed = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        request = Request(method, target, [("Host", "api.example"), *listed], body, ("127.0.0.1", 5000))
        result = self.gateway.handle(request)
        return result if isinstance(result, Response) else await result

    def get(self, target: str = "/x", headers: Mapping[str, str] | list[tuple[str, str]] = ()) -> Response:
        return asyncio.run(self.send("GET", target, headers))


def service_of(
    folder: Path,
    functions: Mapping[str, tuple[HttpApiEvent | HttpEvent, ...]],
    *,
    http_api: HttpApi | None = None,
    rest_api: RestApi | None = None,
    payload: Any = "2.0",
) -> Service:
    """A service of functions that have nothing but their events."""
    made = {
        name: Function(
            name, f"s-dev-{name}", HERE, "python3.13", "3.13", "x86_64", "h.h", events=events, http_api_payload=payload
        )
        for name, events in functions.items()
    }
    provider = Provider(region="eu-west-1", http_api=http_api or HttpApi(), rest_api=rest_api or RestApi())
    return Service("s", folder / "serverless.yml", folder, provider, made)


@dataclass
class Maker:
    """Makes APIs below one folder."""

    folder: Path
    now: Clock = field(default_factory=Clock)
    clock: Clock = field(default_factory=Clock)

    def settings(self, **changes: Any) -> Settings:
        given = {"clock": self.clock, "now": self.now, "env": {"HOME": str(self.folder)}} | changes
        return Settings(LocalSecrets(self.folder / ".bareboat"), **given)

    def http_api(
        self,
        authorizer: Authorizer | None = None,
        *,
        functions: Mapping[str, Answer] | None = None,
        paths: tuple[str, ...] = ("/x",),
        method: str = "GET",
        scopes: tuple[str, ...] = (),
        payload: str = "2.0",
        throttle: Throttle | None = None,
        throttles: Mapping[str, Throttle] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> TestApi:
        """An HTTP API whose function `f` echoes what it is told of its caller."""
        given: dict[str, Any] = (
            {} if authorizer is None or isinstance(authorizer, str) else {authorizer.name: authorizer}
        )
        given = {} if authorizer is None else {authorizer.name: authorizer}
        events = tuple(HttpApiEvent(method, path, HERE, authorizer, scopes) for path in paths)
        http_api = HttpApi(authorizers=given, throttle=throttle, throttles=throttles or {})
        service = service_of(self.folder, {"f": events}, http_api=http_api, payload=payload)
        cloud = Cloud({"f": echo, **(functions or {})})
        access = HttpApiAccess(service, cloud.invoke, self.settings(**(settings or {})))
        records: list[AccessRecord] = []
        gateway = HttpApiGateway(
            RouteTable(http_api_routes(service)),
            cloud.invoke,
            api=Api("abc123", stage_variables={"tier": "gold"}),
            access=access,
            on_request=records.append,
        )
        return TestApi(gateway, cloud, records)

    def rest_access(
        self,
        *events: HttpEvent,
        api: RestApi | None = None,
        functions: Mapping[str, Answer] | None = None,
        settings: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> tuple[RestAccess, Cloud, Service]:
        """The access control of a REST API with these methods."""
        service = service_of(self.folder, {"f": events}, rest_api=api)
        cloud = Cloud({"f": echo, **(functions or {})})
        return RestAccess(service, cloud.invoke, self.settings(**(settings or {})), **more), cloud, service


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Makes APIs with access control."""
    return Maker(tmp_path)
