"""A compiled pipeline as bareboat understands it: what compilers of models return and what the file writer takes.

A pipeline is a list of steps over *slots*, one float64 each. The first `n_features` slots are the row, the others are
written by the steps, each in its turn. Text never gets here: a column of text, of booleans beside text or of whatever
is told apart only by being equal comes as a code, its place in `Column.values`; `OTHER` is a value that is not among
them, NaN a missing one. All arithmetic is float64, one operation after the other, none fused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Category, Ensemble, Floats

OTHER = -1.0
"""The code of a value that is none of `Column.values`."""

ABSENT = -1
"""In a table of ONE_HOT or LOOKUP: no column is hot, or the outputs are 0."""

REFUSED = -2
"""In a table of ONE_HOT or LOOKUP: the row cannot be answered."""

Slots = NDArray[np.int32]
Whole = NDArray[np.int64]
Dtype = Literal["float", "int", "bool", "string", "category", "datetime"]
Kind = Literal["proba", "decision", "label", "value"]


class Op(IntEnum):
    """What a step does. The numbers are those of the `.pipeline` file.

    `x` are the inputs, `y` the outputs, `p` is `Step.numbers`, `w` is `Step.whole`, `k` the number of inputs. Two
    numbers *match* when they are equal or both NaN.
    """

    COPY = 0
    """y[i] = x[i]."""
    ADD = 1
    """y[i] = x[i] + p[i]."""
    SUBTRACT = 2
    """y[i] = x[i] - p[i]."""
    REVERSE = 3
    """y[i] = p[i] - x[i]."""
    MULTIPLY = 4
    """y[i] = x[i] * p[i]."""
    DIVIDE = 5
    """y[i] = x[i] / p[i]."""
    CLIP = 6
    """y[i] = p[2i] when x[i] < p[2i], p[2i + 1] when x[i] > p[2i + 1], else x[i]; NaN stays NaN."""
    REPLACE = 7
    """y[i] = p[2i + 1] when x[i] matches p[2i], else x[i]."""
    MATCHES = 8
    """y[i] = 1 when x[i] matches p[i], else 0."""
    GREATER = 9
    """y[i] = 1 when x[i] > p[i], or x[i] >= p[i] with w[0] = 1; else 0, and 0 for NaN."""
    FUNCTION = 10
    """y[i] = f(x[i]); w[0] is a Function."""
    PRODUCT = 11
    """y[i] = x[2i] * x[2i + 1]."""
    NORMALIZE = 12
    """y = x / norm, which is the sum of absolute values (w[0] = 0), the root of the sum of squares (1), the greatest
    absolute value (2) or the plain sum (3); where the norm is 0, or below p[0] if that is given, y = x, or with
    w[1] = 1 each y[i] = 1 / k."""
    FIND = 13
    """One x; y[0] is the place of the number in p, which rises (NaN, if it is there, stands last), that matches x, or
    OTHER; NaN that is not in p stays NaN."""
    BIN = 14
    """One x; y[0] is how many numbers of p, which does not fall, are <= x; NaN: all of them."""
    ONE_HOT = 15
    """One x, a code; t = w[2 + code], or w[0] for a code below 0 or beyond the table, or w[1] for NaN. y[t] = 1 and all
    other y are 0; t may be ABSENT or REFUSED."""
    LOOKUP = 16
    """One x, a code; t as for ONE_HOT; y[j] = p[t * n_out + j]; t may be ABSENT (zeros) or REFUSED."""
    DOT = 17
    """y[j] = (x[0] * p[n_out + j * k] + x[1] * p[n_out + j * k + 1] + ...) + p[j]."""
    FOREST = 18
    """y = the scores of `forests[w[0]]` for the row x: raw ones (w[1] = 0), or as `OpenForest.predict` gives them (1),
    which for a binary classifier of one output are two probabilities."""
    SOFTMAX = 19
    """y[i] = exp(x[i] - max) / sum."""
    INTERPOLATE = 20
    """One x; p is an x-axis that does not fall and as many values: linear between them, the first or last value
    outside, as numpy.interp computes it: slope * (x - left) + value at left. NaN stays NaN."""
    AVERAGE = 21
    """x is g groups of n_out; y[j] = (x[j] * p[0] + x[n_out + j] * p[1] + ...) / p[g]."""
    ARGMAX = 22
    """y[0] is the place of the first of the greatest x."""
    VOTE = 23
    """y[0] is the first whole number below w[0] that has most votes; x[i] votes with weight p[i] for number x[i]."""


class Function(IntEnum):
    """What FUNCTION applies, by the names of numpy; EXPIT is 1 / (1 + exp(-x))."""

    ABSOLUTE = 0
    SQRT = 1
    EXP = 2
    EXPM1 = 3
    LOG = 4
    LOG1P = 5
    LOG2 = 6
    LOG10 = 7
    SQUARE = 8
    RECIPROCAL = 9
    NEGATIVE = 10
    SIGN = 11
    FLOOR = 12
    CEIL = 13
    RINT = 14
    TRUNC = 15
    SIN = 16
    COS = 17
    TAN = 18
    ARCSIN = 19
    ARCCOS = 20
    ARCTAN = 21
    SINH = 22
    COSH = 23
    TANH = 24
    ARCSINH = 25
    ARCCOSH = 26
    ARCTANH = 27
    CBRT = 28
    EXP2 = 29
    EXPIT = 30
    DEG2RAD = 31
    RAD2DEG = 32


EXACT = frozenset(set(Op) - {Op.DOT, Op.SOFTMAX, Op.NORMALIZE, Op.FUNCTION})
"""The operations whose results equal scikit-learn's to the bit; FUNCTION does so for those that only round, compare,
multiply or take a root."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input of a pipeline.

    Args:
        name: as the model knows it.
        dtype: float, int or bool for a number (a boolean is 0 or 1), string or category for a code.
        values: of a code the values by code, in the order in which the compiler met them; None for a number.
        others: whether a value that is not among `values` (or, for a number, not in `enum`) can be answered.
        nullable: whether a missing value can be answered.
        enum: what a number may be when only some numbers can be answered; None for any. The same of a code: the values
            that can be answered when that is not all of `values`.
        used: whether any step reads it.
        shape: of a column whose values are tensors (lists in lists), None for any length; compiled pipelines have none.
    """

    name: str
    dtype: Dtype = "float"
    values: tuple[Category | None, ...] | None = None
    others: bool = True
    nullable: bool = True
    enum: tuple[Category, ...] | None = None
    used: bool = True
    shape: tuple[int | None, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One operation.

    Args:
        op: what it does, and what shapes the rest has.
        inputs: (k,) slots that it reads, all written before.
        n_out: how many slots it writes, after all that are there.
        numbers: its float64 parameters.
        whole: its whole-number parameters.
        bound: how far an output may be from the framework's, in units of the last place of the greatest intermediate
            value; 0 for equal to the bit.
    """

    op: Op
    inputs: Slots
    n_out: int
    numbers: Floats = field(default_factory=lambda: np.zeros(0))
    whole: Whole = field(default_factory=lambda: np.zeros(0, np.int64))
    bound: float = 0.0


class Tabular:
    """What a model with columns and classes says of them, whatever answers for it."""

    __slots__ = ()

    columns: tuple[Column, ...]
    classes: tuple[Category, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def n_features(self) -> int:
        """How many values a row has."""
        return len(self.columns)

    @property
    def n_classes(self) -> int:
        """0 for a regressor."""
        return len(self.classes)

    @property
    def is_classifier(self) -> bool:
        """Whether it answers with a label."""
        return bool(self.classes)


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline(Tabular):
    """Columns in, probabilities, decisions or values out.

    Args:
        columns: the row, in the model's order.
        steps: in the order in which they run.
        forests: what FOREST steps read; their feature names have no meaning.
        kind: what `outputs` are: probabilities of a classifier ("proba"), its decision function ("decision", as a
            linear SVC has it), nothing ("label", as hard voting), or predictions of a regressor ("value").
        outputs: slots; n_classes of them for "proba".
        label: the slot that holds the index of the predicted class; None when that is the first of the greatest
            probabilities, or there are no classes.
        classes: the labels of a classifier, in order.
        source: such as `sklearn 1.7.2 Pipeline`.
        objective: in a few words what it predicts with, such as `StandardScaler, OneHotEncoder, LogisticRegression`.
        notes: what a person should know.
    """

    columns: tuple[Column, ...]
    steps: tuple[Step, ...]
    forests: tuple[Ensemble, ...]
    kind: Kind
    outputs: Slots
    label: int | None
    classes: tuple[Category, ...]
    source: str
    objective: str
    notes: tuple[str, ...] = ()

    @property
    def n_outputs(self) -> int:
        """How many numbers it answers with, the label aside."""
        return len(self.outputs)

    @property
    def n_slots(self) -> int:
        """How many slots a row takes while it is computed."""
        return self.n_features + sum(step.n_out for step in self.steps)

    @property
    def n_trees(self) -> int:
        """How many trees there are in all forests."""
        return sum(forest.n_trees for forest in self.forests)

    @property
    def is_exact(self) -> bool:
        """Whether every output equals the framework's to the bit."""
        return all(step.bound == 0.0 for step in self.steps)
