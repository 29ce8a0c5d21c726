"""A live object -> what kind of model it is: trees alone, something to compile, something that predicts, or nothing."""

from __future__ import annotations

from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.child_openers import OPENERS, class_name, package
from bareboat.pipeline.errors import NotCompilable

_SEARCHES = ("GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV")


def model_inside(model: Any) -> Any:
    """Return what a search of parameters has found best, or the model itself."""
    while package(type(model)) == "sklearn" and type(model).__name__ in _SEARCHES and hasattr(model, "best_estimator_"):
        model = model.best_estimator_
    return model


def is_trees(model: Any) -> bool:
    """Whether an opener of `bareboat.forest` knows the very class."""
    kind = type(model)
    return any(
        base.__name__ in opener.classes and package(base) == package(kind) == opener.package
        for opener in OPENERS
        for base in kind.__mro__
    )


def refuse_strangers(model: Any) -> None:
    """Refuse what is no model, and a class of somebody's own.

    Raises:
        ModelError: it cannot predict.
        NotCompilable: it can, but nobody here knows how.
    """
    from bareboat.pipeline.estimators.dispatch import unknown_estimators, unknown_steps

    if is_trees(model):
        return
    if isinstance(model, type) or not callable(getattr(model, "predict", None)):
        raise _no_model(model)
    own = [base for base in type(model).__mro__ if package(base) in {"sklearn", "lightgbm", "xgboost", "catboost"}]
    if own and package(type(model)) != package(own[0]) and package(type(model)) != "imblearn":
        name = class_name(type(model))
        raise NotCompilable(
            f"an object of {name}, which derives from {own[0].__name__}",
            steps=[name],
            expected=f"a class of {package(own[0])} itself: another one may predict otherwise",
        )
    unknown = list(dict.fromkeys(unknown_estimators(model)))
    if unknown:
        raise unknown_steps(unknown)


def _no_model(model: Any) -> ModelError:
    """Say what is taken."""
    return ModelError(
        f"the class {class_name(model)} itself"
        if isinstance(model, type)
        else f"an object of {class_name(type(model))}, which has no method predict",
        expected="a fitted model: trees, a linear model or a Pipeline of LightGBM, XGBoost, CatBoost or scikit-learn, "
        "or anything else with predict, which its own framework serves (docs/engines.md)",
        fix="save the model alone, without what is around it"
        if isinstance(model, dict | list | tuple | set)
        else "save the fitted model itself: joblib.dump(model, 'model.joblib')",
    )
