"""Version 2 of the `.forest` file: which sections a forest has, of which kind, and what comes back from them."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest import forest_bytes, reference
from bareboat.forest.file_reader import ensemble_from_bytes
from bareboat.forest.ir import CategorySet, Ensemble, LinearLeaf, Rule, Transform, Tree, Trees
from bareboat.forest.layout import ELEMENTS, ENTRY, HEADER, Section

NAN = math.nan
TREE = Tree(
    feature=(1, 0, 1),
    rule=(Rule.NAN_LEFT, Rule.NAN_RIGHT, Rule.NAN_LEFT),
    threshold=(0.5, 1.5, 2.25),
    left=(1, ~0, ~1),
    right=(2, ~3, ~2),
    leaf_value=(1.0, 2.0, 4.0, 8.0),
)
STUMP = Tree((), (), (), (), (), (0.25,))


def ensemble(*trees: Tree, **changes: object) -> Ensemble:
    n_outputs = int(changes.get("n_outputs", 1))  # type: ignore[call-overload]
    values: dict[str, object] = {
        "feature_names": ("a", "b"),
        "categories": (None, None),
        "objective": "regression",
        "source": "the tests",
        "transform": Transform.IDENTITY,
        "n_classes": 0,
        "n_outputs": n_outputs,
        "trees": Trees.of(trees),
        "trees_per_round": 1,
        "base": np.zeros(n_outputs),
    }
    return Ensemble(**(values | changes))  # type: ignore[arg-type]


def changed(**changes: object) -> Tree:
    fields = {name: getattr(TREE, name) for name in Tree.__slots__}
    return Tree(**(fields | changes))


def sections(written: Ensemble, *, statistics: bool = True) -> dict[Section, tuple[str, list[float]]]:
    """Return the letter of each section's elements, and its numbers."""
    data = forest_bytes(written, statistics=statistics)
    found: dict[Section, tuple[str, list[float]]] = {}
    for number in range(HEADER.unpack_from(data)[2]):
        tag, kind, _, offset, count = ENTRY.unpack_from(data, HEADER.size + number * ENTRY.size)
        letter = ELEMENTS[Section(tag)][kind]
        count *= 4 if tag == Section.NODES else 1
        found[Section(tag)] = letter, np.frombuffer(data, f"<{letter}", count, 8 * offset).tolist()
    return found


def back(written: Ensemble) -> Ensemble:
    return ensemble_from_bytes(forest_bytes(written))


def test_a_plain_forest_has_the_plain_sections() -> None:
    assert set(sections(ensemble(TREE), statistics=False)) == {
        Section.THRESHOLDS,
        Section.THRESHOLD_START,
        Section.COLUMNS,
        Section.LEAF_START,
        Section.NODES,
        Section.LEAF_VALUES,
        Section.NAMES,
    }


def test_nodes_lie_in_preorder_and_leaves_from_left_to_right() -> None:
    found = sections(ensemble(STUMP, TREE))

    nodes = np.array(found[Section.NODES][1]).reshape(-1, 4).tolist()
    assert found[Section.LEAF_START][1] == [0, 1, 5]
    assert found[Section.LEAF_VALUES][1] == [0.25, 1.0, 8.0, 2.0, 4.0]
    assert nodes == [[1, 0, 0, 2], [0, 0, 0, 1], [1, 1, 2, 3]]


@pytest.mark.parametrize(("value", "letter"), [(0.5, "f"), (0.1, "d"), (math.inf, "f"), (1e300, "d"), (-1e-46, "d")])
def test_thresholds_are_float32_when_that_rounds_none(value: float, letter: str) -> None:
    found = sections(ensemble(changed(threshold=(0.5, 1.5, value))))

    assert found[Section.THRESHOLDS][0] == letter
    assert value in found[Section.THRESHOLDS][1]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.1, 0.09999999403953552),
        (-0.1, -0.10000000149011612),
        (1e300, 3.4028234663852886e38),
        (-1e300, -math.inf),
        (1e-50, 0.0),
        (-1e-50, -1.401298464324817e-45),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (2.25, 2.25),
    ],
)
def test_thresholds_of_single_inputs_are_rounded_down(value: float, rounded: float) -> None:
    """`x <= value` for a float32 x is `x <=` the largest float32 that is not above the value."""
    found = sections(ensemble(changed(feature=(1, 0, 0), threshold=(0.5, 1.5, value)), single_input=True))

    assert found[Section.THRESHOLDS][0] == "f"
    assert rounded in found[Section.THRESHOLDS][1]


def test_leaf_values_are_float32_when_that_rounds_none() -> None:
    assert sections(ensemble(TREE))[Section.LEAF_VALUES][0] == "f"
    assert sections(ensemble(changed(leaf_value=(1.0, 2.0, 0.1, 4.0))))[Section.LEAF_VALUES][0] == "d"


def test_equal_leaves_share_a_row_and_zeros_of_both_signs_do_not() -> None:
    written = ensemble(*[changed(leaf_value=(0.1, 0.0, -0.0, 0.1))] * 20)

    found = sections(written)

    assert found[Section.LEAF_ROW][0] == "B"
    assert len(found[Section.LEAF_ROW][1]) == 80
    assert sorted(map(str, found[Section.LEAF_VALUES][1])) == ["-0.0", "0.0", "0.1"]
    assert np.signbit(back(written).trees.leaf_value).sum() == 20
    assert reference.raw_scores(back(written), [[0.0, 9.0]]) == reference.raw_scores(written, [[0.0, 9.0]])


def test_vector_leaves_share_whole_rows() -> None:
    values = ((1.0, 0.0), (0.0, 1.0), (0.0, 1.0), (1.0, 0.0))
    written = ensemble(*[changed(leaf_value=values)] * 20, n_outputs=2)

    found = sections(written)

    assert len(found[Section.LEAF_VALUES][1]) == 4
    assert len(found[Section.LEAF_ROW][1]) == 80
    assert back(written).trees.leaf_value.shape == (80, 2)
    assert reference.raw_scores(back(written), [[0.0, 0.0]]) == [[20.0, 0.0]]


def test_vector_leaves_that_are_all_different_are_written_as_they_are() -> None:
    written = ensemble(changed(leaf_value=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0))), n_outputs=2)

    found = sections(written)

    assert Section.LEAF_ROW not in found
    assert found[Section.LEAF_VALUES][1] == [1.0, 2.0, 7.0, 8.0, 3.0, 4.0, 5.0, 6.0]
    assert reference.raw_scores(back(written), [[0.0, 9.0]]) == [[5.0, 6.0]]


@pytest.mark.parametrize("base", [[0.5, 0.0], [0.0, -0.0]])
def test_a_base_that_is_not_zero_comes_back(base: list[float]) -> None:
    written = ensemble(STUMP, STUMP, n_outputs=2, trees_per_round=2, base=np.array(base))

    assert sections(written)[Section.BASE] == ("d", base)
    assert list(map(str, back(written).base.tolist())) == list(map(str, base))


def test_outputs_that_take_turns_are_not_written_and_others_are() -> None:
    def trees(outputs: list[int]) -> list[Tree]:
        return [Tree((), (), (), (), (), (0.25,), output=output) for output in outputs]

    in_turn = ensemble(*trees([0, 1, 0, 1]), n_outputs=2, trees_per_round=2)
    otherwise = ensemble(*trees([0, 0, 1, 1]), n_outputs=2, trees_per_round=4)

    assert Section.TREE_OUTPUT not in sections(in_turn)
    assert sections(otherwise)[Section.TREE_OUTPUT][1] == [0, 0, 1, 1]
    assert back(in_turn).trees.output.tolist() == [0, 1, 0, 1]
    assert back(otherwise).trees.output.tolist() == [0, 0, 1, 1]
    assert (back(in_turn).trees_per_round, back(otherwise).trees_per_round) == (2, 4)


def test_all_parameters_come_back() -> None:
    written = ensemble(TREE, transform=Transform.ISOLATION, parameters=(3.5, -0.5))

    assert sections(written)[Section.PARAMETERS] == ("d", [-0.5])
    assert back(written).parameters == (3.5, -0.5)


def test_class_labels_of_any_type_come_back() -> None:
    labels = ("größe", 7, 1.5, True)
    written = ensemble(*[STUMP] * 4, n_outputs=4, n_classes=4, trees_per_round=4, classes=labels)

    assert back(written).classes == labels
    assert sections(written, statistics=False)[Section.CLASS_NAMES]


def test_a_set_says_what_becomes_of_other_numbers_and_of_nan() -> None:
    sets = {
        0: CategorySet(0b100, others_left=False, nan_left=True),
        1: CategorySet(0, right=0b1000, others_left=True),
        2: CategorySet(0b100),
    }
    tree = changed(feature=(0, 0, 0), rule=(Rule.CATEGORY_NOT_NEGATIVE,) * 3, threshold=(0.0,) * 3, categories=sets)

    found = sections(ensemble(tree))

    assert found[Section.CATEGORY_CODES][1] == [2, 3]
    # bits: code 2, code 3, any other number, NaN
    assert found[Section.SETS][1] == [0b1001, 0b0101, 0b0001]
    restored = back(ensemble(tree)).trees.sets
    assert [(each.others_left, each.nan_left, each.right) for each in restored] == [
        (False, True, 0),
        (True, False, 0b1000),
        (False, False, 0),
    ]


def test_each_rule_of_a_categorical_feature_has_its_own_codes() -> None:
    rules = (Rule.CATEGORY, Rule.CATEGORY_NOT_NEGATIVE, Rule.CATEGORY_WHOLE)
    sets = {0: CategorySet(0b1), 1: CategorySet(0b10), 2: CategorySet(0b100)}
    tree = changed(feature=(0, 0, 0), rule=rules, threshold=(0.0,) * 3, categories=sets)

    found = sections(ensemble(tree))

    assert [column >> 24 for column in found[Section.COLUMNS][1]] == [5, 6, 7]
    assert found[Section.CATEGORY_CODES][1] == [0, 1, 2]
    assert found[Section.CATEGORY_START][1] == [0, 1, 2, 3]


STATISTICS = {
    "leaf_id": (7, 3, 4, 1),
    "leaf_cover": (10.0, 20.0, 30.0, 40.0),
    "split_cover": (101.0, 50.0, 50.0),
    "split_gain": (0.1, 2.0, 3.0),
}


def test_statistics_come_back_in_the_order_of_leaves_and_splits() -> None:
    restored = back(ensemble(changed(**STATISTICS))).trees

    assert restored.leaf_id is not None
    assert restored.leaf_id.tolist() == [7, 1, 3, 4]
    assert restored.leaf_cover.tolist() == [10.0, 40.0, 20.0, 30.0]
    assert restored.split_cover.tolist() == [101.0, 50.0, 50.0]
    assert restored.split_gain.tolist() == [0.1, 2.0, 3.0]


def test_statistics_can_be_left_out() -> None:
    found = sections(ensemble(changed(**STATISTICS)), statistics=False)

    assert not {Section.LEAF_ID, Section.LEAF_COVER, Section.SPLIT_COVER, Section.SPLIT_GAIN} & set(found)


def test_the_sources_leaf_numbers_are_kept_even_when_it_gives_no_ids() -> None:
    assert sections(ensemble(TREE))[Section.LEAF_ID] == ("B", [0, 3, 1, 2])


def test_covers_of_splits_that_are_the_sums_of_their_branches_are_not_written() -> None:
    given = STATISTICS | {"split_cover": (100.0, 50.0, 50.0)}

    found = sections(ensemble(changed(**given)))

    assert Section.SPLIT_COVER not in found
    assert found[Section.LEAF_COVER] == ("B", [10, 40, 20, 30])


@pytest.mark.parametrize(
    ("cover", "letter"), [(255.0, "B"), (256.0, "H"), (65536.0, "I"), (0.5, "f"), (0.1, "d"), (2.0**32, "f")]
)
def test_covers_are_as_narrow_as_they_can_be(cover: float, letter: str) -> None:
    given = STATISTICS | {"leaf_cover": (10.0, 20.0, 30.0, cover)}

    assert sections(ensemble(changed(**given)))[Section.LEAF_COVER][0] == letter


CONTRADICTIONS = [
    ({"base": np.zeros(2)}, {}, "2 bases for 1 outputs"),
    ({"base": np.array([math.inf])}, {}, "a base that is not finite"),
    ({"trees_per_round": 2}, {}, "1 trees, 2 a round"),
    ({"trees_per_round": 0}, {}, "1 trees, 0 a round"),
    ({"parameters": (1.0, 2.0)}, {}, "2 parameters"),
    ({"parameters": (NAN,)}, {}, "a parameter that is not finite"),
    ({"transform": Transform.ISOLATION, "parameters": (0.0, 1.0)}, {}, "a parameter of 0"),
    ({"transform": Transform.SAMME}, {}, "votes for one class"),
    ({"n_classes": 3, "classes": ("a",)}, {}, "1 labels of 3"),
    ({"categories": ()}, {}, "categories of 0 features"),
    ({"single_sum": True}, {"leaf_value": (0.1, 0.2, 0.3, 0.4)}, "a leaf value that is no float32"),
    ({"single_sum": True, "base": np.array([0.1])}, {}, "a base that is no float32"),
    ({"single_sum": True}, {"linear": [LinearLeaf(0.0, (), ())] * 4}, "linear leaves"),
    ({}, {"leaf_value": ((1.0, 2.0),) * 4}, "leaves of 2 for 1 outputs"),
    ({}, {"output": 1}, "trees for outputs"),
    ({}, {"leaf_value": (1.0, NAN, 0.0, 0.0)}, "nan as a leaf value"),
    ({}, {"leaf_cover": (1.0, -1.0, 0.0, 0.0)}, "-1.0 as a cover"),
    ({}, {"split_gain": (1.0, math.inf, 0.0)}, "inf as a gain"),
    ({}, {"threshold": (1.0, NAN, 0.0)}, "a threshold that is NaN"),
    ({}, {"left": (1, ~0, 7)}, "tree 0: child 7 points outside"),
    ({}, {"left": (1, 1, ~1)}, "tree 0: split 1 is reached twice"),
]


@pytest.mark.parametrize(("changes", "of_tree", "found"), CONTRADICTIONS)
def test_what_contradicts_itself_is_not_written(
    changes: dict[str, object], of_tree: dict[str, object], found: str
) -> None:
    with pytest.raises(ModelError, match=found):
        forest_bytes(ensemble(changed(**of_tree), **changes))


def test_more_trees_a_round_than_the_header_holds_are_refused() -> None:
    many = ensemble(*[STUMP] * 65536, n_outputs=1, trees_per_round=65536)

    with pytest.raises(ModelError, match="65536 trees a round"):
        forest_bytes(many)


@pytest.mark.parametrize("seed", range(40))
def test_any_forest_comes_back_with_its_scores_and_gives_the_same_bytes(seed: int, samples: ModuleType) -> None:
    written = samples.random_forest(seed)
    rows = samples.hard_rows(written, seed, 12)

    restored = back(written)

    for before, after in zip(reference.raw_scores(written, rows), reference.raw_scores(restored, rows), strict=True):
        assert samples.same_bits(before, after)
    assert reference.predict(restored, rows[:0]) == []
    assert forest_bytes(restored) == forest_bytes(written)


# Of tests/unit/forest/test_forest_file.py at version 1, written and scored by bareboat 0.1.0 of November 2026.
VERSION_1 = bytes.fromhex((Path(__file__).parent / "version_1.forest.hex").read_text())
ROWS_1 = [[0.25, 0.75, 2.0], [NAN, NAN, NAN], [-1.0, 9.0, 1000.0], [3.0, 0.5, 7.0]]
SCORES_1 = ["0x1.4800000000000p+3", "0x1.2100000000000p+6", "0x1.7778000000000p+11", "0x1.1800000000000p+3"]
OUTPUTS_1 = ["0x1.b1782cb6d65eep-1", "0x1.ffff3a3fd49eep-1", "0x1.0000000000000p+0", "0x1.9f5fc812826abp-1"]


def test_a_file_of_version_1_is_read() -> None:
    read = ensemble_from_bytes(VERSION_1)

    assert [score.hex() for (score,) in reference.raw_scores(read, ROWS_1)] == SCORES_1
    assert [output.hex() for (output,) in reference.predict(read, ROWS_1)] == OUTPUTS_1
    assert read.categories == (None, None, ("red", 7, 1.5, True))
    assert (read.n_classes, read.average, read.tiny_is_zero, read.n_rounds) == (2, True, True, 3)
    assert read.trees.leaf_id is None
