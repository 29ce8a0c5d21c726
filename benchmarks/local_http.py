"""POST /predict on this machine: `bareboat serve`, serverless-offline, MLflow, BentoML, by wrk.

    python benchmarks/local_http.py [--rounds N] [--quick]

wrk compares every answer with the expected one. Beside it, from 16 connections on, a client of our own sends other rows
and compares each with LightGBM's answer, so that an answer that went to the wrong request is seen. Needs wrk on PATH.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import artifacts
import harness
import seed
import servers
from servers import Server

MODEL = "bareboat serve, model:"
ROWS = [[4.5 + 0.3 * (i % 11), 2.2 + 0.2 * (i % 9), 1.2 + 0.45 * (i % 13), 0.1 + 0.2 * (i % 12)] for i in range(64)]


@dataclass
class Checker:
    """A client that sends differing rows at about 40 a second and compares each answer with LightGBM's."""

    server: Server
    truth: list[list[float]]
    sent: int = 0
    wrong: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send rows until `ended` is set, on one connection that is kept."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        with contextlib.closing(connection):
            while not self.ended.wait(0.025):
                row, truth = ROWS[self.sent % len(ROWS)], self.truth[self.sent % len(ROWS)]
                self.sent += 1
                try:
                    body = self.server.body(row)
                    connection.request("POST", self.server.path, body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    answer = response.read()
                    if response.status != 200 or self.server.proba(answer) != truth:
                        self.wrong.append(f"{response.status} {answer[:120]!r} for {row}")
                except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
                    self.wrong.append(f"{type(error).__name__}: {error} for {row}")
                    connection.close()


def expected(server: Server, truth: list[float]) -> bytes:
    """Ask for the one row of the load; return the answer as bytes once its numbers are LightGBM's own.

    Raises:
        harness.RowError: they are not.
    """
    status, answer = server.post(server.body(list(seed.ROW)))
    if status != 200 or server.proba(answer) != truth:
        raise harness.RowError(f"answered {status} {answer[:200]!r} instead of {truth}")
    return answer


def wrk(server: Server, connections: int, seconds: int, body: Path, answer: Path) -> dict[str, Any]:
    """Run wrk once; return check.lua's figures."""
    script = str(Path(__file__).with_name("check.lua"))
    load = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script]
    command = [*load, f"http://127.0.0.1:{server.port}{server.path}", "--", str(body), str(answer)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    figures = [line[8:] for line in done.stdout.splitlines() if line.startswith("FIGURES ")]
    if done.returncode or not figures:
        raise harness.RowError(f"wrk: exit {done.returncode}: {(done.stderr or done.stdout)[-200:]}")
    found: dict[str, Any] = json.loads(figures[0])
    return found | {"right_per_s": (found["answers"] - found["wrong"]) / found["seconds"]}


def load(server: Server, connections: int, files: tuple[Path, Path], truth: list[list[float]]) -> dict[str, Any]:
    """Load one server; at more than one connection the checking client runs beside wrk."""
    checker = Checker(server, truth)
    thread = threading.Thread(target=checker.run)
    if connections > 1:
        thread.start()
    try:
        figures = wrk(server, connections, server.load_s if connections > 1 else 3, *files)
    finally:
        checker.ended.set()
        if connections > 1:
            thread.join(40)
    return figures | {"checked": checker.sent, "checked_wrong": checker.wrong}


def measure(given_rounds: int, report: harness.Report, logs: Path) -> dict[str, dict[int, list[dict[str, Any]]]]:
    """Start every server, then load them in turn, `rounds` times."""
    truth = seed.oracle([list(seed.ROW), *ROWS])
    taken: dict[str, dict[int, list[dict[str, Any]]]] = {}
    with contextlib.ExitStack() as stack:
        up: dict[str, tuple[Server, int, tuple[Path, Path]]] = {}
        for number, (name, make) in enumerate(servers.ALL.items()):
            try:
                server = make()
                log = logs / f"{number}.log"
                command = server.command(server.port)
                process = stack.enter_context(harness.running(command, cwd=server.cwd, env=server.env, log=log))
                harness.wait_for(server.answers, process, seconds=server.ready_s, log=log)
                body, answer = logs / f"{number}.body", logs / f"{number}.answer"
                body.write_text(server.body(list(seed.ROW)))
                answer.write_bytes(expected(server, truth[0]))
                wrk(server, 4, 1, body, answer)  # not counted: first calls
                harness.settle(process.pid)
                up[name] = server, process.pid, (body, answer)
                taken[name] = {connections: [] for connections in server.connections}
            except (harness.RowError, OSError, subprocess.SubprocessError) as error:
                report.fail(name, error)
        for turn in range(given_rounds):
            for name in harness.shuffled(list(up), turn):
                server, group, files = up[name]
                for connections in server.connections:
                    if name in report.failures:
                        continue
                    try:
                        taken[name][connections].append(load(server, connections, files, truth[1:]))
                    except (harness.RowError, subprocess.SubprocessError) as error:
                        report.fail(name, error)
                harness.settle(group)
    return {name: figures for name, figures in taken.items() if name not in report.failures}


COLUMNS = ["connections", "right answers/s, median (min-max)", "p50 ms", "p99 ms, median (max)", "answers", "wrong",
           "of these HTTP 200", "other rows checked / wrong"]  # fmt: skip


def row(connections: int, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum up the runs of one server at one number of connections."""
    p99 = [run["p99_ms"] for run in runs]
    checked, checked_wrong = sum(run["checked"] for run in runs), sum(len(run["checked_wrong"]) for run in runs)
    cells = [
        connections, harness.spread([run["right_per_s"] for run in runs]),
        f"{statistics.median(run['p50_ms'] for run in runs):.2f}", f"{statistics.median(p99):.1f} ({max(p99):.1f})",
        sum(run["answers"] for run in runs), sum(run["wrong"] + run["socket_errors"] for run in runs),
        sum(run["wrong_200"] for run in runs), f"{checked} / {checked_wrong}" if checked else "-",
    ]  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))


def judge(report: harness.Report, taken: dict[str, dict[int, list[dict[str, Any]]]]) -> None:
    """Hold `bareboat serve` of the model against what the issue asks for."""
    for connections in (16, 64):
        ours, bare = (
            [run["right_per_s"] for run in taken.get(name, {}).get(connections, [])] for name in (MODEL, servers.FLOOR)
        )
        share = statistics.median(ours) / statistics.median(bare) if ours and bare else None
        met = None if share is None else share >= 0.5
        report.target(f"{connections} connections, of the bare loop", "at least 50 %", share, met, f"{share or 0:.0%}")
    few, many = ([run["right_per_s"] for run in taken.get(MODEL, {}).get(connections, [])] for connections in (16, 64))
    share = statistics.median(many) / statistics.median(few) if few and many else None
    met = None if share is None else share >= 0.9
    report.target("64 connections, of the rate at 16", "at least 90 %", share, met, f"{share or 0:.0%}")
    runs = taken.get(MODEL, {}).get(16, [])
    rate = statistics.median(run["right_per_s"] for run in runs) if runs else None
    p99 = statistics.median(run["p99_ms"] for run in runs) if runs else None
    wrong = None
    if runs:
        wrong = sum(run["wrong"] + run["socket_errors"] + len(run["checked_wrong"]) for run in runs)
    report.target(
        "16 connections, requests/s", "over 3,000", rate, None if rate is None else rate > 3000, f"{rate or 0:.0f}"
    )
    report.target("16 connections, p99 ms", "under 30", p99, None if p99 is None else p99 < 30)
    report.target("16 connections, wrong answers", "none", wrong, None if wrong is None else wrong == 0, f"{wrong}")


def main() -> int:
    given = harness.arguments("POST /predict on this machine, by wrk.", rounds=3, quick=1)
    if not shutil.which("wrk"):
        raise SystemExit("benchmarks: wrk is not installed; apt-get install wrk")
    versions = artifacts.versions("osls", "serverless-offline", "mlflow", "bentoml", "lightgbm", "awslambdaric")
    report = harness.Report("local_http", "Local HTTP: POST /predict, the same model", COLUMNS, versions, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        taken = measure(given.rounds, report, Path(folder))
    for name, by_connections in taken.items():
        for connections, runs in by_connections.items():
            report.rows[f"{name} c={connections}"] = row(connections, runs)
            wrong = [run["sample"] for run in runs if run["sample"]] + [w for run in runs for w in run["checked_wrong"]]
            if wrong:
                report.notes.append(f"{name}, {connections} connections, a wrong answer: `{wrong[0][:80]}`")
    judge(report, taken)
    report.notes += [
        "wrk -t1, one body, every answer compared byte for byte with one whose numbers are LightGBM's own.",
        "The rate counts right answers alone; `wrong` includes socket errors.",
        "MLflow and BentoML run with one worker, their default, and with one for each of 4 cores.",
    ]
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
