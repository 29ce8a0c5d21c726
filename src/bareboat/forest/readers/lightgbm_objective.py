"""The objective of a LightGBM model -> how raw scores become outputs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from bareboat.errors import ModelError
from bareboat.forest.ir import Transform

# Objective -> (transform, the parameters that its line may hold). Source: ConvertOutput and ToString of each class
# in src/objective/. `sqrt` (reg_sqrt) squares the output of those that inherit RegressionL2loss::ConvertOutput.
OBJECTIVES: dict[str, tuple[Transform, tuple[str, ...]]] = {
    "binary": (Transform.SIGMOID, ("sigmoid",)),
    "multiclass": (Transform.SOFTMAX, ("num_class",)),
    "multiclassova": (Transform.SIGMOID, ("num_class", "sigmoid")),
    "cross_entropy": (Transform.SIGMOID, ()),
    "cross_entropy_lambda": (Transform.LOG1P_EXP, ()),
    "regression": (Transform.IDENTITY, ("sqrt",)),
    "regression_l1": (Transform.IDENTITY, ("sqrt",)),
    "quantile": (Transform.IDENTITY, ("sqrt",)),
    "mape": (Transform.IDENTITY, ("sqrt",)),
    "fair": (Transform.IDENTITY, ("sqrt",)),
    "huber": (Transform.IDENTITY, ()),
    "poisson": (Transform.EXP, ()),
    "gamma": (Transform.EXP, ()),
    "tweedie": (Transform.EXP, ()),
    "lambdarank": (Transform.IDENTITY, ()),
    "rank_xendcg": (Transform.IDENTITY, ()),
    "custom": (Transform.IDENTITY, ()),
}


@dataclass(frozen=True, slots=True)
class Objective:
    """What was learned, and the shape of its outputs. `n_classes` is 0 where outputs are not classes."""

    name: str
    transform: Transform
    parameter: float
    n_classes: int
    n_outputs: int


Refuse = Callable[[str, str], ModelError]
"""Makes the error of what was found in the objective's line and what was expected."""


def parse_objective(line: str | None, n_outputs: int, refuse: Refuse) -> Objective:
    """Read the objective; a model without the line was trained with an objective of the user's own.

    Args:
        line: such as `multiclass num_class:3`.
        n_outputs: trees a round.
        refuse: makes the error of what is wrong with the line.
    Raises:
        ModelError: the objective or one of its parameters is not known, or contradicts `n_outputs`.
    """
    if line is None:
        return Objective("custom", Transform.IDENTITY, 1.0, 0, n_outputs)
    name, parameters = _words(line, refuse)
    transform = Transform.SIGNED_SQUARE if "sqrt" in parameters else OBJECTIVES[name][0]
    sigmoid = _sigmoid(parameters["sigmoid"], refuse) if "sigmoid" in parameters else 1.0
    n_classes = {"binary": 2, "multiclass": n_outputs, "multiclassova": n_outputs}.get(name, 0)
    _check_classes(name, parameters, n_outputs, refuse)
    return Objective(name, transform, sigmoid, n_classes, n_outputs)


def _words(line: str, refuse: Refuse) -> tuple[str, dict[str, str]]:
    name, *words = line.split() or [""]
    if name not in OBJECTIVES:
        raise refuse(f"the objective {name!r}", "one of " + ", ".join(sorted(OBJECTIVES)))
    known = OBJECTIVES[name][1]
    parameters: dict[str, str] = {}
    for word in words:
        key, _, value = word.partition(":")
        if key not in known or key in parameters or (key == "sqrt") != (not value):
            raise refuse(f"{word!r} in the objective {name}", ", ".join(known) or f"{name} with no parameters")
        parameters[key] = value
    for key in known:
        if key != "sqrt" and key not in parameters:
            raise refuse(f"the objective {name} without {key}", f"{name} ... {key}:<number>")
    return name, parameters


def _check_classes(name: str, parameters: dict[str, str], n_outputs: int, refuse: Refuse) -> None:
    if "num_class" in parameters:
        if parameters["num_class"] != str(n_outputs) or n_outputs < 2:
            raise refuse(
                f"num_class:{parameters['num_class']} in the objective",
                f"at least 2, and the header's num_class={n_outputs}",
            )
    elif n_outputs != 1 and name != "custom":
        raise refuse(f"the objective {name} with num_class={n_outputs}", "num_class=1")


def _sigmoid(word: str, refuse: Refuse) -> float:
    """Read the factor as LightGBM does (Common::Atof, whose last bit is not always the nearest)."""
    match = re.fullmatch(r"([0-9]{1,15})(?:\.([0-9]{1,15}))?(?:e([+-])([0-9]{1,3}))?", word)
    if match:
        whole, fraction, sign, exponent = match.groups()
        value = float(whole)
        if fraction:
            value += float(fraction) / 10.0 ** len(fraction)
        scale = _power_of_ten(min(int(exponent or 0), 308))
        value = value / scale if sign == "-" else value * scale
        if 0.0 < value < math.inf:
            return value
    raise refuse(f"sigmoid:{word[:40]}", "a number above 0")


def _power_of_ten(exponent: int) -> float:
    scale = 1.0
    for step, size in ((1e50, 50), (1e8, 8), (10.0, 1)):
        while exponent >= size:
            scale *= step
            exponent -= size
    return scale
