"""200 models in one function: the cold start, and the first call of each."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import artifacts
import common
import harness
import numpy as np
import peers
import seed
from runtime_api import Worker

N = 200
EMPTY, MANY, ONE = "empty handler (floor)", f"bareboat, {N} models", "bareboat, one of them"
FEATURES = [f"x{number}" for number in range(8)]

SERVICE = """\
service: many
provider: {name: aws, runtime: python3.12, architecture: x86_64}
functions:
  predict:
%s
    events:
      - httpApi: POST /predict
      - httpApi: POST /models/{name}
"""


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 9, 2)
    columns = ["ms, median (min-max)", "over empty", "zip MB", "answers", "n"]
    report = common.report("many", f"{N} models in one function", columns, n_rounds)
    wanted, row = _models()
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        scratch = Path(folder)
        try:
            _measure(report, wanted, row, n_rounds, scratch)
        except (harness.RowError, OSError) as error:
            report.fail(MANY, error)
    report.notes += [
        f"{N} LightGBM classifiers of 30 rounds and 31 leaves, the first call of each opens its forest.",
    ]
    return report.finish(write=not given.no_write)


def _models() -> tuple[list[list[float]], dict[str, float]]:
    """Train the models into the peers' folder, once; return what each answers to one row, and the row."""
    import lightgbm

    place = peers.folder() / "models" / "many"
    row = np.linspace(-1, 1, len(FEATURES))
    wanted = []
    place.mkdir(parents=True, exist_ok=True)
    for number in range(N):
        file = place / f"model-{number:03}.txt"
        if not file.exists():
            rng = np.random.default_rng(number)
            x = rng.normal(size=(1500, len(FEATURES)))
            y = x @ rng.normal(size=len(FEATURES)) + rng.normal(size=1500) > 0
            data = lightgbm.Dataset(x, y, feature_name=FEATURES)
            settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 1, "seed": number}
            lightgbm.train(settings, data, 30).save_model(file)
        second = float(lightgbm.Booster(model_file=file).predict(row[np.newaxis])[0])
        wanted.append([1.0 - second, second])
    return wanted, dict(zip(FEATURES, row.tolist(), strict=True))


def _project(name: str, keys: str) -> Path:
    place = seed.write_project(peers.folder() / "projects" / name, {"serverless.yml": SERVICE % keys}, model=False)
    for file in sorted((peers.folder() / "models" / "many").glob("*.txt")):
        (place / file.name).write_bytes(file.read_bytes())
    return place


def _measure(
    report: harness.Report, wanted: list[list[float]], row: dict[str, float], n_rounds: int, scratch: Path
) -> None:
    listed = "    models:\n" + "\n".join(f"      model-{n:03}: model-{n:03}.txt" for n in range(N))
    archives = {
        MANY: artifacts.package(_project("many-200", listed)),
        ONE: artifacts.package(_project("many-1", "    model: model-000.txt")),
    }
    tasks = {name: harness.unzip(path, scratch / str(place)) for place, (name, path) in enumerate(archives.items())}
    tasks[EMPTY] = seed.write_project(scratch / "empty", {"handler.py": seed.EMPTY}, model=False)
    body = json.dumps(row)
    cold: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(-1, n_rounds):
        for name in harness.shuffled([*tasks] * 3, turn):
            with Worker(tasks[name], _handler(name), log=scratch / "worker.log") as worker:
                event = seed.event(body) if name != MANY else _event(7, body)
                seconds, _ = worker.start(event)
                if turn >= 0:
                    cold[name].append(seconds * 1000)
    first, again, right = _calls(tasks[MANY], wanted, body, scratch)
    floor = statistics.median(cold[EMPTY])
    for name, values in cold.items():
        size = f"{archives[name].stat().st_size / 1e6:.3f}" if name in archives else ""
        ratio = f"{statistics.median(values) / floor:.2f}x"
        _row(report, f"{name}: cold start", [harness.spread(values), ratio, size, "", len(values)])
    _row(report, f"{MANY}: first call of each", [harness.spread(first, 2), "", "", right, len(first)])
    _row(report, f"{MANY}: second call of each", [harness.spread(again, 2), "", "", right, len(again)])
    over = statistics.median(cold[MANY]) / floor
    report.target(
        f"cold start with {N} models over the empty handler", "at most 1.3x", over, over <= 1.3, f"{over:.2f}x"
    )
    slowest = harness.percentile(first, 99)
    report.target("first call of each, 99 % of them", "under 5 ms", slowest, slowest < 5, f"{slowest:.2f} ms")


def _row(report: harness.Report, name: str, cells: list[object]) -> None:
    report.rows[name] = dict(zip(report.columns, cells, strict=True))


def _handler(name: str) -> str:
    return "handler.predict" if name == EMPTY else "bareboat.runtime.handler.handle"


def _event(number: int, body: str) -> bytes:
    path = f"/models/model-{number:03}"
    event = json.loads(seed.event(body))
    event |= {"rawPath": path, "routeKey": "POST /models/{name}", "pathParameters": {"name": path.rpartition("/")[2]}}
    event["requestContext"]["routeKey"] = event["routeKey"]
    event["requestContext"]["http"]["path"] = path
    return json.dumps(event).encode()


def _calls(task: Path, wanted: list[list[float]], body: str, scratch: Path) -> tuple[list[float], list[float], str]:
    """Call each model twice in one process: milliseconds of the first calls and the second, and how right they are."""
    taken: list[list[float]] = [[], []]
    answers = []
    with Worker(task, _handler(MANY), log=scratch / "calls.log") as worker:
        worker.start(_event(0, body))
        for turn in (0, 1):
            for number in range(1, N):
                seconds, answer = worker.invoke(_event(number, body))
                taken[turn].append(seconds * 1000)
                if turn == 0:
                    answers.append(_proba(answer))
    return taken[0], taken[1], common.agreement(np.array(answers), np.array(wanted[1:]))


def _proba(answer: bytes) -> list[float]:
    body = artifacts.body_of(answer)
    try:
        found: list[float] = json.loads(body)["proba"]
    except (ValueError, KeyError, TypeError):
        raise harness.RowError(f"answered {body[:200]}") from None
    return found
