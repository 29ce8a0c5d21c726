"""`features` and `labels` against the model, and what its document says of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact.signature import signature_document
from bareboat.errors import ConfigurationError
from bareboat.service.model import Feature, Function

IRIS = ("sepal_length_(cm)", "sepal_width_(cm)", "petal_length_(cm)", "petal_width_(cm)")


@dataclass
class Model:
    """As much of a forest as a signature looks at."""

    feature_names: tuple[str, ...] = IRIS
    categories: tuple[tuple[Any, ...] | None, ...] = (None,) * 4
    n_classes: int = 3
    n_outputs: int = 3
    is_classifier: bool = True
    objective: str = "multiclass"
    classes: tuple[Any, ...] = ()


Make = Callable[..., Function]


def document(make: Make, model: Model | None = None, **said: Any) -> dict[str, Any]:
    said["features"] = tuple(Feature(name) for name in said["features"]) if said.get("features") else None
    (served,) = make("predict", model=Path("/p/lgb.model"), **said).served_models
    return signature_document(served, model or Model())  # type: ignore[arg-type]


def refusal(make: Make, model: Model | None = None, **said: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        document(make, model, **said)
    return str(caught.value)


def test_declared_names_come_first_and_the_models_own_are_aliases(make_function: Make) -> None:
    features = ["sepal length", "sepal width", "petal length", "petal width"]

    made = document(make_function, features=features, labels=("setosa", "versicolor", "virginica"))

    assert made == {
        "labels": ["setosa", "versicolor", "virginica"],
        "inputs": [
            {
                "name": name,
                "aliases": [own],
                "dtype": "float",
                "nullable": False,
                "values": None,
                "others": True,
                "enum": None,
                "minimum": None,
                "maximum": None,
                "default": None,
            }
            for name, own in zip(features, IRIS, strict=True)
        ],
        "outputs": [
            {"name": "proba", "dtype": "float", "shape": [3], "minimum": 0, "maximum": 1},
            {"name": "label", "dtype": "string", "enum": ["setosa", "versicolor", "virginica"]},
        ],
        "bounds": "error",
    }


def test_without_features_the_models_names_are_used_and_need_no_alias(make_function: Make) -> None:
    made = document(make_function)

    assert [feature["name"] for feature in made["inputs"]] == list(IRIS)
    assert [feature["aliases"] for feature in made["inputs"]] == [[], [], [], []]
    assert made["labels"] is None


def test_categories_come_from_the_model(make_function: Make) -> None:
    model = Model(("colour", "size"), (("red", "blue"), None), 2)

    assert [feature["values"] for feature in document(make_function, model)["inputs"]] == [["red", "blue"], None]


def test_a_wrong_count_names_the_models_features(make_function: Make) -> None:
    text = refusal(make_function, features=["sepal length (cm)", "sepal width (cm)", "petal width (cm)"])

    assert "serverless.yml:7:3: functions.predict.features has 3 names" in text
    assert "expected  4, one for each feature of the model" in text
    assert "add 'petal_length_(cm)'" in text


def test_names_in_another_order_than_the_models_are_refused(make_function: Make) -> None:
    text = refusal(
        make_function, features=["petal length (cm)", "sepal width (cm)", "sepal length (cm)", "petal width (cm)"]
    )

    assert "features[0] is 'petal length (cm)', which is the model's feature 2" in text
    assert "features[2] is 'sepal length (cm)', which is the model's feature 0" in text


def test_a_name_twice_is_refused(make_function: Make) -> None:
    assert "names 'a' twice" in refusal(make_function, features=["a", "b", "a", "c"])


@pytest.mark.parametrize(
    ("model", "labels", "found"),
    [
        (Model(), ("a", "b"), "labels has 2 entries"),
        (Model(n_classes=2), ("a", "b", "c"), "labels has 3 entries"),
        (Model(), ("a", "b", "a"), "labels has 'a' twice"),
        (Model(n_classes=0, is_classifier=False, objective="regression"), ("a",), "the model is no classifier"),
    ],
)
def test_labels_that_do_not_fit_the_model_are_refused(
    make_function: Make, model: Model, labels: tuple[str, ...], found: str
) -> None:
    assert found in refusal(make_function, model, labels=labels)


def test_every_problem_is_told_at_once(make_function: Make) -> None:
    text = refusal(make_function, features=["a"], labels=("x",))

    assert "features has 1 names" in text
    assert "labels has 1 entries" in text


def test_labels_are_the_models_own_unless_said_otherwise(make_function: Make) -> None:
    model = Model(classes=("setosa", "versicolor", "virginica"))

    assert document(make_function, model)["labels"] == ["setosa", "versicolor", "virginica"]
    assert document(make_function, model, labels=("a", "b", "c"))["labels"] == ["a", "b", "c"]
    assert document(make_function)["labels"] is None
