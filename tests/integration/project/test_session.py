"""bareboat.serve and bareboat.package, as a script and as a notebook call them."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas
import polars
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import bareboat
from bareboat.artifact import open_artifact
from bareboat.errors import BareboatError, ConfigurationError, InputError, LocalError, ModelError
from bareboat.project.around import Wish
from bareboat.project.session import Session
from bareboat.project.temporary import project_of

FRAME = pandas.DataFrame(np.random.default_rng(0).normal(size=(100, 3)), columns=["a", "b", "c d"])
FOREST = RandomForestClassifier(4, random_state=0).fit(FRAME, np.where(FRAME["a"] > 0, "up", "down"))
PROBA = FOREST.predict_proba(FRAME)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where temporary folders are made, to see that none is left."""
    place = tmp_path_factory.mktemp("tmp")
    before, tempfile.tempdir = tempfile.tempdir, str(place)
    yield place
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def session(folder: Path) -> Iterator[Session]:
    with bareboat.serve(FOREST, FRAME.head(), name="up-down") as served:
        yield served
    assert not served.is_running
    assert list(folder.iterdir()) == []


def test_a_url_answers_any_client(session):
    body = json.dumps(FRAME.iloc[3].to_dict()).encode()
    request = urllib.request.Request(session.url, body, {"Content-Type": "application/json"})

    with urllib.request.urlopen(request) as response:
        answer = json.load(response)

    assert answer == {"proba": PROBA[3].tolist(), "label": FOREST.predict(FRAME)[3]}


@pytest.mark.parametrize(
    "rows",
    [FRAME, polars.from_pandas(FRAME), FRAME.to_numpy(), FRAME.to_dict("list"), FRAME.to_dict("records")],
    ids=["pandas", "polars", "array", "columns", "dicts"],
)
def test_rows_of_every_kind_are_answered_in_order(session, rows):
    answers = session.predict(rows)

    np.testing.assert_array_equal([answer["proba"] for answer in answers], PROBA)


def test_one_row_has_one_answer(session):
    assert session.predict(FRAME.iloc[0].to_dict())["proba"] == PROBA[0].tolist()
    assert session.predict(session.sample)["proba"] == PROBA[0].tolist()


def test_many_rows_go_in_several_requests(session):
    many = pandas.concat([FRAME] * 25, ignore_index=True)

    assert len(session.predict(many)) == 2500


def test_what_the_endpoint_refuses_is_told(session):
    with pytest.raises(InputError, match=r"instances\[0\]\.e.*an unknown feature"):
        session.predict([{"a": 1, "b": 2, "c d": 2, "e": 3}])
    with pytest.raises(InputError, match="infinity"):
        session.predict([{"a": np.inf, "b": 1, "c d": 2}])
    with pytest.raises(InputError, match="a float"):
        session.predict(1.0)


def test_it_shows_itself_and_its_log(session):
    session.predict(FRAME[:1])

    assert session.url in session._repr_html_()
    assert "&quot;c d&quot;" in session._repr_html_()
    assert session.url in repr(session)
    deadline = time.monotonic() + 10
    while "REPORT RequestId" not in session.logs() or "POST /predict 200" not in session.logs():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_model_file_is_served_and_stopped_once_and_for_all(folder, tmp_path):
    bareboat.Model(FOREST).save(tmp_path / "my_Model.forest")

    served = bareboat.serve(tmp_path / "my_Model.forest")

    assert served.predict(FRAME[:2])[1]["proba"] == PROBA[1].tolist()
    served.stop()
    served.stop()
    assert "stopped" in repr(served)
    with pytest.raises(LocalError, match="is stopped"):
        served.predict(FRAME[:1])


@pytest.mark.parametrize(
    ("model", "options", "error"),
    [
        ("no.model", {}, ModelError),
        (object(), {}, ModelError),
        (FOREST, {"name": "no name"}, ConfigurationError),
        (FOREST, {"sample": [{"wrong": 1}]}, InputError),
        (FOREST, {"sample": 7}, InputError),
    ],
    ids=["no file", "no model", "no name", "sample that does not fit", "no sample"],
)
def test_what_cannot_be_served_leaves_nothing_behind(folder, session, model, options, error):
    before = sorted(folder.iterdir())

    with pytest.raises(error):
        bareboat.serve(model, **options)

    assert sorted(folder.iterdir()) == before


def test_a_pipeline_in_memory_is_compiled_and_served(folder, session):
    frame = pandas.DataFrame({"city": ["Bern", "Oslo", None, "Bern"], "age": [1.0, 2.0, 3.0, np.nan]})
    columns = ColumnTransformer(
        [("age", SimpleImputer(), ["age"]), ("city", OneHotEncoder(handle_unknown="ignore"), ["city"])]
    )
    pipeline = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1, 1, 0])

    with bareboat.serve(pipeline, frame.head(2)) as served:
        found = [answer["proba"] for answer in served.predict(frame)]

    np.testing.assert_allclose(found, pipeline.predict_proba(frame), atol=1e-12)


def test_a_port_in_use_is_told(session):
    port = int(session.url.rpartition(":")[2].partition("/")[0])

    with pytest.raises(LocalError, match="in use"):
        bareboat.serve(FOREST, port=port)


def test_package_makes_the_artifact_for_lambda(folder, session, tmp_path):
    artifact = bareboat.package(FOREST, FRAME.head(), path=tmp_path / "out", python="3.12", architecture="x86_64")

    assert artifact.path.parent == tmp_path / "out"
    assert str(artifact.target) == "python3.12 on linux x86_64"
    opened = open_artifact(artifact.path)
    assert (opened.digest, opened.functions) == (artifact.digest, ("predict",))
    named = bareboat.package(bareboat.Model(FOREST), path=tmp_path / "mine.zip")
    assert named.path == tmp_path / "mine.zip"
    assert open_artifact(named.path).target.architecture == "arm64"
    with pytest.raises(ConfigurationError, match=r"python is '3\.9'"):
        bareboat.package(FOREST, python="3.9")
    with pytest.raises(BareboatError, match="cannot be written"):
        bareboat.package(FOREST, path=tmp_path / "mine.zip" / "below")


def test_that_a_file_runs_its_code_is_said_before_and_after(folder, tmp_path, caplog):
    joblib.dump(FOREST, tmp_path / "m.joblib")

    artifact = bareboat.package(tmp_path / "m.joblib", path=tmp_path)

    assert [note.text for note in artifact.notes if "runs whatever code" in note.text]
    assert "m.joblib is opened in a child process, which runs whatever code stands in the file" in caplog.text
    assert repr(artifact).startswith("<bareboat artifact of predict: ")
    assert len(repr(artifact)) < 300


def test_modules_that_this_process_has_imported_go_with_the_model(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "own_limit.py").write_text("ABOVE = 1\n")
    (tmp_path / "own" / "own_steps.py").write_text(
        "import own_limit\n\n\nclass Steps:\n    n_features_in_ = 1\n\n"
        "    def predict(self, x):\n        return [float(own_limit.ABOVE) for _ in x]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "own"))
    steps = importlib.import_module("own_steps").Steps()
    joblib.dump(steps, tmp_path / "m.joblib")

    for place, model in (("live", steps), ("file", tmp_path / "m.joblib")):
        project = project_of(model, tmp_path / place, Wish(sample={"a": 1.0}))

        assert {"own_limit.py", "own_steps.py"} < set(project.files)


SCRIPT = """
import sys
import bareboat

session = bareboat.serve("model.forest", [[1.0, 0.0, 0.0]])
print(session.url, session.predict([[1.0, 0.0, 0.0]])[0]["label"], flush=True)
"""


def started(tmp_path: Path, end: str) -> subprocess.Popen[str]:
    bareboat.Model(FOREST).save(tmp_path / "model.forest")
    (tmp_path / "script.py").write_text(SCRIPT + end)
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    return subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)


def is_listening(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)"], ids=["end", "exit"])
def test_a_script_that_ends_takes_the_session_with_it(tmp_path, end):
    with started(tmp_path, end) as process:
        output, _ = process.communicate(timeout=60)

    url, label = output.split()
    assert label == "up"
    assert not is_listening(url)
    assert not list(tmp_path.glob("bareboat-*"))


@pytest.mark.skipif(os.name != "posix", reason="the watchdog is POSIX's")
def test_a_script_that_is_killed_leaves_no_process(tmp_path):
    with started(tmp_path, "import time; time.sleep(60)") as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        assert is_listening(url)
        process.kill()
        process.communicate()

    deadline = time.monotonic() + 10
    while is_listening(url):
        assert time.monotonic() < deadline
        time.sleep(0.05)


MAKE = """
import bareboat, numpy as np
from sklearn.tree import DecisionTreeClassifier
X = np.arange(20.0).reshape(-1, 2)
model = DecisionTreeClassifier().fit(X, X[:, 0] > 9)
"""
RUN = """
import nbclient, nbformat
book = nbformat.read("book.ipynb", 4)
nbclient.NotebookClient(book, timeout=60).execute()
nbformat.write(book, "book.ipynb")
"""


def test_a_notebook_gets_a_link(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    cells = [
        MAKE,
        "session = bareboat.serve(model, sample=X[:5])\nsession",
        "session.predict(X[-1:])[0]['label']",
        "session.stop()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "book.ipynb")

    subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, check=True, timeout=120, capture_output=True)

    done = nbformat.read(tmp_path / "book.ipynb", 4)
    shown = done.cells[1].outputs[0].data
    assert 'href="http://127.0.0.1:' in shown["text/html"]
    assert done.cells[2].outputs[0].data["text/plain"] == "True"


def test_truth_values_of_the_sample_are_taken_where_the_model_has_numbers(folder):
    frame = FRAME.assign(member=FRAME["b"] > 0)
    forest = RandomForestClassifier(4, random_state=0).fit(frame, frame["a"] > 0)
    pipeline = make_pipeline(SimpleImputer(), LogisticRegression()).fit(frame, frame["a"] > 0)

    for model in (forest, pipeline):
        with bareboat.serve(model, frame.head()) as served:
            answers = served.predict(frame.head())
        np.testing.assert_allclose(
            [answer["proba"] for answer in answers], model.predict_proba(frame.head()), atol=1e-12
        )
