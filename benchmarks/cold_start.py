"""Cold start and warm invoke under AWS's own runtime client: an empty handler, bareboat's two kinds, the peers.

    python benchmarks/cold_start.py [--rounds N] [--quick]

Cold: from the spawn of the process to the last byte of its first answer, page cache warm. Each round starts every row
once, and the light ones twice more, in an order of its own. Warm: all rows stay up together and take turns of 50
invokes.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import artifacts
import harness
import seed
from runtime_api import Worker

EMPTY = "empty handler (floor)"
MODEL = "bareboat, model:"
HANDLER = "bareboat, handler:"  # slim: safe, the default
NONE, MAX = "bareboat, handler:, slim: none", "bareboat, handler:, slim: max"
LAYER = "bareboat, handler:, packages in a layer"
PEERS = ("osls, zip: false", "osls, slim: true")
PUBLISHED = "osls, zip: true (seed as published)"
TUNED = "seed handler, hand-tuned"
UNZIPPED_BY_PEER = (Path("/tmp/sls-py-req"), Path("/tmp/_temp-sls-py-req"))  # where unzip_requirements.py unpacks
SLOW_ROUNDS = 4  # the published seed unpacks 219 MB at each start


@dataclass
class Row:
    """One case: where it is unpacked, its handler, the answer it owes."""

    name: str
    task: Path
    handler: str
    answer: str
    python: str = "3.12"
    opt: Path | None = None


def prepare(scratch: Path, report: harness.Report) -> list[Row]:
    """Build and unpack every row's artifact; what cannot be built is given up with its reason."""
    expected = seed.ANSWER
    makers: dict[str, Callable[[Path], Row]] = {
        EMPTY: _empty,
        MODEL: lambda at: _bareboat(MODEL, artifacts.bareboat_artifact("model"), at),
        HANDLER: lambda at: _bareboat(HANDLER, artifacts.bareboat_artifact("handler"), at),
        NONE: lambda at: _bareboat(NONE, artifacts.bareboat_artifact("handler", slim="none"), at),
        MAX: lambda at: _bareboat(MAX, artifacts.bareboat_artifact("handler", slim="max"), at),
        LAYER: lambda at: _bareboat(LAYER, artifacts.bareboat_artifact("layers"), at),
        TUNED: lambda _: Row(TUNED, seed.hand_tuned(), "handler.predict", expected),
    }
    for name in PEERS:
        makers[name] = lambda at, name=name: Row(  # type: ignore[misc]
            name, harness.unzip(seed.osls_artifact(name.partition(", ")[2]), at), "handler.predict", expected
        )
    makers[PUBLISHED] = lambda at: Row(
        PUBLISHED, harness.unzip(seed.osls_artifact("zip: true"), at), "handler.predict", expected
    )
    rows = []
    for number, (name, make) in enumerate(makers.items()):
        try:
            rows.append(make(scratch / f"task-{number}"))
        except (harness.RowError, OSError) as error:
            report.fail(name, error)
    return rows


def _empty(at: Path) -> Row:
    return Row(EMPTY, seed.write_project(at, {"handler.py": seed.EMPTY}, model=False), "handler.predict", "{}")


def _bareboat(name: str, built: artifacts.Built, at: Path) -> Row:
    opt = harness.unzip(built.layers[0], at.with_name(f"{at.name}-opt")) if built.layers else None
    return Row(name, harness.unzip(built.path, at), built.handler, seed.ANSWER, built.python, opt)


def checked(row: Row, answer: bytes) -> None:
    """Compare an answer of the runtime client with the one the row owes, to the last digit.

    Raises:
        harness.RowError: it differs.
    """
    body = artifacts.body_of(answer)
    if body != row.answer:
        raise harness.RowError(f"answered {answer.decode()[:200]} instead of {row.answer}")


def cold(row: Row, scratch: Path) -> tuple[float, float]:
    """Start one row from nothing; return milliseconds of the clock and of the CPU."""
    if row.name == PUBLISHED:
        for place in UNZIPPED_BY_PEER:
            shutil.rmtree(place, ignore_errors=True)
    with Worker(row.task, row.handler, python=row.python, log=scratch / "worker.log", opt=row.opt) as worker:
        seconds, answer = worker.start(seed.event())
        checked(row, answer)
        return seconds * 1000, worker.cpu_s() * 1000


def measure_cold(
    rows: list[Row], rounds: int, scratch: Path, report: harness.Report
) -> dict[str, list[tuple[float, float]]]:
    """Time `rounds` cold starts of every row, interleaved, after one that is not counted: (clock ms, CPU ms) each."""
    taken: dict[str, list[tuple[float, float]]] = {row.name: [] for row in rows}
    by_name = {row.name: row for row in rows}
    light = [name for name in (EMPTY, MODEL) if name in by_name]
    for turn in range(-1, rounds):
        for name in harness.shuffled([*by_name, *light, *light], turn):
            if name in report.failures or (name == PUBLISHED and turn >= SLOW_ROUNDS):
                continue
            try:
                once = cold(by_name[name], scratch)
            except harness.RowError as error:
                report.fail(name, error)
                continue
            if turn >= 0:
                taken[name].append(once)
    return {name: values for name, values in taken.items() if name not in report.failures}


def measure_warm(rows: list[Row], blocks: int, scratch: Path, report: harness.Report) -> dict[str, list[float]]:
    """Time blocks of 50 invokes of every row in turn, all processes alive; milliseconds."""
    taken: dict[str, list[float]] = {row.name: [] for row in rows}
    event = seed.event()
    with contextlib.ExitStack() as stack:
        workers = {}
        for number, row in enumerate(rows):
            log = scratch / f"warm{number}.log"
            worker = stack.enter_context(Worker(row.task, row.handler, python=row.python, log=log, opt=row.opt))
            worker.start(event)
            workers[row.name] = (row, worker)
        for block in range(-2, blocks):
            for name in harness.shuffled(list(workers), block):
                row, worker = workers[name]
                if name in report.failures:
                    continue
                try:
                    for _ in range(50):
                        seconds, answer = worker.invoke(event)
                        checked(row, answer)
                        if block >= 0:
                            taken[name].append(seconds * 1000)
                except harness.RowError as error:
                    report.fail(name, error)
    return taken


def judge(report: harness.Report, cold_ms: dict[str, list[float]], warm_ms: dict[str, list[float]]) -> None:
    """Hold the medians against what the issue asks for."""
    middle = {name: statistics.median(values) for name, values in cold_ms.items() if values}
    p50 = {name: statistics.median(values) for name, values in warm_ms.items() if values}

    def ratio(table: dict[str, float], over: str, under: str) -> float | None:
        return table[over] / table[under] if over in table and under in table else None

    def at_most(what: str, limit: float, value: float | None) -> None:
        met = None if value is None else value <= limit
        report.target(what, f"at most {limit:g}x", value, met, f"{value:.2f}x" if value else "")

    at_most("cold start of `model:` over the empty handler", 1.3, ratio(middle, MODEL, EMPTY))
    at_most("cold start of `handler:`, slim: safe, over the empty handler", 7.8, ratio(middle, HANDLER, EMPTY))
    at_most("cold start of `handler:`, slim: max, over the empty handler", 7.3, ratio(middle, MAX, EMPTY))
    best = min((name for name in PEERS if name in middle), key=middle.__getitem__, default=None)
    gain = ratio(middle, best, HANDLER) if best else None
    what = f"`handler:`, times faster than the peer's best artifact ({best})"
    report.target(what, "at least 2.5x", gain, None if gain is None else gain >= 2.5, f"{gain:.2f}x" if gain else "")
    at_most("warm invoke p50 of `model:` over the empty handler", 1.2, ratio(p50, MODEL, EMPTY))


def main() -> int:
    given = harness.arguments("Cold start and warm invoke under awslambdaric.", rounds=11, quick=2)
    columns = ["cold ms, median (min-max)", "over empty", "CPU ms", "n", "warm p50 ms", "warm p99 ms", "p50 over empty"]
    versions = artifacts.versions("awslambdaric", "lightgbm", "osls", "serverless-python-requirements")
    report = harness.Report("cold_start", "Cold start and warm invoke", columns, versions, given.rounds)
    report.versions["Python of the functions"] = "3.12"
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        scratch = Path(folder)
        rows = prepare(scratch, report)
        both_ms = measure_cold(rows, given.rounds, scratch, report)
        alive = [row for row in rows if row.name not in report.failures]
        warm_ms = measure_warm(alive, 6 if given.quick else 20, scratch, report)
    for place in UNZIPPED_BY_PEER:
        shutil.rmtree(place, ignore_errors=True)
    cold_ms = {name: [clock for clock, _ in values] for name, values in both_ms.items()}
    floor, floor_p50 = statistics.median(cold_ms[EMPTY]), statistics.median(warm_ms[EMPTY])
    for name, values in cold_ms.items():
        if name in report.failures:
            continue
        p50 = statistics.median(warm_ms[name])
        cells = [
            harness.spread(values), f"{statistics.median(values) / floor:.2f}x",
            f"{statistics.median(cpu for _, cpu in both_ms[name]):.0f}", len(values),
            f"{p50:.3f}", f"{harness.percentile(warm_ms[name], 99):.3f}", f"{p50 / floor_p50:.2f}x",
        ]  # fmt: skip
        report.rows[name] = dict(zip(columns, cells, strict=True))
    judge(report, cold_ms, warm_ms)
    report.notes += [
        f"Every answer of every row was compared with the expected one, to the last digit ({EMPTY} with its own).",
        "awslambdaric on the unpacked artifact, environment as on Lambda, PYTHONDONTWRITEBYTECODE=1 for /var/task.",
        "The page cache is warm: a real cold start adds the download on top.",
        "The peers' archives use this machine's libgomp.so.1; bareboat's brings its own.",
    ]
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
