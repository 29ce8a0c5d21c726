"""What the console reads back of the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bareboat.errors import InputError
from bareboat.local.access_record import AccessRecord
from bareboat.local.console.seen import Seen
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response
from bareboat.local.observe import Store

NOW = time.time()


def invocation(
    name: str, *, source: str = "httpApi", at: float = NOW - 2, error: str = "", cold: bool = False
) -> Invocation:
    return Invocation(
        f"id-{name}", "f", b'{"ok": true}', error, 3.0, 3, 128, 60, 20.0 if cold else None, f"said {name}\n",
        at=at, event=b'{"in": 1}', source=source,
    )  # fmt: skip


def record(name: str, status: int = 200, *, at: float = NOW - 2, refused: str = "") -> AccessRecord:
    return AccessRecord(
        "POST", "/f", status, 5.0, "" if refused else "f", f"gw-{name}", False, "" if status < 500 else "boom",
        at=at, route="POST /f", refused=refused, invocation_id="" if refused else f"id-{name}",
        request=Request("POST", f"/f?n={name}", [("content-type", "text/plain")], b"body " + name.encode(), ("", 0)),
        response=Response(status, [("x", "y")], b"\xff\xfe"),
    )  # fmt: skip


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Seen]:
    store = Store(tmp_path / "observed.sqlite")
    for name, status in (("one", 200), ("two", 500)):
        store.invocation(invocation(name, error="Unhandled" if status == 500 else "", cold=status == 200))
        store.request(record(name, status))
    store.request(record("three", 401, at=NOW - 1, refused="UNAUTHORIZED"))
    store.invocation(invocation("four", source="schedule", at=NOW - 0.5))
    store.flush()
    yield Seen(tmp_path / "observed.sqlite")
    store.close()


def test_the_history_holds_requests_and_what_was_invoked_without_one(seen: Seen):
    rows = seen.history({})["rows"]

    assert [(row["source"], row["status"]) for row in rows][:2] == [("schedule", 0), ("", 401)]
    assert sorted(row["path"] for row in rows) == ["", "/f?n=one", "/f?n=three", "/f?n=two"]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"status": "2"}, 1),
        ({"status": "4"}, 1),
        ({"status": "error"}, 1),
        ({"q": "SAID TWO"}, 1),
        ({"q": "body one"}, 1),
        ({"q": "n=three"}, 1),
        ({"q": "said four"}, 1),
        ({"q": "%"}, 0),
        ({"function": "g"}, 0),
        ({"function": "f"}, 3),
        ({"status": "cold"}, 0),
        ({"before": str(NOW - 1)}, 2),
    ],
)
def test_the_history_is_filtered(seen: Seen, wanted: dict[str, str], count: int):
    assert len(seen.history(wanted)["rows"]) == count


def test_the_history_tells_whether_there_is_more(seen: Seen):
    assert seen.history({"limit": "2"})["more"]
    assert not seen.history({"limit": "4"})["more"]


@pytest.mark.parametrize("wanted", [{"status": "6"}, {"limit": "x"}, {"before": "nan"}, {"limit": "inf"}])
def test_a_wish_that_makes_no_sense_is_refused(seen: Seen, wanted: dict[str, str]):
    with pytest.raises(InputError):
        seen.history(wanted)


def test_a_request_is_found_by_its_row_and_by_what_the_client_was_told(seen: Seen):
    row = next(row for row in seen.history({})["rows"] if row["path"] == "/f?n=one")

    detail = seen.detail(row["id"])

    assert detail == seen.detail("gw-one")
    assert detail is not None
    assert (detail["event"], detail["log"], detail["duration_ms"], detail["init_ms"]) == (
        '{"in": 1}',
        "said one\n",
        3.0,
        20.0,
    )
    assert detail["request"]["body"] == "body one"
    assert (detail["response"]["body"], detail["response"]["base64"]) == ("//4=", True)


def test_an_invocation_is_found_and_nothing_else(seen: Seen):
    row = seen.history({})["rows"][0]

    detail = seen.detail(row["id"])

    assert detail is not None
    assert (detail["source"], detail["payload"]) == ("schedule", '{"ok": true}')
    assert [seen.detail(key) for key in ("r999", "i999", "x", "", "r", "r1 or 1=1")] == [None] * 6


def test_counts_are_by_route_and_by_function(seen: Seen):
    counts = seen.counts(0.0)

    route = counts["routes"]["httpApi POST /f"]
    assert (route["requests"], route["client_errors"], route["server_errors"], route["refused"]) == (3, 1, 1, 1)
    assert counts["functions"]["f"]["sources"] == {"httpApi": 2, "schedule": 1}
    assert counts["functions"]["f"]["cold"] == 1


def test_the_mark_changes_with_what_is_written(tmp_path: Path):
    store, seen = Store(tmp_path / "observed.sqlite"), Seen(tmp_path / "observed.sqlite")
    marks = [seen.mark()]
    for name in ("a", "b", "c"):
        store.request(record(name))
        assert store.flush()
        marks += [seen.mark(), seen.mark()]
        time.sleep(0.12)  # so that the files seem at rest
        assert seen.mark() == marks[-1]
    store.close()

    assert marks == ["0-0", "0-1", "0-1", "0-2", "0-2", "0-3", "0-3"]


def test_what_failed_tells_why_and_what_is_masked_is_whole(tmp_path: Path):
    store, seen = Store(tmp_path / "observed.sqlite"), Seen(tmp_path / "observed.sqlite")
    failed = Invocation(
        "id", "f", b'{"errorType": "ValueError", "errorMessage": "no"}', "Unhandled", 3.0, 3, 128, 60, None, "",
        at=NOW, event=b'{"headers": {"authorization": "Bearer of-many-many-letters"}}', source="invoke",
    )  # fmt: skip
    store.invocation(failed)
    assert store.flush()
    store.close()

    row = seen.history({})["rows"][0]
    detail = seen.detail(row["id"])

    assert row["error"] == "the function failed: ValueError: no"
    assert detail is not None
    assert detail["invocation_error"] == row["error"]
    assert detail["event"].endswith("}")


def test_urls_are_counted_by_their_function(tmp_path: Path):
    store, seen = Store(tmp_path / "observed.sqlite"), Seen(tmp_path / "observed.sqlite")
    for name in ("f", "g", "g"):
        store.request(AccessRecord("GET", "/", 200, 5.0, name, "", False, at=NOW, api="url", route="$default"))
    assert store.flush()
    store.close()

    assert {key: one["requests"] for key, one in seen.counts(0)["routes"].items()} == {"url f": 1, "url g": 2}


def test_series_are_columns_of_one_length(seen: Seen):
    columns = seen.series({"seconds": "86400", "buckets": "12"})["columns"]

    assert len({len(column) for column in columns.values()}) == 1
    width = columns["at"][1] - columns["at"][0]
    assert sum(columns["requests_s"]) * width == pytest.approx(3, abs=1.01)


def test_a_store_that_is_not_there_is_empty(tmp_path: Path):
    seen = Seen(tmp_path / "none.sqlite")

    assert seen.history({}) == {"rows": [], "more": False}
    assert seen.detail("r1") is None
    assert seen.counts(0.0) == {"routes": {}, "functions": {}}
    assert seen.mark() == "0-0"
