"""A function's answer -> the response of an HTTP API."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from bareboat.local.gateway.returned import TOKEN, MalformedResponseError, document, from_base64, header_value, kind
from bareboat.local.messages import FRAMING, REASONS, Response

JSON = ("Content-Type", "application/json")
TEXT = ("Content-Type", "text/plain; charset=utf-8")


def parse_v2(payload: bytes, default_type: tuple[str, str] = TEXT) -> Response:
    """Return the response that a payload stands for, format 2.0.

    An object with `statusCode` is the response; anything else is JSON for the body of a 200.

    Args:
        default_type: the header of a body whose type the function does not tell; function URLs have another.
    Raises:
        MalformedResponseError: it is not JSON, or an object with `statusCode` whose other fields are of the wrong type.
    Source:
        AWS's guide; Function URLs recorded on AWS (compact JSON, a string without its quotes); the default type
        `text/plain; charset=utf-8` recorded on HTTP APIs. See docs/fidelity.md.
    """
    answer = document(payload)
    if type(answer) is dict and "statusCode" in answer:
        headers = _headers(answer.get("headers"))
        cookies = answer.get("cookies")
        if cookies is not None:
            if not isinstance(cookies, list):
                raise MalformedResponseError(f"cookies is {kind(cookies)}, expected a list of strings")
            headers += [("Set-Cookie", header_value("cookies", cookie)) for cookie in cookies]
        return _response(answer, headers, default_type)
    if isinstance(answer, str):
        return Response(200, [JSON], answer.encode())
    return Response(200, [JSON], msgspec.json.format(payload, indent=-1))


def parse_v1(payload: bytes) -> Response:
    """Return the response that a payload stands for, format 1.0: nothing is inferred.

    Raises:
        MalformedResponseError: it is not an object with `statusCode`, or its other fields are of the wrong type.
    Source:
        AWS's guide; recordings of HTTP APIs with format 1.0 and of the REST API's response validation.
    """
    answer = document(payload)
    if type(answer) is not dict:
        raise MalformedResponseError(f"the function returned {kind(answer)}, expected an object with statusCode")
    if "statusCode" not in answer:
        raise MalformedResponseError("the response has no statusCode")
    headers = _headers(answer.get("headers"))
    several = answer.get("multiValueHeaders")
    if several is not None:
        if not isinstance(several, dict):
            raise MalformedResponseError(f"multiValueHeaders is {kind(several)}, expected an object")
        for name, values in several.items():
            if not isinstance(values, list):
                raise MalformedResponseError(f"multiValueHeaders[{name!r}] is {kind(values)}, expected a list")
            headers += [(canonical_name(name), header_value(name, value)) for value in values]
    return _response(answer, headers)


def message(status: int, text: str = "") -> Response:
    """Return the gateway's own answer: `{"message":"Not Found"}`."""
    return Response(status, [JSON], b'{"message":"%s"}' % (text or REASONS[status]).encode())


def error_text(payload: bytes) -> str:
    """Return what an error document says, in a line: `the function failed: ValueError: no such label`."""
    try:
        said = document(payload)
    except MalformedResponseError:
        said = None
    if not isinstance(said, dict):
        return "the function failed"
    texts = (str(said.get(name) or "") for name in ("errorType", "errorMessage"))
    return ": ".join(["the function failed", *(" ".join(text.split())[:200] for text in texts if text)])


def _response(answer: dict[str, Any], headers: list[tuple[str, str]], default_type: tuple[str, str] = TEXT) -> Response:
    status = _status(answer["statusCode"])
    body = answer.get("body")
    if body is None:
        return Response(status, headers)
    if not isinstance(body, str):
        raise MalformedResponseError(f"body is {kind(body)}, expected a string")
    encoded = answer.get("isBase64Encoded")
    if encoded is not None and not isinstance(encoded, bool):
        raise MalformedResponseError(f"isBase64Encoded is {kind(encoded)}, expected true or false")
    data = from_base64(body) if encoded else body.encode()
    if data:
        for name, _ in headers:
            if name == "Content-Type":
                break
        else:
            headers.append(default_type)
    return Response(status, headers, data)


def _status(status: object) -> int:
    if isinstance(status, str) and status.isascii() and status.isdigit() and len(status) == 3:
        status = int(status)
    if type(status) is not int or not 200 <= status <= 599:
        shown = f"{status!r:.40}" if isinstance(status, int | float | str) else kind(status)
        raise MalformedResponseError(f"statusCode is {shown}, expected a whole number from 200 to 599")
    return status


def _headers(headers: object) -> list[tuple[str, str]]:
    if headers is None:
        return []
    if not isinstance(headers, dict):
        raise MalformedResponseError(f"headers is {kind(headers)}, expected an object")
    return [
        (canonical_name(name), value if type(value) is str and value.isprintable() else header_value(name, value))
        for name, value in headers.items()
        if value is not None and name.lower() not in FRAMING
    ]


@lru_cache(maxsize=512)
def canonical_name(name: str) -> str:
    """Return a header name as an HTTP API writes it over HTTP/1.1: `myheader` is sent as `Myheader` (recorded).

    Raises:
        MalformedResponseError: it is no header name.
    """
    if not TOKEN.fullmatch(name):
        raise MalformedResponseError(f"{name!r:.80} is no header name")
    return "-".join(part.capitalize() for part in name.split("-"))
