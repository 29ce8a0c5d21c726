"""A fitted estimator -> the Answer of the function that knows its class, and who stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.child_openers import package
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.errors import ANOTHER_ENGINE, NotCompilable
from bareboat.pipeline.transformers import described, unknown_transformers
from bareboat.pipeline.transformers.registry import Path

Compile = Callable[[Any, Builder, Block, Path], Answer]
Parts = Callable[[Any], Iterator[tuple[str, Any]]]

PACKAGES = ("sklearn", "lightgbm", "xgboost", "catboost", "imblearn")


def answer_of(estimator: Any, builder: Builder, block: Block, path: Path = ()) -> Answer:
    """Append the steps of a fitted estimator.

    Args:
        estimator: of a class in `ESTIMATORS`.
        block: what its `predict` is given.
        path: the names of the steps that lead to it.
    Raises:
        NotCompilable: it is unknown, not fitted, or predicts in a way that cannot be compiled; names it.
    """
    known = _known(estimator)
    if known is None:
        raise unknown_steps([described(estimator, path)])
    try:
        return known(estimator, builder, block, path)
    except NotCompilable:
        raise
    except ModelError as error:
        step = described(estimator, path)
        problem = error.problems[0]
        fix = f"{problem.fix}; or {ANOTHER_ENGINE}" if problem.fix else ANOTHER_ENGINE
        raise NotCompilable(f"{step}: {problem.found}", expected=problem.expected, fix=fix, steps=[step]) from error


def unknown_estimators(estimator: Any, path: Path = ()) -> Iterator[str]:
    """Yield every estimator and transformer within one that cannot be compiled, as messages name it."""
    from bareboat.pipeline.estimators.registry import PARTS

    if _known(estimator) is None:
        yield described(estimator, path)
        return
    parts = PARTS.get(type(estimator).__name__)
    for name, part in parts(estimator) if parts else ():
        yield from (unknown_estimators if predicts(part) else unknown_transformers)(part, (*path, name))


def unknown_steps(steps: list[str]) -> NotCompilable:
    """Return the error for steps that nothing here knows."""
    return NotCompilable(
        "; ".join(steps) + (" cannot be compiled" if len(steps) == 1 else ": these cannot be compiled"),
        expected="the classes of scikit-learn, LightGBM, XGBoost and CatBoost that docs/pipelines.md names",
        steps=steps,
    )


def predicts(thing: Any) -> bool:
    """Whether an object is there to predict with rather than to transform."""
    kind = type(thing)
    if kind.__name__ == "Pipeline":
        return bool(thing.steps) and predicts(thing.steps[-1][1])
    return _known(thing) is not None or (hasattr(kind, "predict") and not hasattr(kind, "transform"))


def _known(estimator: Any) -> Compile | None:
    from bareboat.pipeline.estimators.registry import ESTIMATORS

    return ESTIMATORS.get(type(estimator).__name__) if package(type(estimator)) in PACKAGES else None
