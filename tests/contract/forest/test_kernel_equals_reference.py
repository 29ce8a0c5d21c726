"""The kernel against the slow evaluator in plain Python, over forests that no framework would train."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.forest import reference as slow
from bareboat.forest import write_forest
from bareboat.forest.ir import Ensemble, Rule, Transform
from bareboat.forest.layout import Section
from bareboat.forest.structure import lay_out
from bareboat.forest.tables import build_tables
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


def test_the_kernel_scores_a_file_of_version_1_as_it_did_then(folder: Path) -> None:
    """The file and what bareboat 0.1.0 made of it stand in tests/unit/forest."""
    written = bytes.fromhex((Path(__file__).parents[2] / "unit/forest/version_1.forest.hex").read_text())
    (folder / "1.forest").write_bytes(written)
    kernel = load_forest(str(folder / "1.forest"))

    rows = [[0.25, 0.75, 2.0], [math.nan, math.nan, math.nan], [-1.0, 9.0, 1000.0], [3.0, 0.5, 7.0]]

    scores = ["0x1.4800000000000p+3", "0x1.2100000000000p+6", "0x1.7778000000000p+11", "0x1.1800000000000p+3"]
    outputs = ["0x1.b1782cb6d65eep-1", "0x1.ffff3a3fd49eep-1", "0x1.0000000000000p+0", "0x1.9f5fc812826abp-1"]
    assert [score.hex() for (score,) in kernel.raw_scores(rows)] == scores
    assert [output[1].hex() for output in kernel.predict_many(rows)] == outputs


@pytest.mark.parametrize("seed", range(30))
def test_rows_of_float32_score_as_the_same_rows_of_float64(samples: ModuleType, folder: Path, seed: int) -> None:
    forest = samples.random_forest(seed)
    with np.errstate(over="ignore"):
        rows = np.array(samples.hard_rows(forest, seed, 50), np.float32)

    kernel = loaded(forest, folder)

    made = np.empty((len(rows), forest.n_outputs))
    scratch = np.empty(kernel.kernel.bareboat_scratch(kernel.address) + 64, np.uint8)
    at = -(-scratch.ctypes.data // 64) * 64
    kernel.kernel.bareboat_score(kernel.address, 0, 1, rows.ctypes.data, 50, *rows.strides, made.ctypes.data, at)
    assert made.tobytes() == np.array(kernel.raw_scores(rows.tolist())).tobytes()


def test_the_random_forests_have_every_feature_of_the_file(samples: ModuleType) -> None:
    """Otherwise the comparisons above say nothing of it."""
    forests = [samples.random_forest(seed) for seed in range(300)]

    assert {forest.transform for forest in forests} == set(Transform)
    assert {rule for forest in forests for rule in forest.trees.rule.tolist()} == set(Rule)
    for name in ("average", "single_input", "single_sum", "tiny_is_zero", "has_vector_leaves"):
        assert {getattr(forest, name) for forest in forests} == {False, True}
    assert any(forest.trees.linear for forest in forests)
    assert any(forest.base.any() for forest in forests)
    assert any(forest.trees_per_round not in {1, forest.n_outputs} for forest in forests)
    assert any(each.others_left and each.right and each.nan_left for forest in forests for each in forest.trees.sets)
    used = {tag for forest in forests for tag in build_tables(forest).sections}
    others = {Section.NAMES, Section.CATEGORY_NAMES, Section.CLASS_NAMES, Section.BASE, Section.PARAMETERS}
    assert used == set(Section) - others - {Section.TREE_OUTPUT}
