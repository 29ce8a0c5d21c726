"""CORS of the gateway. Expectations: AWS's guide "Configure CORS for HTTP APIs in API Gateway"."""

from __future__ import annotations

import asyncio
import json

import pytest

from bareboat.local.gateway import Api, HttpApiGateway, Route, RouteTable
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response
from bareboat.service.api import Cors

ORIGIN = "https://www.example.com"
POST = Route("POST /predict", "POST", "/predict", "f")
GET = Route("GET /predict", "GET", "/predict", "f")


class Function:
    """Answers with CORS headers of its own, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, function: str, event: bytes, trace_id: str) -> Invocation:
        self.calls += 1
        own = {"access-control-allow-origin": "https://own", "Access-Control-Allow-Methods": "*", "x-own": "1"}
        payload = json.dumps({"statusCode": 200, "headers": own, "body": "ok"}).encode()
        return Invocation("id", function, payload, "", 1.0, 1, 128, 40, None, "")


def send(request: Request, cors: Cors | None, *routes: Route, function: Function | None = None) -> Response:
    gateway = HttpApiGateway(RouteTable(routes or (POST,)), function or Function(), api=Api("abc"), cors=cors)

    async def run() -> Response:
        result = gateway.handle(request)
        return result if isinstance(result, Response) else await result

    return asyncio.run(run())


def preflight(origin: str = ORIGIN, method: str = "POST", target: str = "/predict") -> Request:
    headers = [("Host", "h"), ("origin", origin), ("Access-Control-Request-Method", method)]
    return Request("OPTIONS", target, headers, b"", ("127.0.0.1", 1))


def actual(origin: str | None = ORIGIN) -> Request:
    headers = [("Host", "h")] if origin is None else [("Host", "h"), ("Origin", origin)]
    return Request("POST", "/predict", headers, b"", ("127.0.0.1", 1))


def cors_headers(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers if name.startswith("Access-Control-")}


def test_a_preflight_is_answered_without_a_route_and_without_the_function():
    function = Function()
    cors = Cors(
        allowed_origins=(ORIGIN,),
        allowed_methods=("POST", "GET"),
        allowed_headers=("content-type", "x-api-key"),
        exposed_headers=("date",),
        allow_credentials=True,
        max_age_s=300,
    )

    response = send(preflight(), cors, POST, function=function)

    assert (response.status, response.body, function.calls) == (204, b"", 0)
    assert cors_headers(response) == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "POST,GET",
        "Access-Control-Allow-Headers": "content-type,x-api-key",
        "Access-Control-Max-Age": "300",
    }


def test_methods_that_are_not_configured_are_those_of_the_routes_and_options():
    response = send(preflight(), Cors(), POST, GET)

    assert cors_headers(response)["Access-Control-Allow-Methods"] == "GET,OPTIONS,POST"


def test_what_is_not_configured_is_not_sent():
    assert set(cors_headers(send(preflight(), Cors()))) == {
        "Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
    }  # fmt: skip


def test_without_a_configuration_options_needs_a_route_and_the_function_speaks_for_itself():
    assert send(preflight(), None).status == 404

    response = send(actual(), None)

    assert cors_headers(response) == {
        "Access-Control-Allow-Origin": "https://own", "Access-Control-Allow-Methods": "*",
    }  # fmt: skip


def test_the_functions_cors_headers_give_way_to_the_configured_ones():
    cors = Cors(allowed_origins=(ORIGIN,), exposed_headers=("date", "x-own"), allow_credentials=True)

    response = send(actual(), cors)

    assert cors_headers(response) == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "date,x-own",
    }
    assert ("X-Own", "1") in response.headers


@pytest.mark.parametrize("origin", [None, "https://evil.example", "https://www.example.com.evil.example", "null", ""])
def test_an_origin_that_is_not_allowed_gets_no_cors_headers(origin):
    cors = Cors(allowed_origins=(ORIGIN,))

    assert cors_headers(send(actual(origin), cors)) == {}
    if origin is not None:
        response = send(preflight(origin), cors)
        assert (response.status, cors_headers(response)) == (204, {})


@pytest.mark.parametrize(
    ("allowed", "origin", "answer"),
    [
        (("*",), "http://localhost:8080", "*"),
        (("https://*",), "https://anything.example:8443", "https://anything.example:8443"),
        (("https://*",), "http://anything.example", None),
        (("http://*", ORIGIN), "http://localhost:8080", "http://localhost:8080"),
        (("http://localhost:8080/",), "http://localhost:8080", "http://localhost:8080"),
        (("http://LOCALHOST:8080",), "http://localhost:8080", "http://localhost:8080"),
        (("http://localhost:8080",), "http://localhost:8081", None),
        (("https://*.example.com",), "https://a.example.com", None),
        ((), ORIGIN, None),
    ],
)
def test_origins_match_whole_or_by_scheme(allowed, origin, answer):
    assert (
        cors_headers(send(preflight(origin), Cors(allowed_origins=allowed))).get("Access-Control-Allow-Origin")
        == answer
    )


def test_credentials_do_not_go_with_every_origin():
    assert "Access-Control-Allow-Credentials" not in cors_headers(send(actual(), Cors(allow_credentials=True)))


def test_a_preflight_of_a_path_that_is_not_there_is_answered_all_the_same():
    assert send(preflight(target="/nothing"), Cors()).status == 204


@pytest.mark.parametrize("key", ["ANY /predict", "$default"])
def test_a_preflight_does_not_reach_a_route_for_any_method(key):
    function = Function()
    path = "*" if key == "$default" else "/predict"

    response = send(preflight(), Cors(), Route(key, "*", path, "f"), function=function)

    assert (response.status, function.calls) == (204, 0)
    assert cors_headers(response)["Access-Control-Allow-Methods"] == "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"


def test_a_route_for_options_is_taken_and_its_cors_headers_overridden():
    function = Function()

    response = send(preflight(), Cors(), Route("OPTIONS /{proxy+}", "OPTIONS", "/{proxy+}", "f"), function=function)

    assert (response.status, function.calls) == (200, 1)
    assert cors_headers(response) == {"Access-Control-Allow-Origin": "*"}


def test_options_that_is_no_preflight_goes_its_way():
    function = Function()
    request = Request("OPTIONS", "/predict", [("Host", "h")], b"", ("127.0.0.1", 1))

    assert send(request, Cors(), Route("ANY /predict", "*", "/predict", "f"), function=function).status == 200
    assert function.calls == 1
    assert send(request, Cors(), POST).status == 204


def test_a_browser_may_read_the_gateways_own_answers():
    response = send(Request("GET", "/nothing", [("Origin", ORIGIN)], b"", ("127.0.0.1", 1)), Cors())

    assert response.status == 404
    assert cors_headers(response) == {"Access-Control-Allow-Origin": "*"}
