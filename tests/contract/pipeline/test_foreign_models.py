"""Models that do not compile, against the frameworks that made them: what the child reports, and what is answered."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from bareboat.artifact import check_models
from bareboat.artifact.engines import Served, read_served
from bareboat.artifact.models import engine_file
from bareboat.artifact.signature import signature_document
from bareboat.errors import ConfigurationError, ModelError
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.foreign.model import ForeignModel
from bareboat.project import create_project_for_model
from bareboat.runtime.framework import load_framework
from bareboat.runtime.onnx import load_onnx
from bareboat.service import load_service
from bareboat.service.model import Engine, Place, ServedModel

TEXTS = ["a free win", "hi mum", "win cash now", "see you at home"] * 3
DRAW = np.random.default_rng(7)
TABLE = pd.DataFrame({"age": DRAW.normal(40, 9, 60), "city": DRAW.choice(["Bern", "Oslo"], 60)})


def spam() -> Any:
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, ["spam", "ham", "spam", "ham"] * 3)


def support() -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((numbers, ["age"]), (OneHotEncoder(), ["city"]))
    return make_pipeline(columns, SVC()).fit(TABLE, TABLE["age"] > 40)


def served(path: Path, engine: Engine = "auto", **more: Any) -> Served:
    model = ServedModel("m", "functions.m", Place("serverless.yml", 1, 1), (path,), engine=engine, **more)
    return read_served(model, path, path.parent)


def opened(found: Served, folder: Path) -> Any:
    assert isinstance(found.read, ForeignModel)
    made = engine_file(found)
    file = folder / f"served{made.suffix}"
    file.write_bytes(made.data)
    document = {**signature_document(found.model, found.read), "kind": made.kind, **made.document}
    return (load_framework if made.engine == "framework" else load_onnx)(str(file), document)


def test_a_pipeline_of_texts_falls_back_to_its_framework(tmp_path: Path) -> None:
    model, path = spam(), tmp_path / "spam.joblib"
    joblib.dump(model, path)

    found = served(path)

    assert isinstance(found.read, ForeignModel)
    assert found.read.engine == "framework"
    assert {"scikit-learn", "numpy", "joblib"} == {package.name for package in found.read.packages}
    assert any("TfidfVectorizer" in note for note in found.read.notes)
    answered = opened(found, tmp_path).answer_many([["win a free phone"], ["hi"]])
    proba = model.predict_proba(["win a free phone", "hi"]).tolist()
    assert [outputs for outputs, _ in answered] == proba


def test_compiled_names_the_step_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "spam.joblib"
    joblib.dump(spam(), path)

    with pytest.raises(NotCompilable, match="tfidfvectorizer") as refused:
        served(path, "compiled")

    assert "engine: auto or framework" in str(refused.value)


@pytest.mark.parametrize("engine", ["framework", "onnx"])
def test_every_number_of_several_is_answered_and_told(tmp_path: Path, engine: str) -> None:
    rows = DRAW.normal(size=(60, 3))
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=400, tol=0.01, random_state=0).fit(rows, rows[:, :2])
    path = tmp_path / "two.joblib"
    joblib.dump(model, path)

    found = served(path, engine)

    predictor = opened(found, tmp_path)
    assert predictor.n_outputs == 2
    (outputs, index), *_ = predictor.answer_many(rows[:1].tolist())
    assert outputs == pytest.approx(model.predict(rows[:1])[0].tolist(), abs=1e-5)
    assert index == -1


def test_columns_by_name_reach_the_framework_as_a_frame(tmp_path: Path) -> None:
    model, path = support(), tmp_path / "svc.pkl"
    path.write_bytes(pickle.dumps(model))

    found = served(path)

    assert isinstance(found.read, ForeignModel)
    assert found.read.kind == "decision"
    assert [(each.name, each.dtype, each.values) for each in found.read.columns] == [
        ("age", "float", None),
        ("city", "string", ("Bern", "Oslo")),
    ]
    rows = [[44.5, "Bern"], [None, "Oslo"], [12, "Oslo"]]
    frame = pd.DataFrame(rows, columns=["age", "city"]).astype({"age": float})
    answered = opened(found, tmp_path).answer_many(rows)
    assert [outputs[0] for outputs, _ in answered] == model.decision_function(frame).tolist()
    assert [bool(found.read.classes[index]) for _, index in answered] == model.predict(frame).tolist()


@pytest.mark.parametrize("make", [spam, support])
def test_conversion_to_onnx_reports_how_far_it_is(tmp_path: Path, make: Any) -> None:
    model, path = make(), tmp_path / "m.joblib"
    joblib.dump(model, path)

    found = served(path, "onnx")

    assert isinstance(found.read, ForeignModel)
    assert any("skl2onnx converted it" in note and "no label differs" in note for note in found.read.notes)
    rows = [["win a free phone"]] if make is spam else [[44.5, "Bern"]]
    (outputs, index), *_ = opened(found, tmp_path).answer_many(rows)
    expected = model.predict_proba(rows[0])[0] if make is spam else [
        model.decision_function(pd.DataFrame(rows, columns=["age", "city"]))[0]
    ]  # fmt: skip
    assert outputs == pytest.approx(list(expected), abs=1e-5)
    assert index >= 0 or make is spam


def test_an_onnx_graph_that_is_no_tree_ensemble_goes_to_onnx_runtime(tmp_path: Path) -> None:
    from skl2onnx import to_onnx

    rows = DRAW.normal(size=(80, 3)).astype(np.float32)
    model = MLPClassifier((4,), max_iter=400, tol=0.01, random_state=0).fit(
        rows, np.where(rows[:, 0] > 0, "up", "down")
    )
    (tmp_path / "net.onnx").write_bytes(to_onnx(model, rows[:1]).SerializeToString())

    found = served(tmp_path / "net.onnx")

    assert isinstance(found.read, ForeignModel)
    assert (found.read.engine, found.read.classes) == ("onnx", ("down", "up"))
    answered = opened(found, tmp_path).answer_many(rows[:5].tolist())
    assert np.allclose([outputs for outputs, _ in answered], model.predict_proba(rows[:5]), atol=1e-6)
    assert [found.read.classes[index] for _, index in answered] == model.predict(rows[:5]).tolist()


def test_a_tensor_is_taken_as_nested_lists(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
            helper.make_node("Softmax", ["mean"], ["scores"]),
        ],
        "channels",
        [helper.make_tensor_value_info("image", floats, ["n", 3, 2, 2])],
        [helper.make_tensor_value_info("scores", floats, ["n", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())

    found = served(tmp_path / "net.onnx", labels=("red", "green", "blue"))

    assert isinstance(found.read, ForeignModel)
    assert (found.read.kind, found.read.columns[0].shape) == ("proba", (3, 2, 2))
    assert signature_document(found.model, found.read)["inputs"][0]["shape"] == [3, 2, 2]
    image = [[[0.0, 0.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]]
    (outputs, _) = opened(found, tmp_path).answer([image])
    assert outputs == pytest.approx((np.exp([0, 1, 0.5]) / np.exp([0, 1, 0.5]).sum()).tolist(), abs=1e-6)


OWN = """\
    import own_helper
    from sklearn.base import BaseEstimator, ClassifierMixin
    class Rule(ClassifierMixin, BaseEstimator):
        def fit(self, x, y):
            self.classes_, self.n_features_in_ = sorted(set(y)), x.shape[1]
            return self
        def predict(self, x):
            return [self.classes_[int(own_helper.above(each[0]))] for each in x]
    """


def test_a_class_of_ones_own_ships_with_what_it_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_rules.py").write_text(dedent(OWN))
    (tmp_path / "own_helper.py").write_text("def above(x): return x > 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import own_rules  # type: ignore[import-not-found]

    path = tmp_path / "rule.pkl"
    path.write_bytes(pickle.dumps(own_rules.Rule().fit(np.zeros((2, 1)), ["no", "yes"])))

    found = served(path)

    assert sorted(found.modules) == ["own_helper.py", "own_rules.py"]


def test_code_in_a_pickle_runs_on_the_python_that_saved_it_alone(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(lambda x: x * 2), LogisticRegression()).fit(np.eye(2), [0, 1])
    (tmp_path / "m.pkl").write_bytes(cloudpickle.dumps(model))
    own, other = "python{}.{}".format(*sys.version_info[:2]), "python3.10"

    project = create_project_for_model(tmp_path / "m.pkl", tmp_path / "made")

    config = project.folder / "serverless.yml"
    assert f"runtime: {own}\n" in config.read_text()
    config.write_text(config.read_text().replace(own, other))
    with pytest.raises(ConfigurationError, match=r"code of Python 3\.\d+ .* runs on Python 3\.10") as refused:
        check_models(load_service(config))
    assert refused.value.problems[0].fix.startswith(f"functions.predict.runtime: {own}")


def test_a_pickle_that_runs_code_runs_it_in_the_child_alone(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(_Marks(tmp_path / "ran")))

    with pytest.raises(ModelError):
        served(tmp_path / "m.pkl", "framework")

    assert int((tmp_path / "ran").read_text()) != os.getpid()


class _Marks:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        source = f"__import__('pathlib').Path({str(self.path)!r}).write_text(str(__import__('os').getpid()))"
        return eval, (source,)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"once upon a time", "holds no Python object"),
        (pickle.dumps(make_pipeline(TfidfVectorizer(), LogisticRegression())), "is not fitted"),
        (pickle.dumps({"model": 1}), "a dict, and no model"),
        (b"\x80\x04c__main__\nThing\n.", "stood in the script or notebook"),
        (b"\x80\x04cno_such_package\nThing\n.", "no_such_package"),
    ],
)
def test_what_cannot_be_served_says_why(tmp_path: Path, content: bytes, found: str) -> None:
    (tmp_path / "m.pkl").write_bytes(content)

    with pytest.raises((ModelError, ConfigurationError), match=found):
        served(tmp_path / "m.pkl", "framework")


@pytest.mark.parametrize("engine", ["framework", "onnx"])
def test_a_column_that_no_step_reads_may_hold_anything(tmp_path: Path, engine: Engine) -> None:
    columns = make_column_transformer((StandardScaler(), ["age"]))
    model = make_pipeline(columns, LogisticRegression()).fit(TABLE, TABLE["age"] > 40)
    joblib.dump(model, tmp_path / "m.joblib")

    found = served(tmp_path / "m.joblib", engine)
    city = signature_document(found.model, found.read)["inputs"][1]
    answered = opened(found, tmp_path).answer_many([[44.5, "Bern"], [44.5, None], [44.5, [1]]])

    assert (city["name"], city["dtype"], city["nullable"]) == ("city", "any", True)
    expected = model.predict_proba(pd.DataFrame({"age": [44.5], "city": ["Bern"]}))[0].tolist()
    assert [outputs for outputs, _ in answered] == [pytest.approx(expected, abs=1e-6)] * 3
