"""What is refused of ONNX models, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest.readers import read_ensemble

onnx = pytest.importorskip("onnx")
ML = "ai.onnx.ml"
LEAVES: dict[str, Any] = {
    "nodes_treeids": [0, 0, 0],
    "nodes_nodeids": [0, 1, 2],
    "nodes_featureids": [1, 0, 0],
    "nodes_values": [0.5, 0.0, 0.0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
    "nodes_truenodeids": [1, 0, 0],
    "nodes_falsenodeids": [2, 0, 0],
}
TARGETS: dict[str, Any] = {
    "n_targets": 1,
    "target_ids": [0, 0],
    "target_treeids": [0, 0],
    "target_nodeids": [1, 2],
    "target_weights": [-1.0, 2.0],
}
CLASSES: dict[str, Any] = {
    "classlabels_int64s": [0, 1],
    "class_ids": [0, 0],
    "class_treeids": [0, 0],
    "class_nodeids": [1, 2],
    "class_weights": [-1.0, 2.0],
}


def regressor(**more: Any) -> Any:
    attributes = {key: value for key, value in (LEAVES | TARGETS | more).items() if value is not None}
    return onnx.helper.make_node("TreeEnsembleRegressor", ["X"], ["Y"], domain=ML, **attributes)


def classifier(**more: Any) -> Any:
    return onnx.helper.make_node("TreeEnsembleClassifier", ["X"], ["L", "Y"], domain=ML, **(LEAVES | CLASSES | more))


def listed(**more: Any) -> Any:
    def tensor(values: list[float]) -> Any:
        return onnx.numpy_helper.from_array(np.array(values, np.float32))

    attributes = {
        "tree_roots": [0],
        "nodes_modes": onnx.numpy_helper.from_array(np.array([0], np.uint8)),
        "nodes_splits": tensor([0.5]),
        "nodes_featureids": [0],
        "nodes_truenodeids": [0],
        "nodes_falsenodeids": [1],
        "nodes_trueleafs": [1],
        "nodes_falseleafs": [1],
        "leaf_targetids": [0, 0],
        "leaf_weights": tensor([1.0, 2.0]),
        "n_targets": 1,
    }
    return onnx.helper.make_node("TreeEnsemble", ["X"], ["Y"], domain=ML, **(attributes | more))


def external() -> Any:
    """Return a tensor that names a file to read."""
    entry = onnx.StringStringEntryProto(key="location", value="numbers")
    return onnx.TensorProto(name="t", data_type=1, dims=[1], data_location=1, external_data=[entry])


def node(kind: str, source: str, target: str, **more: Any) -> Any:
    return onnx.helper.make_node(kind, [source], [target], **more)


def save(folder: Path, *nodes: Any, kind: int = 1, shape: tuple[int | None, ...] | None = (None, 3)) -> Path:
    inputs = [onnx.helper.make_tensor_value_info("X", kind, shape)]
    outputs = [onnx.helper.make_empty_tensor_value_info(nodes[-1].output[-1])]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", inputs, outputs), producer_name="by hand")
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_a_plain_model_is_read(tmp_path: Path) -> None:
    ensemble = read_ensemble(save(tmp_path, regressor()))

    assert (ensemble.n_trees, ensemble.n_leaves, ensemble.n_features) == (1, 2, 3)
    assert (ensemble.source, ensemble.objective) == ("onnx by hand", "TreeEnsembleRegressor")
    assert ensemble.trees.leaf_id.tolist() == [1, 2]


def test_columns_are_counted_where_the_graph_does_not_say(tmp_path: Path) -> None:
    ensemble = read_ensemble(save(tmp_path, regressor(), shape=(None, None)))

    assert ensemble.n_features == 2
    assert "does not say how many columns" in ensemble.notes[0]


def test_the_base_is_told_to_be_the_last_tree(tmp_path: Path) -> None:
    ensemble = read_ensemble(save(tmp_path, regressor(base_values=[0.5])))

    assert ensemble.trees.leaf_value.tolist() == [[-1.0], [2.0], [0.5]]
    assert "last trees" in ensemble.notes[0]


REFUSED: dict[str, list[Any]] = {
    "an ONNX graph with 0 tree ensembles: Identity": [node("Identity", "X", "Y")],
    "an ONNX graph with 2 tree ensembles": [regressor(), node("Identity", "Y", "Z"), regressor()],
    "Scaler before the trees": [
        node("Scaler", "X", "S", domain=ML, offset=[0.0], scale=[1.0]),
        onnx.helper.make_node("TreeEnsembleRegressor", ["S"], ["Y"], domain=ML, **(LEAVES | TARGETS)),
    ],
    "Normalizer in the ONNX graph": [regressor(), node("Normalizer", "Y", "Z", domain=ML, norm="L1")],
    "Sigmoid in the ONNX graph": [regressor(), node("Sigmoid", "Y", "Z")],
    "Cast to ONNX's type 7": [regressor(), node("Cast", "Y", "Z", to=7)],
    "aggregate_function MAX": [regressor(aggregate_function="MAX")],
    "base_values with aggregate_function AVERAGE": [regressor(aggregate_function="AVERAGE", base_values=[1.0])],
    "2 base_values": [regressor(base_values=[1.0, 2.0])],
    "post_transform LOGISTIC of a single target": [regressor(post_transform="LOGISTIC")],
    "post_transform PROBIT": [regressor(n_targets=2, post_transform="PROBIT")],
    "the mode 'BRANCH_ODD'": [regressor(nodes_modes=["BRANCH_ODD", "LEAF", "LEAF"])],
    "the mode 'BRANCH_MEMBER'": [regressor(nodes_modes=["BRANCH_MEMBER", "LEAF", "LEAF"])],
    "BRANCH_EQ at 0.5": [regressor(nodes_modes=["BRANCH_EQ", "LEAF", "LEAF"])],
    "BRANCH_NEQ at -1.0": [regressor(nodes_modes=["BRANCH_NEQ", "LEAF", "LEAF"], nodes_values=[-1.0, 0.0, 0.0])],
    "a split at NaN": [regressor(nodes_values=[float("nan"), 0.0, 0.0])],
    "a leaf without a vote whose nodes_values is not 0": [
        regressor(
            nodes_values=[0.5, 0.0, 9.0], target_ids=[0], target_treeids=[0], target_nodeids=[1], target_weights=[1.0]
        )
    ],
    "a leaf that votes twice": [regressor(target_nodeids=[1, 1])],
    "a vote for an output that is not there": [regressor(target_ids=[0, 1])],
    "a vote of a node that is no leaf": [regressor(target_nodeids=[0, 1])],
    "node 7 of tree 0 in nodes_falsenodeids": [regressor(nodes_falsenodeids=[7, 0, 0])],
    "node 7 of tree 0 in votes": [regressor(target_nodeids=[1, 7])],
    "split 0, to which several branches lead": [regressor(nodes_falsenodeids=[0, 0, 0])],
    "a chain of BRANCH_EQ that differ": [
        regressor(
            nodes_treeids=[0] * 4,
            nodes_nodeids=[0, 1, 2, 3],
            nodes_featureids=[0] * 4,
            nodes_values=[1.0, 2.0, 0.0, 0.0],
            nodes_modes=["BRANCH_EQ", "BRANCH_EQ", "LEAF", "LEAF"],
            nodes_truenodeids=[2, 2, 0, 0],
            nodes_falsenodeids=[1, 3, 0, 0],
            nodes_missing_value_tracks_true=[0, 1, 0, 0],
            target_nodeids=[2, 3],
        )
    ],
    "2 nodes_featureids": [regressor(nodes_featureids=[0, 0])],
    "a node that stands twice": [regressor(nodes_nodeids=[0, 1, 1])],
    "come back to a tree": [regressor(nodes_treeids=[0, 1, 0])],
    "feature outside 0 to 2": [regressor(nodes_featureids=[3, 0, 0])],
    "1 class labels": [classifier(classlabels_int64s=[0])],
    "votes for the second of two classes alone": [classifier(class_ids=[1, 1])],
    "post_transform NONE of votes for one class that are below 0": [classifier()],
    "post_transform SOFTMAX of votes for one class": [classifier(post_transform="SOFTMAX")],
    "leaves that do not vote for the second": [classifier(class_ids=[0, 1])],
    "2 base_values for votes of one class": [classifier(post_transform="LOGISTIC", base_values=[1.0, 2.0])],
    "post_transform 2: ONNX numbers LOGISTIC so": [listed(n_targets=2, post_transform=2)],
    "tree_roots that are no nodes": [listed(tree_roots=[3])],
    "a branch in nodes_falsenodeids to nowhere": [listed(nodes_falsenodeids=[2])],
    "nodes_modes of up to 263.0": [listed(nodes_modes=onnx.numpy_helper.from_array(np.array([263], np.int32)))],
    "the attribute 'nodes_treeids' of type 8": [regressor(nodes_treeids=["0", "0", "0"])],
    "the attribute 'n_targets' of type 1": [regressor(n_targets=1.5)],
    "the attribute 'nodes_colours'": [regressor(nodes_colours=[1, 2, 3])],
    "nodes_modes with b'\\xff'": [regressor(nodes_modes=[b"\xff", "LEAF", "LEAF"])],
    "the tensor leaf_weights": [listed(leaf_weights=onnx.TensorProto(name="w", data_type=1, dims=[9]))],
    "its numbers stand in another file": [listed(nodes_splits=external())],
    "1 trees for 2 nodes in votes": [regressor(target_treeids=[0])],
    "a number of 64 bits in nodes_featureids": [regressor(nodes_featureids=[1 << 32, 0, 0])],
    "n_targets of 1099511627776": [regressor(n_targets=1 << 40)],
    "without input or output": [regressor(), onnx.helper.make_node("Identity", [], ["Z"])],
    "Cast to ONNX's type 0": [regressor(), node("Cast", "Y", "Z")],
    "that wait for each other": [
        node("Identity", "A", "B"),
        node("Identity", "B", "A"),
        onnx.helper.make_node("TreeEnsembleRegressor", ["A"], ["Y"], domain=ML, **(LEAVES | TARGETS)),
    ],
}


@pytest.mark.parametrize("found", REFUSED)
def test_what_cannot_be_computed_exactly_is_refused_by_name(found: str, tmp_path: Path) -> None:
    path = save(tmp_path, *REFUSED[found])

    with pytest.raises(ModelError) as refusal:
        read_ensemble(path)

    problem = refusal.value.problems[0]
    assert found in problem.found
    assert problem.expected
    assert problem.where == str(path)


def test_inputs_of_other_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="an input of ONNX's type 10"):
        read_ensemble(save(tmp_path, regressor(), kind=onnx.TensorProto.FLOAT16))


@pytest.mark.parametrize("n", [1 << 40, (1 << 20) + 1])
def test_more_columns_than_any_row_has_are_refused(n: int, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"an input of {n} columns"):
        read_ensemble(save(tmp_path, regressor(), shape=(None, n)))


def test_float64_numbers_in_a_float32_operator_are_refused(tmp_path: Path) -> None:
    weights = onnx.numpy_helper.from_array(np.array([0.1, 0.2]), "w")

    with pytest.raises(ModelError, match="float64 numbers in the values and votes"):
        read_ensemble(save(tmp_path, regressor(target_weights=None, target_weights_as_tensor=weights)))


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, regressor())
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(ModelError, match="damaged ONNX model"):
        read_ensemble(path)
