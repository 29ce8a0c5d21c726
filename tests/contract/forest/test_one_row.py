"""One row by every path and through every door, against the slow evaluator in plain Python."""

from __future__ import annotations

import array
import ctypes
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.forest import reference as slow
from bareboat.forest.ir import Ensemble
from bareboat.runtime.door import DoorForest
from bareboat.runtime.forest import OpenForest
from bareboat.runtime.kernel import kernel_path, load_kernel

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def many(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "many_rows.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


@pytest.fixture(scope="module")
def kernel() -> ctypes.CDLL:
    return load_kernel(kernel_path())


def doors(many: ModuleType, kernel: ctypes.CDLL, forest: Ensemble, folder: Path) -> list[OpenForest]:
    """The forest on every path of this CPU, through ctypes and through the extension."""
    opened: list[OpenForest] = many.opened(forest, folder, kernel)
    return opened + [
        DoorForest(str(folder / "a.forest"), kernel, many.PATHS[each.path]) for each in opened if each.path != "scalar"
    ]


def assert_every_door_is_right(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, forest: Ensemble, folder: Path, rows: list[list[float]]
) -> None:
    expected, outputs = slow.raw_scores(forest, rows), slow.predict(forest, rows)
    opened = doors(many, kernel, forest, folder)
    for row, scores, output in zip(rows, expected, outputs, strict=True):
        first = opened[0].predict(row)
        assert samples.outputs_agree(forest, first, output), row
        for each in opened:
            assert samples.same_bits(each.raw_score(row), scores), (each.path, each.door, row)
            assert samples.same_bits(each.predict(row), first), (each.path, each.door, row)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), row_seed=st.integers(0, 2**32))
def test_one_row_equals_the_reference(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, seed: int, row_seed: int
) -> None:
    forest = samples.random_forest(seed)

    assert_every_door_is_right(many, samples, kernel, forest, folder, samples.hard_rows(forest, row_seed, 12))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "size",
    [
        pytest.param({"n_leaves": 30, "n_trees": 70}, id="whole trees in two groups"),
        pytest.param({"n_leaves": 140, "n_trees": 66}, id="upper parts and branches"),
        pytest.param({"n_leaves": 256, "n_trees": 3}, id="256 leaves, the most of a scan"),
        pytest.param({"n_leaves": 256, "n_trees": 2, "n_cuts": 300, "n_features": 3}, id="a scan of 16-bit ranks"),
        pytest.param({"n_leaves": 16, "n_trees": 64}, id="one group, to the last lane"),
        pytest.param({"n_leaves": 17, "n_trees": 65, "n_features": 17}, id="17 features and more"),
        pytest.param({"n_leaves": 90, "n_trees": 20, "n_features": 33}, id="33 features and more"),
        pytest.param({"n_leaves": 200, "n_trees": 4, "n_features": 60}, id="more than 64 columns"),
        pytest.param({"n_leaves": 200, "n_trees": 4, "n_features": 100}, id="more than 128 columns"),
        pytest.param({"n_leaves": 200, "n_trees": 4, "n_features": 300}, id="more than 256 columns"),
        pytest.param({"n_leaves": 257, "n_trees": 2}, id="257 leaves"),
        pytest.param({"n_leaves": 600, "n_trees": 2, "n_cuts": 5000, "n_features": 2}, id="thousands of thresholds"),
        pytest.param({"n_leaves": 66000, "n_trees": 1, "n_cuts": 66000, "n_features": 1}, id="32-bit ranks"),
    ],
)
def test_one_row_equals_the_reference_at_every_width(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, size: dict[str, int], seed: int
) -> None:
    forest = samples.random_forest(seed, **size)

    assert_every_door_is_right(many, samples, kernel, forest, folder, samples.hard_rows(forest, seed, 10))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), data=st.data())
def test_one_row_equals_the_reference_for_any_float64(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, seed: int, data: st.DataObject
) -> None:
    forest = samples.random_forest(seed)
    row = st.lists(st.floats(), min_size=forest.n_features, max_size=forest.n_features)

    assert_every_door_is_right(many, samples, kernel, forest, folder, data.draw(st.lists(row, max_size=4)))


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_of_row_gives_the_same_scores(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, seed: int
) -> None:
    forest = samples.random_forest(seed, n_features=5)
    row = samples.hard_rows(forest, seed, 1)[0]
    wide = np.array([[value, -1.0] for value in row])
    kinds = [
        tuple(row),
        dict(zip(forest.feature_names, row, strict=True)),
        dict(reversed(list(zip(forest.feature_names, row, strict=True)))),
        array.array("d", row),
        memoryview(array.array("d", row)),
        np.array(row),
        wide[:, 0],
        np.array(row, np.longdouble),
        [np.float64(value) for value in row],
        (value for value in row),
    ]

    for each in doors(many, kernel, forest, folder):
        for kind in kinds[:-1]:
            assert samples.same_bits(each.predict(kind), each.predict(row)), (each.door, kind)
        assert samples.same_bits(each.raw_score(value for value in row), each.raw_score(row))  # type: ignore[arg-type]


def test_score_is_the_prediction_of_a_model_with_one_output(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path
) -> None:
    forests = (samples.random_forest(seed) for seed in range(40))
    for forest in [each for each in forests if each.n_outputs == 1][:8]:
        for row in samples.hard_rows(forest, 1, 4):
            for each in doors(many, kernel, forest, folder):
                assert samples.same_bits([each.score(row)], each.predict(row))
