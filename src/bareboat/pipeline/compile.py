"""A fitted model -> Pipeline. `transformers/` and `estimators/` know the classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bareboat.forest.readers.child_openers import package
from bareboat.forest.readers.sklearn_estimator import check_version
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.attribute import attribute
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.estimators import answer_of, unknown_estimators, unknown_steps
from bareboat.pipeline.ir import Pipeline
from bareboat.pipeline.prune import pruned


def compile_model(model: Any) -> Pipeline:
    """Take a fitted model apart.

    Args:
        model: a scikit-learn Pipeline or estimator; LightGBM, XGBoost and CatBoost estimators are known too.
    Raises:
        NotCompilable: a step of it is unknown, is of a class of somebody's own, is not fitted, or predicts in a way
            that cannot be compiled; all unknown steps are named.
        ModelError: the installed scikit-learn is not one whose estimators are known.
    """
    unknown = list(dict.fromkeys(unknown_estimators(model)))
    if unknown:
        raise unknown_steps(unknown)
    version = check_version()
    names = _feature_names(model)
    builder = Builder(names)
    answer = answer_of(model, builder, Block(np.arange(len(names), dtype=np.int32)))
    outputs = answer.outputs
    return pruned(
        builder.pipeline(
            kind=answer.kind,
            outputs=np.zeros(0, np.int32) if outputs is None else outputs,
            source=f"sklearn {version} {type(model).__name__}" if package(type(model)) == "sklearn" else _source(model),
            objective=", ".join(dict.fromkeys(_class_names(model))),
            label=_label(answer),
            classes=answer.classes,
        )
    )


def _label(answer: Answer) -> int | None:
    """Return the slot of the predicted class. Without probabilities there must be one."""
    assert answer.label is not None or answer.proba is not None or not answer.classes
    return answer.label


def _source(model: Any) -> str:
    from importlib.metadata import PackageNotFoundError, version

    name = package(type(model))
    try:
        return f"{name} {version(name)} {type(model).__name__}"
    except PackageNotFoundError:
        return f"{name} {type(model).__name__}"


def _class_names(model: Any) -> Iterator[str]:
    """Yield the class of each step that is no mere container, in order."""
    from bareboat.pipeline.estimators.registry import PARTS

    inner = list(_inside(model, PARTS))
    if inner and type(model).__name__ not in {"VotingClassifier", "VotingRegressor"}:
        for _, each in inner:
            yield from _class_names(each)
    if not inner or type(model).__name__ not in {"Pipeline", "ColumnTransformer", "FeatureUnion"}:
        yield type(model).__name__


def _inside(model: Any, parts: Any) -> Iterator[tuple[str, Any]]:
    name = type(model).__name__
    found: Any = ()
    if name in parts:
        found = parts[name](model)
    elif name == "ColumnTransformer":
        found = ((each[0], each[1]) for each in getattr(model, "transformers_", ()))
    elif name == "FeatureUnion":
        found = model.transformer_list
    yield from ((step, each) for step, each in found if each is not None and not isinstance(each, str))


def _feature_names(model: Any) -> tuple[str, ...]:
    """Return the names of the columns, or x0, x1, ... as scikit-learn calls nameless ones.

    Raises:
        NotCompilable: the model does not know how many there are: it is not fitted.
    """
    names, count = _names_of(model)
    if names is not None:
        return names
    if count is None:
        raise NotCompilable(
            f"a {type(model).__name__} that is not fitted", expected="a fitted one", fix="call its fit first"
        )
    return tuple(f"x{place}" for place in range(count))


def _names_of(model: Any) -> tuple[tuple[str, ...] | None, int | None]:
    """Return names and number of columns as the model, or the first thing in it that says so, tells them."""
    from bareboat.pipeline.estimators.registry import PARTS

    names, count = attribute(model, "feature_names_in_"), attribute(model, "n_features_in_")
    if count is None and type(model).__name__ == "IsotonicRegression" and attribute(model, "X_thresholds_") is not None:
        count = 1
    if names is None and package(type(model)) == "catboost":
        names = attribute(model, "feature_names_")
    if names is not None:
        return tuple(str(name) for name in names), len(names)
    for _, each in _inside(model, PARTS):
        if type(model).__name__ in {"ColumnTransformer", "FeatureUnion"}:
            break
        inner_names, inner_count = _names_of(each)
        if inner_names is not None:
            return inner_names, len(inner_names)
        count = inner_count if count is None else count
        if type(model).__name__ == "Pipeline":
            break
    return None, None if count is None else int(count)
