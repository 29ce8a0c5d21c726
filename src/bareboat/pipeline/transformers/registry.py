"""Which transformers are known, and how a step that is not is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import check_version
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.ir import Slots

Path = tuple[str, ...]
"""The names of the steps that lead to a transformer, the outermost first."""

Compile = Callable[[Any, Builder, Block], Block]
Compose = Callable[[Any, Builder, Block, Path], Block]
Invert = Callable[[Any, Builder, Slots], Slots]
Children = Callable[[Any], Iterable[tuple[str, Any]]]

TRANSFORMERS: dict[str, Compile] = {}
"""By class name, of the package sklearn."""

COMPOSITES: dict[str, Compose] = {}
"""Those that are made of others, likewise."""

INVERSES: dict[str, Invert] = {}
"""`inverse_transform`, likewise."""

CHILDREN: dict[str, Children] = {}
"""The named steps within one that is made of others, likewise."""


def compiles(*names: str) -> Callable[[Compile], Compile]:
    """Make a function the compiler of transformers."""

    def register(function: Compile) -> Compile:
        TRANSFORMERS.update(dict.fromkeys(names, function))
        return function

    return register


def composes(name: str, children: Children) -> Callable[[Compose], Compose]:
    """Make a function the compiler of a transformer that is made of others."""

    def register(function: Compose) -> Compose:
        COMPOSITES[name] = function
        CHILDREN[name] = children
        return function

    return register


def inverts(*names: str) -> Callable[[Invert], Invert]:
    """Make a function the compiler of the inverses of transformers."""

    def register(function: Invert) -> Invert:
        INVERSES.update(dict.fromkeys(names, function))
        return function

    return register


def compile_transformer(transformer: Any, builder: Builder, block: Block, path: Path = ()) -> Block:
    """Append the steps of a fitted transformer, and return the columns that it gives.

    Args:
        transformer: of scikit-learn; "passthrough" or None leave the columns as they are, "drop" gives none.
        block: what it is applied to.
        path: the names of the steps that lead to it, as messages name it.
    Raises:
        NotCompilable: it, or a step within it, is unknown (all of these are named), not fitted, or has a parameter
            that cannot be compiled.
        ModelError: the installed scikit-learn is not one that is known.
    """
    check_version()
    check_known(transformer, path)
    return compile_known(transformer, builder, block, path)


def compile_known(transformer: Any, builder: Builder, block: Block, path: Path) -> Block:
    """Do as `compile_transformer` does once the names of all steps are known to be known."""
    if is_nothing(transformer):
        return block
    if is_dropped(transformer):
        return block.at(slice(0))
    name = type(transformer).__name__
    try:
        if name in COMPOSITES:
            return COMPOSITES[name](transformer, builder, block, path)
        return TRANSFORMERS[name](transformer, builder, block)
    except NotCompilable:
        raise
    except ModelError as error:
        raise _within(transformer, path, error) from error


def compile_inverse(transformer: Any, builder: Builder, slots: Slots, path: Path = ()) -> Slots:
    """Append the steps of `inverse_transform`, and return the slots that it gives.

    Raises:
        NotCompilable: it is unknown, or it cannot be undone.
    """
    if is_nothing(transformer):
        return slots
    known = INVERSES.get(type(transformer).__name__)
    if known is None or not _is_sklearn(transformer):
        step = described(transformer, path)
        raise NotCompilable(
            f"{step} has no inverse that can be compiled", expected=", ".join(sorted(INVERSES)), steps=[step]
        )
    try:
        return known(transformer, builder, slots)
    except NotCompilable:
        raise
    except ModelError as error:
        raise _within(transformer, path, error) from error


def unknown_transformers(transformer: Any, path: Path = ()) -> Iterator[str]:
    """Yield every transformer within one that no compiler is known for, as messages name it."""
    if is_nothing(transformer) or is_dropped(transformer):
        return
    name = type(transformer).__name__
    if _is_sklearn(transformer) and name in CHILDREN:
        for child, within in CHILDREN[name](transformer):
            yield from unknown_transformers(within, (*path, child))
    elif not _is_sklearn(transformer) or name not in TRANSFORMERS:
        yield described(transformer, path)


def check_known(transformer: Any, path: Path = ()) -> None:
    """Refuse a transformer that holds unknown ones.

    Raises:
        NotCompilable: names them all.
    """
    unknown = list(unknown_transformers(transformer, path))
    if unknown:
        raise NotCompilable(
            f"cannot be compiled: {', '.join(unknown)}",
            expected="transformers of scikit-learn: " + ", ".join(known_names()),
            steps=unknown,
        )


def known_names() -> list[str]:
    """Return the classes that can be compiled."""
    return sorted([*TRANSFORMERS, *COMPOSITES])


def collected(problems: list[NotCompilable]) -> NotCompilable:
    """Return one error for those of steps that stand beside each other."""
    if len(problems) == 1:
        return problems[0]
    error = NotCompilable("; ".join(each.problems[0].found for each in problems))
    error.problems = tuple(problem for each in problems for problem in each.problems)
    error.steps = tuple(step for each in problems for step in each.steps)
    return error


def described(step: Any, path: Path) -> str:
    """Return how messages name a step: `pipeline step 'prep' > 'tfidf' (package.Class)`."""
    kind = type(step)
    name = ".".join(part for part in (*kind.__module__.split("."), kind.__qualname__) if not part.startswith("_"))
    return f"pipeline step {' > '.join(map(repr, path))} ({name})" if path else name


def is_nothing(transformer: Any) -> bool:
    """Whether a step leaves its columns as they are."""
    return transformer is None or (isinstance(transformer, str) and transformer == "passthrough")


def is_dropped(transformer: Any) -> bool:
    """Whether a step drops its columns."""
    return isinstance(transformer, str) and transformer == "drop"


def check_double(block: Block) -> None:
    """Refuse what scikit-learn computes in float32.

    Raises:
        ModelError: the step before gives float32.
    """
    if block.dtype in ("float16", "float32"):
        raise ModelError(
            f"computes in {block.dtype}, because the step before it gives that",
            expected="float64",
            fix="leave dtype at float64 in the step before",
        )


def _within(transformer: Any, path: Path, error: ModelError) -> NotCompilable:
    step = described(transformer, path)
    problem = error.problems[0]
    fix = f"{problem.fix}; or engine: framework" if problem.fix else "engine: framework"
    return NotCompilable(f"{step}: {problem.found}", expected=problem.expected, fix=fix, steps=[step])


def _is_sklearn(transformer: Any) -> bool:
    return type(transformer).__module__.split(".")[0] == "sklearn"
