"""What the local cloud itself costs: CPU a request of an empty function, time to the first answer, memory.

    python benchmarks/local_cost.py [--rounds N] [--quick]

The measure is bridge.py: one event loop between clients and AWS's runtime client, with nothing of a gateway in it.
Both are loaded by wrk in the same run, by turns, with the same empty function on the same runtime client. CPU time is
that of the one process that serves, all of its threads, the store's too; the functions' processes are not in it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import artifacts
import harness
import peers
import seed
import servers
from local_http import wrk
from servers import Server

BARE, HTTP, REST = "bare runtime loop", "bareboat serve, HTTP API", "bareboat serve, REST API"
MODEL_BARE, MODEL = "bare runtime loop, model:", "bareboat serve, model:"
CONNECTIONS = (16, 64)
WORKERS = 16
SERVICE = """\
service: empty
provider: {name: aws, region: ap-southeast-1, runtime: python3.12}
functions:
  over_http:
    handler: handler.predict
    events: [{httpApi: 'POST /predict'}]
  over_rest:
    handler: handler.predict
    events: [{http: 'POST /predict'}]
"""
COLUMNS = ["requests/s, c=16", "requests/s, c=64", "c=64 of c=16", "CPU ms a request, c=16", "over the bare loop, ms",
           "wrong"]  # fmt: skip


@dataclass
class Loaded:
    """A server under load: what it is, the process that serves, and its figures by connections."""

    server: Server
    pid: int
    files: tuple[Path, Path]
    rates: dict[int, list[float]] = field(default_factory=lambda: {c: [] for c in CONNECTIONS})
    cpu_ms: list[float] = field(default_factory=list)
    wrong: int = 0

    def load(self, connections: int, seconds: int) -> None:
        before = cpu_s(self.pid)
        figures = wrk(self.server, connections, seconds, *self.files)
        spent_ms = (cpu_s(self.pid) - before) * 1e3
        self.rates[connections].append(figures["right_per_s"])
        self.wrong += figures["wrong"] + figures["socket_errors"]
        if connections == CONNECTIONS[0] and figures["answers"]:
            self.cpu_ms.append(spent_ms / figures["answers"])


def cpu_s(pid: int) -> float:
    """Return the CPU time that the threads of a process have had, in seconds; of those that live."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def empty_project() -> Path:
    """Write a service of an empty function behind both kinds of API."""
    files = {"serverless.yml": SERVICE, "handler.py": seed.EMPTY}
    place = peers.folder() / "projects" / "bareboat-empty"
    return seed.write_project(place, files)


def start(
    stack: contextlib.ExitStack, server: Server, logs: Path, name: str, command: list[str] | None = None
) -> Loaded:
    """Start a server, check its answer, and warm it up."""
    log = logs / f"{name}.log"
    began = command if command is not None else server.command(server.port)
    process = stack.enter_context(harness.running(began, cwd=server.cwd, env=server.env, log=log))
    harness.wait_for(server.answers, process, seconds=server.ready_s, log=log)
    return Loaded(server, process.pid, answer_files(server, logs, name))


def answer_files(server: Server, logs: Path, name: str) -> tuple[Path, Path]:
    """Write what wrk sends, and what every answer must be."""
    body, answer = logs / f"{name}.body", logs / f"{name}.answer"
    text = server.body(list(seed.ROW))
    status, expected = server.post(text)
    if status != 200:
        raise harness.RowError(f"answered {status} {expected[:100]!r}")
    body.write_text(text)
    answer.write_bytes(expected)
    wrk(server, 16, 1, body, answer)  # not counted: first calls
    return body, answer


def all_loaded(stack: contextlib.ExitStack, logs: Path) -> dict[str, Loaded]:
    """Start what is compared: the bare loop and serve, of the empty function and of the model."""
    place, up = empty_project(), {}
    bridge = str(Path(__file__).with_name("bridge.py"))
    environment = artifacts.package_env()
    bare = Server(BARE, lambda port: [sys.executable, bridge, str(port), str(place), "handler.predict"], place,
                  dict(os.environ))  # fmt: skip
    up[BARE] = start(stack, bare, logs, "bare")
    both = Server(HTTP, lambda _: [], place, environment, ready_s=120)
    rest = Server(REST, lambda _: [], place, environment, path="/dev/predict")
    command = [*artifacts.BAREBOAT, "serve", "--port", str(both.port), "--rest-port", str(rest.port)]
    up[HTTP] = start(stack, both, logs, "http", command)
    up[REST] = Loaded(rest, up[HTTP].pid, answer_files(rest, logs, "rest"))
    up[MODEL_BARE] = start(stack, servers.bridge(), logs, "bare-model")
    up[MODEL] = start(stack, servers.bareboat("model"), logs, "model")
    return up


def first_answer_ms(place: Path, path: str) -> float:
    """Return how long after its start `serve` answers its first request, the archive being there already."""
    server = Server("", lambda port: [*artifacts.BAREBOAT, "serve", "--port", str(port)], place,
                    artifacts.package_env(), path=path)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        running = harness.running(server.command(server.port), cwd=server.cwd, env=server.env, log=Path(folder) / "log")
        with running as process:
            while time.perf_counter() - began < 60:
                with contextlib.suppress(OSError):
                    if server.post(server.body(list(seed.ROW)))[0] == 200:
                        return (time.perf_counter() - began) * 1e3
                if process.poll() is not None:
                    break
                time.sleep(0.002)
    raise harness.RowError("serve did not answer")


def memory(loaded: Loaded) -> tuple[float, int]:
    """Fill a server with clients until it has 16 workers: (PSS of all its processes in MB, how many workers).

    More are started as the oldest request waits for 250 ms; what is over 16 is killed while it rests.
    """
    script = str(Path(__file__).with_name("check.lua"))
    url = f"http://127.0.0.1:{loaded.server.port}{loaded.server.path}"
    command = ["wrk", "-t1", "-c1000", "-d40s", "--timeout", "30s", "-s", script, url, "--", *map(str, loaded.files)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
        until = time.monotonic() + 40
        while len(workers(loaded.pid)) < WORKERS and time.monotonic() < until and load.poll() is None:
            time.sleep(0.1)
        load.kill()
    harness.settle(loaded.pid)
    for pid in workers(loaded.pid)[WORKERS:]:
        os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    pss = sum(harness.pss_bytes(pid) for pid in harness.family(loaded.pid))
    return pss / 1e6, len(workers(loaded.pid))


def workers(pid: int) -> list[int]:
    """Return the processes that run the runtime client."""
    found = []
    for child in sorted(harness.family(pid)):
        with contextlib.suppress(OSError):
            if re.search(rb"launch\.py|client\.py", Path(f"/proc/{child}/cmdline").read_bytes()):
                found.append(child)
    return found


def row(loaded: Loaded, bare: Loaded) -> dict[str, Any]:
    """Sum up one server."""
    few, many = (statistics.median(loaded.rates[c]) for c in CONNECTIONS)
    cpu, floor = statistics.median(loaded.cpu_ms), statistics.median(bare.cpu_ms)
    cells = [*(harness.spread(loaded.rates[c]) for c in CONNECTIONS), f"{many / few:.0%}",
             harness.spread(loaded.cpu_ms, 3), "-" if loaded is bare else f"{cpu - floor:.3f}",
             loaded.wrong]  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))


def judge(report: harness.Report, up: dict[str, Loaded], first_ms: list[float], held: tuple[float, int]) -> None:
    """Hold the figures against what the issue asks for."""
    few, many = ({name: statistics.median(one.rates[c]) for name, one in up.items()} for c in CONNECTIONS)
    for connections, rates in zip(CONNECTIONS, (few, many), strict=True):
        share = rates[MODEL] / rates[MODEL_BARE]
        report.target(f"model function, c={connections}, of the bare loop", "at least 50 %", share, share >= 0.5,
                      f"{share:.0%}")  # fmt: skip
    share = many[MODEL] / few[MODEL]
    report.target("model function, c=64 of c=16", "within 10 %", share, share >= 0.9, f"{share:.0%}")
    for name in (HTTP, REST):
        own = statistics.median(up[name].cpu_ms) - statistics.median(up[BARE].cpu_ms)
        report.target(f"{name}: own CPU a request", "under 0.15 ms", own, own < 0.15, f"{own:.3f} ms")
    first = statistics.median(first_ms)
    report.target("from `serve` to the first answer", "under 500 ms", first, first < 500, harness.spread(first_ms))
    megabytes, count = held
    report.target(f"PSS of the whole, {count} warm workers, model function", "under 400 MB",
                  megabytes, megabytes < 400 if count == WORKERS else None, f"{megabytes:.0f} MB")  # fmt: skip
    wrong = sum(one.wrong for one in up.values())
    report.target("wrong answers and socket errors", "none", wrong, wrong == 0, f"{wrong}")


def main() -> int:
    given = harness.arguments("What the local cloud itself costs.", rounds=5, quick=1)
    if not shutil.which("wrk"):
        raise SystemExit("benchmarks: wrk is not installed; apt-get install wrk")
    seconds = 3 if given.quick else 5
    versions = artifacts.versions("awslambdaric")
    report = harness.Report("local_cost", "The local cloud's own cost", COLUMNS, versions, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder, contextlib.ExitStack() as stack:
        up = all_loaded(stack, Path(folder))
        for turn in range(given.rounds):
            for name in harness.shuffled(list(up), turn):
                for connections in CONNECTIONS:
                    up[name].load(connections, seconds)
                harness.settle(up[name].pid)
        held = memory(up[MODEL])
    place = artifacts.project("model")  # as it lies there, without an archive
    built_ms, *first_ms = [first_answer_ms(place, "/predict") for _ in range(max(6, given.rounds + 1))]
    report.rows = {name: row(one, up[MODEL_BARE] if "model" in name else up[BARE]) for name, one in up.items()}
    judge(report, up, first_ms, held)
    report.notes += [
        "wrk -t1 on the same machine, one body, every answer compared byte for byte.",
        "4 processes serve each. The store, the console and reload are on, as by default.",
        f"The first answer is that of a new process, its archive being made already; making it too: {built_ms:.0f} ms.",
    ]
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
