"""What was read of a model, or an MLflow signature -> its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bareboat.pipeline.ir import Column, Dtype

if TYPE_CHECKING:
    from bareboat.forest import Ensemble
    from bareboat.pipeline.foreign.model import ForeignModel
    from bareboat.pipeline.ir import Pipeline

ANY = "any"
"""The dtype of a column that the model never reads."""

# The types of columns in MLmodel files. Source: MLflow's documentation, "Column-based Signature".
_MLFLOW: dict[str, Dtype] = {
    "boolean": "bool",
    "integer": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "string": "string",
    "datetime": "datetime",
}


def columns_of(model: Ensemble | Pipeline | ForeignModel) -> tuple[Column, ...]:
    """Return the columns of a model, in its order.

    Args:
        model: a forest, or anything with the surface of a Pipeline.
    """
    columns: tuple[Column, ...] | None = getattr(model, "columns", None)
    if columns is not None:
        return columns
    return tuple(
        Column(name) if categories is None else Column(name, "category", tuple(categories), others=False)
        for name, categories in zip(model.feature_names, model.categories, strict=True)  # type: ignore[union-attr]
    )


def inputs_from_mlflow(inputs: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Return the columns that an MLflow signature declares.

    Args:
        inputs: the parsed JSON of `signature.inputs` in an MLmodel file: column specs, or one tensor spec of two
            dimensions.
    Returns:
        () when it declares anything else, such as a tensor of three dimensions or a column of lists.
    """
    if len(inputs) == 1 and inputs[0].get("type") == "tensor":
        return _of_tensor(inputs[0].get("tensor-spec") or {})
    columns = []
    for place, each in enumerate(inputs):
        dtype = _MLFLOW.get(str(each.get("type")))
        if dtype is None:
            return ()
        name = str(each.get("name") or place)
        # `optional` is what MLflow before 2.6 wrote for `required: false`
        nullable = not each.get("required", not each.get("optional", False)) or dtype == "float"
        columns.append(Column(name, dtype, nullable=nullable))
    return tuple(columns)


def _of_tensor(spec: Mapping[str, Any]) -> tuple[Column, ...]:
    shape = spec.get("shape")
    dtype = str(spec.get("dtype", ""))
    if not isinstance(shape, list) or len(shape) != 2 or not isinstance(shape[1], int) or shape[1] < 1:
        return ()
    kind: Dtype = "float" if dtype.startswith("float") else "int" if "int" in dtype else "bool"
    return tuple(Column(str(place), kind, nullable=kind == "float") for place in range(shape[1]))
