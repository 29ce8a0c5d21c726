"""A request and a response, and a response as bytes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

REASONS = {
    100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted",
    203: "Non-Authoritative Information", 204: "No Content", 205: "Reset Content", 206: "Partial Content",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
    402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
    413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable", 417: "Expectation Failed", 418: "I'm a teapot",
    422: "Unprocessable Entity", 425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}  # fmt: skip
FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})

_date: tuple[int, str] = (0, "")


@dataclass(slots=True)
class Request:
    """One request as it was sent.

    Args:
        target: path and query, raw, as on the request line.
        headers: in order and in the case that was sent. Names and values are Latin-1 text: one character a byte.
        body: de-chunked.
        peer: address and port of the client.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    peer: tuple[str, int]

    def header(self, name: str) -> str:
        """Return the first header of a name, which is in lower case; "" where there is none."""
        length = len(name)
        for sent, value in self.headers:
            if len(sent) == length and sent.lower() == name:
                return value
        return ""


@dataclass(slots=True)
class Response:
    """One response. The server adds Content-Length, Connection and Date; headers of those framing names are dropped."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


def encode(response: Response, *, keep_alive: bool, head_only: bool = False) -> bytes:
    """Return the response as bytes.

    Args:
        head_only: leave the body out but count it, as the answer to HEAD has it.
    Raises:
        ValueError: a header holds a line break or NUL, or the status is not 200-599.
    """
    status = response.status
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status of a final response")
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}"]
    dated = False
    for name, value in response.headers:
        lower = name.lower()
        if lower in FRAMING:
            continue
        dated = dated or lower == "date"
        lines.append(f"{name}: {value}")
    if not dated:
        lines.append(f"Date: {http_date()}")
    bodiless = status in {204, 304}
    if not bodiless:
        lines.append(f"Content-Length: {len(response.body)}")
    lines.append("Connection: keep-alive\r\n\r\n" if keep_alive else "Connection: close\r\n\r\n")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) + 1 or text.count("\r") != len(lines) + 1 or "\0" in text:
        raise ValueError("a response header holds a line break or NUL")
    head = text.encode("latin-1") if text.isascii() else text.encode("utf-8")
    return head if bodiless or head_only else head + response.body


def refusal(status: int) -> Response:
    """Return the server's own answer to what it refuses: 400, 408, 413, 431, 503, 505; and a 500."""
    return Response(status, (("Content-Type", "application/json"),), b'{"message":"%s"}' % REASONS[status].encode())


def http_date() -> str:
    """Return the time now as the Date header has it (RFC 9110, section 5.6.7)."""
    global _date  # noqa: PLW0603 - made once a second, not once a response
    now = int(time.time())
    if _date[0] != now:
        moment = time.gmtime(now)
        day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.tm_wday]
        month = "JanFebMarAprMayJunJulAugSepOctNovDec"[moment.tm_mon * 3 - 3 : moment.tm_mon * 3]
        clock = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
        _date = (now, f"{day}, {moment.tm_mday:02} {month} {moment.tm_year} {clock} GMT")
    return _date[1]
