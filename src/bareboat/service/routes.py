"""The syntax of routes, methods, paths and their parameters, and the headers that other origins may send them.

Source: API Gateway's developer guide (routes of HTTP APIs); the Serverless Framework's httpApi and http events.
"""

from __future__ import annotations

import re
from typing import NamedTuple

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
METHODS_TEXT = "one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, or '*' for any"

# The Serverless Framework's headers for `cors: true`, the same in lib/plugins/aws/package/compile/events/http-api.js
# and api-gateway/lib/validate.js
CORS_HEADERS = (
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
)

_SHORT = r"(\S+)\s+(\S*)\Z"
_PARAMETER = r"\{([^{}]*)\}\Z"
_NAME = r"[A-Za-z0-9._:-]+\+?\Z"
_LITERAL = re.compile(r"[A-Za-z0-9._~:@!$&'()*+,;=%-]*\Z")


class Fault(NamedTuple):
    """What is wrong with a route."""

    found: str
    expected: str
    fix: str = ""


def split_short(text: str) -> tuple[str, str] | Fault:
    """Split the short form `POST /predict`, or `*`, into method and path."""
    if text.strip() == "*":
        return "*", "*"
    match = re.match(_SHORT, text.strip())
    if match is None:
        return Fault(f"'{text}' is no route", "METHOD /path, such as 'POST /predict', or '*'")
    return match[1], match[2]


def method_of(text: str) -> str | Fault:
    """Return a method in upper case, "*" for any."""
    upper = text.strip().upper()
    if upper in ("*", "ANY"):
        return "*"
    return upper if upper in METHODS else Fault(f"'{text}' is no method", METHODS_TEXT)


def path_fault(path: str) -> Fault | None:
    """Return what is wrong with a path that begins with a slash, or None."""
    if not path.startswith("/"):
        return Fault(f"path '{path}' does not begin with '/'", "a path such as /predict", f"write /{path}")
    segments = path[1:].split("/")
    names: set[str] = set()
    for index, segment in enumerate(segments):
        if "{" not in segment and "}" not in segment:
            if not _LITERAL.match(segment):
                return Fault(f"path '{path}' has '{segment}'", "letters, digits and the signs that a URL path allows")
            continue
        fault = _parameter_fault(path, segment, last=index == len(segments) - 1)
        if fault is not None:
            return fault
        name = segment.strip("{}+")
        if name in names:
            return Fault(f"path '{path}' has {{{name}}} twice", "each parameter once")
        names.add(name)
    return None


def _parameter_fault(path: str, segment: str, *, last: bool) -> Fault | None:
    match = re.match(_PARAMETER, segment)
    if match is None:
        return Fault(f"path '{path}' has '{segment}'", "a parameter that fills its segment, such as /items/{id}")
    if not re.match(_NAME, match[1]):
        return Fault(f"path '{path}' has the parameter '{segment}'", "a name of letters, digits, '.', '_' and '-'")
    if match[1].endswith("+") and not last:
        return Fault(
            f"path '{path}' goes on after the greedy '{segment}'",
            "a greedy parameter only at the end",
            "take out the '+'",
        )
    return None
