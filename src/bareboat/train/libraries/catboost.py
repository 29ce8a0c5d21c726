"""CatBoost: missing numbers as they are; a column for each category, which bareboat's tables can hold."""

from __future__ import annotations

import io
import math
from typing import Any

from bareboat.errors import BareboatError
from bareboat.train.curves import Curves, plain
from bareboat.train.encoders import by_feature, encoder, prepared, texts
from bareboat.train.fitted import Fitted, Fitting
from bareboat.train.installed import need
from bareboat.train.libraries.shares import shares
from bareboat.train.options import PATIENCE

_METRICS = {"rmse": "RMSE", "mae": "MAE"}
_HUBER_DELTA = 1.0
_MOST_DEPTH = 16
_CHANGING = ("train_finish_time", "model_guid")
"""What differs from one run to the next of what CatBoost writes into a model."""


def fit(fitting: Fitting) -> Fitted:
    """Fit a CatBoostClassifier or CatBoostRegressor.

    Raises:
        BareboatError: CatBoost is not installed, or refuses.
    """
    catboost = need("catboost", "fits the model")
    settings = _settings(fitting)
    kind = catboost.CatBoostClassifier if fitting.n_classes else catboost.CatBoostRegressor
    model = kind(**settings, allow_writing_files=False, verbose=False)
    transformer = encoder(fitting, impute=False) if fitting.categories else None
    frame, truth = fitting.train
    if transformer is not None:
        transformer.fit(texts(frame))
        fitting.notes.note("CatBoost's own statistics of categories cannot be compiled: each category is a column")
    outside = None
    if fitting.validation is not None:
        outside = (prepared(transformer, fitting.validation[0]), fitting.validation[1])
    try:
        model.fit(
            prepared(transformer, frame),
            truth.astype(int) if fitting.n_classes else truth,
            eval_set=outside,
            use_best_model=False,
            early_stopping_rounds=PATIENCE if outside is not None else None,
        )
    except catboost.CatBoostError as error:
        raise BareboatError(f"CatBoost refuses: {error}") from error
    metric = settings["eval_metric"]
    found = model.get_evals_result()
    curves = Curves(
        fitting.loss.metric, plain(found["learn"][metric]), plain(found.get("validation", {}).get(metric, ()))
    )
    rounds, why = curves.best()
    model.shrink(rounds)
    _forget(model)
    importances = shares(model.get_feature_importance(type="PredictionValuesChange"))
    if transformer is not None:
        importances = shares(by_feature(fitting, transformer, importances))
    return Fitted(
        library=f"catboost {catboost.__version__}",
        estimator=kind.__name__ if transformer is None else f"Pipeline(encoders, {kind.__name__})",
        settings=settings,
        file_name="model.json" if transformer is None else "model.joblib",
        data=_json(model) if transformer is None else _pipeline(transformer, model),
        curves=curves,
        rounds=rounds,
        why=why,
        importances=importances,
        importance="prediction values change: by how much answers change on average when the feature does",
        predict=lambda rows: (model.predict_proba if fitting.n_classes else model.predict)(prepared(transformer, rows)),
        packages=("catboost",) if transformer is None else ("catboost", "scikit-learn", "joblib"),
    )


def _settings(fitting: Fitting) -> dict[str, Any]:
    options = fitting.options
    loss = fitting.loss.word("catboost", fitting.kind)
    if fitting.loss.name == "quantile":
        loss += f":alpha={options.alpha:g}"
    elif fitting.loss.name == "huber":
        loss += f":delta={_HUBER_DELTA:g}"
    settings: dict[str, Any] = {
        "loss_function": loss,
        "eval_metric": _METRICS.get(fitting.loss.metric, loss),
        "iterations": options.rounds,
        "learning_rate": options.learning_rate,
        "random_seed": options.seed,
        "thread_count": 1,
    }
    if options.leaves is not None:
        settings["depth"] = max(1, min(_MOST_DEPTH, round(math.log2(options.leaves))))
        if 2 ** settings["depth"] != options.leaves:
            fitting.notes.note(f"CatBoost's trees have a power of 2 of leaves: {2 ** settings['depth']}")
    if options.subsample < 1.0:
        settings |= {"bootstrap_type": "Bernoulli", "subsample": options.subsample}
    return settings


def _forget(model: Any) -> None:
    """Take out the time and the random number that CatBoost marks a model with: the same data give the same bytes."""
    metadata = model.get_metadata()
    for key in _CHANGING:
        if key in metadata.keys():  # noqa: SIM118 - a proxy that is no dict
            metadata[key] = ""


def _json(model: Any) -> bytes:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="bareboat-") as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return path.read_bytes()


def _pipeline(transformer: Any, model: Any) -> bytes:
    joblib = need("joblib", "saves the model")
    pipelines = need("sklearn.pipeline", "saves the model")
    file = io.BytesIO()
    joblib.dump(pipelines.Pipeline([("encode", transformer), ("boost", model)]), file)
    return file.getvalue()
