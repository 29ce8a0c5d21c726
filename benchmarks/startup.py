"""Start-up of reading serverless.yml: which schema library, and what the whole comes to.

    python benchmarks/startup.py [--rounds N] [--quick]

Each row is a fresh process. CPU time is the child's user and system time, which other work on the machine disturbs
least; wall time stands beside it. The rows of msgspec and pydantic define the same key types (made from bareboat's own)
and convert the seed project's file, already parsed, with the error messages that they have by themselves.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import harness

SEED = """\
service: predict
frameworkVersion: '2'
provider: {name: aws, runtime: python3.7, lambdaHashingVersion: 20201221}
functions:
  predict:
    handler: handler.predict
    package: {patterns: [lgb.model]}
    events:
      - httpApi: {path: /predict, method: post}
plugins: [serverless-python-requirements]
custom:
  pythonRequirements: {dockerizePip: non-linux, dockerExtraFiles: [/usr/lib64/libgomp.so.1], zip: true}
"""
DATA = """
data = {"service": "predict", "frameworkVersion": "2",
 "provider": {"name": "aws", "runtime": "python3.7", "lambdaHashingVersion": 20201221},
 "functions": {"predict": {"handler": "handler.predict", "package": {"patterns": ["lgb.model"]},
   "events": [{"httpApi": {"path": "/predict", "method": "post"}}]}},
 "plugins": ["serverless-python-requirements"]}
"""
STDLIB = "import dataclasses, pathlib, re, typing"
MSGSPEC = (
    STDLIB
    + DATA
    + """
from bareboat.service.editor import struct_of
from bareboat.service.keys.file import ServerlessKeys
import msgspec
assert msgspec.convert(data, struct_of(ServerlessKeys, {})).service == "predict"
"""
)
PYDANTIC = (
    STDLIB
    + DATA
    + """
import types
from typing import Annotated, Union, get_args, get_origin
import pydantic
from bareboat.service.check import known_keys
from bareboat.service.keys.base import Keys, Said
from bareboat.service.keys.file import ServerlessKeys
made = {}
def model(kind):
    if kind not in made:
        fields = {k.attribute: (typed(k.type), pydantic.Field(None, alias=n)) for n, k in known_keys(kind).items()}
        made[kind] = pydantic.create_model(kind.__name__, __config__=pydantic.ConfigDict(extra="forbid"), **fields)
    return made[kind]
def field(said):
    limits = {n: getattr(said, n) for n in ("ge", "le", "max_length", "pattern") if getattr(said, n) is not None}
    return pydantic.Field(**limits)
def typed(kind):
    origin = get_origin(kind)
    if origin is Annotated:
        return Annotated[typed(kind.__origin__), *(field(s) for s in kind.__metadata__ if isinstance(s, Said))]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(typed, get_args(kind)))]
    if origin in (list, dict):
        return origin[tuple(map(typed, get_args(kind)))]
    return model(kind) if isinstance(kind, type) and origin is None and issubclass(kind, Keys) else kind
assert model(ServerlessKeys).model_validate(data).service == "predict"
"""
)
LOAD = (
    "import sys; from pathlib import Path; from bareboat.service import load_service; load_service(Path(sys.argv[1]))"
)
ROWS = {
    "Python alone": "pass",
    "what any command imports (dataclasses, pathlib, re, typing)": STDLIB,
    "and PyYAML": STDLIB + ", yaml",
    "and msgspec": STDLIB + ", msgspec",
    "and pydantic": STDLIB + ", pydantic",
    "msgspec: key types, convert": MSGSPEC,
    "pydantic: key types, validate": PYDANTIC,
    "import of the Service model": "import bareboat.service.model",
    "load_service of the seed project": LOAD,
}
FLOOR, YAML, LOADED = list(ROWS)[1], list(ROWS)[2], list(ROWS)[-1]
COLUMNS = ["CPU ms, median (min-max)", "wall ms, median (min-max)", "CPU over Python alone, by minimum"]


def run(code: str, folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """Run code in a fresh process; return its CPU and wall time in ms.

    Raises:
        harness.RowError: it failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    wall_s = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise harness.RowError(done.stderr[-300:])
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3, wall_s * 1e3


def versions() -> dict[str, str]:
    found = {"bareboat": harness.bareboat_version(), "Python": sys.version.split()[0]}
    for name in ("msgspec", "pydantic", "PyYAML"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def main() -> int:
    given = harness.arguments("Start-up of reading serverless.yml.", rounds=21, quick=2)
    report = harness.Report("startup", "Start-up: reading serverless.yml", COLUMNS, versions(), given.rounds)
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in ROWS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "seed"
        folder.mkdir()
        (folder / "serverless.yml").write_text(SEED)
        (folder / "handler.py").write_text("")
        env = harness.environment(PYTHONPYCACHEPREFIX=str(Path(name) / "bytecode"), HOME=os.environ.get("HOME", ""))
        for turn in range(given.rounds + 1):  # the first round writes the bytecode and is thrown away
            for row in harness.rotated(list(ROWS), turn):
                if row in report.failures:
                    continue
                try:
                    figure = run(ROWS[row], folder, env)
                except (harness.RowError, subprocess.TimeoutExpired) as error:
                    report.fail(row, error)
                    continue
                if turn:
                    figures[row].append(figure)
    least = {
        row: min(cpu for cpu, _ in found) for row, found in figures.items() if found and row not in report.failures
    }
    for row, cpu_ms in least.items():
        cpu, wall = zip(*figures[row], strict=True)
        over = cpu_ms - least[next(iter(ROWS))]
        report.rows[row] = dict(zip(COLUMNS, [harness.spread(cpu), harness.spread(wall), f"{over:.0f}"], strict=True))
    if {FLOOR, YAML, LOADED} <= least.keys():
        own = least[LOADED] - least[FLOOR]
        report.target("load_service over what any command imports", "under 60 ms CPU", own, own < 60, f"{own:.0f} ms")
        report.notes.append(f"of that, PyYAML's import is {least[YAML] - least[FLOOR]:.0f} ms")
    medians = [statistics.median(cpu for cpu, _ in found) for row, found in figures.items() if row in least]
    report.notes.append(f"{given.rounds} rounds, rows in rotating order; medians from {min(medians):.0f} ms")
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    raise SystemExit(main())
