"""SHAP values: shapes, long paths, many rows, threads, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bareboat.errors import InputError, ModelError
from bareboat.forest import write_forest
from bareboat.forest.ir import Ensemble, LinearLeaf, Rule, Transform, Tree, Trees
from bareboat.forest.shap import shap_values
from bareboat.runtime.forest import OpenForest, load_forest


def forest_of(trees: list[Tree], n_features: int, n_outputs: int = 1) -> Ensemble:
    return Ensemble(
        feature_names=tuple(f"f{feature}" for feature in range(n_features)),
        categories=(None,) * n_features,
        objective="regression",
        source="the tests",
        transform=Transform.IDENTITY,
        n_classes=0,
        n_outputs=n_outputs,
        trees=Trees.of(trees),
        trees_per_round=1,
        base=np.zeros(n_outputs),
    )


def chain(n_splits: int, n_features: int, rng: np.random.Generator, value: float | None = None) -> Tree:
    """Return a tree that splits off one leaf after the other."""
    return Tree(
        feature=[split % n_features for split in range(n_splits)],
        rule=[Rule.NAN_LEFT] * n_splits,
        threshold=[1.0 - split / n_splits for split in range(n_splits)],
        left=[*range(1, n_splits), ~n_splits],
        right=[~split for split in range(n_splits)],
        leaf_value=rng.normal(size=n_splits + 1) if value is None else [0.0] * n_splits + [value],
        leaf_cover=rng.integers(1, 100, n_splits + 1),
    )


def opened(forest: Ensemble, folder: Path) -> OpenForest:
    path = folder / "a.forest"
    write_forest(forest, path)
    return load_forest(str(path))


def test_a_path_of_many_features_shares_its_value_equally(tmp_path: Path) -> None:
    # All n players must agree, and the background never does: each gets 1 / n.
    n = 200
    forest = opened(forest_of([chain(n, n, np.random.default_rng(0), value=1.0)], n), tmp_path)

    found = shap_values(forest, np.full((2, n), -1.0), np.full((3, n), 2.0))

    assert np.allclose(found.values, 1 / n, rtol=1e-12)
    assert found.base == 0.0


@pytest.mark.parametrize("n", [7, 40, 41, 64, 65, 300])
def test_a_path_of_many_features_adds_up(tmp_path: Path, n: int) -> None:
    rng = np.random.default_rng(n)
    trees = [chain(n, n, rng), chain(2 * n, n, rng)]
    forest = opened(forest_of(trees, n), tmp_path)
    rows = rng.uniform(-0.5, 1.5, (9, n))
    rows[0] = -1.0

    raw = np.array(forest.raw_scores(rows.tolist()))
    for background in (None, rng.uniform(-0.5, 1.5, (5, n))):
        found = shap_values(forest, rows, background)
        assert np.allclose(found.values.sum(axis=1) + found.base, raw, rtol=0, atol=1e-12)


def test_players_of_equal_part_in_a_long_path_get_the_same(tmp_path: Path) -> None:
    # Each of the n features halves the cover, so that none is different from another: (1 - 2^-n) / n.
    n = 60
    tree = chain(n, n, np.random.default_rng(0), value=1.0)
    halves = Tree(
        tree.feature, tree.rule, tree.threshold, tree.left, tree.right, tree.leaf_value,
        leaf_cover=[2.0 ** (n - split) for split in range(n)] + [2.0],
    )  # fmt: skip
    forest = opened(forest_of([halves], n), tmp_path)

    found = shap_values(forest, np.full((1, n), -1.0))

    assert np.allclose(found.values, 1 / n, rtol=1e-12)


def test_every_number_of_rows_and_every_layout_gives_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    forest = opened(forest_of([chain(9, 4, rng) for _ in range(20)], 4), tmp_path)
    rows = rng.uniform(-0.5, 1.5, (700, 4))
    background = rows[:20]
    whole, against = shap_values(forest, rows, n_threads=1), shap_values(forest, rows, background, n_threads=1)

    for n in (0, 1, 3, 4, 5, 127, 128, 129, 260, 700):
        assert np.array_equal(shap_values(forest, rows[:n], n_threads=1).values, whole.values[:n])
        part = shap_values(forest, rows[:n], background, n_threads=1)
        assert np.allclose(part.values, against.values[:n], rtol=0, atol=1e-13)
        assert np.array_equal(part.base, against.base)
    assert np.array_equal(shap_values(forest, np.asfortranarray(rows)).values, whole.values)
    assert np.array_equal(shap_values(forest, rows[::-1]).values, whole.values[::-1])
    assert np.array_equal(shap_values(forest, rows, n_threads=4).values, whole.values)
    assert np.array_equal(shap_values(forest, rows, n_threads=4).base, whole.base)
    single = rows.astype(np.float32)
    assert np.array_equal(shap_values(forest, single).values, shap_values(forest, single.astype(np.float64)).values)


def test_every_instruction_set_gives_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    ensemble = forest_of([chain(n, 30, rng) for n in (3, 9, 17, 40)], 30)
    rows = rng.uniform(-0.5, 1.5, (70, 30))
    best = shap_values(opened(ensemble, tmp_path), rows)

    monkeypatch.setenv("BAREBOAT_KERNEL", "scalar")
    scalar = shap_values(opened(ensemble, tmp_path), rows)

    assert np.array_equal(best.values, scalar.values)
    assert np.array_equal(best.base, scalar.base)


def test_trees_of_one_leaf_belong_to_the_base(tmp_path: Path) -> None:
    leaf = Tree([], [], [], [], [], [2.5], leaf_cover=[10.0])
    forest = opened(forest_of([leaf, leaf], 2), tmp_path)

    for background in (None, np.zeros((1, 2))):
        found = shap_values(forest, np.zeros((3, 2)), background)
        assert found.values.shape == (3, 2, 1)
        assert not found.values.any()
        assert found.base.tolist() == [5.0]


def test_a_forest_without_covers_asks_for_a_background(tmp_path: Path) -> None:
    tree = Tree([0], [Rule.NAN_LEFT], [0.5], [~0], [~1], [1.0, 2.0])
    forest = opened(forest_of([tree], 1), tmp_path)

    with pytest.raises(ModelError, match="how many training rows") as error:
        shap_values(forest, np.zeros((1, 1)))

    assert "background" in str(error.value)
    assert shap_values(forest, np.zeros((1, 1)), np.ones((1, 1))).values.tolist() == [[[-1.0]]]


def test_linear_leaves_are_refused(tmp_path: Path) -> None:
    linear = [LinearLeaf(1.0, (0,), (2.0,)), LinearLeaf(0.0, (), ())]
    tree = Tree([0], [Rule.NAN_LEFT], [0.5], [~0], [~1], [1.0, 2.0], linear=linear, leaf_cover=[1.0, 1.0])
    forest = opened(forest_of([tree], 1), tmp_path)

    for background in (None, np.zeros((1, 1))):
        with pytest.raises(ModelError, match="linear leaves"):
            shap_values(forest, np.zeros((1, 1)), background)


def test_rows_of_another_shape_or_type_are_refused(tmp_path: Path) -> None:
    forest = opened(forest_of([chain(3, 2, np.random.default_rng(0))], 2), tmp_path)

    with pytest.raises(InputError, match=r"shape \(1, 3\)"):
        shap_values(forest, np.zeros((1, 3)))
    with pytest.raises(InputError, match="int64"):
        shap_values(forest, np.zeros((1, 2), np.int64))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="background of 0 rows"):
        shap_values(forest, np.zeros((1, 2)), np.zeros((0, 2)))
    with pytest.raises(InputError, match="n_threads"):
        shap_values(forest, np.zeros((1, 2)), n_threads=0)
