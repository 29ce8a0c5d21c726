"""What a LightGBM model says of its training, beside its scores: leaf numbers, counts and gains."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import lightgbm
import numpy as np
import pytest

from bareboat.forest import read_ensemble, reference, write_forest
from bareboat.forest.file_reader import read_forest_file

pandas = pytest.importorskip("pandas")

CASES = ["binary", "multiclass", "regression with categories", "random forest", "400 leaves", "trees of one leaf"]


@pytest.mark.parametrize("case", CASES)
def test_leaves_are_called_as_pred_leaf_calls_them_after_writing_too(
    case: str, trained: ModuleType, tmp_path: Path
) -> None:
    booster, path, seen = trained.train(case, tmp_path)
    write_forest(read_ensemble(path), tmp_path / "a.forest")
    written = read_forest_file(tmp_path / "a.forest")
    ids = written.trees.leaf_id
    start = written.trees.leaf_start[:-1]
    places = np.array([reference.leaves(written, row) for row in seen[:60].tolist()])

    called = places if ids is None else ids[start + places]

    assert called.tolist() == booster.predict(seen[:60], pred_leaf=True, num_threads=1).astype(int).tolist()


@pytest.mark.parametrize("case", CASES[:-1])  # the data frame has no count of a tree's only leaf
def test_counts_and_gains_are_those_of_the_data_frame_of_trees(case: str, trained: ModuleType, tmp_path: Path) -> None:
    booster, path, _ = trained.train(case, tmp_path)
    frame = booster.trees_to_dataframe()
    splits = frame[frame["split_gain"].notna()].sort_values(["tree_index", "node_index"], key=_by_number)
    leaves = frame[frame["split_gain"].isna()].sort_values(["tree_index", "node_index"], key=_by_number)

    trees = read_ensemble(path).trees

    assert trees.leaf_cover.tolist() == leaves["count"].tolist()
    assert trees.split_cover.tolist() == splits["count"].tolist()
    assert np.allclose(trees.split_gain, splits["split_gain"].to_numpy(float), rtol=1e-5, atol=0)


def _by_number(column: pandas.Series) -> pandas.Series:
    """Sort '3-S12' by 12, and a number by itself."""
    return column if column.dtype.kind in "if" else column.str.extract(r"(\d+)$", expand=False).fillna("0").astype(int)


def test_gains_sum_to_the_importances_of_lightgbm(trained: ModuleType, tmp_path: Path) -> None:
    booster, path, _ = trained.train("regression with categories", tmp_path)

    trees = read_ensemble(path).trees

    for kind, weights in (("gain", trees.split_gain), ("split", np.ones(len(trees.feature)))):
        summed = np.bincount(trees.feature, weights, minlength=booster.num_feature())
        assert np.allclose(summed, booster.feature_importance(kind), rtol=1e-12, atol=0)


def test_a_model_that_was_refitted_keeps_its_counts_and_scores(trained: ModuleType, tmp_path: Path) -> None:
    booster, _, _ = trained.train("regression", tmp_path)
    x, y = trained.numbers(np.random.default_rng(99))
    refitted: lightgbm.Booster = booster.refit(x[:200], y[:200], decay_rate=0.3)
    refitted.save_model(tmp_path / "b.model")

    ensemble = read_ensemble(tmp_path / "b.model")

    scores = np.ravel(reference.raw_scores(ensemble, x[:50].tolist()))
    assert scores.tobytes() == lightgbm.Booster(model_file=tmp_path / "b.model").predict(x[:50]).tobytes()
    assert ensemble.trees.leaf_cover is not None
