"""The kernel against the plain evaluator, over random pipelines and hard rows: to the bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.errors import ArtifactError, InputError
from bareboat.pipeline.build import Builder
from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.file_reader import pipeline_from_bytes
from bareboat.pipeline.ir import Function, Op, Pipeline
from bareboat.pipeline.reference import evaluate
from bareboat.runtime.pipeline import OpenPipeline, open_pipeline

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def programs(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "programs.py")


@pytest.fixture(scope="module")
def forests(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE.parent / "forest/samples.py")


def expected(pipeline: Pipeline, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Return what the evaluator says, None where it refuses."""
    try:
        return evaluate(pipeline, rows)
    except InputError:
        return None


def columns(pipeline: Pipeline, answer: tuple[np.ndarray, np.ndarray | None]) -> np.ndarray:
    outputs, labels = answer
    return outputs if pipeline.label is None else np.column_stack([outputs, labels])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rng=st.randoms(use_true_random=False), n_rows=st.sampled_from([1, 2, 17, 40, 300]))
def test_many_rows_and_each_row_equal_the_reference(
    rng: random.Random, n_rows: int, programs: ModuleType, forests: ModuleType
) -> None:
    pipeline = programs.random_pipeline(rng, forests)
    rows = programs.random_rows(rng, pipeline, n_rows)
    opened = open_pipeline(pipeline_bytes(pipeline))
    whole = expected(pipeline, rows)

    if whole is None:
        with pytest.raises(InputError, match=r"^row \d+: .* the model (does not know|has no class)|has no class"):
            opened.score_matrix(rows)
    else:
        assert programs.same_bits(np.asarray(opened.score_matrix(rows)), columns(pipeline, whole))
        many = opened.answer_many(rows.tolist())
        assert programs.same_bits([outputs for outputs, _ in many], whole[0])
    for row in rows[:20]:
        one = expected(pipeline, row[np.newaxis])
        if one is None:
            with pytest.raises(InputError, match=r"the model (does not know|has no class)"):
                opened.answer(row.tolist())
            continue
        outputs, label = opened.answer(row.tolist())
        assert programs.same_bits(outputs, one[0][0])
        assert label == (-1 if pipeline.label is None or one[1] is None else one[1][0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rng=st.randoms(use_true_random=False))
def test_a_pipeline_read_from_its_file_answers_the_same(
    rng: random.Random, programs: ModuleType, forests: ModuleType
) -> None:
    pipeline = programs.random_pipeline(rng, forests)
    rows = programs.random_rows(rng, pipeline, 20)
    data = pipeline_bytes(pipeline)

    again = pipeline_from_bytes(data)

    assert pipeline_bytes(again) == data
    assert again.columns == pipeline.columns
    assert (again.kind, again.classes, again.source, again.objective, again.notes) == (
        pipeline.kind,
        pipeline.classes,
        pipeline.source,
        pipeline.objective,
        pipeline.notes,
    )
    whole = expected(pipeline, rows)
    if whole is not None:
        assert programs.same_bits(evaluate(again, rows)[0], whole[0])


def one_step(op: Op, n: int, *, function: int | None = None) -> OpenPipeline:
    builder = Builder([f"f{i}" for i in range(n)])
    outputs = builder.add(op, list(range(n)), whole=[] if function is None else [function])
    return open_pipeline(pipeline_bytes(builder.pipeline(kind="value", outputs=outputs, source="", objective="")))


@pytest.mark.parametrize("function", list(Function))
def test_functions_are_within_four_ulp_of_numpys(function: Function, programs: ModuleType) -> None:
    values = np.concatenate([np.linspace(-3.0, 3.0, 101), np.geomspace(1e-9, 600.0, 60), programs.HARD])
    opened = one_step(Op.FUNCTION, 1, function=function)

    found = np.asarray(opened.score_matrix(values[:, np.newaxis]))[:, 0]

    with np.errstate(all="ignore"):
        name = function.name.lower()
        numpys = 1 / (1 + np.exp(-values)) if function is Function.EXPIT else getattr(np, name)(values)
    if function in programs.LIKE_LIBM:
        assert programs.same_bits(found, numpys)
    else:
        assert np.array_equal(np.isnan(found), np.isnan(numpys))
        both = np.isfinite(numpys) & np.isfinite(found)
        assert np.array_equal(found[~both], numpys[~both], equal_nan=True)
        assert (np.abs(found[both] - numpys[both]) <= 4 * np.spacing(np.abs(numpys[both]))).all()
    assert programs.same_bits([opened.answer([value])[0][0] for value in values.tolist()], found)


def test_softmax_is_within_four_ulp_of_numpys(programs: ModuleType) -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(0, 5, (200, 4)), np.array(programs.HARD).reshape(4, 4)])
    opened = one_step(Op.SOFTMAX, 4)

    found = np.asarray(opened.score_matrix(rows))

    with np.errstate(all="ignore"):
        powers = np.exp(rows - rows.max(axis=1, keepdims=True))
        numpys = powers / powers.sum(axis=1, keepdims=True)
    assert np.array_equal(np.isnan(found), np.isnan(numpys))
    is_number = ~np.isnan(numpys)
    assert (np.abs(found - numpys)[is_number] <= 4 * np.spacing(numpys[is_number])).all()
    assert programs.same_bits([opened.answer(row)[0] for row in rows.tolist()], found)


@pytest.mark.parametrize("seed", range(10))
def test_every_path_gives_the_same_bits(
    seed: int, programs: ModuleType, forests: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    pipeline = programs.random_pipeline(rng, forests, ops=(Op.FOREST, Op.DOT, Op.REPLACE, Op.FIND), n_steps=6)
    rows, data, tried = programs.random_rows(rng, pipeline, 70), pipeline_bytes(pipeline), []
    whole = expected(pipeline, rows)
    assert whole is not None

    for path in ("scalar", "neon", "avx2", "avx512"):
        monkeypatch.setenv("BAREBOAT_KERNEL", path)
        try:
            opened = open_pipeline(data)
        except ArtifactError:
            continue  # this CPU has not these instructions
        tried.append(path)
        assert programs.same_bits(np.asarray(opened.score_matrix(rows)), columns(pipeline, whole))
        assert programs.same_bits([opened.answer(row)[0] for row in rows.tolist()], whole[0])
    assert len(tried) > 1
