"""LightGBM: categories and missing values as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.errors import BareboatError
from bareboat.train.curves import Curves, plain
from bareboat.train.fitted import Fitted, Fitting
from bareboat.train.installed import need
from bareboat.train.libraries.shares import shares
from bareboat.train.options import PATIENCE

_METRICS = {
    "log_loss": ("binary_logloss", "multi_logloss"),
    "rmse": ("rmse",),
    "mae": ("l1",),
    "pinball": ("quantile",),
}

_LARGE = 1_000_000
"""Values of a table from which threads gain more than they cost; on a busy machine they cost a lot."""


def fit(fitting: Fitting) -> Fitted:
    """Fit with `lightgbm.train`.

    Raises:
        BareboatError: LightGBM is not installed, or refuses.
    """
    lightgbm = need("lightgbm", "fits the model")
    settings = _settings(fitting)
    frame, truth = fitting.train
    train = lightgbm.Dataset(frame, truth, free_raw_data=False)
    sets, names = [train], ["train"]
    record: dict[str, dict[str, list[float]]] = {}
    callbacks = [lightgbm.record_evaluation(record)]
    if fitting.validation is not None:
        sets.append(lightgbm.Dataset(*fitting.validation, reference=train, free_raw_data=False))
        names.append("validation")
        callbacks.append(_stop(PATIENCE))
    try:
        booster = lightgbm.train(
            settings, train, fitting.options.rounds, valid_sets=sets, valid_names=names, callbacks=callbacks
        )
    except lightgbm.basic.LightGBMError as error:
        raise BareboatError(f"LightGBM refuses: {error}") from error
    metric = settings["metric"]
    of = {name: plain(values[metric]) for name, values in record.items()}
    curves = Curves(fitting.loss.metric, of["train"], of.get("validation", ()))
    rounds, why = curves.best()
    text = booster.model_to_string(num_iteration=rounds)
    return Fitted(
        library=f"lightgbm {lightgbm.__version__}",
        estimator="lightgbm.train",
        settings=settings,
        file_name="model.txt",
        data=text.encode(),
        curves=curves,
        rounds=rounds,
        why=why,
        importances=shares(booster.feature_importance("gain", iteration=rounds)),
        importance="gain: by how much all splits on the feature made the training loss smaller",
        predict=lambda rows: _outputs(booster.predict(rows, num_iteration=rounds), fitting.n_classes),
        packages=("lightgbm",),
    )


def _settings(fitting: Fitting) -> dict[str, Any]:
    options, least = fitting.options, fitting.least_in_leaf
    settings: dict[str, Any] = {
        "objective": fitting.loss.word("lightgbm", fitting.kind),
        "metric": _METRICS[fitting.loss.metric][fitting.kind == "multi"],
        "learning_rate": options.learning_rate,
        "min_data_in_leaf": least,
        "min_data_per_group": 5 * least,
        "seed": options.seed,
        "deterministic": True,  # the same model whatever the number of threads
        "force_row_wise": True,
        "num_threads": 0 if len(fitting.train[1]) * len(fitting.features) >= _LARGE else 1,
        "verbosity": -1,
    }
    if fitting.kind == "multi":
        settings["num_class"] = fitting.n_classes
    if fitting.loss.name == "quantile":
        settings["alpha"] = options.alpha
    if options.leaves is not None:
        settings["num_leaves"] = options.leaves
    if options.subsample < 1.0:
        settings |= {"bagging_fraction": options.subsample, "bagging_freq": 1}
    return settings


def _stop(patience: int) -> Any:
    """Return a callback that ends the rounds; LightGBM's own looks at the training rows too."""
    from lightgbm.callback import EarlyStopException

    best = [np.inf, 0]

    def stop(env: Any) -> None:
        error = next(result[2] for result in env.evaluation_result_list if result[0] == "validation")
        if error < best[0]:
            best[:] = [error, env.iteration]
        elif env.iteration - best[1] >= patience:
            raise EarlyStopException(int(best[1]), env.evaluation_result_list)

    stop.order = 30  # type: ignore[attr-defined]  # after what records
    return stop


def _outputs(raw: Any, n_classes: int) -> Any:
    return np.column_stack([1.0 - raw, raw]) if n_classes == 2 else raw
