from __future__ import annotations

from typing import Any

import pytest

from bareboat.errors import ConfigurationError
from bareboat.train.losses import LOSSES, find_loss
from bareboat.train.options import Options


@pytest.mark.parametrize(
    ("old", "name"), [("ls", "squared_error"), ("lad", "absolute_error"), ("deviance", "log_loss")]
)
def test_losses_are_known_by_the_names_of_both_worlds(old: str, name: str) -> None:
    assert find_loss(old) is find_loss(name)


def test_an_unknown_loss_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_loss("squared_eror")

    assert caught.value.problems[0].fix == "--loss squared_error"


def test_every_library_has_the_losses_that_go_with_a_task() -> None:
    assert [loss.name for loss in LOSSES if len(loss.words) < 4] == ["exponential"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"task": "ranking"}, "--task ranking"),
        ({"library": "torch"}, "--library torch"),
        ({"loss": "exponential"}, "--loss exponential with --library lightgbm, which lacks it"),
        ({"loss": "ls", "task": "classification"}, "--loss squared_error for classification"),
        ({"refit": True, "validation": 0.0}, "--refit with --validation 0 and --test 0.2"),
        ({"refit": True, "test": 0.0}, "--refit with --validation 0.2 and --test 0"),
        ({"subsample": 0.0}, "--subsample 0"),
        ({"subsample": 1.5}, "--subsample 1.5"),
        ({"alpha": 1.0}, "--alpha 1"),
        ({"validation": 0.5, "test": 0.5}, "leave 0% of the rows"),
        ({"trees": 0}, "--trees 0"),
        ({"leaves": 1}, "--leaves 1"),
        ({"learning_rate": 0.0}, "--learning-rate 0"),
        ({"seed": -1}, "--seed -1"),
        ({"drop": ("y",)}, "--drop y, which is the target"),
        ({"allow": ("all",)}, "--allow all"),
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, Any], found: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Options("y", **given).check()

    assert found in caught.value.problems[0].found
