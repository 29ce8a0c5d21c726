"""One row through the whole pipeline: a dict of Python values in, probabilities out."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import harness
import numpy as np
import training

N = 200
ROW, PREPARED, REQUEST = "bareboat, dict of values", "bareboat, list of numbers and codes", "bareboat, JSON to JSON"
SKLEARN, ONNX, ONNX_DICT = "scikit-learn, one-row DataFrame", "onnxruntime, inputs prepared", "onnxruntime, dict"


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 41, 5)
    columns = ["us a row, median (min-max)", "against scikit-learn", "against onnxruntime", "answers", "n"]
    report = common.report("row", "One row through a pipeline", columns, n_rounds)
    trained = training.trained()
    rows = training.frame(N, 2)
    want = trained.pipeline.predict_proba(rows)
    ones, answers = _engines(trained, rows, report)
    for name, one in ones.items():
        answers[name] = common.agreement([one(place) for place in range(N)], want)
    taken = common.in_turns({name: _loop(one) for name, one in ones.items()}, n_rounds)
    middle = {name: statistics.median(values) for name, values in taken.items()}
    for name, values in taken.items():
        ratios = [f"{middle[peer] / middle[name]:.1f}x" if peer in middle else "" for peer in (SKLEARN, ONNX)]
        us = [value * 1e6 for value in values]
        report.rows[name] = dict(zip(columns, [harness.spread(us, 1), *ratios, answers[name], len(us)], strict=True))
    for peer, limit in ((SKLEARN, 100), (ONNX, 5)):
        gain = middle[peer] / middle[ROW] if peer in middle and ROW in middle else None
        shown = f"{gain:.1f}x" if gain else ""
        report.target(
            f"{ROW} against {peer}", f"at least {limit}x", gain, None if gain is None else gain >= limit, shown
        )
    report.notes += [
        "20 numbers and 10 texts, 5 % missing, 1 % of texts never seen: impute, scale, one-hot, 100 trees.",
        f"{ROW}: what an endpoint does with a request's row: checked against the signature, coded, computed.",
        f"{REQUEST}: the text of a body in, the text of an answer out, as the runtime does it, without HTTP.",
        f"{ONNX}: arrays (1, 1) of float32 and texts, made before; {ONNX_DICT}: made from the row.",
        f"Answers: {N} rows one by one against pipeline.predict_proba of all.",
    ]
    return report.finish(write=not given.no_write)


def _engines(
    trained: training.Trained, rows: Any, report: harness.Report
) -> tuple[dict[str, Callable[[int], Any]], dict[str, str]]:
    made: dict[str, Callable[[int], Any]] = {}
    parts = [rows.iloc[[place]].reset_index(drop=True) for place in range(len(rows))]
    dicts = [common.json_row(row) for row in rows.to_dict("records")]
    for name, make in (
        (ROW, lambda: _through_signature(trained, dicts)),
        (PREPARED, lambda: _prepared(trained, rows)),
        (REQUEST, lambda: _request(trained, dicts)),
        (SKLEARN, lambda: lambda place: trained.pipeline.predict_proba(parts[place])[0]),
        (ONNX, lambda: _onnx(trained, rows)),
        (ONNX_DICT, lambda: _onnx_of_dicts(trained, rows)),
    ):
        try:
            made[name] = make()
            made[name](0)
        except Exception as error:  # noqa: BLE001 - whatever an engine raises costs its row alone
            made.pop(name, None)
            report.fail(name, error)
    return made, {}


def _loaded(trained: training.Trained) -> Any:
    """Build the artifact of the pipeline and load its model as the runtime does."""
    from bareboat.artifact import build, targets_here, unpack
    from bareboat.runtime.function import load_function
    from bareboat.service import load_service

    folder = Path(_FOLDER.name)
    config = folder / "serverless.yml"
    if not config.exists():
        (folder / "churn.pkl").write_bytes(trained.file.read_bytes())
        config.write_text(SERVICE)
    service = load_service(config)
    targets, _ = targets_here(service)
    artifact = build(service, target=targets["predict"])["predict"]
    return load_function(str(unpack(artifact)))


SERVICE = """\
service: churn
provider: {name: aws, runtime: python3.12}
functions:
  predict:
    model: churn.pkl
    events:
      - httpApi: POST /predict
"""
_FOLDER = tempfile.TemporaryDirectory(prefix="bareboat-bench-")


def _through_signature(trained: training.Trained, dicts: list[dict[str, Any]]) -> Callable[[int], Any]:
    model = _loaded(trained).models.get("predict")
    read, answer = model.signature.read, model.predictor.answer
    return lambda place: answer(read(dicts[place])[0][0])[0]


def _prepared(trained: training.Trained, rows: Any) -> Callable[[int], Any]:
    from bareboat.pipeline.file import pipeline_bytes
    from bareboat.pipeline.reading import model_of
    from bareboat.pipeline.rows import Reader
    from bareboat.runtime.pipeline import open_pipeline

    compiled = model_of(trained.pipeline)
    lists = Reader(compiled).matrix(rows).tolist()
    predict = open_pipeline(pipeline_bytes(compiled)).predict
    return lambda place: predict(lists[place])


def _request(trained: training.Trained, dicts: list[dict[str, Any]]) -> Callable[[int], Any]:
    function = _loaded(trained)
    model = function.models.get("predict")
    bodies = [json.dumps(row) for row in dicts]
    read, answer, text = model.signature.read, model.predictor.answer, model.answers.text

    def one(place: int) -> Any:
        found = text([answer(read(json.loads(bodies[place]))[0][0])], are_many=False)
        return json.loads(found)["proba"] if one.checks else found  # type: ignore[attr-defined]

    one.checks = True  # type: ignore[attr-defined]
    return one


def _session(trained: training.Trained) -> Any:
    import onnxruntime

    if trained.onnx is None:
        raise harness.RowError(trained.onnx_error)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(trained.onnx), options, providers=["CPUExecutionProvider"])


def _onnx(trained: training.Trained, rows: Any) -> Callable[[int], Any]:
    session, inputs = _session(trained), training.onnx_inputs(trained.pipeline, rows)
    ready = [{name: values[place : place + 1] for name, values in inputs.items()} for place in range(len(rows))]
    return lambda place: session.run(["probabilities"], ready[place])[0][0]


def _onnx_of_dicts(trained: training.Trained, rows: Any) -> Callable[[int], Any]:
    session, inputs = _session(trained), training.onnx_inputs(trained.pipeline, rows)
    dicts = [{name: values[place, 0] for name, values in inputs.items()} for place in range(len(rows))]
    kinds = dict.fromkeys(training.NUMBERS, np.float32) | dict.fromkeys(training.TEXTS, object)

    def one(place: int) -> Any:
        row = dicts[place]
        feed = {name: np.array([[row[name]]], kind) for name, kind in kinds.items()}
        return session.run(["probabilities"], feed)[0][0]

    return one


def _loop(one: Callable[[int], Any]) -> Callable[[], float]:
    """Return a round: so many calls that they take some 5 ms, and the seconds of one."""
    if hasattr(one, "checks"):
        one.checks = False
    count = 1
    while _seconds(one, count) < 0.005 and count < 10_000:
        count *= 2
    return lambda: _seconds(one, count) / count


def _seconds(one: Callable[[int], object], count: int) -> float:
    places = [i % N for i in range(count)]
    return common.timed(lambda: [one(i) for i in places])
