from __future__ import annotations

import copy
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.errors import ModelError
from bareboat.forest import reference
from bareboat.forest.ir import CategorySet, Ensemble, Rule, Transform
from bareboat.forest.readers import read_ensemble

# Written by hand after what XGBoost 3.2 saves: one tree, whose nodes 3 and 4 pruning has cut off.
TREE: dict[str, Any] = {
    "id": 0,
    "tree_param": {"num_nodes": "7", "num_feature": "2", "num_deleted": "2", "size_leaf_vector": "1"},
    "left_children": [1, -1, 5, -1, -1, -1, -1],
    "right_children": [2, -1, 6, -1, -1, -1, -1],
    "parents": [2147483647, 0, 0, 2147483647, 2147483647, 2, 2],
    "split_indices": [0, 0, 1, 2147483647, 2147483647, 0, 0],
    "split_conditions": [0.5, -1.25, 1e-45, 0, 0, 2.5, 3.5],
    "default_left": [1, 0, 0, 0, 0, 0, 0],
    "split_type": [0, 0, 1, 0, 0, 0, 0],
    "categories": [1, 33],
    "categories_nodes": [2],
    "categories_segments": [0],
    "categories_sizes": [2],
    "sum_hessian": [10, 4, 6, 0, 0, 2, 4],
    "loss_changes": [1.5, 0, 0.5, 0, 0, 0, 0],
    "base_weights": [0, 0, 0, 0, 0, 0, 0],
}
MODEL: dict[str, Any] = {
    "learner": {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {
            "name": "gbtree",
            "model": {
                "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "2"},
                "iteration_indptr": [0, 1, 2],
                "tree_info": [0, 0],
                "trees": [TREE, {**TREE, "id": 1}],
            },
        },
        "learner_model_param": {"base_score": "[5E-1]", "num_class": "0", "num_feature": "2", "num_target": "1"},
        "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}},
    },
    "version": [3, 2, 0],
}
TREE_AT = "learner.gradient_booster.model.trees[0]"


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """Return the model with values at ways such as `learner.attributes` or `trees[0].categories` replaced."""
    model = copy.deepcopy(MODEL)
    for way, new in changes:
        *keys, last = way.replace("[", ".").replace("]", "").split(".")
        at: Any = model
        for key in keys:
            at = at[int(key)] if key.isdigit() else at[key]
        if new is ...:
            del at[last]
        else:
            at[int(last) if last.isdigit() else last] = new
    return model


def read(folder: Path, model: Any) -> Ensemble:
    path = folder / "model.json"
    path.write_text(model if isinstance(model, str) else json.dumps(model))
    return read_ensemble(path)


def test_a_model_is_read_whole(tmp_path: Path) -> None:
    ensemble = read(tmp_path, MODEL)

    tree = ensemble.trees[0]
    assert ensemble.feature_names == ("f0", "f1")
    assert (ensemble.source, ensemble.objective) == ("xgboost 3.2.0", "reg:squarederror")
    assert (ensemble.transform, ensemble.n_classes, ensemble.n_rounds) == (Transform.IDENTITY, 0, 2)
    assert (ensemble.single_input, ensemble.single_sum, ensemble.base.tolist()) == (True, True, [0.5])
    assert list(tree.feature) == [0, 1]
    assert list(tree.rule) == [Rule.NAN_LEFT, Rule.CATEGORY_NOT_NEGATIVE]
    assert list(tree.threshold) == [0.4999999701976776, 0.0]  # the float32 before 0.5
    assert tree.categories == {1: CategorySet(codes=0, right=1 << 1 | 1 << 33, others_left=True, nan_left=False)}
    assert (list(tree.left), list(tree.right)) == ([-1, -2], [1, -3])
    assert list(tree.leaf_value) == [-1.25, 2.5, 3.5]
    assert np.asarray(tree.leaf_id).tolist() == [1, 5, 6]
    assert np.asarray(tree.leaf_cover).tolist() == [4, 2, 4]
    assert np.asarray(tree.split_cover).tolist() == [10, 6]
    assert np.asarray(tree.split_gain).tolist() == [1.5, 0.5]


@pytest.mark.parametrize(
    ("text", "leaf"),
    [("NaN", 0), ("0.49999999", 1), ("0.5", 1), ("0.49999997", 0)],
)
def test_values_are_compared_as_float32(tmp_path: Path, text: str, leaf: int) -> None:
    ensemble = read(tmp_path, MODEL)

    assert reference.leaves(ensemble, [float(text), 0.0])[0] == leaf


@pytest.mark.parametrize(
    ("value", "leaf"), [(1, 2), (1.9, 2), (33, 2), (0, 1), (34, 1), (-1, 1), (-0.5, 1), (1e9, 1), (1e300, 1)]
)
def test_categories_that_a_split_names_go_right(tmp_path: Path, value: float, leaf: int) -> None:
    ensemble = read(tmp_path, MODEL)

    assert reference.leaves(ensemble, [1.0, value])[0] == leaf
    assert reference.leaves(ensemble, [1.0, np.nan])[0] == 2  # default_left is 0


def test_dart_weights_multiply_leaves_as_float32(tmp_path: Path) -> None:
    old = changed(("learner.gradient_booster.name", "dart"))
    old["learner"]["gradient_booster"]["gbtree"] = {"model": old["learner"]["gradient_booster"].pop("model")}
    old["learner"]["gradient_booster"]["weight_drop"] = [0.1, 1.0]
    new = changed(("learner.gradient_booster.model.weight_drop", [0.1, 1.0]))  # from 3.3 on

    for model in (old, new):
        ensemble = read(tmp_path, model)

        assert ensemble.trees[0].leaf_value[2] == float(np.float32(3.5) * np.float32(0.1))
        assert ensemble.trees[1].leaf_value[2] == 3.5


def test_a_model_before_categories_and_iteration_indptr_is_read(tmp_path: Path) -> None:
    ways = [f"{TREE_AT[:-3]}[{place}].{key}" for place in (0, 1) for key in ("split_type", "categories_nodes")]
    model = changed(
        *((way, ...) for way in ways),
        ("learner.gradient_booster.model.iteration_indptr", ...),
        ("learner.gradient_booster.model.gbtree_model_param.num_parallel_tree", ...),
        ("learner.learner_model_param.num_target", ...),
        ("learner.learner_model_param.base_score", "5E-1"),
        ("version", [1, 0, 2]),
    )

    ensemble = read(tmp_path, model)

    assert ensemble.n_rounds == 2
    assert list(ensemble.trees[0].rule) == [Rule.NAN_LEFT, Rule.NAN_RIGHT]


def test_a_model_with_spaces_and_other_first_keys_is_known(tmp_path: Path) -> None:
    text = json.dumps({"version": MODEL["version"], "learner": MODEL["learner"]}, indent=2)

    assert read(tmp_path, text).n_trees == 2


def test_best_iteration_ends_the_rounds(tmp_path: Path) -> None:
    ensemble = read(tmp_path, changed(("learner.attributes", {"best_iteration": "0", "best_score": "0.5"})))

    assert ensemble.n_rounds == 1
    assert "the first 1 of 2" in ensemble.notes[0]


FAULTS: list[tuple[str, Any, str]] = [
    ("version", [4, 0, 0], "XGBoost 4.0.0 at version"),
    ("version", ["3"], "other things than whole numbers at version"),
    ("learner", ..., "no 'learner'"),
    ("learner", 5, "5 instead of an object at learner"),
    ("learner.objective.name", "reg:novel", "the objective 'reg:novel' at learner.objective.name"),
    ("learner.objective.name", 3, "3 instead of text"),
    ("learner.objective.name", "multi:softprob", "multi:softprob with num_class 0"),
    ("learner.learner_model_param.num_class", "x", "'x' at learner.learner_model_param.num_class"),
    ("learner.learner_model_param.num_feature", "0", "'0'|0 at learner.learner_model_param.num_feature"),
    ("learner.learner_model_param.num_class", "2147483647", "'2147483647' at learner.learner_model_param.num_class"),
    ("learner.learner_model_param.num_target", 1 << 30, "1073741824 at learner.learner_model_param.num_target"),
    ("learner.learner_model_param.base_score", "[1,2]", "2 base scores"),
    ("learner.learner_model_param.base_score", "[1E", "the base score"),
    ("learner.learner_model_param.base_score", "[NAN]", "the base score"),
    ("learner.attributes", {"best_iteration": "2"}, "'2' at learner.attributes.best_iteration"),
    ("learner.feature_names", ["a"], "1 names"),
    ("learner.feature_names", ["a", "a"], "1 of them different"),
    ("learner.gradient_booster.name", "gblinear", "a linear model"),
    ("learner.gradient_booster.name", "gbforest", "the booster 'gbforest'"),
    ("learner.gradient_booster.model.trees", [], "a model without trees"),
    ("learner.gradient_booster.model.tree_info", [0], "1 whole numbers"),
    ("learner.gradient_booster.model.tree_info", [0, 1], "a tree of no output"),
    ("learner.gradient_booster.model.iteration_indptr", [0, 2], "rounds of other sizes"),
    ("learner.gradient_booster.model.gbtree_model_param.num_parallel_tree", "3", "rounds of other sizes"),
    ("learner.gradient_booster.weight_drop", [1.0], "1 numbers"),
    ("learner.gradient_booster.weight_drop", [1.0, 1e39], "a weight that is not finite"),
    ("learner.gradient_booster.model.cats", {"enc": [{"offsets": [], "values": []}]}, "categories of 1 features"),
    (f"{TREE_AT}.tree_param.num_nodes", "8", "7 whole numbers"),
    (f"{TREE_AT}.tree_param.size_leaf_vector", "2", "leaves of 2 values"),
    (f"{TREE_AT}.left_children[0]", 7, "the child 7"),
    (f"{TREE_AT}.left_children[0]", 0, "the child 0"),
    (f"{TREE_AT}.left_children[0]", 2, "a cycle or share a branch"),
    (f"{TREE_AT}.right_children[2]", 2, "a cycle or share a branch"),
    (f"{TREE_AT}.right_children[2]", -1, "the child -1"),
    (f"{TREE_AT}.left_children", [1, "2", 5, -1, -1, -1, -1], "other things than whole numbers"),
    (f"{TREE_AT}.left_children", [[1]] * 7, "other things than whole numbers"),
    (f"{TREE_AT}.left_children", None, "None instead of a list"),
    (f"{TREE_AT}.split_indices[0]", 2, "the feature 2"),
    (f"{TREE_AT}.split_conditions[0]", -1e39, "the threshold -inf"),
    (f"{TREE_AT}.split_conditions[1]", 1e39, "a leaf that is not finite"),
    (f"{TREE_AT}.split_conditions", [0.5], "1 numbers"),
    (f"{TREE_AT}.categories_nodes", [0], "other nodes than split_type"),
    (f"{TREE_AT}.categories_sizes", [3], "reaches outside"),
    (f"{TREE_AT}.categories_sizes", [0], "reaches outside"),
    (f"{TREE_AT}.categories[1]", 1 << 24, "a category out of range"),
    (f"{TREE_AT}.categories[1]", -1, "a category out of range"),
]


@pytest.mark.parametrize(("way", "new", "found"), FAULTS, ids=lambda each: str(each)[-30:])
def test_a_fault_is_named_with_its_place(tmp_path: Path, way: str, new: Any, found: str) -> None:
    with pytest.raises(ModelError, match=found.replace("[", r"\[")) as caught:
        read(tmp_path, changed((way, new)))

    assert caught.value.problems[0].where == str(tmp_path / "model.json")
    assert caught.value.problems[0].expected


def test_a_number_of_features_alone_does_not_take_all_memory(tmp_path: Path) -> None:
    model = changed(("learner.learner_model_param.num_feature", "16777215"), ("learner.feature_names", []))

    with pytest.raises(ModelError, match="16777215 features without names"):
        read(tmp_path, model)


def test_many_sets_of_large_categories_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bareboat.forest.sets.MOST_BYTES", 1000)

    with pytest.raises(ModelError, match="too many sets of large categories at learner"):
        read(tmp_path, changed((f"{TREE_AT}.categories[1]", 8000)))


def test_a_key_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    damaged = json.dumps(MODEL).replace('"learner_model_param": {', '"learner_model_param": {"\xff": 1, ', 1)
    path = tmp_path / "model.json"
    path.write_bytes(damaged.encode("latin-1"))

    with pytest.raises(ModelError, match="not UTF-8"):
        read_ensemble(path)


def test_a_nan_threshold_is_refused(tmp_path: Path) -> None:
    text = json.dumps(MODEL).replace("[0.5, -1.25", "[NaN, -1.25")

    with pytest.raises(ModelError, match="the threshold nan"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("cats", "categories"),
    [
        ({"offsets": [0, 1, 3], "values": [97, 98, 99]}, ("a", "bc")),
        ({"offsets": [0, 2], "values": [-61, -68]}, ("ü",)),
        ({"type": 15, "values": [20, 10]}, (20, 10)),
        ({"offsets": [], "values": []}, None),
    ],
)
def test_categories_are_named_by_their_codes(tmp_path: Path, cats: dict[str, Any], categories: Any) -> None:
    enc = [{"offsets": [], "values": []}, cats]
    model = changed(("learner.gradient_booster.model.cats", {"enc": enc}), ("version", [3, 4, 0]))

    assert read(tmp_path, model).categories == (None, categories)


@pytest.mark.parametrize(
    ("offsets", "values"), [([1, 2], [97, 98]), ([0, 3], [97]), ([0, 2, 1], [97]), ([0, 1, 2], [97, 97])]
)
def test_damaged_categories_are_refused(tmp_path: Path, offsets: list[int], values: list[int]) -> None:
    enc = [{"offsets": [], "values": []}, {"offsets": offsets, "values": values}]

    with pytest.raises(ModelError, match="cats"):
        read(tmp_path, changed(("learner.gradient_booster.model.cats", {"enc": enc})))


@pytest.mark.parametrize(
    ("meta", "classes"),
    [
        ({"_estimator_type": "classifier"}, (0, 1)),
        ({"_estimator_type": "classifier", "_le": {"classes_": ["no", "yes"]}}, ("no", "yes")),
        ({"_estimator_type": "classifier", "classes_": [3, 7]}, (3, 7)),
        ({"_estimator_type": "regressor"}, ()),
    ],
)
def test_labels_stand_in_what_scikit_learn_left(tmp_path: Path, meta: dict[str, Any], classes: Any) -> None:
    model = changed(
        ("learner.objective.name", "binary:logistic"), ("learner.attributes", {"scikit_learn": json.dumps(meta)})
    )

    ensemble = read(tmp_path, model)

    assert (ensemble.n_classes, ensemble.classes) == (2, classes)


def test_json_that_breaks_off_is_named_with_line_and_column(tmp_path: Path) -> None:
    text = json.dumps(MODEL, indent=1)

    with pytest.raises(ModelError, match="breaks off") as caught:
        read(tmp_path, text[:1000])

    assert caught.value.problems[0].where.startswith(f"{tmp_path / 'model.json'}:")


def test_ubjson_that_breaks_off_is_named_with_its_byte(tmp_path: Path) -> None:
    (tmp_path / "model.ubj").write_bytes(b"{L" + struct.pack(">q", 7) + b"learner{")

    with pytest.raises(ModelError, match="the end of the file inside a container") as caught:
        read_ensemble(tmp_path / "model.ubj")

    assert caught.value.problems[0].where.endswith("byte 18")


@pytest.mark.parametrize("start", [b"binf", b"bs64\t", b"CONFIG-offset:"])
def test_binary_models_are_refused_with_the_way_out(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(start + bytes(200))

    with pytest.raises(ModelError, match="deprecated binary format") as caught:
        read_ensemble(tmp_path / "model.bin")

    assert "save_model" in caught.value.problems[0].fix


def test_zeros_are_no_binary_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(bytes(500))

    with pytest.raises(ModelError, match="no known model format"):
        read_ensemble(tmp_path / "model.bin")


TEXT = json.dumps(MODEL)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_model_gives_an_ensemble_or_a_model_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = TEXT
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(1, len(text) - 1))
        new = data.draw(
            st.sampled_from(["-1", "9", "1e999", "NaN", "[]", "{}", '"', ",", "", "null", "true", "]", "0"])
        )
        text = text[:at] + new + text[at + data.draw(st.integers(0, 3)) :]
    folder = tmp_path_factory.mktemp("mutated")

    try:
        ensemble = read(folder, text)
    except ModelError:
        return
    assert len(reference.raw_scores(ensemble, [[0.0] * ensemble.n_features])[0]) == ensemble.n_outputs
