"""The loss function of a CatBoost model -> how raw values become outputs, and the labels of classes.

Outputs are those of `CatBoostClassifier.predict_proba`, and of `predict` for regressors and rankers.
Source: catboost/python-package/catboost/core.py, catboost/libs/eval_result/eval_helpers.cpp (1.2.10).
"""

from __future__ import annotations

from dataclasses import dataclass

from bareboat.forest.ir import Category, Transform
from bareboat.forest.readers.document import SAVE_AGAIN, Part, parse_json

_RAW = (
    "RMSE MAE Quantile MultiQuantile GroupQuantile LogLinQuantile MAPE Lq Expectile Huber LogCosh RMSPE MultiRMSE "
    "MultiRMSEWithMissingValues SurvivalAft Cox QueryRMSE QuerySoftMax QueryCrossEntropy YetiRank YetiRankPairwise "
    "PairLogit PairLogitPairwise LambdaMart StochasticRank StochasticFilter "
    "PythonUserDefinedPerObject PythonUserDefinedMultiTarget UserPerObjMetric UserQuerywiseMetric"
)
LOSSES: dict[str, Transform] = {
    **dict.fromkeys(_RAW.split(), Transform.IDENTITY),
    "Poisson": Transform.EXP,
    "Tweedie": Transform.EXP,
    "Logloss": Transform.SIGMOID,
    "CrossEntropy": Transform.SIGMOID,
    "Focal": Transform.SIGMOID,
    "MultiClass": Transform.SOFTMAX,
    "MultiClassOneVsAll": Transform.SIGMOID,
    "MultiLogloss": Transform.SIGMOID,
    "MultiCrossEntropy": Transform.SIGMOID,
}
_BINARY = ("Logloss", "CrossEntropy", "Focal")
_SEVERAL = ("MultiClass", "MultiClassOneVsAll")


@dataclass(frozen=True, slots=True)
class Loss:
    """What was learned; `n_classes` is 0 where outputs are not the classes of one label."""

    name: str
    transform: Transform
    n_classes: int
    classes: tuple[Category, ...]


def read_loss(document: Part, n_outputs: int) -> Loss:
    """Read `model_info`.

    Raises:
        ModelError: the loss function is not known, or contradicts the number of outputs.
    """
    info = document["model_info"]
    part = _loss_function(info)["type"]
    name = part.text()
    if name == "RMSEWithUncertainty":
        raise part.error(
            "the loss function RMSEWithUncertainty, whose outputs are a mean and a variance",
            "one of " + ", ".join(sorted(LOSSES)),
            "serve it with catboost itself, or train RMSE",
        )
    if name not in LOSSES:
        raise part.error(f"the loss function {name!r}", "one of " + ", ".join(sorted(LOSSES)))
    if (name in _BINARY and n_outputs != 1) or (name in _SEVERAL and n_outputs < 2):
        raise part.error(f"{n_outputs} values in a leaf for the loss function {name}", "1, or one for each class")
    n_classes = 2 if name in _BINARY else n_outputs if name in _SEVERAL else 0
    return Loss(name, LOSSES[name], n_classes, _classes(info, n_classes) if n_classes else ())


def _loss_function(info: Part) -> Part:
    """Return the object that names the loss function, which a model of `sum_models` holds as text."""
    if "params" in info or "loss_function" not in info:
        return info["params"]["loss_function"]
    part = info["loss_function"]
    return Part(part.path, parse_json(part.path, part.text().encode()).value, part.way)


def _classes(info: Part, n_classes: int) -> tuple[Category, ...]:
    parameters = info.get("class_params")
    if parameters is None:
        return ()
    names = list(parameters["class_names"]) or list(parameters["class_to_label"])
    for name in names:
        if not isinstance(name.value, str | int | float):
            raise name.error("a class label that is no text and no number", "text, a number or a boolean", SAVE_AGAIN)
    if len(names) != n_classes:
        raise parameters.error(f"{len(names)} class labels", f"{n_classes}, one for each class", SAVE_AGAIN)
    return tuple(name.value for name in names)
