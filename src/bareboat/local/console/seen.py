"""observed.sqlite -> what the page shows of it: history, one request, counts, columns over time."""

from __future__ import annotations

import math
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bareboat.errors import InputError
from bareboat.local.gateway.response import error_text
from bareboat.local.observe import query, timeline
from bareboat.local.observe.percentiles import Histogram
from bareboat.local.observe.rolling import Invocations, Requests, Rolling

MOST_ROWS = 1000
MOST_BUCKETS = 400
_STEPS = 60  # a window that moves over what is old is looked at anew so often in its length
_TICK_S = 0.1
_MOST_MADE = 12
_KEY = re.compile(r"([ri])(\d{1,18})\Z")


class Seen:
    """What the store of a service holds; methods wait for the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rolling = Rolling(path)
        self._marked: tuple[object, str] = (None, "")
        self._made: dict[tuple[Any, ...], tuple[object, Mapping[str, Any]]] = {}

    def mark(self) -> str:
        """Return what changes whenever there is something new; while nobody writes, without opening the store."""
        files, written = self._written()
        if files == self._marked[0]:
            return self._marked[1]
        last = query.last_ids(self._path)
        mark = f"{last.invocations}-{last.requests}"
        # what is written within the same tick of the file system's clock would not be seen
        self._marked = (files if time.time() - written > _TICK_S else None, mark)
        return mark

    def _written(self) -> tuple[object, float]:
        found: list[tuple[int, int, int]] = []
        for path in (self._path, self._path.with_name(f"{self._path.name}-wal")):
            try:
                about = path.stat()
            except OSError:
                continue
            found.append((about.st_ino, about.st_size, about.st_mtime_ns))
        return found, max((each[2] for each in found), default=0) / 1e9

    def _once(self, key: tuple[Any, ...], step_s: float, make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return what was made before while nothing is new and no step of time has passed."""
        now = (self.mark(), int(time.time() / step_s))
        known = self._made.get(key)
        if known is not None and known[0] == now:
            return known[1]
        made = make()
        if len(self._made) > _MOST_MADE:
            self._made.clear()
        self._made[key] = (now, made)
        return made

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
        return {"rows": [_row(row) for row in rows[:limit]], "more": len(rows) > limit}

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

    def counts(self, seconds: float) -> Mapping[str, Any]:
        """Return `{"routes": {key: ...}, "functions": {name: ...}}` with requests, errors, latencies."""
        return self._once((seconds,), max(1.0, seconds / _STEPS), lambda: self._counts(seconds))

    def _counts(self, seconds: float) -> Mapping[str, Any]:
        total = self._rolling.total(seconds)
        if not total.requests and not total.invocations:
            return {"routes": {}, "functions": {}}
        routes: dict[str, Requests] = {}
        every, throttles = Requests(), dict[str, int]()
        for (api, route, function), some in total.requests.items():
            # a function's own URL has no route: its function tells which it is
            routes.setdefault(f"{api} {function if api == 'url' else route}", Requests()).merge(some)
            every.merge(some)
            throttles[function] = throttles.get(function, 0) + some.throttles
        functions: dict[str, Invocations] = {}
        called: dict[str, dict[str, int]] = {}
        alone = Invocations()
        for (function, source), more in total.invocations.items():
            functions.setdefault(function, Invocations()).merge(more)
            called.setdefault(function, {})[source] = more.invocations
            alone.merge(more)
        of_all = (every.latency if every.requests else alone.duration).percentiles()
        return {
            "all": {"p50_ms": of_all.p50, "p99_ms": of_all.p99},
            "routes": {key: _counted(one) for key, one in sorted(routes.items())},
            "functions": {
                name: {
                    "invocations": one.invocations,
                    "errors": one.errors,
                    "throttles": throttles.get(name, 0),
                    "cold": one.cold_starts,
                    **_times(one.duration),
                    "sources": called[name],
                }
                for name, one in sorted(functions.items())
            },
        }

    def series(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Return columns over time, buckets at round times."""
        seconds = min(7 * 86_400.0, max(10.0, float(round(number(wanted, "seconds", 300)))))
        most = min(MOST_BUCKETS, max(2, int(number(wanted, "buckets", 100))))
        function = wanted.get("function", "")
        return self._once((seconds, most, function), seconds / most, lambda: self._series(seconds, most, function))

    def _series(self, seconds: float, most: int, function: str) -> Mapping[str, Any]:
        width, buckets = self._rolling.buckets(seconds, most, function)
        columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for at, slot in buckets:
            requests, invocations = Requests(), Invocations()
            for some in slot.requests.values():
                requests.merge(some)
            for more in slot.invocations.values():
                invocations.merge(more)
            times = (requests.latency if requests.requests else invocations.duration).percentiles()
            row = (
                round(at, 3), max(requests.requests, invocations.invocations) / width, invocations.errors / width,
                times.p50, times.p90, times.p99, slot.most, invocations.cold_starts,
            )  # fmt: skip
            for name, value in zip(_COLUMNS, row, strict=True):
                columns[name].append(value)
        return {"columns": columns}


_COLUMNS = ("at", "requests_s", "errors_s", "p50_ms", "p90_ms", "p99_ms", "concurrency", "cold")


def _row(one: timeline.Happened) -> Mapping[str, Any]:
    found = msgspec.structs.asdict(one)
    answer = found.pop("answer")
    return found if answer is None else {**found, "error": _error(one.error, answer)}


def _error(error: str, answer: bytes | None) -> str:
    """Return what an error document says in place of `Unhandled`, which says nothing."""
    return error_text(answer) if error and answer else error


def _counted(one: Requests) -> Mapping[str, Any]:
    return {
        "requests": one.requests,
        "client_errors": one.client_errors,
        "server_errors": one.server_errors,
        "refused": one.refused,
        **_times(one.latency),
    }


def _times(histogram: Histogram) -> Mapping[str, float | None]:
    found = histogram.percentiles()
    return {"p50_ms": found.p50, "p99_ms": found.p99}


def _invoked(one: query.SeenInvocation) -> Mapping[str, Any]:
    return {
        "id": f"i{one.id}",
        "at": one.at,
        "function": one.function,
        "source": one.source,
        "generation": one.generation,
        "invocation_id": one.request_id,
        "invocation_error": _error(one.error, one.payload),
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
    text = body.decode("utf-8", "replace")
    if len(body) >= size:
        return text
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return f"{text}… ({size:,} bytes)"
    return text  # whole: it is shorter because credentials in it are hidden


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
