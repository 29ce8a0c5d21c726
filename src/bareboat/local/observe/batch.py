"""Invocations, requests and reloads -> rows of observed.sqlite, and the oldest rows out of it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, NamedTuple

import msgspec

from bareboat.local.access_record import AccessRecord
from bareboat.local.invocation import Invocation
from bareboat.local.observe.mask import ALWAYS, Mask
from bareboat.local.reload_record import Reload

_encode = msgspec.json.Encoder().encode
_ALONE = 10_000  # invocations that are remembered until their request comes, which is a moment later
_HEADER_CHARACTERS = 16_384  # of names and values that are kept of a request or a response
_KINDS = {"invocations": "invocation_bodies", "requests": "request_bodies"}


class Bare(NamedTuple):
    """What is kept without its bodies, because too much waits to be written."""

    what: Invocation | AccessRecord


Item = Invocation | AccessRecord | Reload | Bare


@dataclass(slots=True)
class Limits:
    """What a store may hold.

    Args:
        rows: of invocations and of requests, each; the oldest go.
        bytes: of the file; the oldest bodies go first.
        body_bytes: of one body, one answer, one log; the rest is cut.
    """

    rows: int
    bytes: int
    body_bytes: int


@dataclass(slots=True)
class Batch:
    """Rows that are made and wait for their transaction."""

    invocations: list[tuple[Any, ...]] = field(default_factory=list)
    invocation_bodies: list[tuple[Any, ...] | None] = field(default_factory=list)
    requests: list[tuple[Any, ...]] = field(default_factory=list)
    request_bodies: list[tuple[Any, ...] | None] = field(default_factory=list)
    reloads: list[tuple[Any, ...]] = field(default_factory=list)
    mask: Mask = ALWAYS

    def __len__(self) -> int:
        return len(self.invocations) + len(self.requests) + len(self.reloads)

    def add(self, item: Item, limit: int) -> None:
        """Make the rows of one item; bodies are cut to `limit` bytes."""
        is_bare = isinstance(item, Bare)
        what = item.what if isinstance(item, Bare) else item
        if isinstance(what, Invocation):
            self.invocations.append(
                (
                    what.request_id, what.function, what.at or time.time(), what.duration_ms, what.billed_ms,
                    what.memory_mb, what.max_memory_mb, what.init_ms, what.error, what.source, what.generation,
                )
            )  # fmt: skip
            self.invocation_bodies.append(None if is_bare else _invocation_bodies(what, limit, self.mask))
        elif isinstance(what, AccessRecord):
            query = "" if what.request is None else what.request.target.partition("?")[2][:4096]
            self.requests.append(
                (
                    what.request_id, what.invocation_id, what.at or time.time(), what.method, what.path,
                    self.mask.query(query) if query else "", what.status, what.latency_ms, what.function, what.cold,
                    what.error, what.api, what.route, what.authorizer, what.refused, what.api_key,
                )
            )  # fmt: skip
            bodies = None if is_bare or what.response is None else _request_bodies(what, limit, self.mask)
            self.request_bodies.append(bodies)
        else:
            self.reloads.append((what.at, what.error, _encode(what).decode()))


def write(
    connection: sqlite3.Connection,
    batch: Batch,
    dropped: tuple[int, int],
    limits: Limits,
    alone: dict[str, int],
    *,
    trim: bool = True,
) -> None:
    """Write a batch in one transaction, and take out what is over the limits.

    Args:
        dropped: how many bodies and how many rows were not kept since the last time.
        alone: the rows of invocations whose requests have not come yet, by request id; kept here from batch to batch.
        trim: False leaves it for a later batch.
    """
    connection.execute("begin immediate")
    try:
        first = _insert(connection, "invocations", batch.invocations, batch.invocation_bodies)
        alone.update((row[0], number) for number, row in enumerate(batch.invocations, first))
        requests = [(*row, alone.pop(row[1], None)) for row in batch.requests]
        _insert(connection, "requests", requests, batch.request_bodies)
        _append(connection, "reloads", batch.reloads)
        if any(dropped):
            _append(connection, "dropped", [(time.time(), *dropped)])
        if trim:
            _trim_rows(connection, limits.rows)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    if len(alone) > _ALONE:  # the oldest were asked for by none
        for request_id in list(islice(alone, len(alone) - _ALONE // 2)):
            del alone[request_id]
    if trim:
        _trim_bytes(connection, limits.bytes)


def _insert(
    connection: sqlite3.Connection,
    table: str,
    rows: Sequence[tuple[Any, ...]],
    bodies: Sequence[tuple[Any, ...] | None],
) -> int:
    """Insert rows and their bodies; return the first one's id."""
    if not rows:
        return 0
    first = _append(connection, table, rows)
    kept = [(number, *body) for number, body in enumerate(bodies, first) if body is not None]
    if kept:
        _add(connection, _KINDS[table], kept)
    return first


def _append(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows under the next ids; return the first."""
    return _add(connection, table, [(None, *row) for row in rows]) if rows else 0


def _add(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows, as many as can be with each call; return the first one's id.

    At each call this thread lets go of the interpreter, and gets it back from a busy event loop milliseconds later.
    """
    size = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(rows[0])
    marks = f"({_marks(rows[0])})"
    last = 0
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        statement = f"insert into {table} values {', '.join([marks] * len(some))}"
        last = connection.execute(statement, list(chain.from_iterable(some))).lastrowid or 0
    return last - len(rows) + 1


def _trim_rows(connection: sqlite3.Connection, most: int) -> None:
    for table in (*_KINDS, "reloads", "dropped"):
        low, high = connection.execute(
            f"select coalesce((select min(id) from {table}), 0), coalesce((select max(id) from {table}), 0)"
        ).fetchone()
        if high - low + 1 > most + max(most // 20, 1):  # not at each batch
            for each in (table, _KINDS.get(table)):
                if each:
                    connection.execute(f"delete from {each} where id <= ?", (high - most,))


def _trim_bytes(connection: sqlite3.Connection, most: int) -> None:
    page = connection.execute("pragma page_size").fetchone()[0]
    for _ in range(50):
        pages = connection.execute("pragma page_count").fetchone()[0]
        free = connection.execute("pragma freelist_count").fetchone()[0]
        if (pages - free) * page <= most:
            return
        gone = _oldest_tenth(connection, list(_KINDS.values())) or _oldest_tenth(connection, list(_KINDS))
        if not gone:
            return


def _oldest_tenth(connection: sqlite3.Connection, tables: list[str]) -> int:
    gone = 0
    for table in tables:
        low, high = connection.execute(f"select min(id), max(id) from {table}").fetchone()
        if low is not None and high > low:  # the newest one stays, so that ids go on
            up_to = min(low + (high - low) // 10, high - 1)
            gone += connection.execute(f"delete from {table} where id <= ?", (up_to,)).rowcount
    return gone


def _invocation_bodies(what: Invocation, limit: int, mask: Mask) -> tuple[Any, ...]:
    log = what.log.encode("utf-8", "replace")
    return (
        mask.json(what.event[:limit]), mask.json(what.payload[:limit]), _both_ends(log, limit),
        len(what.event), len(what.payload), len(log),
    )  # fmt: skip


def _both_ends(log: bytes, limit: int) -> bytes:
    """Cut a log in its middle: START, and REPORT with what came last, are worth more than what lies between."""
    if len(log) <= limit:
        return log
    head = log[: limit // 2].rpartition(b"\n")[0] or log[: limit // 2]
    tail = log[-limit // 2 :].partition(b"\n")[2] or log[-limit // 2 :]
    return b"%s\n... %d bytes were not kept\n%s" % (head, len(log) - len(head) - len(tail), tail)


def _request_bodies(what: AccessRecord, limit: int, mask: Mask) -> tuple[Any, ...]:
    request, response = what.request, what.response
    assert response is not None
    body = b"" if request is None else request.body
    return (
        _headers((), mask) if request is None else _headers(request.headers, mask), body[:limit],
        _headers(response.headers, mask), response.body[:limit], len(body), len(response.body),
    )  # fmt: skip


def _headers(headers: Iterable[tuple[str, str]], mask: Mask) -> str:
    text = _encode(mask.headers(headers))
    if len(text) > _HEADER_CHARACTERS:
        text = _encode([*[(name[:64], value[:64]) for name, value in mask.headers(headers)][:100], ("...", "cut")])
    return text.decode()


def _marks(row: Sequence[Any]) -> str:
    return ", ".join("?" * len(row))
