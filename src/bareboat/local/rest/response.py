"""A function's answer -> the response of a REST API with a proxy integration."""

from __future__ import annotations

import binascii
from typing import Any

import msgspec

from bareboat.local.gateway.response import TOKEN, MalformedResponseError
from bareboat.local.messages import Response

JSON = ("Content-Type", "application/json")
KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
# Recorded with responses of HTTP and Lambda integrations (test_apigateway_header_remapping_*).
REMAPPED = frozenset(
    {
        "authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "max-forwards",
        "proxy-authenticate", "server", "trailer", "upgrade", "user-agent", "www-authenticate",
    }
)  # fmt: skip
DROPPED = frozenset({"keep-alive", "transfer-encoding"})
_decode = msgspec.json.Decoder().decode


class BadBase64Error(MalformedResponseError):
    """The body should be base64 and is none: 500, where other malformed answers are 502."""


def parse(payload: bytes, *, binary: bool) -> Response:
    """Return the response that a payload stands for.

    Nothing is demanded: `{}` is 200 with an empty body. Plain values are taken for each other's kinds (`"201"`,
    `true`); an unknown key, a list where there is none, or anything but an object is refused.

    Args:
        binary: whether the client accepts one of the API's binary types; only then is base64 decoded.
    Raises:
        MalformedResponseError: the payload is no such response.
        BadBase64Error: its body is no base64.
    Source:
        Sixteen cases recorded on AWS (test_aws_proxy_response_payload_format_validation) and checks against AWS of
        binary responses; the developer guide for names that stand in both kinds of headers.
    """
    try:
        answer = _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedResponseError(f"the function's answer is not JSON: {error}") from None
    except RecursionError:
        raise MalformedResponseError("the function's answer is nested too deeply") from None
    if type(answer) is not dict:
        raise MalformedResponseError(f"the function returned {_kind(answer)}, expected an object with statusCode")
    if not answer.keys() <= KEYS:
        raise _unknown(answer.keys() - KEYS)
    status = _status(answer.get("statusCode"))
    headers = _headers(answer.get("headers"), answer.get("multiValueHeaders"))
    body = answer.get("body")
    text = "" if body is None else body if type(body) is str else _scalar("body", body)
    if text and binary and _scalar("isBase64Encoded", answer.get("isBase64Encoded") or False).lower() == "true":
        return Response(status, headers, _from_base64(text))
    return Response(status, headers, text.encode("utf-8", "replace"))


def remapped(name: str) -> str:
    """Return the name under which a header is sent: some are the gateway's own and get another."""
    return f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name


def _unknown(names: set[str]) -> MalformedResponseError:
    shown = ", ".join(sorted(names)[:5])
    if "cookies" in names:
        return MalformedResponseError(
            "the response has the key cookies, which only an HTTP API knows; a REST API takes"
            " multiValueHeaders: {'Set-Cookie': [...]}"
        )
    return MalformedResponseError(
        f"the response has keys that a REST API refuses: {shown}; it knows {', '.join(sorted(KEYS))}"
    )


def _status(status: object) -> int:
    if status is None:
        return 200
    if type(status) is not int:
        text = _scalar("statusCode", status)
        if isinstance(status, float) or not (len(text) == 3 and text.isascii() and text.isdigit()):
            raise MalformedResponseError(f"statusCode is {status!r:.40}, expected a whole number")
        status = int(text)
    if not 200 <= status <= 599:
        raise MalformedResponseError(f"statusCode is {status}, expected 200 to 599")
    return status


def _headers(single: object, several: object) -> list[tuple[str, str]]:
    values: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    if several is not None:
        if not isinstance(several, dict):
            raise MalformedResponseError(f"multiValueHeaders is {_kind(several)}, expected an object")
        for name, listed in several.items():
            if not isinstance(listed, list):
                raise MalformedResponseError(f"multiValueHeaders[{name!r:.80}] is {_kind(listed)}, expected a list")
            lower = _lower(name, names)
            values.setdefault(lower, []).extend(_value(name, value) for value in listed if value is not None)
    if single is not None:
        if not isinstance(single, dict):
            raise MalformedResponseError(f"headers is {_kind(single)}, expected an object")
        for name, value in single.items():
            if value is not None:
                text = _value(name, value)
                known = values.setdefault(_lower(name, names), [])
                if text not in known:
                    known.append(text)
    lines = [
        (remapped(names[lower]), value) for lower, listed in values.items() if lower not in DROPPED for value in listed
    ]
    if "content-type" not in values:
        lines.append(JSON)
    return lines


def _lower(name: str, names: dict[str, str]) -> str:
    lower = name.lower()
    if lower not in names:
        if not TOKEN.fullmatch(name):
            raise MalformedResponseError(f"{name!r:.80} is no header name")
        names[lower] = name
    return lower


def _value(name: str, value: object) -> str:
    text = value if type(value) is str else _scalar(name, value)
    if not text.isprintable() and ("\r" in text or "\n" in text or "\0" in text):
        raise MalformedResponseError(f"the value of {name!r:.80} holds a line break")
    return text


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return msgspec.json.encode(value).decode()
    raise MalformedResponseError(f"{name!r:.80} is {_kind(value)}, expected a string")


def _from_base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError as error:  # binascii.Error among them
        raise BadBase64Error(f"isBase64Encoded is true and body is not base64: {error}") from None


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return {dict: "an object", list: "a list", str: "a string", int: "a number", float: "a number"}[type(value)]
