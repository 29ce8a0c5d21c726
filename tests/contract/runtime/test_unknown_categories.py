"""`unknown: missing`: a category that a forest was not trained on is answered as its framework answers it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.artifact import build, local_target, unpack
from bareboat.runtime.function import ModelFunction, load_function
from bareboat.service import load_service

pandas = pytest.importorskip("pandas")
N = 240
INPUTS = "[size, {name: colour, unknown: missing}, {name: code, nullable: true, unknown: missing}]"
STRANGERS = [("pink", 20), ("red", 99), ("pink", 99), ("", 20), ("red", None)]

Load = Callable[[str], ModelFunction]
Frame = Any


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that builds the artifact of a model file in tmp_path and loads it."""

    def load_model(name: str) -> ModelFunction:
        (tmp_path / "serverless.yml").write_text(
            "service: strangers\nprovider: {name: aws, runtime: python3.13}\n"
            f"functions:\n  predict:\n    model: {name}\n    signature:\n      inputs: {INPUTS}\n"
        )
        service = load_service(tmp_path / "serverless.yml")
        target, _ = local_target(service.functions["predict"])
        return load_function(str(unpack(build(service, function="predict", target=target)["predict"])))

    return load_model


def table() -> tuple[Frame, np.ndarray]:
    rng = np.random.default_rng(2)
    colour, code = rng.choice(["red", "green", "blue"], N), rng.choice([10, 20, 30], N)
    data = pandas.DataFrame(
        {"size": rng.normal(size=N), "colour": pandas.Categorical(colour), "code": pandas.Categorical(code)}
    )
    data.loc[::6, "code"] = None  # missing values are seen of one category, and never of the other
    return data, data["size"].to_numpy() + (colour == "red") * 2.0 + code / 20 + (data["code"].isna()) * 3.0


def asked() -> Frame:
    """Rows with values that no row of the table has, as pandas' categories."""
    rows = [(size, *stranger) for size in (-1.0, 0.0, 1.0) for stranger in STRANGERS]
    frame = pandas.DataFrame(rows, columns=["size", "colour", "code"])
    return frame.assign(colour=pandas.Categorical(frame["colour"]), code=pandas.Categorical([row[2] for row in rows]))


def halved(frame: Frame) -> Frame:
    """Make the numbers no whole ones, which scikit-learn's trees would hold as they are, without a list."""
    return frame.assign(code=frame["code"].cat.rename_categories(lambda code: code / 64))


def as_missing(frame: Frame, trained: Frame) -> Frame:
    return frame.assign(
        **{name: frame[name].cat.set_categories(trained[name].cat.categories) for name in ("colour", "code")}
    )


def answers(function: ModelFunction, frame: Frame) -> list[float]:
    rows = [
        {"size": size, "colour": colour, "code": None if pandas.isna(code) else code}
        for size, colour, code in frame.itertuples(index=False)
    ]
    found = []
    for body in (*rows, {"instances": rows}):
        answer = function.handle({"body": json.dumps(body)}, None)
        assert answer["statusCode"] == 200, answer["body"]
        assert "headers" not in answer
        made = json.loads(answer["body"])
        found += [each["prediction"] for each in made.get("predictions", [made])]
    assert found[: len(rows)] == found[len(rows) :]
    return found[: len(rows)]


def test_lightgbm_takes_a_stranger_for_a_missing_value(load: Load, tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    data, truth = table()
    settings = {"verbose": -1, "num_threads": 1, "min_data_per_group": 5, "cat_smooth": 1, "min_data_in_leaf": 5}
    booster = lightgbm.train(settings, lightgbm.Dataset(data, truth), 8)
    booster.save_model(tmp_path / "model.txt")
    frame = asked()

    found = answers(load("model.txt"), frame)

    assert found == booster.predict(frame).tolist() == booster.predict(as_missing(frame, data)).tolist()


def test_scikit_learns_histograms_take_a_stranger_for_a_missing_value(load: Load, tmp_path: Path) -> None:
    ensemble, joblib = pytest.importorskip("sklearn.ensemble"), pytest.importorskip("joblib")
    data, truth = table()
    data = halved(data)
    model = ensemble.HistGradientBoostingRegressor(max_iter=8, categorical_features="from_dtype", min_samples_leaf=5)
    with pytest.importorskip("threadpoolctl").threadpool_limits(1):
        model.fit(data, truth)
        joblib.dump(model, tmp_path / "model.joblib")
        frame = halved(asked())
        expected = model.predict(frame).tolist()
        assert model.predict(as_missing(frame, data)).tolist() == expected

    assert answers(load("model.joblib"), frame) == expected


def test_xgboost_refuses_strangers_itself_and_answers_for_missing_values(load: Load, tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    data, truth = table()
    settings = {"nthread": 1, "tree_method": "hist", "max_depth": 4}
    booster = xgboost.train(settings, xgboost.DMatrix(data, truth, enable_categorical=True), 8)
    booster.save_model(tmp_path / "model.ubj")
    frame = asked()

    found = answers(load("model.ubj"), frame)

    if tuple(map(int, xgboost.__version__.split(".")[:2])) >= (3, 1):  # before, a stranger was another's code
        with pytest.raises((ValueError, xgboost.core.XGBoostError)):
            booster.predict(xgboost.DMatrix(frame, enable_categorical=True))
    expected = booster.predict(xgboost.DMatrix(as_missing(frame, data), enable_categorical=True))
    assert np.array_equal(np.float32(found), expected)


def test_catboost_goes_the_way_of_a_missing_value_with_a_stranger(load: Load, tmp_path: Path) -> None:
    catboost = pytest.importorskip("catboost")
    data, truth = table()
    names = ["colour", "code"]

    def texts(frame: Frame) -> Frame:
        return frame.assign(**{name: frame[name].astype(str) for name in names})

    pool = catboost.Pool(texts(data.assign(code=data["code"].cat.codes)), truth, cat_features=names)
    model = catboost.CatBoostRegressor(
        iterations=8, one_hot_max_size=10, thread_count=1, allow_writing_files=False, verbose=False
    ).fit(pool)
    model.save_model(str(tmp_path / "model.json"), format="json", pool=pool)
    frame = asked().assign(code=pandas.Categorical([str(number % 5) for number in range(15)]))
    function = load("model.json")

    rows = [dict(zip(frame, row, strict=True)) for row in texts(frame).itertuples(index=False)]
    answer = json.loads(function.handle({"body": json.dumps({"instances": rows})}, None)["body"])

    found = [each["prediction"] for each in answer["predictions"]]
    assert found == pytest.approx(model.predict(texts(frame)).tolist(), rel=1e-15)
