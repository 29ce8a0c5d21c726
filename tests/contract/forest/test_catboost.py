"""CatBoost models against CatBoost's own predictions: raw values within a bound, leaves exactly, outputs closely."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bareboat.errors import ModelError
from bareboat.forest import reference, write_forest
from bareboat.forest.ir import Ensemble
from bareboat.forest.readers import ensemble_from_model, read_ensemble
from bareboat.runtime.forest import load_forest

catboost = pytest.importorskip("catboost")

RAW = 4e-15
"""What raw values may differ by, of the sum of the sizes of base and leaves: CatBoost adds in another order."""
OUTPUT = 1e-12
HARD = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 5e-324, 1e-40, 3.5e38, -3.5e38, 1e300, -1e300, 2.5)


def data(seed: int, rows: int = 300, *, missing: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4))
    values[:, 2] = rng.integers(-2, 3, rows)
    target = values[:, 0] + np.sin(3 * values[:, 1]) + values[:, 2] + rng.normal(size=rows)
    if missing:
        values[rng.random(values.shape) < 0.1] = np.nan
    return values, target


def train(values: Any, target: Any, kind: str = "CatBoost", **parameters: Any) -> Any:
    common = {"iterations": 20, "depth": 4, "thread_count": 1, "verbose": False, "allow_writing_files": False}
    parameters = common | parameters
    model = catboost.CatBoost(parameters) if kind == "CatBoost" else getattr(catboost, kind)(**parameters)
    return model.fit(values, target)


def saved(model: Any, folder: Path, pool: Any = None) -> Ensemble:
    path = folder / "model.json"
    model.save_model(str(path), format="json", pool=pool)
    return read_ensemble(path)


@np.errstate(over="ignore")  # borders may be the greatest float32
def hard_rows(ensemble: Ensemble, seed: int) -> np.ndarray:
    """Return rows of values at, just below and just above borders, and of what is no ordinary number."""
    rng = np.random.default_rng(seed)
    trees, columns = ensemble.trees, []
    for feature in range(ensemble.n_features):
        cut = np.unique(trees.threshold[trees.feature == feature]).astype(np.float32)
        near = [cut, np.nextafter(cut, np.float32(np.inf)), np.nextafter(cut, np.float32(-np.inf))]
        near += [np.nextafter(cut.astype(np.float64), np.inf), np.nextafter(cut.astype(np.float64), -np.inf)]
        columns.append(rng.permutation(np.concatenate([*(each.astype(np.float64) for each in near), HARD])))
    return np.stack([np.resize(column, max(map(len, columns))) for column in columns], axis=1)


def check(model: Any, ensemble: Ensemble, rows: np.ndarray, folder: Path, *, theirs: Any = None) -> None:
    theirs = rows if theirs is None else theirs
    expected = np.reshape(catboost.CatBoost.predict(model, theirs), (len(rows), -1))
    size = np.abs(ensemble.base).max() + ensemble.n_trees * np.abs(ensemble.trees.leaf_value).max()
    write_forest(ensemble, folder / "m.forest")

    raw = np.array(reference.raw_scores(ensemble, rows.tolist()))

    np.testing.assert_allclose(raw, expected, rtol=0, atol=RAW * size)
    np.testing.assert_array_equal(load_forest(str(folder / "m.forest")).raw_scores(rows.tolist()), raw)


GRID: list[dict[str, Any]] = [
    {},
    {"depth": 1},
    {"depth": 10, "iterations": 4},
    {"nan_mode": "Max"},
    {"grow_policy": "Lossguide", "max_leaves": 20},
    {"grow_policy": "Depthwise"},
    {"grow_policy": "Lossguide", "nan_mode": "Max", "depth": 12, "max_leaves": 60},
    {"iterations": 300, "learning_rate": 0.3},
    {"boost_from_average": False},
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("parameters", GRID, ids=str)
def test_raw_values_are_catboosts_within_rounding(tmp_path: Path, parameters: dict[str, Any], seed: int) -> None:
    model = train(*data(seed), **parameters)

    ensemble = saved(model, tmp_path)

    check(model, ensemble, hard_rows(ensemble, seed), tmp_path)
    assert ensemble.source == f"catboost {catboost.__version__}"


def test_missing_values_that_training_did_not_see_go_where_catboost_sends_them(tmp_path: Path) -> None:
    model = train(*data(2, missing=False))

    ensemble = saved(model, tmp_path)

    check(model, ensemble, hard_rows(ensemble, 2), tmp_path)


@pytest.mark.parametrize("parameters", [{}, {"depth": 7}], ids=str)
def test_leaves_are_numbered_as_catboost_numbers_them(tmp_path: Path, parameters: dict[str, Any]) -> None:
    values, target = data(3)
    model = train(values, target, **parameters)

    ensemble = saved(model, tmp_path)

    ours = np.array([reference.leaves(ensemble, row) for row in values.tolist()])
    np.testing.assert_array_equal(ours, model.calc_leaf_indexes(values))
    np.testing.assert_array_equal(ensemble.trees.leaf_cover, model.get_leaf_weights())


@pytest.mark.parametrize("loss", ["RMSE", "Logloss"])
def test_a_sum_of_models_is_read(tmp_path: Path, loss: str) -> None:
    values, target = data(13)
    target = target > 0 if loss == "Logloss" else target
    parts = [train(values, target, "CatBoost", depth=depth, loss_function=loss) for depth in (2, 4)]
    model = catboost.sum_models(parts, weights=[0.5, 0.25])

    ensemble = saved(model, tmp_path)

    check(model, ensemble, hard_rows(ensemble, 13), tmp_path)
    assert ensemble.objective == loss


def test_a_changed_scale_and_bias_are_kept(tmp_path: Path) -> None:
    model = train(*data(4))
    model.set_scale_and_bias(2.5, 0.125)

    ensemble = saved(model, tmp_path)

    check(model, ensemble, hard_rows(ensemble, 4), tmp_path)
    assert ensemble.base.tolist() == [0.125]


REGRESSIONS = [
    "RMSE", "MAE", "Quantile:alpha=0.3", "LogLinQuantile", "MAPE", "Lq:q=3", "Expectile:alpha=0.2", "Huber:delta=1",
    "LogCosh", "Poisson", "Tweedie:variance_power=1.5", "MultiQuantile:alpha=0.1,0.5,0.9", "Cox",
]  # fmt: skip


@pytest.mark.parametrize("loss", REGRESSIONS)
def test_outputs_of_a_regressor_are_those_of_its_predict(tmp_path: Path, loss: str) -> None:
    values, target = data(5)
    model = train(values, np.abs(target), "CatBoostRegressor", loss_function=loss)

    ensemble = saved(model, tmp_path)

    outputs = np.array(reference.predict(ensemble, values.tolist()))
    np.testing.assert_allclose(outputs, np.reshape(model.predict(values), outputs.shape), rtol=OUTPUT, atol=OUTPUT)
    assert (ensemble.n_classes, ensemble.classes) == (0, ())


def test_outputs_of_several_targets_are_those_of_predict(tmp_path: Path) -> None:
    values, target = data(6)
    model = train(values, np.stack([target, -target], 1), "CatBoostRegressor", loss_function="MultiRMSE")

    ensemble = saved(model, tmp_path)

    assert ensemble.has_vector_leaves
    check(model, ensemble, hard_rows(ensemble, 6), tmp_path)


def test_a_ranker_is_read(tmp_path: Path) -> None:
    values, target = data(7)
    model = catboost.CatBoostRanker(
        iterations=5, loss_function="YetiRank", verbose=False, allow_writing_files=False, thread_count=1
    )
    model.fit(values, np.digitize(target, [-1, 0, 1]), group_id=np.repeat(np.arange(30), 10))

    ensemble = saved(model, tmp_path)

    check(model, ensemble, hard_rows(ensemble, 7), tmp_path)


CLASSES: list[tuple[str, Any, tuple[Any, ...]]] = [
    ("Logloss", lambda y: np.where(y > 0, "yes", "no"), ("no", "yes")),
    ("Logloss", lambda y: (y > 0).astype(int) + 3, (3, 4)),
    ("CrossEntropy", lambda y: (y - y.min()) / (y.max() - y.min()), (0, 1)),
    ("Focal:focal_alpha=0.4;focal_gamma=2", lambda y: (y > 0).astype(int), (0, 1)),
    ("MultiClass", lambda y: np.array(["a", "c", "b"])[np.digitize(y, [-1, 1])], ("a", "b", "c")),
    ("MultiClassOneVsAll", lambda y: np.digitize(y, [-1, 1]) * 5, (0, 5, 10)),
]


@pytest.mark.parametrize("policy", ["SymmetricTree", "Lossguide"])
@pytest.mark.parametrize(("loss", "label", "names"), CLASSES)
def test_outputs_of_a_classifier_are_probabilities(
    tmp_path: Path, loss: str, label: Any, names: tuple[Any, ...], policy: str
) -> None:
    values, target = data(8)
    model = train(values, label(target), "CatBoostClassifier", loss_function=loss, grow_policy=policy)

    ensemble = saved(model, tmp_path)

    assert ensemble.classes == names
    outputs = np.array(reference.predict(ensemble, values.tolist()))
    expected = model.predict_proba(values)[:, -outputs.shape[1] :]
    np.testing.assert_allclose(outputs, expected, rtol=OUTPUT, atol=OUTPUT)
    check(model, ensemble, hard_rows(ensemble, 8), tmp_path)


def test_labels_of_many_are_probabilities_each(tmp_path: Path) -> None:
    values, target = data(9)
    labels = np.stack([target > 0, target > 1], 1).astype(int)
    model = train(values, labels, "CatBoostClassifier", loss_function="MultiLogloss")

    ensemble = saved(model, tmp_path)

    outputs = np.array(reference.predict(ensemble, values.tolist()))
    np.testing.assert_allclose(outputs, model.predict_proba(values), rtol=OUTPUT, atol=OUTPUT)
    assert (ensemble.n_classes, ensemble.n_outputs) == (0, 2)


def frame(seed: int, rows: int = 300) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(
        {
            "x": rng.normal(size=rows),
            "farbe": rng.choice(["rot", "grün", "blau", "NaN"], rows),
            "size": rng.choice([10, -3, 0, 35], rows),
        }
    )
    target = values["x"] + (values["farbe"] == "grün") * 2.0 + (values["size"] == -3) + rng.normal(size=rows)
    return values, target.to_numpy()


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise"])
def test_categories_are_told_by_name(tmp_path: Path, policy: str) -> None:
    values, target = frame(0)
    pool = catboost.Pool(values, target, cat_features=["farbe", "size"])
    model = catboost.CatBoost(
        {
            "iterations": 20, "one_hot_max_size": 10, "grow_policy": policy, "verbose": False,
            "allow_writing_files": False, "thread_count": 1,
        }
    ).fit(pool)  # fmt: skip
    other = pd.concat([values, values.assign(farbe="unheard of"), values.assign(size=99)], ignore_index=True)

    ensemble = saved(model, tmp_path, pool)

    assert ensemble.feature_names == ("x", "farbe", "size")
    assert ensemble.categories[0] is None
    for kind in (str, int):  # a number is the same category as its text
        codes = [{name: code for code, name in enumerate(ensemble.categories[1] or ())}]
        codes.append({name: code for code, name in enumerate(ensemble.categories[2] or ()) if isinstance(name, kind)})
        rows = np.array(
            [
                [row.x, codes[0].get(row.farbe, 1e6), codes[1].get(kind(row.size), 1e6)]
                for row in other.itertuples(index=False)
            ]
        )
        check(model, ensemble, rows, tmp_path, theirs=other)


def test_categories_without_names_are_refused_with_the_way_out(tmp_path: Path) -> None:
    values, target = frame(1)
    model = train(values, target, cat_features=["farbe", "size"], one_hot_max_size=10)

    with pytest.raises(ModelError, match="without a name") as caught:
        saved(model, tmp_path)

    assert "pool=pool" in caught.value.problems[0].fix


def test_target_statistics_are_refused_by_name(tmp_path: Path) -> None:
    values, target = frame(2)
    model = train(values, target, cat_features=["farbe", "size"], one_hot_max_size=1)

    with pytest.raises(ModelError, match="OnlineCtr") as caught:
        saved(model, tmp_path)

    assert "one_hot_max_size" in caught.value.problems[0].fix


def test_text_features_are_refused_by_name(tmp_path: Path) -> None:
    values, target = frame(3)
    words = values["farbe"] + " " + values["size"].astype(str)
    model = train(values[["x"]].assign(words=words), (target > 0).astype(int), loss_function="Logloss",
                  text_features=["words"])  # fmt: skip

    model.save_model(str(tmp_path / "model.cbm"))

    for given in (model, tmp_path / "model.cbm"):  # CatBoost itself writes no JSON of it
        with pytest.raises(ModelError, match="text features") as caught:
            ensemble_from_model(given)
        assert "catboost" in caught.value.problems[0].fix


def test_a_mean_with_its_variance_is_refused_by_name(tmp_path: Path) -> None:
    model = train(*data(10), loss_function="RMSEWithUncertainty")

    with pytest.raises(ModelError, match="RMSEWithUncertainty"):
        saved(model, tmp_path)


def test_a_cbm_file_and_a_live_model_are_read_through_catboost(tmp_path: Path) -> None:
    values, target = data(11)
    model = train(values, target > 0, "CatBoostClassifier")
    model.save_model(str(tmp_path / "model.cbm"))

    found = [read_ensemble(tmp_path / "model.cbm"), ensemble_from_model(model)]

    for ensemble in found:
        check(model, ensemble, hard_rows(ensemble, 11), tmp_path)
        assert ensemble.n_classes == 2


CHANGES: list[tuple[tuple[str, ...], Any, str]] = [
    (("oblivious_trees", "0", "splits", "0", "split_type"), "Estimated", "the type 'Estimated'"),
    (("oblivious_trees", "0", "splits", "0", "float_feature_index"), 9, "9 at oblivious_trees"),
    (("oblivious_trees", "0", "splits", "0", "border"), None, "None at oblivious_trees"),
    (("oblivious_trees", "0", "leaf_values"), [1.0, 2.0], "2 numbers at oblivious_trees"),
    (("oblivious_trees", "0", "leaf_weights"), [1], "1 numbers at oblivious_trees"),
    (("oblivious_trees",), [], "without trees"),
    (("scale_and_bias",), [1], "scale and bias"),
    (("scale_and_bias",), [1, []], "no finite number"),
    (("model_info", "params", "loss_function", "type"), "Novel", "'Novel'"),
    (("model_info", "params", "loss_function", "type"), "MultiClass", "1 values in a leaf"),
    (("features_info", "float_features", "0", "nan_value_treatment"), "AsWell", "'AsWell'"),
    (("features_info", "float_features", "1", "flat_feature_index"), 0, "same name or place"),
    (("features_info", "embedding_features"), [{"a": 1}], "embedding features"),
]


@pytest.mark.parametrize(("way", "new", "found"), CHANGES, ids=lambda each: str(each)[-40:])
def test_what_is_not_known_is_refused_with_its_place(
    tmp_path: Path, way: tuple[str, ...], new: Any, found: str
) -> None:
    model = train(*data(12), iterations=2)
    model.save_model(str(tmp_path / "model.json"), format="json")
    document = json.loads((tmp_path / "model.json").read_text())
    at = document
    for key in way[:-1]:
        at = at[int(key) if key.isdigit() else key]
    at[way[-1]] = new
    (tmp_path / "model.json").write_text(json.dumps(document))

    with pytest.raises(ModelError, match=found) as caught:
        read_ensemble(tmp_path / "model.json")

    assert caught.value.problems[0].expected
