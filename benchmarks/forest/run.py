"""Engines of forests, side by side: one row, batches, threads, fresh processes, imports, TreeSHAP.

    python benchmarks/forest/run.py [TABLE ...] [--models S M C L X F] [--rounds N] [--quick] [--no-write]

Every engine of a table runs in one process, in turns, on the same rows; its answers are compared with those of the
framework that trained the model. What compiles for minutes is compiled once, into the folder of the peers.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import harness  # noqa: E402
import peers  # noqa: E402

TABLES = ("row", "batch", "threads", "fresh", "importing", "treeshap")


def main() -> int:
    parser = argparse.ArgumentParser(description="Engines of forests, side by side.")
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all when none is named")
    parser.add_argument("--models", nargs="*", default=list("SMCLXF"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="few rounds, to see whether it runs")
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.tables) - set(TABLES):
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    if importlib.util.find_spec("lleaves") is None:
        python = peers.install_venv("forest")
        kept = harness.environment(PYTHONPATH=str(harness.REPOSITORY / "src"))
        needs = [str(python), "-m", "pip", "install", "--quiet", *runtime_needs()]
        subprocess.run(needs, check=True, env=kept)
        return subprocess.run([str(python), *sys.argv], env=kept, check=False).returncode
    os.environ.pop("BAREBOAT_KERNEL", None)
    worst = 0
    for table in given.tables or TABLES:
        worst |= importlib.import_module(table).main(given)
    if not given.no_write:
        importlib.import_module("plot").draw()
    return worst


def runtime_needs() -> list[str]:
    """Return what bareboat itself needs, as pyproject.toml has it, but numpy, which the peers hold back."""
    import tomllib

    project = tomllib.loads((harness.REPOSITORY / "pyproject.toml").read_text())["project"]
    return [need for need in project["dependencies"] if not need.startswith("numpy")]


if __name__ == "__main__":
    sys.exit(main())
