"""The reader of ONNX tree ensembles and the kernel against ONNX Runtime, one thread, at hard values."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bareboat.forest import reference, write_forest
from bareboat.forest.ir import Ensemble, Transform
from bareboat.forest.readers import read_ensemble
from bareboat.runtime.forest import load_forest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
for needed in ("catboost", "lightgbm", "onnxmltools", "skl2onnx", "sklearn", "xgboost"):
    pytest.importorskip(needed)
HERE = Path(__file__).parent
FLOAT, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
OWN_VALUES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, -1.0, 2.5)

_CONVERTED = """\
skl2onnx tree
skl2onnx forest
skl2onnx forest of two targets
skl2onnx forest of two classes
skl2onnx forest without a map
skl2onnx forest of words
skl2onnx forest of three classes
skl2onnx boosting
skl2onnx boosting of two classes
skl2onnx boosting of three classes
onnxmltools lightgbm
onnxmltools lightgbm of two classes
onnxmltools lightgbm of three classes
onnxmltools xgboost
onnxmltools xgboost of two classes
onnxmltools xgboost of three classes
catboost
catboost of two classes
catboost of three classes
"""
CONVERTED = _CONVERTED.splitlines()


@pytest.fixture(scope="module")
def models(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "onnx_models.py")


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], tuple[Ensemble, Any]]:
    """Save a model; return it as bareboat reads it, and a session of ONNX Runtime."""

    def save(model: Any) -> tuple[Ensemble, Any]:
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return read_ensemble(path), session

    return save


def hard_rows(samples: ModuleType, ensemble: Ensemble, seed: int, n: int = 300) -> np.ndarray:
    rows = np.array(samples.hard_rows(ensemble, seed, n))
    rng = np.random.default_rng(seed)
    return np.where(rng.random(rows.shape) < 0.3, rng.choice(OWN_VALUES, rows.shape), rows)


def answers(session: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return ONNX Runtime's scores, (n, n_outputs), and its labels."""
    taken = session.get_inputs()[0]
    with np.errstate(over="ignore"):
        found = session.run(None, {taken.name: rows.astype(np.float64 if "double" in taken.type else np.float32)})
    scores = found[-1]
    if isinstance(scores, list):
        scores = np.array([list(row.values()) for row in scores], np.float32)
    return scores.reshape(len(rows), -1), found[0] if len(found) > 1 else None


def kernel_outputs(ensemble: Ensemble, rows: np.ndarray, folder: Path) -> np.ndarray:
    write_forest(ensemble, folder / "model.forest")
    return np.array(load_forest(str(folder / "model.forest")).predict_many(rows.tolist()))


def assert_equal(ensemble: Ensemble, mine: np.ndarray, theirs: np.ndarray) -> None:
    """Hold outputs to the bit; a softmax to two ulps of float32, since ONNX Runtime adds its powers in float32."""
    if ensemble.transform is Transform.SOFTMAX:
        theirs = theirs.astype(np.float32)
        assert np.max(np.abs(mine - theirs) / np.spacing(np.maximum(theirs, np.float32(1e-30)))) <= 2.0
    else:
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("name", CONVERTED)
def test_converted_models_answer_as_in_onnx_runtime(
    name: str, models: ModuleType, samples: ModuleType, saved: Any, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converters' own
        model = models.CONVERTED[name](tmp_path)
    ensemble, session = saved(model)
    rows = hard_rows(samples, ensemble, 1)

    outputs = kernel_outputs(ensemble, rows, tmp_path)

    scores, labels = answers(session, rows)
    assert_equal(ensemble, outputs, scores)
    assert np.array_equal(outputs[:30], _expanded(ensemble, reference.predict(ensemble, rows[:30].tolist())))
    if labels is not None:
        assert [ensemble.classes[each] for each in outputs.argmax(axis=1)] == labels.tolist()


def _expanded(ensemble: Ensemble, outputs: list[list[float]]) -> np.ndarray:
    scores = np.array(outputs)
    if ensemble.n_classes == ensemble.n_outputs or not ensemble.n_classes:
        return scores
    return np.hstack([1.0 - scores, scores]).astype(np.float32 if ensemble.single_sum else np.float64)


def test_cases_are_all_tested(models: ModuleType) -> None:
    assert sorted(models.CONVERTED) == sorted(CONVERTED)


@pytest.mark.parametrize("mode", ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"])
@pytest.mark.parametrize("seed", range(3))
def test_each_mode_sends_values_where_onnx_runtime_does(
    mode: str, seed: int, models: ModuleType, samples: ModuleType, saved: Any, tmp_path: Path
) -> None:
    ensemble, session = saved(models.model_of([models.regressor(seed, [mode])]))
    rows = hard_rows(samples, ensemble, seed)

    outputs = kernel_outputs(ensemble, rows, tmp_path)

    assert np.array_equal(outputs, answers(session, rows)[0])


MORE: dict[str, tuple[str, dict[str, Any]]] = {
    "all modes": ("regressor", {}),
    "a base": ("regressor", {"base_values": [0.3]}),
    "an average": ("regressor", {"aggregate_function": "AVERAGE"}),
    "two targets": ("regressor", {"n_targets": 2}),
    "two targets in turn, with bases": ("regressor", {"n_targets": 2, "each": False, "base_values": [0.3, -0.7]}),
    "an average of two targets in turn": (
        "regressor",
        {"n_targets": 2, "each": False, "aggregate_function": "AVERAGE"},
    ),
    "two targets as logistic": ("regressor", {"n_targets": 2, "post_transform": "LOGISTIC"}),
    "two targets as softmax": ("regressor", {"n_targets": 2, "post_transform": "SOFTMAX"}),
    "three classes": ("classifier", {}),
    "three classes in turn, with bases": ("classifier", {"each": False, "base_values": [0.1, -0.2, 0.3]}),
    "three classes as logistic": ("classifier", {"post_transform": "LOGISTIC"}),
    "three classes as softmax": ("classifier", {"post_transform": "SOFTMAX", "base_values": [0.5, 0.25, 0.0]}),
    "two classes": ("classifier", {"n_classes": 2}),
    "two classes as logistic": ("classifier", {"n_classes": 2, "post_transform": "LOGISTIC"}),
}


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("seed", range(2))
def test_conventions_are_those_of_onnx_runtime(
    name: str, seed: int, models: ModuleType, samples: ModuleType, saved: Any, tmp_path: Path
) -> None:
    maker, options = MORE[name]
    ensemble, session = saved(models.model_of([getattr(models, maker)(seed, **options)]))
    rows = hard_rows(samples, ensemble, seed)

    outputs = kernel_outputs(ensemble, rows, tmp_path)

    assert_equal(ensemble, outputs, answers(session, rows)[0])


LISTED: list[dict[str, Any]] = [{}, {"n_targets": 2}, {"aggregate_function": 0}]


@pytest.mark.parametrize("options", LISTED)
@pytest.mark.parametrize("number", [FLOAT, DOUBLE])
@pytest.mark.parametrize("seed", range(2))
def test_tree_ensembles_of_version_5_answer_as_in_onnx_runtime(
    options: dict[str, Any],
    number: int,
    seed: int,
    models: ModuleType,
    samples: ModuleType,
    saved: Any,
    tmp_path: Path,
) -> None:
    node = models.listed(seed, number, **options)
    ensemble, session = saved(models.model_of([node], kind=number, opset=5))
    rows = hard_rows(samples, ensemble, seed)

    outputs = kernel_outputs(ensemble, rows, tmp_path)

    assert np.array_equal(outputs, answers(session, rows)[0])


def test_values_cast_to_float_on_their_way_are_rounded(
    models: ModuleType, samples: ModuleType, saved: Any, tmp_path: Path
) -> None:
    cast = onnx.helper.make_node("Cast", ["X"], ["single"], to=FLOAT)
    node = models.regressor(4)
    node.input[0] = "single"
    last = onnx.helper.make_node("Identity", ["Y"], ["Z"])
    ensemble, session = saved(models.model_of([cast, node, last], kind=DOUBLE))
    rows = hard_rows(samples, ensemble, 5)

    outputs = kernel_outputs(ensemble, rows, tmp_path)

    assert ensemble.single_input
    assert np.array_equal(outputs, answers(session, rows)[0])


@pytest.mark.parametrize("missing", [0, 1])
def test_a_chain_of_equalities_becomes_one_set(
    missing: int, models: ModuleType, samples: ModuleType, saved: Any, tmp_path: Path
) -> None:
    node = onnx.helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        ["Y"],
        domain="ai.onnx.ml",
        nodes_treeids=[0] * 7,
        nodes_nodeids=list(range(7)),
        nodes_featureids=[0, 0, 0, 1, 0, 0, 0],
        nodes_values=[1.0, 3.0, 4.0, 0.5, 0.0, 0.0, 0.0],
        nodes_modes=["BRANCH_EQ"] * 3 + ["BRANCH_LEQ"] + ["LEAF"] * 3,
        nodes_truenodeids=[3, 3, 3, 4, 0, 0, 0],
        nodes_falsenodeids=[1, 2, 5, 6, 0, 0, 0],
        nodes_missing_value_tracks_true=[missing] * 3 + [0] * 4,
        n_targets=1,
        target_ids=[0, 0, 0],
        target_treeids=[0, 0, 0],
        target_nodeids=[4, 5, 6],
        target_weights=[1.5, -2.5, 0.25],
    )
    ensemble, session = saved(models.model_of([node]))
    rows = hard_rows(samples, ensemble, 6)

    outputs = kernel_outputs(ensemble, rows, tmp_path)

    assert [each.codes for each in ensemble.trees.sets] == [0b11010]
    assert np.array_equal(outputs, answers(session, rows)[0])
