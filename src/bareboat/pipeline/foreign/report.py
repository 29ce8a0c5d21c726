"""What a live model says of itself: how it answers, what it takes, which packages it needs. Runs in the child only."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.child_openers import class_name, package, plain_labels
from bareboat.pipeline.attribute import attribute
from bareboat.pipeline.foreign.columns import (
    all_steps,
    columns_of,
    first_step,
    keeps_none,
    last_step,
    names_of,
    takes_objects,
    takes_text,
)
from bareboat.pipeline.foreign.loading import load_recorded
from bareboat.pipeline.foreign.packages import packages_of

_ARGMAX = frozenset(
    {
        "AdaBoostClassifier", "BaggingClassifier", "CalibratedClassifierCV", "DecisionTreeClassifier",
        "ExtraTreeClassifier", "ExtraTreesClassifier", "HistGradientBoostingClassifier", "KNeighborsClassifier",
        "LinearDiscriminantAnalysis", "LogisticRegression", "LogisticRegressionCV", "RandomForestClassifier",
    }
)  # fmt: skip
"""Classifiers of scikit-learn whose `predict` is the first of the greatest probabilities, so that it need not be asked
beside `predict_proba`."""

_FRAMES = frozenset({"ColumnTransformer", "FunctionTransformer"})
"""Steps that may look at the names or types of columns."""


def report(path: str, kind: str, _folder: str, arguments: Sequence[str] = ()) -> dict[str, object]:
    """Open a file and say what serving it takes.

    Args:
        path, kind: as `child_load.load` takes them.
        arguments: JSON: `trusted` (types of a skops file), `names` of the columns where the model has none.
    Raises:
        ModelError: the model cannot answer: it is not fitted, has no `predict`, has several targets.
        Exception: whatever the file's own code raises.
    """
    said = json.loads(arguments[0]) if arguments else {}
    model, loader, names, notes = load_recorded(path, kind, tuple(said.get("trusted", ())))
    check_answers(model)
    told = described(model, said.get("names"))
    needs_pandas = ["pandas"] if told["form"] == "frame" else []
    also = [
        *needs_pandas,
        "numpy",
        *(["skops"] if loader == "skops" else []),
        *(["joblib"] if loader == "joblib" else []),
    ]
    if any(module.startswith("cloudpickle") for module, _ in names):
        also.append("cloudpickle")
    holds_code = any(is_code(module, name) for module, name in names)
    if holds_code:
        notes.append(
            "functions or classes of the model stand in the file as code, which runs only on the Python that saved it"
        )
    needs = packages_of((module for module, _ in names), also)
    trusted = sorted(_untrusted(path)) if loader == "skops" else []
    return {
        **told,
        **needs,
        "loader": loader,
        "trusted": trusted,
        "python": "{}.{}".format(*sys.version_info[:2]),
        "holds_code": holds_code,
        "notes": notes,
    }


def is_code(module: str, name: str) -> bool:
    """Tell whether what a file asks for makes a function of bytecode, which no other Python's minor version can run.

    Source: cloudpickle 3.1 `_make_function`, before 2.0 `_make_skel_func` and `_fill_function`; dill `_create_code`.
    """
    if "cloudpickle" in module.split("."):  # joblib.externals had one of its own
        return name in ("_make_function", "_make_skel_func", "_fill_function")
    return module.startswith("dill") and name == "_create_code"


def described(model: Any, names: list[str] | None = None) -> dict[str, Any]:
    """Return how a model is asked: method, kind, classes, columns, form."""
    method, kind, classes = _method(model)
    is_text = takes_text(model)
    own = ["text"] if is_text else names_of(model) or names
    asks_label = kind in ("decision", "label") or (kind == "proba" and not _is_argmax(model))
    columns = None if own is None else columns_of(model, own)
    if is_text:
        columns = [{"name": "text", "dtype": "string", "values": None, "others": True, "nullable": False, "used": True}]
    form = "text" if is_text else "frame" if own is not None and _wants_frame(model, columns or []) else "array"
    return {
        "source": _source(model),
        "objective": _objective(model),
        "method": method,
        "kind": kind,
        "classes": classes,
        "asks_label": asks_label,
        "n_outputs": len(classes) if kind == "proba" else _n_outputs(model, kind, classes),
        "columns": columns,
        "form": form,
        "missing": "none" if keeps_none(model) else "nan",
    }


def check_answers(model: Any) -> None:
    """Refuse what cannot be asked.

    Raises:
        ModelError: says why.
    """
    shown = class_name(type(model))
    if not callable(getattr(model, "predict", None)):
        if isinstance(model, dict | list | tuple):
            raise ModelError(
                f"a {type(model).__name__}, and no model", fix="save the model alone, without what is around it"
            )
        raise ModelError(
            f"an object of {shown}, which has no predict", expected="a fitted model that has predict or predict_proba"
        )
    if package(type(model)) in ("lightgbm", "xgboost", "catboost") and type(model).__name__ in ("Booster", "CatBoost"):
        raise ModelError(
            f"an object of {shown}, which is a forest",
            expected="a model that does not compile",
            fix="take the key engine away: it compiles",
        )
    if takes_objects(model):
        raise ModelError(
            f"an object of {shown} whose first step, {type(first_step(model)).__name__}, takes objects of any names",
            expected="columns that are known when it is packaged",
            fix="put a ColumnTransformer in its place, or write a handler",
        )
    unfitted = _unfitted(model)
    if unfitted:
        raise ModelError(f"{unfitted} is not fitted", expected="a fitted model", fix="call fit before saving it")


def _unfitted(model: Any) -> str:
    last = last_step(model)
    if package(type(last)) != "sklearn":
        return ""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check_is_fitted(last)
        except NotFittedError:
            return class_name(type(last))
        except TypeError:  # no estimator of scikit-learn's own kind
            return ""
    return ""


def _method(model: Any) -> tuple[str, str, list[Any]]:
    labels = getattr(model, "classes_", None)
    if labels is None:
        return "predict", "value", []
    if isinstance(labels, list) and labels and hasattr(labels[0], "tolist"):
        raise ModelError(
            f"an object of {class_name(type(model))} that predicts {len(labels)} targets",
            expected="a classifier of one target",
            fix="serve one model a target (models:)",
        )
    classes = list(plain_labels(labels))
    if callable(getattr(model, "predict_proba", None)):
        return "predict_proba", "proba", classes
    if callable(getattr(model, "decision_function", None)):
        return "decision_function", "decision", classes
    return "predict", "label", classes


def _n_outputs(model: Any, kind: str, classes: list[Any]) -> int:
    if kind == "label":
        return 0
    if kind == "decision":
        one_vs_one = getattr(last_step(model), "decision_function_shape", "ovr") == "ovo"
        n = len(classes)
        return 1 if n == 2 else n * (n - 1) // 2 if one_vs_one else n
    told = attribute(last_step(model), "n_outputs_")
    if isinstance(told, int):
        return told
    try:
        import numpy as np

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answered = np.asarray(model.predict(np.zeros((1, int(model.n_features_in_)))))
        return int(answered.shape[1]) if answered.ndim == 2 else 1
    except Exception:  # noqa: BLE001 - a row of zeros is none that the model takes
        return 1


def _is_argmax(model: Any) -> bool:
    last = last_step(model)
    return package(type(last)) == "sklearn" and type(last).__name__ in _ARGMAX


def _wants_frame(model: Any, columns: list[dict[str, Any]]) -> bool:
    """Whether a step may look at names or types of columns, so that numbers in order are not enough."""
    if attribute(model, "feature_names_in_") is None and attribute(model, "feature_name_") is None:
        return False
    if any(column["dtype"] != "float" or column["values"] for column in columns):
        return True
    return any(package(type(step)) != "sklearn" or type(step).__name__ in _FRAMES for step in all_steps(model))


def _source(model: Any) -> str:
    top = package(type(model))
    version = getattr(sys.modules.get(top), "__version__", "")
    return " ".join(filter(None, [top, str(version), type(model).__name__]))


def _objective(model: Any) -> str:
    steps = getattr(model, "steps", None)
    if isinstance(steps, list) and steps:
        return ", ".join(type(step).__name__ for _, step in steps if step is not None and step != "passthrough")
    return type(model).__name__


def _untrusted(path: str) -> list[str]:
    import skops.io

    return [str(each) for each in skops.io.get_untrusted_types(file=path)]
