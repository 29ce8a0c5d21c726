"""`bareboat model ...` with models that are more than trees."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from bareboat.cli.root import bareboat

RNG = np.random.default_rng(20261122)
FRAME = pd.DataFrame({"age": RNG.normal(40, 12, 100), "fuel": RNG.choice(["gas", "diesel"], 100), "id": range(100)})
TARGET = np.where(FRAME.age > 40, "yes", "no")


def run(*words: str) -> Result:
    return CliRunner().invoke(bareboat, ["model", *words], prog_name="bareboat")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pickled pipeline, what it compiles into, and one that does not compile."""
    folder = tmp_path_factory.mktemp("pipelines")
    prep = ColumnTransformer(
        [("age", SimpleImputer(), ["age"]), ("fuel", OneHotEncoder(handle_unknown="ignore"), ["fuel"])]
    )
    for name, estimator in (("m", LogisticRegression()), ("unknown", KNeighborsClassifier())):
        model = Pipeline([("prep", prep), ("model", estimator)]).fit(FRAME, TARGET)
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
    result = run("import", str(folder / "m.pkl"), "-o", str(folder / "made.pipeline"), "--json")
    assert result.exit_code == 0, result.stderr
    (folder / "import.json").write_text(result.stdout)
    (folder / "import.txt").write_text(result.stderr)
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_import_writes_a_pipeline_file(folder: Path) -> None:
    document = json.loads((folder / "import.json").read_text())

    assert document["pipeline"] == str(folder / "made.pipeline")
    assert (document["kind"], document["n_features"], document["n_trees"]) == ("proba", 3, 0)
    assert "runs whatever code stands in the file, with your rights" in (folder / "import.txt").read_text()


def test_info_shows_columns_steps_and_how_near_the_answers_are() -> None:
    result = run("info", "made.pipeline", "--json")

    document = json.loads(result.stdout)
    assert document["agreement"] == "each step within 4 units in the last place of its greatest term"
    assert document["classes"] == ["no", "yes"]
    age, fuel, unread = document["columns"]
    assert (age["dtype"], age["nullable"], age["values"]) == ("float", True, None)
    assert (fuel["dtype"], fuel["nullable"], fuel["others"], fuel["values"]) == (
        "string",
        True,
        True,
        ["diesel", "gas"],
    )
    assert unread["used"] is False
    assert {"one_hot", "dot"} <= {step["op"] for step in document["steps"]}


def test_info_shows_tables() -> None:
    lines = run("info", "made.pipeline").stdout.splitlines()

    assert any(line.split() == ["kind", "classifier", "with", "probabilities"] for line in lines)
    assert any(line.split()[:3] == ["fuel", "string", "yes"] and "'diesel', 'gas'" in line for line in lines)
    assert any("not read" in line for line in lines)


@pytest.mark.parametrize(
    "words", [("tree",), ("stages", "--data", "rows.csv"), ("importances",)], ids=["tree", "stages", "importances"]
)
def test_commands_for_trees_alone_say_so(words: tuple[str, ...]) -> None:
    result = run(words[0], "made.pipeline", *words[1:])

    assert result.exit_code == 1
    assert "a model that is trees alone, for this command" in result.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("-o", "x.forest"), "the model is more than trees, whose file is named *.pipeline"),
        (("-o", "x.pipeline", "--rounds", "3"), "--rounds is for models that are trees alone"),
        (("-o", "made.pipeline"), "made.pipeline is the model itself"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(words: tuple[str, ...], problem: str) -> None:
    result = run("import", "made.pipeline", *words)

    assert result.exit_code == 2
    assert problem in result.stderr


def test_what_does_not_compile_names_the_step() -> None:
    result = run("import", "unknown.pkl")

    assert result.exit_code == 1
    assert "pipeline step 'model' (sklearn.neighbors.KNeighborsClassifier) cannot be compiled" in result.stderr
    assert "engine: framework" in result.stderr
