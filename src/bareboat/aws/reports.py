"""Log events of Lambda -> lines that know their invocation, and what Lambda reported of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_ID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_START = re.compile(rf"START RequestId: {_ID}")
_NAMED = re.compile(rf"RequestId: {_ID}|\t{_ID}\t")
_REPORT = re.compile(rf"REPORT RequestId: {_ID}\t")
_FAILED = re.compile(
    r"Task timed out after |Runtime exited |Error: Runtime |LAMBDA_WARNING: Unhandled exception|^\[ERROR\] |"
    r"Status: (?:error|timeout|failure)|Error Type: "
)
_FIELDS = {
    "Duration": "duration_ms",
    "Billed Duration": "billed_ms",
    "Memory Size": "memory_mb",
    "Max Memory Used": "max_memory_mb",
    "Init Duration": "init_ms",
    "Restore Duration": "restore_ms",
    "Status": "status",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a REPORT line says, or `platform.report` of the JSON log format.

    Args:
        init_ms: of a cold start; None when warm.
        restore_ms: of a start from a SnapStart snapshot; else None.
        status: "success" unless Lambda says otherwise: error, timeout.
    Source:
        REPORT lines recorded on AWS; "Lambda log formats" of the developer guide.
    """

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    status: str = "success"


class LogEvent(NamedTuple):
    """One event of a log group.

    Args:
        at: seconds since 1970.
        stream: of one execution environment: what it writes is of one invocation at a time.
        request_id: of the invocation that it belongs to; "" where that is not known.
        text: without the line break at its end.
    """

    at: float
    function: str
    stream: str
    request_id: str
    text: str
    event_id: str = ""


def parse_report(text: str) -> Report | None:
    """Return what a line reports; None when it is another line."""
    if text.startswith("{"):
        return _platform_report(text)
    found = _REPORT.match(text)
    if found is None:
        return None
    said: dict[str, str] = {}
    for part in text[found.end() :].split("\t"):
        name, _, value = part.partition(": ")
        if name.strip() in _FIELDS:
            said[_FIELDS[name.strip()]] = value.strip().partition(" ")[0]
    try:
        return Report(
            found[1],
            float(said["duration_ms"]),
            int(said["billed_ms"]),
            int(said["memory_mb"]),
            int(said.get("max_memory_mb", 0)),
            float(said["init_ms"]) if "init_ms" in said else None,
            float(said["restore_ms"]) if "restore_ms" in said else None,
            said.get("status", "success"),
        )
    except (KeyError, ValueError):
        return None


def _platform_report(text: str) -> Report | None:
    said = _platform(text)
    if said is None or said["type"] != "platform.report":
        return None
    record = said["record"]
    metrics = record.get("metrics")
    if not isinstance(metrics, dict):
        return None
    try:
        return Report(
            str(record["requestId"]),
            float(metrics["durationMs"]),
            int(metrics["billedDurationMs"]),
            int(metrics["memorySizeMB"]),
            int(metrics.get("maxMemoryUsedMB", 0)),
            float(metrics["initDurationMs"]) if "initDurationMs" in metrics else None,
            float(metrics["restoreDurationMs"]) if "restoreDurationMs" in metrics else None,
            str(record.get("status", "success")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _platform(text: str) -> dict[str, Any] | None:
    """Return a line of the platform in the JSON log format; None for any other."""
    if '"platform.' not in text:
        return None
    try:
        said = json.loads(text)
    except ValueError:
        return None
    is_platform = isinstance(said, dict) and str(said.get("type", "")).startswith("platform.")
    return said if is_platform and isinstance(said.get("record"), dict) else None


def is_failure(text: str) -> bool:
    """Return whether a line says that its invocation failed."""
    if text.startswith("{"):
        report = _platform_report(text)
        return report is not None and report.status != "success"
    return _FAILED.search(text) is not None


class Assigner:
    """Tells of each event of a log which invocation it belongs to: in a stream, from a START on all that comes."""

    def __init__(self) -> None:
        self._running: dict[str, str] = {}

    def events(self, function: str, raw: Iterable[Mapping[str, Any]]) -> Iterator[LogEvent]:
        """Yield events of FilterLogEvents, in their order."""
        for each in raw:
            text = str(each.get("message", "")).rstrip("\r\n")
            stream = str(each.get("logStreamName", ""))
            request_id = self._request_id(f"{function} {stream}", text)
            yield LogEvent(
                float(each.get("timestamp", 0)) / 1000, function, stream, request_id, text, str(each.get("eventId", ""))
            )

    def _request_id(self, place: str, text: str) -> str:
        started = _START.match(text)
        if started is not None:
            self._running[place] = started[1]
            return started[1]
        if text.startswith("{"):
            found = _json_id(text)
            if found:
                self._running[place] = found
                return found
        named = _NAMED.search(text)
        if named is not None:
            request_id = named[1] or named[2]
            if not text.startswith(("END ", "REPORT ")):
                self._running[place] = request_id
            elif text.startswith("REPORT "):
                self._running.pop(place, None)
            return str(request_id)
        return self._running.get(place, "")


def _json_id(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    record = said.get("record")
    found = record.get("requestId") if isinstance(record, dict) else said.get("requestId", said.get("AWSRequestId"))
    return found if isinstance(found, str) else ""
