"""Damaged and altered `.pipeline` files through the kernel that ships: an error or answers, never a crash."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.pipeline.build import Builder
from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.file_reader import pipeline_from_bytes, read_pipeline_file
from bareboat.pipeline.ir import Op
from bareboat.pipeline.layout import HEADER
from bareboat.runtime.kernel import kernel_path, load_kernel
from bareboat.runtime.pipeline import load_pipeline, open_pipeline

# Run in a child, so that a crash of the kernel is a failed test and not the end of all tests.
CHILD = """
import math, random, sys
from bareboat.errors import InputError, ModelError
from bareboat.pipeline.file_reader import pipeline_from_bytes
from bareboat.runtime.kernel import load_kernel, kernel_path
from bareboat.runtime.pipeline import open_pipeline
kernel, whole = load_kernel(kernel_path()), open(sys.argv[1], "rb").read()
def attempt(data):
    try:
        pipeline_from_bytes(data)
    except ModelError:
        pass
    try:
        pipeline = open_pipeline(data)
    except ModelError:
        return 0
    for value in (0.0, math.nan, 1e300, -1.0):
        try:
            pipeline.answer([value] * pipeline.n_features)
            pipeline.answer_many([[value] * pipeline.n_features] * 3)
        except InputError as error:
            str(error)
    return 1
assert not any(attempt(whole[:size]) for size in range(0, len(whole), max(1, len(whole) // 300)))
rng, counts = random.Random(1), [0, 0]
for _ in range(1000):
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        data[rng.randrange(len(data) - 8)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    data[-8:] = kernel.bareboat_digest(bytes(data[:-8]), len(data) - 8).to_bytes(8, "little")
    counts[attempt(bytes(data))] += 1
print(*counts)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_altered_files_give_an_error_or_answers(
    seed: int, programs: ModuleType, forests: ModuleType, tmp_path: Path
) -> None:
    pipeline = programs.random_pipeline(random.Random(seed), forests, n_steps=9)
    (tmp_path / "a.pipeline").write_bytes(pipeline_bytes(pipeline))

    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, str(tmp_path / "a.pipeline")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert child.returncode == 0, child.stderr[-2000:]
    n_errors, n_answered = map(int, child.stdout.split())
    assert n_errors
    assert n_answered


def small() -> bytes:
    builder = Builder(["a", "b"])
    slots = builder.add(Op.ADD, [0, 1], numbers=[1.0, 2.0])
    slots = builder.add(Op.DOT, slots, 1, numbers=[0.5, 1.0, 2.0])
    return pipeline_bytes(builder.pipeline(kind="value", outputs=slots, source="the tests", objective="a sum"))


DAMAGE = [
    (lambda data: b"", "is empty"),
    (lambda data: b"BBPIPELN", "too short to be a pipeline"),
    (lambda data: b"X" * 200, "is not a .pipeline file"),
    (lambda data: data[:8] + b"\x63" + data[9:], "of a version"),
    (lambda data: data[:-16], "not of the size"),
    (lambda data: data + bytes(8), "not of the size"),
    (lambda data: data[:400] + bytes([data[400] ^ 1]) + data[401:], "digest"),
]


@pytest.mark.parametrize(("damage", "found"), DAMAGE)
def test_a_damaged_file_is_named_with_what_is_wrong(damage: object, found: str, tmp_path: Path) -> None:
    assert callable(damage)
    (tmp_path / "a.pipeline").write_bytes(damage(small()))

    with pytest.raises(ModelError, match=found) as caught:
        load_pipeline(str(tmp_path / "a.pipeline"))
    assert caught.value.problems[0].where == str(tmp_path / "a.pipeline")
    assert caught.value.problems[0].expected
    with pytest.raises(ModelError) as caught:
        read_pipeline_file(tmp_path / "a.pipeline")
    assert caught.value.problems[0].where == str(tmp_path / "a.pipeline")


def repaired(data: bytearray) -> bytes:
    digest = load_kernel(kernel_path()).bareboat_digest(bytes(data[:-8]), len(data) - 8)
    return bytes(data[:-8]) + digest.to_bytes(8, "little")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("n_slots", 0xFFFFFFFF, id="slots"),
        pytest.param("n_slots", 1, id="fewer slots than columns"),
        pytest.param("n_features", 0xFFFFFFFF, id="columns"),
        pytest.param("n_steps", 0xFFFFFFFF, id="steps"),
        pytest.param("n_outputs", 0xFFFFFFFF, id="outputs"),
        pytest.param("n_forests", 0xFFFFFFFF, id="forests"),
        pytest.param("label", 3, id="a label without classes"),
        pytest.param("n_trees", 7, id="trees"),
    ],
)
def test_counts_that_do_not_fit_are_refused_before_they_take_memory(field: str, value: int) -> None:
    names = ("n_features", "n_slots", "n_steps", "n_outputs", "n_classes", "label", "n_forests", "n_trees")
    data = bytearray(small())
    fields = list(HEADER.unpack_from(data))
    fields[7 + names.index(field)] = value
    HEADER.pack_into(data, 0, *fields)

    with pytest.raises(ModelError, match=r"^the pipeline "):
        open_pipeline(repaired(data))


def test_what_is_wrong_with_a_forest_inside_is_told_with_its_number(forests: ModuleType) -> None:
    builder = Builder(["a", "b", "c"])
    forest = forests.random_forest(3, n_features=3)
    slots = builder.forest(forest, np.arange(3, dtype=np.int32), forest.n_outputs)
    data = bytearray(
        pipeline_bytes(builder.pipeline(kind="value", outputs=slots, source="the tests", objective="a forest"))
    )
    data[data.index(b"BBFOREST")] ^= 1

    with pytest.raises(ModelError, match=r"^the pipeline holds a forest \(number 0\) that is not a \.forest file"):
        open_pipeline(repaired(data))
    with pytest.raises(ModelError, match=r"not a \.forest file"):
        pipeline_from_bytes(repaired(data))
