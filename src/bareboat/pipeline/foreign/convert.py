"""A scikit-learn, LightGBM or XGBoost model -> an ONNX file, and how far its answers are. Runs in the child only."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bareboat.errors import BareboatError, ModelError
from bareboat.forest.readers.child_openers import class_name, package
from bareboat.pipeline.foreign.columns import all_steps, last_step
from bareboat.pipeline.foreign.loading import load_recorded
from bareboat.pipeline.foreign.onnx_file import read_onnx_model
from bareboat.pipeline.foreign.report import check_answers, described
from bareboat.runtime.framework import FrameworkModel
from bareboat.runtime.onnx import OnnxModel, load_onnx

FILE = "model.onnx"
_GENERATED = 200
_SCALES = (1.0, 1.0, 10.0, 100.0)
_WORDS = 12
_TOO_FAR = 0.05
"""Beyond what float32 explains, of anything but steps of trees: then the conversion is wrong."""

_VECTORIZERS = ("CountVectorizer", "TfidfVectorizer")


def convert(path: str, kind: str, folder: str, arguments: Sequence[str] = ()) -> dict[str, object]:
    """Leave `model.onnx` in the folder and say what it is.

    Args:
        path, kind: as `child_load.load` takes them.
        arguments: JSON: `trusted`, `names` as `report` has them; `rows`, samples as lists of Python values.
    Returns:
        What `report.described` says, and `drift`: rows compared, greatest difference of an output, labels that differ.
    Raises:
        ModelError: a step has no converter, or onnxruntime does not compute what was converted.
    """
    said = json.loads(arguments[0]) if arguments else {}
    model, _, _, notes = load_recorded(path, kind, tuple(said.get("trusted", ())))
    check_answers(model)
    told = described(model, said.get("names"))
    if told["columns"] is None:
        raise ModelError(
            f"an object of {class_name(type(model))}, which does not say what it takes",
            expected="the names of its columns",
            fix="name them in features",
        )
    try:
        converted = _converted(model, told)
    except ImportError as error:
        raise _missing(error) from error
    except Exception as error:
        raise ModelError(
            f"{_converter(model)} cannot convert {class_name(type(model))}: {' '.join(str(error).split())[:400]}",
            expected="steps that have a converter to ONNX",
            fix="engine: framework, which runs the model with the packages it was made with",
        ) from error
    file = Path(folder) / FILE
    file.write_bytes(converted.SerializeToString())
    drift, version = _drift(model, told, file, said.get("rows") or [])
    return {**told, "notes": notes, "drift": drift, "converter": _converter(model), "onnxruntime": version}


def _converted(model: Any, told: dict[str, Any]) -> Any:
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types: list[tuple[str, Any]]
    if told["form"] == "array":
        types = [("x", FloatTensorType([None, len(told["columns"])]))]
    else:
        types = [
            (each["name"], StringTensorType([None, 1]) if each["dtype"] == "string" else FloatTensorType([None, 1]))
            for each in told["columns"]
        ]
    if package(type(model)) == "lightgbm":
        import onnxmltools

        return onnxmltools.convert_lightgbm(model, initial_types=_of_onnxmltools(types), zipmap=False)
    if package(type(model)) == "xgboost":
        import onnxmltools

        return onnxmltools.convert_xgboost(model, initial_types=_of_onnxmltools(types))
    for step in all_steps(model):
        _register(step)
    # en_US.UTF-8, the default, is not there on Lambda's images
    options: dict[Any, Any] = {
        id(step): {"locale": "C.UTF-8"} for step in all_steps(model) if type(step).__name__ in _VECTORIZERS
    }
    if told["kind"] == "proba":
        try:
            plain = {**options, id(last_step(model)): {"zipmap": False}}
            return skl2onnx.convert_sklearn(model, initial_types=types, options=plain)
        except NameError:  # so skl2onnx calls an option that this class has not
            pass
    return skl2onnx.convert_sklearn(model, initial_types=types, options=options)


def _of_onnxmltools(types: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    from onnxmltools.convert.common.data_types import FloatTensorType

    return [(name, FloatTensorType(kind.shape)) for name, kind in types]


def _register(step: Any) -> None:
    """Teach skl2onnx the models of other libraries that may end a pipeline."""
    home, kind = package(type(step)), type(step)
    if home not in ("lightgbm", "xgboost"):
        return
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    if home == "lightgbm":
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm as converter
    else:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost as converter
    is_classifier = hasattr(step, "predict_proba")
    shapes = calculate_linear_classifier_output_shapes if is_classifier else calculate_linear_regressor_output_shapes
    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]} if is_classifier else {}
    update_registered_converter(kind, f"{home}{kind.__name__}", shapes, converter, options=options)


def _drift(model: Any, told: dict[str, Any], file: Path, samples: list[list[Any]]) -> tuple[dict[str, Any], str]:
    """Compare the answers of both engines, as the runtime gives them."""
    try:
        import onnxruntime
    except ImportError as error:
        raise _missing(error) from error
    inputs = [{**each, "values": None, "dtype": each["dtype"] if each["used"] else "any"} for each in told["columns"]]
    read = read_onnx_model(file, file.read_bytes(), names=[each["name"] for each in inputs])
    document = {"inputs": inputs, "names": [each["name"] for each in inputs], **told}
    theirs = FrameworkModel(model, document)
    keys = {**document, "kind": read.kind, **read.keys}
    ours = load_onnx(str(file), keys)
    made_up = _generated(model, told["columns"])
    one_sided: int | None = None
    if told["kind"] == "decision" and told["n_outputs"] == 1 and len(ours.answer(made_up[0])[0]) == 2:
        # of two classes scikit-learn gives one decision, and ONNX's SVMClassifier one for each
        (wanted,), (first, second) = theirs.answer(made_up[0])[0], ours.answer(made_up[0])[0]
        one_sided = 0 if abs(first - wanted) < abs(second - wanted) else 1
        ours = OnnxModel(ours.session, {**keys, "one_sided": one_sided})
    largest, scale, labels, compared = 0.0, 1.0, 0, 0
    for rows in (samples, made_up):
        try:
            pairs = list(zip(theirs.answer_many(rows), ours.answer_many(rows), strict=True)) if rows else []
        except BareboatError:
            if rows is samples:
                raise
            continue  # rows that nobody sent, and that the model does not take
        for (a, label_a), (b, label_b) in pairs:
            if len(a) != len(b):
                raise ModelError(
                    f"the converted model gives {len(b)} numbers a row",
                    expected=f"{len(a)}, as the framework does",
                    fix="engine: framework",
                )
            largest = max([largest, *(abs(x - y) for x, y in zip(a, b, strict=True))])
            scale = max([scale, *map(abs, a)])
            labels += _label(a, label_a) != _label(b, label_b) if told["classes"] else 0
        compared += len(pairs)
    if largest > _TOO_FAR * scale:
        raise ModelError(
            f"the converted model answers otherwise: on {compared} rows an output differs by {largest:.2g} from the "
            "framework's",
            expected=f"at most {_TOO_FAR:g} of the greatest output, {scale:.2g}",
            fix="engine: framework",
        )
    drift = {"rows": compared, "largest": largest, "labels": int(labels), "one_sided": one_sided}
    return drift, str(onnxruntime.__version__)


def _label(outputs: list[float], index: int) -> int:
    return index if index >= 0 else outputs.index(max(outputs))


def _generated(model: Any, columns: list[dict[str, Any]]) -> list[list[Any]]:
    """Make up rows: numbers of several sizes, known categories, words that a vectorizer knows."""
    draw = random.Random(0)  # noqa: S311 - rows to compare with
    words = [word for step in all_steps(model) for word in list(getattr(step, "vocabulary_", None) or ())[:500]] or [
        "a",
        "word",
    ]

    def value(column: dict[str, Any]) -> Any:
        if column["values"]:
            return draw.choice(column["values"])
        if column["dtype"] == "string":
            return " ".join(draw.choice(words) for _ in range(draw.randint(1, _WORDS)))
        return draw.gauss(0.0, draw.choice(_SCALES))

    return [[value(column) for column in columns] for _ in range(_GENERATED)]


def _converter(model: Any) -> str:
    return "onnxmltools" if package(type(model)) in ("lightgbm", "xgboost") else "skl2onnx"


def _missing(error: ImportError) -> ModelError:
    return ModelError(
        f"converting to ONNX needs {error.name}, which this Python has not",
        expected="skl2onnx (onnxmltools for LightGBM and XGBoost), onnx and onnxruntime beside the model's framework",
        fix="pip install skl2onnx onnxmltools onnxruntime there; or engine: framework",
    )
