"""Model files and live models -> what they compile into, or why not; nothing of a pickle runs in this process."""

from __future__ import annotations

import os
import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from agreement import assert_agrees
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble
from bareboat.pipeline import ir
from bareboat.pipeline.compile import compile_model
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.file import pipeline_bytes, write_pipeline
from bareboat.pipeline.reading import inspect_model, model_of, opening_note, read_model
from bareboat.pipeline.rows import Reader
from bareboat.runtime.pipeline import open_pipeline

RNG = np.random.default_rng(20261122)
FRAME = pd.DataFrame(
    {
        "age": RNG.normal(40, 12, 200),
        "fuel": RNG.choice(["gas", "diesel"], 200),
        "text": RNG.choice(["one two", "three"], 200),
    }
)
ROWS = FRAME[["age", "fuel"]]
TARGET = np.where(FRAME.age > 40, "yes", "no")


def prepared() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("words", OneHotEncoder(handle_unknown="ignore"), ["fuel"]),
        ]
    )


def fitted(estimator: Any | None = None) -> Pipeline:
    steps = [("prep", prepared()), ("model", estimator or LogisticRegression())]
    return Pipeline(steps).fit(ROWS, TARGET)


def dumped(thing: Any, path: Path) -> Path:
    path.write_bytes(pickle.dumps(thing))
    return path


class Twice(BaseEstimator, TransformerMixin):
    def fit(self, *_: Any) -> Twice:
        return self

    def transform(self, x: Any) -> Any:
        return x


class Kinder(LogisticRegression):
    def predict(self, x: Any) -> Any:
        return np.repeat("yes", len(x))


class Runs:
    """Unpickles by running code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self.code,)


@pytest.mark.parametrize("kind", ["compressed", "skops"])  # a process each; plain pickles are read below
def test_a_saved_pipeline_is_what_it_was(kind: str, tmp_path: Path) -> None:
    model, path = fitted(), tmp_path / "m.bin"
    if kind == "skops":
        pytest.importorskip("skops.io").dump(model, path)
    else:
        joblib.dump(model, path, compress=3)

    found = read_model(path)

    assert isinstance(found, ir.Pipeline)
    assert pipeline_bytes(found) == pipeline_bytes(model_of(model))
    assert (found.feature_names, found.classes) == (("age", "fuel"), ("no", "yes"))


def test_a_pipeline_file_is_a_model_too(tmp_path: Path) -> None:
    compiled = model_of(fitted())
    assert isinstance(compiled, ir.Pipeline)
    write_pipeline(compiled, tmp_path / "m.pipeline")

    found = read_model(tmp_path / "m.pipeline")

    assert isinstance(found, ir.Pipeline)
    assert pipeline_bytes(found) == pipeline_bytes(compiled)


def test_trees_alone_are_an_ensemble_as_before(tmp_path: Path) -> None:
    forest = RandomForestClassifier(3, max_depth=3).fit(ROWS[["age"]], TARGET)
    search = GridSearchCV(forest, {"max_depth": [2]}, cv=2).fit(ROWS[["age"]], TARGET)

    assert isinstance(model_of(forest), Ensemble)
    assert isinstance(model_of(search), Ensemble)
    assert isinstance(read_model(dumped(search, tmp_path / "m.pkl")), Ensemble)


@pytest.mark.parametrize(
    "estimator",
    [
        lightgbm.LGBMClassifier(n_estimators=5, num_leaves=5, verbose=-1, n_jobs=1),
        xgboost.XGBRegressor(n_estimators=5, max_depth=3, n_jobs=1),
    ],
    ids=["lightgbm", "xgboost"],
)
def test_boosters_of_other_frameworks_stand_in_pipelines(estimator: Any) -> None:
    y = TARGET if "Classifier" in type(estimator).__name__ else FRAME.age.to_numpy()
    prep = prepared().set_output(transform="pandas")
    prep.set_params(words__sparse_output=False)
    model = Pipeline([("prep", prep), ("model", estimator)]).fit(ROWS, y)

    pipeline = assert_agrees(model, ROWS, 1e-7 if "XGB" in type(estimator).__name__ else 1e-12)

    assert pipeline.n_trees == 5


def test_every_step_that_stands_in_the_way_is_named(tmp_path: Path) -> None:
    prep = ColumnTransformer([("prep", prepared(), ["age", "fuel"]), ("words", TfidfVectorizer(), "text")])
    model = Pipeline([("all", prep), ("model", KNeighborsClassifier())]).fit(FRAME, TARGET)

    found = inspect_model(dumped(model, tmp_path / "m.pkl"))

    assert found.model is None
    assert found.refusal is not None
    assert found.refusal.steps == (
        "pipeline step 'all' > 'words' (sklearn.feature_extraction.text.TfidfVectorizer)",
        "pipeline step 'model' (sklearn.neighbors.KNeighborsClassifier)",
    )
    assert found.refusal.problems[0].where == str(tmp_path / "m.pkl")
    assert "engine: framework" in str(found.refusal)
    assert found.class_name == "sklearn.pipeline.Pipeline"
    assert set(found.packages) >= {"scikit-learn", "numpy", "scipy"}
    assert found.feature_names == ("age", "fuel", "text")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            lambda: make_pipeline(FunctionTransformer(lambda x: x), Ridge()).fit(ROWS[["age"]], FRAME.age),
            "FunctionTransformer",
        ),
        (lambda: make_pipeline(Twice(), Ridge()).fit(ROWS[["age"]], FRAME.age), "Twice"),
        (lambda: make_pipeline(Kinder()).fit(ROWS[["age"]], TARGET), "Kinder"),
        (lambda: Kinder().fit(ROWS[["age"]], TARGET), "derives from LogisticRegression"),
        (lambda: Pipeline([("prep", prepared()), ("model", LogisticRegression())]), "not fitted"),
        (lambda: make_pipeline(StandardScaler(), LogisticRegression()), "not fitted"),
        (LogisticRegression, "not fitted"),
        (lambda: KNeighborsClassifier().fit(ROWS[["age"]], TARGET), "KNeighborsClassifier"),
    ],
)
def test_what_cannot_be_compiled_is_told(model: Any, words: str) -> None:
    with pytest.raises(NotCompilable, match=re.escape(words)):
        model_of(model())


@pytest.mark.parametrize("thing", [{"model": 1}, [1, 2], 3, StandardScaler()])
def test_what_is_no_model_is_no_case_for_another_engine(thing: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        read_model(dumped(thing, tmp_path / "m.pkl"))

    assert not isinstance(caught.value, NotCompilable)


def test_code_in_a_pickle_runs_in_another_process(tmp_path: Path) -> None:
    code = f"import os; open({str(tmp_path / 'ran')!r}, 'w').write(str(os.getpid()))"
    path = dumped(Runs(code), tmp_path / "m.pkl")

    with pytest.raises(ModelError):
        read_model(path)

    assert int((tmp_path / "ran").read_text()) != os.getpid()
    note = opening_note(path)
    assert note is not None
    assert "runs whatever code stands in the file, with your rights" in note


def test_an_answer_that_the_code_forged_is_checked(tmp_path: Path) -> None:
    compiled = model_of(fitted())
    assert isinstance(compiled, ir.Pipeline)
    data = bytearray(pipeline_bytes(compiled))
    data[len(data) // 2] ^= 1
    code = (
        "import json, os, sys\n"
        "folder = next(each for each in open('/proc/self/cmdline').read().split(chr(0)) if 'bareboat-' in each)\n"
        f"open(os.path.join(folder, 'model.pipeline'), 'wb').write({bytes(data)!r})\n"
        "about = {'class_name': '', 'packages': {}, 'python': '', 'feature_names': []}\n"
        "open(os.path.join(folder, 'answer.json'), 'w').write(json.dumps({'about': about, 'pipeline': True}))\n"
        "os._exit(0)\n"
    )

    with pytest.raises(ModelError):
        read_model(dumped(Runs(code), tmp_path / "m.pkl"))


def test_a_pickle_of_another_release_says_so(tmp_path: Path) -> None:
    import sklearn

    other, model = "1.3.0", fitted()
    data = pickle.dumps(model)
    version = sklearn.__version__.encode()
    stated = b"\x8c" + bytes([len(version)]) + version
    assert stated in data
    path = tmp_path / "m.pkl"
    compiled = model_of(model)
    assert isinstance(compiled, ir.Pipeline)
    path.write_bytes(data.replace(stated, b"\x8c" + bytes([len(other)]) + other.encode()))

    found = read_model(path)

    assert isinstance(found, ir.Pipeline)
    assert pipeline_bytes(replace(found, notes=())) == pipeline_bytes(replace(compiled, notes=()))
    assert any(f"scikit-learn {other} saved this model" in note for note in found.notes)


def test_a_release_of_scikit_learn_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted()
    monkeypatch.setattr("sklearn.__version__", "2.0.0")

    with pytest.raises(ModelError, match=r"scikit-learn 2\.0\.0"):
        model_of(model)


def test_names_of_columns_may_be_anything() -> None:
    names = ["a.b", "a b", "🚣", ""]
    frame = pd.DataFrame(RNG.normal(size=(50, 4)), columns=names)

    assert assert_agrees(
        make_pipeline(StandardScaler(), Ridge()).fit(frame, frame["🚣"]), frame
    ).feature_names == tuple(names)


def test_compiling_imports_no_framework() -> None:
    import subprocess

    code = "import sys, bareboat.pipeline.reading; print('sklearn' in sys.modules, 'pandas' in sys.modules)"
    path = os.pathsep.join(each for each in sys.path if each)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )

    assert result.stdout.split() == ["False", "False"]


def test_categories_by_name_reach_histogram_boosting() -> None:
    frame = ROWS.assign(fuel=FRAME.fuel.astype("category"))
    model = Pipeline([("model", HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"))])
    model.fit(frame, np.where(FRAME.fuel == "gas", TARGET, "yes"))

    pipeline = assert_agrees(model, frame)

    assert pipeline.columns[1].values == ("diesel", "gas")


@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), ("a", "b", "c")])
def test_catboost_stands_in_pipelines(labels: tuple[Any, ...]) -> None:
    catboost = pytest.importorskip("catboost")
    y = np.array(labels)[np.digitize(FRAME.age, [30, 50][: len(labels) - 1])]
    estimator = catboost.CatBoostClassifier(iterations=5, depth=3, verbose=0, allow_writing_files=False, thread_count=1)
    model = Pipeline([("prep", prepared()), ("model", estimator)]).fit(ROWS, y)

    pipeline = compile_model(model)

    opened = open_pipeline(pipeline_bytes(pipeline))
    outputs = np.array([each[0] for each in opened.answer_many(Reader(pipeline).matrix(ROWS).tolist())])
    assert np.abs(outputs - model.predict_proba(ROWS)).max() < 1e-12
    assert [labels[place] for place in outputs.argmax(axis=1)] == model.predict(ROWS).ravel().tolist()


@pytest.mark.parametrize("thing", [{"model": 1}, [1], 5, Ridge], ids=["dict", "list", "number", "class"])
def test_what_is_no_model_is_told_what_is_taken(thing: Any, tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(thing))

    with pytest.raises(ModelError) as caught:
        read_model(tmp_path / "a.pkl")

    problem = caught.value.problems[0]
    assert "linear model or a Pipeline" in problem.expected
    assert "anything else with predict" in problem.expected
    assert "save the" in problem.fix
