"""observed.sqlite -> what the page shows of it: history, one request, counts, columns over time."""

from __future__ import annotations

import math
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from bareboat.errors import InputError
from bareboat.local.observe import figures, query, timeline

MOST_ROWS = 1000
MOST_BUCKETS = 400
_KEY = re.compile(r"([ri])(\d{1,18})\Z")
_REST_S = 5.0  # figures of a window that moves are made anew this often when nothing new has come
_SHARE = 4  # of the time at least so many times as much rests as figures take


class Seen:
    """What the store of a service holds; methods wait for the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: dict[int, tuple[float, str, float, Mapping[str, Any]]] = {}

    def mark(self) -> str:
        """Return what changes whenever there is something new."""
        last = query.last_ids(self._path)
        return f"{last.invocations}-{last.requests}"

    def history(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Return `{"rows": [...], "more": bool}`, the newest first."""
        status = wanted.get("status", "")
        if status not in ("", "2", "3", "4", "5", "error", "cold"):
            raise InputError(f"status is {status[:20]!r}", expected="2, 3, 4, 5, error or cold")
        limit = min(MOST_ROWS, max(1, int(number(wanted, "limit", 60))))
        rows = timeline.happened(
            self._path,
            function=wanted.get("function", ""),
            text=wanted.get("q", "").strip(),
            status=int(status) if status.isdigit() else 0,
            failed=status == "error",
            cold=status == "cold",
            before=number(wanted, "before", 0.0) or None,
            limit=limit + 1,
        )
        return {"rows": [msgspec.structs.asdict(row) for row in rows[:limit]], "more": len(rows) > limit}

    def detail(self, key: str) -> Mapping[str, Any] | None:
        """Return one row of the history with its bodies, event and log."""
        place = _KEY.match(key)
        if place is not None and place[1] == "i":
            found = query.invocations(self._path, after_id=int(place[2]) - 1, limit=1)
            return _invoked(found[0]) if found and found[0].id == int(place[2]) else None
        if place is not None:
            rows = query.requests(self._path, before_id=int(place[2]) + 1, limit=1)
            if not rows or rows[0].id != int(place[2]):
                return None
            return self._requested((rows[0].request_id and query.request(self._path, rows[0].request_id)) or rows[0])
        request = query.request(self._path, key)
        if request is not None:
            return self._requested(request)
        invocation = query.invocation(self._path, key)
        return None if invocation is None else _invoked(invocation)

    def _requested(self, request: query.SeenRequest) -> Mapping[str, Any]:
        invocation = query.invocation(self._path, request.invocation_id) if request.invocation_id else None
        found: dict[str, Any] = {} if invocation is None else dict(_invoked(invocation))
        found |= {
            name: getattr(request, name)
            for name in (
                "at", "api", "route", "method", "status", "latency_ms", "function", "request_id", "invocation_id",
                "cold", "error", "refused", "authorizer", "api_key",
            )
        }  # fmt: skip
        found["id"] = f"r{request.id}"
        found["path"] = f"{request.path}?{request.query}" if request.query else request.path
        if request.request_headers is not None:
            body = request.request_body or b""
            found["request"] = {"headers": request.request_headers, **_body(body, request.request_bytes)}
        if request.response_headers is not None:
            body = request.response_body or b""
            found["response"] = {"headers": request.response_headers, **_body(body, request.response_bytes)}
        return found

    def counts(self, since: float) -> Mapping[str, Any]:
        """Return `{"routes": {key: ...}, "functions": {name: ...}}` with requests, errors, latencies."""
        window = round(time.time() - since) if since else 0
        mark, now = self.mark(), time.monotonic()
        kept = self._counts.get(window)
        if kept is not None:
            made, of, took, counts = kept
            if now - made < (_REST_S if of == mark else took * _SHARE):
                return counts
        counts = self._counted(since)
        if len(self._counts) > 8:
            self._counts.clear()
        self._counts[window] = (time.monotonic(), mark, time.monotonic() - now, counts)
        return counts

    def _counted(self, since: float) -> Mapping[str, Any]:
        found = figures.metrics(self._path, since=since or None, buckets=0)
        if found is None:
            return {"routes": {}, "functions": {}}
        called = timeline.sources(self._path, since=since)
        median, late = timeline.latencies(self._path, since=since)
        return {
            "all": {"p50_ms": median, "p99_ms": late},
            "routes": {
                f"{one.api} {one.route}": {
                    "requests": one.requests,
                    "client_errors": one.client_errors,
                    "server_errors": one.server_errors,
                    "refused": one.refused,
                    "p50_ms": one.latency.p50,
                    "p99_ms": one.latency.p99,
                }
                for one in found.routes
            },
            "functions": {
                one.function: {
                    "invocations": one.invocations,
                    "errors": one.errors,
                    "throttles": one.throttles,
                    "cold": one.cold_starts,
                    "p50_ms": one.duration.p50,
                    "p99_ms": one.duration.p99,
                    "sources": called.get(one.function, {}),
                }
                for one in found.functions
            },
        }

    def series(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Return columns over time, buckets at round times."""
        seconds = min(7 * 86_400.0, max(10.0, number(wanted, "seconds", 300)))
        buckets = min(MOST_BUCKETS, max(2, int(number(wanted, "buckets", 100))))
        now = time.time()
        found = figures.metrics(self._path, function=wanted.get("function", ""), since=now - seconds, buckets=buckets)
        if found is None:
            return {"columns": {"at": [], "requests_s": []}}
        rows, width = found.buckets, found.bucket_s
        times = [row.latency if row.requests else row.duration for row in rows]
        return {
            "columns": {
                "at": [round(row.at, 3) for row in rows],
                "requests_s": [max(row.requests, row.invocations) / width for row in rows],
                "errors_s": [row.errors / width for row in rows],
                "p50_ms": [each.p50 for each in times],
                "p90_ms": [each.p90 for each in times],
                "p99_ms": [each.p99 for each in times],
                "concurrency": [row.max_concurrency for row in rows],
                "cold": [row.cold_starts for row in rows],
            }
        }


def _invoked(one: query.SeenInvocation) -> Mapping[str, Any]:
    return {
        "id": f"i{one.id}",
        "at": one.at,
        "function": one.function,
        "source": one.source,
        "generation": one.generation,
        "invocation_id": one.request_id,
        "invocation_error": one.error,
        "latency_ms": one.duration_ms + (one.init_ms or 0.0),
        "cold": one.init_ms is not None,
        "duration_ms": one.duration_ms,
        "billed_ms": one.billed_ms,
        "init_ms": one.init_ms,
        "memory_mb": one.memory_mb,
        "max_memory_mb": one.max_memory_mb,
        "event": _text(one.event, one.event_bytes),
        "payload": _text(one.payload, one.payload_bytes),
        "log": one.log,
    }


def _text(body: bytes | None, size: int) -> str | None:
    if body is None:
        return None
    return body.decode("utf-8", "replace") + (f"… ({size:,} bytes)" if len(body) < size else "")


def _body(body: bytes, size: int) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "base64": False, "cut": len(body) < size}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "base64": True, "cut": len(body) < size}


def number(wanted: Mapping[str, str], name: str, otherwise: float) -> float:
    """Return a number that was asked for.

    Raises:
        InputError: it is none.
    """
    try:
        found = float(wanted.get(name) or otherwise)
    except ValueError as error:
        raise InputError(f"{name} is {wanted[name][:40]!r}", expected="a number") from error
    if not math.isfinite(found):
        raise InputError(f"{name} is {wanted[name][:40]!r}", expected="a number")
    return found
