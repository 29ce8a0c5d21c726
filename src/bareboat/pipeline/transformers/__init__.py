"""Fitted scikit-learn transformers -> steps of a Pipeline. Importing it imports no scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bareboat.errors import ModelError
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.ir import Slots

Path = tuple[str, ...]
"""The names of the steps that lead to a transformer, the outermost first."""

Compile = Callable[[Any, Builder, Block, Path], Block]
Invert = Callable[[Any, Builder, Slots], Slots]

TRANSFORMERS: dict[str, Compile] = {}
"""By class name, of the package sklearn."""

INVERSES: dict[str, Invert] = {}
"""`inverse_transform` by class name."""


def compile_transformer(transformer: Any, builder: Builder, block: Block, path: Path = ()) -> Block:
    """Append the steps of a fitted transformer, and return the columns that it gives.

    Args:
        transformer: of scikit-learn, or "passthrough" or None. "drop" gives no columns.
        block: what it is applied to.
        path: the names of the steps that lead to it, as messages name it.
    Raises:
        NotCompilable: it, or a step within it, is unknown, not fitted or has a parameter that cannot be compiled; all
            unknown steps are named.
    """
    check_known(transformer, path)
    return _compiled(transformer, builder, block, path)


def compile_inverse(transformer: Any, builder: Builder, slots: Slots, path: Path = ()) -> Slots:
    """Append the steps of `inverse_transform`, and return the slots that it gives.

    Raises:
        NotCompilable: it is unknown, or it cannot be undone.
    """
    if _is_nothing(transformer):
        return slots
    known = INVERSES.get(_class(transformer))
    if known is None or not _is_sklearn(transformer):
        step = described(transformer, path)
        raise NotCompilable(
            f"{step} has no inverse that can be compiled",
            expected="one of " + ", ".join(sorted(INVERSES)),
            steps=[step],
        )
    return known(transformer, builder, slots)


def unknown_transformers(transformer: Any, path: Path = ()) -> Iterator[str]:
    """Yield every transformer within one that no compiler is known for, as messages name it."""
    if _is_nothing(transformer) or transformer == "drop":
        return
    if not _is_sklearn(transformer) or _class(transformer) not in TRANSFORMERS:
        yield described(transformer, path)


def check_known(transformer: Any, path: Path = ()) -> None:
    """Refuse a transformer that holds unknown ones.

    Raises:
        NotCompilable: names them all.
    """
    unknown = list(unknown_transformers(transformer, path))
    if unknown:
        raise NotCompilable(
            "; ".join(unknown)
            + (" is no transformer" if len(unknown) == 1 else " are no transformers")
            + " that can be compiled",
            expected="transformers of scikit-learn: " + ", ".join(sorted(TRANSFORMERS)),
            steps=unknown,
        )


def described(transformer: Any, path: Path) -> str:
    """Return how messages name a step: `pipeline step 'prep' > 'tfidf' (package.Class)`."""
    kind = type(transformer)
    name = f"{kind.__module__}.{kind.__qualname__}"
    parts = [part for part in name.split(".") if not part.startswith("_")]
    shown = ".".join(parts)
    return f"pipeline step {' > '.join(map(repr, path))} ({shown})" if path else shown


def _compiled(transformer: Any, builder: Builder, block: Block, path: Path) -> Block:
    if _is_nothing(transformer):
        return block
    if isinstance(transformer, str) and transformer == "drop":
        return block.at([])
    try:
        return TRANSFORMERS[_class(transformer)](transformer, builder, block, path)
    except NotCompilable:
        raise
    except ModelError as error:
        step = described(transformer, path)
        problem = error.problems[0]
        raise NotCompilable(f"{step}: {problem.found}", expected=problem.expected, steps=[step]) from error


def _is_nothing(transformer: Any) -> bool:
    return transformer is None or (isinstance(transformer, str) and transformer == "passthrough")


def _class(transformer: Any) -> str:
    return type(transformer).__name__


def _is_sklearn(transformer: Any) -> bool:
    return type(transformer).__module__.split(".")[0] == "sklearn"
