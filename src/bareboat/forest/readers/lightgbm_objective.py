"""The `objective=` line of a LightGBM model -> how raw scores become outputs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bareboat.forest.ir import Transform
from bareboat.forest.readers.lightgbm_text import Field, Fields, ModelText

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


def parse_objective(text: ModelText, header: Fields) -> Objective:
    """Read the objective; a model without the line was trained with an objective of the user's own.

    Raises:
        ModelError: the objective or one of its parameters is not known, or contradicts `num_class`.
    """
    num_class = text.integer(header.need("num_class"), at_least=1)
    n_outputs = text.integer(header.need("num_tree_per_iteration"), at_least=1)
    if n_outputs != num_class:
        raise text.error(
            header.need("num_tree_per_iteration"),
            f"num_tree_per_iteration={n_outputs}",
            expected=f"{num_class}, as num_class says",
        )
    if "objective" not in header:
        return Objective("custom", Transform.IDENTITY, 1.0, 0, n_outputs)
    field = header["objective"]
    name, parameters = _words(text, field)
    transform = Transform.SIGNED_SQUARE if "sqrt" in parameters else OBJECTIVES[name][0]
    sigmoid = _sigmoid(text, field, parameters["sigmoid"]) if "sigmoid" in parameters else 1.0
    n_classes = {"binary": 2, "multiclass": n_outputs, "multiclassova": n_outputs}.get(name, 0)
    _check_classes(text, field, name, parameters, n_outputs)
    return Objective(name, transform, sigmoid, n_classes, n_outputs)


def _words(text: ModelText, field: Field) -> tuple[str, dict[str, str]]:
    name, *words = field.text().split() or [""]
    if name not in OBJECTIVES:
        raise text.error(field, f"the objective {name!r}", expected="one of " + ", ".join(sorted(OBJECTIVES)))
    known = OBJECTIVES[name][1]
    parameters: dict[str, str] = {}
    for word in words:
        key, _, value = word.partition(":")
        if key not in known or key in parameters or (key == "sqrt") != (not value):
            raise text.error(
                field, f"{word!r} in the objective {name}", expected=", ".join(known) or f"{name} with no parameters"
            )
        parameters[key] = value
    for key in known:
        if key != "sqrt" and key not in parameters:
            raise text.error(field, f"the objective {name} without {key}", expected=f"{name} ... {key}:<number>")
    return name, parameters


def _check_classes(text: ModelText, field: Field, name: str, parameters: dict[str, str], n_outputs: int) -> None:
    if "num_class" in parameters:
        if parameters["num_class"] != str(n_outputs) or n_outputs < 2:
            raise text.error(
                field,
                f"num_class:{parameters['num_class']} in the objective",
                expected=f"at least 2, and the header's num_class={n_outputs}",
            )
    elif n_outputs != 1 and name != "custom":
        raise text.error(field, f"the objective {name} with num_class={n_outputs}", expected="num_class=1")


def _sigmoid(text: ModelText, field: Field, word: str) -> float:
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
    raise text.error(field, f"sigmoid:{word[:40]}", expected="a number above 0")


def _power_of_ten(exponent: int) -> float:
    scale = 1.0
    for step, size in ((1e50, 50), (1e8, 8), (10.0, 1)):
        while exponent >= size:
            scale *= step
            exponent -= size
    return scale
