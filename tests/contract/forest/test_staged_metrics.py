from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from bareboat.errors import InputError
from bareboat.forest.metrics import METRICS, choose_metric

N = 500


@pytest.fixture(scope="module")
def classes():
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(3), N)
    shares[0] = (1.0, 0.0, 0.0)
    truth = rng.integers(0, 3, N)
    truth[0] = 1  # with the probability 0
    return shares, truth


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(2)
    return rng.gamma(2.0, 2.0, N), rng.poisson(3.0, N).astype(float)


def test_log_loss(classes):
    shares, truth = classes

    assert METRICS["log_loss"](shares, truth) == pytest.approx(oracle.log_loss(truth, shares), rel=1e-12)


def test_error_rate(classes):
    shares, truth = classes

    assert METRICS["error_rate"](shares, truth) == pytest.approx(oracle.zero_one_loss(truth, shares.argmax(axis=1)))


def test_brier_of_two_classes():
    second, truth = np.linspace(0.0, 1.0, N), np.arange(N) % 2
    shares = np.stack([1.0 - second, second], axis=1)

    assert METRICS["brier"](shares, truth) == pytest.approx(oracle.brier_score_loss(truth, second))


def test_brier_of_three_classes(classes):
    shares, truth = classes

    expected = oracle.brier_score_loss(truth, shares, scale_by_half=False)
    assert METRICS["brier"](shares, truth) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rmse", oracle.root_mean_squared_error),
        ("mae", oracle.mean_absolute_error),
        ("mape", oracle.mean_absolute_percentage_error),
        ("poisson_deviance", oracle.mean_poisson_deviance),
        ("tweedie_deviance", lambda truth, found: oracle.mean_tweedie_deviance(truth, found, power=1.5)),
    ],
)
def test_metrics_of_regressors(values, name, expected):
    found, truth = values

    assert METRICS[name](found, truth) == pytest.approx(expected(truth, found), rel=1e-12)


def test_gamma_deviance(values):
    found, truth = values

    assert METRICS["gamma_deviance"](found, truth + 0.5) == pytest.approx(
        oracle.mean_gamma_deviance(truth + 0.5, found), rel=1e-12
    )


@pytest.mark.parametrize(
    ("objective", "name"),
    [
        ("regression", "rmse"),
        ("reg:squarederror", "rmse"),
        ("squared_error", "rmse"),
        ("regression_l1", "mae"),
        ("reg:absoluteerror", "mae"),
        ("absolute_error", "mae"),
        ("quantile", "mae"),
        ("count:poisson", "poisson_deviance"),
        ("poisson", "poisson_deviance"),
        ("reg:gamma", "gamma_deviance"),
        ("tweedie", "tweedie_deviance"),
        ("mape", "mape"),
    ],
)
def test_the_metric_goes_with_the_objective(objective, name):
    assert choose_metric(None, objective, is_classifier=False).name == name


def test_a_classifier_is_judged_by_its_log_loss():
    assert choose_metric(None, "multiclass", is_classifier=True).name == "log_loss"


@pytest.mark.parametrize(
    ("name", "is_classifier", "found"),
    [
        ("rmse", True, "no metric 'rmse' for a classifier"),
        ("auc", False, "no metric 'auc' for a regressor"),
        (None, False, "a model of the objective 'lambdarank', whose answers have no true values"),
    ],
)
def test_a_metric_that_does_not_fit_is_told(name, is_classifier, found):
    with pytest.raises(InputError) as error:
        choose_metric(name, "lambdarank", is_classifier=is_classifier)

    assert error.value.problems[0].found == found


def test_a_deviance_of_a_value_that_is_not_above_0_is_told():
    with pytest.raises(InputError, match="poisson_deviance of the value -1"):
        METRICS["poisson_deviance"](np.array([-1.0]), np.array([1.0]))
