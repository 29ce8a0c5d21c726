"""Invocations -> log events and metrics in moto, as Lambda writes them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aws_cloud.kept import Kept
from aws_cloud.live.runner import Deployed
from aws_cloud.moto import REGION, Moto

if TYPE_CHECKING:
    from bareboat.local.invocation import Invocation


class Watch:
    """Writes what invocations came to, on a thread of its own, in their order."""

    def __init__(self, moto: Moto, kept: Kept) -> None:
        self._moto = moto
        self._kept = kept
        self._streams: dict[tuple[str, str], str] = {}
        self._waiting: queue.Queue[tuple[Invocation, Deployed] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __call__(self, invocation: Invocation, functions: Mapping[str, Deployed]) -> None:
        deployed = functions.get(invocation.function)
        if deployed is not None:
            self._waiting.put((invocation, deployed))

    def settle(self) -> None:
        """Wait until everything is written."""
        self._waiting.join()

    def reset(self) -> None:
        self.settle()
        self._streams.clear()

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join(10)

    def _work(self) -> None:
        while (one := self._waiting.get()) is not None:
            try:
                self._write_log(*one)
                self._write_metrics(*one)
            finally:
                self._waiting.task_done()
        self._waiting.task_done()

    def _write_log(self, invocation: Invocation, deployed: Deployed) -> None:
        logs = self._moto.client("logs")
        kept = self._kept.of.get((REGION, deployed.full_name, deployed.version)) or {}
        group = (kept.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{deployed.full_name}"
        stream = self._streams.get((group, deployed.version))
        if stream is None:
            stream = f"{datetime.now(UTC):%Y/%m/%d}/[{deployed.version}]{uuid4().hex}"
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=group)
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
            self._streams[group, deployed.version] = stream
        start = int(invocation.at * 1000)
        lines = [line for line in invocation.log.splitlines() if line]
        took = max(int(invocation.duration_ms), len(lines))
        events = [
            {"timestamp": start + index * took // max(len(lines), 1), "message": line}
            for index, line in enumerate(lines)
        ]
        if events:
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def _write_metrics(self, invocation: Invocation, deployed: Deployed) -> None:
        at = datetime.fromtimestamp(invocation.at or time.time(), UTC)
        data: list[dict[str, Any]] = []
        for dimensions in _dimensions(deployed):
            data += [
                {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Value": value, "Unit": unit}
                for name, value, unit in (
                    ("Invocations", 1.0, "Count"),
                    ("Errors", float(bool(invocation.error)), "Count"),
                    ("Throttles", 0.0, "Count"),
                    ("Duration", invocation.duration_ms, "Milliseconds"),
                    ("ConcurrentExecutions", 1.0, "Count"),
                )
            ]
        self._moto.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=data)


def _dimensions(deployed: Deployed) -> list[list[dict[str, str]]]:
    """Return the sets of dimensions under which Lambda counts an invocation."""
    name = {"Name": "FunctionName", "Value": deployed.full_name}
    sets = [[name]]
    if deployed.alias:
        resource = {"Name": "Resource", "Value": f"{deployed.full_name}:{deployed.alias}"}
        sets += [[name, resource], [name, resource, {"Name": "ExecutedVersion", "Value": deployed.version}]]
    elif deployed.version != "$LATEST":
        sets.append([name, {"Name": "Resource", "Value": f"{deployed.full_name}:{deployed.version}"}])
    return sets
