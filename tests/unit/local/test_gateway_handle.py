"""The gateway with a function that is a few lines of Python: what it answers, and what it tells of it."""

from __future__ import annotations

import asyncio
import json
import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.errors import LocalError
from bareboat.local.access_record import AccessRecord
from bareboat.local.gateway import Api, HttpApiGateway, Route, RouteTable
from bareboat.local.gateway.response import parse_v1, parse_v2
from bareboat.local.gateway.returned import MalformedResponseError
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.messages import Request, Response, encode
from bareboat.service.api import Cors

ROUTES = (
    Route("POST /predict", "POST", "/predict", "predict"),
    Route("GET /old/{id}", "GET", "/old/{id}", "old", payload="1.0"),
    Route("GET /slow", "GET", "/slow", "slow", timeout_s=900),
)
MEBIBYTE = 1024 * 1024


def outcome(payload: bytes, error: str = "", init_ms: float | None = None) -> Invocation:
    return Invocation("a-request", "f", payload, error, 1.0, 1, 128, 40, init_ms, "")


class Echo:
    """Answers with the event that it got."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes, str]] = []

    async def __call__(self, function: str, event: bytes, trace_id: str) -> Invocation:
        self.calls.append((function, event, trace_id))
        return outcome(json.dumps({"statusCode": 200, "body": event.decode()}).encode())


def answering(value: Invocation | BaseException):
    async def invoke(function: str, event: bytes, trace_id: str) -> Invocation:
        if isinstance(value, BaseException):
            raise value
        return value

    return invoke


def exchange(invoke, request: Request, *, cors: Cors | None = None, **kwargs) -> tuple[Response, AccessRecord]:
    records: list[AccessRecord] = []
    gateway = HttpApiGateway(RouteTable(ROUTES), invoke, api=Api("abc"), cors=cors, on_request=records.append, **kwargs)

    async def run() -> Response:
        result = gateway.handle(request)
        return result if isinstance(result, Response) else await result

    response = asyncio.run(run())
    assert len(records) == 1
    assert records[0].status == response.status
    return response, records[0]


def post(body: bytes = b"{}", target: str = "/predict", method: str = "POST") -> Request:
    return Request(method, target, [("Host", "h"), ("Content-Type", "application/json")], body, ("127.0.0.1", 1))


def error_of(response: Response) -> tuple[int, bytes, str | None]:
    headers = dict(response.headers)
    assert "Apigw-Requestid" in headers
    return response.status, response.body, headers.get("Content-Type")


def test_a_request_reaches_its_function_and_the_answer_the_client():
    echo = Echo()

    response, record = exchange(echo, post(b'{"a": 1}'))

    event = json.loads(response.body)
    headers = dict(response.headers)
    assert event["body"] == '{"a": 1}'
    assert headers["Apigw-Requestid"] == event["requestContext"]["requestId"] == record.request_id
    assert echo.calls[0][0] == record.function == "predict"
    assert re.fullmatch(
        re.escape(event["headers"]["x-amzn-trace-id"]) + ";Parent=[0-9a-f]{16};Sampled=0", echo.calls[0][2]
    )
    assert (record.method, record.path, record.status, record.cold, record.error) == (
        "POST", "/predict", 200, False, "",
    )  # fmt: skip
    assert record.latency_ms >= 0


def test_the_format_is_that_of_the_route():
    response, record = exchange(Echo(), post(b"", "/old/7?a=b", "GET"))

    event = json.loads(response.body)
    assert event["version"] == "1.0"
    assert event["pathParameters"] == {"id": "7"}
    assert (record.function, record.path) == ("old", "/old/7")


@pytest.mark.parametrize(
    "request_", [post(target="/nothing"), post(method="GET"), post(method="OPTIONS"), post(target="*")]
)
def test_a_route_that_is_not_there_is_404(request_):
    echo = Echo()

    response, record = exchange(echo, request_)

    assert error_of(response) == (404, b'{"message":"Not Found"}', "application/json")
    assert not echo.calls
    assert record.function == ""


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b'{"errorMessage": "boom\\n  twice", "errorType": "MyErr", "stackTrace": []}', ": MyErr: boom twice"),
        (b'{"errorMessage": "Task timed out after 1.00 seconds"}', ": Task timed out after 1.00 seconds"),
        (b'{"errorMessage": null, "errorType": 3}', ": 3"),
        (b'{"statusCode": 200, "body": "fine"}', ""),
        (b"nonsense", ""),
        (b"\xff", ""),
        (b"[]", ""),
    ],
)
def test_a_function_that_fails_is_500_and_only_the_record_says_how(payload, told):
    response, record = exchange(answering(outcome(payload, error="Unhandled")), post())

    assert error_of(response) == (500, b'{"message":"Internal Server Error"}', "application/json")
    assert record.error == "the function failed" + told


def test_an_answer_that_is_none_is_500_and_the_record_says_why():
    response, record = exchange(answering(outcome(b'{"statusCode": 200, "body": {"a": 1}}')), post())

    assert error_of(response) == (500, b'{"message":"Internal Server Error"}', "application/json")
    assert record.error == "body is an object, expected a string"


def test_a_function_at_its_limit_is_503():
    response, record = exchange(answering(Throttled("predict", 1, reserved=True)), post())

    assert error_of(response) == (503, b'{"message":"Service Unavailable"}', "application/json")
    assert "predict" in record.error


def test_a_runtime_that_does_not_start_is_500(caplog):
    response, record = exchange(answering(LocalError("no python3.13 here")), post())

    assert error_of(response) == (500, b'{"message":"Internal Server Error"}', "application/json")
    assert "no python3.13" in record.error
    assert "no python3.13" in caplog.text


def test_a_function_that_takes_longer_than_the_gateway_waits_is_503_and_goes_on():
    ended = []

    async def invoke(function: str, event: bytes, trace_id: str) -> Invocation:
        await go_on.wait()
        ended.append(function)
        return outcome(b"null")

    async def run() -> Response:
        gateway = HttpApiGateway(RouteTable(ROUTES), invoke, api=Api("abc"), integration_timeout_s=0.02)
        response = await gateway.handle(post(b"", "/slow", "GET"))
        assert not ended
        go_on.set()
        while not ended:
            await asyncio.sleep(0)
        return response

    go_on = asyncio.Event()
    response = asyncio.run(run())

    assert error_of(response) == (503, b'{"message":"Service Unavailable"}', "application/json")
    assert ended == ["slow"]


def test_a_late_failure_is_nobodys_business():
    async def invoke(function: str, event: bytes, trace_id: str) -> Invocation:
        await asyncio.sleep(0.03)
        raise LocalError("too late")

    async def run() -> Response:
        gateway = HttpApiGateway(RouteTable(ROUTES), invoke, api=Api("abc"), integration_timeout_s=0.01)
        response = await gateway.handle(post(b"", "/slow", "GET"))
        await asyncio.gather(*gateway._patience._late, return_exceptions=True)
        return response

    assert asyncio.run(run()).status == 503


def test_an_event_over_six_mebibytes_is_413():
    echo = Echo()

    response, record = exchange(echo, post(b"x" * (6 * MEBIBYTE + 1)))

    assert error_of(response) == (413, b'{"message":"Request Entity Too Large"}', "application/json")
    assert not echo.calls
    assert (record.status, record.function) == (413, "predict")


@pytest.mark.parametrize(("size", "status"), [(6 * MEBIBYTE - 2000, 200), (6 * MEBIBYTE - 200, 413)])
def test_the_event_counts_and_not_the_body(size, status):
    assert exchange(answering(outcome(b"null")), post(b"x" * size))[0].status == status


def test_base64_makes_a_body_too_large_sooner():
    request = post(b"\0" * (5 * MEBIBYTE))
    request.headers[1] = ("Content-Type", "application/octet-stream")

    assert exchange(Echo(), request)[0].status == 413


def test_a_cold_start_is_told():
    _, record = exchange(answering(outcome(b"null", init_ms=37.0)), post())

    assert record.cold is True


def test_what_never_was_a_request_is_told_too():
    records: list[AccessRecord] = []
    gateway = HttpApiGateway(RouteTable(ROUTES), Echo(), api=Api("abc"), on_request=records.append)

    response = gateway.refuse(431)

    assert (response.status, response.body) == (431, b'{"message":"Request Header Fields Too Large"}')
    assert [(record.method, record.path, record.status) for record in records] == [("", "", 431)]


def test_request_ids_and_traces_differ():
    echo = Echo()
    ids = {exchange(echo, post())[1].request_id for _ in range(100)}

    assert len(ids) == 100
    assert len({trace for _, _, trace in echo.calls}) == 100


def test_a_function_cannot_end_the_header_early():
    payload = b'{"statusCode": 200, "headers": {"X": "a\\r\\nSet-Cookie: evil=1"}}'

    response, _ = exchange(answering(outcome(payload)), post())

    assert response.status == 500
    assert b"evil" not in encode(response, keep_alive=True)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4),
    max_leaves=20,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "statusCode": st.integers(150, 650) | JSON_VALUES,
        "headers": st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=3) | JSON_VALUES,
        "multiValueHeaders": st.dictionaries(st.text(max_size=8), st.lists(JSON_VALUES, max_size=2)) | JSON_VALUES,
        "cookies": st.lists(st.text()) | JSON_VALUES,
        "body": st.text() | JSON_VALUES,
        "isBase64Encoded": st.booleans() | JSON_VALUES,
    },
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=200)
@given(value=FIELDS | JSON_VALUES | st.binary(max_size=40))
def test_whatever_a_function_returns_is_a_response_or_malformed(value):
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()

    for parse in (parse_v1, parse_v2):
        try:
            response = parse(payload)
        except MalformedResponseError:
            continue
        head = encode(response, keep_alive=True).partition(b"\r\n\r\n")[0]
        assert head.count(b"\r\n") == len(response.headers) + (2 if response.status in {204, 304} else 3)


@settings(deadline=None, max_examples=200)
@given(
    target=st.text(st.characters(max_codepoint=255, exclude_characters=" \r\n"), max_size=60),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Host", "cookie", "content-type", "x-a", "X-A", "x-forwarded-for", "content-length"]),
            st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30),
        ),
        max_size=8,
    ),
    body=st.binary(max_size=60),
)
def test_whatever_arrives_is_an_event_that_is_json(target, headers, body):
    for payload in ("1.0", "2.0"):
        table = RouteTable([Route("$default", "*", "*", "f", payload=payload)])
        echo = Echo()
        gateway = HttpApiGateway(table, echo, api=Api("abc"))

        response = asyncio.run(gateway.handle(Request("POST", target, headers, body, ("127.0.0.1", 1))))

        assert response.status == 200
        assert json.loads(echo.calls[0][1]) == msgspec.json.decode(echo.calls[0][1])
