"""What somebody typed into the page -> a request to the API's own port, so that keys, authorizers and limits apply."""

from __future__ import annotations

import asyncio
import base64
import binascii
import http.client
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bareboat.errors import InputError, LocalError
from bareboat.local.console.source import Cloud, Observed

TIMEOUT_S = 40.0  # a gateway gives up after 30
AT_ONCE = 8
MOST_BYTES = 12_000_000
_KEPT_S = 1.5  # how long the record of what was sent is waited for
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}\Z")
_IDS = ("apigw-requestid", "x-amzn-requestid")
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Sender:
    """Sends requests and invokes functions for the page, a few at a time."""

    def __init__(self, cloud: Cloud, observed: Observed) -> None:
        self._cloud = cloud
        self._observed = observed
        self._room = asyncio.Semaphore(AT_ONCE)

    async def send(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request through the door of its API.

        Args:
            asked: api ("httpApi", "http", "url"), function (of a url), method, path with its query, headers as pairs,
                body as text, base64 where it is no text.
        Returns:
            status, reason, headers, body, base64, took_ms, and what was observed of it as `detail`.
        Raises:
            InputError: it cannot be sent as it is.
            LocalError: the door does not answer.
        """
        url = self._address(str(asked.get("api", "")), str(asked.get("function", "")))
        request = _checked(asked)
        async with self._room:
            answer = await asyncio.to_thread(_exchange, url, *request)
        answer["detail"] = await self._kept(answer.pop("request_id"))
        return answer

    async def invoke(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function without a request.

        Args:
            asked: function, event as JSON text.
        Raises:
            InputError: the event is no JSON.
        """
        event = str(asked.get("event", "") or "{}").encode()
        try:
            msgspec.json.decode(event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(
                f"the event is no JSON: {error}", expected="a JSON document: Lambda refuses others with 400"
            ) from error
        started = perf_counter()
        async with self._room:
            done = await self._cloud.invoke(str(asked.get("function", "")), event)
        return {
            "status": 0,
            "error": done.error,
            "body": done.payload.decode("utf-8", "replace"),
            "base64": False,
            "headers": [],
            "took_ms": (perf_counter() - started) * 1000,
            "detail": {
                "function": done.function,
                "source": done.source,
                "event": event.decode("utf-8", "replace"),
                "payload": done.payload.decode("utf-8", "replace"),
                "log": done.log,
                "duration_ms": done.duration_ms,
                "billed_ms": done.billed_ms,
                "init_ms": done.init_ms,
                "memory_mb": done.memory_mb,
                "max_memory_mb": done.max_memory_mb,
                "invocation_id": done.request_id,
                "invocation_error": done.error,
            },
        }

    def _address(self, api: str, function: str) -> str:
        for one in self._cloud.addresses:
            if one.kind == api and one.function == (function if api == "url" else ""):
                return one.url
        known = ", ".join(one.kind for one in self._cloud.addresses)
        raise InputError(f"there is no address of {api!r:.40}", expected=known)

    async def _kept(self, request_id: str) -> Mapping[str, Any] | None:
        """Wait a moment for what was observed of a request: it is written in batches."""
        if not request_id:
            return None
        until = perf_counter() + _KEPT_S
        while True:
            found = await asyncio.to_thread(self._observed.detail, request_id)
            if found is not None or perf_counter() > until:
                return found
            await asyncio.sleep(0.03)


def _checked(asked: Mapping[str, Any]) -> tuple[str, str, list[tuple[str, str]], bytes]:
    method, path = str(asked.get("method", "GET")).upper(), str(asked.get("path", "/"))
    if not _TOKEN.match(method):
        raise InputError(f"{method[:40]!r} is no method", expected="such as POST")
    if (
        not path.startswith("/")
        or not path.isascii()
        or any(character <= " " or character == "\x7f" for character in path)
    ):
        raise InputError("the path cannot be sent", expected="it begins with / and has no spaces or line breaks")
    headers: list[tuple[str, str]] = []
    given = asked.get("headers", [])
    if not isinstance(given, list):
        raise InputError("the headers are no list", expected="pairs of a name and a value")
    for pair in given:
        name, value = (str(pair[0]), str(pair[1])) if isinstance(pair, list) and len(pair) == 2 else ("", "")
        if not _TOKEN.match(name):
            raise InputError(f"{name[:40]!r} is no name of a header", expected="letters, digits and -")
        if name.lower() in _FRAMING:
            raise InputError(f"the header {name} is set by the client itself", fix="leave it out")
        if not all(" " <= character <= "\xff" and character != "\x7f" for character in value):
            raise InputError(f"the value of the header {name} cannot be sent", expected="one line of Latin-1")
        headers.append((name, value.strip()))
    body = str(asked.get("body", "") or "")
    try:
        return method, path, headers, base64.b64decode(body, validate=True) if asked.get("base64") else body.encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InputError("the body cannot be sent", expected="text, or base64") from error


def _exchange(url: str, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> dict[str, Any]:
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "127.0.0.1", at.port, timeout=TIMEOUT_S)
    started = perf_counter()
    try:
        connection.putrequest(method, at.path.rstrip("/") + path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1"))
        if body or method not in ("GET", "HEAD", "OPTIONS", "DELETE"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        answered = response.read(MOST_BYTES)
        took_ms = (perf_counter() - started) * 1000
    except (OSError, http.client.HTTPException) as error:
        raise LocalError(
            f"{url} does not answer: {error or type(error).__name__}", fix="look at the terminal of `bareboat serve`"
        ) from error
    finally:
        connection.close()
    text, is_base64 = _text(answered)
    return {
        "status": response.status,
        "reason": response.reason,
        "headers": [list(pair) for pair in response.getheaders()],
        "body": text,
        "base64": is_base64,
        "took_ms": took_ms,
        "request_id": next((response.headers[name] for name in _IDS if name in response.headers), ""),
    }


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
