"""A request -> what every event format says of it: path, query, headers, ids and times."""

from __future__ import annotations

import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from bareboat.local.ids import random_bytes
from bareboat.local.messages import Request

if TYPE_CHECKING:
    from bareboat.local.verdict import Allowed

# A gateway does not hand these on (RFC 9110, section 7.6.1); no published event of an HTTP API has one.
HOP_BY_HOP = frozenset(
    {"connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
# What the gateway says of the client itself; a client's own words for it are not believed.
FORWARDED = frozenset({"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"})
TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})

_clock: tuple[int, str] = (0, "")


@dataclass(frozen=True, slots=True)
class Api:
    """What all events of one API have in common. The stage is always `$default`."""

    api_id: str
    account_id: str = "123456789012"
    stage: str = "$default"
    scheme: str = "http"
    port: str = "3000"
    domain: str = "127.0.0.1"  # for a request without Host
    stage_variables: Mapping[str, str] = field(default_factory=dict)


class Call:
    """One request as the gateway sees it.

    Attributes:
        path: as sent, percent-encoded; `decoded_path` is what a function behind an HTTP API sees.
        query_string: as sent, without the question mark.
        request_id: 16 characters, the last of them "=".
        time, time_epoch: `12/Mar/2020:19:03:58 +0000`, and milliseconds.
        trace_id: the X-Amzn-Trace-Id header, `Root=1-...`; `lambda_trace` is what the function's process is given.
        access: what access control adds to the event; None where it has nothing to say.
        parameters: those of the path, decoded, once the route is known.
    """

    __slots__ = (
        "access", "api", "decoded_path", "forwarded_for", "parameters", "path", "query_string", "request",
        "request_id", "time", "time_epoch", "trace_id",
    )  # fmt: skip

    def __init__(self, request: Request, api: Api) -> None:
        self.request = request
        self.api = api
        self.access: Allowed | None = None
        self.parameters: dict[str, str] = {}
        path, _, self.query_string = request.target.partition("?")
        if path[:1] != "/" and "://" in path:  # absolute form: a proxy's request line
            path = "/" + path.partition("://")[2].partition("/")[2]
        self.path = path if path.isascii() else header_text(path)
        self.decoded_path = unquote(self.path) if "%" in path else self.path
        random = random_bytes(23)
        now = time.time()
        self.request_id = urlsafe_b64encode(random[:11]).decode()
        self.time_epoch = int(now * 1000)
        self.time = clock(int(now))
        self.trace_id = f"Root=1-{int(now):08x}-{random[11:].hex()}"
        self.forwarded_for = request.peer[0]

    @property
    def lambda_trace(self) -> str:
        """The trace as Lambda hands it on: `Root=1-...;Parent=...;Sampled=0`."""
        if "Parent=" in self.trace_id:
            return self.trace_id
        return f"{self.trace_id};Parent={random_bytes(8).hex()};Sampled=0"

    def forward(self, name: str, value: str) -> None:
        """Take a client's own X-Forwarded-For, which the gateway adds to, or X-Amzn-Trace-Id, which it keeps."""
        if name == "x-forwarded-for" and value:
            self.forwarded_for = f"{value}, {self.request.peer[0]}"
        elif name == "x-amzn-trace-id" and value.startswith("Root=1-"):
            self.trace_id = value

    def query(self) -> dict[str, list[str]]:
        """Return the query's names and values, decoded, each name with its values in order."""
        result: dict[str, list[str]] = {}
        if self.query_string:
            for pair in self.query_string.split("&"):
                if pair:
                    name, _, value = pair.partition("=")
                    result.setdefault(_decode_query(name), []).append(_decode_query(value))
        return result

    def body(self, content_type: str) -> tuple[str | None, bool]:
        """Return the body as the event has it and whether that is base64; (None, False) when there is none."""
        data = self.request.body
        if not data:
            return None, False
        if is_text(content_type):
            try:
                return data.decode(), False
            except UnicodeDecodeError:
                pass
        return b64encode(data).decode(), True


def is_text(content_type: str) -> bool:
    """Return whether a body of this type goes into the event as it is.

    Source:
        Seen on AWS and published (docs/fidelity.md): text/*, application/json, application/xml and
        application/javascript; all else, a missing type and form-urlencoded among it, is base64.
    """
    if content_type == "application/json":
        return True
    kind = content_type.partition(";")[0].strip().lower()
    return kind in TEXT_TYPES or kind.startswith("text/")


def header_text(value: str) -> str:
    """Return a header value, which comes as one character a byte, as UTF-8 where it is that."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _decode_query(text: str) -> str:
    if not text.isascii():
        text = header_text(text)
    return unquote_plus(text) if "%" in text or "+" in text else text


def clock(second: int) -> str:
    """Return a time as events have it: `12/Mar/2020:19:03:58 +0000`."""
    global _clock  # noqa: PLW0603 - made once a second, not once a request
    if _clock[0] != second:
        moment = time.gmtime(second)
        month = "JanFebMarAprMayJunJulAugSepOctNovDec"[moment.tm_mon * 3 - 3 : moment.tm_mon * 3]
        text = f"{moment.tm_mday:02}/{month}/{moment.tm_year}"
        _clock = (second, f"{text}:{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02} +0000")
    return _clock[1]
