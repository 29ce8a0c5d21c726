"""SHAP values of the kernel against their definition: every coalition of features, over forests of every kind."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bareboat.forest import reference as slow
from bareboat.forest import write_forest
from bareboat.forest.ir import Ensemble, Floats, Tree
from bareboat.forest.shap import ShapValues, shap_values
from bareboat.runtime.forest import OpenForest, load_forest

N_ROWS = 3
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forests")


def loaded(forest: Ensemble, folder: Path) -> OpenForest:
    path = folder / "a.forest"
    write_forest(forest, path)
    return load_forest(str(path))


def coalitions(n_features: int) -> NDArray[np.bool_]:
    """Return whether each feature is known in each coalition: (2^n_features, n_features)."""
    return (np.arange(2**n_features)[:, None] >> np.arange(n_features) & 1).astype(bool)


def shapley(worth: Floats, n_features: int) -> Floats:
    """Return each feature's mean gain over all orders, (n_features, ...), of what every coalition is worth."""
    size = coalitions(n_features).sum(axis=1)
    weight = [
        math.factorial(k) * math.factorial(n_features - k - 1) / math.factorial(n_features) for k in range(n_features)
    ]
    values = []
    for feature in range(n_features):
        without = np.flatnonzero(np.arange(2**n_features) >> feature & 1 == 0)
        gains = worth[without | 1 << feature] - worth[without]
        values.append(np.tensordot(np.array(weight)[size[without]], gains, axes=1))
    return np.array(values)


def covers(tree: Tree) -> tuple[Floats, Floats]:
    """Return the covers of a tree's splits and leaves."""
    assert tree.leaf_cover is not None
    leaf = np.asarray(tree.leaf_cover, np.float64)
    split = np.zeros(tree.n_splits)

    def cover(node: int) -> float:
        if node < 0:
            return float(leaf[~node])
        total = cover(int(tree.left[node])) + cover(int(tree.right[node]))
        split[node] = total if tree.split_cover is None else float(tree.split_cover[node])
        return float(split[node])

    if tree.n_splits:
        cover(0)
    return split, leaf


def path_dependent_worth(forest: Ensemble, row: list[float]) -> Floats:
    """Return what each coalition is worth: (2^n_features, n_outputs). Algorithm 1 of Lundberg et al. (2020)."""
    known = coalitions(forest.n_features)
    values = slow._read(forest, row)
    total = np.tile(np.asarray(forest.base, np.float64), (len(known), 1))
    for number in range(forest.n_trees):
        tree = forest.trees[number]
        split, leaf = covers(tree)
        leaf_value = np.asarray(tree.leaf_value, np.float64).reshape(tree.n_leaves, -1)

        def worth(
            node: int,
            tree: Tree = tree,
            split: Floats = split,
            leaf: Floats = leaf,
            leaf_value: Floats = leaf_value,
        ) -> Floats:
            if node < 0:
                return np.tile(leaf_value[~node], (len(known), 1))
            branches = [int(tree.left[node]), int(tree.right[node])]
            parts = [worth(branch) for branch in branches]
            share = [
                (split[branch] if branch >= 0 else leaf[~branch]) / split[node] if split[node] > 0 else 0.5
                for branch in branches
            ]
            feature = int(tree.feature[node])
            taken = parts[0] if slow._goes_left(tree, node, values[feature]) else parts[1]
            return np.where(known[:, [feature]], taken, share[0] * parts[0] + share[1] * parts[1])

        part = worth(0 if tree.n_splits else -1)
        if forest.has_vector_leaves:
            total += part
        else:
            total[:, tree.output] += part[:, 0]
    return total / (forest.n_rounds if forest.average else 1)


def interventional_worth(forest: Ensemble, row: list[float], background: list[list[float]]) -> Floats:
    """Return the mean raw score of the background with the known features of each coalition as the row has them."""
    mixed = [
        [own if is_known else other for own, other, is_known in zip(row, known_row, known, strict=True)]
        for known in coalitions(forest.n_features).tolist()
        for known_row in background
    ]
    raw = np.array(slow.raw_scores(replace(forest, single_sum=False), mixed))
    worth = raw.reshape(2**forest.n_features, len(background), forest.n_outputs).mean(axis=1)
    return np.asarray(worth / (forest.n_rounds if forest.average else 1))


def with_covers(forest: Ensemble, seed: int) -> Ensemble:
    """Return the forest without linear leaves, with covers of all magnitudes, zeros and unequal sums among them."""
    rng = np.random.default_rng(seed)
    trees = forest.trees
    cover = rng.choice([0.0, 1.0, 3.0, 1e-3, 1e6, 12.5], len(trees.leaf_value))
    splits = rng.uniform(0.5, 1e3, len(trees.feature)) if rng.random() < 0.2 else None
    return replace(forest, trees=replace(trees, linear=None, leaf_cover=cover, split_cover=splits))


def largest_sum(forest: Ensemble) -> float:
    """Return the largest magnitude that a raw score may have: rounding is judged by it."""
    value = np.abs(forest.trees.leaf_value)
    per_tree = [
        float(value[start:end].max())
        for start, end in zip(forest.trees.leaf_start[:-1], forest.trees.leaf_start[1:], strict=True)
    ]
    return sum(per_tree) + float(np.abs(forest.base).max()) + 1e-300


def assert_shapley(found: ShapValues, worths: list[Floats], forest: Ensemble, scale: float = 1.0) -> None:
    tolerance = 1e-12 * largest_sum(forest) * scale
    for row, worth in enumerate(worths):
        assert np.allclose(found.values[row], shapley(worth, forest.n_features), rtol=0, atol=tolerance)
        assert np.allclose(found.base, worth[0], rtol=0, atol=tolerance)
        assert np.allclose(found.values[row].sum(axis=0) + found.base, worth[-1], rtol=0, atol=tolerance)


@SETTINGS
@given(seed=st.integers(0, 2**32), row_seed=st.integers(0, 2**32))
def test_path_dependent_values_follow_from_all_coalitions(
    samples: ModuleType, folder: Path, seed: int, row_seed: int
) -> None:
    forest = with_covers(samples.random_forest(seed), seed)
    rows = samples.hard_rows(forest, row_seed, N_ROWS)

    found = shap_values(loaded(forest, folder), np.array(rows).reshape(N_ROWS, -1), n_threads=1)

    # Covers of a split that are not the sum of its branches may multiply what a leaf counts for.
    scale = 1.0 if forest.trees.split_cover is None else max(1.0, float(np.abs(found.base).max()) / largest_sum(forest))
    assert_shapley(found, [path_dependent_worth(forest, row) for row in rows], forest, scale)


@SETTINGS
@given(seed=st.integers(0, 2**32), row_seed=st.integers(0, 2**32), n_background=st.integers(1, 9))
def test_interventional_values_follow_from_all_coalitions(
    samples: ModuleType, folder: Path, seed: int, row_seed: int, n_background: int
) -> None:
    forest = with_covers(samples.random_forest(seed, n_leaves=9), seed)
    rows = samples.hard_rows(forest, row_seed, N_ROWS)
    background = samples.hard_rows(forest, row_seed + 1, n_background)

    found = shap_values(loaded(forest, folder), np.array(rows), np.array(background), n_threads=1)

    assert_shapley(found, [interventional_worth(forest, row, background) for row in rows], forest)
