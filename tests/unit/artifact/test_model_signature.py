"""`features` and `labels` against the model, and what its document says of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact.schemas import value_schema
from bareboat.artifact.signature import signature_document
from bareboat.errors import ConfigurationError
from bareboat.pipeline.ir import Column
from bareboat.service.model import Feature, Function, Output

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

    assert "features has 1 name\n" in text
    assert "labels has 1 entries" in text


def test_labels_are_the_models_own_unless_said_otherwise(make_function: Make) -> None:
    model = Model(classes=("setosa", "versicolor", "virginica"))

    assert document(make_function, model)["labels"] == ["setosa", "versicolor", "virginica"]
    assert document(make_function, model, labels=("a", "b", "c"))["labels"] == ["a", "b", "c"]
    assert document(make_function)["labels"] is None


@dataclass
class Columns:
    """As much of a pipeline as a signature looks at."""

    columns: tuple[Column, ...]
    kind: str = "value"
    n_outputs: int = 1
    n_classes: int = 0
    is_classifier: bool = False
    classes: tuple[Any, ...] = ()
    objective: str = "Ridge"


PIPELINE = Columns(
    (
        Column("age", "float", nullable=False),
        Column("city", "string", ("Bonn", "Ulm"), others=False),
        Column("id", used=False),
    )
)


def typed(make: Make, *features: Feature, **said: Any) -> dict[str, Any]:
    (served,) = make(
        "predict", model=Path("/p/m.joblib"), features=features or None, features_key="signature.inputs", **said
    ).served_models
    return signature_document(served, PIPELINE)  # type: ignore[arg-type]


def test_a_pipeline_says_what_its_columns_take(make_function: Make) -> None:
    made = typed(make_function)["inputs"]

    assert [(each["name"], each["dtype"], each["nullable"], each["values"], each["others"]) for each in made] == [
        ("age", "float", False, None, True),
        ("city", "string", True, ["Bonn", "Ulm"], False),
        ("id", "any", True, None, True),
    ]


def test_inputs_that_name_columns_come_in_any_order(make_function: Make) -> None:
    made = typed(
        make_function,
        Feature("id"),
        Feature("town", column="city", default="Ulm"),
        Feature("years", dtype="int", minimum=0, column="age"),
        bounds="warn",
    )

    assert [(each["name"], each["aliases"], each["dtype"]) for each in made["inputs"]] == [
        ("years", ["age"], "int"),
        ("town", ["city"], "string"),
        ("id", [], "any"),
    ]
    assert made["bounds"] == "warn"
    assert made["outputs"] == [{"name": "prediction", "dtype": "float"}]


@pytest.mark.parametrize(
    ("age", "city", "found", "expected"),
    [
        (Feature("age", True), Feature("city"), "'age': nullable is true", "cannot answer for a missing value"),
        (Feature("age", dtype="string"), Feature("city"), "'age': dtype is string, and the model", "float"),
        (Feature("age"), Feature("city", dtype="int"), "'city': dtype is int, and the model reads text", "string"),
        (Feature("age"), Feature("city", enum=("Ulm", "Bon")), "'city': enum is 'Bon', which the model", "write Bonn"),
        (Feature("age"), Feature("city", default="Köln"), "'city': default is 'Köln', which the model", "Bonn"),
        (Feature("age", default="x"), Feature("city"), "'age': default is \"x\"", "a number"),
        (Feature("age", unknown="error"), Feature("city"), "'age': unknown is error, and values are float", "category"),
        (Feature("age", dtype="category"), Feature("city", unknown="missing", dtype="datetime"), "'age'", "'city'"),
        (Feature("age"), Feature("city", column="town"), "'town', which it does not have", "'city'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_column_is_refused(
    make_function: Make, age: Feature, city: Feature, found: str, expected: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        typed(make_function, age, city, Feature("id"))

    assert found in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("column", "unknown", "found"),
    [
        (Column("a", "string", ("x",)), "missing", "an answer of its own for values that it does not know"),
        (Column("a", "string", ("x",)), "error", "an answer of its own for values that it does not know"),
        (Column("a", "string"), "missing", "the model has no list of its values"),
        (Column("a", "category", ("x",), others=False, nullable=False), "missing", "cannot answer for a missing value"),
    ],
)
def test_unknown_is_for_models_that_list_their_values(
    make_function: Make, column: Column, unknown: Any, found: str
) -> None:
    (served,) = make_function(
        "predict", model=Path("/p/m.joblib"), features=(Feature("a", unknown=unknown),), features_key="signature.inputs"
    ).served_models

    with pytest.raises(ConfigurationError) as caught:
        signature_document(served, Columns((column,)))  # type: ignore[arg-type]

    assert f"functions.predict.signature.inputs 'a': unknown is {unknown}, and the model" in str(caught.value)
    assert found in str(caught.value)
    assert "take unknown out" in str(caught.value)


def test_a_category_of_a_forest_may_take_strangers_as_missing(make_function: Make) -> None:
    model = Model(("colour", "size"), (("red", "blue"), None), 2)
    features = (Feature("colour", unknown="missing"), Feature("size"))
    (served,) = make_function("predict", model=Path("/p/m.txt"), features=features).served_models

    colour, size = signature_document(served, model)["inputs"]  # type: ignore[arg-type]

    assert (colour["others"], colour["unknown"], colour["nullable"]) == (True, "missing", False)
    assert value_schema(colour) == {"type": "string"}
    assert "unknown" not in size


def test_outputs_are_held_against_the_models(make_function: Make) -> None:
    with pytest.raises(ConfigurationError) as caught:
        typed(
            make_function, outputs=(Output("predicton"), Output("prediction", enum=(1, 2)), Output("prediction", "int"))
        )

    assert [problem.found.partition("outputs ")[2] for problem in caught.value.problems] == [
        "'predicton': the model's answers have no such part",
        "'prediction': enum differs from the labels",
        "'prediction': dtype is int",
    ]
