"""Credentials in requests, events and answers -> the same with their values hidden.

What a person needs to follow what happened stays: the scheme of Authorization, the names of cookies and the attributes
of Set-Cookie, that an API key was there. The values never reach the disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.service.model import Service

HIDDEN = "***"
SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "cookie", "set-cookie", "x-amz-security-token"}
)

# Names under which events and answers hold credentials: headers, v2's cookies, identity.apiKey (REST),
# authorizationToken and identitySource (authorizers), usageIdentifierKey (their answers).
_NAMES = (
    b"authorization", b"proxy-authorization", b"x-api-key", b"cookie", b"cookies", b"set-cookie",
    b"x-amz-security-token", b"x-amz-signature", b"apikey", b"authorizationtoken", b"identitysource",
    b"usageidentifierkey", b"access_token",
)  # fmt: skip
_ROOTS = (
    b"authorization", b"cookie", b"api-key", b"apikey", b"x-amz-s", b"identitysource", b"usageidentifier",
    b"access_token",
)  # fmt: skip
"""One of which each of the names has: most events have none of them."""
_STRING = rb'"(?:[^"\\]|\\.)*+(?:"|\Z)'
_VALUE = re.compile(rb"\s*:\s*(" + _STRING + rb"|\[(?:\s*+" + _STRING + rb"\s*+,?+)*+\]?)", re.DOTALL)
_STRINGS = re.compile(_STRING, re.DOTALL)
_WITH_SCHEME = {"authorization", "proxy-authorization", "authorizationtoken", "identitysource"}
_PARAMETERS = ("x-amz-security-token", "x-amz-signature", "access_token")  # of presigned requests; RFC 6750


class Mask:
    """Hides what carries credentials: what always does, and what a service's authorizers read.

    Args:
        headers, parameters: their names, of headers and of the query, in any case.
    """

    def __init__(self, headers: Iterable[str] = (), parameters: Iterable[str] = ()) -> None:
        own = {name.lower() for name in headers}
        asked = {name.lower() for name in parameters}
        self._headers = SECRET_HEADERS | own
        names = dict.fromkeys([*_NAMES, *(json.dumps(name)[1:-1].encode() for name in sorted(own | asked))])
        self._quoted = [(b'"%s"' % name, name.decode()) for name in names]
        self._roots = (*_ROOTS, *(name for name in names if name not in _NAMES))
        self._marks = tuple(dict.fromkeys((*_PARAMETERS, *sorted(asked))))
        either = "|".join(map(re.escape, self._marks))
        self._query = re.compile(rf"((?:^|[?&])(?:{either})=)[^&]*", re.IGNORECASE)
        self._query_in_json = re.compile(rf'([?&"](?:{either})=)[^&"]*'.encode(), re.IGNORECASE)

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return headers in their order, the values of those that carry credentials hidden."""
        return [
            (name, masked_value(name.lower(), value)) if name.lower() in self._headers else (name, value)
            for name, value in headers
        ]

    def query(self, query: str) -> str:
        """Return a query string without the values of parameters that carry credentials."""
        lower = query.lower()
        return self._query.sub(rf"\1{HIDDEN}", query) if any(mark in lower for mark in self._marks) else query

    def json(self, text: bytes) -> bytes:
        """Return JSON, or as much of it as there is, with the credentials of events and answers hidden."""
        lower = text.lower()
        for root in self._roots:
            if root in lower:
                break
        else:
            return text
        if any(mark.encode() in lower for mark in self._marks):
            text = self._query_in_json.sub(rb"\1" + HIDDEN.encode(), text)
            lower = text.lower()
        ends = []  # of the names, quotes included
        for quoted, name in self._quoted:
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


ALWAYS = Mask()


def mask_of(service: Service) -> Mask:
    """Return what hides what a service's authorizers read, too."""
    headers: set[str] = set()
    parameters: set[str] = set()
    for written in _identity_sources(service):
        for place, names in (("request.header.", headers), ("request.querystring.", parameters)):
            _, found, name = written.rpartition(place)
            if found and name.strip():
                names.add(name.strip())
    return Mask(headers, parameters)


def _identity_sources(service: Service) -> Iterable[str]:
    for function in service.functions.values():
        for event in function.events:
            authorizer = getattr(event, "authorizer", None)
            yield from getattr(authorizer, "identity_sources", ())
            yield getattr(authorizer, "identity_source", "")


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
    if name in _WITH_SCHEME and space and scheme.replace("-", "").isalnum() and len(scheme) <= 20:
        return f"{scheme} {HIDDEN}"
    return HIDDEN if value else ""


def _hidden_string(kind: str, string: re.Match[bytes]) -> bytes:
    inner = string[0].removeprefix(b'"').removesuffix(b'"').decode("utf-8", "replace")
    kept = masked_value("set-cookie" if kind == "cookies" and "; " in inner else kind, inner)
    return b'"' + kept.encode() + b'"'


def _hidden_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={HIDDEN}" if equals else HIDDEN
