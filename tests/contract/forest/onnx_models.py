"""ONNX tree ensembles: as the converters write them, and made by hand with every mode and convention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn import ensemble, tree

N = 300
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
ML = "ai.onnx.ml"


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    x = rng.normal(size=(N, 4)).astype(np.float32)
    x[:, 3] = rng.integers(0, 9, N)
    return x, x[:, 0] + x[:, 1] * (x[:, 3] % 3) + rng.normal(size=N) * 0.2


def _skl(estimator: Any, target: Callable[[np.ndarray], np.ndarray], **options: Any) -> onnx.ModelProto:
    from skl2onnx import to_onnx

    x, y = _data()
    return to_onnx(estimator.fit(x, target(y)), x[:1], **options)


def _lightgbm(kind: str, target: Callable[[np.ndarray], np.ndarray]) -> onnx.ModelProto:
    import lightgbm
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    x, y = _data()
    model = getattr(lightgbm, kind)(n_estimators=6, verbose=-1, n_jobs=1).fit(x, target(y))
    return onnxmltools.convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, 4]))])


def _xgboost(kind: str, target: Callable[[np.ndarray], np.ndarray]) -> onnx.ModelProto:
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    x, y = _data()
    model = getattr(xgboost, kind)(n_estimators=6, n_jobs=1).fit(x, target(y))
    return onnxmltools.convert_xgboost(model, initial_types=[("X", FloatTensorType([None, 4]))])


def _catboost(kind: str, target: Callable[[np.ndarray], np.ndarray], folder: Path) -> onnx.ModelProto:
    import catboost

    x, y = _data()
    model = getattr(catboost, kind)(iterations=6, depth=4, verbose=0, thread_count=1, allow_writing_files=False)
    model.fit(x, target(y)).save_model(folder / "cat.onnx", format="onnx")
    return onnx.load(folder / "cat.onnx")


def same(y: np.ndarray) -> np.ndarray:
    return y


def pair(y: np.ndarray) -> np.ndarray:
    return np.stack([y, -y * y], axis=1)


def binary(y: np.ndarray) -> np.ndarray:
    return (y > 0).astype(int)


def words(y: np.ndarray) -> np.ndarray:
    return np.where(y > 0, "up", "down")


def three(y: np.ndarray) -> np.ndarray:
    return np.digitize(y, [-0.5, 0.5])


CONVERTED: dict[str, Callable[[Path], onnx.ModelProto]] = {
    "skl2onnx tree": lambda _: _skl(tree.DecisionTreeRegressor(), same),
    "skl2onnx forest": lambda _: _skl(ensemble.RandomForestRegressor(6), same),
    "skl2onnx forest of two targets": lambda _: _skl(ensemble.RandomForestRegressor(6), pair),
    "skl2onnx forest of two classes": lambda _: _skl(ensemble.RandomForestClassifier(6), binary),
    "skl2onnx forest without a map": lambda _: _skl(
        ensemble.RandomForestClassifier(6), words, options={"zipmap": False}
    ),
    "skl2onnx forest of words": lambda _: _skl(ensemble.RandomForestClassifier(6), words),
    "skl2onnx forest of three classes": lambda _: _skl(ensemble.RandomForestClassifier(6), three),
    "skl2onnx boosting": lambda _: _skl(ensemble.GradientBoostingRegressor(n_estimators=6), same),
    "skl2onnx boosting of two classes": lambda _: _skl(ensemble.GradientBoostingClassifier(n_estimators=6), binary),
    "skl2onnx boosting of three classes": lambda _: _skl(ensemble.GradientBoostingClassifier(n_estimators=6), three),
    "onnxmltools lightgbm": lambda _: _lightgbm("LGBMRegressor", same),
    "onnxmltools lightgbm of two classes": lambda _: _lightgbm("LGBMClassifier", binary),
    "onnxmltools lightgbm of three classes": lambda _: _lightgbm("LGBMClassifier", three),
    "onnxmltools xgboost": lambda _: _xgboost("XGBRegressor", same),
    "onnxmltools xgboost of two classes": lambda _: _xgboost("XGBClassifier", binary),
    "onnxmltools xgboost of three classes": lambda _: _xgboost("XGBClassifier", three),
    "catboost": lambda folder: _catboost("CatBoostRegressor", same, folder),
    "catboost of two classes": lambda folder: _catboost("CatBoostClassifier", binary, folder),
    "catboost of three classes": lambda folder: _catboost("CatBoostClassifier", three, folder),
}


def model_of(nodes: Sequence[Any], *, n_features: int = 3, kind: int = TensorProto.FLOAT, opset: int = 3) -> Any:
    """Wrap nodes from X to the outputs of the last one in a model."""
    outputs = [helper.make_empty_tensor_value_info(name) for name in nodes[-1].output]
    graph = helper.make_graph(nodes, "trees", [helper.make_tensor_value_info("X", kind, [None, n_features])], outputs)
    opsets = [helper.make_opsetid(ML, opset), helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="by hand")


def random_nodes(seed: int, modes: Sequence[str], *, n_trees: int = 5, depth: int = 3) -> dict[str, list[Any]]:
    """Return full trees of random splits, numbered by level; whole numbers where a mode tests for equality."""
    rng = np.random.default_rng(seed)
    lists: dict[str, list[Any]] = {f"nodes_{name}": [] for name in ("treeids", "nodeids", "featureids", "values")}
    lists |= {f"nodes_{name}": [] for name in ("modes", "truenodeids", "falsenodeids", "missing_value_tracks_true")}
    n_splits = 2**depth - 1
    for number in range(n_trees):
        for node in range(2 * n_splits + 1):
            is_leaf = node >= n_splits
            mode = "LEAF" if is_leaf else str(rng.choice(modes))
            value = float(rng.integers(0, 5)) if "EQ" in mode[-3:] and "LEQ" not in mode else rng.normal()
            lists["nodes_treeids"].append(number)
            lists["nodes_nodeids"].append(node)
            lists["nodes_featureids"].append(0 if is_leaf else int(rng.integers(3)))
            lists["nodes_values"].append(0.0 if is_leaf else value)
            lists["nodes_modes"].append(mode)
            lists["nodes_truenodeids"].append(0 if is_leaf else 2 * node + 1)
            lists["nodes_falsenodeids"].append(0 if is_leaf else 2 * node + 2)
            lists["nodes_missing_value_tracks_true"].append(0 if is_leaf else int(rng.integers(2)))
    return lists


def votes(lists: dict[str, list[Any]], kind: str, n_outputs: int, seed: int, *, each: bool) -> dict[str, list[Any]]:
    """Return votes of every leaf: for each output, or in turn for the tree's own."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Any]] = {f"{kind}_{name}": [] for name in ("treeids", "nodeids", "ids", "weights")}
    for number, node, mode in zip(lists["nodes_treeids"], lists["nodes_nodeids"], lists["nodes_modes"], strict=True):
        for output in range(n_outputs) if each else [number % n_outputs]:
            if mode == "LEAF":
                for key, value in (("treeids", number), ("nodeids", node), ("ids", output), ("weights", rng.normal())):
                    found[f"{kind}_{key}"].append(value)
    return found


def regressor(seed: int, modes: Sequence[str] = MODES, n_targets: int = 1, *, each: bool = True, **more: Any) -> Any:
    """Return a TreeEnsembleRegressor by hand."""
    lists = random_nodes(seed, modes)
    attributes = lists | votes(lists, "target", n_targets, seed, each=each) | {"n_targets": n_targets} | more
    return helper.make_node("TreeEnsembleRegressor", ["X"], ["Y"], domain=ML, **attributes)


def classifier(seed: int, n_classes: int = 3, *, each: bool = True, **more: Any) -> Any:
    """Return a TreeEnsembleClassifier by hand."""
    lists = random_nodes(seed, MODES)
    attributes = lists | votes(lists, "class", n_classes, seed, each=each)
    attributes |= {"classlabels_int64s": list(range(n_classes))} | more
    return helper.make_node("TreeEnsembleClassifier", ["X"], ["label", "Y"], domain=ML, **attributes)


def listed(seed: int, number: int, *, n_targets: int = 1, **more: Any) -> Any:
    """Return a TreeEnsemble (ai.onnx.ml 5) by hand, with BRANCH_MEMBER and a tree of one leaf.

    Args:
        number: TensorProto.FLOAT or DOUBLE.
    """
    rng = np.random.default_rng(seed)
    n_splits, n_trees = 7, 4
    modes = rng.integers(0, 7, n_splits * n_trees)
    splits = np.where(modes >= 4, rng.integers(0, 5, len(modes)), rng.normal(size=len(modes)))
    members: list[float] = []
    for mode in modes.tolist():
        if mode == 6:
            members += [*rng.choice(6, 3, replace=False).astype(float), np.nan]
    true, false, true_leaf, false_leaf = [], [], [], []
    for number_of_tree in range(n_trees):
        for node in range(n_splits):
            is_leaf = 2 * node + 1 >= n_splits
            true_leaf.append(int(is_leaf))
            false_leaf.append(int(is_leaf))
            first = 8 * number_of_tree + 2 * node + 1 - n_splits if is_leaf else 7 * number_of_tree + 2 * node + 1
            true.append(first)
            false.append(first + 1)
    n_leaves = 8 * n_trees
    for each, value in ((true, n_leaves), (false, n_leaves), (true_leaf, 1), (false_leaf, 1)):
        each.append(value)  # a tree of one leaf: both branches of a split lead to it
    modes, splits = np.append(modes, 0), np.append(splits, 0.0)
    dtype = np.float32 if number == TensorProto.FLOAT else np.float64

    def tensor(name: str, values: Any) -> Any:
        return onnx.numpy_helper.from_array(np.asarray(values, dtype), name)

    return helper.make_node(
        "TreeEnsemble",
        ["X"],
        ["Y"],
        domain=ML,
        tree_roots=[*range(0, n_splits * n_trees, n_splits), n_splits * n_trees],
        nodes_modes=onnx.numpy_helper.from_array(modes.astype(np.uint8), "modes"),
        nodes_splits=tensor("splits", splits),
        nodes_featureids=rng.integers(0, 3, len(modes)).tolist(),
        nodes_truenodeids=true,
        nodes_falsenodeids=false,
        nodes_trueleafs=true_leaf,
        nodes_falseleafs=false_leaf,
        nodes_missing_value_tracks_true=rng.integers(0, 2, len(modes)).tolist(),
        leaf_targetids=(np.arange(n_leaves + 1) // 8 % n_targets).tolist(),
        leaf_weights=tensor("weights", rng.normal(size=n_leaves + 1)),
        membership_values=tensor("members", members),
        n_targets=n_targets,
        **more,
    )
