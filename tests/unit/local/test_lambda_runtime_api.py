"""The Runtime API's states and answers, without a socket.

Expected answers: AWS's runtime interface emulator (its rendering and state machine), read in source. What it was seen
to answer is in tests/contract/local/test_runtime_emulator.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from bareboat.local.http import Request, Response
from bareboat.local.runtime_api import RuntimeApi

PREFIX = "/2018-06-01/runtime/"


class Heard:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def ready(self) -> None:
        self.said.append("ready")

    def init_failed(self, payload: bytes) -> None:
        self.said.append(("init_failed", payload))

    def answered(self, payload: bytes, *, failed: bool, peak_memory_bytes: int) -> None:
        self.said.append(("answered", payload, failed, peak_memory_bytes))

    def overflowed(self) -> None:
        self.said.append("overflowed")


def call(api: RuntimeApi, method: str, path: str, body: bytes = b"", *headers: tuple[str, str]) -> Any:
    return api.handle(Request(method, PREFIX + path, [("Host", "127.0.0.1:4"), *headers], body, ("127.0.0.1", 1)))


def with_api(body: Callable[[RuntimeApi, Heard], Any]) -> None:
    async def main() -> None:
        heard = Heard()
        result = body(RuntimeApi(heard), heard)
        if result is not None:
            await result

    asyncio.run(main())


def error(response: Response) -> tuple[int, str, str]:
    document = json.loads(response.body)
    return response.status, document["errorType"], document["errorMessage"]


def test_an_event_goes_out_with_its_headers_and_the_answer_comes_in() -> None:
    async def body(api: RuntimeApi, heard: Heard) -> None:
        waiting = call(api, "GET", "invocation/next")
        assert heard.said == ["ready"]
        api.send("id-1", (("Lambda-Runtime-Deadline-Ms", "5"),), b"{}")
        event = await waiting
        assert (event.status, event.body) == (200, b"{}")
        assert dict(event.headers) == {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": "id-1",
            "Lambda-Runtime-Deadline-Ms": "5",
        }
        answer = call(api, "POST", "invocation/id-1/response", b"1", ("Bareboat-Peak-Memory-Bytes", "7"))
        assert (answer.status, answer.body) == (202, b'{"status":"OK"}\n')
        assert heard.said == ["ready", ("answered", b"1", False, 7)]
        call(api, "GET", "invocation/next")
        assert heard.said[-1] == "ready"

    with_api(body)


def test_an_error_document_is_told_apart_from_a_response() -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        call(api, "GET", "invocation/next")
        api.send("id-1", (), b"{}")
        assert call(api, "POST", "invocation/id-1/error", b"{}").status == 202
        assert heard.said[-1] == ("answered", b"{}", True, 0)

    with_api(body)


def test_asking_again_before_answering_gives_the_same_event() -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        call(api, "GET", "invocation/next")
        api.send("id-1", (), b"[1]")
        assert call(api, "GET", "invocation/next").body == b"[1]"

    with_api(body)


def test_a_second_connection_that_waits_takes_the_place_of_the_first() -> None:
    async def body(api: RuntimeApi, heard: Heard) -> None:
        first, second = call(api, "GET", "invocation/next"), call(api, "GET", "invocation/next")
        api.send("id-1", (), b"[1]")
        assert (await second).body == b"[1]"
        assert not first.done()
        assert heard.said == ["ready"]

    with_api(body)


def test_a_second_answer_is_an_invalid_state_transition() -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        call(api, "GET", "invocation/next")
        api.send("id-1", (), b"")
        call(api, "POST", "invocation/id-1/response", b"1")
        assert call(api, "POST", "invocation/id-1/response", b"2").status == 403
        assert len(heard.said) == 2

    with_api(body)


def test_an_answer_to_another_event_is_an_invalid_request_id_and_changes_nothing() -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        call(api, "GET", "invocation/next")
        api.send("id-1", (), b"")
        wrong = call(api, "POST", "invocation/id-2/response", b"1")
        assert error(wrong) == (400, "InvalidRequestID", "Invalid request ID")
        assert call(api, "POST", "invocation/id-1/response", b"1").status == 202

    with_api(body)


def test_an_init_error_is_taken_once_and_nothing_can_be_asked_after_it() -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        assert call(api, "POST", "init/error", b"{}").status == 202
        assert heard.said == [("init_failed", b"{}")]
        assert call(api, "POST", "init/error", b"{}").status == 403
        assert call(api, "GET", "invocation/next").status == 403

    with_api(body)


def test_an_init_error_after_init_is_an_invalid_state_transition() -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        call(api, "GET", "invocation/next")
        assert error(call(api, "POST", "init/error", b"{}"))[:2] == (403, "InvalidStateTransition")

    with_api(body)


def test_a_restore_is_answered_at_once_and_its_error_is_an_init_error() -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        assert call(api, "GET", "restore/next").status == 200
        assert call(api, "POST", "restore/error", b"{}").status == 202
        assert heard.said == [("init_failed", b"{}")]

    with_api(body)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "invocation"), ("POST", "invocation/id/other"), ("POST", "init")],
)  # fmt: skip
def test_what_is_no_call_of_the_api_is_404(method: str, path: str) -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        assert call(api, method, path).status == 404
        assert api.handle(Request("GET", "/", [("Host", "127.0.0.1:4")], b"", ("", 0))).status == 404  # type: ignore[union-attr]
        assert heard.said == []

    with_api(body)


@pytest.mark.parametrize(
    "headers",
    [
        [("Host", "evil.example")],
        [("Host", "127.0.0.1:4"), ("Origin", "http://127.0.0.1:3000")],
        [("Host", "127.0.0.1:4"), ("Sec-Fetch-Site", "cross-site")],
        [],
    ],
    ids=["rebound", "origin", "fetch", "no host"],
)
@pytest.mark.parametrize("path", ["invocation/next", "restore/next"])
def test_a_web_page_gets_no_event(headers: list[tuple[str, str]], path: str) -> None:
    def body(api: RuntimeApi, heard: Heard) -> None:
        answer = api.handle(Request("GET", PREFIX + path, headers, b"", ("127.0.0.1", 1)))
        assert isinstance(answer, Response)
        assert answer.status == 403
        assert heard.said == []

    with_api(body)
