"""LightGBM's JSON dump: the same Ensemble as the text model, and what is said of a bad one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import lightgbm
import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest import Ensemble, Trees, read_ensemble

pandas = pytest.importorskip("pandas")

CASES = """\
binary
binary with categories
one-hot categories
multiclass
multiclassova
reg_sqrt
poisson
cross_entropy_lambda
random forest
linear trees
linear trees with categories
linear trees of one leaf
zero_as_missing
use_missing=false
trees of one leaf
400 leaves
thousands of categories
monotone
""".splitlines()


def dump(booster: lightgbm.Booster, path: Path, **options: Any) -> Path:
    path.write_text(json.dumps(booster.dump_model(), **options))
    return path


def assert_same_trees(a: Trees, b: Trees) -> None:
    for field in dataclasses.fields(Trees):
        mine, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == other.dtype
            assert np.array_equal(mine, other), field.name
        elif dataclasses.is_dataclass(mine):
            for part in dataclasses.fields(mine):
                assert np.array_equal(getattr(mine, part.name), getattr(other, part.name)), part.name
        else:
            assert mine == other, field.name


def assert_same(dumped: Ensemble, text: Ensemble) -> None:
    for field in dataclasses.fields(Ensemble):
        if field.name not in ("trees", "notes", "base"):
            assert getattr(dumped, field.name) == getattr(text, field.name), field.name
    assert dumped.base.tolist() == text.base.tolist()
    assert_same_trees(dumped.trees, text.trees)


@pytest.mark.parametrize("case", CASES)
def test_a_dump_is_read_as_the_text_is(case: str, trained: ModuleType, tmp_path: Path) -> None:
    booster, path, _ = trained.train(case, tmp_path)

    ensemble = read_ensemble(dump(booster, tmp_path / "a.json"))

    assert_same(ensemble, read_ensemble(path))
    assert bool(ensemble.notes) == bool(np.isinf(ensemble.trees.threshold).any())


@pytest.mark.parametrize("options", [{"indent": 2}, {"sort_keys": True}, {"sort_keys": True, "indent": 1}])
def test_a_dump_is_told_however_it_is_written(options: dict[str, Any], trained: ModuleType, tmp_path: Path) -> None:
    booster, path, _ = trained.train("multiclass", tmp_path)

    assert_same(read_ensemble(dump(booster, tmp_path / "a.json", **options)), read_ensemble(path))


def test_an_infinite_threshold_is_infinite_again_and_noted(tmp_path: Path) -> None:
    x = np.array([[-2.0], [-1.0], [1.0], [2.0], [np.nan], [np.nan]] * 50)
    parameters = {"objective": "regression", "verbose": -1, "num_leaves": 2, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, np.isnan(x[:, 0]).astype(float)), 1)
    assert booster.dump_model()["tree_info"][0]["tree_structure"]["threshold"] == 1e300

    ensemble = read_ensemble(dump(booster, tmp_path / "a.json"))

    assert ensemble.trees.threshold.tolist() == [np.inf]
    assert "1e300" in ensemble.notes[0]


def test_the_categories_of_pandas_come_along(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    frame = pandas.DataFrame({"size": rng.normal(size=300), "colour": rng.choice(["red", "green", "blue"], 300)})
    frame["colour"] = frame["colour"].astype("category")
    parameters = {"objective": "regression", "verbose": -1, "num_threads": 1, "min_data_per_group": 5}
    booster = lightgbm.train(parameters, lightgbm.Dataset(frame, (frame["colour"] == "red").astype(float)), 3)

    assert read_ensemble(dump(booster, tmp_path / "a.json")).categories == (None, ("blue", "green", "red"))


def first_tree(document: dict[str, Any]) -> dict[str, Any]:
    return document["tree_info"][0]["tree_structure"]


FAULTS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda it: it.update(version="v5"), "version 'v5'"),
    (lambda it: it.update(num_class=0), "with num_class 0"),
    (lambda it: it.update(num_tree_per_iteration=2), "num_tree_per_iteration 2"),
    (lambda it: it.update(objective="plackett"), "the objective 'plackett'"),
    (lambda it: it.update(objective="binary"), "binary without sigmoid"),
    (lambda it: it.update(max_feature_idx=3), "8 different feature names"),
    (lambda it: it.update(tree_info=[]), "0 trees"),
    (lambda it: it.update(news=1), "unknown field `news`"),
    (lambda it: it.pop("tree_info"), "missing required field `tree_info`"),
    (lambda it: it["tree_info"][0].update(num_leaves=3), "leaves that are not 0 to 2"),
    (lambda it: it["tree_info"][0].update(num_leaves=10**15), "leaves that are not 0 to 999999999999999"),
    (lambda it: first_tree(it).update(threshold="2147483647", decision_type="=="), "category 2147483647"),
    (lambda it: first_tree(it).update(split_feature=8), "feature 8 in split 0"),
    (lambda it: first_tree(it).update(decision_type="<"), "< "),
    (lambda it: first_tree(it).update(missing_type="All"), "missing_type 'All'"),
    (lambda it: first_tree(it).update(threshold="1||2"), "<= 1||2"),
    (lambda it: first_tree(it).update(threshold="1|2", decision_type="=="), "threshold '1|2'"),
    (lambda it: first_tree(it).update(threshold="3000000000", decision_type="=="), "category 3000000000"),
    (lambda it: first_tree(it).update(threshold=None), "Expected `float | str`, got `null`"),
    (lambda it: first_tree(it).update(split_index=1), "split 1 stands twice"),
    (lambda it: first_tree(it).pop("left_child"), "split 0 without two children"),
    (lambda it: first_tree(it).update(left_child={"leaf_index": 1, "leaf_value": 1.0}), "leaf 1 stands twice"),
    (lambda it: first_tree(it).update(colour=1), "unknown field `colour`"),
]


@pytest.mark.parametrize(("change", "found"), FAULTS)
def test_a_fault_is_named_with_its_place(
    change: Callable[[dict[str, Any]], object], found: str, trained: ModuleType, tmp_path: Path
) -> None:
    booster, _, _ = trained.train("binary", tmp_path)
    document = booster.dump_model(num_iteration=1)
    change(document)
    (tmp_path / "a.json").write_text(json.dumps(document))

    with pytest.raises(ModelError) as caught:
        read_ensemble(tmp_path / "a.json")

    assert found in str(caught.value)
    assert caught.value.problems[0].where.startswith(str(tmp_path / "a.json"))


def test_a_dump_that_is_cut_off_is_refused(trained: ModuleType, tmp_path: Path) -> None:
    booster, _, _ = trained.train("binary", tmp_path)
    whole = json.dumps(booster.dump_model())
    (tmp_path / "a.json").write_text(whole[: len(whole) // 2])

    with pytest.raises(ModelError, match="no LightGBM dump: Input data was truncated"):
        read_ensemble(tmp_path / "a.json")


def test_a_dump_nested_too_deep_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name":"tree","tree_info":[{"tree_structure":' + '{"left_child":' * 100_000)

    with pytest.raises(ModelError, match="no LightGBM dump"):
        read_ensemble(tmp_path / "a.json")
