"""An open pipeline as its users see it: rows of any kind, matrices, threads, labels and refusals."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

import numpy as np
import pytest

from bareboat.errors import InputError, ModelError
from bareboat.pipeline.build import Builder
from bareboat.pipeline.file import pipeline_bytes, write_pipeline
from bareboat.pipeline.ir import REFUSED, Op
from bareboat.runtime.pipeline import OpenPipeline, load_pipeline, open_pipeline


def built(*, label: bool = False) -> bytes:
    """Probabilities of three classes from a number, an unused one and a city that must be known."""
    builder = Builder(["age", "unused", "city"])
    vocabulary = builder.vocabulary(2)
    assert vocabulary is not None
    vocabulary.code("Oslo")
    vocabulary.code("Rome")
    age = builder.add(Op.REPLACE, [0], numbers=[math.nan, 30.0])
    city = builder.add(Op.COPY, [2])
    hot = builder.add(Op.ONE_HOT, city, 2, whole=[REFUSED, REFUSED, 0, 1])
    slots = builder.add(Op.DOT, [*age, *hot], 3, numbers=[0.0, 0.5, 1.0, 0.01, 1.0, 0.0, 0.02, 0.0, 1.0, 0.0, 0.5, 0.5])
    outputs = builder.add(Op.SOFTMAX, slots)
    decided = int(builder.add(Op.ARGMAX, slots, 1)[0]) if label else None
    return pipeline_bytes(
        builder.pipeline(
            kind="proba",
            outputs=outputs,
            label=decided,
            classes=["a", "b", "c"],
            source="the tests",
            objective="DOT, SOFTMAX",
        )
    )


@pytest.fixture(params=[False, True], ids=["greatest", "label"])
def opened(request: pytest.FixtureRequest) -> OpenPipeline:
    return open_pipeline(built(label=request.param))


def test_it_says_what_it_is(opened: OpenPipeline) -> None:
    assert (opened.n_features, opened.n_outputs, opened.n_classes, opened.n_trees) == (3, 3, 3, 0)
    assert opened.feature_names == ("age", "unused", "city")
    assert (opened.kind, opened.source, opened.objective) == ("proba", "the tests", "DOT, SOFTMAX")
    assert opened.is_classifier
    assert opened.n_columns == 3 + opened.has_label
    assert "3 features" in repr(opened)


def test_a_row_may_be_of_any_kind(opened: OpenPipeline) -> None:
    expected = opened.predict([40.0, 0.0, 1.0])

    assert opened.predict((40, 0, 1)) == expected
    assert opened.predict({"city": 1, "age": 40, "unused": 0}) == expected
    assert opened.predict(array("d", [40, 0, 1])) == expected
    assert opened.predict(np.array([40, 0, 1])) == expected
    assert opened.predict_many([[40, 0, 1], {"city": 1, "age": 40, "unused": 0}]) == [expected, expected]
    assert opened.predict_many(np.array([[40.0, 0, 1]] * 3)) == [expected] * 3
    assert sum(expected) == pytest.approx(1.0)


def test_an_answer_has_the_label_where_the_model_says_one(opened: OpenPipeline) -> None:
    outputs, label = opened.answer([math.nan, math.nan, 0.0])

    assert outputs == opened.predict([30.0, 0.0, 0.0])
    assert label == (outputs.index(max(outputs)) if opened.has_label else -1)
    assert opened.answer_many([[30, 0, 0]]) == [(outputs, label)]
    assert opened.answer_many(np.array([[30.0, 0, 0]])) == [(outputs, label)]
    assert opened.answer_many([]) == []


def test_a_row_that_does_not_fit_is_refused_as_a_forest_refuses_it(opened: OpenPipeline) -> None:
    with pytest.raises(InputError, match="a row has 2 values"):
        opened.predict([1.0, 2.0])
    with pytest.raises(InputError, match="age is 'old'"):
        opened.predict(["old", 0, 0])
    with pytest.raises(InputError, match="the row lacks 'city'"):
        opened.predict({"age": 1, "unused": 0})


def test_a_value_that_the_model_does_not_know_is_told_with_its_column(opened: OpenPipeline) -> None:
    with pytest.raises(InputError, match=r"^'city' has a value that the model does not know"):
        opened.predict([1.0, 0.0, -1.0])
    with pytest.raises(InputError, match=r"^row 300: 'city' has a value"):
        opened.answer_many([[1, 0, 0]] * 300 + [[1, 0, math.nan]] + [[1, 0, 1]] * 99)
    with pytest.raises(InputError, match=r"^row 700: 'city' has a value"):
        opened.score_matrix(np.array([[1.0, 0, 0]] * 700 + [[1, 0, 2]], np.float32))
    assert opened.predict([1.0, 0.0, 1.0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_threads", [1, 3, None])
def test_a_matrix_of_any_strides_equals_its_rows(opened: OpenPipeline, dtype: type, n_threads: int | None) -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=1000), rng.normal(size=1000), rng.integers(0, 2, 1000)]).astype(dtype)
    expected = [
        [*outputs, *([label] if opened.has_label else [])] for outputs, label in opened.answer_many(rows.tolist())
    ]

    for given in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2], rows[::-1][::-1]):
        assert np.asarray(opened.score_matrix(given, n_threads=n_threads)).tolist() == expected
    out = np.empty((1000, opened.n_columns))
    assert opened.score_matrix(rows, out=out, n_threads=n_threads) is out
    assert out.tolist() == expected
    assert np.asarray(opened.score_matrix(rows[:0])).size == 0


def test_a_matrix_that_does_not_fit_is_refused(opened: OpenPipeline) -> None:
    with pytest.raises(InputError, match=r"a matrix of shape \(2, 2\)"):
        opened.score_matrix(np.zeros((2, 2)))
    with pytest.raises(InputError, match="numbers of format"):
        opened.score_matrix(np.zeros((2, 3), np.int64))
    with pytest.raises(InputError, match="out holds"):
        opened.score_matrix(np.zeros((2, 3)), out=np.zeros((2, 7)))
    with pytest.raises(InputError, match="n_threads is 0"):
        opened.score_matrix(np.zeros((2, 3)), n_threads=0)


def test_threads_may_share_it(opened: OpenPipeline) -> None:
    from concurrent.futures import ThreadPoolExecutor

    rows = [[float(i), 0.0, float(i % 2)] for i in range(200)]
    expected = [opened.answer(row) for row in rows]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: [opened.answer(row) for row in rows], range(8)):
            assert found == expected


def test_names_may_hold_anything(tmp_path: Path) -> None:
    names = ["a.b", "a b", "a\0b", "🙂", "", '"', "a b"]
    builder = Builder(names)
    slots = builder.add(Op.ADD, list(range(7)), numbers=range(7))
    pipeline = builder.pipeline(kind="value", outputs=slots, source="s", objective="o")
    write_pipeline(pipeline, tmp_path / "a.pipeline")

    opened = load_pipeline(str(tmp_path / "a.pipeline"))

    assert opened.feature_names == tuple(names)
    assert opened.answer([1, 1, 1, 1, 1, 1, 1]) == ([1, 2, 3, 4, 5, 6, 7], -1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the pipeline") as caught:
        load_pipeline(str(tmp_path / "no.pipeline"))
    assert caught.value.problems[0].where == str(tmp_path / "no.pipeline")
