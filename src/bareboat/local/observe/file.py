"""observed.sqlite: its tables, and how it is opened for writing and for reading."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from bareboat.errors import PackagingError

VERSION = 2
WAIT_S = 5.0  # for another process that writes
_PAGE_LIMIT = 8_000_000  # bytes that the write-ahead log may keep

# requests.invocation is the id of a row: an index over random request ids would cost as much as all else together,
# since nearly each new row is on another page of it.
TABLES = """
create table invocations (
  id integer primary key, request_id text, function text, at real, duration_ms real, billed_ms integer,
  memory_mb integer, max_memory_mb integer, init_ms real, error text, source text, generation integer);
create index invocations_at on invocations (at);
create table invocation_bodies (id integer primary key, event blob, payload blob, log blob,
  event_bytes integer, payload_bytes integer, log_bytes integer);
create table requests (
  id integer primary key, request_id text, invocation_id text, at real, method text, path text, query text,
  status integer, latency_ms real, function text, cold integer, error text, api text, route text, authorizer text,
  refused text, api_key text, invocation integer);
create index requests_at on requests (at);
create table request_bodies (id integer primary key, request_headers text, request_body blob,
  response_headers text, response_body blob, request_bytes integer, response_bytes integer);
create table reloads (id integer primary key, at real, error text, document text);
create table dropped (id integer primary key, at real, bodies integer, rows integer);
"""

BY_REQUEST = "('httpApi', 'http', 'url')"
# Also made in a store that has none: the invocations that no request made are few among many.
INDEXES = f"create index if not exists invocations_alone on invocations (at) where source not in {BY_REQUEST}"


class ForeignFileError(Exception):
    """A file that is no store, damaged, or of another version."""


def open_to_write(path: Path) -> tuple[sqlite3.Connection, str]:
    """Open the store, made anew where there is none or none that can be used, which is moved aside.

    Returns:
        The connection, in autocommit mode, and what a person should know; "".
    Raises:
        OSError, sqlite3.Error: it cannot be made.
    """
    try:
        return _open(path), ""
    except ForeignFileError as problem:
        aside = set_aside(path)
        return _open(path), f"{path} {problem}: it was moved to {aside.name}, and a new one begun"


def open_to_read(path: Path) -> sqlite3.Connection | None:
    """Open the store, or return None where there is none yet, or none of this version."""
    if not path.is_file():
        return None
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=WAIT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("pragma query_only = on")
        if connection.execute("pragma user_version").fetchone()[0] == VERSION:
            return connection
    except sqlite3.DatabaseError:
        pass  # serve moves it aside
    if connection is not None:
        connection.close()
    return None


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open the store for a while, as `open_to_read` does."""
    connection = open_to_read(path)
    if connection is None:
        yield None
        return
    with contextlib.closing(connection):
        yield connection


def set_aside(path: Path) -> Path:
    """Move a file that cannot be used, and its log, out of the way; one is kept."""
    aside = path.with_name(f"{path.name}.unusable")
    with contextlib.suppress(FileNotFoundError):
        path.replace(aside)
    for end in ("-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + end).replace(aside.with_name(aside.name + end))
    return aside


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error says that the file is no store, or a broken one."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _open(path: Path) -> sqlite3.Connection:
    if not path.parent.is_dir():
        from bareboat.artifact.output import prepare_output

        try:
            prepare_output(path.parent)
        except PackagingError as error:
            raise OSError(error.problems[0].found) from error
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its log and index the same mode
    path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"pragma busy_timeout = {int(WAIT_S * 1000)}")
        _set_up(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise ForeignFileError("is damaged, or no file of bareboat's") from error
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    _to_wal(connection)
    connection.execute("pragma synchronous = normal")
    connection.execute(f"pragma journal_size_limit = {_PAGE_LIMIT}")
    connection.execute("begin immediate")
    try:
        version = connection.execute("pragma user_version").fetchone()[0]
        is_new = connection.execute("select count(*) from sqlite_master").fetchone()[0] == 0
        if is_new:
            for statement in TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {VERSION}")
        elif version != VERSION:
            which = "a newer" if version > VERSION else "another"
            raise ForeignFileError(f"was written by {which} version of bareboat")
        connection.execute(INDEXES)
        connection.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; where two begin at once, SQLite does not wait for the other by itself."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
