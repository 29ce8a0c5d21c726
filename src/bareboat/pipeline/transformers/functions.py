"""FunctionTransformer of numpy's own functions, and PolynomialFeatures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import Function, Op, Slots
from bareboat.pipeline.transformers.registry import check_double, compiles, inverts

ROUNDED_ONCE = frozenset(
    {
        Function.ABSOLUTE, Function.SQRT, Function.SQUARE, Function.RECIPROCAL, Function.NEGATIVE, Function.SIGN,
        Function.FLOOR, Function.CEIL, Function.RINT, Function.TRUNC, Function.DEG2RAD, Function.RAD2DEG,
    }
)  # fmt: skip
"""The functions that every computer computes to the same bit."""

BOUND = 4.0
"""How many units of the last place the other functions of numpy and of a C library may be apart."""

OF_SPARSE = frozenset(
    {
        Function.ABSOLUTE, Function.NEGATIVE, Function.SQRT, Function.EXPM1, Function.LOG1P, Function.FLOOR,
        Function.CEIL, Function.RINT, Function.TRUNC, Function.SIN, Function.TAN, Function.ARCSIN, Function.ARCTAN,
        Function.SINH, Function.TANH, Function.ARCSINH, Function.ARCTANH, Function.DEG2RAD, Function.RAD2DEG,
    }
)  # fmt: skip
"""The functions that sparse matrices have. (Of one, numpy.square is the product of matrices.)"""

SAME = {"fabs": "ABSOLUTE", "degrees": "RAD2DEG", "radians": "DEG2RAD"}
"""What numpy has under a second name."""


@compiles("FunctionTransformer")
def function_transformer(transformer: Any, builder: Builder, block: Block) -> Block:
    """Apply a function of numpy to each number."""
    if transformer.validate:
        builder.refuse_missing(block.slots)
    if transformer.func is None:
        return block
    check_double(block)
    if transformer.kw_args:
        raise ModelError(f"calls its function with kw_args={sorted(transformer.kw_args)}", expected="none")
    builder.numbers(block.slots)
    if transformer.func is np.isnan and not block.sparse:
        return block.of(builder.add(Op.MATCHES, block.slots, numbers=[math.nan] * block.width), "bool")
    function = named(transformer.func)
    if block.dtype != "float64" and (block.dtype != "int64" or function == Function.RECIPROCAL):
        raise ModelError(f"applies {function.name.lower()} to {block.dtype}", expected="float64")
    if block.sparse and function not in OF_SPARSE:
        raise ModelError(f"applies {function.name.lower()} to a sparse matrix", expected="a dense one")
    return block.of(applied(builder, function, block.slots), block.dtype if _keeps_whole(function) else "float64")


@inverts("FunctionTransformer")
def undo_function(transformer: Any, builder: Builder, slots: Slots) -> Slots:
    """Apply inverse_func; without one, nothing is done."""
    if transformer.inverse_func is None:
        return slots
    if transformer.inv_kw_args:
        raise ModelError(f"calls its function with inv_kw_args={sorted(transformer.inv_kw_args)}", expected="none")
    return applied(builder, named(transformer.inverse_func), slots)


@compiles("PolynomialFeatures")
def polynomial_features(transformer: Any, builder: Builder, block: Block) -> Block:
    """Products of columns, multiplied in the order in which scikit-learn does."""
    check_double(block)
    builder.numbers(block.slots)
    builder.refuse_missing(block.slots)
    if not attribute(transformer, "n_output_features_"):
        return block.of([], "float64")
    powers = np.asarray(attribute(transformer, "powers_"), np.int64)
    made: dict[tuple[int, ...], int] = {}

    def product(places: tuple[int, ...]) -> int:
        if places not in made:
            if len(places) == 1:
                made[places] = int(block.slots[places[0]])
            else:
                # Dense: each column times all products of the degree below. Sparse: from left to right.
                rest, last = (places[:-1], places[-1]) if block.sparse else (places[1:], places[0])
                made[places] = int(builder.add(Op.PRODUCT, [product(rest), int(block.slots[last])], 1)[0])
        return made[places]

    slots = []
    for row in powers:
        places = tuple(np.repeat(np.arange(len(row)), row).tolist())
        slots.append(product(places) if places else constant(builder, 1.0))
    return block.of(slots, "float64")


def constant(builder: Builder, value: float) -> int:
    """Append a step that gives the same number for every row, and return its slot."""
    return int(builder.add(Op.LOOKUP, [0], 1, numbers=[value], whole=[0, 0])[0])


def named(function: Any) -> Function:
    """Return which function of the IR a function of numpy or scipy.special is.

    Raises:
        ModelError: it is none, such as a lambda or a function of one's own.
    """
    name = str(getattr(function, "__name__", type(function).__name__))
    module = str(getattr(function, "__module__", "") or "")
    if isinstance(function, np.ufunc):
        known = SAME.get(name, name.upper())
        if function is getattr(np, name, None) and known in Function.__members__ and known != "EXPIT":
            return Function[known]
        if name == "expit":
            return Function.EXPIT
    shown = "a lambda" if name == "<lambda>" else f"{module}.{name}".lstrip(".")
    raise ModelError(
        f"calls {shown}",
        expected="None or one of numpy's "
        + ", ".join(each.name.lower() for each in Function if each.name != "EXPIT")
        + ", isnan, or scipy.special.expit",
    )


def applied(builder: Builder, function: Function, slots: Slots) -> Slots:
    """Append a function of each slot."""
    bound = 0.0 if function in ROUNDED_ONCE else BOUND
    return builder.add(Op.FUNCTION, slots, whole=[int(function)], bound=bound)


def _keeps_whole(function: Function) -> bool:
    return function in (Function.ABSOLUTE, Function.SQUARE, Function.NEGATIVE, Function.SIGN)
