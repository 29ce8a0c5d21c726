"""Damaged and altered `.forest` files through the kernel that ships: an error or scores, never a crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bareboat.errors import ModelError
from bareboat.forest import forest_bytes, read_ensemble, write_forest
from bareboat.runtime.forest import load_forest

IRIS = Path(__file__).parents[3] / "src/bareboat/templates/lightgbm-iris/lgb.model"

# Run in a child, so that a crash of the kernel is a failed test and not the end of all tests.
CHILD = """
import ctypes, math, random, sys
from bareboat.errors import ModelError
from bareboat.runtime.forest import load_forest
from bareboat.runtime.kernel import load_kernel, kernel_path
kernel, path, out = load_kernel(kernel_path()), sys.argv[1], sys.argv[2]
whole = open(path, "rb").read()
def attempt(data):
    with open(out, "wb") as file:
        file.write(data)
    try:
        forest = load_forest(out)
    except ModelError:
        return 0
    for value in (0.0, math.nan, 1e300, -1.0):
        forest.predict([value] * forest.n_features)
    return 1
scored = [attempt(whole[:size]) for size in range(0, len(whole), max(1, len(whole) // 300))]
assert not any(scored)
rng, counts = random.Random(1), [0, 0]
for _ in range(1500):
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        data[rng.randrange(len(data) - 8)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    digest = kernel.bareboat_digest(bytes(data[:-8]), len(data) - 8)
    data[-8:] = digest.to_bytes(8, "little")
    counts[attempt(bytes(data))] += 1
print(*counts)
"""


@pytest.mark.parametrize("size", [{}, {"n_leaves": 257, "n_trees": 1}, {"n_leaves": 40, "n_cuts": 20}])
@pytest.mark.parametrize("seed", [4, 5])
def test_altered_files_give_an_error_or_scores(
    seed: int, size: dict[str, int], samples: ModuleType, tmp_path: Path
) -> None:
    write_forest(samples.random_forest(seed, **size), tmp_path / "a.forest")

    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "a.forest"), str(tmp_path / "b.forest")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert child.returncode == 0, child.stderr[-2000:]
    n_errors, n_scored = map(int, child.stdout.split())
    assert n_errors
    assert n_scored


DAMAGE = [
    (lambda data: b"", "is empty"),
    (lambda data: b"BBFOREST", "too short"),
    (lambda data: b"X" * 200, "not a .forest file"),
    (lambda data: data[:8] + b"\x63" + data[9:], "of a version"),
    (lambda data: data[:-16], "not of the size"),
    (lambda data: data + bytes(8), "not of the size"),
    (lambda data: data[:400] + bytes([data[400] ^ 1]) + data[401:], "digest"),
]


@pytest.mark.parametrize(("damage", "found"), DAMAGE)
def test_a_damaged_file_is_named_with_what_is_wrong(damage: object, found: str, tmp_path: Path) -> None:
    assert callable(damage)
    (tmp_path / "a.forest").write_bytes(damage(forest_bytes(read_ensemble(IRIS))))

    with pytest.raises(ModelError, match=found) as caught:
        load_forest(str(tmp_path / "a.forest"))
    assert caught.value.problems[0].where == str(tmp_path / "a.forest")
    assert caught.value.problems[0].expected


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the forest") as caught:
        load_forest(str(tmp_path / "no.forest"))
    assert caught.value.problems[0].where == str(tmp_path / "no.forest")
