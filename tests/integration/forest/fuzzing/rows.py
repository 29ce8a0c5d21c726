"""Rows of any type through the extension, and through ctypes: the same numbers or the same error, and no step outside.

    python rows.py KERNEL DOOR SECONDS SEED

Both libraries are built with the address sanitizer, whose runtime is preloaded (fuzz.py does so). Rows hold what code
gets by mistake or on purpose: other types, wrong widths, numbers without end, objects whose methods raise, change the
row, or score another row meanwhile.
"""

from __future__ import annotations

import array
import ctypes
import importlib.util
import math
import random
import sys
import tempfile
import time
import warnings
from collections import OrderedDict, UserDict, UserList, namedtuple
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

spec = importlib.util.spec_from_file_location("bareboat.runtime._door", sys.argv[2])
assert spec is not None
assert spec.loader is not None

sys.modules["bareboat.runtime._door"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bareboat.runtime._door"])
sys.path.insert(0, str(Path(__file__).parents[3] / "contract/forest"))

import numpy as np  # noqa: E402
import samples  # noqa: E402

from bareboat.errors import InputError  # noqa: E402
from bareboat.forest import forest_bytes  # noqa: E402
from bareboat.runtime.door import DoorForest  # noqa: E402
from bareboat.runtime.forest import OpenForest  # noqa: E402
from bareboat.runtime.kernel import load_kernel  # noqa: E402

NUMBERS: tuple[Any, ...] = (*samples.HARD_VALUES, True, False, 0, 1, -1, 2**63, 2**70, Decimal("0.5"), Fraction(1, 3))
NUMBERS += (np.float64(0.5), np.float32(0.1), np.int64(3), np.uint8(255), np.bool_(True), np.float16(0.5))
WRONG: tuple[Any, ...] = (
    None,
    "1",
    b"1",
    "",
    1j,
    10**400,
    -(10**400),
    [],
    [1.0],
    (),
    {},
    object(),
    np.zeros(2),
    Ellipsis,
)
Shape = namedtuple("Shape", "a b c")


class Odd:
    """A number that does something else when it is asked for its value."""

    def __init__(self, what: Callable[[], Any]) -> None:
        self.what = what

    def __float__(self) -> float:
        return self.what()

    def __index__(self) -> int:
        return self.what()


class OddKey(str):
    """A name that is equal to whatever it is compared with, or says so by an error."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        if len(self) % 2:
            raise ZeroDivisionError
        return True


class Floating(float):
    """A float that says something else."""

    def __float__(self) -> float:
        return 7.0


changed: list[Any] = []
"""Rows that were changed while they were read: what is read of them may differ."""


def odd(row: Any, forest: OpenForest, rng: random.Random) -> Odd:
    def clear() -> float:
        changed.append(row)
        row.clear()
        return 1.0

    def grow() -> float:
        changed.append(row)
        row.append(1.0) if isinstance(row, list) else row.update(more=1.0)
        return 1.0

    def score() -> float:
        forest.predict([0.0] * forest.n_features)
        return 2.0

    def fail() -> float:
        raise ZeroDivisionError("in __float__")

    return Odd(rng.choice((clear, grow, score, fail, lambda: "no number", lambda: None, lambda: True, lambda: 1.5)))


def value(row: Any, forest: OpenForest, rng: random.Random) -> Any:
    choice = rng.random()
    if choice < 0.9:
        return rng.choice(NUMBERS)
    if choice < 0.96:
        return rng.choice((*WRONG, Floating(1.0)))
    return odd(row, forest, rng)


def draw(forest: OpenForest, rng: random.Random) -> Any:
    """Return a row, or what is none."""
    n = forest.n_features + rng.choice((0,) * 12 + (1, -1, 7))
    kind = rng.randrange(18)
    if kind < 8:
        row: Any = [] if kind < 4 else {}
        if kind < 4:
            row.extend(value(row, forest, rng) for _ in range(n))
            others = (tuple, tuple, UserList, iter, *([dict.fromkeys] if all(map(hashable, row)) else []))
            return row if kind < 2 else rng.choice(others)(row)
        names = [*forest.feature_names, "more", OddKey("odd"), OddKey("even"), 3, ("f0",), None][: max(n, 0)]
        if rng.random() < 0.1:
            rng.shuffle(names)
        row.update((name, value(row, forest, rng)) for name in names if rng.random() < 0.99)
        return row if kind < 6 else rng.choice((OrderedDict, UserDict))(row)
    plain = [rng.choice(samples.HARD_VALUES) for _ in range(max(n, 0))]
    if kind == 8:
        return array.array(rng.choice("dfd"), plain) if rng.random() < 0.9 else array.array("q", range(max(n, 0)))
    if kind == 9:
        return memoryview(array.array("d", plain * 2))[:: rng.choice((1, 2, -1, -2))]
    if kind == 10:
        return np.array(plain * 2, rng.choice((np.float64, np.float32, ">f8", object, np.float16)))[
            :: rng.choice((1, 2, -2))
        ]
    if kind == 11:
        return np.array([plain] * rng.choice((0, 1, 2)))
    if kind == 12:
        return (each for each in plain)
    if kind == 13:
        return (ctypes.c_double * len(plain))(*plain)
    if kind == 14:
        return rng.choice(
            (bytes(8 * len(plain)), bytearray(len(plain)), "1" * len(plain), range(len(plain)), set(plain))
        )
    if kind == 15:
        return memoryview(bytes(8 * len(plain))).cast("d") if plain else memoryview(b"")
    if kind == 16:
        return Shape(*plain) if len(plain) == 3 else Shape(1.0, 2.0, 3.0)
    return rng.choice((None, 1.0, object(), type, "", [], {}, (), Odd(lambda: 1.0)))


def hashable(item: Any) -> bool:
    try:
        hash(item)
    except TypeError:
        return False
    return True


def answer(function: Callable[[Any], Any], row: Any) -> tuple[str, Any]:
    """Return the numbers, or the kind of error; anything but what a row may cause is a fault."""
    try:
        found = function(row)
    except (InputError, ZeroDivisionError) as error:  # the latter is raised by the rows' own objects
        return type(error).__name__, None
    numbers = found if isinstance(found, list) else [found]
    assert all(type(number) is float for number in numbers)
    return "numbers", numbers


def try_row(door: OpenForest, plain: OpenForest, seed: int) -> str:
    """Hand the same row to both; each has its own copy, since a row may change."""
    rng = random.Random(seed)
    name = rng.choice(("predict", "raw_score", "score"))
    changed.clear()
    said = [answer(getattr(forest, name), draw(forest, random.Random(seed))) for forest in (door, plain)]
    if changed:
        return "changed"
    (kind, numbers), (expected_kind, expected) = said
    assert kind == expected_kind, (seed, said)
    assert numbers is None or samples.same_bits(numbers, expected), (seed, said)
    return kind


def matrix(forest: OpenForest, rng: random.Random) -> Any:
    shape = (rng.choice((0, 1, 2, 40, 300)), forest.n_features + rng.choice((0,) * 8 + (1, -1)))
    made = np.array([rng.choice(samples.HARD_VALUES) for _ in range(97)])
    made = np.resize(made, (2 * shape[0], 2 * max(shape[1], 0)))
    made = made.astype(
        rng.choice((np.float64, np.float64, np.float32, ">f8", np.int64 if not made.size else np.float64))
    )
    made = made[: shape[0], : max(shape[1], 0)][:: rng.choice((1, -1)), :: rng.choice((1, -1))]
    if rng.random() < 0.3:
        made = np.asfortranarray(made)
    if rng.random() < 0.1:
        made.setflags(write=False)
    if rng.random() < 0.1:
        made = np.broadcast_to(made[:1], made.shape) if len(made) else made
    return made if rng.random() < 0.95 else rng.choice((made[:, :0], made.ravel(), made.tobytes(), None, made[None]))


def try_matrix(forest: OpenForest, rng: random.Random) -> str:
    given, n_out = matrix(forest, rng), forest.n_outputs
    n = len(given) if isinstance(given, np.ndarray) and given.ndim else 1
    outs: tuple[Any, ...] = (
        None,
        None,
        np.zeros((n, n_out)),
        np.zeros(n * n_out),
        np.zeros((n + 1, n_out)),
        np.zeros(0),
        3,
    )
    outs += (np.zeros((n, n_out), np.float32), np.zeros((n, 2 * n_out))[:, ::2], bytes(8 * n * n_out))
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            made = forest.score_matrix(given, raw=True, out=rng.choice(outs), n_threads=rng.choice((1, 1, 2, 3, 0, -1)))
    except InputError:
        return "InputError"
    rows = given.astype(np.float64).tolist()
    expected = [number for row in rows for number in forest.raw_score(row)]
    assert samples.same_bits(np.asarray(made).ravel().tolist(), expected)
    return "numbers"


def main() -> int:
    kernel, until, rng = (
        load_kernel(sys.argv[1]),
        time.monotonic() + float(sys.argv[3]),
        random.Random(int(sys.argv[4])),
    )
    warnings.simplefilter("ignore")
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        number = 0
        while time.monotonic() < until:
            number += 1
            sizes = ({}, {"n_features": 3}, {"n_features": rng.choice((255, 256, 257, 300)), "n_trees": 1})
            ensemble = samples.random_forest(rng.randrange(10000), **rng.choice(sizes))
            path = Path(folder) / f"{number % 3}.forest"
            path.unlink(missing_ok=True)  # the last one's file may still be mapped
            path.write_bytes(forest_bytes(ensemble))
            for instructions in (0, 1):
                door = DoorForest(str(path), kernel, instructions)
                plain = OpenForest(str(path), kernel, instructions)
                for _ in range(150):
                    kind = try_row(door, plain, rng.randrange(1 << 60))
                    counts[kind] = counts.get(kind, 0) + 1
                for _ in range(15):
                    kind = "matrix: " + try_matrix(door, rng)
                    counts[kind] = counts.get(kind, 0) + 1
    print(counts)
    assert math.inf > counts["numbers"] > counts["InputError"] / 10 > 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
