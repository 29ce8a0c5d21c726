"""The Lambda API on requests that no SDK sends; its functions are a coroutine of the test."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.errors import LocalError
from bareboat.local.invocation import Invocation
from bareboat.local.lambda_api import EventQueue, LambdaApi
from bareboat.local.messages import Request, Response
from bareboat.service.model import Function, Place, Provider, Service

PLACE = Place("serverless.yml", 1, 1)
HOST = ("Host", "127.0.0.1:3002")


async def answer(function: str, event: bytes, trace_id: str = "", source: str = "", **settings: str) -> Invocation:
    if function == "cannot":
        raise LocalError("there is no Python 3.9 on this machine", expected="it", fix="uv python install 3.9")
    return Invocation(settings["request_id"], function, event, "", 1.0, 1, 128, 30, None, "END\n")


def function(name: str) -> Function:
    return Function(name, f"s-dev-{name}", PLACE, "python3.13", "3.13", "x86_64", handler="m.f")


def api(*names: str) -> LambdaApi:
    functions = {name: function(name) for name in names or ("f", "cannot")}
    service = Service("s", Path("serverless.yml"), Path(), Provider(), functions)
    return LambdaApi(service, answer, EventQueue(answer))


def ask(target: str, *headers: tuple[str, str], method: str = "POST", body: bytes = b"", to: Any = None) -> Response:
    async def main() -> Response:
        found = (to or api()).handle(Request(method, target, [HOST, *headers], body, ("127.0.0.1", 5000)))
        return found if isinstance(found, Response) else await found

    return asyncio.run(main())


def code(response: Response) -> str:
    return dict(response.headers).get("x-amzn-ErrorType", "")


def test_a_function_that_cannot_be_started_is_told_with_the_reason() -> None:
    response = ask("/2015-03-31/functions/cannot/invocations")

    assert (response.status, code(response)) == (500, "ServiceException")
    assert json.loads(response.body)["Message"] == "there is no Python 3.9 on this machine"


def test_a_full_name_wins_over_the_key_of_another_function() -> None:
    both = api("f", "s-dev-f")

    response = ask("/2015-03-31/functions/s-dev-f/configuration", method="GET", to=both)

    assert json.loads(response.body)["FunctionName"] == "s-dev-f"


@pytest.mark.parametrize(
    "path",
    [
        "/2015-03-31/functions/f/invocations/",
        "//2015-03-31/functions/f/invocations",
        "/2015-03-31/functions/%66/invocations?Qualifier=%24LATEST",
    ],
)
def test_a_path_written_in_another_way(path: str) -> None:
    assert ask(path).status == 200


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/2015-03-31/functions//invocations", 400, "ValidationException"),
        ("/2015-03-31/functions/a%2Fb/invocations", 400, "ValidationException"),
        ("/2015-03-31/functions/%ff/invocations", 400, "ValidationException"),
        ("/2015-03-31/functions/f/invocations?Qualifier=", 400, "ValidationException"),
        ("/2015-03-31/functions/f/invocations?Qualifier=prod", 404, "ResourceNotFoundException"),
        ("/2015-03-31/functions/f:1/invocations", 404, "ResourceNotFoundException"),
        ("/2015-03-31/functions/F/invocations", 404, "ResourceNotFoundException"),
        ("/2015-03-31/functions/f/invocations/more", 404, "UnknownOperationException"),
        ("/", 404, "UnknownOperationException"),
        ("*", 404, "UnknownOperationException"),
    ],
)
def test_a_path_that_names_nothing(path: str, status: int, error: str) -> None:
    response = ask(path)

    assert (response.status, code(response)) == (status, error)


SEGMENT = st.sampled_from(
    [
        "2015-03-31",
        "2014-11-13",
        "2021-10-31",
        "functions",
        "invocations",
        "f",
        "f:$LATEST",
        "url",
        "tags",
        "%00",
        "%ff",
    ]
) | st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="?#"), max_size=8)
NAMES = ["X-Amz-Invocation-Type", "X-Amz-Log-Type", "X-Amz-Client-Context", "X-Amzn-Trace-Id", "X-Bareboat-Source"]
VALUE = st.sampled_from(["Event", "DryRun", "Tail", "e30=", "W10="]) | st.text(st.characters(max_codepoint=255))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]),
    segments=st.lists(SEGMENT, max_size=5),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=12),
    headers=st.lists(st.tuples(st.sampled_from(NAMES), VALUE), max_size=3),
    body=st.binary(max_size=20) | st.just(b"{}"),
)
def test_any_request_has_an_answer(
    method: str, segments: list[str], query: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    response = ask(f"/{'/'.join(segments)}?{query}", *headers, method=method, body=body)

    assert response.status in {200, 202, 204, 400, 404, 501}
    assert dict(response.headers)["x-amzn-RequestId"]
