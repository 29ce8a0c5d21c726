"""Credentials in requests, events and answers -> the same with their values hidden.

What a person needs to follow what happened stays: the scheme of Authorization, the names of cookies and the attributes
of Set-Cookie, that an API key was there. The values never reach the disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

HIDDEN = "***"
SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "cookie", "set-cookie", "x-amz-security-token"}
)

# Names under which events and answers hold credentials: headers, v2's cookies, identity.apiKey (REST),
# authorizationToken and identitySource (authorizers), usageIdentifierKey (their answers).
_NAMES = (
    b"authorization", b"proxy-authorization", b"x-api-key", b"cookie", b"cookies", b"set-cookie",
    b"x-amz-security-token", b"x-amz-signature", b"apikey", b"authorizationtoken", b"identitysource",
    b"usageidentifierkey",
)  # fmt: skip
_QUOTED = [(b'"%s"' % name, name.decode()) for name in _NAMES]
_ROOTS = (b"authorization", b"cookie", b"api-key", b"apikey", b"x-amz-s", b"identitysource", b"usageidentifier")
"""One of which each of the names has: most events have none of them."""
_STRING = rb'"(?:[^"\\]|\\.)*+(?:"|\Z)'
_VALUE = re.compile(rb"\s*:\s*(" + _STRING + rb"|\[(?:\s*+" + _STRING + rb"\s*+,?+)*+\]?)", re.DOTALL)
_STRINGS = re.compile(_STRING, re.DOTALL)
_QUERY = re.compile(r"((?:^|[?&])x-amz-(?:security-token|signature)=)[^&]*", re.IGNORECASE)
_QUERY_IN_JSON = re.compile(rb'([?&"]x-amz-(?:security-token|signature)=)[^&"]*', re.IGNORECASE)


def masked_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers in their order, the values of those that carry credentials hidden."""
    return [
        (name, masked_value(name.lower(), value)) if name.lower() in SECRET_HEADERS else (name, value)
        for name, value in headers
    ]


def masked_value(name: str, value: str) -> str:
    """Return the value of a header, or of a member of an event, with what is secret hidden.

    Args:
        name: in lower case.
    """
    if name in {"cookie", "cookies"}:
        return "; ".join(_hidden_pair(pair) for pair in value.split("; "))
    if name == "set-cookie":
        pair, semicolon, attributes = value.partition(";")
        return _hidden_pair(pair) + semicolon + attributes
    scheme, space, _ = value.partition(" ")
    if space and scheme.replace("-", "").isalnum() and len(scheme) <= 20:
        return f"{scheme} {HIDDEN}"
    return HIDDEN if value else ""


def masked_json(text: bytes) -> bytes:
    """Return JSON, or as much of it as there is, with the credentials of events and answers hidden."""
    lower = text.lower()
    for root in _ROOTS:
        if root in lower:
            break
    else:
        return text
    if b"x-amz-s" in lower:
        text = _QUERY_IN_JSON.sub(rb"\1" + HIDDEN.encode(), text)
        lower = text.lower()
    ends = []  # of the names, quotes included
    for quoted, name in _QUOTED:
        at = lower.find(quoted)
        while at >= 0:
            ends.append((at + len(quoted), name))
            at = lower.find(quoted, at + 1)
    parts, done = [], 0
    for end, kind in sorted(ends):
        value = _VALUE.match(text, end)
        if value is not None and end >= done:
            parts += [text[done : value.start(1)], _STRINGS.sub(partial(_hidden_string, kind), value[1])]
            done = value.end()
    return b"".join([*parts, text[done:]])


def masked_query(query: str) -> str:
    """Return a query string without the token and signature of a presigned request."""
    return _QUERY.sub(rf"\1{HIDDEN}", query) if "x-amz-" in query.lower() else query


def _hidden_string(kind: str, string: re.Match[bytes]) -> bytes:
    inner = string[0].removeprefix(b'"').removesuffix(b'"').decode("utf-8", "replace")
    kept = masked_value("set-cookie" if kind == "cookies" and "; " in inner else kind, inner)
    return b'"' + kept.encode() + b'"'


def _hidden_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={HIDDEN}" if equals else HIDDEN
