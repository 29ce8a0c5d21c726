"""A handler that raises, behind a local HTTP API: what the client gets, and when.

    python benchmarks/handler_error.py [--rounds N] [--quick]

The real gateway answers 500 `{"message":"Internal Server Error"}` at once.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import artifacts
import harness
import peers
import seed
import servers
from servers import Server

STATUS, BODY = 500, {"message": "Internal Server Error"}
BAREBOAT = "bareboat serve"
COLUMNS = ["status", "body", "ms, median (min-max)", "n", "as the real gateway"]


def raising_bareboat() -> Server:
    """`bareboat serve` on a project with the raising handler."""
    place = seed.write_project(
        peers.folder() / "projects" / "bareboat-raising",
        {"serverless.yml": seed.SERVICE, "handler.py": seed.RAISING},
        model=False,
    )
    command = lambda port: [*artifacts.BAREBOAT, "serve", "--port", str(port)]  # noqa: E731
    return Server(BAREBOAT, command, place, harness.environment(), ready_s=120)


def raising_offline() -> Server:
    """serverless-offline on a project with the raising handler."""
    return servers.serverless_offline(handler=seed.RAISING, name="offline-raising")


def ask(server: Server) -> tuple[int, str, float]:
    """Send one request: (status, body, milliseconds)."""
    started = time.perf_counter()
    status, body = server.post(seed.BODY)
    return status, body.decode(errors="replace"), (time.perf_counter() - started) * 1000


def measure(rounds: int, report: harness.Report, logs: Path) -> dict[str, list[tuple[int, str, float]]]:
    """Start both servers, then ask them in turn."""
    taken: dict[str, list[tuple[int, str, float]]] = {}
    with contextlib.ExitStack() as stack:
        up: dict[str, Server] = {}
        for name, make in ((BAREBOAT, raising_bareboat), ("serverless-offline", raising_offline)):
            try:
                server = make()
                log = logs / f"{len(up)}.log"
                command = server.command(server.port)
                process = stack.enter_context(harness.running(command, cwd=server.cwd, env=server.env, log=log))
                harness.wait_for(server.is_up, process, seconds=server.ready_s, log=log)
                up[name], taken[name] = server, []
            except (harness.RowError, OSError) as error:
                report.fail(name, error)
        for turn in range(rounds):
            for name in harness.shuffled(list(up), turn):
                try:
                    taken[name].append(ask(up[name]))
                except OSError as error:
                    report.fail(name, f"{type(error).__name__}: {error}")
    return {name: answers for name, answers in taken.items() if name not in report.failures}


def is_right(answer: tuple[int, str, float]) -> bool:
    """Compare status and body with the real gateway's."""
    with contextlib.suppress(ValueError):
        return answer[0] == STATUS and json.loads(answer[1]) == BODY
    return False


def main() -> int:
    given = harness.arguments("A handler that raises, locally.", rounds=9, quick=2)
    versions = artifacts.versions("osls", "serverless-offline", "awslambdaric")
    report = harness.Report("handler_error", "A handler that raises, locally", COLUMNS, versions, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        taken = measure(given.rounds, report, Path(folder))
    for name, answers in taken.items():
        body = answers[-1][1].replace("|", "/")
        right = sum(map(is_right, answers))
        cells: list[Any] = [
            "/".join(sorted({str(answer[0]) for answer in answers})), f"`{body[:70]}`" + "..." * (len(body) > 70),
            harness.spread([answer[2] for answer in answers], 1), len(answers), f"{right} of {len(answers)}",
        ]  # fmt: skip
        report.rows[name] = dict(zip(COLUMNS, cells, strict=True))
    ours = taken.get(BAREBOAT, [])
    what = '500 `{"message":"Internal Server Error"}`'
    report.target(
        what,
        "every time",
        None,
        all(map(is_right, ours)) if ours else None,
        f"{sum(map(is_right, ours))} of {len(ours)}",
    )
    middle = statistics.median(answer[2] for answer in ours) if ours else None
    report.target("time to that answer, ms", "at once (under 100)", middle, None if middle is None else middle < 100)
    report.notes.append("The first request to each, a cold start, is not counted. One request at a time, in turn.")
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
