"""What the console answers to whom, before a page is shown."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bareboat.errors import LocalError
from bareboat.local.console import Console
from bareboat.local.console.source import Address, Fleet
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response
from bareboat.local.reload_record import Reload
from bareboat.service.api import HttpApi, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.model import Function, Place, Provider, Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent, ScheduleEvent

PLACE = Place("serverless.yml", 1, 1)
JWT = JwtAuthorizer("members", PLACE, "https://issuer.example.com", ("me",))
GATE = LambdaAuthorizer("gate", PLACE, function="gate", identity_sources=("$request.header.X-Pass",))


def function(name: str, *events: Any) -> Function:
    return Function(name, name, PLACE, "python3.13", "3.13", "arm64", handler="a.b", events=events)


class Cloud:
    """A cloud that is not there."""

    artifacts: Mapping[str, Any] = {}
    addresses = (Address("httpApi", "http://127.0.0.1:9"),)
    generation = 2
    reloaded = Reload(5.0, 3.0, 2, error="no", where="a.py:1")

    def __init__(self, folder: Path) -> None:
        functions = (
            function("a", HttpApiEvent("POST", "/a/{x}/{rest+}", PLACE, authorizer=JWT, scopes=("read",))),
            function("b", HttpEvent("GET", "/b", PLACE, private=True), ScheduleEvent(("rate(1 day)",), PLACE)),
            function("c", HttpApiEvent("*", "*", PLACE, authorizer=GATE)),
        )
        provider = Provider(http_api=HttpApi(authorizers={"members": JWT}))
        self.service = Service("s", folder / "serverless.yml", folder, provider, {one.name: one for one in functions})

    has_clock = False

    def fleets(self) -> Mapping[str, Fleet]:
        return {"a": Fleet(3, 1)}

    async def invoke(self, name: str, event: bytes) -> Invocation:
        if name == "none":
            raise LocalError("there is no function 'none'", expected="one of a, b", fix="ask for a")
        return Invocation("id", name, b'{"got": ' + event + b"}", "", 1.0, 1, 128, 60, None, "START\n", event=event)


class Observed:
    """Nothing was observed, but for one request."""

    def mark(self) -> str:
        return "1-1"

    def history(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        return {"rows": [dict(wanted)], "more": False}

    def detail(self, key: str) -> Mapping[str, Any] | None:
        return {"id": key} if key == "r1" else None

    def counts(self, seconds: float) -> Mapping[str, Any]:
        return {"routes": {}, "functions": {}}

    def series(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        return {"columns": {}}


def ask(console: Console, target: str, body: object = None, method: str = "", **headers: str) -> Response:
    given = {"host": "127.0.0.1:3003", **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    if body is not None and "content-type" not in given:
        given["content-type"] = "application/json"
    request = Request(method or ("GET" if body is None else "POST"), target, list(given.items()), data, ("", 0))

    async def main() -> Response:
        answer = console.handle(request)
        return answer if isinstance(answer, Response) else await asyncio.wait_for(answer, 20)

    return asyncio.run(main())


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(Cloud(tmp_path), Observed())


def header(response: Response, name: str) -> str:
    return next((value for key, value in response.headers if key == name), "")


@pytest.mark.parametrize("target", ["/_bareboat/", "/_bareboat/api/service", "/_bareboat/openapi.json"])
@pytest.mark.parametrize(
    "host", ["evil.example.com", "evil.example.com:3003", "192.168.0.2:3003", "", "127.0.0.1.evil.com"]
)
def test_a_foreign_host_is_refused(console: Console, target: str, host: str):
    assert ask(console, target, host=host).status == 403


@pytest.mark.parametrize("host", ["localhost:3003", "127.0.0.1:3003", "[::1]:3003", "127.0.0.1"])
def test_names_of_loopback_are_taken(console: Console, host: str):
    assert ask(console, "/_bareboat/", host=host).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example.com"},
        {"origin": "http://127.0.0.1:8080"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_origins_page_can_ask_for_nothing(console: Console, headers: dict[str, str]):
    answer = ask(console, "/_bareboat/api/invoke", {"function": "a", "event": "{}"}, **headers)

    assert answer.status == 403


def test_the_pages_own_origin_may_ask(console: Console):
    own = {"origin": "http://127.0.0.1:3003", "sec_fetch_site": "same-origin"}

    answer = ask(console, "/_bareboat/api/invoke", {"function": "a", "event": '{"x": 1}'}, **own)

    assert answer.status == 200
    assert json.loads(json.loads(answer.body)["body"]) == {"got": {"x": 1}}


def test_a_link_from_anywhere_opens_the_page_and_no_data(console: Console):
    assert ask(console, "/_bareboat/", sec_fetch_site="cross-site").status == 200
    assert ask(console, "/_bareboat/api/service", sec_fetch_site="cross-site").status == 403


@pytest.mark.parametrize("target", ["/_bareboat/", "/_bareboat/api/service", "/_bareboat/none", "/none"])
def test_every_answer_keeps_scripts_and_frames_of_others_out(console: Console, target: str):
    answer = ask(console, target)

    assert header(answer, "Content-Security-Policy").startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in header(answer, "Content-Security-Policy")
    assert header(answer, "X-Content-Type-Options") == "nosniff"


def test_the_page_and_what_it_names_are_served_with_their_types(console: Console):
    page = ask(console, "/_bareboat/")

    names = [piece.split('"')[0] for piece in page.body.decode().split('"static/')[1:]]
    kinds = {
        name.rpartition(".")[2]: header(ask(console, f"/_bareboat/static/{name}"), "Content-Type") for name in names
    }
    assert header(page, "Content-Type") == "text/html; charset=utf-8"
    assert kinds == {
        "svg": "image/svg+xml", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    }  # fmt: skip


def test_what_has_not_changed_is_not_sent_again(console: Console):
    for target in ("/_bareboat/", "/_bareboat/api/service"):
        tag = header(ask(console, target), "ETag")

        again = ask(console, target, if_none_match=tag)

        assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["", "/"])
def test_the_root_leads_to_the_page(console: Console, path: str):
    answer = ask(console, path or "/_bareboat")

    assert (answer.status, header(answer, "Location")) == (302, "/_bareboat/")


@pytest.mark.parametrize(
    "target",
    [
        "/_bareboat/../secret",
        "/_bareboat/static/../../console.py",
        "/_bareboat/static/%2e%2e/console.py",
        "/_bareboat//etc",
    ],
)
def test_no_other_file_is_served(console: Console, target: str):
    assert ask(console, target).status == 404


def test_changes_are_asked_for_with_post_and_the_rest_with_get(console: Console):
    assert ask(console, "/_bareboat/api/send").status == 405
    assert ask(console, "/_bareboat/api/service", {}).status == 405
    assert ask(console, "/_bareboat/", {}).status == 405


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_told(console: Console, body: bytes):
    answer = ask(console, "/_bareboat/api/send", body)

    assert answer.status == 400
    assert "JSON object" in json.loads(answer.body)["error"]["found"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"api": "ftp"}, "no address"),
        ({"api": "httpApi", "method": "GE T"}, "no method"),
        ({"api": "httpApi", "path": "x"}, "path"),
        ({"api": "httpApi", "path": "/a b"}, "path"),
        ({"api": "httpApi", "path": "/a\r\nX: 1"}, "path"),
        ({"api": "httpApi", "headers": [["a:b", "c"]]}, "no name"),
        ({"api": "httpApi", "headers": [["a", "b\r\nc"]]}, "cannot be sent"),
        ({"api": "httpApi", "headers": [["Host", "b"]]}, "itself"),
        ({"api": "httpApi", "headers": ["a"]}, "no name"),
        ({"api": "httpApi", "headers": 3}, "headers"),
        ({"api": "httpApi", "body": "?", "base64": True}, "body"),
        ({"api": "httpApi", "body": "\ud800"}, "body"),
    ],
)
def test_what_cannot_be_sent_is_told(console: Console, asked: dict[str, Any], said: str):
    answer = ask(console, "/_bareboat/api/send", asked)

    assert answer.status == 400
    assert said in json.loads(answer.body)["error"]["found"]


def test_an_api_that_does_not_answer_is_told(console: Console):
    answer = ask(console, "/_bareboat/api/send", {"api": "httpApi", "path": "/"})

    assert answer.status == 409
    assert "does not answer" in json.loads(answer.body)["error"]["found"]


def test_errors_keep_what_was_expected_and_the_fix(console: Console):
    answer = ask(console, "/_bareboat/api/invoke", {"function": "none"})

    error = json.loads(answer.body)["error"]
    assert (answer.status, error["expected"], error["fix"]) == (409, "one of a, b", "ask for a")


def test_the_service_tells_routes_with_access_and_no_secrets(console: Console):
    service = json.loads(ask(console, "/_bareboat/api/service").body)

    by_key = {route["key"]: route for route in service["routes"]}
    assert by_key["POST /a/{x}/{rest+}"]["access"] == {
        "kind": "jwt", "name": "members", "private": False, "scopes": ["read"],
        "sources": ["$request.header.Authorization"], "function": "",
    }  # fmt: skip
    assert by_key["POST /a/{x}/{rest+}"]["parameters"] == [
        {"name": "x", "greedy": False},
        {"name": "rest", "greedy": True},
    ]
    assert (by_key["GET /b"]["api"], by_key["GET /b"]["access"]["kind"]) == ("http", "key")
    assert (by_key["$default"]["method"], by_key["$default"]["access"]["function"]) == ("ANY", "gate")
    assert service["triggers"] == [{"kind": "schedule", "title": "rate(1 day)", "function": "b"}]
    assert service["doors"] == [{"kind": "httpApi", "url": "http://127.0.0.1:9", "function": ""}]


def test_live_tells_processes_and_the_last_reload(console: Console):
    live = json.loads(ask(console, "/_bareboat/api/live?seconds=60").body)

    assert live["fleets"]["a"] == {"processes": 3, "busy": 1, "waiting": 0, "generation": 1}
    assert (live["generation"], live["reload"]["error"], live["reload"]["where"]) == (2, "no", "a.py:1")
    assert ask(console, "/_bareboat/api/live?seconds=many").status == 400


def test_counts_that_take_long_hold_nothing_up(tmp_path: Path):
    began, end = threading.Event(), threading.Event()

    class Slow(Observed):
        def counts(self, seconds: float) -> Mapping[str, Any]:
            if began.is_set():
                assert end.wait(20)
            began.set()
            return {"routes": {}, "functions": {}}

    console = Console(Cloud(tmp_path), Slow())
    request = Request("GET", "/_bareboat/api/live", [("host", "127.0.0.1")], b"", ("", 0))

    async def main() -> list[int]:
        try:
            return [(await asyncio.wait_for(console.handle(request), 10)).status for _ in range(3)]
        finally:
            end.set()

    assert asyncio.run(main()) == [200, 200, 200]


def test_a_row_that_is_gone_is_told(console: Console):
    assert json.loads(ask(console, "/_bareboat/api/detail?id=r1").body) == {"id": "r1"}
    assert ask(console, "/_bareboat/api/detail?id=r2").status == 404


def test_a_route_with_a_lambda_authorizer_is_filled_in_where_it_looks(console: Console):
    found = json.loads(ask(console, "/_bareboat/api/credential", {"route": "httpApi $default"}).body)

    assert found["headers"] == [["X-Pass", "local"]]
    assert "gate" in found["notes"][0]
    assert ask(console, "/_bareboat/api/credential", {"route": "httpApi GET /none"}).status == 400


def test_what_only_a_model_has_is_refused_for_another_function(console: Console):
    answer = ask(console, "/_bareboat/api/explain", {"function": "a", "document": {}})

    assert answer.status == 400
    assert "serves no model" in json.loads(answer.body)["error"]["found"]


def test_the_service_is_told_as_openapi_at_its_address(console: Console):
    document = json.loads(ask(console, "/_bareboat/openapi.json").body)

    assert document["openapi"] == "3.1.0"
    assert "http://127.0.0.1:9" in json.dumps(document)
    assert "/b" in json.dumps(document["paths"])
