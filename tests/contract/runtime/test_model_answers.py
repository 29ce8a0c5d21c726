"""A model function answers what LightGBM predicts, and the iris template what the documentation prints."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import build, local_target, unpack
from bareboat.runtime.function import ModelFunction, load_function
from bareboat.service import load_service

lightgbm = pytest.importorskip("lightgbm")
np = pytest.importorskip("numpy")

TEMPLATES = Path(__file__).parents[3] / "src" / "bareboat" / "templates"
REQUEST = '{"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2}'
ANSWER = '{"proba": [0.11376620900197651, 0.17004835386299028, 0.7161854371350332], "label": "virginica"}'

Load = Callable[..., ModelFunction]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that builds a model function's artifact and loads it, as a cold start does."""

    def load_project(folder: Path, function: str = "predict") -> ModelFunction:
        project = tmp_path / "project"
        if folder != project:
            shutil.copytree(folder, project)
        service = load_service(project / "serverless.yml")
        target, _ = local_target(service.functions[function])
        return load_function(str(unpack(build(service, function=function, target=target)[function])))

    return load_project


@pytest.fixture
def load_booster(load: Load, tmp_path: Path) -> Load:
    """Return a function that does the same for a booster, with features as YAML's flow style has them."""

    def load_model(booster: Any, features: str = "") -> ModelFunction:
        project = tmp_path / "project"
        project.mkdir()
        booster.save_model(project / "m.txt")
        (project / "serverless.yml").write_text(
            "service: oracle\nprovider: {name: aws, runtime: python3.13}\n"
            "functions:\n  predict:\n    model: m.txt\n" + (f"    features: {features}\n" if features else "")
        )
        return load(project)

    return load_model


def post(function: ModelFunction, document: object) -> Any:
    answer = function.handle({"body": json.dumps(document)}, None)
    assert answer["statusCode"] == 200, answer["body"]
    return json.loads(answer["body"])


def within_one_ulp(found: list[float], expected: list[float]) -> bool:
    return len(found) == len(expected) and all(
        abs(a - b) <= math.ulp(max(abs(a), abs(b))) for a, b in zip(found, expected, strict=True)
    )


def test_the_iris_template_answers_to_the_last_digit(load: Load) -> None:
    predict = load(TEMPLATES / "lightgbm-iris")

    assert predict.handle({"body": REQUEST}, None) == {"statusCode": 200, "body": ANSWER}
    assert predict.handle(json.loads(REQUEST), None) == json.loads(ANSWER)
    event = json.loads((TEMPLATES / "lightgbm-iris" / "event.json").read_text())
    assert predict.handle(event, None) == {"statusCode": 200, "body": ANSWER}


def test_every_flower_is_answered_as_lightgbm_predicts_it(load: Load) -> None:
    from sklearn.datasets import load_iris

    booster = lightgbm.Booster(model_file=str(TEMPLATES / "lightgbm-iris" / "lgb.model"))
    iris = load_iris()
    expected = booster.predict(iris.data).tolist()

    predict = load(TEMPLATES / "lightgbm-iris")
    predictions = post(predict, {"instances": iris.data.tolist()})["predictions"]

    assert len(predictions) == 150
    for prediction, proba, row in zip(predictions, expected, iris.data.tolist(), strict=True):
        assert within_one_ulp(prediction["proba"], proba)
        assert prediction["label"] == iris.target_names[int(np.argmax(proba))]
        assert post(predict, row) == prediction
        assert post(predict, dict(zip(booster.feature_name(), row, strict=True))) == prediction


def test_categories_and_missing_values_are_answered_as_lightgbm_predicts_them(load_booster: Load) -> None:
    pandas = pytest.importorskip("pandas")
    generator = np.random.default_rng(5)
    heating = generator.choice(["gas", "oil", "wood", "heat pump"], 600)
    floor = generator.choice([1, 2, 3, 7], 600)
    area = np.where(generator.random(600) < 0.2, np.nan, generator.normal(80, 20, 600))
    price = np.nan_to_num(area, nan=60.0) + 30 * (heating == "wood") - 15 * (floor == 7) + generator.normal(0, 1, 600)
    frame = pandas.DataFrame({"area": area, "heating": pandas.Categorical(heating), "floor": pandas.Categorical(floor)})
    booster = lightgbm.train(
        {"objective": "regression", "num_leaves": 15, "min_data_per_group": 5, "cat_smooth": 1, "verbose": -1},
        lightgbm.Dataset(frame, price),
        num_boost_round=20,
    )
    frame.loc[:50, "heating"] = None
    expected = booster.predict(frame).tolist()

    predict = load_booster(booster, "[{name: area, nullable: true}, {name: heating, nullable: true}, floor]")
    rows = [
        {
            "area": None if math.isnan(row.area) else row.area,
            "heating": row.heating if isinstance(row.heating, str) else None,
            "floor": int(row.floor),
        }
        for row in frame.itertuples()
    ]
    predictions = post(predict, {"instances": rows})["predictions"]

    assert within_one_ulp([prediction["prediction"] for prediction in predictions], expected)
    left_out = [{name: value for name, value in row.items() if value is not None} for row in rows]
    assert post(predict, {"instances": left_out})["predictions"] == predictions
    refused = predict.handle({"body": '{"area": 1, "heating": "coal", "floor": 4}'}, None)
    assert {error["field"]: error["expected"] for error in json.loads(refused["body"])["errors"]} == {
        "heating": 'one of "gas", "heat pump", "oil", "wood" or null',
        "floor": "one of 1, 2, 3, 7",
    }


@pytest.mark.parametrize("objective", ["binary", "poisson", "regression", "cross_entropy"])
def test_each_kind_of_model_answers_with_its_own_shape(load_booster: Load, objective: str) -> None:
    generator = np.random.default_rng(7)
    rows = generator.normal(size=(300, 3))
    truth = (rows[:, 0] + rows[:, 1] * rows[:, 2] > 0).astype(float)
    booster = lightgbm.train(
        {"objective": objective, "num_leaves": 7, "verbose": -1, "seed": 1}, lightgbm.Dataset(rows, truth), 15
    )
    expected = booster.predict(rows).tolist()

    predictions = post(load_booster(booster), {"instances": rows.tolist()})["predictions"]

    if objective == "binary":
        assert all(len(prediction["proba"]) == 2 for prediction in predictions)
        assert within_one_ulp([prediction["proba"][1] for prediction in predictions], expected)
        assert all(prediction["label"] == int(prediction["proba"][1] > 0.5) for prediction in predictions)
    else:
        assert all(set(prediction) == {"prediction"} for prediction in predictions)
        assert within_one_ulp([prediction["prediction"] for prediction in predictions], expected)


@pytest.mark.slow
def test_the_training_script_of_the_handler_template_makes_the_model_again(tmp_path: Path) -> None:
    project = TEMPLATES / "lightgbm-handler"
    made = tmp_path / "lgb.model"

    subprocess.run([sys.executable, "-W", "ignore", str(project / "train.py"), str(made)], check=True, timeout=120)

    generator = np.random.default_rng(0)
    rows = generator.uniform(0, 8, size=(2000, 4))
    again, shipped = (lightgbm.Booster(model_file=str(path)).predict(rows) for path in (made, project / "lgb.model"))
    assert (again == shipped).all()


def test_both_iris_templates_ship_the_same_model() -> None:
    models = {path.read_bytes() for path in TEMPLATES.parents[2].glob("**/lgb.model") if ".bareboat" not in path.parts}

    assert len(models) == 1


def test_the_answers_that_the_documentation_shows_are_real(load: Load) -> None:
    page = (TEMPLATES.parents[2] / "docs" / "requests.md").read_text()
    request = page.partition("$ curl -d '")[2].partition("' http")[0]
    shown = page.partition("/predict\n")[2].partition("\n```")[0]

    answer = load(TEMPLATES / "lightgbm-iris").handle({"body": request}, None)

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == json.loads(shown)


def test_a_forest_file_written_as_the_documentation_says_predicts(tmp_path: Path) -> None:
    from bareboat.forest import read_ensemble, write_forest
    from bareboat.runtime import load_forest

    write_forest(read_ensemble(TEMPLATES / "lightgbm-iris" / "lgb.model"), tmp_path / "iris.forest")

    forest = load_forest(str(tmp_path / "iris.forest"))

    assert forest.predict([6, 3, 5, 2]) == json.loads(ANSWER)["proba"]
