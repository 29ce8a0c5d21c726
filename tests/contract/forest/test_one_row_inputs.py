"""What callers may hand in as a row, through ctypes and through the extension: the same answers and the same errors."""

from __future__ import annotations

import decimal
import gc
import math
import os
import random
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.errors import ArtifactError, InputError
from bareboat.forest import read_ensemble, write_forest
from bareboat.runtime.door import DoorForest
from bareboat.runtime.forest import OpenForest, load_forest
from bareboat.runtime.kernel import kernel_path, load_kernel

IRIS = Path(__file__).parents[3] / "src/bareboat/templates/lightgbm-iris/lgb.model"
NAMES = ("sepal_length_(cm)", "sepal_width_(cm)", "petal_length_(cm)", "petal_width_(cm)")
GOOD = [6.0, 3.0, 5.0, 2.0]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("iris") / "iris.forest"
    write_forest(read_ensemble(IRIS), made)
    return str(made)


@pytest.fixture(params=[OpenForest, DoorForest], ids=["ctypes", "extension"])
def iris(request: pytest.FixtureRequest, path: str) -> OpenForest:
    made: OpenForest = request.param(path, load_kernel(kernel_path()))
    return made


class Floating:
    """A number by its `__float__` alone, which runs code first."""

    def __init__(self, value: float, run: Callable[[], object] = int) -> None:
        self.value, self.run = value, run

    def __float__(self) -> float:
        self.run()
        return self.value


def by_name(**changed: Any) -> dict[str, Any]:
    return dict(zip(NAMES, GOOD, strict=True)) | changed


@pytest.mark.parametrize(
    ("row", "found", "expected"),
    [
        ([], "a row has 0 values", "4, one a feature"),
        ([1.0, 2.0, 3.0], "a row has 3 values", "4, one a feature"),
        ((1.0,) * 5, "a row has 5 values", "4, one a feature"),
        (np.ones(3), "a row has 3 values", "4, one a feature"),
        (np.ones((2, 4)), "a row has 2 values", "4, one a feature"),
        ([1.0, "2", 3.0, 4.0], r"sepal_width_\(cm\) is '2'", "a number"),
        ((1.0, 2.0, None, 4.0), r"petal_length_\(cm\) is 'None'", "a number"),
        ([1.0, 2.0, 3.0, 10**400], r"petal_width_\(cm\) is '1000", "a number"),
        ([1.0, 2.0, 3.0, -(10**6000)], r"petal_width_\(cm\) is an int of 19932 bits", "a number"),
        ([1.0, 2.0, 3.0, 1j], r"petal_width_\(cm\) is '1j'", "a number"),
        ("6352", r"sepal_length_\(cm\) is '6'", "a number"),
        (7, "a row is int", "a sequence of 4 numbers"),
        (None, "a row is NoneType", "a sequence of 4 numbers"),
        ({}, r"the row lacks 'sepal_length_\(cm\)', 'sepal_width_\(cm\)', ", "a value for each feature"),
        (dict(zip(NAMES[:3], GOOD, strict=False)), r"the row lacks 'petal_width_\(cm\)'", "a value for each feature"),
        (by_name(colour=1.0), "the row has 'colour', which the model does not know", "its 4 features"),
        (by_name(**{NAMES[2]: "5"}), r"petal_length_\(cm\) is '5'", "a number"),
        (dict.fromkeys(range(4), 1.0), r"the row lacks 'sepal_length_\(cm\)'", "a value for each feature"),
    ],
)
def test_a_bad_row_is_named(iris: OpenForest, row: Any, found: str, expected: str) -> None:
    for score in (iris.predict, iris.raw_score):
        with pytest.raises(InputError, match=found) as caught:
            score(row)
        assert caught.value.problems[0].expected.startswith(expected)
    assert iris.predict(GOOD) == pytest.approx([0.11376620900197651, 0.17004835386299028, 0.7161854371350332], abs=0)


@pytest.mark.parametrize(
    "row",
    [
        [6, 3, 5, 2],
        [True, False, True, True],
        [np.float32(6), np.int64(3), np.float64(5), np.uint8(2)],
        [decimal.Decimal(6), Fraction(3), Floating(5.0), 2.0],
        [math.nan, -math.nan, math.inf, -math.inf],
        [-0.0, 0.0, 5e-324, -5e-324],
        struct.unpack("<4d", bytes.fromhex("010000000000f87fdeadbeef0000f0ffffffffffffffffff010000000000f07f")),
        range(4),
        {0, 1, 2, 3},
        b"\6\3\5\2",
    ],
)
def test_whatever_float_takes_is_a_number(iris: OpenForest, row: Any) -> None:
    plain = [float(value) for value in row]

    assert iris.predict(row) == iris.predict(plain)
    assert iris.raw_score(row) == iris.raw_score(plain)


def test_one_number_is_not_given_of_several_outputs(iris: OpenForest) -> None:
    with pytest.raises(InputError, match="the model has 3 outputs") as caught:
        iris.score(GOOD)
    assert caught.value.problems[0].fix == "use predict(row)"


def test_a_number_that_fails_to_be_one_is_named(iris: OpenForest) -> None:
    def fail() -> None:
        raise ZeroDivisionError("of the row")

    with pytest.raises(InputError, match=r"sepal_width_\(cm\) is"):
        iris.predict([1.0, Floating(2.0, fail), 3.0, 4.0])  # type: ignore[list-item]


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_number_may_score_another_row_while_it_is_read(iris: OpenForest, kind: type) -> None:
    inner: list[list[float]] = []
    row = kind([6.0, Floating(3.0, lambda: inner.append(iris.predict([1.0, 9.0, 1.0, 9.0]))), 5.0, 2.0])

    assert iris.predict(row) == iris.predict(GOOD)
    assert inner == [iris.predict([1.0, 9.0, 1.0, 9.0])] * len(inner)
    assert inner


def test_a_list_may_change_while_it_is_read(iris: OpenForest) -> None:
    for size in (0, 1, 2, 3):
        row: list[Any] = []

        def change(row: list[Any] = row, size: int = size) -> None:
            row[:] = [2.0] * size

        row += [6.0, Floating(3.0, change), object(), 2.0]
        with pytest.raises(InputError, match=f"a row has {size} values"):
            iris.predict(row)


def test_rows_are_let_go(iris: OpenForest) -> None:
    class Number(float):
        pass

    row, named = [Number(value) for value in GOOD], by_name(**{NAMES[0]: Number(6.0)})
    bad = [*row[:3], "x"]
    before = [sys.getrefcount(value) for value in (row, row[0], named, named[NAMES[0]], bad)]

    for _ in range(50):
        iris.predict(row)
        iris.raw_score(named)
        with pytest.raises(InputError):
            iris.predict(bad)  # type: ignore[arg-type]
    gc.collect()

    assert [sys.getrefcount(value) for value in (row, row[0], named, named[NAMES[0]], bad)] == before


def test_a_function_keeps_its_forest(path: str, iris: OpenForest) -> None:
    predict = type(iris)(path, load_kernel(kernel_path())).predict
    gc.collect()

    assert predict(GOOD) == iris.predict(GOOD)


def test_hostile_rows_give_errors_or_scores(iris: OpenForest) -> None:
    rng = random.Random(5)
    pool: list[Any] = [
        1.0,
        2,
        None,
        "x",
        b"y",
        10**400,
        math.nan,
        [],
        {},
        1j,
        True,
        object(),
        Floating(1.0),
        np.ones(2),
    ]
    shapes: list[Callable[[list[Any]], Any]] = [
        list,
        tuple,
        lambda values: dict(zip(NAMES, values, strict=False)),
        lambda values: np.array(values, object),
        iter,
    ]
    n_scored = 0
    for _ in range(3000):
        values = [
            rng.choice(pool) if rng.random() < 0.3 else rng.random() for _ in range(rng.choice((4, 4, 4, 0, 3, 5)))
        ]
        try:
            n_scored += len(iris.predict(rng.choice(shapes)(values))) == 3
        except InputError:
            continue
    assert n_scored > 300


def test_threads_may_share_a_forest(iris: OpenForest) -> None:
    rows = [[i / 10, 3.0, i / 20, i / 50] for i in range(80)]
    expected = [iris.predict(row) for row in rows]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(20):
            wrong.extend(i for i, row in enumerate(rows) if iris.predict(row) != expected[i])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(("door", "shown"), [("", "extension"), ("ctypes", "ctypes")])
def test_the_variable_chooses_the_door(path: str, door: str, shown: str) -> None:
    script = "import sys; from bareboat.runtime.forest import load_forest; print(load_forest(sys.argv[1]).door)"

    environment = {**os.environ, "BAREBOAT_DOOR": door}
    run = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60, check=True, env=environment
    )

    assert run.stdout.strip() == shown


def test_an_unknown_door_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_DOOR", "front")

    with pytest.raises(ArtifactError, match="BAREBOAT_DOOR is 'front'"):
        load_forest(path)
