"""What is told of an ensemble without the kernel: trees in words, rounds cut off, covers and importances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bareboat.errors import InputError, ModelError
from bareboat.forest.covers import split_covers
from bareboat.forest.importance import default_kind, importances, own_importances, ranking
from bareboat.forest.ir import CategorySet, Ensemble, LinearLeaf, Rule, Transform, Tree, Trees
from bareboat.forest.reference import leaves, raw_scores
from bareboat.forest.rounds import first_rounds, parameter_after, split_levels, tree_depths, tree_range
from bareboat.forest.treeview import tree_view

# The root asks for age, its left branch for fuel; leaves are numbered as LightGBM would.
SMALL = Tree(
    feature=[0, 1],
    rule=[Rule.NAN_RIGHT, Rule.CATEGORY],
    threshold=[30.5, 0.0],
    left=[1, ~2],
    right=[~0, ~1],
    leaf_value=[1.0, -2.0, 0.25],
    categories={1: CategorySet(codes=0b101)},
    leaf_cover=[5.0, 3.0, 2.0],
    split_gain=[10.0, 4.0],
)
STUMP = Tree([2], [Rule.NAN_LEFT], [7.0], [~0], [~1], [0.5, -0.5], leaf_cover=[6.0, 4.0], split_gain=[1.0])
LEAF = Tree([], [], [], [], [], [3.0], leaf_cover=[10.0], split_gain=[])


def ensemble(*trees: Tree, **changes) -> Ensemble:
    arguments = {
        "feature_names": ("age", "fuel", "income"),
        "categories": (None, ("gas", "diesel", "none"), None),
        "objective": "regression",
        "source": "lightgbm v4",
        "transform": Transform.IDENTITY,
        "n_classes": 0,
        "n_outputs": 1,
        "trees": Trees.of(trees),
        "trees_per_round": 1,
        "base": np.zeros(1),
    }
    return Ensemble(**arguments | changes)


# --- trees in words


def test_a_tree_is_told_in_words():
    view = tree_view(ensemble(STUMP, SMALL), 1)

    assert view.title == "tree 1 of 0 to 1: round 1; 3 leaves, depth 2"
    assert list(view.lines()) == [
        "age <= 30.5?  missing: no  cover 10",
        "├─ yes: fuel in {gas, none}?  missing: no  cover 5",
        "│  ├─ yes: leaf 2: 0.25  cover 2",
        "│  └─ no: leaf 1: -2  cover 3",
        "└─ no: leaf 0: 1  cover 5",
    ]


def test_a_tree_of_one_leaf_is_that_leaf():
    assert list(tree_view(ensemble(LEAF), 0).lines()) == ["leaf 0: 3  cover 10"]


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        (Rule.MISSING_IS_ZERO, "as 0"),
        (Rule.NAN_LEFT, "yes"),
        (Rule.NAN_RIGHT, "no"),
        (Rule.ZERO_LEFT, "yes, and 0 too"),
        (Rule.ZERO_RIGHT, "no, and 0 too"),
    ],
)
def test_what_a_missing_value_answers_is_told(rule, missing):
    tree = Tree([0], [rule], [1.0], [~0], [~1], [1.0, 2.0])

    assert tree_view(ensemble(tree), 0).splits[0].missing == missing


@pytest.mark.parametrize(
    ("categories", "names", "question"),
    [
        (CategorySet(0b11), ("gas", "diesel", "none"), "fuel in {gas, diesel}"),
        (CategorySet(0b1010), None, "fuel in {1, 3}"),
        (CategorySet(0, right=0b100, others_left=True), ("gas", "diesel", "none"), "fuel not in {none}"),
        (CategorySet((1 << 10) - 1), None, "fuel in {0, 1, 2, 3, 4, 5, 6, 7, ... (10)}"),
    ],
)
def test_a_set_is_told_by_its_categories(categories, names, question):
    tree = Tree([1], [Rule.CATEGORY], [0.0], [~0], [~1], [1.0, 2.0], categories={0: categories})

    assert tree_view(ensemble(tree, categories=(None, names, None)), 0).splits[0].question == question


def test_a_split_of_xgboost_is_told_as_xgboost_writes_it():
    below = float(np.nextafter(np.float32(2.45), np.float32(-np.inf)))
    tree = Tree([0], [Rule.NAN_LEFT], [below], [~0], [~1], [1.0, 2.0])

    assert tree_view(ensemble(tree, source="xgboost 3.2.0", single_input=True), 0).splits[0].question == "age < 2.45"


def test_the_class_that_a_tree_adds_to_is_named():
    trees = [Tree([], [], [], [], [], [1.0], output=output) for output in range(3)]
    changes = {"n_outputs": 3, "n_classes": 3, "trees_per_round": 3, "base": np.zeros(3)}

    assert "adds to class c;" in tree_view(ensemble(*trees, classes=("a", "b", "c"), **changes), 2).title
    assert "adds to class 2;" in tree_view(ensemble(*trees, **changes), 2).title


def test_a_vector_leaf_shows_its_values():
    tree = Tree([], [], [], [], [], [[0.25, 0.75]])

    view = tree_view(ensemble(tree, n_outputs=2, base=np.zeros(2)), 0)

    assert list(view.lines()) == ["leaf 0: [0.25, 0.75]"]


@pytest.mark.parametrize("number", [-1, 2, 1.5])
def test_a_tree_that_is_not_there_is_told(number):
    with pytest.raises(InputError) as error:
        tree_view(ensemble(SMALL, STUMP), number)

    assert error.value.problems[0].expected == "0 to 1"


# --- rounds


def linear_tree() -> Tree:
    models = [LinearLeaf(0.5, (0, 2), (2.0, -1.0)), LinearLeaf(3.0, (), ())]
    return Tree([0], [Rule.NAN_LEFT], [1.0], [~0], [~1], [1.0, 2.0], linear=models)


def test_the_first_rounds_score_as_their_trees_alone():
    rows = [[20.0, 0.0, 1.0], [40.0, 1.0, 9.0], [float("nan"), 2.0, 3.0], [0.5, 1.0, 2.0]]
    whole = ensemble(SMALL, linear_tree(), STUMP, SMALL)

    for n in range(1, 5):
        cut = first_rounds(whole, n)
        alone = ensemble(*[whole.trees[number] for number in range(n)])
        assert raw_scores(cut, rows) == raw_scores(alone, rows)


def test_a_range_of_trees_walks_as_these_trees():
    whole = ensemble(SMALL, linear_tree(), STUMP, SMALL, LEAF)
    row = [20.0, 0.0, 1.0]

    middle = tree_range(whole.trees, 2, 4)

    assert leaves(replace(whole, trees=middle), row) == leaves(whole, row)[2:4]
    assert len(middle.sets) == 1


@pytest.mark.parametrize("n", [0, 4, -1, 1.0, "2"])
def test_rounds_that_are_not_there_are_told(n):
    with pytest.raises(InputError) as error:
        first_rounds(ensemble(SMALL, STUMP, STUMP), n)

    assert error.value.problems[0].expected == "a whole number from 1 to 3, the rounds of the model"


def test_the_votes_of_the_first_rounds_are_added_up():
    trees = [Tree([0], [Rule.NAN_RIGHT], [1.0], [~0], [~1], [[w, -w], [-w, w]]) for w in (0.5, 0.25, 2.0)]
    boosted = ensemble(
        *trees, transform=Transform.SAMME, parameters=(2.75,), n_outputs=2, n_classes=2, base=np.zeros(2)
    )

    assert [parameter_after(boosted, n) for n in (1, 2, 3)] == [0.5, 0.75, 2.75]


def test_the_paths_of_an_isolation_forest_grow_with_its_trees():
    forest = ensemble(STUMP, STUMP, transform=Transform.ISOLATION, parameters=(8.0, -0.5))

    assert [parameter_after(forest, n) for n in (1, 2)] == [4.0, 8.0]


def test_levels_and_depths():
    trees = ensemble(LEAF, SMALL, STUMP).trees

    assert split_levels(trees).tolist() == [0, 1, 0]
    assert tree_depths(trees).tolist() == [0, 2, 1]


# --- covers and importances


def test_the_cover_of_a_split_is_that_of_its_branches():
    assert split_covers(ensemble(LEAF, SMALL, STUMP)).tolist() == [10.0, 5.0, 10.0]


def test_covers_of_a_chain_are_summed_from_its_end():
    n = 300
    chain = Tree(
        [0] * n,
        [Rule.NAN_LEFT] * n,
        [0.0] * n,
        [*range(1, n), ~n],
        [~place for place in range(n)],
        [0.0] * (n + 1),
        leaf_cover=[1.0] * (n + 1),
    )

    assert split_covers(ensemble(chain)).tolist() == [float(n + 1 - place) for place in range(n)]


def test_importances_by_kind():
    forest = ensemble(SMALL, STUMP, SMALL, source="xgboost 3.2.0")

    assert importances(forest, "split").tolist() == [2, 2, 1]
    assert importances(forest, "gain").tolist() == [20, 8, 1]
    assert importances(forest, "average_gain").tolist() == [10, 4, 1]
    assert importances(forest, "cover").tolist() == [20, 10, 10]
    assert importances(forest, "average_cover").tolist() == [10, 5, 10]


def test_lightgbm_does_not_count_splits_that_gained_nothing():
    nothing = Tree([2], [Rule.NAN_LEFT], [7.0], [~0], [~1], [0.5, -0.5], split_gain=[0.0])

    assert importances(ensemble(SMALL, nothing), "split").tolist() == [1, 1, 0]
    assert importances(ensemble(SMALL, nothing, source="xgboost 3"), "split").tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("lightgbm v4", "split"),
        ("xgboost 3.2.0", "average_gain"),
        ("sklearn 1.9.1 RandomForestClassifier", "impurity"),
        ("sklearn 1.9.1 HistGradientBoostingRegressor", "gain"),
        ("onnx", "split"),
    ],
)
def test_the_kind_that_a_source_has_itself(source, kind):
    assert default_kind(ensemble(SMALL, source=source)) == kind


def test_a_feature_that_no_split_uses_has_none():
    assert own_importances(ensemble(STUMP)).tolist() == [0, 0, 1]


def test_importances_that_cannot_be_worked_out_are_told():
    bare = Tree([2], [Rule.NAN_LEFT], [7.0], [~0], [~1], [0.5, -0.5])

    with pytest.raises(ModelError, match="does not hold what its splits gained"):
        importances(ensemble(bare), "gain")
    with pytest.raises(ModelError, match="does not hold how many training rows"):
        importances(ensemble(bare), "cover")
    with pytest.raises(InputError, match="no importances of the kind 'gini'"):
        importances(ensemble(SMALL), "gini")
    with pytest.raises(InputError, match="importances by impurity of a model of lightgbm v4"):
        importances(ensemble(SMALL), "impurity")


def test_the_ranking_keeps_the_order_of_equal_ones():
    assert ranking(np.array([1.0, 3.0, 1.0, 3.0])).tolist() == [1, 3, 0, 2]
