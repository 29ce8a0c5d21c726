from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from bareboat.train.background import background_of
from bareboat.train.columns import Column
from bareboat.train.curves import Curves, error_of
from bareboat.train.features import choose_features
from bareboat.train.notes import Notes
from bareboat.train.scores import confusion, judge, wilson
from bareboat.train.task import Task

RANDOM = np.random.default_rng(5)


def test_scores_of_classes_are_those_of_scikit_learn() -> None:
    truth = RANDOM.integers(0, 2, 200).astype(float)
    first = np.clip(0.5 + 0.2 * (0.5 - truth) + RANDOM.normal(0, 0.2, 200), 0.01, 0.99).round(2)
    outputs = np.column_stack([first, 1 - first])
    task = Task("classification", "", ("a", "b"), truth)

    found = {s.name: s for s in judge(task, outputs, truth, truth, loss="log_loss", alpha=0.5, seed=0)}

    labels = outputs.argmax(axis=1)
    assert found["accuracy"].value == metrics.accuracy_score(truth, labels)
    assert found["balanced_accuracy"].value == pytest.approx(metrics.balanced_accuracy_score(truth, labels))
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(truth, outputs))
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(truth, outputs[:, 1]))
    assert all(score.low < score.value < score.high for score in found.values())
    np.testing.assert_array_equal(confusion(outputs, truth, 2), metrics.confusion_matrix(truth, labels))


def test_scores_of_values_are_those_of_scikit_learn() -> None:
    truth = RANDOM.normal(size=300)
    outputs = truth + RANDOM.normal(0, 0.3, 300)
    task = Task("regression", "", (), truth)

    found = {s.name: s for s in judge(task, outputs, truth, truth, loss="quantile", alpha=0.8, seed=0)}

    assert next(iter(found)) == "pinball"
    assert found["pinball"].value == pytest.approx(metrics.mean_pinball_loss(truth, outputs, alpha=0.8))
    assert found["rmse"].value == pytest.approx(metrics.root_mean_squared_error(truth, outputs))
    assert found["mae"].value == pytest.approx(metrics.mean_absolute_error(truth, outputs))
    assert found["r2"].value == pytest.approx(metrics.r2_score(truth, outputs))
    assert found["r2"].guess == 0.0


def test_the_wilson_interval_is_that_of_its_tables() -> None:
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I: 81 of 263
    low, high = wilson(81, 263)

    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 20)[0] == 0.0


def test_the_best_size_is_told_with_its_reason() -> None:
    train = (3.0, 2.0, 1.0)

    assert Curves("rmse", train, (3.0, 1.0, 2.0)).best()[0] == 2
    assert Curves("rmse", train, oob_improvement=(1.0, 0.5, -0.1)).best()[0] == 2
    assert Curves("rmse", train).best() == (3, "all rounds, as there are no validation rows")


def test_pinball_is_that_of_scikit_learn() -> None:
    truth, outputs = RANDOM.normal(size=50), RANDOM.normal(size=50)

    assert error_of("pinball", 0.9)(outputs, truth) == pytest.approx(
        metrics.mean_pinball_loss(truth, outputs, alpha=0.9)
    )


def test_the_background_holds_what_lime_draws_from() -> None:
    values = np.concatenate([RANDOM.normal(size=99), [np.nan]])
    city = np.array(["a", "b", "b", None] * 25, object)
    features = choose_features([Column("x", "float", values), Column("c", "category", city)], (), (), Notes())

    found = background_of(features, np.arange(100), np.full((100, 2), 0.5))

    number, category = found["features"]
    present = values[:99]
    assert found["mean_outputs"] == [0.5, 0.5]
    assert (number["missing"], number["std"]) == (1, pytest.approx(present.std()))
    assert number["bins"]["edges"] == pytest.approx(np.quantile(present, [0.25, 0.5, 0.75]).tolist())
    assert sum(each["share"] for each in number["bins"]["each"]) == pytest.approx(1.0)
    first = present[present <= number["bins"]["edges"][0]]
    assert number["bins"]["each"][0]["mean"] == pytest.approx(first.mean())
    assert category["categories"] == [{"value": "b", "count": 50}, {"value": "a", "count": 25}]
