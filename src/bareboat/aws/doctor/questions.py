"""What docs/fidelity.md cannot tell without an account, as requests to the probe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Door = Literal["httpApi", "url"]
Header = tuple[str, str]
_JSON = ("content-type", "application/json")
_ORIGIN = ("origin", "https://example.com")
_STRANGER = ("origin", "https://stranger.example")
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Question:
    """One request, and what of its answer counts.

    Args:
        id: stable, for the report.
        rule: what bareboat assumes, in the words of docs/fidelity.md.
        times: how often it is sent at once; the answer that counts is the first of another status than 200.
        quiet: whether the bodies are too large to be kept in the report.
    """

    id: str
    rule: str
    method: str
    target: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    door: Door = "httpApi"
    times: int = 1
    quiet: bool = False


def questions() -> tuple[Question, ...]:
    """Return all of them, in the order of docs/fidelity.md."""
    return (*_routes(), *_events(), *_bodies(), *_answers(), *_limits(), *_cors(), *_urls())


def _routes() -> Iterator[Question]:
    yield Question("route-none", "no route is 404", "GET", "/nowhere")
    yield Question("route-method", "a path without the method is 404", "DELETE", "/echo")
    yield Question("route-head", "HEAD does not take a GET route", "HEAD", "/echo")
    yield Question("route-slash", "`/x/` does not take `/x`", "GET", "/echo/")
    yield Question("route-empty-segment", "an empty segment does not take `{id}`", "GET", "/items/")
    yield Question("route-decoded", "literals are compared after decoding", "GET", "/ech%6F")
    yield Question("route-encoded-slash", "segments are split before decoding", "GET", "/items/a%2Fb")
    yield Question("route-greedy-slash", "a greedy value keeps its trailing slash", "GET", "/files/a/b/")


def _events() -> Iterator[Question]:
    yield Question(
        "event", "an event of format 2.0", "GET", "/echo?a=1&a=2&b=&c", (("x-one", "1"), ("cookie", "k=v; l=w"))
    )
    yield Question("event-question-mark", "a decoded `?` in the path is kept in `rawPath`", "GET", "/items/a%3Fb")
    yield Question("event-plus", "`+` in a query is a blank", "GET", "/echo?a=b+c%2Bd")
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"
    yield Question("event-trace", "a client's X-Amzn-Trace-Id is kept", "GET", "/echo", (("x-amzn-trace-id", trace),))
    yield Question(
        "event-forwarded", "`X-Forwarded-For` is added to", "GET", "/echo", (("x-forwarded-for", "192.0.2.1"),)
    )
    yield Question("event-empty", "`content-length: 0` when nothing was sent", "POST", "/echo")


def _bodies() -> Iterator[Question]:
    rule = "which content types are base64 in events"
    for kind in (
        "text/plain",
        "text/csv; charset=iso-8859-1",
        "application/json",
        "application/problem+json",
        "application/javascript",
        "application/xml",
        "image/svg+xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/graphql",
    ):
        name = kind.split(";")[0].replace("/", "-")
        yield Question(f"base64-{name}", rule, "POST", "/echo", (("content-type", kind),), b"a=1")
    yield Question(
        "base64-not-utf-8", "text that is not UTF-8", "POST", "/echo", (("content-type", "text/plain"),), b"\xff"
    )


def _told(id_: str, rule: str, said: Any, door: Door = "httpApi", *, quiet: bool = False) -> Question:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Question(id_, rule, "POST", "/answer" if door == "httpApi" else "/", (_JSON,), body, door, quiet=quiet)


def _answers() -> Iterator[Question]:
    yield _told("failure", "a function that fails: 500 `Internal Server Error`", {"raise": "x"})
    yield _told("answer-object", "JSON without statusCode is the body", {"a": 1.10, "b": "é"})
    yield _told("answer-null", "`null` is 200 with body `null`", b"null")
    yield _told("answer-text", "a text is the body", "hello")
    yield _told("answer-nan", "what is no JSON is 500", b"NaN")
    yield _told("status-text", "a statusCode that is no number", {"statusCode": "abc"})
    yield _told("status-999", "a statusCode outside 200 to 599", {"statusCode": 999})
    yield _told("status-199", "a statusCode outside 200 to 599", {"statusCode": 199})
    yield _told("status-float", "a statusCode of 200.0", b'{"statusCode": 200.0}')
    yield _told("body-number", "a body that is no string", {"statusCode": 200, "body": 3})
    yield _told("cookies-text", "cookies that are no list", {"statusCode": 200, "cookies": "a=b"})
    yield _told("base64-wrong", "base64 that is none", {"statusCode": 200, "body": "%%%", "isBase64Encoded": True})
    yield _told("header-break", "a line break in a header", {"statusCode": 200, "headers": {"x-a": "1\r\nx-b: 2"}})
    yield _told("header-number", "a header that is a number", {"statusCode": 200, "headers": {"x-a": 1}})
    yield _told("no-body", "no content type without a body", {"statusCode": 204})
    yield _told("large-answer", "an answer over Lambda's 6 MB", {"bytes": 6_400_000}, quiet=True)
    yield Question("timeout", "a function that runs into its timeout", "GET", "/slow")


def _limits() -> Iterator[Question]:
    yield Question("body-6-mb", "a request over Lambda's 6 MB", "POST", "/echo", (_JSON,), _text(7 * _MB), quiet=True)
    yield Question("body-10-mb", "10 MB of body is 413", "POST", "/echo", (_JSON,), _text(10 * _MB + 1), quiet=True)
    for size in (9_000, 10_300):
        rule = "10,240 bytes of request line and headers"
        yield Question(f"headers-{size}", rule, "GET", "/nowhere", (("x-long", "x" * size),), quiet=True)
    yield Question("throttled", "throttling is 429 `Too Many Requests`", "GET", "/limited", times=12)


def _text(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


def _cors() -> Iterator[Question]:
    asks = (("access-control-request-method", "POST"), ("access-control-request-headers", "content-type"))
    yield Question("preflight", "a preflight is 204", "OPTIONS", "/echo", (_ORIGIN, *asks))
    yield Question("preflight-nowhere", "a preflight of no route", "OPTIONS", "/nowhere", (_ORIGIN, *asks))
    yield Question(
        "preflight-stranger",
        "an origin that is not allowed: 204 without CORS headers",
        "OPTIONS",
        "/echo",
        (_STRANGER, *asks),
    )
    yield Question("options", "OPTIONS without an origin", "OPTIONS", "/echo")
    yield Question("cors", "CORS headers of an answer", "GET", "/echo", (_ORIGIN,))
    yield Question("cors-stranger", "CORS headers for another origin", "GET", "/echo", (_STRANGER,))
    yield Question("cors-404", "CORS headers on the gateway's own 404", "GET", "/nowhere", (_ORIGIN,))
    yield Question(
        "cors-500", "CORS headers on the gateway's own 500", "POST", "/answer", (_ORIGIN, _JSON), b'{"raise": "x"}'
    )


def _urls() -> Iterator[Question]:
    yield Question("url-event", "an event of a function URL", "GET", "/a/b?x=1&x=2", (("x-one", "1"),), door="url")
    yield Question("url-options", "OPTIONS reach the function without CORS", "OPTIONS", "/", (_ORIGIN,), door="url")
    kind = (("content-type", "application/graphql"),)
    yield Question("url-base64", "which content types are base64 in events", "POST", "/", kind, b"a=1", door="url")
    yield Question("url-body-6-mb", "413 over 6 MiB", "POST", "/", (_JSON,), _text(7 * _MB), door="url", quiet=True)
