"""Pipelines and many models, side by side with scikit-learn and ONNX Runtime.

    python benchmarks/models/run.py [TABLE ...] [--rounds N] [--quick] [--no-write]

Tables: row, batch, cold (with the sizes of artifacts), many, agreement. The first three are about the pipeline of
training.py; all run in the peers' environment `models`, and every answer is compared with the framework's own. Of
agreement 2,000 pipelines are drawn here; agreement.py itself draws 10,000.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import harness  # noqa: E402
import peers  # noqa: E402

TABLES = ("row", "batch", "cold", "many", "agreement")


def main() -> int:
    parser = argparse.ArgumentParser(description="Pipelines, side by side.")
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all when none is named")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="few rounds, to see whether it runs")
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.tables) - set(TABLES):
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    python = peers.install_venv("models")
    if Path(sys.prefix).resolve() != python.parent.parent.resolve():
        kept = harness.environment(PYTHONPATH=str(harness.REPOSITORY / "src"))
        install = [peers.uv(), "pip", "install", "--quiet", "--python", str(python), *runtime_needs()]
        subprocess.run(install, check=True, env=kept)
        return subprocess.run([str(python), *sys.argv], env=kept, check=False).returncode
    os.environ.pop("BAREBOAT_KERNEL", None)
    worst = 0
    for table in given.tables or TABLES:
        worst |= _agreement(given) if table == "agreement" else importlib.import_module(table).main(given)
    return worst


def _agreement(given: argparse.Namespace) -> int:
    count, processes = (100 if given.quick else 2000), os.cpu_count() or 1
    command = [sys.executable, str(HERE / "agreement.py"), "--pipelines", str(count), "--processes", str(processes)]
    more = ["--no-write"] if given.no_write else []
    return subprocess.run([*command, *more], check=False).returncode


def runtime_needs() -> list[str]:
    """Return what bareboat itself needs, as pyproject.toml has it, but numpy, which the peers pin."""
    import tomllib

    project = tomllib.loads((harness.REPOSITORY / "pyproject.toml").read_text())["project"]
    return [need for need in project["dependencies"] if not need.startswith("numpy")]


if __name__ == "__main__":
    sys.exit(main())
