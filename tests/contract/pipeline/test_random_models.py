"""Random pipelines of transformers and estimators, compared with scikit-learn row by row."""

from __future__ import annotations

import random

import random_models
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.pipeline.errors import NotCompilable


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 32))
def test_what_compiles_answers_and_refuses_as_scikit_learn_does(seed: int) -> None:
    model = random_models.drawn_model(random.Random(seed))
    if model is None:
        return

    try:
        outcome = random_models.compared(model)
    except NotCompilable:
        return

    assert outcome.faults == []
    assert outcome.labels == 0
