"""The LightGBM reader on small models written by hand: what it reads, and what it says of a bad file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.errors import ModelError
from bareboat.forest import Ensemble, read_ensemble, reference
from bareboat.forest.ir import Rule, Transform

NAN = math.nan

HEADER = """\
tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:1
feature_names=age height colour
feature_infos=[0:99] [1:2] -1:0:1:2:40
tree_sizes={sizes}

"""

NUMERIC = """\
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=1 1
threshold=30.5 1.0000000180025095e-35
decision_type=10 4
left_child=-1 -2
right_child=1 -3
leaf_value=0.125 0.5 -2
leaf_weight=1 1 1
leaf_count=1 1 1
internal_value=0 0
internal_weight=1 1
internal_count=3 2
is_linear=0
shrinkage=1


"""

CATEGORICAL = """\
num_leaves=2
num_cat=1
split_feature=2
split_gain=1
threshold=0
decision_type=9
left_child=-1
right_child=-2
leaf_value=1 2
leaf_weight=1 1
leaf_count=1 1
internal_value=0
internal_weight=1
internal_count=2
cat_boundaries=0 2
cat_threshold=5 256
is_linear=0
shrinkage=0.1


"""

LINEAR = """\
num_leaves=2
num_cat=0
split_feature=0
threshold=1
decision_type=0
left_child=-1
right_child=-2
leaf_value=100 200
is_linear=1
leaf_const=1 2
num_features=2 0
leaf_features=0 1
leaf_coeff=0.5 -4
shrinkage=1


"""

STUMP = "num_leaves=1\nnum_cat=0\nleaf_value=7\nshrinkage=1\n\n\n"

TAIL = """\
end of trees

feature_importances:
age=1

parameters:
[objective: binary]
[categorical_feature: 2]

end of parameters

pandas_categorical:null
"""


def model(*trees: str, header: str = HEADER, tail: str = TAIL) -> str:
    blocks = [f"Tree={number}\n{tree}" for number, tree in enumerate(trees)]
    return header.format(sizes=" ".join(str(len(block.encode())) for block in blocks)) + "".join(blocks) + tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lgb.model"


def read(path: Path, text: str | bytes) -> Ensemble:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_ensemble(path)


def refused(path: Path, text: str | bytes, match: str) -> ModelError:
    with pytest.raises(ModelError, match=match) as caught:
        read(path, text)
    assert caught.value.problems[0].where.startswith(str(path))
    return caught.value


def test_a_numeric_tree_is_read_as_it_stands(path: Path) -> None:
    forest = read(path, model(NUMERIC))

    tree = forest.trees[0]
    assert forest.feature_names == ("age", "height", "colour")
    assert (forest.objective, forest.transform, forest.n_classes, forest.n_outputs) == (
        "binary",
        Transform.SIGMOID,
        2,
        1,
    )
    assert forest.source == "lightgbm v4"
    assert tuple(tree.rule) == (Rule.NAN_LEFT, Rule.ZERO_RIGHT)
    assert tuple(tree.threshold) == (30.5, 1.0000000180025095e-35)
    assert (tuple(tree.left), tuple(tree.right)) == ((-1, -2), (1, -3))
    assert tuple(tree.leaf_value) == (0.125, 0.5, -2.0)


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ([30.5, 0.0, 0.0], 0.125),
        ([math.nextafter(30.5, 31), 0.0, 0.0], -2.0),
        ([NAN, 5.0, 0.0], 0.125),
        ([31.0, -1.0, 0.0], 0.5),
        ([31.0, NAN, 0.0], -2.0),
        ([31.0, 1e-36, 0.0], -2.0),
        ([math.inf, 2.0, 0.0], -2.0),
        ([-math.inf, 2.0, 0.0], 0.125),
    ],
)
def test_a_numeric_tree_sends_each_value_where_lightgbm_does(path: Path, row: list[float], score: float) -> None:
    """Expected values follow from NumericalDecision in LightGBM's include/LightGBM/tree.h."""
    forest = read(path, model(NUMERIC))

    assert reference.raw_scores(forest, [row]) == [[score]]


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (0.0, 1.0),
        (2.9, 1.0),
        (40.0, 1.0),
        (-0.5, 1.0),
        (1.0, 2.0),
        (41.0, 2.0),
        (-1.0, 2.0),
        (NAN, 2.0),
        (1e300, 2.0),
        (-1e300, 2.0),
        (math.inf, 2.0),
        (2.0**32, 2.0),
    ],
)
def test_a_categorical_split_sends_each_value_where_lightgbm_does(path: Path, value: float, score: float) -> None:
    """The set holds 0 and 2 (word 5) and 32 + 8 (word 256). Source: CategoricalDecision in tree.h."""
    forest = read(path, model(CATEGORICAL))

    assert reference.raw_scores(forest, [[0.0, 0.0, value]]) == [[score]]


def test_a_linear_leaf_adds_its_coefficients_and_falls_back_at_nan(path: Path) -> None:
    forest = read(path, model(LINEAR))

    scores = reference.raw_scores(forest, [[1.0, 0.25, 0.0], [1.0, NAN, 0.0], [2.0, NAN, 0.0]])

    assert scores == [[0.5], [100.0], [2.0]]


def test_a_tree_of_one_leaf_is_its_value(path: Path) -> None:
    assert reference.raw_scores(read(path, model(STUMP, STUMP)), [[NAN] * 3]) == [[14.0]]


OBJECTIVES = [
    ("binary sigmoid:1", 1, Transform.SIGMOID, 1.0, 2),
    ("binary sigmoid:1e-05", 1, Transform.SIGMOID, 1e-05, 2),
    ("binary sigmoid:0.731235", 1, Transform.SIGMOID, 0.731235, 2),
    ("multiclass num_class:3", 3, Transform.SOFTMAX, 1.0, 3),
    ("multiclassova num_class:3 sigmoid:2.5", 3, Transform.SIGMOID, 2.5, 3),
    ("cross_entropy", 1, Transform.SIGMOID, 1.0, 0),
    ("cross_entropy_lambda", 1, Transform.LOG1P_EXP, 1.0, 0),
    ("regression", 1, Transform.IDENTITY, 1.0, 0),
    ("regression sqrt", 1, Transform.SIGNED_SQUARE, 1.0, 0),
    ("regression_l1", 1, Transform.IDENTITY, 1.0, 0),
    ("quantile sqrt", 1, Transform.SIGNED_SQUARE, 1.0, 0),
    ("huber", 1, Transform.IDENTITY, 1.0, 0),
    ("fair", 1, Transform.IDENTITY, 1.0, 0),
    ("mape", 1, Transform.IDENTITY, 1.0, 0),
    ("poisson", 1, Transform.EXP, 1.0, 0),
    ("gamma", 1, Transform.EXP, 1.0, 0),
    ("tweedie", 1, Transform.EXP, 1.0, 0),
    ("lambdarank", 1, Transform.IDENTITY, 1.0, 0),
    ("rank_xendcg", 1, Transform.IDENTITY, 1.0, 0),
    ("custom", 2, Transform.IDENTITY, 1.0, 0),
]


@pytest.mark.parametrize(("objective", "n_outputs", "transform", "parameter", "n_classes"), OBJECTIVES)
def test_every_objective_has_its_transform(
    path: Path, objective: str, n_outputs: int, transform: Transform, parameter: float, n_classes: int
) -> None:
    header = (
        HEADER.replace("binary sigmoid:1", objective)
        .replace("num_class=1", f"num_class={n_outputs}")
        .replace("iteration=1", f"iteration={n_outputs}")
    )

    forest = read(path, model(*[STUMP] * n_outputs, header=header))

    assert (forest.transform, forest.parameters, forest.n_classes) == (transform, (parameter,), n_classes)
    assert (forest.objective, forest.n_outputs) == (objective.split(maxsplit=1)[0], n_outputs)


def test_a_model_without_an_objective_gives_raw_scores(path: Path) -> None:
    forest = read(path, model(STUMP, header=HEADER.replace("objective=binary sigmoid:1\n", "")))

    assert (forest.objective, forest.transform, forest.is_classifier) == ("custom", Transform.IDENTITY, False)


def test_average_output_is_read(path: Path) -> None:
    header = HEADER.replace("feature_names", "average_output\nfeature_names").replace("binary sigmoid:1", "regression")

    forest = read(path, model(STUMP, STUMP, header=header))

    assert forest.average
    assert reference.predict(forest, [[0.0] * 3]) == [[7.0]]


def test_version_3_is_read(path: Path) -> None:
    assert read(path, model(NUMERIC, header=HEADER.replace("v4", "v3"))).source == "lightgbm v3"


def test_pandas_categories_belong_to_the_categorical_feature(path: Path) -> None:
    infos = HEADER.replace("-1:0:1:2:40", "-1:0:1:2")
    tail = TAIL.replace("null", '[["red", "größe", 7]]')

    assert read(path, model(CATEGORICAL, header=infos, tail=tail)).categories == (None, None, ("red", "größe", 7))


HEADER_FAULTS = [
    (("version=v4", "version=v2"), "version=v2", 2),
    (("version=v4\n", ""), "the header has no version", 2),
    (("num_class=1", "num_class=0"), "num_class=0", 3),
    (("num_class=1", "num_class=two"), "'two' as number 1 of num_class", 3),
    (("num_class=1", "num_class=1_0"), "'1_0' as number 1", 3),
    (("num_class=1", "num_class=2"), "num_tree_per_iteration=1", 4),
    (("max_feature_idx=2", "max_feature_idx=3"), "3 feature names", 8),
    (("max_feature_idx=2\n", ""), "has no max_feature_idx", 2),
    (("age height", "age age"), "'age' stands twice", 8),
    (("[1:2] ", ""), "2 feature_infos", 9),
    (("sigmoid:1", "sigmoid:0"), "sigmoid:0", 7),
    (("sigmoid:1", "sigmoid:nan"), "sigmoid:nan", 7),
    (("sigmoid:1", "sigmoid:-1"), "sigmoid:-1", 7),
    (("sigmoid:1", "sigma:1"), "'sigma:1' in the objective binary", 7),
    ((" sigmoid:1", ""), "binary without sigmoid", 7),
    (("binary sigmoid:1", "multiclass num_class:3"), "num_class:3 in the objective", 7),
    (("binary sigmoid:1", "multiclass num_class:1"), "num_class:1 in the objective", 7),
    (("binary sigmoid:1", "plackett_luce"), "the objective 'plackett_luce'", 7),
    (("binary sigmoid:1", ""), "the objective ''", 7),
    (("label_index=0", "label_indices=0"), "unknown key 'label_indices'", 5),
    (("label_index=0", "version=v4"), "version stands twice", 5),
]


@pytest.mark.parametrize(("change", "found", "line"), HEADER_FAULTS)
def test_a_fault_in_the_header_is_named_with_its_line(
    path: Path, change: tuple[str, str], found: str, line: int
) -> None:
    error = refused(path, model(NUMERIC, header=HEADER.replace(*change)), found)

    assert error.problems[0].where == f"{path}:{line}"
    assert error.problems[0].expected


# Lines: the header has 11, Tree=0 is line 12.
TREE_FAULTS = [
    (NUMERIC, ("num_leaves=3", "num_leaves=4"), "3 values in leaf_value", 21),
    (NUMERIC, ("num_leaves=3", "num_leaves=2000000000"), "3 values in leaf_value", 21),
    (NUMERIC, ("num_leaves=3", "num_leaves=0"), "num_leaves=0", 13),
    (NUMERIC, ("num_leaves=3\n", ""), "has no num_leaves", 13),
    (NUMERIC, ("split_feature=0 1", "split_feature=0 3"), "feature 3 in split_feature", 15),
    (NUMERIC, ("split_feature=0 1", "split_feature=0 -1"), "feature -1 in split_feature", 15),
    (NUMERIC, ("threshold=30.5", "threshold=nan"), "nan as number 1 of threshold", 17),
    (NUMERIC, ("threshold=30.5", "threshold=30,5"), "'30,5' as number 1 of threshold", 17),
    (NUMERIC, ("decision_type=10", "decision_type=14"), "14 as number 1 of decision_type", 18),
    (NUMERIC, ("decision_type=10", "decision_type=-2"), "-2 as number 1 of decision_type", 18),
    (NUMERIC, ("decision_type=10", "decision_type=1"), "num_cat=0 with categorical splits", 14),
    (NUMERIC, ("right_child=1 -3", "right_child=0 -3"), "split 0 is reached twice", 19),
    (NUMERIC, ("right_child=1 -3", "right_child=1 1"), "split 1 is reached twice", 19),
    (NUMERIC, ("right_child=1 -3", "right_child=2 -3"), "child 2 points outside", 19),
    (NUMERIC, ("right_child=1 -3", "right_child=1 -4"), "child -4 points outside", 19),
    (NUMERIC, ("right_child=1 -3", "right_child=1 -2"), "leaf 1 is reached twice", 19),
    (NUMERIC, ("left_child=-1 -2", "left_child=-1"), "1 values in left_child", 19),
    (NUMERIC, ("leaf_value=0.125", "leaf_value=inf"), "inf as number 1 of leaf_value", 21),
    (NUMERIC, ("leaf_value=0.125", "leaf_value=nan"), "nan as number 1 of leaf_value", 21),
    (NUMERIC, ("shrinkage", "shrink"), "unknown key 'shrink'", 28),
    (NUMERIC, ("shrinkage=1", "num_cat=0"), "num_cat stands twice", 28),
    (CATEGORICAL, ("threshold=0\n", "threshold=1\n"), "1.0 as number 1 of threshold", 17),
    (CATEGORICAL, ("threshold=0\n", "threshold=0.5\n"), "0.5 as number 1 of threshold", 17),
    (CATEGORICAL, ("threshold=0\n", "threshold=inf\n"), "inf as number 1 of threshold", 17),
    (CATEGORICAL, ("cat_boundaries=0 2", "cat_boundaries=1 2"), "do not rise from 0", 27),
    (CATEGORICAL, ("cat_boundaries=0 2", "cat_boundaries=0 3"), "2 values in cat_threshold", 28),
    (CATEGORICAL, ("cat_boundaries=0 2\n", ""), "has no cat_boundaries", 13),
    (CATEGORICAL, ("cat_threshold=5 256", "cat_threshold=5 4294967296"), "not of 32 bits", 28),
    (CATEGORICAL, ("cat_threshold=5 256", "cat_threshold=-5 256"), "not of 32 bits", 28),
    (CATEGORICAL, ("num_cat=1", "num_cat=-1"), "num_cat=-1", 14),
    (LINEAR, ("leaf_features=0 1", "leaf_features=0 3"), "feature 3 in leaf_features", 24),
    (LINEAR, ("num_features=2 0", "num_features=2 1"), "2 values in leaf_features", 24),
    (LINEAR, ("num_features=2 0", "num_features=3 -1"), "-1 as number 2 of num_features", 23),
    (LINEAR, ("leaf_coeff=0.5", "leaf_coeff=nan"), "nan as number 1 of leaf_coeff", 25),
    (LINEAR, ("leaf_const=1 2\n", ""), "has no leaf_const", 13),
]


@pytest.mark.parametrize(("tree", "change", "found", "line"), TREE_FAULTS)
def test_a_fault_in_a_tree_is_named_with_its_line(
    path: Path, tree: str, change: tuple[str, str], found: str, line: int
) -> None:
    assert change[0] in tree
    error = refused(path, model(tree.replace(*change, 1)), found)

    assert error.problems[0].where == f"{path}:{line}"


def test_children_in_a_cycle_are_refused(path: Path) -> None:
    tree = (
        NUMERIC.replace("num_leaves=3", "num_leaves=4")
        .replace("leaf_value=0.125", "leaf_value=1 0.125")
        .replace("split_feature=0 1", "split_feature=0 1 1")
        .replace("threshold=30.5", "threshold=30.5 1")
        .replace("decision_type=10", "decision_type=10 10")
        .replace("left_child=-1 -2", "left_child=-1 2 1")
        .replace("right_child=1 -3", "right_child=-2 -3 -4")
    )

    refused(path, model(tree), "split 1 is never reached")


def test_a_deep_chain_of_splits_is_read_without_recursion(path: Path) -> None:
    n = 20_000
    tree = (
        f"num_leaves={n}\nnum_cat=0\nsplit_feature={'0 ' * (n - 1)}\nthreshold={'1 ' * (n - 1)}\n"
        f"decision_type={'2 ' * (n - 1)}\nleft_child={' '.join(str(~i) for i in range(n - 1))}\n"
        f"right_child={' '.join(str(i + 1) for i in range(n - 2))} {~(n - 1)}\nleaf_value={'1 ' * n}\nshrinkage=1\n\n\n"
    )

    assert read(path, model(tree)).n_leaves == n


FILE_FAULTS = [
    ("", r"an empty file \(0 bytes\)", ""),
    ("\0\1\2\3" * 50, "no known model format", ""),
    ('{"name": "wood"}', "a JSON document", ""),
    ("tree", "no known model format", ""),
    ("tree\n", "the file ends inside the header", ":1"),
    ("tree\nversion=v4\n\n", "the header has no feature_names", ":2"),
    (b"tree\nversion=v4\nfeature_names=\xff\xfe\n", "0xff that is not UTF-8", ":3"),
]


@pytest.mark.parametrize(("content", "found", "line"), FILE_FAULTS)
def test_what_is_no_model_is_named(path: Path, content: str | bytes, found: str, line: str) -> None:
    error = refused(path, content, found)

    assert error.problems[0].where == f"{path}{line}"
    if not line:
        assert "LightGBM text" in error.problems[0].expected


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the model file") as caught:
        read_ensemble(tmp_path / "no.model")
    assert caught.value.problems[0].where == str(tmp_path / "no.model")


def test_fewer_trees_than_tree_sizes_are_refused(path: Path) -> None:
    text = model(NUMERIC, STUMP).replace(f"Tree=1\n{STUMP}", "")

    refused(path, text, "the end of the trees instead of Tree=1")


def test_more_trees_than_tree_sizes_are_refused(path: Path) -> None:
    refused(path, model(NUMERIC).replace("end of trees", f"Tree=1\n{STUMP}end of trees"), "more than tree_sizes")


def test_a_tree_of_another_size_than_tree_sizes_says_is_refused(path: Path) -> None:
    refused(path, model(NUMERIC).replace("split_gain=1 1", "split_gain=1 1.5"), "bytes long")


def test_line_ends_changed_to_crlf_are_named_as_the_likely_cause(path: Path) -> None:
    error = refused(path, model(NUMERIC).replace("\n", "\r\n"), "bytes long")

    assert "line ends" in error.problems[0].fix


def test_a_model_without_trees_is_refused(path: Path) -> None:
    refused(path, model(), "a model without trees")


def test_trees_that_do_not_fill_a_round_are_refused(path: Path) -> None:
    header = HEADER.replace("binary sigmoid:1", "multiclass num_class:3").replace("num_class=1", "num_class=3")

    refused(path, model(STUMP, STUMP, header=header.replace("iteration=1", "iteration=3")), "2 trees")


TAIL_FAULTS = [
    (TAIL.replace("null", '[["red", "gre'), "pandas_categorical is not JSON"),
    (TAIL.replace("null", '{"a": 1}'), "no list of lists"),
    (TAIL.replace("null", "[[1, null]]"), "the category None"),
    (TAIL.replace("null", "[" * 100_000), "pandas_categorical is not JSON"),
    (TAIL.replace("null", '[["a"], ["b"]]'), "2 lists of categories for 1 categorical"),
    (TAIL.replace("null", '[["a", "b"]]'), "feature 2 was trained on -1:0:1:2:40"),
    (TAIL.replace("[categorical_feature: 2]", "[categorical_feature: 3]").replace("null", '[["a"]]'), "do not exist"),
    (TAIL.replace("end of parameters", ""), "the file ends inside the section"),
    (TAIL.partition("\nfeature_importances")[0], "without its feature_importances"),
    (TAIL + "one more line\n", "a line that is not known here"),
]


@pytest.mark.parametrize(("tail", "found"), TAIL_FAULTS)
def test_a_fault_after_the_trees_is_named(path: Path, tail: str, found: str) -> None:
    refused(path, model(CATEGORICAL, tail=tail), found)


def test_every_cut_of_a_model_is_refused_up_to_its_parameters(path: Path) -> None:
    text = model(NUMERIC, CATEGORICAL, LINEAR, STUMP)
    end = text.index("end of parameters")

    for size in range(end):
        if text[:size].endswith(("feature_importances:", "age=1", "feature_importances:\n", "age=1\n", "age=1\n\n")):
            continue  # whole for LightGBM too: parameters are written only by a model that was trained
        path.write_text(text[:size])
        try:
            read_ensemble(path)
        except ModelError:
            continue
        assert text[:size].rpartition("\n")[2] in "age=1", size


def test_a_model_cut_off_inside_a_key_is_called_cut_off(path: Path) -> None:
    whole = model(NUMERIC)
    path.write_text(whole[: whole.index("leaf_value=") + len("leaf_va")])

    with pytest.raises(ModelError, match="the file ends inside Tree=0 of 1 trees"):
        read_ensemble(path)


WHOLE = model(NUMERIC, CATEGORICAL, LINEAR, STUMP, tail=TAIL.replace("null", '[["a", "b", "c"]]')).encode()


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_mutated_model_gives_a_forest_or_a_model_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 12))
        new = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b"-1", b"nan", b"1e999", b"99999999999", b" ", b"\n", b"=", b"0x10", b"Tree=0", b"_"]),
            )
        )
        if data.draw(st.booleans()):  # of the same length, which tree_sizes does not give away
            new, length = data.draw(st.sampled_from([b"0", b"1", b"7", b"-", b" ", b".", b"e"])), 1
        text[at : at + length] = new
    mutated = tmp_path_factory.mktemp("mutated") / "lgb.model"

    mutated.write_bytes(text)

    try:
        forest = read_ensemble(mutated)
    except ModelError as error:
        assert error.problems[0].where.startswith(str(mutated))  # noqa: PT017
        return
    assert len(reference.raw_scores(forest, [[0.0] * forest.n_features])[0]) == forest.n_outputs
