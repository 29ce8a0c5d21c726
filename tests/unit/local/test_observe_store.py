"""The store: what goes in comes out, within its bounds, whatever becomes of its file."""

from __future__ import annotations

import json
import os
import sqlite3
import stat

import pytest

from bareboat.local.access_record import AccessRecord
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response
from bareboat.local.observe import batch, query, store
from bareboat.local.observe.figures import metrics
from bareboat.local.observe.store import Store
from bareboat.local.reload_record import Reload

PEER = ("::1", 1)


def invocation(number=0, **fields):
    given = {
        "request_id": f"id-{number}", "function": "f", "payload": b"{}", "error": "", "duration_ms": 2.5,
        "billed_ms": 3, "memory_mb": 512, "max_memory_mb": 40, "init_ms": None, "log": f"line {number}\n",
        "at": 1000.0 + number, "event": b'{"n": 1}', "source": "httpApi", "generation": 2,
    }  # fmt: skip
    return Invocation(**given | fields)


def record(number=0, **fields):
    given = {
        "method": "POST", "path": "/p", "status": 200, "latency_ms": 4.0, "function": "f", "request_id": f"gw-{number}",
        "cold": False, "at": 1000.0 + number, "route": "POST /p", "invocation_id": f"id-{number}",
        "request": Request("POST", "/p?a=1", [("Authorization", "Bearer s3cret"), ("Accept", "*/*")], b"in", PEER),
        "response": Response(200, [("set-cookie", "sid=s3cret; Path=/")], b"out"),
    }  # fmt: skip
    return AccessRecord(**given | fields)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".bareboat" / "observed.sqlite"


@pytest.fixture
def opened(path):
    """Make stores that are closed at the end."""
    made = []

    def make(**settings):
        made.append(Store(path, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_request_finds_its_invocation_that_was_written_before(opened, path):
    kept = opened()
    kept.invocation(invocation(1, duration_ms=7.5))
    kept.invocation(invocation(2))
    assert kept.flush()
    kept.request(record(1))
    kept.request(record(3, invocation_id="id-3"))
    assert kept.flush()

    found = {one.request_id: one.duration_ms for one in query.requests(path)}

    assert found == {"gw-1": 7.5, "gw-3": None}


def test_invocations_that_no_request_asks_for_are_not_remembered_for_ever(opened, monkeypatch):
    monkeypatch.setattr(batch, "_ALONE", 4)
    kept = opened()
    for number in range(9):
        kept.invocation(invocation(number))
        assert kept.flush()

    assert len(kept._alone) <= 4


def test_what_goes_in_comes_out_after_a_restart(opened, path):
    first = opened()
    first.invocation(invocation())
    first.request(record())
    first.reload(Reload(5.0, 12.0, 2, ("app.py",), ("f",)))
    first.close()
    second = opened()
    second.invocation(invocation(1, error="Unhandled", init_ms=80.0))
    assert second.flush()

    one, two = query.invocations(path)
    assert (one.id, one.request_id, one.event, one.payload, one.log) == (1, "id-0", b'{"n": 1}', b"{}", "line 0\n")
    assert (one.function, one.at, one.duration_ms, one.billed_ms) == ("f", 1000.0, 2.5, 3)
    assert (one.memory_mb, one.max_memory_mb, one.init_ms, one.source, one.generation) == (512, 40, None, "httpApi", 2)
    assert (two.id, two.error, two.init_ms) == (2, "Unhandled", 80.0)
    assert query.reloads(path) == [Reload(5.0, 12.0, 2, ("app.py",), ("f",))]
    assert query.last_ids(path) == query.LastIds(2, 1, 1)
    assert query.functions(path) == ["f"]


def test_a_request_comes_with_its_invocation_and_without_credentials(opened, path):
    kept = opened()
    kept.invocation(invocation(init_ms=9.0))
    kept.request(record())
    kept.flush()

    found = query.request(path, "gw-0")
    assert found is not None
    assert (found.query, found.duration_ms, found.init_ms) == ("a=1", 2.5, 9.0)
    assert found.request_headers == [("Authorization", "Bearer ***"), ("Accept", "*/*")]
    assert found.response_headers == [("set-cookie", "sid=***; Path=/")]
    assert (found.request_body, found.response_body) == (b"in", b"out")
    assert query.requests(path)[0].request_body is None
    assert query.request(path, "gw-9") is None
    assert query.invocation(path, "id-0") == query.invocations(path)[0]
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"s3cret" not in everything


def test_only_its_owner_may_read_the_file(opened, path):
    kept = opened()
    kept.invocation(invocation())
    assert kept.flush()

    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("observed.sqlite*")}
    assert modes == {0o600}
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_bodies_are_cut_and_what_they_had_is_told(opened, path):
    kept = opened(max_body_bytes=100)
    log = "START\n" + "x" * 500 + "\nREPORT\n"
    kept.invocation(invocation(event=b"e" * 500, payload=b"p" * 500, log=log))
    kept.request(record(request=Request("POST", "/", [], b"b" * 500, ("::1", 1))))
    kept.flush()

    found = query.invocations(path)[0]
    assert (found.event, found.event_bytes, len(found.payload), found.payload_bytes) == (b"e" * 100, 500, 100, 500)
    assert found.log.startswith("START\n... 5")
    assert found.log.endswith("REPORT\n")
    seen = query.request(path, "gw-0")
    assert (len(seen.request_body), seen.request_bytes) == (100, 500)


def test_the_oldest_rows_go(opened, path):
    kept = opened(max_rows=100)
    for number in range(1000):
        kept.invocation(invocation(number))
        kept.request(record(number))
    kept.flush()

    rows = query.invocations(path, limit=10_000)
    assert 100 <= len(rows) <= 106
    assert rows[-1].request_id == "id-999"
    assert rows[-1].id == 1000
    assert 100 <= len(query.requests(path, limit=10_000)) <= 106


def test_the_file_stays_within_its_bytes_and_keeps_the_newest(opened, path):
    kept = opened(max_bytes=2_000_000)
    for number in range(550):
        kept.invocation(invocation(number, event=os.urandom(20_000)))
    kept.flush(30)
    kept.close()

    assert path.stat().st_size < 14_000_000  # a batch of 500 is written before the oldest go
    rows = query.invocations(path, limit=10_000)
    assert len(rows) == 550
    assert rows[0].event is None
    assert len(rows[-1].event) == 20_000


def test_a_burst_drops_bodies_then_rows_and_counts_them(opened, path, monkeypatch):
    monkeypatch.setattr(store, "QUEUE_BYTES", 10_000)
    monkeypatch.setattr(store, "QUEUE_ROWS", 50)
    kept = opened()
    for number in range(70):
        kept.invocation(invocation(number, event=b"x" * 1000))
    kept.flush()

    rows = query.invocations(path)
    assert len(rows) == 50
    bare = sum(row.event is None for row in rows)
    assert kept.dropped == (bare, 20)
    assert 35 <= bare < 50
    kept.invocation(invocation(100))
    kept.flush()
    found = metrics(path, since=0)
    assert (found.dropped_bodies, found.dropped_rows) == kept.dropped


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_moved_aside(opened, path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    notes = []
    assert query.invocations(path) == []
    kept = opened(on_note=notes.append)
    kept.invocation(invocation())
    kept.flush()

    assert len(query.invocations(path)) == 1
    assert path.with_name("observed.sqlite.unusable").read_bytes() == content
    assert len(notes) == 1
    assert "is damaged" in notes[0]


def test_a_file_that_is_damaged_while_it_is_open_is_moved_aside(opened, path):
    notes = []
    kept = opened(on_note=notes.append)
    for number in range(300):
        kept.invocation(invocation(number))
    kept.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 60_000)
    again = opened(on_note=notes.append)
    again.invocation(invocation(300))
    again.flush()

    assert [row.request_id for row in query.invocations(path)][-1] == "id-300"
    assert len(notes) == 1


def test_a_newer_file_is_moved_aside(opened, path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("create table other (a)")
        connection.execute("pragma user_version = 99")
    connection.close()
    notes = []
    assert query.last_ids(path) == query.LastIds()
    kept = opened(on_note=notes.append)
    kept.invocation(invocation())
    kept.flush()

    assert len(query.invocations(path)) == 1
    assert "a newer version" in notes[0]


def test_a_file_that_is_removed_while_it_is_open_is_made_anew(opened, path):
    kept = opened()
    kept.invocation(invocation())
    kept.flush()
    for file in path.parent.glob("observed.sqlite*"):
        file.unlink()
    kept.invocation(invocation(1))
    kept.flush()

    assert [row.request_id for row in query.invocations(path)] == ["id-1"]


def test_where_nothing_can_be_written_it_is_said_once(tmp_path):
    (tmp_path / "file").write_text("")
    notes = []
    kept = Store(tmp_path / "file" / "observed.sqlite", on_note=notes.append)
    for number in range(3):
        kept.invocation(invocation(number))
        assert kept.flush()
    kept.close()

    assert kept.dropped == (0, 3)
    assert len(notes) == 1
    assert "serving goes on" in notes[0]


def test_queries_choose(opened, path):
    kept = opened()
    for number in range(6):
        kept.invocation(
            invocation(
                number, function="g" if number % 2 else "f", error="Unhandled" if number == 3 else "",
                log=f"START\nrow [{number}\nEND\n",
            )
        )  # fmt: skip
        kept.request(record(number, status=500 if number == 3 else 404 if number == 4 else 200, path=f"/p/{number}"))
    kept.flush()

    def ids(**asked):
        return [row.request_id[3:] for row in query.invocations(path, **asked)]

    def asked(**asked):
        return [row.request_id[3:] for row in query.requests(path, **asked)]

    assert ids(function="g") == ["1", "3", "5"]
    assert ids(since=1002, until=1004) == ["2", "3"]
    assert ids(limit=2) == ["4", "5"]
    assert ids(limit=2, after_id=1) == ["1", "2"]
    assert ids(limit=2, before_id=3) == ["0", "1"]
    assert ids(errors=True) == ["3"]
    assert ids(grep="^row .[45]$") == ["4", "5"]
    assert ids(grep="row [5") == ["5"]  # no regular expression: a text
    assert asked(status_class="5xx") == ["3"]
    assert asked(status_class="errors") == ["4", "3"]
    assert asked(grep="/p/[12]", limit=1) == ["2"]
    assert asked(before_id=2) == ["0"]
    assert asked(route="GET /other") == []


def test_without_a_file_there_is_nothing(path):
    assert query.invocations(path) == query.requests(path) == query.reloads(path) == query.functions(path) == []
    assert query.invocation(path, "x") is None
    assert query.request(path, "x") is None
    assert query.last_ids(path) == query.LastIds()
    assert metrics(path) is None
    assert not path.parent.exists()


def test_headers_without_end_are_cut(opened, path):
    many = [("x" * 100, "y" * 1000)] * 500
    kept = opened()
    kept.request(record(request=Request("GET", "/", many, b"", ("::1", 1))))
    kept.flush()

    assert len(json.dumps(query.request(path, "gw-0").request_headers)) < 20_000
