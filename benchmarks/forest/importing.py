"""From the framework's file to what an engine loads: seconds, memory, and the bytes that it makes."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common
import engines
import harness

PROGRAM = """
import sys
from pathlib import Path
from bareboat.forest import read_ensemble, write_forest
write_forest(read_ensemble(Path(sys.argv[1])), Path(sys.argv[2]), statistics=sys.argv[3] == "True")
print(next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 5, 1)
    columns = ["s, median (min-max)", "peak memory MB", "bytes of the source", "bytes made", "n"]
    report = common.report("importing", "Import of a model", columns, n_rounds)
    for name in given.models:
        model = common.model(name)
        for statistics_too in (False, True):
            seconds, peak, size = _import(model, n_rounds, statistics_too)
            row = f"{name}, bareboat" + (", with what TreeSHAP and importances need" if statistics_too else "")
            cells = [harness.spread(seconds, 2), f"{peak / 1e6:.0f}", model.file.stat().st_size, size, len(seconds)]
            report.rows[row] = dict(zip(columns, cells, strict=True))
            if name == "L" and not statistics_too:
                middle = statistics.median(seconds)
                report.target("import of L, s", "at most 2", middle, middle <= 2, f"{middle:.2f}")
                report.target(
                    "import of L, peak memory", "under 300 MB", peak / 1e6, peak < 300e6, f"{peak / 1e6:.0f} MB"
                )
            if name == "M" and not statistics_too:
                from bareboat.runtime.kernel import kernel_path

                both = size + Path(kernel_path()).stat().st_size
                report.target("kernel and M, bytes", "under 200 KB", both, both < 200_000, f"{both / 1e3:.0f} KB")
        for make in (engines.lleaves_engine, engines.tl2cgen_engine, engines.onnxruntime_engine):
            if make not in engines.PEERS[name]:
                continue
            made = make(model)
            cells = [f"{made.made_s:.2f}", "", model.file.stat().st_size, made.kept, 1]
            report.rows[f"{name}, {made.name}"] = dict(zip(columns, cells, strict=True))
    report.notes += [
        "bareboat: a whole process, from Python's start to the file written.",
        "Peers: their conversion or compilation alone, once, when their file was made.",
        "lleaves compiles L with finline=False, fblocksize=34: with its defaults it ran out of memory.",
    ]
    return report.finish(write=not given.no_write)


def _import(model: common.models.Model, n_rounds: int, statistics_too: bool) -> tuple[list[float], int, int]:
    env = harness.environment(PYTHONPATH=str(harness.REPOSITORY / "src"))
    seconds, peak, size = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        target = Path(folder) / "m.forest"
        for _ in range(n_rounds):
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(model.file), str(target), str(statistics_too)],
                env=env, capture_output=True, text=True, timeout=600, check=True,
            )  # fmt: skip
            seconds.append(time.perf_counter() - started)
            peak, size = max(peak, int(done.stdout.split()[-1])), target.stat().st_size
    return seconds, peak, size
