"""What comes back from the child process: the same Ensemble, or an error for whatever in it is unsound."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest.ir import CategorySet, Ensemble, LinearLeaf, Rule, Transform, Tree, Trees
from bareboat.forest.readers.child_answer import packed, unpacked
from bareboat.forest.readers.child_check import checked
from bareboat.forest.readers.child_openers import plain_labels
from bareboat.forest.readers.reader import SavedModel

SPLIT = Tree(
    feature=[1, 0],
    rule=[Rule.CATEGORY_NOT_NEGATIVE, Rule.NAN_LEFT],
    threshold=[0.0, 1.5],
    left=[1, -1],
    right=[-3, -2],
    leaf_value=[1.0, 2.0, -0.5],
    categories={0: CategorySet(1 << 700, right=5, others_left=True, nan_left=True)},
    leaf_cover=[1.0, 2.0, 3.0],
    split_cover=[6.0, 3.0],
    split_gain=[0.5, 0.25],
    leaf_id=[3, 4, 5],
)
STUMP = Tree([], [], [], [], [], [7.0], leaf_cover=[6.0], split_cover=[], split_gain=[], leaf_id=[0])


def ensemble(*trees: Tree, **fields: Any) -> Ensemble:
    plain: dict[str, Any] = {
        "feature_names": ("a", "b"),
        "categories": (None, ("x", 1, True)),
        "objective": "some",
        "source": "the tests",
        "transform": Transform.SIGMOID,
        "parameters": (0.5,),
        "n_classes": 2,
        "classes": ("no", "yes"),
        "n_outputs": 1,
        "trees": Trees.of(trees),
        "trees_per_round": 1,
        "base": np.array([0.25]),
        "notes": ("a note",),
    }
    return Ensemble(**plain | fields)


def through_files(found: Ensemble | SavedModel, folder: Path, *notes: str) -> Ensemble | SavedModel:
    return unpacked(json.loads(json.dumps(packed(found, notes, str(folder)))), folder)


def equal(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.tolist() == b.tolist()
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(
            equal(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a)
        )
    return type(a) is type(b) and a == b


def test_an_ensemble_comes_back_as_it_was(tmp_path: Path) -> None:
    sent = ensemble(SPLIT, STUMP)

    assert equal(through_files(sent, tmp_path), sent)


def test_linear_leaves_and_vectors_come_back_as_they_were(tmp_path: Path) -> None:
    linear = dataclasses.replace(STUMP, linear=[LinearLeaf(1.0, (1, 0), (0.5, -2.0))])
    vectors = Tree([], [], [], [], [], [[1.0, 2.0]])

    for sent in (ensemble(linear, SPLIT), ensemble(vectors, n_outputs=2, base=np.zeros(2))):
        assert equal(through_files(sent, tmp_path), sent)


def test_notes_of_loading_follow_those_of_the_opener(tmp_path: Path) -> None:
    found = through_files(ensemble(STUMP), tmp_path, "of loading")

    assert found.notes == ("a note", "of loading")


def test_a_saved_model_comes_back_as_it_was(tmp_path: Path) -> None:
    sent = SavedModel(b"tree\n\0", classes=(True, "x", 1.5), notes=("n",))

    assert equal(through_files(sent, tmp_path), sent)


FAULTS: list[tuple[str, Callable[[dict[str, np.ndarray]], object], str]] = [
    ("a child outside", lambda trees: trees["left"].__setitem__(0, 9), "child 9 points outside"),
    ("a leaf outside", lambda trees: trees["right"].__setitem__(0, -9), "child -9 points outside"),
    ("a shared leaf", lambda trees: trees["right"].__setitem__(0, -1), "leaf 0 is reached twice"),
    ("a cycle", lambda trees: trees["left"].__setitem__(0, 0), "split 0 is reached twice"),
    ("a feature outside", lambda trees: trees["feature"].__setitem__(0, 2), "feature outside 0 to 1"),
    ("an unknown rule", lambda trees: trees["rule"].__setitem__(0, 8), "rule outside"),
    ("a set outside", lambda trees: trees["set_number"].__setitem__(0, 1), "set_number outside"),
    ("a set of a numeric split", lambda trees: trees["set_number"].__setitem__(1, 0), "set_number outside"),
    ("NaN as threshold", lambda trees: trees["threshold"].__setitem__(1, np.nan), "NaN in threshold"),
    ("an infinite leaf", lambda trees: trees["leaf_value"].__setitem__(0, np.inf), "leaf_value that is not finite"),
    ("an output outside", lambda trees: trees["output"].__setitem__(0, 1), "output outside"),
    ("falling starts", lambda trees: trees["leaf_start"].__setitem__(1, 5), "trees without leaves"),
    ("a start above 0", lambda trees: trees["leaf_start"].__setitem__(0, 1), "trees without leaves"),
    ("other leaves", lambda trees: trees.update(leaf_value=np.zeros((5, 1))), "leaf_value of float64"),
    ("vectors of another width", lambda trees: trees.update(leaf_value=np.zeros((4, 2))), "2 values a leaf"),
    ("single thresholds", lambda trees: trees.update(threshold=np.zeros(2, np.float32)), "threshold of float32"),
    ("text as numbers", lambda trees: trees.update(left=np.array(["a", "b"])), "left of <U1"),
    ("negative ids", lambda trees: trees.update(leaf_id=np.full(4, -1, np.int32)), "negative number in leaf_id"),
    ("covers of another length", lambda trees: trees.update(split_cover=np.zeros(3)), "split_cover of float64"),
]


@pytest.mark.parametrize(("change", "found"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_unsound_trees_are_refused(change: Callable[[dict[str, np.ndarray]], object], found: str) -> None:
    trees = Trees.of([SPLIT, STUMP])
    arrays = {field.name: getattr(trees, field.name) for field in dataclasses.fields(trees)}
    change(arrays)

    with pytest.raises(ModelError, match=found):
        checked(ensemble(SPLIT, trees=Trees(**arrays)))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"feature_names": ()}, "no feature names"),
        ({"categories": (None,)}, "categories of another number"),
        ({"n_outputs": 0}, "no outputs"),
        ({"n_outputs": -1}, "a count that is none"),
        ({"n_classes": 2.0}, "a count that is none"),
        ({"classes": ("a",)}, "1 labels"),
        ({"base": np.zeros(2)}, "base of float64"),
        ({"base": np.array([np.nan])}, "not finite"),
        ({"trees_per_round": 2}, "in rounds of another size"),
        ({"parameters": ()}, "no parameters"),
        ({"parameters": (float("inf"),)}, "a parameter"),
        ({"average": 1}, "a flag"),
        ({"source": None}, "a text"),
    ],
)
def test_unsound_fields_are_refused(fields: dict[str, Any], found: str) -> None:
    with pytest.raises(ModelError, match=found):
        checked(ensemble(SPLIT, **fields))


def test_a_pickle_among_the_arrays_is_not_opened(tmp_path: Path) -> None:
    answer = packed(ensemble(STUMP), (), str(tmp_path))
    with np.load(tmp_path / "arrays.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "arrays.npz", **arrays | {"base": np.array([{}], object)})

    with pytest.raises(ValueError, match="allow_pickle"):
        unpacked(answer, tmp_path)


def test_labels_of_any_shape_of_number_are_plain() -> None:
    assert plain_labels([np.int8(3), np.str_("x"), True, 0.5]) == (3, "x", True, 0.5)
    with pytest.raises(ModelError, match=r"a class label of builtins\.tuple"):
        plain_labels([(1, 2)])
