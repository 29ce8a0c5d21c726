"""Every path of the kernel that this CPU has, over blocks of rows, against the slow evaluator in plain Python."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.forest.ir import CategorySet, Ensemble, Rule, Transform, Tree, Trees
from bareboat.runtime.kernel import kernel_path, load_kernel

HERE = Path(__file__).parent
COUNTS = (0, 1, 7, 8, 9, 15, 31, 32, 33, 63, 64, 65, 255, 256, 257, 300)


@pytest.fixture(scope="module")
def many(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "many_rows.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("paths")


@pytest.fixture(scope="module")
def kernel() -> ctypes.CDLL:
    return load_kernel(kernel_path())


def assert_every_path_is_right(
    many: ModuleType, kernel: ctypes.CDLL, forest: Ensemble, folder: Path, rows: list[list[float]]
) -> None:
    given = np.array(rows, np.float64).reshape(len(rows), forest.n_features)
    scores, leaves = many.expected_scores(forest, rows), many.expected_leaves(forest, rows)
    for path in many.opened(forest, folder, kernel):
        assert np.array_equal(many.leaves(path, given), leaves), path.path
        assert many.same_bits(many.scores(path, given), scores), path.path


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), n=st.sampled_from(COUNTS))
def test_paths_equal_the_reference(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, seed: int, n: int
) -> None:
    forest = samples.random_forest(seed)

    assert_every_path_is_right(many, kernel, forest, folder, samples.hard_rows(forest, seed, n))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "size",
    [
        pytest.param({"n_leaves": 256, "n_trees": 2}, id="256 leaves, the most of a scan"),
        pytest.param({"n_leaves": 257, "n_trees": 2}, id="257 leaves"),
        pytest.param({"n_leaves": 130, "n_cuts": 400, "n_features": 2}, id="a scan of 16-bit ranks"),
        pytest.param({"n_leaves": 600, "n_cuts": 700, "n_features": 2}, id="a walk of 16-bit ranks"),
        pytest.param({"n_leaves": 200, "n_features": 300, "n_trees": 2}, id="a scan of more than 256 columns"),
        pytest.param({"n_leaves": 66000, "n_trees": 1, "n_features": 2}, id="more than 65536 leaves"),
        pytest.param({"n_leaves": 70000, "n_cuts": 70000, "n_trees": 1, "n_features": 1}, id="32-bit ranks"),
    ],
)
def test_paths_equal_the_reference_at_every_width(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, size: dict[str, int], seed: int
) -> None:
    forest = samples.random_forest(seed, **size)

    assert_every_path_is_right(many, kernel, forest, folder, samples.hard_rows(forest, seed, 40))


@pytest.mark.parametrize("n_codes", [1, 126, 127, 254, 1022, 1023, 2046, 2047, 5000])
@pytest.mark.parametrize("n_leaves", [40, 300])
def test_paths_equal_the_reference_for_sets_of_any_width(
    many: ModuleType, kernel: ctypes.CDLL, folder: Path, n_codes: int, n_leaves: int
) -> None:
    rng = random.Random(n_codes)
    rules = (Rule.CATEGORY, Rule.CATEGORY_NOT_NEGATIVE, Rule.CATEGORY_WHOLE, Rule.NAN_RIGHT)
    forest = chains([[rng.choice(rules) for _ in range(n_leaves - 1)] for _ in range(3)], n_codes, rng)
    rows = [
        [rng.choice((float(rng.randrange(n_codes + 3)), rng.uniform(-2.0, n_codes), float("nan"))) for _ in range(4)]
        for _ in range(70)
    ]

    assert_every_path_is_right(many, kernel, forest, folder, rows)


@pytest.mark.parametrize("seed", range(6))
def test_rows_may_lie_at_any_strides_and_be_float32(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, seed: int
) -> None:
    forest = samples.random_forest(seed)
    with np.errstate(over="ignore"):
        rows = np.array(samples.hard_rows(forest, seed, 75)).astype(np.float32)
    expected = many.expected_scores(forest, rows.astype(np.float64).tolist())
    wide = rows.astype(np.float64)
    n, width = wide.shape
    unaligned = np.frombuffer(bytearray(wide.nbytes + 1), np.uint8)[1:].view(np.float64).reshape(n, width)
    unaligned[:] = wide
    spread = np.zeros((3 * n, 2 * width))
    spread[::3, ::2] = wide
    backwards = wide[::-1, ::-1].copy()

    for path in many.opened(forest, folder, kernel):
        for laid_out in (
            wide,
            np.asfortranarray(wide),
            unaligned,
            spread[::3, ::2],
            backwards[::-1, ::-1],
            rows,
            np.asfortranarray(rows),
        ):
            assert many.same_bits(many.scores(path, laid_out), expected), (path.path, laid_out.strides)


@pytest.mark.parametrize("seed", range(8))
def test_outputs_do_not_depend_on_the_block_that_a_row_is_in(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path, seed: int
) -> None:
    forest = samples.random_forest(seed)
    rows = np.array(samples.hard_rows(forest, seed, 300))

    for path in many.opened(forest, folder, kernel):
        whole = many.scores(path, rows, raw=False)
        for start, end in ((0, 1), (3, 20), (100, 290)):
            assert many.same_bits(many.scores(path, rows[start:end], raw=False), whole[start:end])


def test_a_path_that_is_asked_for_is_taken(
    many: ModuleType, samples: ModuleType, kernel: ctypes.CDLL, folder: Path
) -> None:
    taken = [path.path for path in many.opened(samples.random_forest(0), folder, kernel)]

    assert taken[0] == "scalar"
    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(many.PATHS)


def chains(rules: list[list[Rule]], n_codes: int, rng: random.Random) -> Ensemble:
    """Return trees that are chains of splits, each left branch a leaf, over four columns of categories or numbers."""
    trees = []
    for splits in rules:
        n = len(splits)
        sets = {
            split: CategorySet(rng.getrandbits(n_codes), nan_left=rng.random() < 0.5)
            for split, rule in enumerate(splits)
            if rule.is_categorical
        }
        trees.append(
            Tree(
                feature=[rng.randrange(4) for _ in splits],
                rule=splits,
                threshold=[0.0 if rule.is_categorical else rng.uniform(-1.0, n_codes) for rule in splits],
                left=[~split for split in range(n)],
                right=[split + 1 if split + 1 < n else ~n for split in range(n)],
                leaf_value=[rng.gauss(0.0, 1.0) for _ in range(n + 1)],
                categories=sets,
            )
        )
    return Ensemble(
        feature_names=("a", "b", "c", "d"),
        categories=(None,) * 4,
        objective="regression",
        source="the tests",
        transform=Transform.IDENTITY,
        n_classes=0,
        n_outputs=1,
        trees=Trees.of(trees),
        trees_per_round=1,
        base=np.zeros(1),
    )
