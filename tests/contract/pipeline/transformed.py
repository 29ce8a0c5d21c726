"""Compares compiled transformers with the scikit-learn that they were made of."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from random_transformers import Case, coded, frame, refusal

from bareboat.errors import InputError
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.ir import Op, Pipeline, Slots
from bareboat.pipeline.reference import evaluate
from bareboat.pipeline.transformers import compile_inverse, compile_transformer
from bareboat.runtime.pipeline import open_pipeline

JUMPS = {Op.BIN, Op.FIND, Op.GREATER, Op.LOOKUP, Op.ONE_HOT}
"""Operations after which the last place of an input may make all the difference."""


def compiled(transformer: Any, names: list[str]) -> Pipeline | None:
    """Compile a transformer; None where it gives text, which no pipeline can answer with."""
    builder = Builder(names)
    block = compile_transformer(transformer, builder, Block(np.arange(len(names), dtype=np.int32)))
    if any(builder.is_code(slot) for slot in block.slots.tolist()):
        return None
    builder.numbers(block.slots)
    return _built(builder, block.slots)


def inverted(transformer: Any, n: int) -> Pipeline:
    """Compile the inverse of a transformer of numbers."""
    builder = Builder([f"x{place}" for place in range(n)])
    return _built(builder, compile_inverse(transformer, builder, np.arange(n, dtype=np.int32)))


def _built(builder: Builder, slots: Slots) -> Pipeline:
    return builder.pipeline(kind="value", outputs=slots, source="test", objective="test")


def assert_same(case: Case, pipeline: Pipeline) -> int:
    """Compare row by row: both answer the same, or both refuse. Returns how many rows were answered."""
    opened = open_pipeline(pipeline_bytes(pipeline)) if len(pipeline.outputs) else None
    answered = 0
    for row in case.rows:
        expected, error = transformed(case.transformer, frame(case, [row], pipeline))
        codes = coded([row], pipeline)
        why = refusal(row, pipeline)
        try:
            found = evaluate(pipeline, codes)[0]
        except InputError as refused:
            why = why or str(refused)
            if opened is not None:
                with pytest.raises(InputError):
                    opened.answer(codes[0].tolist())
        if expected is None and "set_output" in str(error):
            return answered  # scikit-learn fits it, but never transforms anything: its output is sparse, frames are not
        assert (expected is None) == (why is not None), f"{row}: scikit-learn says {error}, bareboat {why}"
        if expected is None:
            continue
        answered += 1
        assert found.shape == expected.shape
        assert_close(found, expected, pipeline)
        if opened is not None:
            assert_close(np.array([opened.answer(codes[0].tolist())[0]]), expected, pipeline)
    return answered


def assert_close(found: Any, expected: Any, pipeline: Pipeline, tolerance: float = 1e-9) -> None:
    """Compare to the bit where that is promised."""
    inexact = [place for place, step in enumerate(pipeline.steps) if step.bound]
    if not inexact:
        np.testing.assert_array_equal(found, expected)
    elif not any(step.op in JUMPS for step in pipeline.steps[inexact[0] :]):
        greatest = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * greatest)


def transformed(transformer: Any, rows: Any) -> tuple[Any, Exception | None]:
    """Return what scikit-learn gives, or what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = transformer.transform(rows)
        except (ValueError, TypeError) as error:
            return None, error
    found = found.toarray() if hasattr(found, "toarray") else found
    return np.asarray(found).astype(np.float64), None
