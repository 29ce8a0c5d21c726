from __future__ import annotations

import numpy as np
import pytest

from bareboat.errors import InputError
from bareboat.train.split import split_rows
from bareboat.train.task import Task


def classes(*counts: int) -> Task:
    truth = np.repeat(np.arange(len(counts)), counts).astype(float)
    return Task("classification", "", tuple(range(len(counts))), np.random.default_rng(0).permutation(truth))


def test_each_class_has_its_share_in_each_part() -> None:
    task = classes(500, 100, 10)

    split = split_rows(task, validation=0.2, test=0.2, seed=1)

    assert np.array_equal(np.sort(np.concatenate([split.train, split.validation, split.test])), np.arange(610))
    for part, share in ((split.train, 0.6), (split.validation, 0.2), (split.test, 0.2)):
        counts = np.bincount(task.truth[part].astype(int))
        np.testing.assert_allclose(counts, np.array([500, 100, 10]) * share, atol=1)


def test_the_seed_decides() -> None:
    task = classes(50, 50)

    first, again, other = (split_rows(task, validation=0.2, test=0.2, seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_small_classes_are_in_every_part_and_tiny_ones_only_learned_from() -> None:
    task = classes(60, 3, 2, 1)

    split = split_rows(task, validation=0.2, test=0.2, seed=0)

    assert [sorted(set(task.truth[part].astype(int))) for part in (split.train, split.validation, split.test)] == [
        [0, 1, 2, 3],
        [0, 1],
        [0, 1],
    ]


def test_groups_stay_whole() -> None:
    task = classes(120, 80)
    groups = [f"g{place % 25}" for place in range(200)]

    split = split_rows(task, validation=0.2, test=0.2, seed=0, groups=groups)

    of = [{groups[row] for row in part} for part in (split.train, split.validation, split.test)]
    assert not of[0] & of[1] | of[0] & of[2] | of[1] & of[2]
    assert len(split.test) == 40


def test_values_are_divided_along_their_range() -> None:
    task = Task("regression", "", (), np.random.default_rng(0).lognormal(size=1000))

    split = split_rows(task, validation=0.1, test=0.3, seed=0)

    assert (len(split.train), len(split.validation), len(split.test)) == (600, 100, 300)
    tenths = np.searchsorted(np.quantile(task.truth, np.linspace(0.1, 0.9, 9)), task.truth[split.test])
    assert set(np.bincount(tenths)) <= {29, 30, 31}


def test_no_part_but_the_one_to_learn_from_may_be_asked_for() -> None:
    split = split_rows(classes(5, 5), validation=0, test=0, seed=0)

    assert (len(split.train), len(split.validation), len(split.test)) == (10, 0, 0)


def test_too_few_rows_are_an_error() -> None:
    with pytest.raises(InputError, match="too few for a validation part"):
        split_rows(Task("regression", "", (), np.array([1.0, 2.0, 3.0])), validation=0.1, test=0.1, seed=0)
