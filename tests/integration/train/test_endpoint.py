"""From a table to an endpoint, as people type it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from sklearn import ensemble

from bareboat.cli.root import bareboat
from bareboat.train import Options, Training, train
from bareboat.train.features import frame_of
from bareboat.train.fitted import Fitted, Fitting
from bareboat.train.libraries import fit
from bareboat.train.libraries.sklearn import saved
from bareboat.train.notes import Notes
from bareboat.train.project import project_files
from bareboat.train.report import MOST_BYTES

LIBRARIES: dict[str, tuple[str, ...]] = {
    "lightgbm": ("--library", "lightgbm"),
    "xgboost": ("--library", "xgboost"),
    "histogram": ("--library", "sklearn"),
    "boosting": ("--library", "sklearn", "--subsample", "0.8"),
    "catboost": ("--library", "catboost"),
}
TARGETS = ("left", "level", "spend")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of 300 rows: a category, holes, a truth value, times, and names that LightGBM refuses."""
    folder = tmp_path_factory.mktemp("train")
    random = np.random.default_rng(3)
    n = 300
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, n),
            'in{"come"}': random.normal(50, 10, n).round(2),
            "city 🌊": random.choice(["Rome", "Oslo", "Lima"], n),
            "member": random.choice(["true", "false"], n),
            "since": pd.date_range("2024-01-01", periods=n, freq="6h").strftime("%Y-%m-%dT%H:%M:%SZ"),
            "plan": np.where(np.arange(n) % 3, "basic", "pro"),
        }
    )
    score = frame["age"] / 40 + (frame["city 🌊"] == "Rome") * 1.5 + random.normal(0, 0.4, n)
    frame["left"] = np.where(score > 1.9, "yes", "no")
    frame["level"] = np.select([score < 1.4, score < 2.2], [1, 2], 3)
    frame["spend"] = score.round(3)
    frame.loc[::7, 'in{"come"}'] = np.nan
    frame.loc[::11, "city 🌊"] = None
    frame.to_csv(folder / "data.csv", index=False)
    frame.to_parquet(folder / "data.parquet")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> Callable[..., Result]:
    """Type `bareboat ...` in the folder."""
    for name in [name for name in os.environ if name.startswith("BAREBOAT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(folder)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(bareboat, list(words), prog_name="bareboat")

    return typed


def options(target: str, *words: str, **more: Any) -> Options:
    others = tuple(name for name in TARGETS if name != target)
    named = {word[2:]: words[place + 1] for place, word in enumerate(words) if word.startswith("--")}
    if "subsample" in named:
        named["subsample"] = float(named["subsample"])  # type: ignore[assignment]
    return Options(target, drop=others, trees=more.pop("trees", 40), **named, **more)  # type: ignore[arg-type]


def refit(trained: Training) -> Fitted:
    """Fit on the training rows once more."""
    frame, truth, split = frame_of(trained.features), trained.task.truth, trained.split
    parts = [(frame.iloc[rows].reset_index(drop=True), truth[rows]) for rows in (split.train, split.validation)]
    n_classes = trained.task.n_classes
    return fit(Fitting(trained.options, trained.loss, n_classes, trained.features, *parts, Notes()))


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_sample_is_answered_exactly(
    run: Callable[..., Result], tmp_path: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bareboat.train.features.MOST_CATEGORIES", 2)  # of three cities
    project = tmp_path / "project"
    drops = ("--drop", "level", "--drop", "spend")
    made = run(
        "train", "data.csv", "--target", "left", *drops, "--trees", "30", *LIBRARIES[library], "-o", str(project)
    )
    assert made.exit_code == 0, made.stderr
    samples = json.loads((project / "samples.json").read_text())
    rows = [sample["row"] for sample in samples]
    cities = {"Rome", "Oslo", "Lima"}
    assert {row["city 🌊"] for row in rows} >= cities  # a rare one, too, as people would send it

    strangers = [rows[0] | {"city 🌊": city} for city in ("Atlantis", None, *cities)]
    body = json.dumps({"instances": rows + strangers})
    result = run(
        "-c", str(project / "serverless.yml"), "invoke", "local", "-f", "predict", "-d", json.dumps({"body": body})
    )

    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    found = json.loads(answer["body"])["predictions"]
    assert found[: len(rows)] == [sample["answer"] for sample in samples]
    unseen, missing, *seen = found[len(rows) :]
    assert unseen == missing
    assert unseen in seen  # it is what a rare one is
    assert "drift" in json.loads((project / "train.json").read_text())


@pytest.mark.parametrize(
    ("library", "target"),
    [(library, target) for library in ("lightgbm", "xgboost") for target in TARGETS]
    + [("histogram", "level"), ("catboost", "level")],
)
def test_every_library_learns_every_kind_of_target(folder: Path, library: str, target: str) -> None:
    asked = options(target, *LIBRARIES[library])
    if library == "catboost":  # without a category its model is no pickle, which takes a process to read
        asked = replace(asked, drop=(*asked.drop, "city 🌊", "plan"))

    first = train(folder / "data.csv", asked)

    assert refit(first).data == first.fitted.data
    assert first.drift < 1e-6
    assert first.judged is not None
    score = first.judged.scores[0]
    assert score.guess is not None
    assert score.value > score.guess if score.is_better_high else score.value < score.guess
    assert first.fitted.rounds == int(np.argmin(first.fitted.curves.validation)) + 1
    assert first.fitted.importances.sum() == pytest.approx(1.0)
    assert np.argmax(first.fitted.importances) in {0, 2}
    assert len(project_files(first, "trained")[0]["report.html"]) < MOST_BYTES


def test_another_process_makes_the_same_files(folder: Path) -> None:
    asked = options("left", *LIBRARIES["boosting"], trees=5)
    code = (
        "from hashlib import sha256; from pathlib import Path\n"
        "from bareboat.train import *; from bareboat.train.project import project_files\n"
        f"files, _ = project_files(train(Path({str(folder / 'data.csv')!r}), {asked!r}), 'left')\n"
        "print({name: sha256(content).hexdigest() for name, content in files.items()})"
    )

    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    files, _ = project_files(train(folder / "data.csv", asked), "left")
    assert found.strip() == str({name: sha256(content).hexdigest() for name, content in files.items()})


def test_what_memory_held_does_not_reach_the_file() -> None:
    rows = np.random.default_rng(0).random((50, 3))
    model = ensemble.GradientBoostingClassifier(n_estimators=1, random_state=0).fit(rows, rows[:, 0] > 0.5)
    clean = saved(model)
    tree = model.estimators_[0, 0].tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    unused = nodes.view(np.uint8).reshape(len(nodes), -1)[:, nodes.dtype.fields["missing_go_to_left"][1] + 1 :]
    unused[:] = 7
    nodes["missing_go_to_left"][nodes["left_child"] == -1] = 7
    tree.__setstate__({**state, "nodes": nodes})

    assert (tree.__getstate__()["nodes"].view(np.uint8) == 7).any()
    assert saved(model) == clean


@pytest.mark.parametrize(
    ("library", "target", "loss"),
    [
        (library, target, loss)
        for library in ("lightgbm", "xgboost")
        for target, loss in (("spend", "lad"), ("spend", "huber"), ("spend", "quantile"), ("left", "deviance"))
    ]
    + [("sklearn", "spend", "huber")]
    + [("catboost", "spend", loss) for loss in ("lad", "huber", "quantile")],
)
def test_losses_are_those_of_the_library(folder: Path, library: str, target: str, loss: str) -> None:
    asked = options(target, "--library", library, "--loss", loss, trees=20)
    if library == "catboost":  # without a category its model is no pickle
        asked = replace(asked, drop=(*asked.drop, "city 🌊", "plan"))

    trained = train(folder / "data.parquet", asked)

    assert trained.drift < 1e-6
    assert trained.fitted.curves.train[-1] < trained.fitted.curves.train[0]


def test_quantiles_are_judged_by_their_own_loss(folder: Path) -> None:
    trained = train(folder / "data.csv", options("spend", "--loss", "quantile", alpha=0.8, trees=60))

    assert trained.judged is not None
    scores = {score.name: score for score in trained.judged.scores}
    assert next(iter(scores)) == "pinball"
    assert scores["share_below"].low <= 0.8 <= scores["share_below"].high


def test_out_of_bag_ends_the_rounds_without_validation(folder: Path) -> None:
    words = ("--library", "sklearn", "--subsample", "0.7", "--loss", "exponential")
    trained = train(folder / "data.csv", options("left", *words, validation=0.0, trees=80))

    assert trained.drift < 1e-6
    assert len(trained.fitted.curves.oob_improvement) == 80
    assert trained.fitted.rounds < 80
    assert "did not see" in trained.fitted.why


def test_categories_that_xgboost_would_lose_become_columns(folder: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(folder / "data.csv").replace({"city 🌊": {"Oslo": "Århus"}})
    frame.to_csv(tmp_path / "data.csv", index=False)

    trained = train(tmp_path / "data.csv", options("left", "--library", "xgboost", trees=10))

    assert trained.drift < 1e-6
    assert trained.fitted.file_name in {"model.ubj", "model.joblib"}  # XGBoost keeps such names from 3.4 on


def test_the_project_says_what_the_table_has(folder: Path) -> None:
    trained = train(folder / "data.csv", options("level", trees=10))

    files, _ = project_files(trained, "level")
    function = yaml.safe_load(files["serverless.yml"])["functions"]["predict"]
    inputs = {entry["name"]: entry for entry in function["signature"]["inputs"]}

    assert function["labels"] == [1, 2, 3]
    assert function["signature"]["bounds"] == "warn"
    assert inputs["age"] == {"name": "age", "dtype": "int", "minimum": 18, "maximum": 78}
    assert inputs["city 🌊"] == {
        "name": "city 🌊",
        "dtype": "category",
        "enum": ["Lima", "Oslo", "Rome"],
        "nullable": True,
        "unknown": "missing",
        "column": "city_",
    }
    assert inputs["member"] == {"name": "member", "dtype": "bool"}
    assert inputs["since"]["minimum"] == "2024-01-01T00:00:00Z"
    assert inputs['in{"come"}']["nullable"]


@pytest.mark.parametrize("library", ["lightgbm", "xgboost", "boosting", "catboost"])
def test_refitting_learns_from_the_validation_rows_too(folder: Path, library: str) -> None:
    asked = options("spend", *LIBRARIES[library], trees=30)
    asked = replace(asked, drop=(*asked.drop, "city 🌊", "plan"))

    trained = train(folder / "data.parquet", replace(asked, refit=True))

    first = refit(trained)
    assert trained.fitted.data != first.data
    assert (trained.fitted.rounds, trained.fitted.curves) == (first.rounds, first.curves)
    assert trained.served.model.n_trees == first.rounds
    assert trained.fitted.why.endswith("then fitted again on 240 rows, those included")
    assert trained.drift < 1e-6
    assert trained.judged is not None
    assert (trained.judged.part, trained.background["rows"]) == ("test", 240)


def test_a_wide_table_has_a_small_report(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    names = [f"<b>{'long name ' * 20}{place}</b>" for place in range(400)]
    frame = pd.DataFrame(random.normal(size=(120, 400)), columns=names)
    frame["y"] = [f"class {place % 40}" for place in range(120)]
    frame.to_parquet(tmp_path / "wide.parquet")

    trained = train(tmp_path / "wide.parquet", Options("y", trees=2))
    page = project_files(trained, "wide")[0]["report.html"].decode()

    assert len(page.encode()) < MOST_BYTES
    assert "<b>long" not in page
    assert "<script" not in page
    assert "http" not in page


def test_a_table_without_rows_held_out_has_no_score(folder: Path) -> None:
    trained: Training = train(folder / "data.csv", options("left", validation=0.0, test=0.0, trees=5))

    page = project_files(trained, "left")[0]["report.html"].decode()

    assert trained.judged is None
    assert "no honest score" in page


@pytest.mark.parametrize(
    ("words", "code", "found"),
    [
        (("--target", "levle"), 1, "--target level"),
        (("--target", "level", "--loss", "lsd"), 2, "--loss ls"),
        (("--target", "level", "--drop", "ag"), 1, "--drop age"),
        (("--target", "spend", "--task", "classification"), 1, "--task regression"),
        (("--target", "left", "--task", "regression"), 1, "--task classification"),
        (("--target", "left", "--delimiter", ";"), 1, "--delimiter ','"),
        (("--target", "left", "--trees", "0"), 2, "--trees 1000"),
        (("--target", "left", "--path", "."), 2, "nothing is overwritten"),
    ],
)
def test_mistakes_are_told_with_their_cure(
    run: Callable[..., Result], folder: Path, words: tuple[str, ...], code: int, found: str
) -> None:
    (folder / "train.json").touch()

    result = run("train", "data.csv", *words)

    assert result.exit_code == code
    assert found in result.stderr
    assert not (folder / "level").exists()


def test_json_holds_what_was_made(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("train", "data.csv", "--target", "spend", "--drop", "level", "--drop", "left", "--trees", "5",
                 "--path", str(tmp_path / "spend"), "--json")  # fmt: skip

    document = json.loads(result.stdout)

    assert document["train"]["task"]["kind"] == "regression"
    assert document["train"]["scores"]["rmse"]["interval"].startswith("bootstrap")
    assert sorted(document["files"]) == sorted(path.name for path in (tmp_path / "spend").iterdir())
