"""observed.sqlite -> invocations, requests and reloads.

Beside it `timeline` asks for both in one list, and `figures` and `rolling` for numbers; nothing else asks the store.

Everything here waits for the disk: in an event loop, `await asyncio.to_thread(...)`. Where there is no store, there is
nothing: empty lists and None.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bareboat.local.observe.file import reading
from bareboat.local.reload_record import Reload

_SHAPES = {"2xx": 200, "3xx": 300, "4xx": 400, "5xx": 500}
SOME = 100


class SeenInvocation(msgspec.Struct, frozen=True, kw_only=True):
    """An invocation that was kept. The fields are those of Invocation.

    Args:
        id: rises with each one that ended.
        event, payload, log: cut to the store's limit, credentials hidden; None when no body was kept.
        event_bytes, payload_bytes, log_bytes: as long as they were.
    """

    id: int
    request_id: str
    function: str
    at: float
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None
    error: str
    source: str
    generation: int
    event: bytes | None = None
    payload: bytes | None = None
    log: str | None = None
    event_bytes: int = 0
    payload_bytes: int = 0
    log_bytes: int = 0


class SeenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was kept. The fields are those of AccessRecord.

    Args:
        id: rises with each one that was answered.
        query: without the question mark.
        duration_ms, init_ms, invocation_error: of its invocation; None and "" when there was none.
        request_headers, response_headers, request_body, response_body: as sent, cut to the store's limit, credentials
            hidden in the headers; only from `request`, and None when no body was kept.
        request_bytes, response_bytes: as long as the bodies were.
    """

    id: int
    request_id: str
    invocation_id: str
    at: float
    method: str
    path: str
    query: str
    status: int
    latency_ms: float
    function: str
    cold: bool
    error: str
    api: str
    route: str
    authorizer: str
    refused: str
    api_key: str
    duration_ms: float | None = None
    init_ms: float | None = None
    invocation_error: str = ""
    request_headers: list[tuple[str, str]] | None = None
    request_body: bytes | None = None
    response_headers: list[tuple[str, str]] | None = None
    response_body: bytes | None = None
    request_bytes: int = 0
    response_bytes: int = 0


class LastIds(msgspec.Struct, frozen=True):
    """The newest of each kind: what a reader compares to see whether something happened. 0 is none yet."""

    invocations: int = 0
    requests: int = 0
    reloads: int = 0


_INVOCATION = (
    "i.id, i.request_id, i.function, i.at, i.duration_ms, i.billed_ms, i.memory_mb, i.max_memory_mb, i.init_ms,"
    " i.error, i.source, i.generation"
)
_INVOCATION_BODIES = "b.event, b.payload, cast(b.log as text), b.event_bytes, b.payload_bytes, b.log_bytes"
_INVOCATIONS = "invocations i left join invocation_bodies b on b.id = i.id"
_REQUEST = (
    "r.id, r.request_id, r.invocation_id, r.at, r.method, r.path, r.query, r.status, r.latency_ms, r.function, r.cold,"
    " r.error, r.api, r.route, r.authorizer, r.refused, r.api_key"
)


def invocations(  # noqa: PLR0913
    path: Path,
    *,
    function: str = "",
    since: float | None = None,
    until: float | None = None,
    grep: str = "",
    errors: bool = False,
    limit: int = SOME,
    after_id: int | None = None,
    before_id: int | None = None,
) -> list[SeenInvocation]:
    """Return invocations, the oldest first.

    Args:
        since, until: seconds since 1970, of when they began; `until` is not among them.
        grep: a regular expression, or a text where it is none, that the log holds.
        errors: only those that failed.
        limit: at most so many: the newest; with `after_id` the oldest.
        after_id, before_id: only those that ended later, or earlier, than that one.
    """
    where, values = _where(
        ("i.function = ?", function or None),
        ("i.at >= ?", since),
        ("i.at < ?", until),
        ("i.id > ?", after_id),
        ("i.id < ?", before_id),
        ("matches(?, b.log)", grep or None),
    )
    if errors:
        where += " and i.error <> ''"
    order = "asc" if after_id is not None else "desc"
    with _reading(path, grep) as connection:
        if connection is None:
            return []
        found = connection.execute(
            f"select {_INVOCATION}, {_INVOCATION_BODIES} from {_INVOCATIONS}"
            f" where {where} order by i.id {order} limit ?",
            (*values, limit),
        ).fetchall()
    rows = [_invocation(row) for row in found]
    return rows if order == "asc" else rows[::-1]


def invocation(path: Path, request_id: str) -> SeenInvocation | None:
    """Return one invocation by the function's request id."""
    with _reading(path) as connection:
        if connection is None:
            return None
        row = connection.execute(
            f"select {_INVOCATION}, {_INVOCATION_BODIES} from {_INVOCATIONS}"
            " where i.request_id = ? order by i.id desc limit 1",
            (request_id,),
        ).fetchone()
    return None if row is None else _invocation(row)


def requests(  # noqa: PLR0913
    path: Path,
    *,
    since: float | None = None,
    until: float | None = None,
    route: str = "",
    function: str = "",
    api: str = "",
    status_class: str = "",
    grep: str = "",
    limit: int = SOME,
    before_id: int | None = None,
    after_id: int | None = None,
) -> list[SeenRequest]:
    """Return requests without headers and bodies, the newest first.

    Args:
        status_class: "2xx", "3xx", "4xx", "5xx", or "errors" for the last two.
        grep: a regular expression, or a text where it is none, of the path with its query, the route, or the error.
        before_id, after_id: only those that were answered earlier, or later, than that one.
    """
    where, values = _where(
        ("r.at >= ?", since),
        ("r.at < ?", until),
        ("r.route = ?", route or None),
        ("r.function = ?", function or None),
        ("r.api = ?", api or None),
        ("r.id < ?", before_id),
        ("r.id > ?", after_id),
        ("matches(?, r.path || '?' || r.query || ' ' || r.route || ' ' || r.error)", grep or None),
    )
    if status_class == "errors":
        where += " and r.status >= 400"
    elif status_class:
        low = _SHAPES[status_class]
        where += f" and r.status >= {low} and r.status < {low + 100}"
    with _reading(path, grep) as connection:
        if connection is None:
            return []
        found = connection.execute(
            f"select {_REQUEST}, {_OF_INVOCATION} from requests r where {where} order by r.id desc limit ?",
            (*values, limit),
        ).fetchall()
    return [_request(row) for row in found]


_OF_INVOCATION = ", ".join(
    f"(select i.{column} from invocations i where i.id = r.invocation and i.request_id = r.invocation_id)"
    for column in ("duration_ms", "init_ms", "error")
)


def request(path: Path, request_id: str) -> SeenRequest | None:
    """Return one request by the gateway's request id, with headers and bodies."""
    with _reading(path) as connection:
        if connection is None:
            return None
        row = connection.execute(
            f"select {_REQUEST}, {_OF_INVOCATION}, b.request_headers, b.request_body, b.response_headers,"
            " b.response_body, b.request_bytes, b.response_bytes from requests r"
            " left join request_bodies b on b.id = r.id where r.request_id = ? order by r.id desc limit 1",
            (request_id,),
        ).fetchone()
    return None if row is None else _request(row)


def reloads(path: Path, *, since: float | None = None, limit: int = SOME) -> list[Reload]:
    """Return reloads, the newest first."""
    where, values = _where(("at >= ?", since))
    with _reading(path) as connection:
        if connection is None:
            return []
        found = connection.execute(
            f"select document from reloads where {where} order by id desc limit ?",
            (*values, limit),
        ).fetchall()
    return [msgspec.json.decode(row[0], type=Reload) for row in found]


def functions(path: Path) -> list[str]:
    """Return the names of the functions of which something was kept."""
    with _reading(path) as connection:
        if connection is None:
            return []
        return [row[0] for row in connection.execute("select distinct function from invocations order by 1")]


def last_ids(path: Path) -> LastIds:
    """Return the newest id of each kind; cheap."""
    with _reading(path) as connection:
        if connection is None:
            return LastIds()
        row = connection.execute(
            "select (select max(id) from invocations), (select max(id) from requests), (select max(id) from reloads)"
        ).fetchone()
    return LastIds(*(number or 0 for number in row))


@contextmanager
def _reading(path: Path, grep: str = "") -> Iterator[sqlite3.Connection | None]:
    with reading(path) as connection:
        if connection is not None and grep:
            connection.create_function("matches", 2, _matcher(grep), deterministic=True)
        yield connection


def _matcher(grep: str) -> Any:
    search = pattern(grep).search

    def matches(_pattern: str, text: Any) -> bool:
        if text is None:
            return False
        return search(text.decode("utf-8", "replace") if isinstance(text, bytes) else text) is not None

    return matches


def pattern(grep: str) -> re.Pattern[str]:
    """Return what to search with: a regular expression, or the text itself where it is none."""
    try:
        return re.compile(grep, re.MULTILINE)
    except re.error:
        return re.compile(re.escape(grep))


def _where(*conditions: tuple[str, Any]) -> tuple[str, list[Any]]:
    asked = [(text, value) for text, value in conditions if value is not None]
    return " and ".join(text for text, _ in asked) or "1", [value for _, value in asked]


def _invocation(row: Sequence[Any]) -> SeenInvocation:
    names = SeenInvocation.__struct_fields__
    return SeenInvocation(
        **{name: value for name, value in zip(names, row, strict=True) if value is not None or name in _NONE}
    )


_NONE = frozenset({"init_ms", "event", "payload", "log"})


def _request(row: Sequence[Any]) -> SeenRequest:
    fields = {name: value for name, value in zip(SeenRequest.__struct_fields__, row, strict=False) if value is not None}
    fields["cold"] = bool(fields["cold"])
    for name in ("request_headers", "response_headers"):
        if name in fields:
            fields[name] = msgspec.json.decode(fields[name], type=list[tuple[str, str]])
    return SeenRequest(**fields)
