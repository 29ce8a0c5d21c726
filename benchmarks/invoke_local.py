"""`invoke local`: wall time of the whole command, beside running the handler directly.

    python benchmarks/invoke_local.py [--rounds N] [--quick]

bareboat's artifacts are built and unchanged; osls has no artifact here: it runs the handler in the user's environment.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import artifacts
import harness
import peers
import seed

DIRECT = "handler run directly (floor)"
OSLS = "osls invoke local"
MODEL, HANDLER = "bareboat invoke local, model:", "bareboat invoke local, handler:"
COLUMNS = ["s, median (min-max)", "over direct", "n"]
CODE = "import json, handler; print(json.dumps(handler.predict({'body': %r}, None)))" % seed.BODY  # noqa: UP031


@dataclass
class Row:
    """One command, where and in which environment it runs."""

    name: str
    command: list[str]
    cwd: Path
    env: dict[str, str]


def prepare() -> list[Row]:
    """Write the projects; the data is the event's body alone, as a user would type it."""
    data = json.dumps({"body": seed.BODY})
    offline = seed.osls_project("invoke-local", {})
    osls = str(peers.install_node("osls") / "node_modules" / ".bin" / "osls")
    invoke = ["invoke", "local", "-f", "predict", "--data", data]
    bare = harness.environment()
    return [
        Row(DIRECT, [str(peers.install_venv("lightgbm")), "-c", CODE], offline, bare),
        Row(OSLS, [osls, *invoke], offline, seed.osls_env()),
        Row(MODEL, [*artifacts.BAREBOAT, *invoke], artifacts.project("model"), bare),
        Row(HANDLER, [*artifacts.BAREBOAT, *invoke], artifacts.project("handler"), bare),
    ]


def run(row: Row) -> float:
    """Run one command; return seconds once its answer is the expected one.

    Raises:
        harness.RowError: it failed, or answered something else.
    """
    started = time.perf_counter()
    done = subprocess.run(
        row.command, cwd=row.cwd, env=row.env, capture_output=True, text=True, timeout=300, check=False
    )
    took_s = time.perf_counter() - started
    if done.returncode:
        raise harness.RowError(f"exit {done.returncode}: {(done.stderr or done.stdout)[-300:]}")
    try:
        answer = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError:
        raise harness.RowError(f"no JSON on stdout: {done.stdout[:200]!r}") from None
    if answer != {"statusCode": 200, "body": seed.ANSWER}:
        raise harness.RowError(f"answered {answer} instead of {seed.ANSWER}")
    return took_s


def main() -> int:
    given = harness.arguments("Wall time of `invoke local`.", rounds=9, quick=2)
    versions = artifacts.versions("osls", "serverless-python-requirements", "lightgbm", "awslambdaric")
    report = harness.Report("invoke_local", "`invoke local`, wall time", COLUMNS, versions, given.rounds)
    rows = {row.name: row for row in prepare()}
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for turn in range(-1, given.rounds):  # the first round builds and fills the page cache
        for name in harness.shuffled(list(rows), turn):
            if name in report.failures:
                continue
            try:
                took_s = run(rows[name])
            except (harness.RowError, subprocess.SubprocessError) as error:
                report.fail(name, error)
                continue
            if turn >= 0:
                taken[name].append(took_s)
    floor = statistics.median(taken[DIRECT]) if taken[DIRECT] else None
    for name, values in taken.items():
        if name in report.failures:
            continue
        middle = statistics.median(values)
        over = f"{middle / floor:.2f}x" if floor else "-"
        cells = [harness.spread(values, 2), over, len(values)]
        report.rows[name] = dict(zip(report.columns, cells, strict=True))
    ours = statistics.median(taken[MODEL]) if MODEL not in report.failures else None
    report.target(
        "`model:`, artifact built and unchanged, s in all", "under 0.5", ours, None if ours is None else ours < 0.5
    )
    report.notes.append(
        "Every answer was compared with the expected one, to the last digit. One round before is not counted."
    )
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
