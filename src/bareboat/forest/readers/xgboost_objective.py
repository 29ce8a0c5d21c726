"""The objective of an XGBoost model -> how margins become outputs, and base scores become margins."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Transform
from bareboat.forest.readers.document import Part
from bareboat.forest.readers.reader import MOST_OUTPUTS

Singles = NDArray[np.float32]
Version = tuple[int, int, int]

EPSILON = np.float32(1e-6)
"""kRtEps: the nearest to 0 and 1 that a base score of a logistic objective may come (include/xgboost/base.h)."""


def _same(scores: Singles) -> Singles:
    return scores


def _logit(scores: Singles) -> Singles:
    bounded = np.minimum(np.maximum(scores, EPSILON), np.float32(1) - EPSILON)
    return -_log((np.float32(1) / bounded - np.float32(1)).astype(np.float32))


def _log(scores: Singles) -> Singles:
    logf = _system_logf()
    return np.array([logf(float(score)) for score in scores], np.float32)


# Objective -> (transform, base score -> margin). Source: PredTransform and ProbToMargin of each class in
# src/objective/ (3.2.0; reg:expectileerror from 3.4.1).
_Link = Callable[[Singles], Singles]
OBJECTIVES: dict[str, tuple[Transform, _Link]] = {
    "reg:squarederror": (Transform.IDENTITY, _same),
    "reg:linear": (Transform.IDENTITY, _same),
    "reg:squaredlogerror": (Transform.IDENTITY, _same),
    "reg:pseudohubererror": (Transform.IDENTITY, _same),
    "reg:absoluteerror": (Transform.IDENTITY, _same),
    "reg:quantileerror": (Transform.IDENTITY, _same),
    "reg:expectileerror": (Transform.IDENTITY, _same),
    "reg:logistic": (Transform.SIGMOID, _logit),
    "binary:logistic": (Transform.SIGMOID, _logit),
    "binary:logitraw": (Transform.IDENTITY, _same),
    "binary:hinge": (Transform.STEP, _same),
    "count:poisson": (Transform.EXP, _log),
    "reg:gamma": (Transform.EXP, _log),
    "reg:tweedie": (Transform.EXP, _log),
    "survival:cox": (Transform.EXP, _log),
    "survival:aft": (Transform.EXP, _log),
    "multi:softprob": (Transform.SOFTMAX, _same),
    "multi:softmax": (Transform.SOFTMAX, _same),
    "rank:pairwise": (Transform.IDENTITY, _same),
    "rank:ndcg": (Transform.IDENTITY, _same),
    "rank:map": (Transform.IDENTITY, _same),
}


@dataclass(frozen=True, slots=True)
class Objective:
    """What was learned, and the shape of its outputs.

    Args:
        name: XGBoost's word for it.
        transform: what turns margins into outputs.
        n_classes: 0 where outputs are not the classes of one label.
        base: (n_outputs,) the margins that sums start at, as float32 has them.
    """

    name: str
    transform: Transform
    n_classes: int
    base: Singles

    @property
    def n_outputs(self) -> int:
        """How many margins a row has."""
        return len(self.base)


def read_objective(learner: Part, version: Version) -> Objective:
    """Read `objective` and `learner_model_param`.

    Raises:
        ModelError: the objective is not known, or the parameters contradict it.
    """
    part = learner["objective"]["name"]
    name = part.text()
    if name not in OBJECTIVES:
        raise part.error(f"the objective {name!r}", "one of " + ", ".join(sorted(OBJECTIVES)))
    transform, link = OBJECTIVES[name]
    if name == "binary:logitraw" and version < (1, 3, 1):
        link = _logit
    parameters = learner["learner_model_param"]
    n_targets = parameters["num_target"].integer(at_least=1, below=MOST_OUTPUTS) if "num_target" in parameters else 1
    num_class = parameters["num_class"].integer(below=MOST_OUTPUTS)
    if num_class > 1 and n_targets > 1:
        raise parameters.error(f"num_class {num_class} and num_target {n_targets}", "one of them at most 1")
    if transform is Transform.SOFTMAX and num_class < 2:
        raise parameters["num_class"].error(f"{name} with num_class {num_class}", "2 or more")
    n_outputs = max(num_class, n_targets, 1)
    n_classes = num_class if transform is Transform.SOFTMAX else 0
    if name in ("binary:logistic", "binary:hinge") and n_outputs == 1:
        n_classes = 2
    return Objective(name, transform, n_classes, _base(parameters["base_score"], n_outputs, link))


def _base(part: Part, n_outputs: int, link: _Link) -> Singles:
    """Return the margins of a base score such as `5E-1` or, from 3.1 on, `[1E-1,-2E-1]`."""
    text = part.text().strip()
    words = text[1:-1].split(",") if text.startswith("[") and text.endswith("]") else [text]
    try:
        scores = np.array([float(word) for word in words], np.float32)
        with np.errstate(all="ignore"):
            margins = link(scores)
    except ValueError as error:
        raise part.error(f"the base score {text[:60]!r}", "a number, or numbers in brackets") from error
    if len(margins) == 1:
        margins = np.repeat(margins, n_outputs)
    if len(margins) != n_outputs:
        raise part.error(f"{len(margins)} base scores", f"1 or {n_outputs}, one for each output")
    if not np.isfinite(margins).all():
        raise part.error(f"the base score {text[:60]}", "one whose margin is finite")
    return margins


def _system_logf() -> Callable[[float], float]:
    """Return the C library's logf, which XGBoost calls: its last bit is not always the nearest."""
    try:
        logf = ctypes.CDLL(None).logf
    except (TypeError, OSError):  # Windows has no handle for all that is loaded
        logf = ctypes.CDLL("ucrtbase").logf
    logf.restype, logf.argtypes = ctypes.c_float, [ctypes.c_float]
    return lambda value: float(logf(value)) if not math.isnan(value) else math.nan
