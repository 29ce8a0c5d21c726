"""What `bareboat.runtime.forest` promises to a handler: shapes, errors, threads, and little to import."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import platform
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bareboat.errors import ArtifactError, InputError
from bareboat.forest import read_ensemble, write_forest
from bareboat.forest.digest import digest, digest_in_python
from bareboat.runtime import kernel as binding
from bareboat.runtime.forest import OpenForest, load_forest
from bareboat.runtime.kernel import load_kernel

IRIS = Path(__file__).parents[3] / "src/bareboat/templates/lightgbm-iris/lgb.model"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("iris") / "iris.forest"
    write_forest(read_ensemble(IRIS), made)
    return made


@pytest.fixture(scope="module")
def iris(path: Path) -> OpenForest:
    return load_forest(str(path))


def test_a_forest_knows_its_shape_and_names(iris: OpenForest) -> None:
    assert (iris.n_features, iris.n_trees, iris.n_classes, iris.n_outputs) == (4, 30, 3, 3)
    assert iris.feature_names[0] == "sepal_length_(cm)"
    assert (iris.objective, iris.source, iris.is_classifier) == ("multiclass", "lightgbm v4", True)


def test_any_sequence_of_numbers_is_a_row(iris: OpenForest) -> None:
    expected = iris.predict([6.0, 3.0, 5.0, 2.0])

    assert iris.predict((6, 3, 5, 2)) == expected
    assert iris.predict(np.array([6, 3, 5, 2], dtype=np.float32)) == expected
    assert iris.predict_many(np.array([[6.0, 3.0, 5.0, 2.0]] * 2)) == [expected] * 2


def test_no_rows_give_no_results(iris: OpenForest) -> None:
    assert iris.predict_many([]) == []
    assert iris.raw_scores(iter(())) == []


@pytest.mark.parametrize("n", [1, 255, 256, 257, 1000])
def test_many_rows_equal_each_row_by_itself(iris: OpenForest, n: int) -> None:
    rng = random.Random(n)
    rows = [[rng.choice((rng.uniform(0, 8), math.nan)) for _ in range(4)] for _ in range(n)]

    assert iris.predict_many(rows) == [iris.predict(row) for row in rows]
    assert iris.raw_scores(rows) == [iris.raw_score(row) for row in rows]


@pytest.mark.parametrize(
    ("row", "found", "expected"),
    [
        ([1.0, 2.0, 3.0], "a row has 3 values", "4, one a feature"),
        ([1.0] * 5, "a row has 5 values", "4, one a feature"),
        ([1.0, "2", 3.0, 4.0], r"sepal_width_\(cm\) is '2'", "a number"),
        ([1.0, None, 3.0, 4.0], r"sepal_width_\(cm\) is 'None'", "a number"),
        ([1.0, 2.0, 3.0, 10**400], r"petal_width_\(cm\) is '1000", "a number"),
        (7, "a row is int", "a sequence of 4 numbers"),
    ],
)
def test_a_bad_row_is_named(iris: OpenForest, row: object, found: str, expected: str) -> None:
    for score in (iris.predict, iris.raw_score):
        with pytest.raises(InputError, match=found) as caught:
            score(row)  # type: ignore[arg-type]
        assert caught.value.problems[0].expected.startswith(expected)
    with pytest.raises(InputError, match=found):
        iris.predict_many([[1.0] * 4, row])  # type: ignore[list-item]


@pytest.mark.parametrize(("number", "dtype"), [(0, np.float64), (1, np.float32)])
@pytest.mark.parametrize("layout", ["rows", "columns", "every other column", "backwards"])
def test_the_kernel_reads_rows_of_any_strides(iris: OpenForest, layout: str, number: int, dtype: type) -> None:
    rows = np.random.default_rng(3).uniform(0, 8, size=(50, 4)).astype(dtype)
    given = {
        "rows": rows,
        "columns": np.asfortranarray(rows),
        "every other column": np.repeat(rows, 2, axis=1)[:, ::2],
        "backwards": rows[::-1].copy()[::-1],
    }[layout]
    kernel, out = iris.kernel, np.empty((50, 3))
    scratch = ctypes.create_string_buffer(kernel.bareboat_scratch(iris.address) + 64)
    at = -(-ctypes.addressof(scratch) // 64) * 64

    kernel.bareboat_score(iris.address, 0, number, given.ctypes.data, 50, *given.strides, out.ctypes.data, at)

    assert out.tolist() == iris.raw_scores(rows.tolist())


def test_the_kernels_digest_is_the_writers() -> None:
    kernel, rng = load_kernel(binding.kernel_path()), random.Random(8)

    for size in [*range(70), 1000, 4099, 70001]:
        data = rng.randbytes(size)
        assert kernel.bareboat_digest(data, size) == digest_in_python(data) == digest(data)


def test_the_instructions_can_be_chosen(path: Path, iris: OpenForest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_KERNEL", "scalar")

    forest = load_forest(str(path))

    assert forest.path == "scalar"
    assert forest.predict([6.0, 3.0, 5.0, 2.0]) == iris.predict([6.0, 3.0, 5.0, 2.0])


def test_an_unknown_choice_of_instructions_names_the_known_ones(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_KERNEL", "sse9")

    with pytest.raises(ArtifactError, match="BAREBOAT_KERNEL is 'sse9'") as caught:
        load_forest(str(path))
    assert caught.value.problems[0].expected == "one of best, scalar, neon, avx2, avx512"


def test_instructions_that_no_such_cpu_has_are_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "avx2" if platform.machine() in {"aarch64", "arm64"} else "neon"
    monkeypatch.setenv("BAREBOAT_KERNEL", other)

    with pytest.raises(ArtifactError, match=f"no {other} instructions"):
        load_forest(str(path))


def test_a_file_that_is_replaced_leaves_a_loaded_forest_as_it_is(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "a.forest"
    copy.write_bytes(path.read_bytes())
    loaded = load_forest(str(copy))
    expected = loaded.predict([6.0, 3.0, 5.0, 2.0])

    write_forest(read_ensemble(IRIS), copy)
    copy.unlink()

    assert loaded.predict([6.0, 3.0, 5.0, 2.0]) == expected


def test_a_missing_kernel_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "kernel-linux-other.so").touch()

    with pytest.raises(ArtifactError, match=r"kernel-linux-x\.so is missing") as caught:
        load_kernel(str(tmp_path / "kernel-linux-x.so"))
    assert "kernel-linux-other.so" in caught.value.problems[0].expected
    assert "hatch_build.py" in caught.value.problems[0].fix


def test_what_is_no_library_is_not_loaded_as_a_kernel(tmp_path: Path) -> None:
    (tmp_path / "kernel.so").write_bytes(b"\x7fELF of another machine")

    with pytest.raises(ArtifactError, match="the kernel cannot be loaded"):
        load_kernel(str(tmp_path / "kernel.so"))


def test_loading_a_forest_imports_little() -> None:
    """Each of these costs a cold start; typing, dataclasses, enum, pathlib, json and hashlib must not be among them."""
    script = (
        "import sys; before = set(sys.modules); import bareboat.runtime.forest\n"
        "print(*sorted(set(sys.modules) - before))"
    )

    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True).stdout

    assert set(out.split()) <= {
        "_ctypes",
        "_struct",
        "bareboat",
        "bareboat.errors",
        "bareboat.runtime",
        "bareboat.runtime.forest",
        "bareboat.runtime.kernel",
        "ctypes",
        "ctypes._endian",
        "mmap",
        "struct",
        "types",
    }
