"""Cold start, warm invoke and size of the pipeline's artifacts under AWS's own runtime client."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import artifacts
import common
import harness
import numpy as np
import peers
import seed
import training
from runtime_api import Worker

EMPTY = "empty handler (floor)"
COMPILED = "bareboat, compiled"
FRAMEWORK = "bareboat, engine: framework"
SKLEARN = "scikit-learn handler, hand-tuned"
PINS = ["scikit-learn==1.9.1", "lightgbm==4.7.0", "numpy==2.4.6", "pandas==3.1.1"]

HANDLER = """\
import json
import pickle

import pandas as pd

with open("churn.pkl", "rb") as file:
    model = pickle.load(file)
labels = model.classes_.tolist()
names = model.feature_names_in_.tolist()


def predict(event, context):
    row = json.loads(event["body"])
    frame = pd.DataFrame({name: pd.Series([float("nan") if row[name] is None else row[name]]) for name in names})
    proba = model.predict_proba(frame)[0].tolist()
    return {"statusCode": 200, "body": json.dumps({"proba": proba, "label": labels[proba.index(max(proba))]})}
"""

SERVICE = """\
service: churn
provider: {{name: aws, runtime: python3.12, architecture: x86_64}}
functions:
  predict:
    model: churn.pkl
    engine: {engine}
    events:
      - httpApi: POST /predict
"""


@dataclass
class Row:
    """One case: where it is unpacked, its handler, the size of its archive in bytes."""

    name: str
    task: Path
    handler: str
    size: int


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 9, 2)
    columns = [
        "cold ms, median (min-max)",
        "over empty",
        "CPU ms",
        "warm p50 ms",
        "zip MB",
        "unzipped MB",
        "answer",
        "n",
    ]
    report = common.report("cold", "Cold start and size of a pipeline", columns, n_rounds)
    report.versions["Python of the functions"] = "3.12"
    trained = training.trained()
    body, want = question(trained)
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        scratch = Path(folder)
        rows = _rows(trained, scratch, report)
        taken = measure(rows, body, n_rounds, scratch, report)
        warm = _warm([row for row in rows if row.name in taken], body, 2 if given.quick else 10, scratch)
        _fill(report, rows, taken, warm, body, want, scratch)
    _judge(report, rows, taken)
    report.notes += [
        "awslambdaric on the unpacked artifact, page cache warm: a real cold start adds the download on top.",
        "engine: onnx has no row: skl2onnx does not convert an imputer of missing texts.",
        f"{SKLEARN}: wheels of {', '.join(PINS)} with bytecode that Python does not check, model from its pickle.",
    ]
    return report.finish(write=not given.no_write)


def question(trained: training.Trained) -> tuple[str, list[float]]:
    """Return a request's body, and the probabilities that it is owed."""
    rows = training.frame(1, 5)
    return common.body_of(rows.to_dict("records")[0]), trained.pipeline.predict_proba(rows)[0].tolist()


def project(trained: training.Trained, name: str, engine: str) -> Path:
    place = seed.write_project(peers.folder() / "projects" / name, {}, model=False)
    shutil.copyfile(trained.file, place / "churn.pkl")
    (place / "serverless.yml").write_text(SERVICE.format(engine=engine))
    return place


def _rows(trained: training.Trained, scratch: Path, report: harness.Report) -> list[Row]:
    makers: dict[str, Any] = {
        EMPTY: lambda at: Row(
            EMPTY, seed.write_project(at, {"handler.py": seed.EMPTY}, model=False), "handler.predict", 0
        ),
        COMPILED: lambda at: _bareboat(COMPILED, project(trained, "pipeline-compiled", "compiled"), at),
        FRAMEWORK: lambda at: _bareboat(FRAMEWORK, project(trained, "pipeline-framework", "framework"), at),
        SKLEARN: lambda _: _hand_tuned(trained),
    }
    rows = []
    for number, (name, make) in enumerate(makers.items()):
        try:
            rows.append(make(scratch / f"task-{number}"))
        except (harness.RowError, OSError, subprocess.SubprocessError) as error:
            report.fail(name, error)
    return rows


def _bareboat(name: str, place: Path, at: Path) -> Row:
    path = artifacts.package(place)
    return Row(name, harness.unzip(path, at), "bareboat.runtime.handler.handle", path.stat().st_size)


def _hand_tuned(trained: training.Trained) -> Row:
    place = peers.folder() / "artifacts" / "sklearn-hand-tuned"
    mark = place.with_suffix(".json")
    if not mark.exists() or json.loads(mark.read_text())["pins"] != PINS:
        shutil.rmtree(place, ignore_errors=True)
        python = str(peers.interpreter("3.12"))
        subprocess.run(
            [peers.uv(), "pip", "install", "--quiet", "--python", python, "--target", str(place), *PINS],
            check=True, timeout=300,
        )  # fmt: skip
        compile_all = [python, "-m", "compileall", "-q", "-j0", "--invalidation-mode", "unchecked-hash", str(place)]
        subprocess.run(compile_all, check=False, timeout=300)
        mark.write_text(json.dumps({"pins": PINS, "size": _zipped(place)}))
    (place / "handler.py").write_text(HANDLER)
    shutil.copyfile(trained.file, place / "churn.pkl")
    return Row(SKLEARN, place, "handler.predict", json.loads(mark.read_text())["size"])


def _zipped(place: Path) -> int:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(place.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(place))
        return file.tell()


def measure(
    rows: list[Row], body: str, n_rounds: int, scratch: Path, report: harness.Report
) -> dict[str, list[tuple[float, float]]]:
    """Start every row from nothing in turns: (clock ms, CPU ms) each; light rows three times a round."""
    by_name = {row.name: row for row in rows}
    light = [name for name in by_name if name in (EMPTY, COMPILED)]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in by_name}
    for turn in range(-1, n_rounds):
        for name in harness.shuffled([*by_name, *light, *light], turn):
            if name in report.failures:
                continue
            row = by_name[name]
            try:
                with Worker(row.task, row.handler, log=scratch / "worker.log") as worker:
                    seconds, _ = worker.start(seed.event(body))
                    if turn >= 0:
                        taken[name].append((seconds * 1000, worker.cpu_s() * 1000))
            except harness.RowError as error:
                report.fail(name, error)
    return {name: values for name, values in taken.items() if name not in report.failures}


def _warm(rows: list[Row], body: str, blocks: int, scratch: Path) -> dict[str, float]:
    taken: dict[str, list[float]] = {row.name: [] for row in rows}
    event = seed.event(body)
    with contextlib.ExitStack() as stack:
        workers = {}
        for number, row in enumerate(rows):
            worker = stack.enter_context(Worker(row.task, row.handler, log=scratch / f"warm{number}.log"))
            worker.start(event)
            workers[row.name] = worker
        for block in range(-1, blocks):
            for name in harness.shuffled(list(workers), block):
                for _ in range(30):
                    seconds, _ = workers[name].invoke(event)
                    if block >= 0:
                        taken[name].append(seconds * 1000)
    return {name: statistics.median(values) for name, values in taken.items()}


def _fill(
    report: harness.Report,
    rows: list[Row],
    taken: dict[str, list[tuple[float, float]]],
    warm: dict[str, float],
    body: str,
    want: list[float],
    scratch: Path,
) -> None:
    floor = statistics.median(clock for clock, _ in taken[EMPTY])
    for row in rows:
        if row.name not in taken:
            continue
        clocks = [clock for clock, _ in taken[row.name]]
        unzipped = harness.tree_size(row.task)[0]
        with Worker(row.task, row.handler, log=scratch / "answer.log") as worker:
            answer = artifacts.body_of(worker.start(seed.event(body))[1])
        report.rows[row.name] = dict(
            zip(
                report.columns,
                [
                    harness.spread(clocks),
                    f"{statistics.median(clocks) / floor:.2f}x",
                    f"{statistics.median(cpu for _, cpu in taken[row.name]):.0f}",
                    f"{warm[row.name]:.3f}",
                    f"{row.size / 1e6:.3f}" if row.size else "",
                    f"{unzipped / 1e6:.1f}",
                    "" if row.name == EMPTY else _near(answer, want),
                    len(clocks),
                ],
                strict=True,
            )
        )


def _near(answer: str, want: list[float]) -> str:
    try:
        found = json.loads(answer)["proba"]
    except (ValueError, KeyError, TypeError):
        return f"**{answer[:80]}**"
    return common.agreement(np.array([found]), np.array([want]))


def _judge(report: harness.Report, rows: list[Row], taken: dict[str, list[tuple[float, float]]]) -> None:
    middle = {name: statistics.median(clock for clock, _ in values) for name, values in taken.items()}
    over = middle[COMPILED] / middle[EMPTY] if COMPILED in middle else None
    shown = f"{over:.2f}x" if over else ""
    what = "cold start of the compiled pipeline over the empty handler"
    report.target(what, "at most 1.5x", over, None if over is None else over <= 1.5, shown)
    size = next((row.size / 1e6 for row in rows if row.name == COMPILED), None)
    met = None if size is None else size < 0.5
    report.target("artifact of the compiled pipeline", "under 0.5 MB", size, met, f"{size:.3f} MB" if size else "")
