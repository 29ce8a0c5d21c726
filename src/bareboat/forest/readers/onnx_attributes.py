"""The attributes of an ONNX tree ensemble -> a table of them, each known and of the type that the operator gives it.

Source: onnx, docs/Operators-ml.md and AttributeProto in onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bareboat.errors import ModelError

_INT, _STRING, _TENSOR, _FLOATS, _INTS, _STRINGS = 2, 3, 4, 6, 7, 8
"""AttributeProto.AttributeType."""
_EXTERNAL = 1
"""TensorProto.DataLocation: the numbers stand in another file."""

_NAMED_NODES = ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids", "missing_value_tracks_true")
_BY_TYPE: dict[int, tuple[str, ...]] = {
    _INT: ("n_targets", "aggregate_function", "post_transform"),
    _STRING: ("aggregate_function", "post_transform"),
    _STRINGS: ("nodes_modes", "classlabels_strings"),
    _FLOATS: ("nodes_values", "nodes_hitrates", "base_values", "class_weights", "target_weights"),
    _INTS: (
        *(f"nodes_{name}" for name in (*_NAMED_NODES, "trueleafs", "falseleafs")),
        *(f"{votes}_{name}" for votes in ("class", "target") for name in ("treeids", "nodeids", "ids")),
        *("classlabels_int64s", "tree_roots", "leaf_targetids"),
    ),
    _TENSOR: (
        *(f"{name}_as_tensor" for name in ("nodes_values", "nodes_hitrates", "base_values")),
        *("class_weights_as_tensor", "target_weights_as_tensor"),
        *("nodes_modes", "nodes_splits", "nodes_hitrates", "leaf_weights", "membership_values"),
    ),
}


def read_attributes(node: Any) -> Mapping[str, Any]:
    """Return the attributes of a tree ensemble by name, as onnx has them.

    Args:
        node: onnx.NodeProto of one of the three operators.
    Raises:
        ModelError: one has a name or a type that the operators do not have, or a tensor is damaged; names it.
    """
    from onnx import helper

    found: dict[str, Any] = {}
    for each in node.attribute:
        if each.name not in _BY_TYPE.get(each.type, ()):
            raise ModelError(
                f"the attribute {str(each.name)[:60]!r} of type {each.type}",
                expected="the attributes that ONNX gives its tree ensembles",
                fix="convert the model again with a current converter",
            )
        value = helper.get_attribute_value(each)
        if each.type == _TENSOR:
            _check_tensor(each.name, value)
        for text in value if each.type == _STRINGS else [value] if each.type == _STRING else []:
            _check_text(each.name, text)
        found[each.name] = value
    return found


def _check_tensor(name: str, tensor: Any) -> None:
    from onnx import numpy_helper

    try:
        if tensor.data_location == _EXTERNAL:
            raise ValueError("its numbers stand in another file")
        array = numpy_helper.to_array(tensor)
        if array.ndim != 1 or array.dtype.kind not in "iuf":
            raise ValueError(f"an array of {array.dtype} of shape {array.shape}")
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"the tensor {name}: {error}", expected="numbers in a list") from error


def _check_text(name: str, text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise ModelError(f"{name} with {text[:40]!r}, which is not UTF-8", expected="text") from error
