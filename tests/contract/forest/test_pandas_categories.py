"""The categories of a model that was trained on pandas' category columns."""

from __future__ import annotations

import json
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest import ensemble_from_model, read_ensemble, write_forest
from bareboat.runtime.forest import load_forest

pandas = pytest.importorskip("pandas")


def frame() -> pandas.DataFrame:
    rng = np.random.default_rng(2)
    data = pandas.DataFrame({"size": rng.normal(size=300), "colour": rng.choice(["red", "green", "blue"], 300)})
    data["colour"] = data["colour"].astype("category")
    data["code"] = pandas.Categorical(rng.choice([10, 20, 30, 40], 300))
    data.loc[::9, "colour"] = np.nan
    return data


def train(data: pandas.DataFrame, path: Path) -> lightgbm.Booster:
    y = data["size"] + (data["colour"] == "red") * 2.0 + data["code"].astype(float) / 20
    parameters = {"objective": "regression", "verbose": -1, "num_threads": 1, "min_data_per_group": 5}
    lightgbm.train(parameters, lightgbm.Dataset(data, y), 6).save_model(path)
    return lightgbm.Booster(model_file=path)


def test_categories_are_read_and_their_codes_score_as_the_frame_does(tmp_path: Path) -> None:
    data = frame()
    booster = train(data, tmp_path / "a.model")

    forest = read_ensemble(tmp_path / "a.model")

    assert forest.categories == (None, ("blue", "green", "red"), (10, 20, 30, 40))
    write_forest(forest, tmp_path / "a.forest")
    codes = [
        [
            size,
            np.nan if pandas.isna(colour) else float(forest.categories[1].index(colour)),
            float(forest.categories[2].index(code)),
        ]
        for size, colour, code in zip(data["size"], data["colour"], data["code"], strict=True)
    ]
    scores = load_forest(str(tmp_path / "a.forest")).raw_scores(codes)
    assert np.array(scores)[:, 0].tobytes() == booster.predict(data, raw_score=True).tobytes()


def test_categories_survive_saving_a_loaded_model(tmp_path: Path) -> None:
    train(frame(), tmp_path / "a.model").save_model(tmp_path / "b.model")

    assert read_ensemble(tmp_path / "b.model").categories == (None, ("blue", "green", "red"), (10, 20, 30, 40))


def test_a_constant_category_column_keeps_its_categories(tmp_path: Path) -> None:
    data = frame()
    data["shop"] = pandas.Categorical(["one"] * len(data))
    train(data, tmp_path / "a.model")

    assert read_ensemble(tmp_path / "a.model").categories[3] == ("one",)


def test_an_ordered_category_column_is_refused_since_its_list_cannot_be_placed(tmp_path: Path) -> None:
    data = frame()
    data["code"] = data["code"].cat.as_ordered()
    train(data, tmp_path / "a.model")

    with pytest.raises(ModelError, match="2 lists of categories for 1 categorical features") as caught:
        read_ensemble(tmp_path / "a.model")
    assert "a.model:" in caught.value.problems[0].where
    assert "cat.codes" in caught.value.problems[0].fix


def test_a_model_of_plain_numbers_has_no_categories(tmp_path: Path) -> None:
    train(frame(), tmp_path / "a.model")
    data = frame()[["size"]]
    parameters = {"objective": "regression", "verbose": -1}
    lightgbm.train(parameters, lightgbm.Dataset(data, data["size"]), 2).save_model(tmp_path / "b.model")

    assert read_ensemble(tmp_path / "b.model").categories == (None,)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", "\u00e9"], ("a", "b", "\u00e9")),
        ([True, False], (False, True)),
        ([3, 1, 2], (1, 2, 3)),
        ([0.5, -1.5], (-1.5, 0.5)),
        ([f"shop {number}" for number in range(1000)], tuple(sorted(f"shop {number}" for number in range(1000)))),
        (["a\nb", 'quote "', "back\\slash", "a:b", "[c]"], ("[c]", "a\nb", "a:b", "back\\slash", 'quote "')),
    ],
)
def test_categories_of_any_kind_are_read(values: list[object], expected: tuple[object, ...], tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    places = np.concatenate([np.arange(len(values)), rng.integers(0, len(values), 2000)])
    data = pandas.DataFrame(
        {"size": rng.normal(size=len(places)), "kind": pandas.Categorical([values[i] for i in places])}
    )
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(data, places % 2), 3)
    booster.save_model(tmp_path / "a.model")
    (tmp_path / "a.json").write_text(json.dumps(booster.dump_model()))

    read = [read_ensemble(tmp_path / name).categories for name in ("a.model", "a.json")]
    live = ensemble_from_model(booster).categories

    assert read == [(None, expected), (None, expected)]
    assert live == (None, expected)
    assert [type(each) for each in live[1]] == [type(each) for each in expected]


def test_a_numeric_column_that_looks_like_codes_is_noted(tmp_path: Path) -> None:
    """Named in categorical_feature is another column than the one of category type; the file cannot tell."""
    rng = np.random.default_rng(8)
    data = pandas.DataFrame(
        {"code": rng.integers(0, 3, 300), "colour": pandas.Categorical(rng.choice(list("rgb"), 300))}
    )
    dataset = lightgbm.Dataset(data, data["code"] + (data["colour"] == "r"), categorical_feature=["code"])
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, dataset, 3)
    booster.save_model(tmp_path / "a.model")
    (tmp_path / "a.json").write_text(json.dumps(booster.dump_model()))

    for name in ("a.model", "a.json"):
        notes = read_ensemble(tmp_path / name).notes
        assert any("those of code" in note and "colour may be codes too" in note for note in notes)


def test_a_usual_frame_has_no_notes(tmp_path: Path) -> None:
    train(frame(), tmp_path / "a.model")

    assert read_ensemble(tmp_path / "a.model").notes == ()
