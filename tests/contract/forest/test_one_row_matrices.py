"""Matrices handed to an open forest: no copy, any strides, threads, and errors that name what is wrong."""

from __future__ import annotations

import array
import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.errors import InputError
from bareboat.forest import read_ensemble, write_forest
from bareboat.runtime.forest import OpenForest, load_forest

IRIS = Path(__file__).parents[3] / "src/bareboat/templates/lightgbm-iris/lgb.model"


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> OpenForest:
    made = tmp_path_factory.mktemp("iris") / "iris.forest"
    write_forest(read_ensemble(IRIS), made)
    return load_forest(str(made))


def values(n: int) -> np.ndarray:
    return np.random.default_rng(n).uniform(0, 8, size=(n, 4))


@pytest.mark.parametrize("layout", ["C", "F", "backwards", "every other", "float32", "read-only", "memoryview"])
def test_a_matrix_of_any_layout_scores_as_its_rows(iris: OpenForest, layout: str) -> None:
    rows = values(300).astype(np.float32).astype(np.float64)
    fixed = rows.copy()
    fixed.flags.writeable = False
    given: Any = {
        "C": rows,
        "F": np.asfortranarray(rows),
        "backwards": rows[::-1].copy()[::-1],
        "every other": np.repeat(rows, 2, axis=1)[:, ::2],
        "float32": rows.astype(np.float32),
        "read-only": fixed,
        "memoryview": memoryview(array.array("d", rows.ravel())).cast("B").cast("d", rows.shape),
    }[layout]

    made = iris.score_matrix(given)

    assert made.tolist() == [iris.predict(row) for row in rows.tolist()]
    assert iris.predict_many(given) == made.tolist()
    assert iris.raw_scores(given) == [iris.raw_score(row) for row in rows.tolist()]
    assert np.shares_memory(np.asarray(made), made)


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 1000])
@pytest.mark.parametrize("n_threads", [1, 2, 3, 16, -1, None])
def test_threads_share_the_rows(iris: OpenForest, n: int, n_threads: int | None) -> None:
    rows = values(n)
    out = np.full((n, 3), np.nan)

    assert iris.score_matrix(rows, raw=True, out=out, n_threads=n_threads) is out

    assert out.tolist() == [iris.raw_score(row) for row in rows.tolist()]


def test_no_rows_give_an_empty_output(iris: OpenForest) -> None:
    assert np.asarray(iris.score_matrix(values(0))).size == 0


def test_outputs_go_where_a_caller_wants_them(iris: OpenForest) -> None:
    rows, flat = values(7), array.array("d", bytes(8 * 21))

    iris.score_matrix(rows, out=flat)

    assert flat.tolist() == np.ravel([iris.predict(row) for row in rows.tolist()]).tolist()


@pytest.mark.parametrize(
    ("matrix", "found"),
    [
        (np.ones((3, 5)), r"a matrix of shape \(3, 5\)"),
        (np.ones(4), r"a matrix of shape \(4,\)"),
        (np.ones((2, 4), np.int64), "the matrix holds numbers of format 'l'"),
        (np.ones((2, 4), ">f8"), "the matrix holds numbers of format '>d'"),
        (np.ones((2, 4), object), "the matrix holds numbers of format 'O'"),
        ([[1.0] * 4], "the matrix is list"),
        (b"1234", "the matrix holds numbers of format 'B'"),
    ],
)
def test_a_matrix_that_does_not_fit_is_named(iris: OpenForest, matrix: Any, found: str) -> None:
    with pytest.raises(InputError, match=found):
        iris.score_matrix(matrix)


@pytest.mark.parametrize(
    ("out", "found"),
    [
        (np.empty((3, 3)), r"out holds float64 of shape \(3, 3\)"),
        (np.empty((2, 3), np.float32), r"out holds float32 of shape \(2, 3\)"),
        (np.empty((3, 2)).T, "out is ndarray"),
        (bytes(48), "out is bytes"),
        ([0.0] * 6, "out is list"),
    ],
)
def test_an_output_that_does_not_fit_is_named(iris: OpenForest, out: Any, found: str) -> None:
    with pytest.raises(InputError, match=found):
        iris.score_matrix(values(2), out=out)


def test_no_thread_is_refused(iris: OpenForest) -> None:
    with pytest.raises(InputError, match="n_threads is 0"):
        iris.score_matrix(values(2), n_threads=0)


def test_what_others_declare_of_the_shared_functions_does_not_matter(
    iris: OpenForest, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Theirs(ctypes.Structure):
        _fields_ = (("buf", ctypes.c_void_p),)

    for name in ("PyObject_GetBuffer", "PyBuffer_Release"):
        monkeypatch.setattr(getattr(ctypes.pythonapi, name), "argtypes", [ctypes.POINTER(Theirs)])
    rows = values(3)

    assert iris.score_matrix(rows).tolist() == [iris.predict(row) for row in rows.tolist()]
