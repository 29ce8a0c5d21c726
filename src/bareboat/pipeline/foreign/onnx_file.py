"""An ONNX file -> a ForeignModel that ONNX Runtime answers for: which tensors it takes and gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.ir import Category
from bareboat.forest.readers.onnx import parsed_onnx
from bareboat.pipeline.foreign.model import ForeignModel, Package
from bareboat.pipeline.ir import Column, Dtype, Kind

# onnx.proto, TensorProto.DataType -> numpy's name, the dtype of a column
_TYPES: dict[int, tuple[str, Dtype]] = {
    1: ("float32", "float"),
    2: ("uint8", "int"),
    3: ("int8", "int"),
    4: ("uint16", "int"),
    5: ("int16", "int"),
    6: ("int32", "int"),
    7: ("int64", "int"),
    8: ("str", "string"),
    9: ("bool", "bool"),
    10: ("float16", "float"),
    11: ("float64", "float"),
    12: ("uint32", "int"),
    13: ("uint64", "int"),
}
_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_TAKES_NAN = {"Imputer", "IsNaN", "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"}
_MOST_COLUMNS = 1 << 20
_INT32, _INT64, _STRING = 6, 7, 8


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a graph: numpy's type and its shape, None for any length; `dtype` "" of a sequence."""

    name: str
    dtype: str
    of_column: Dtype
    shape: tuple[int | None, ...]


def read_onnx_model(
    path: Path, data: bytes, *, names: Sequence[str] | None = None, labels: Sequence[Category] | None = None
) -> ForeignModel:
    """Read what a graph takes and gives.

    Args:
        path: for messages.
        names: of the columns, where one tensor holds them all.
        labels: of the classes, for a graph that gives scores and does not name them.
    Raises:
        ModelError: it is damaged, or has inputs or outputs that requests cannot give or answers cannot hold.
    """
    model = _whole(path, data)
    try:
        return _foreign(model, data, names, labels)
    except ModelError as error:
        problem = error.problems[0]
        raise ModelError(problem.found, expected=problem.expected, fix=problem.fix, where=str(path)) from error


def _whole(path: Path, data: bytes) -> Any:
    model = parsed_onnx(path, data)
    if any(tensor.data_location == 1 for tensor in model.graph.initializer):
        raise ModelError(
            "an ONNX model whose weights lie in other files",
            expected="one file",
            fix="onnx.save(onnx.load(path), path, save_as_external_data=False)",
            where=str(path),
        )
    return model


def _foreign(model: Any, data: bytes, names: Sequence[str] | None, labels: Sequence[Category] | None) -> ForeignModel:
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [_tensor(each) for each in graph.input if each.name not in weights]
    columns, feeds = _columns(inputs, names, takes_nan=any(node.op_type in _TAKES_NAN for node in graph.node))
    answers = _answers(graph, labels)
    notes = ["ONNX Runtime computes in float32 where the graph says so: the last digits differ from float64"]
    if any(feed["dtype"] == "float64" for feed in feeds):
        notes = []
    return ForeignModel(
        engine="onnx",
        data=data,
        suffix=".onnx",
        columns=columns,
        kind=answers.kind,
        n_outputs=answers.n_outputs,
        classes=answers.classes,
        source=_source(model),
        objective=graph.node[-1].op_type if len(graph.node) else "",
        notes=tuple(notes),
        keys={
            "feeds": feeds,
            "scores": answers.scores,
            "label": answers.label,
            "zipmap": answers.zipmap,
            "two_sided": answers.two_sided,
            "one_sided": None,
            "one_by_one": any(tensor.shape[:1] == (1,) for tensor in inputs),
            "classes": list(answers.classes),
        },
        packages=(Package("onnxruntime", "", "onnxruntime"), Package("numpy", "", "numpy")),
    )


def _tensor(said: Any) -> Tensor:
    if not said.type.HasField("tensor_type"):
        return Tensor(said.name, "", "float", ())
    kind = said.type.tensor_type
    if kind.elem_type not in _TYPES:
        raise ModelError(
            f"the tensor {said.name!r} holds numbers of type {kind.elem_type} of ONNX",
            expected="float16 to float64, whole numbers, booleans or text",
        )
    dtype, of_column = _TYPES[kind.elem_type]
    shape = tuple(each.dim_value if each.HasField("dim_value") else None for each in kind.shape.dim)
    return Tensor(said.name, dtype, of_column, shape)


def _columns(
    inputs: Sequence[Tensor], names: Sequence[str] | None, *, takes_nan: bool
) -> tuple[tuple[Column, ...], list[dict[str, Any]]]:
    """Return the columns of a row, and the tensors that they are put into."""
    columns: list[Column] = []
    feeds: list[dict[str, Any]] = []
    if not inputs:
        raise ModelError("a graph without inputs", expected="at least one")
    for tensor in inputs:
        if not tensor.dtype:
            raise ModelError(f"the input {tensor.name!r} is no tensor", expected="tensors")
        if tensor.shape and tensor.shape[0] not in (None, 0, 1):
            raise ModelError(
                f"the input {tensor.name!r} takes {tensor.shape[0]} rows at a time",
                expected="one row, or any number",
                fix="export it with a dynamic first dimension",
            )
        inner = tensor.shape[1:]
        own = _names(tensor, inner, names if len(inputs) == 1 else None)
        for name in own:
            nullable = tensor.of_column == "float" and takes_nan
            shape = inner if len(inner) > 1 else None
            columns.append(Column(name, tensor.of_column, others=True, nullable=nullable, shape=shape))
        places = list(range(len(columns) - len(own), len(columns)))
        feeds.append({"name": tensor.name, "dtype": tensor.dtype, "columns": places, "shape": list(inner)})
    return tuple(columns), feeds


def _names(tensor: Tensor, inner: tuple[int | None, ...], names: Sequence[str] | None) -> list[str]:
    if len(inner) != 1 or inner[0] == 1:
        return [names[0] if names is not None and len(names) == 1 else tensor.name]
    if inner[0] is None and names is None:
        raise ModelError(
            f"the input {tensor.name!r} does not say how many columns it takes",
            expected="their names, in order",
            fix="name them in features",
        )
    count = inner[0] if inner[0] is not None else len(names or ())
    if not 1 <= count <= _MOST_COLUMNS:
        raise ModelError(f"an input of {count} columns", expected=f"1 to {_MOST_COLUMNS}")
    return list(names) if names is not None and len(names) == count else [f"x{place}" for place in range(count)]


@dataclass(frozen=True, slots=True)
class _Answers:
    kind: Kind
    n_outputs: int
    classes: tuple[Category, ...]
    scores: str | None = None
    label: str | None = None
    zipmap: bool = False
    two_sided: bool = False


def _answers(graph: Any, labels: Sequence[Category] | None) -> _Answers:
    outputs = [(said, _tensor(said)) for said in graph.output]
    maps = [tensor for said, tensor in outputs if not tensor.dtype]
    scores = [tensor for _, tensor in outputs if tensor.dtype.startswith("float")]
    chosen = [tensor for _, tensor in outputs if tensor.dtype and not tensor.dtype.startswith("float")]
    if len(maps) + len(scores) > 1 or len(chosen) > 1:
        raise ModelError(
            f"a graph of {len(outputs)} outputs: {', '.join(tensor.name for _, tensor in outputs)}",
            expected="one tensor of numbers, or a label and its scores",
            fix="export the graph with the outputs that answers need",
        )
    label = chosen[0].name if chosen else None
    classes = tuple(_classes(graph))
    if maps:
        if not classes:
            raise ModelError(f"the output {maps[0].name!r} is no tensor", expected="a tensor, or a map of ZipMap's")
        return _Answers("proba", len(classes), classes, maps[0].name, label, zipmap=True)
    if not scores:
        if not classes and labels is None:
            return _Answers("value", 1, (), scores=label)
        return _Answers("label", 0, classes or tuple(labels or ()), label=label)
    count = _count(scores[0], classes or labels or ())
    if label is not None:
        named = classes or tuple(range(count))
        if count == len(named):
            return _Answers("proba", count, named, scores[0].name, label)
        if count == 1 and len(named) == 2 and _producer(graph, scores[0].name) == "Sigmoid":
            return _Answers("proba", 2, named, scores[0].name, label, two_sided=True)
        return _Answers("decision", count, named, scores[0].name, label)
    return _plain_scores(graph, scores[0].name, count, labels)


def _plain_scores(graph: Any, name: str, count: int, labels: Sequence[Category] | None) -> _Answers:
    """One tensor of numbers: what `labels` makes of it."""
    last = _producer(graph, name)
    if labels is None:
        return _Answers("value", count, (), name)
    if count == 1 and len(labels) == 2 and last == "Sigmoid":
        return _Answers("proba", 2, tuple(labels), name, two_sided=True)
    if count != len(labels):
        raise ModelError(f"{len(labels)} labels for an output of {count} numbers", expected="a label for each")
    return _Answers("proba" if last == "Softmax" else "decision", count, tuple(labels), name)


def _count(tensor: Tensor, classes: Sequence[Category]) -> int:
    count = 1
    for length in tensor.shape[1:]:
        if length is None:
            return max(1, len(classes))
        count *= length
    return count


def _producer(graph: Any, name: str) -> str:
    return next((str(node.op_type) for node in reversed(graph.node) if name in node.output), "")


def _classes(graph: Any) -> Iterator[Category]:
    """Yield the labels that the last node to name them names, or those that are picked out of an initializer."""
    for node in reversed(graph.node):
        for attribute in node.attribute:
            if attribute.name in _LABELS:
                values = list(attribute.strings) or list(attribute.ints)
                if values:
                    yield from (each.decode() if isinstance(each, bytes) else int(each) for each in values)
                    return
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in reversed(graph.node):
        tensor = tensors.get(node.input[0]) if node.op_type in ("ArrayFeatureExtractor", "Gather") else None
        if tensor is not None and tensor.data_type in (_INT32, _INT64, _STRING):
            from onnx import numpy_helper

            found = numpy_helper.to_array(tensor).reshape(-1).tolist()
            yield from (each.decode() if isinstance(each, bytes) else each for each in found)
            return


def _source(model: Any) -> str:
    version = str(model.producer_version)
    return " ".join(
        ["onnx", *str(model.producer_name).split(), *([version] if re.fullmatch(r"[\w.+-]+", version) else [])]
    )
