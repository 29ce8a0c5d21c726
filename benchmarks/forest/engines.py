"""A trained model -> each engine, ready to score one row or many. What takes long to compile is kept with the peers."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from models import Model

Array = np.ndarray[Any, Any]
COMPILE_LIMIT_S = 900


@dataclass(frozen=True)
class Engine:
    """One way to score a model.

    Args:
        name: as the table shows it.
        one: one row of the model -> its result as the engine's caller gets it.
        batch: (n, n_features) float64 and a number of threads -> (n,) or (n, n_outputs).
        kept: bytes of what it loads for this model.
        made_s: seconds that making this took, once.
    """

    name: str
    one: Callable[[int], Any]
    batch: Callable[[Array, int], Array]
    kept: int = 0
    made_s: float | None = None


N_ROWS = 1000
"""Rows that single-row engines go through, one after the other."""


def single_rows(model: Model, kind: type[np.generic] = np.float64) -> list[Array]:
    """Return arrays of shape (1, n_features) of the model's first rows, over and over."""
    rows = model.batch(N_ROWS).astype(kind)
    return [np.ascontiguousarray(rows[i : i + 1]) for i in range(N_ROWS)]


def expected(model: Model, x: Array) -> Array:
    """Return the training framework's own answers in one thread: (n,) or (n, n_outputs)."""
    framework = {"lightgbm": lightgbm_engine, "xgboost": xgboost_engine, "sklearn": sklearn_engine}[model.family]
    return framework(model).batch(x, 1)


def remade(path: Path, model: Model, make: Callable[[Path], None]) -> float:
    """Make `path` from the model unless it was made from this very file; return the seconds that it took once."""
    digest = hashlib.sha256(model.file.read_bytes()).hexdigest()
    mark = path.with_name(path.name + ".json")
    if path.exists() and mark.exists():
        record = json.loads(mark.read_text())
        if record["digest"] == digest:
            return float(record["seconds"])
    path.unlink(missing_ok=True)
    started = time.perf_counter()
    make(path)
    seconds = time.perf_counter() - started
    mark.write_text(json.dumps({"digest": digest, "seconds": seconds}))
    return seconds


def bareboat_file(model: Model) -> tuple[Path, float]:
    """Return the .forest file, as it goes into an artifact, and the seconds of the import."""
    from bareboat.forest import write_forest

    path = model.file.with_suffix(".forest")
    started = time.perf_counter()
    write_forest(bareboat_ensemble(model), path, statistics=False)
    return path, time.perf_counter() - started


def bareboat_ensemble(model: Model) -> Any:
    from bareboat.forest import read_ensemble

    return read_ensemble(model.file)


def bareboat_engines(model: Model) -> list[Engine]:
    """Return one engine for each path of the kernel that this CPU has."""
    from bareboat.errors import BareboatError

    path, seconds = bareboat_file(model)
    engines = []
    for instructions in ("avx512", "avx2", "neon", "scalar"):
        try:
            engines.append(_bareboat_engine(model, path, instructions, seconds))
        except BareboatError as error:
            if "instructions" not in str(error) and "path" not in str(error):
                raise
    return engines


def _bareboat_engine(model: Model, path: Path, instructions: str, seconds: float) -> Engine:
    import bareboat
    from bareboat.runtime.forest import load_forest

    os.environ["BAREBOAT_KERNEL"] = instructions
    try:
        small, forest = load_forest(str(path)), bareboat.Forest.load(path)
    finally:
        del os.environ["BAREBOAT_KERNEL"]
    rows = model.batch(N_ROWS).tolist()
    single = small.score if small.n_outputs == 1 else small.predict
    if not small.is_classifier:
        batch = lambda x, threads: forest.predict(x, n_threads=threads)  # noqa: E731
    elif small.n_outputs == 1:
        batch = lambda x, threads: forest.predict_proba(x, n_threads=threads)[:, 1]  # noqa: E731
    else:
        batch = lambda x, threads: forest.predict_proba(x, n_threads=threads)  # noqa: E731
    return Engine(f"bareboat, {small.path}", lambda i: single(rows[i]), batch, path.stat().st_size, seconds)


def lightgbm_engine(model: Model) -> Engine:
    import lightgbm

    booster = lightgbm.Booster(model_file=model.file)
    rows = single_rows(model)
    return Engine(
        "lightgbm", lambda i: booster.predict(rows[i], num_threads=1)[0],
        lambda x, threads: booster.predict(x, num_threads=threads), model.file.stat().st_size,
    )  # fmt: skip


def lleaves_engine(model: Model) -> Engine:
    import lleaves

    cache = model.file.with_suffix(".lleaves.o")
    options = {"finline": False, "fblocksize": 34} if model.name == "L" else {}  # its defaults cannot compile L

    def compiled(path: Path) -> Any:
        made = lleaves.Model(model_file=str(model.file))
        made.compile(cache=str(path), **options)
        return made

    seconds = remade(cache, model, lambda path: (compiled(path), None)[1])
    ready = compiled(cache)
    rows = single_rows(model)
    return Engine(
        "lleaves", lambda i: ready.predict(rows[i], n_jobs=1)[0],
        lambda x, threads: ready.predict(x, n_jobs=threads), cache.stat().st_size, seconds,
    )  # fmt: skip


def onnx_file(model: Model) -> tuple[Path, float]:
    path = model.file.with_suffix(".onnx")

    def make(place: Path) -> None:
        width = model.rows.shape[1]
        if model.family == "sklearn":
            import joblib
            from skl2onnx import to_onnx
            from skl2onnx.common.data_types import FloatTensorType

            estimator = joblib.load(model.file)
            made = to_onnx(
                estimator, initial_types=[("x", FloatTensorType([None, width]))],
                options={id(estimator): {"zipmap": False}},
            )  # fmt: skip
        else:
            import onnxmltools
            from onnxmltools.convert.common.data_types import FloatTensorType

            types = [("x", FloatTensorType([None, width]))]
            if model.family == "lightgbm":
                import lightgbm

                booster = lightgbm.Booster(model_file=model.file)
                made = onnxmltools.convert_lightgbm(booster, initial_types=types, zipmap=False)
            else:
                import xgboost

                made = onnxmltools.convert_xgboost(xgboost.Booster(model_file=model.file), initial_types=types)
        place.write_bytes(made.SerializeToString())

    return path, remade(path, model, make)


def onnxruntime_engine(model: Model) -> Engine:
    import onnxruntime

    path, seconds = onnx_file(model)

    def session(threads: int) -> Callable[[Array], Array]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        made = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        name = made.get_outputs()[-1].name
        return lambda x: made.run([name], {"x": x})[0]

    sessions = {1: session(1)}

    def batch(x: Array, threads: int) -> Array:
        if threads not in sessions:
            sessions[threads] = session(threads)
        return _columns(model, sessions[threads](x.astype(np.float32)))

    rows = single_rows(model, np.float32)
    first = sessions[1]
    return Engine("onnxruntime (float32)", lambda i: first(rows[i])[0], batch, path.stat().st_size, seconds)


def _columns(model: Model, out: Array) -> Array:
    """Drop the first of two complementary columns, and a lone column's axis."""
    if out.ndim == 2 and out.shape[1] == 2 and model.name != "F":
        return out[:, 1]
    return out[:, 0] if out.ndim == 2 and out.shape[1] == 1 else out


def _treelite(model: Model) -> Any:
    import treelite

    if model.family == "lightgbm":
        return treelite.frontend.load_lightgbm_model(str(model.file))
    if model.family == "xgboost":
        return treelite.frontend.load_xgboost_model(str(model.file))
    import joblib

    return treelite.sklearn.import_model(joblib.load(model.file))


def treelite_engine(model: Model) -> Engine:
    import treelite

    made, kind = _treelite(model), np.float32 if model.family == "xgboost" else np.float64

    def batch(x: Array, threads: int) -> Array:
        out = treelite.gtil.predict(made, x.astype(kind, copy=False), nthread=threads)
        return _columns(model, out.reshape(len(x), -1))

    rows = single_rows(model, kind)
    return Engine("treelite GTIL", lambda i: treelite.gtil.predict(made, rows[i], nthread=1)[0], batch)


def tl2cgen_engine(model: Model) -> Engine:
    import tl2cgen

    units = {"L": 64, "X": 32}.get(model.name, 1)
    library, kind = model.file.with_suffix(".tl2cgen.so"), "float32" if model.family == "xgboost" else "float64"

    def make(path: Path) -> None:
        options = {"parallel_comp": units} if units > 1 else {}
        tl2cgen.export_lib(_treelite(model), toolchain="gcc", libpath=str(path), params=options, nthread=4)

    seconds = remade(library, model, make)
    predictors = {1: tl2cgen.Predictor(str(library), nthread=1)}

    def batch(x: Array, threads: int) -> Array:
        if threads not in predictors:
            predictors[threads] = tl2cgen.Predictor(str(library), nthread=threads)
        out = predictors[threads].predict(tl2cgen.DMatrix(x.astype(kind, copy=False), dtype=kind))
        return _columns(model, np.asarray(out).reshape(len(x), -1))

    one, rows = predictors[1], single_rows(model, np.dtype(kind).type)

    def single(i: int) -> Any:
        return one.predict(tl2cgen.DMatrix(rows[i], dtype=kind))[0]

    return Engine("tl2cgen", single, batch, library.stat().st_size, seconds)


def xgboost_engine(model: Model) -> Engine:
    import xgboost

    booster = xgboost.Booster(model_file=model.file)

    def batch(x: Array, threads: int) -> Array:
        booster.set_param({"nthread": threads})
        return np.asarray(booster.inplace_predict(x), np.float64)

    booster.set_param({"nthread": 1})
    rows = single_rows(model)
    return Engine("xgboost", lambda i: booster.inplace_predict(rows[i])[0], batch, model.file.stat().st_size)


def sklearn_engine(model: Model) -> Engine:
    import joblib

    forest = joblib.load(model.file)

    def batch(x: Array, threads: int) -> Array:
        forest.n_jobs = threads
        return np.asarray(forest.predict_proba(x))

    forest.n_jobs = 1
    rows = single_rows(model)
    return Engine("scikit-learn", lambda i: forest.predict_proba(rows[i])[0], batch, model.file.stat().st_size)


PEERS: dict[str, tuple[Callable[[Model], Engine], ...]] = {
    "S": (lleaves_engine, onnxruntime_engine, treelite_engine, tl2cgen_engine, lightgbm_engine),
    "M": (lleaves_engine, onnxruntime_engine, treelite_engine, tl2cgen_engine, lightgbm_engine),
    "C": (lleaves_engine, onnxruntime_engine, treelite_engine, lightgbm_engine),  # tl2cgen's gcc needs over 200 s
    "L": (lleaves_engine, onnxruntime_engine, treelite_engine, tl2cgen_engine, lightgbm_engine),
    "X": (onnxruntime_engine, treelite_engine, tl2cgen_engine, xgboost_engine),
    "F": (onnxruntime_engine, treelite_engine, sklearn_engine),  # tl2cgen: a C source of gigabytes
}
"""The peers of each model. lleaves reads LightGBM alone."""
