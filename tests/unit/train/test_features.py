from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bareboat.errors import InputError
from bareboat.train.columns import Column
from bareboat.train.features import choose_features, find_columns, frame_of, matrix_of, safe_names
from bareboat.train.leaks import refuse_leaks
from bareboat.train.notes import Notes
from bareboat.train.task import Task, find_task

Read = Callable[..., Column]


def test_a_missing_column_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        find_columns(["sepal length", "species"], ["spieces"], "--target", "iris.csv")

    assert caught.value.problems[0].fix == "--target species"


def test_columns_that_teach_nothing_are_left_out_and_told(column: Read) -> None:
    notes = Notes()
    columns = [
        column(*["1"] * 99, name="constant"),
        column(*[""] * 99, name="empty"),
        column(*map(str, range(1000, 1099)), name="number"),
        column(*(f"{place * 37 % 1009}" for place in range(99)), name="user_id"),
        column(*(f"user {place}" for place in range(99)), name="who"),
        column(*["a", "b", "c"] * 33, name="good"),
    ]

    kept = choose_features(columns, (), (), notes)

    assert [feature.name for feature in kept] == ["good"]
    assert [note.column for note in notes.all] == ["constant", "empty", "number", "user_id", "who"]
    assert [feature.name for feature in choose_features(columns, ("who",), (), Notes())] == ["who", "good"]


def test_nothing_left_is_an_error(column: Read) -> None:
    with pytest.raises(InputError, match="no column is left to learn from"):
        choose_features([column("1", "1")], (), (), Notes())


def test_a_million_categories_are_learned_up_to_the_most_frequent(column: Read) -> None:
    values = [f"c{place % 300 if place < 5000 else place % 100}" for place in range(10_000)]
    notes = Notes()

    feature = choose_features([column(*values)], (), (), notes)[0]

    assert (len(feature.categories or ()), feature.rare) == (254, 46)
    assert feature.is_nullable
    assert np.isnan(matrix_of([feature])).sum() > 0
    assert "the 254 most frequent are learned" in notes.all[0].text


def test_names_that_libraries_refuse_get_safe_ones() -> None:
    assert safe_names(["sepal length", 'a"b', "x", "🌊", "a.b", "a b", "plain_1"]) == [
        "sepal_length",
        "column_1",
        "x",
        "column_3",
        "column_4",
        "column_5",
        "plain_1",
    ]


def test_frames_hold_categories_and_numbers(column: Read) -> None:
    features = choose_features(
        [column("b", "a", ""), column("1", "2", "", name="n"), column("5", "", "7", name="k", is_category=True)],
        (),
        (),
        Notes(),
    )

    frame = frame_of(features)

    assert frame["x"].cat.categories.tolist() == ["a", "b"]
    assert frame["x"].cat.codes.tolist() == [1, 0, -1]
    assert frame["k"].cat.categories.tolist() == [5, 7]
    np.testing.assert_array_equal(matrix_of(features), [[1, 1, 0], [0, 2, np.nan], [np.nan, np.nan, 1]])


def leaks(column: Read, target: list[str], values: list[str], *, allow: bool = False) -> Notes:
    notes = Notes()
    task: Task = find_task(column(*target, name="y"), "auto", Notes())
    refuse_leaks(choose_features([column(*values)], ("x",), (), Notes()), task, notes, allow=allow)
    return notes


@pytest.mark.parametrize(
    ("target", "values"),
    [
        (["a", "b", "c"] * 20, ["1", "2", "3"] * 20),
        (["yes", "no"] * 20, ["Y", ""] * 20),
        ([f"{place * 1.5}" for place in range(60)], [f"{place * 1.5}" for place in range(60)]),
        ([f"{place * 1.5}" for place in range(60)], [f"{7 - place * 3.0}" for place in range(60)]),
        ([f"{place * 1.5}" for place in range(60)], [f"{place**2 + 0.5}" for place in range(60)]),
    ],
)
def test_the_target_by_another_name_is_refused_unless_allowed(
    column: Read, target: list[str], values: list[str]
) -> None:
    with pytest.raises(InputError, match="x is the target by another name") as caught:
        leaks(column, target, values)

    assert "--drop 'x'" in caught.value.problems[0].fix
    assert "--allow leaks" in leaks(column, target, values, allow=True).all[0].text


@pytest.mark.parametrize(
    ("target", "values"),
    [
        (["a", "b"] * 60, [f"{place % 2 * 100 + place / 200}" for place in range(120)]),
        (["a", "b"] * 60, ["p", "q", "r", "s"] * 30),
    ],
)
def test_a_feature_that_tells_classes_by_itself_is_told(column: Read, target: list[str], values: list[str]) -> None:
    assert "tells every class by itself" in leaks(column, target, values).all[0].text


def test_an_honest_feature_is_not_told_of(column: Read) -> None:
    random = np.random.default_rng(1)
    target = random.normal(size=200)

    assert not leaks(column, [str(v) for v in target], [str(v) for v in target + random.normal(size=200) / 9]).all
    assert not leaks(column, ["a" if v > 0 else "b" for v in target], [str(v) for v in random.normal(size=200)]).all
