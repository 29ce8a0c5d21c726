"""Credentials in requests, events and answers -> the same with their values hidden.

What a person needs to follow what happened stays: the scheme of Authorization, the names of cookies and the attributes
of Set-Cookie, that an API key was there. The values never reach the disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "***"
SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "cookie", "set-cookie", "x-amz-security-token"}
)

_STRING = rb'"(?:[^"\\]|\\.)*+(?:"|\Z)'
# Names under which events and answers hold credentials: headers, v2's cookies,
# identity.apiKey (REST), authorizationToken and identitySource (authorizers), usageIdentifierKey (their answers).
_KEYS = (
    rb"authorization|proxy-authorization|x-api-key|cookies?|set-cookie|x-amz-security-token|x-amz-signature"
    rb"|apikey|authorizationtoken|identitysource|usageidentifierkey"
)
_MEMBER = re.compile(
    rb'"(' + _KEYS + rb')"(\s*:\s*)(' + _STRING + rb"|\[(?:\s*+" + _STRING + rb"\s*+,?+)*+\]?)", re.IGNORECASE
)
_STRINGS = re.compile(_STRING)
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
    if b"x-amz-" in text or b"X-Amz-" in text:
        text = _QUERY_IN_JSON.sub(rb"\1" + HIDDEN.encode(), text)
    return _MEMBER.sub(_hidden_member, text)


def masked_query(query: str) -> str:
    """Return a query string without the token and signature of a presigned request."""
    return _QUERY.sub(rf"\1{HIDDEN}", query) if "x-amz-" in query.lower() else query


def _hidden_member(found: re.Match[bytes]) -> bytes:
    name, colon, value = found[1], found[2], found[3]
    kind = name.decode().lower()

    def hidden(string: re.Match[bytes]) -> bytes:
        inner = string[0].removeprefix(b'"').removesuffix(b'"').decode("utf-8", "replace")
        kept = masked_value("set-cookie" if kind == "cookies" and "; " in inner else kind, inner)
        return b'"' + kept.encode() + b'"'

    return b'"' + name + b'"' + colon + _STRINGS.sub(hidden, value)


def _hidden_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={HIDDEN}" if equals else HIDDEN
