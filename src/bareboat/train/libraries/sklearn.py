"""scikit-learn: HistGradientBoosting*, or GradientBoosting* for its losses, its subsampling and out-of-bag errors."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from bareboat.forest.metrics import Truth
from bareboat.train.curves import Curves, error_of, plain, staged
from bareboat.train.encoders import by_feature, encoder, texts
from bareboat.train.fitted import Fitted, Fitting
from bareboat.train.installed import need
from bareboat.train.libraries.shares import shares
from bareboat.train.losses import BOOSTING, HISTOGRAM
from bareboat.train.options import PATIENCE

_CHUNK = 50  # rounds of GradientBoosting between two looks at the validation rows


def fit(fitting: Fitting) -> Fitted:
    """Fit, on one thread: sums of several come in another order each time.

    Raises:
        BareboatError: scikit-learn is not installed.
    """
    need("sklearn", "fits the model")
    limits = need("threadpoolctl", "limits scikit-learn to a thread").threadpool_limits
    words = fitting.loss.words["sklearn"]
    with limits(1):
        if HISTOGRAM in words and fitting.options.subsample == 1.0:
            return _histogram(fitting, words[HISTOGRAM])
        why = f"--loss {fitting.loss.name}" if HISTOGRAM not in words else "--subsample"
        fitting.notes.note(
            f"{why} is GradientBoosting's, not HistGradientBoosting's: categories become a column each, and missing "
            "numbers the median with a column that says so"
        )
        return _boosting(fitting, words[BOOSTING])


def _histogram(fitting: Fitting, loss: str) -> Fitted:
    ensemble = need("sklearn.ensemble", "fits the model")
    options, is_classifier = fitting.options, fitting.n_classes > 0
    kind = ensemble.HistGradientBoostingClassifier if is_classifier else ensemble.HistGradientBoostingRegressor
    settings: dict[str, Any] = {
        "loss": loss,
        "max_iter": options.rounds,
        "learning_rate": options.learning_rate,
        "min_samples_leaf": fitting.least_in_leaf,
        "categorical_features": "from_dtype",
        "early_stopping": False,
        "random_state": options.seed,
    }
    if options.leaves is not None:
        settings["max_leaf_nodes"] = options.leaves
    if fitting.loss.name == "quantile":
        settings["quantile"] = options.alpha
    frame, truth = fitting.train
    model = kind(**settings)
    if fitting.validation is not None:
        frame_out, truth_out = fitting.validation
        model.set_params(early_stopping=True, n_iter_no_change=PATIENCE, tol=0.0)
        model.fit(frame, truth, X_val=frame_out, y_val=truth_out)
    else:
        model.fit(frame, truth)
    curves = _curves(fitting, model, frame, None if fitting.validation is None else fitting.validation[0])
    rounds, why = curves.best()
    settings["max_iter"] = rounds
    best = kind(**settings).fit(frame, truth)  # the same rounds again: what came after them is private to the estimator
    return _fitted(fitting, best, settings, curves, (rounds, why), best, lambda rows: rows)


def _boosting(fitting: Fitting, loss: str) -> Fitted:
    ensemble = need("sklearn.ensemble", "fits the model")
    pipelines = need("sklearn.pipeline", "fits the model")
    options, is_classifier = fitting.options, fitting.n_classes > 0
    settings: dict[str, Any] = {
        "loss": loss,
        "n_estimators": options.rounds,
        "learning_rate": options.learning_rate,
        "subsample": options.subsample,
        "random_state": options.seed,
    }
    if options.leaves is not None:
        settings |= {"max_leaf_nodes": options.leaves, "max_depth": None}
    if fitting.loss.name in {"quantile", "huber"}:
        settings["alpha"] = options.alpha
    kind = ensemble.GradientBoostingClassifier if is_classifier else ensemble.GradientBoostingRegressor
    transformer = encoder(fitting, impute=True)
    rows = transformer.fit_transform(texts(fitting.train[0]))
    outside = None if fitting.validation is None else transformer.transform(texts(fitting.validation[0]))
    model = _grow(fitting, kind(**settings), rows, outside)
    curves = _curves(fitting, model, rows, outside)
    rounds, why = curves.best()
    settings["n_estimators"] = rounds
    best = kind(**settings).fit(rows, fitting.train[1])
    model = pipelines.Pipeline([("encode", transformer), ("boost", best)])
    return _fitted(fitting, model, settings, curves, (rounds, why), best, texts)


def _grow(fitting: Fitting, model: Any, rows: Any, outside: Any) -> Any:
    """Grow until the validation error has not become smaller for PATIENCE rounds; without such rows, all of them."""
    if outside is None or fitting.validation is None:
        return model.fit(rows, fitting.train[1])
    error, truth = error_of(fitting.loss.metric, fitting.options.alpha), fitting.validation[1]
    model.set_params(warm_start=True)
    for grown in range(_CHUNK, fitting.options.rounds + _CHUNK, _CHUNK):
        model.set_params(n_estimators=min(grown, fitting.options.rounds))
        model.fit(rows, fitting.train[1])
        errors = staged(_stages(model)(outside), truth, error)
        if len(errors) - 1 - int(np.argmin(errors)) >= PATIENCE:
            break
    return model


def _stages(model: Any) -> Callable[[Any], Any]:
    stages: Callable[[Any], Any] = getattr(model, "staged_predict_proba", None) or model.staged_predict
    return stages


def _curves(fitting: Fitting, model: Any, rows: Any, outside: Any) -> Curves:
    error = error_of(fitting.loss.metric, fitting.options.alpha)
    train = staged(_stages(model)(rows), fitting.train[1], error)
    truth: Truth = fitting.train[1] if fitting.validation is None else fitting.validation[1]
    validation = () if outside is None else staged(_stages(model)(outside), truth, error)
    improvement = () if fitting.is_refit else plain(getattr(model, "oob_improvement_", ()))
    return Curves(fitting.loss.metric, train, validation, _oob(fitting, model), improvement)


def _oob(fitting: Fitting, model: Any) -> tuple[float, ...]:
    """Return out-of-bag errors in the metric of the curves, where scikit-learn's loss can be turned into it."""
    scores = plain(getattr(model, "oob_scores_", ()))
    if fitting.loss.name == "squared_error":
        return tuple(float(np.sqrt(score)) for score in scores)
    if fitting.loss.name == "log_loss":  # the deviance of two classes is twice the log loss
        return tuple(score / 2 if fitting.n_classes == 2 else score for score in scores)
    return scores if fitting.loss.name in {"absolute_error", "quantile"} else ()


def _fitted(
    fitting: Fitting,
    model: Any,
    settings: dict[str, Any],
    curves: Curves,
    best: tuple[int, str],
    booster: Any,
    prepare: Callable[[Any], Any],
) -> Fitted:
    sklearn = need("sklearn", "fits the model")
    if model is booster:
        importances, word = _permuted(fitting, model)
    else:
        importances = shares(by_feature(fitting, model[0], booster.feature_importances_))
        word = "impurity: by how much all splits on the feature made the training error smaller"
    return Fitted(
        library=f"scikit-learn {sklearn.__version__}",
        estimator=type(booster).__name__ if model is booster else f"Pipeline(encoders, {type(booster).__name__})",
        settings=settings,
        file_name="model.joblib",
        data=saved(model),
        curves=curves,
        rounds=best[0],
        why=best[1],
        importances=importances,
        importance=word,
        predict=lambda rows: (model.predict_proba if fitting.n_classes else model.predict)(prepare(rows)),
        packages=("scikit-learn", "joblib"),
    )


def _permuted(fitting: Fitting, model: Any) -> tuple[Any, str]:
    """Return the importances of histograms, which scikit-learn does not keep: what shuffling a column costs."""
    inspection = need("sklearn.inspection", "ranks features")
    rows, truth = fitting.validation or fitting.train
    if len(truth) > 2000:
        chosen = np.sort(np.random.default_rng(fitting.options.seed).choice(len(truth), 2000, replace=False))
        rows, truth = rows.iloc[chosen], truth[chosen]
    scoring = "neg_log_loss" if fitting.n_classes else "neg_mean_absolute_error"
    known = np.isin(truth, np.unique(fitting.train[1])) if fitting.n_classes else np.ones(len(truth), bool)
    found = inspection.permutation_importance(
        model,
        rows[known],
        truth[known],
        n_repeats=3,
        random_state=fitting.options.seed,
        scoring=_scorer(model, fitting.n_classes) if fitting.n_classes else scoring,
    )
    return shares(found.importances_mean), "permutation: by how much the error grows when the feature is shuffled"


def _scorer(_model: Any, n_classes: int) -> Callable[[Any, Any, Any], float]:
    error = error_of("log_loss", 0.5)
    assert n_classes
    return lambda model, rows, truth: -error(model.predict_proba(rows), truth)


LEAF = -1  # the child of a node that has none


def saved(model: Any) -> bytes:
    """Return a model's file: the same model gives the same bytes."""
    joblib = need("joblib", "saves the model")
    booster = model if hasattr(model, "n_iter_no_change") else model[-1]
    for tree in np.ravel(getattr(booster, "estimators_", ())):
        _clear_padding(tree.tree_)
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


def _clear_padding(tree: Any) -> None:
    """Zero what a tree's nodes never set: it is what memory held, and the file would differ each time.

    That is the padding behind their fields, and where missing values would go at a leaf (`_add_node` of scikit-learn's
    `_tree.pyx` sets it for splits alone).
    """
    state = tree.__getstate__()
    nodes = np.zeros(state["nodes"].shape, state["nodes"].dtype)
    for name in nodes.dtype.names:
        nodes[name] = state["nodes"][name]
    nodes["missing_go_to_left"][nodes["left_child"] == LEAF] = 0
    tree.__setstate__({**state, "nodes": nodes})
