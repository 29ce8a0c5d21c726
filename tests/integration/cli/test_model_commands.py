"""`bareboat model ...` with the kernel: what it shows, writes, draws and refuses."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from xml.etree import ElementTree

import lightgbm
import numpy as np
import pandas
import pytest
from click.testing import CliRunner, Result
from sklearn.metrics import log_loss

from bareboat import Forest
from bareboat.cli.root import bareboat

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROUNDS = 30


def run(*words: str) -> Result:
    return CliRunner().invoke(bareboat, ["model", *words], prog_name="bareboat")


def document(*words: str) -> dict:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def frame() -> pandas.DataFrame:
    rng = np.random.default_rng(8)
    frame = pandas.DataFrame(
        {
            "age": rng.normal(40, 12, 600),
            "fuel": rng.choice(["gas", "diesel", "none"], 600),
            "income": rng.normal(size=600),
        }
    )
    frame.loc[::9, "income"] = np.nan
    score = (frame.age - 40) / 12 + (frame.fuel == "gas") + rng.normal(scale=1.5, size=600)
    return frame.assign(bought=(score > 0.5).astype(int))


@pytest.fixture(scope="module")
def folder(frame, tmp_path_factory) -> Path:
    """A folder with a model, rows it was trained on and others."""
    folder = tmp_path_factory.mktemp("model")
    typed = frame.astype({"fuel": "category"})
    data = lightgbm.Dataset(typed[:300].drop(columns="bought"), typed.bought[:300])
    parameters = {"objective": "binary", "num_leaves": 8, "verbose": -1, "num_threads": 1, "learning_rate": 0.3}
    booster = lightgbm.train(parameters, data, ROUNDS)
    booster.save_model(folder / "m.txt")
    frame[:300].to_csv(folder / "train.csv", index=False)
    frame[300:].to_csv(folder / "valid.csv", index=False)
    frame[300:].to_parquet(folder / "valid.parquet")
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("BAREBOAT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def expected(frame, folder) -> list[float]:
    """The log loss after each round, by LightGBM and scikit-learn."""
    booster, rows = lightgbm.Booster(model_file=folder / "m.txt"), frame[300:].astype({"fuel": "category"})
    given = rows.drop(columns="bought")
    return [log_loss(rows.bought, booster.predict(given, num_iteration=n)) for n in range(1, ROUNDS + 1)]


# --- import and info


def test_import_writes_the_forest_and_names_the_next_command():
    result = run("import", "m.txt", "-o", "out.forest")

    assert result.exit_code == 0
    assert result.stdout.startswith("out.forest: 30 trees of lightgbm v4, ")
    assert result.stderr == "next: bareboat model info out.forest\n"
    assert Forest.load("out.forest").n_trees == ROUNDS


def test_import_puts_the_forest_beside_the_model():
    assert document("import", "m.txt")["forest"] == "m.forest"
    assert Path("m.forest").exists()


def test_import_keeps_some_rounds_and_no_statistics():
    whole, part = (
        document("import", "m.txt", "-o", "a.forest"),
        document("import", "m.txt", "--rounds", "7", "-o", "b.forest"),
    )
    bare = document("import", "m.txt", "--no-statistics", "-o", "c.forest")

    assert (whole["n_rounds"], part["n_rounds"], bare["n_rounds"]) == (ROUNDS, 7, ROUNDS)
    assert part["size_bytes"] < whole["size_bytes"] > bare["size_bytes"]
    assert document("info", "c.forest")["statistics"] == []


def test_import_takes_a_forest_for_a_model():
    run("import", "m.txt", "-o", "whole.forest")

    run("import", "whole.forest", "-o", "again.forest")
    run("import", "whole.forest", "--rounds", "7", "-o", "fewer.forest")

    assert Path("again.forest").read_bytes() == Path("whole.forest").read_bytes()
    run("import", "m.txt", "--rounds", "7", "-o", "seven.forest")
    assert Path("fewer.forest").read_bytes() == Path("seven.forest").read_bytes()


@pytest.mark.parametrize("words", [("own.forest",), ("own.forest", "-o", "./own.forest", "--rounds", "3")])
def test_import_never_writes_over_the_model(folder, words):
    model = (folder / "m.txt").read_bytes()
    Path("own.forest").write_bytes(model)

    result = run("import", *words)

    assert result.exit_code == 2
    assert "own.forest is the model itself" in result.stderr
    assert Path("own.forest").read_bytes() == model


@pytest.mark.parametrize("rounds", ["0", "31"])
def test_import_of_rounds_that_are_not_there_is_refused(rounds):
    result = run("import", "m.txt", "--rounds", rounds, "-o", "never.forest")

    assert result.exit_code == 1
    assert "expected  a whole number from 1 to 30" in result.stderr
    assert not Path("never.forest").exists()


def test_info_tells_the_same_of_the_model_and_its_forest():
    run("import", "m.txt", "-o", "same.forest")

    of_model, of_forest = document("info", "m.txt"), document("info", "same.forest")

    for each in (of_model, of_forest):
        del each["open_ms"], each["model"]
    assert of_model == of_forest
    assert of_model["size_bytes"] == Path("same.forest").stat().st_size
    assert sum(each["bytes"] for each in of_model["sections"]) < of_model["size_bytes"]
    assert of_model["depth"] == lightgbm.Booster(model_file="m.txt").trees_to_dataframe().node_depth.max() - 1
    booster = lightgbm.Booster(model_file="m.txt")
    assert [each["splits"] for each in of_model["features"]] == booster.feature_importance("split").tolist()
    table = booster.trees_to_dataframe()
    numeric = table[(table.split_feature == "age") & (table.decision_type == "<=")]
    assert of_model["features"][0]["thresholds"] == numeric.threshold.nunique()
    assert [each["categories"] for each in of_model["features"]] == [0, 3, 0]


def test_info_shows_tables():
    result = run("info", "m.txt")

    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["objective", "binary"] in lines
    assert ["n_trees", "30"] in lines
    assert ["feature", "splits", "thresholds", "categories", "missing"] in lines


# --- stages


@pytest.mark.parametrize("data", ["valid.csv", "valid.parquet"])
def test_stages_finds_the_best_number_of_rounds(expected, data):
    found = document("stages", "m.txt", "--data", data, "--train", "train.csv")

    assert found["data"]["errors"] == pytest.approx(expected, rel=1e-12)
    assert found["rounds"] == found["data"]["best_rounds"] == int(np.argmin(expected)) + 1
    assert found["data"]["metric"] == "log_loss"
    assert len(found["train"]["errors"]) == ROUNDS


def test_stages_draws_and_says_what_is_saved(expected):
    result = run("stages", "m.txt", "--data", "valid.csv", "--train", "train.csv")

    best = int(np.argmin(expected)) + 1
    assert result.exit_code == 0
    assert result.stdout.startswith("log_loss of m.txt after each round\n")
    assert "* data   o train" in result.stdout
    assert f"{best} of 30 rounds are enough: {1 - best / 30:.0%} fewer trees, " in result.stdout
    assert result.stderr == f"next: bareboat model stages m.txt --data valid.csv --truncate m-{best}.forest\n"


def test_stages_truncates_to_what_is_enough(frame, expected):
    found = document("stages", "m.txt", "--data", "valid.csv", "--within", "3", "--truncate", "small.forest")

    rounds = next(n for n, error in enumerate(expected, start=1) if error <= min(expected) * 1.03)
    assert found["rounds"] == rounds < int(np.argmin(expected)) + 1
    assert found["truncated_size_bytes"] == Path("small.forest").stat().st_size < found["size_bytes"]
    rows = frame[300:].drop(columns="bought")
    expected_outputs = lightgbm.Booster(model_file="m.txt").predict(
        rows.astype({"fuel": "category"}), num_iteration=rounds
    )
    assert Forest.load("small.forest").predict_proba(rows)[:, 1].tolist() == expected_outputs.tolist()


def test_stages_takes_another_metric():
    found = document("stages", "m.txt", "--data", "valid.csv", "--metric", "error_rate")

    assert found["data"]["metric"] == "error_rate"
    assert all(0.0 <= error <= 1.0 for error in found["data"]["errors"])


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_columns_may_be_divided_otherwise_and_lie_in_another_order(frame, expected, separator):
    frame[300:][["bought", "income", "fuel", "age"]].to_csv("other.csv", sep=separator, index=False, na_rep="NA")

    assert document("stages", "m.txt", "--data", "other.csv")["data"]["errors"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("age,fuel\n1,gas\n", "every column is a feature"),
        ("age,fuel,income,a,b\n1,gas,2,1,0\n", "the columns a, b are no features"),
        ("age,fuel,incme,bought\n1,gas,2,1\n", "the columns incme, bought are no features"),
        ("age,fuel,incme,bought\n1,gas,2,1\n", "--target NAME, and a column for income"),
        ("age,fuel,income,bought\n1,gas,2,7\n", "bought is '7' in row 1 of the data"),
        ("age,fuel,income,bought\n1,gas,2,yes\n", "give the numbers of the classes as in training"),
        ("age,fuel,income,bought\nold,gas,2,1\n", "age is the text 'old' in row 1 of the data"),
        ("age,fuel,income,bought\n1,gas,2\n", "bad.csv:2: 3 values"),
        ("1,2,3,4\n", "bad.csv:1: the first line is 1, 2, 3, 4: numbers, no names"),
        ("age,fuel,income,bought\n", "no rows"),
        ("", "an empty file"),
        ("age,age,income,bought\n1,2,3,1\n", "2 columns are called 'age'"),
    ],
)
def test_data_that_does_not_fit_is_told_with_its_file(text, problem):
    Path("bad.csv").write_text(text)

    result = run("stages", "m.txt", "--data", "bad.csv")

    assert result.exit_code == 1
    assert problem in result.stderr
    assert "bad.csv" in result.stderr.splitlines()[0]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--data", "nothing.csv"), "error: nothing.csv: cannot read the data: No such file"),
        (("--data", "valid.csv", "--target", "bougt"), "no column 'bougt'"),
        (("--data", "valid.csv", "--metric", "rmse"), "no metric 'rmse' for a classifier"),
        (("--data", "valid.csv", "--plot", "a.gif"), "a picture called a.gif"),
        ((), "missing option '--data'"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(words, problem):
    result = run("stages", "m.txt", *words)

    assert result.exit_code in {1, 2}
    assert problem in result.stderr


# --- tree and importances


def test_tree_is_drawn_as_lightgbm_grew_it():
    table = lightgbm.Booster(model_file="m.txt").trees_to_dataframe().query("tree_index == 3")

    found = document("tree", "m.txt", "-n", "3")

    leaves = table[table.split_feature.isna()]
    assert sorted(each["leaf"] for each in found["leaves"]) == sorted(
        int(name.rpartition("L")[2]) for name in leaves.node_index
    )
    by_name = {int(row.node_index.rpartition("L")[2]): row for row in leaves.itertuples()}
    for leaf in found["leaves"]:
        assert leaf["values"] == pytest.approx([by_name[leaf["leaf"]].value], rel=1e-12)
        assert leaf["cover"] == by_name[leaf["leaf"]]._asdict()["count"]
    assert sorted(each["gain"] for each in found["splits"]) == pytest.approx(
        sorted(table.split_gain.dropna()), rel=1e-5
    )
    assert found["splits"][0]["cover"] == 300


def test_tree_shows_every_split_and_leaf_on_a_line():
    result, found = run("tree", "m.txt"), document("tree", "m.txt")

    lines = result.stdout.splitlines()
    assert lines[0].startswith("tree 0 of 0 to 29: round 0; ")
    assert len(lines) == 1 + len(found["splits"]) + len(found["leaves"])
    assert sum("leaf " in line for line in lines[1:]) == len(found["leaves"])


def test_a_tree_that_is_not_there_is_told():
    result = run("tree", "m.txt", "-n", "30")

    assert result.exit_code == 1
    assert result.stderr == "error: no tree 30\n  expected  0 to 29\n"


def test_importances_are_lightgbms_with_the_largest_first():
    booster = lightgbm.Booster(model_file="m.txt")
    expected = dict(zip(booster.feature_name(), booster.feature_importance("gain"), strict=True))

    found = document("importances", "m.txt")

    assert found["kind"] == "gain"
    assert [each["feature"] for each in found["importances"]] == sorted(
        expected, key=expected.__getitem__, reverse=True
    )
    for each in found["importances"]:
        assert each["importance"] == pytest.approx(expected[each["feature"]], rel=1e-6)


def test_importances_are_shown_with_bars():
    result = run("importances", "m.txt", "--kind", "split", "--top", "2")

    lines = result.stdout.splitlines()
    assert lines[0].split() == ["feature", "split"]
    assert lines[1].endswith("█" * 30)
    assert len(lines) == 3
    assert result.stderr == "and 1 feature more: --top 3\n"


def test_importances_by_shap_take_rows(frame):
    found = document("importances", "m.txt", "--kind", "shap", "--data", "valid.csv")

    rows = frame[300:].drop(columns="bought").astype({"fuel": "category"})
    contributions = lightgbm.Booster(model_file="m.txt").predict(rows, pred_contrib=True)[:, :3]
    expected = dict(zip(rows.columns, np.abs(contributions).mean(axis=0), strict=True))
    assert {each["feature"]: each["importance"] for each in found["importances"]} == pytest.approx(expected, rel=1e-9)
    refused = run("importances", "m.txt", "--kind", "shap")
    assert (refused.exit_code, "needs rows to explain" in refused.stderr) == (2, True)


def test_a_forest_without_statistics_is_shown_by_its_splits():
    run("import", "m.txt", "--no-statistics", "-o", "bare.forest")

    assert document("importances", "bare.forest")["kind"] == "split"
    assert run("importances", "bare.forest", "--kind", "gain").exit_code == 1


# --- pictures


@pytest.mark.parametrize(
    "words", [("stages", "m.txt", "--data", "valid.csv"), ("tree", "m.txt", "-n", "1"), ("importances", "m.txt")]
)
def test_pictures_are_drawn_as_png_and_svg(words):
    for name in ("picture.png", "picture.svg"):
        assert run(*words, "--plot", name).exit_code == 0

    head = Path("picture.png").read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:])
    assert head.startswith(b"\x89PNG")
    assert min(width, height) > 150
    texts = " ".join(ElementTree.parse("picture.svg").getroot().itertext())
    assert "age" in texts or "log_loss" in texts


def test_the_same_picture_has_the_same_bytes():
    run("tree", "m.txt", "--plot", "one.svg")
    run("tree", "m.txt", "--plot", "two.svg")

    assert Path("one.svg").read_bytes() == Path("two.svg").read_bytes()


def test_without_matplotlib_the_line_to_install_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    result = run("tree", "m.txt", "--plot", "tree.png")

    assert result.exit_code == 1
    assert "fix       pip install 'bareboat[plots]'" in result.stderr


def test_without_pyarrow_the_line_to_install_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    result = run("stages", "m.txt", "--data", "valid.parquet")

    assert result.exit_code == 1
    assert "pip install pyarrow" in result.stderr


def test_a_terminal_without_boxes_gets_plainer_ones(monkeypatch):
    from bareboat.cli import models

    class Latin:
        encoding = "latin-1"

    monkeypatch.setattr(models.sys, "stdout", Latin())

    assert models.drawable(["├─ yes: a", "└─ no: │", "██▌ é"]) == "|- yes: a\n`- no: |\n## é"
