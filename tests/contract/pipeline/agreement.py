"""Compares a compiled model with the scikit-learn that it was made of."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from bareboat.pipeline.compile import compile_model
from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.ir import Pipeline
from bareboat.pipeline.rows import Reader
from bareboat.runtime.pipeline import open_pipeline

TOLERANCE = 1e-12


def assert_agrees(model: Any, rows: Any, tolerance: float = TOLERANCE) -> Pipeline:
    """Compile a model and compare what it answers to rows, through a `.pipeline` file and the kernel."""
    pipeline = compile_model(model)
    opened = open_pipeline(pipeline_bytes(pipeline))
    coded = Reader(pipeline).matrix(rows).tolist()
    answers = opened.answer_many(coded)
    assert opened.answer(coded[0]) == answers[0]
    outputs = np.array([each[0] for each in answers])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = expected_outputs(model, pipeline, rows)
        labels = model.predict(rows)
    if expected is not None:
        worst = farthest(outputs, expected)
        assert worst <= (0.0 if pipeline.is_exact else tolerance), f"{worst:.3g} apart"
    if pipeline.classes:
        places = [each[1] if each[1] >= 0 else int(np.argmax(each[0])) for each in answers]
        found = [pipeline.classes[place] for place in places]
        assert found == [label.item() if hasattr(label, "item") else label for label in labels]
    return pipeline


def expected_outputs(model: Any, pipeline: Pipeline, rows: Any) -> Any:
    """Return (n, n_outputs) what the model itself answers; None for labels alone."""
    if pipeline.kind == "label":
        return None
    method = {"proba": "predict_proba", "decision": "decision_function", "value": "predict"}[pipeline.kind]
    return np.asarray(getattr(model, method)(rows), np.float64).reshape(len(rows), -1)


def farthest(found: Any, expected: Any) -> float:
    """Return the greatest distance, relative to what is above 1; NaN equals NaN."""
    assert found.shape == expected.shape
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    apart = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    return float(np.where(same, 0.0, apart).max(initial=0.0))
