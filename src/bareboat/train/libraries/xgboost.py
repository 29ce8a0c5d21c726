"""XGBoost: categories and missing values as they are; a column for each category where XGBoost would lose its name."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from bareboat.errors import BareboatError
from bareboat.train.curves import Curves, plain
from bareboat.train.encoders import by_feature, encoder, prepared, texts
from bareboat.train.fitted import Fitted, Fitting
from bareboat.train.installed import need
from bareboat.train.libraries.shares import shares, shares_by_name
from bareboat.train.notes import listed
from bareboat.train.options import PATIENCE

_METRICS = {"log_loss": ("logloss", "mlogloss"), "rmse": ("rmse",), "mae": ("mae",), "pinball": ("quantile",)}
_KEEPS_NAMES = (3, 4)


def fit(fitting: Fitting) -> Fitted:
    """Fit with `xgboost.train`.

    Raises:
        BareboatError: XGBoost is not installed, or refuses.
    """
    xgboost = need("xgboost", "fits the model")
    settings = _settings(fitting)
    lost = _lost_names(fitting, xgboost.__version__)
    transformer = encoder(fitting, impute=False) if lost else None
    if transformer is not None:
        transformer.fit(texts(fitting.train[0]))
        fitting.notes.note(
            f"XGBoost {xgboost.__version__} does not keep categories outside ASCII ({listed(lost)}): each is a column"
        )
    record: dict[str, dict[str, list[float]]] = {}
    try:
        sets = [
            (
                xgboost.DMatrix(prepared(transformer, fitting.train[0]), fitting.train[1], enable_categorical=True),
                "train",
            )
        ]
        if fitting.validation is not None:
            frame, truth = fitting.validation
            sets.append((xgboost.DMatrix(prepared(transformer, frame), truth, enable_categorical=True), "validation"))
        booster = xgboost.train(
            settings,
            sets[0][0],
            fitting.options.rounds,
            evals=sets,
            evals_result=record,
            early_stopping_rounds=PATIENCE if fitting.validation is not None else None,
            verbose_eval=False,
        )
    except xgboost.core.XGBoostError as error:
        raise BareboatError(f"XGBoost refuses: {error}") from error
    of = {name: plain(values[settings["eval_metric"]]) for name, values in record.items()}
    curves = Curves(fitting.loss.metric, of["train"], of.get("validation", ()))
    rounds, why = curves.best()
    model = booster
    if rounds < booster.num_boosted_rounds():  # grown again: a slice of a booster has lost the names of categories
        model = xgboost.train(settings, sets[0][0], rounds)
    gain = model.get_score(importance_type="total_gain")
    if transformer is None:
        importances, data = shares_by_name(gain, [f.safe for f in fitting.features]), bytes(model.save_raw("ubj"))
    else:
        encoded = [gain.get(f"f{place}", 0.0) for place in range(booster.num_features())]
        importances = shares(by_feature(fitting, transformer, encoded))
        data = _pipeline(fitting, transformer, settings, rounds)
    return Fitted(
        library=f"xgboost {xgboost.__version__}",
        estimator="xgboost.train" if transformer is None else "Pipeline(encoders, XGBoost)",
        settings=settings,
        file_name="model.ubj" if transformer is None else "model.joblib",
        data=data,
        curves=curves,
        rounds=rounds,
        why=why,
        importances=importances,
        importance="total gain: by how much all splits on the feature made the training loss smaller",
        predict=lambda rows: _outputs(
            model.predict(xgboost.DMatrix(prepared(transformer, rows), enable_categorical=True)), fitting.n_classes
        ),
        packages=("xgboost", "xgboost-cpu") + (() if transformer is None else ("scikit-learn", "joblib")),
    )


def _lost_names(fitting: Fitting, version: str) -> list[str]:
    """Return the features whose categories XGBoost 3.1 to 3.3 would save damaged."""
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) >= _KEEPS_NAMES:
        return []
    return [f.name for f in fitting.features if any(not str(label).isascii() for label in f.categories or ())]


def _pipeline(fitting: Fitting, transformer: Any, settings: dict[str, Any], rounds: int) -> bytes:
    """Grow the same rounds again in a scikit-learn estimator, which a pipeline can hold."""
    xgboost, joblib = need("xgboost", "fits the model"), need("joblib", "saves the model")
    pipelines = need("sklearn.pipeline", "saves the model")
    kind = xgboost.XGBClassifier if fitting.n_classes else xgboost.XGBRegressor
    own = {"seed": "random_state", "nthread": "n_jobs"}
    named = {own.get(name, name): value for name, value in settings.items() if name not in {"num_class", "eval_metric"}}
    rows = transformer.transform(texts(fitting.train[0]))
    model = kind(n_estimators=rounds, **named).fit(rows, fitting.train[1])
    file = io.BytesIO()
    joblib.dump(pipelines.Pipeline([("encode", transformer), ("boost", model)]), file)
    return file.getvalue()


def _settings(fitting: Fitting) -> dict[str, Any]:
    options = fitting.options
    settings: dict[str, Any] = {
        "objective": fitting.loss.word("xgboost", fitting.kind),
        "eval_metric": _METRICS[fitting.loss.metric][fitting.kind == "multi"],
        "tree_method": "hist",
        "learning_rate": options.learning_rate,
        "seed": options.seed,
        "nthread": 1,  # threads add gradients in another order each time
    }
    if fitting.kind == "multi":
        settings["num_class"] = fitting.n_classes
    if fitting.loss.name == "quantile":
        settings["quantile_alpha"] = options.alpha
    if options.leaves is not None:
        settings |= {"max_leaves": options.leaves, "max_depth": 0, "grow_policy": "lossguide"}
    if options.subsample < 1.0:
        settings["subsample"] = options.subsample
    return settings


def _outputs(raw: Any, n_classes: int) -> Any:
    values = raw.astype(np.float64)
    return np.column_stack([1.0 - raw, raw]).astype(np.float64) if n_classes == 2 else values
