"""An ONNX graph -> its one tree ensemble, and the rows that it takes.

Around the tree ensemble only nodes may stand that leave its numbers as they are: Identity, Cast to a floating-point
type, ZipMap and ArgMax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.onnx_attributes import read_attributes

OPERATORS = ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor")
_FLOAT, _INT32, _INT64, _DOUBLE = 1, 6, 7, 11
"""TensorProto.DataType."""
_INPUTS = {_FLOAT: "float", _INT32: "int32", _INT64: "int64", _DOUBLE: "double"}


@dataclass(frozen=True, slots=True)
class TreeGraph:
    """The tree ensemble of a graph.

    Args:
        operator: one of OPERATORS.
        attributes: of the operator, as onnx has them.
        n_features: columns of the input, or None when the graph does not say.
        single_input: whether rows are rounded to float32 on their way.
        single: whether the operator counts in float32, else in float64.
        has_argmax: whether the place of the greatest score is an output.
    """

    operator: str
    attributes: Mapping[str, Any]
    n_features: int | None
    single_input: bool
    single: bool
    has_argmax: bool


def read_graph(model: Any) -> TreeGraph:
    """Find the tree ensemble.

    Args:
        model: onnx.ModelProto.
    Raises:
        ModelError: there is none or more than one, or other nodes change its numbers; names them.
    """
    graph = model.graph
    trees = [node for node in graph.node if node.op_type in OPERATORS and node.domain == "ai.onnx.ml"]
    if len(trees) != 1:
        raise ModelError(
            f"an ONNX graph with {len(trees)} tree ensembles: " + _listed(graph.node),
            expected="exactly one of " + ", ".join(OPERATORS),
            fix="bareboat create --model writes a project in which ONNX Runtime serves it (engine: onnx)",
        )
    tree = trees[0]
    for node in graph.node:
        if not node.output or not (node.input or node.op_type == "Constant"):
            raise ModelError(f"a node {node.op_type} without input or output", expected="nodes of a graph")
    rest = [node for node in graph.node if node is not tree]
    column, types, used = _input(graph, rest, tree.input[0])
    after = [node for node in rest if not any(node is each for each in used)]
    _check_after(after, tree.output[-1])
    attributes = read_attributes(tree)
    if types[-1] not in _INPUTS:
        raise ModelError(f"an input of ONNX's type {types[-1]}", expected=", ".join(_INPUTS.values()))
    return TreeGraph(
        operator=tree.op_type,
        attributes=attributes,
        n_features=column,
        single_input=types[-1] != _DOUBLE or _FLOAT in types,
        single=types[-1] != _DOUBLE,
        has_argmax=any(node.op_type == "ArgMax" for node in after),
    )


def _input(graph: Any, rest: list[Any], name: str) -> tuple[int | None, list[int], list[Any]]:
    """Return the input's columns, the types that a row takes on its way to the trees, and the nodes on that way."""
    types: list[int] = []
    used: list[Any] = []
    inputs = {each.name: each for each in graph.input}
    while name not in inputs:
        makers = [node for node in rest if name in node.output]
        if not makers or makers[0].op_type not in ("Identity", "Cast"):
            what = makers[0].op_type if makers else "a constant"
            raise ModelError(
                f"{what} before the trees of an ONNX graph",
                expected="an input of the graph, at most with Identity or Cast in between",
                fix="convert the trees alone, without the steps before them",
            )
        used.append(makers[0])
        if makers[0].op_type == "Cast":
            types.insert(0, _cast_to(makers[0]))
        name = makers[0].input[0]
        if len(used) > len(rest):
            raise ModelError("nodes of an ONNX graph that wait for each other", expected="a graph without a circle")
    tensor = inputs[name].type.tensor_type
    types.insert(0, tensor.elem_type)
    dims = tensor.shape.dim
    column = dims[-1].dim_value if len(dims) and dims[-1].HasField("dim_value") else 0
    return column or None, types, used


def _cast_to(node: Any) -> int:
    to = next((each.i for each in node.attribute if each.name == "to"), 0)
    if to not in (_FLOAT, _DOUBLE):
        raise ModelError(f"Cast to ONNX's type {to}", expected="Cast to float or double")
    return to


def _check_after(nodes: list[Any], scores: str) -> None:
    """Refuse nodes after the trees that make other numbers of them."""
    same = {scores}
    for node in nodes:
        if node.op_type not in ("Identity", "Cast", "ZipMap", "ArgMax"):
            raise ModelError(
                f"{node.op_type} in the ONNX graph: " + _listed(nodes),
                expected="Identity, Cast, ZipMap or ArgMax beside the trees",
                fix="convert the trees alone, without the steps around them",
            )
        if node.input[0] in same and node.op_type in ("Identity", "Cast"):
            if node.op_type == "Cast":
                _cast_to(node)
            same.add(node.output[0])


def _listed(nodes: Any) -> str:
    names = [str(node.op_type) for node in nodes]
    return ", ".join(names[:10]) + (f", ... ({len(names)} nodes)" if len(names) > 10 else "")
