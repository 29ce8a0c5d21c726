from __future__ import annotations

import json
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

# Written by hand after what CatBoost 1.2.10 saves.
X_ABOVE = {"split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5, "split_index": 0}
IS_RED = {"split_type": "OneHotFeature", "cat_feature_index": 0, "value": -784473192, "split_index": 1}
IS_SEVEN = {"split_type": "OneHotFeature", "cat_feature_index": 0, "value": 12, "split_index": 2}
INFO: dict[str, Any] = {
    "features_info": {
        "cat_features_hash": [{"hash": 3510494104, "value": "red"}, {"hash": 12, "value": "7"}],
        "categorical_features": [
            {"feature_id": "colour", "feature_index": 0, "flat_feature_index": 0, "values": [-784473192, 12]}
        ],
        "float_features": [
            {
                "borders": [0.5],
                "feature_id": "",
                "feature_index": 0,
                "flat_feature_index": 1,
                "has_nans": True,
                "nan_value_treatment": "AsTrue",
            }
        ],
    },
    "model_info": {
        "catboost_version_info": "Git info:\n    Summary: CatBoost release 1.2.10. commit_hash:f8\n",
        "params": {"loss_function": {"type": "Logloss", "params": {}}},
        "class_params": {"class_label_type": "String", "class_names": ["no", "yes"], "class_to_label": [0, 1]},
    },
}
OBLIVIOUS = INFO | {
    "oblivious_trees": [
        {"leaf_values": [1, 2, 3, 4], "leaf_weights": [5, 6, 7, 8], "splits": [X_ABOVE, IS_RED]},
        {"leaf_values": [10], "leaf_weights": [26], "splits": []},
    ],
    "scale_and_bias": [2, [0.25]],
}
GROWN = INFO | {
    "trees": [
        {
            "split": X_ABOVE,
            "left": {"value": 1, "weight": 4},
            "right": {"split": IS_SEVEN, "left": {"value": 2, "weight": 5}, "right": {"value": 3, "weight": 6}},
        },
        {"value": 10, "weight": 15},
    ],
    "scale_and_bias": [1, 0.25],
}


def read(folder: Path, model: Any) -> Ensemble:
    path = folder / "model.json"
    path.write_text(model if isinstance(model, str) else json.dumps(model, indent=2))
    return read_ensemble(path)


def test_an_oblivious_tree_has_its_leaves_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    ensemble = read(tmp_path, OBLIVIOUS)

    tree = ensemble.trees[0]
    assert ensemble.feature_names == ("colour", "1")
    assert ensemble.categories == (("red", "7", 7), None)
    assert (ensemble.source, ensemble.objective) == ("catboost 1.2.10", "Logloss")
    assert (ensemble.transform, ensemble.n_classes, ensemble.classes) == (Transform.SIGMOID, 2, ("no", "yes"))
    assert (ensemble.single_input, ensemble.single_sum, ensemble.base.tolist()) == (True, False, [0.25])
    assert list(tree.feature) == [0, 1, 1]
    assert list(tree.rule) == [Rule.CATEGORY_WHOLE, Rule.NAN_RIGHT, Rule.NAN_RIGHT]
    assert list(tree.threshold) == [0.0, 0.5, 0.5]
    assert tree.categories == {0: CategorySet(codes=0, right=1, others_left=True, nan_left=True)}
    assert list(tree.leaf_value) == [2, 4, 6, 8]
    assert np.asarray(tree.leaf_cover).tolist() == [5, 6, 7, 8]
    assert list(ensemble.trees[1].leaf_value) == [20]


# The first split is the lowest bit of the leaf's number, the second the next.
@pytest.mark.parametrize(
    ("row", "leaf"),
    [
        ([1, 0.5], 0),
        ([1, 0.50000006], 1),
        ([0, 0.5], 2),
        ([0, np.nan], 3),
        ([np.nan, -np.inf], 0),
        ([99, 1e300], 1),
        ([-1, 0], 0),
    ],
)
def test_answers_are_the_bits_of_a_leaf(tmp_path: Path, row: list[float], leaf: int) -> None:
    assert reference.leaves(read(tmp_path, OBLIVIOUS), row)[0] == leaf


@pytest.mark.parametrize(("row", "leaf"), [([0, 0], 0), ([0, 1], 1), ([1, 1], 2), ([2, 1], 2), ([3, 1], 1)])
def test_a_number_is_the_same_category_as_its_text(tmp_path: Path, row: list[float], leaf: int) -> None:
    ensemble = read(tmp_path, GROWN)

    assert reference.leaves(ensemble, row)[0] == leaf
    assert ensemble.base.tolist() == [0.25]
    assert np.asarray(ensemble.trees[0].leaf_cover).tolist() == [4, 5, 6]


def test_a_category_without_its_name_is_refused(tmp_path: Path) -> None:
    text = json.dumps(OBLIVIOUS).replace("3510494104", "3510494105")

    with pytest.raises(ModelError, match="a category without a name"):
        read(tmp_path, text)


def test_a_place_far_behind_all_others_is_refused(tmp_path: Path) -> None:
    text = json.dumps(OBLIVIOUS).replace('"flat_feature_index": 1', '"flat_feature_index": 16777215', 1)

    with pytest.raises(ModelError, match="a feature at place 16777215"):
        read(tmp_path, text)


def test_a_category_that_no_feature_lists_is_refused(tmp_path: Path) -> None:
    text = json.dumps(OBLIVIOUS).replace('"values": [-784473192, 12]', '"values": [12]')

    with pytest.raises(ModelError, match="a category without a name"):
        read(tmp_path, text)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_model_gives_an_ensemble_or_a_model_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = json.dumps(data.draw(st.sampled_from([OBLIVIOUS, GROWN])))
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
