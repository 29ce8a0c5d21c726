"""What tests of the REST API share: a service made by hand, functions that are Python, and a way to ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bareboat.local.access_record import AccessRecord
from bareboat.local.gateway import Api
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response
from bareboat.local.rest import RestApiGateway
from bareboat.local.rest.control import RestControl
from bareboat.service.api import RestApi
from bareboat.service.model import Function, Place, Provider, Service
from bareboat.service.triggers import HttpEvent

HERE = Place("serverless.yml", 1, 1)
API = Api("abcde12345", stage="dev")


def http(key: str, **fields: Any) -> HttpEvent:
    """Return an event from `GET /items/{id}`, or `ANY /x`."""
    method, _, path = key.partition(" ")
    return HttpEvent("*" if method == "ANY" else method, path, HERE, **fields)


def service(*events: HttpEvent, rest: RestApi | None = None, stage: str = "dev", timeout_s: int = 6) -> Service:
    """Return a service with one function, f, behind all events."""
    function = Function(
        "f", "s-dev-f", HERE, "python3.13", "3.13", "x86_64", handler="h.f", events=events, timeout_s=timeout_s
    )
    provider = Provider(stage=stage, rest_api=rest or RestApi())
    return Service("s", Path("serverless.yml"), Path(), provider, {"f": function})


def outcome(payload: bytes, error: str = "") -> Invocation:
    """Return an invocation that ended with this payload."""
    return Invocation("an-id", "f", payload, error, 1.0, 1, 128, 40, None, "")


class Functions:
    """Stands in for the functions: each is a few lines of Python that get the event.

    Attributes:
        calls: what was invoked: function, event, trace id, source.
    """

    def __init__(self, handler: Callable[[dict[str, Any]], Any]) -> None:
        self.handler = handler
        self.calls: list[tuple[str, Any, str, str]] = []

    async def __call__(self, function: str, event: bytes, trace_id: str, source: str) -> Invocation:
        document = json.loads(event)
        self.calls.append((function, document, trace_id, source))
        try:
            answer = self.handler(document)
        except ZeroDivisionError as error:
            return outcome(
                json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode(), "Unhandled"
            )
        return answer if isinstance(answer, Invocation) else outcome(json.dumps(answer).encode())


def echo(event: dict[str, Any]) -> dict[str, Any]:
    """Answer with the event."""
    return {"statusCode": 200, "body": json.dumps(event)}


class Rest:
    """A REST API and what it told of its requests."""

    def __init__(
        self, service: Service, invoke: Any = None, access: Any = None, *, api: Api = API, **kwargs: Any
    ) -> None:
        self.records: list[AccessRecord] = []
        self.invoke = Functions(echo) if invoke is None else invoke
        stage = service.provider.stage
        variables = service.provider.rest_api.stage_variables
        api = replace(api, stage=stage, stage_variables=variables)
        self.gateway = RestApiGateway(service, self.invoke, access, api=api, on_request=self.records.append, **kwargs)

    def ask(self, method: str, target: str, headers: Any = (), body: bytes = b"") -> Response:
        """Send one request and return the answer; the record of it is the last of `records`."""
        sent = list(headers.items() if isinstance(headers, dict) else headers)
        if not any(name.lower() == "host" for name, _ in sent):
            sent.insert(0, ("Host", "h"))
        request = Request(method, target, sent, body, ("127.0.0.1", 1))

        async def run() -> Response:
            result = self.gateway.handle(request)
            response = result if isinstance(result, Response) else await result
            await asyncio.sleep(0)
            return response

        before = len(self.records)
        response = asyncio.run(run())
        assert len(self.records) == before + 1
        assert self.records[-1].status == response.status
        return response

    @property
    def event(self) -> dict[str, Any]:
        """The event of the last call."""
        return self.invoke.calls[-1][1]


def joined(response: Response) -> dict[str, str]:
    """Return the headers as clients show them: lines of one name joined."""
    headers: dict[str, str] = {}
    for name, value in response.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def control(service: Service, invoke: Any = None) -> RestControl:
    """Return API Gateway's own API in front of a service."""
    return RestControl(service, Functions(echo) if invoke is None else invoke)


def try_method(
    rest: RestControl, resource: str, verb: str, asked: dict[str, Any], *, api: str = ""
) -> tuple[int, dict[str, Any]]:
    """Ask for TestInvokeMethod; `resource` is a path, or an id that there is not."""

    def send(method: str, target: str, document: object = None) -> Response:
        body = b"" if document is None else json.dumps(document).encode()

        async def run() -> Response:
            result = rest.handle(Request(method, target, [("Host", "127.0.0.1")], body, ("127.0.0.1", 1)))
            return result if isinstance(result, Response) else await result

        return asyncio.run(run())

    found = json.loads(send("GET", "/restapis").body)["item"][0]["id"]
    resources = {
        each["path"]: each["id"] for each in json.loads(send("GET", f"/restapis/{found}/resources").body)["item"]
    }
    target = f"/restapis/{api or found}/resources/{resources.get(resource, resource.strip('/'))}/methods/{verb}"
    response = send("POST", target, asked)
    return response.status, json.loads(response.body)
