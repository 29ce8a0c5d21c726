from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bareboat.errors import InputError
from bareboat.train.columns import Column
from bareboat.train.notes import Notes
from bareboat.train.task import find_task

Read = Callable[..., Column]


@pytest.mark.parametrize(
    ("values", "kind", "classes", "why"),
    [
        (["a", "b", "a"] * 3, "classification", ("a", "b"), "x holds texts"),
        (["true", "false"] * 3, "classification", (False, True), "x is true or false"),
        (["3", "7"] * 3, "classification", (3, 7), "x has two different values"),
        (["1", "2", "3"] * 5, "classification", (1, 2, 3), "x has 3 different whole numbers in 15 rows"),
        (["1", "2", "3", "4"], "regression", (), "x has 4 different numbers in 4 rows"),
        (["1.5", "2.5", "3.5"] * 9, "regression", (), "x has 3 different numbers in 27 rows"),
        (["2024-01-01", "2024-01-02", "2024-01-03"], "regression", (), "x holds times, which are numbers of seconds"),
    ],
)
def test_auto_tells_classes_from_values(
    column: Read, values: list[str], kind: str, classes: tuple[object, ...], why: str
) -> None:
    task = find_task(column(*values), "auto", Notes())

    assert (task.kind, task.classes, task.why) == (kind, classes, why)
    assert [type(label) for label in task.classes] == [type(label) for label in classes]


def test_a_constant_target_is_an_error(column: Read) -> None:
    with pytest.raises(InputError, match="x is 'a' in every row: there is nothing to learn"):
        find_task(column("a", "a", "a"), "auto", Notes())


def test_texts_are_no_target_of_a_regression(column: Read) -> None:
    with pytest.raises(InputError, match="holds texts, such as 'a', and the task is regression"):
        find_task(column("a", "b", "a"), "regression", Notes())


def test_values_are_no_target_of_a_classification(column: Read) -> None:
    with pytest.raises(InputError, match="x has 40 classes in 40 rows"):
        find_task(column(*(f"{place}.5" for place in range(40))), "classification", Notes())


def test_a_class_of_one_row_is_an_error_that_can_be_allowed(column: Read) -> None:
    target, notes = column(*["a", "b"] * 5, "setosaa"), Notes()

    with pytest.raises(InputError, match=r"classes of one or two rows: 'setosaa' \(1\)"):
        find_task(target, "auto", Notes())

    assert find_task(target, "auto", notes, allow_rare=True).classes == ("a", "b", "setosaa")
    assert "only learned from" in notes.all[0].text


def test_uneven_classes_are_told(column: Read) -> None:
    notes = Notes()

    task = find_task(column(*["ok"] * 97, *["fraud"] * 3), "auto", notes)

    assert np.bincount(task.truth.astype(int)).tolist() == [3, 97]
    assert "'fraud' is 3.00% of the rows" in notes.all[0].text
