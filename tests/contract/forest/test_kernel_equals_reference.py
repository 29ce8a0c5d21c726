"""The kernel against the slow evaluator in plain Python, over forests that no framework would train."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.forest import reference as slow
from bareboat.forest import write_forest
from bareboat.forest.ir import Ensemble
from bareboat.forest.structure import lay_out
from bareboat.runtime.forest import OpenForest, load_forest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forests")


def loaded(forest: Ensemble, folder: Path) -> OpenForest:
    path = folder / "a.forest"
    write_forest(forest, path)
    return load_forest(str(path))


def leaves(forest: OpenForest, rows: list[list[float]]) -> list[list[int]]:
    """Return what the kernel says each tree's leaf is, counted from left to right."""
    given, made = np.array(rows).reshape(len(rows), forest.n_features), np.empty((len(rows), forest.n_trees), np.uint32)
    scratch = np.empty(forest.kernel.bareboat_scratch(forest.address) + 64, np.uint8)
    at = -(-scratch.ctypes.data // 64) * 64
    forest.kernel.bareboat_leaves(forest.address, 0, given.ctypes.data, len(rows), *given.strides, made.ctypes.data, at)
    return made.tolist()


def expected_leaves(forest: Ensemble, rows: list[list[float]]) -> list[list[int]]:
    start = forest.trees.leaf_start[:-1]
    place = lay_out(forest.trees).leaf_place
    return [(place[start + slow.leaves(forest, row)] - start).tolist() for row in rows]


def assert_equal(samples: ModuleType, forest: Ensemble, kernel: OpenForest, rows: list[list[float]]) -> None:
    expected, outputs = slow.raw_scores(forest, rows), slow.predict(forest, rows)
    many, predicted = kernel.raw_scores(rows), kernel.predict_many(rows)
    for i, row in enumerate(rows):
        assert samples.same_bits(kernel.raw_score(row), expected[i]), row
        assert samples.same_bits(many[i], expected[i]), row
        assert samples.same_bits(kernel.predict(row), predicted[i]), row
        assert samples.outputs_agree(forest, predicted[i], outputs[i]), row
    assert leaves(kernel, rows) == expected_leaves(forest, rows)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), row_seed=st.integers(0, 2**32))
def test_kernel_equals_reference_bit_for_bit(samples: ModuleType, folder: Path, seed: int, row_seed: int) -> None:
    forest = samples.random_forest(seed)

    kernel = loaded(forest, folder)

    assert_equal(samples, forest, kernel, samples.hard_rows(forest, row_seed, 24))


@pytest.mark.parametrize(
    "size",
    [
        pytest.param({"n_leaves": 256, "n_trees": 2}, id="256 leaves, the most for nodes of 4 bytes"),
        pytest.param({"n_leaves": 257, "n_trees": 2}, id="257 leaves"),
        pytest.param({"n_leaves": 300, "n_cuts": 400, "n_features": 1}, id="more than 255 thresholds of a feature"),
        pytest.param({"n_leaves": 2000, "n_features": 300, "n_trees": 1}, id="more than 256 columns"),
        pytest.param({"n_leaves": 66000, "n_trees": 1, "n_features": 3}, id="more than 65536 leaves"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_kernel_equals_reference_for_wide_forests(
    samples: ModuleType, folder: Path, size: dict[str, int], seed: int
) -> None:
    forest = samples.random_forest(seed, **size)

    kernel = loaded(forest, folder)

    assert_equal(samples, forest, kernel, samples.hard_rows(forest, seed, 10))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), data=st.data())
def test_kernel_equals_reference_for_any_float64(
    samples: ModuleType, folder: Path, seed: int, data: st.DataObject
) -> None:
    forest = samples.random_forest(seed)
    rows = data.draw(
        st.lists(st.lists(st.floats(), min_size=forest.n_features, max_size=forest.n_features), max_size=8)
    )

    kernel = loaded(forest, folder)

    assert_equal(samples, forest, kernel, rows)
