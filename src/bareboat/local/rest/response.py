"""A function's answer -> the response of a REST API with a proxy integration."""

from __future__ import annotations

from bareboat.local.gateway.returned import (
    TOKEN,
    MalformedResponseError,
    document,
    from_base64,
    header_value,
    kind,
    text_of,
)
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
    answer = document(payload)
    if type(answer) is not dict:
        raise MalformedResponseError(f"the function returned {kind(answer)}, expected an object with statusCode")
    if not answer.keys() <= KEYS:
        raise _unknown(answer.keys() - KEYS)
    status = _status(answer.get("statusCode"))
    headers = _headers(answer.get("headers"), answer.get("multiValueHeaders"))
    body = answer.get("body")
    text = "" if body is None else body if type(body) is str else text_of("body", body)
    if text and binary and text_of("isBase64Encoded", answer.get("isBase64Encoded") or False).lower() == "true":
        return Response(status, headers, from_base64(text))
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
        text = text_of("statusCode", status)
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
            raise MalformedResponseError(f"multiValueHeaders is {kind(several)}, expected an object")
        for name, listed in several.items():
            if not isinstance(listed, list):
                raise MalformedResponseError(f"multiValueHeaders[{name!r:.80}] is {kind(listed)}, expected a list")
            lower = _lower(name, names)
            values.setdefault(lower, []).extend(header_value(name, value) for value in listed if value is not None)
    if single is not None:
        if not isinstance(single, dict):
            raise MalformedResponseError(f"headers is {kind(single)}, expected an object")
        for name, value in single.items():
            if value is not None:
                text = header_value(name, value)
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
