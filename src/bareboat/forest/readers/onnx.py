"""An ONNX model of one tree ensemble -> Ensemble.

Source: onnx, docs/Operators-ml.md: TreeEnsembleRegressor and TreeEnsembleClassifier (ai.onnx.ml 1 and 3) and
TreeEnsemble (5). Where it leaves open what is computed, ONNX Runtime's answer counts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble, Floats, Trees
from bareboat.forest.readers.child_check import checked
from bareboat.forest.readers.onnx_graph import TreeGraph, read_graph
from bareboat.forest.readers.onnx_nodes import listed_nodes, named_nodes
from bareboat.forest.readers.onnx_scores import Scores, classifier_scores, regressor_scores, with_base
from bareboat.forest.readers.onnx_trees import read_trees
from bareboat.forest.readers.reader import MOST_UNNAMED, Reader

_HEAD = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]")
"""ModelProto: field 1, ir_version, then one of producer_name to opset_import."""


def parsed_onnx(path: Path, data: bytes) -> Any:
    """Return the onnx.ModelProto that bytes are.

    Args:
        path: for messages.
    Raises:
        ModelError: they are damaged, or the package onnx is missing.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ModelError(
            "an ONNX model, and the package onnx is not installed", fix="pip install onnx", where=str(path)
        ) from error
    try:
        return onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError(
            "a damaged ONNX model", expected="a whole ModelProto", fix="copy it again", where=str(path)
        ) from error


def _read(path: Path, data: bytes) -> Ensemble:
    model = parsed_onnx(path, data)
    try:
        return read_model(model)
    except ModelError as error:
        problem = error.problems[0]
        raise ModelError(problem.found, expected=problem.expected, fix=problem.fix, where=str(path)) from error


def read_model(model: Any) -> Ensemble:
    """Turn an onnx.ModelProto into an Ensemble.

    Raises:
        ModelError: its graph is more than a tree ensemble, or computes what the IR cannot; names what.
    """
    graph = read_graph(model)
    if graph.operator == "TreeEnsembleClassifier":
        scores, nodes = classifier_scores(graph.attributes, named_nodes(graph.attributes, "class"))
    else:
        scores = regressor_scores(graph.attributes, has_argmax=graph.has_argmax)
        is_list = graph.operator == "TreeEnsemble"
        nodes = listed_nodes(graph.attributes) if is_list else named_nodes(graph.attributes, "target")
    if graph.single:
        _check_single("base_values", scores.base)
        _check_single("the values and votes of nodes", np.concatenate([nodes.value, nodes.vote_weight]))
    trees = read_trees(nodes, scores.n_outputs, np.float32 if graph.single else np.float64)
    n_features = graph.n_features or int(trees.feature.max(initial=0)) + 1
    if not 1 <= n_features <= MOST_UNNAMED:
        raise ModelError(f"an input of {n_features} columns", expected=f"1 to {MOST_UNNAMED}")
    return checked(_ensemble(model, graph, scores, with_base(trees, scores), n_features))


def _check_single(what: str, values: Floats) -> None:
    finite = values[np.isfinite(values)]
    if (finite.astype(np.float32) != finite).any():
        raise ModelError(f"float64 numbers in {what} of an operator of float32", expected="float32 numbers")


def _ensemble(model: Any, graph: TreeGraph, scores: Scores, trees: Trees, n_features: int) -> Ensemble:
    notes = []
    if scores.base.any():
        notes.append("base_values are the last trees, since ONNX Runtime adds them after all others")
    if graph.n_features is None:
        notes.append(f"the graph does not say how many columns it takes: {n_features} are used")
    n_outputs = scores.n_outputs
    in_turn = n_outputs > 1 and trees.leaf_value.shape[1] == 1 and not scores.average
    in_turn = in_turn and bool((trees.output == np.arange(len(trees)) % n_outputs).all())
    return Ensemble(
        feature_names=tuple(f"x{feature}" for feature in range(n_features)),
        categories=(None,) * n_features,
        objective=graph.operator,
        source=_source(model),
        transform=scores.transform,
        n_classes=len(scores.classes),
        classes=scores.classes,
        n_outputs=n_outputs,
        trees=trees,
        trees_per_round=n_outputs if in_turn and len(trees) % n_outputs == 0 else 1,
        base=np.zeros(n_outputs),
        average=scores.average,
        single_input=graph.single_input,
        single_sum=graph.single,
        notes=tuple(notes),
    )


def _source(model: Any) -> str:
    version = str(model.producer_version)
    return " ".join(
        ["onnx", *str(model.producer_name).split(), *([version] if re.fullmatch(r"[\w.+-]+", version) else [])]
    )


ONNX = Reader(name="ONNX tree ensemble (.onnx)", matches=lambda head: bool(_HEAD.match(head)), read=_read)
