"""The `.forest` file: there and back, the same bytes, no larger than it need be."""

from __future__ import annotations

import struct
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest import Ensemble, forest_bytes, read_ensemble, reference, write_forest
from bareboat.forest.digest import digest
from bareboat.forest.file_reader import ensemble_from_bytes, read_forest_file
from bareboat.forest.ir import CategorySet, LinearLeaf, Rule, Transform, Tree, Trees
from bareboat.forest.layout import HEADER

IRIS = Path(__file__).parents[3] / "src/bareboat/templates/lightgbm-iris/lgb.model"

NUMERIC = Tree(
    feature=(1, 0, 1),
    rule=(Rule.NAN_LEFT, Rule.ZERO_RIGHT, Rule.MISSING_IS_ZERO),
    threshold=(0.5, -0.0, 2.25),
    left=(1, ~0, ~1),
    right=(2, ~3, ~2),
    leaf_value=(1.0, 2.0, 4.0, 8.0),
)
CATEGORICAL = Tree(
    feature=(2, 2),
    rule=(Rule.CATEGORY, Rule.CATEGORY),
    threshold=(0.0, 0.0),
    categories={0: CategorySet(1 << 1000 | 0b101), 1: CategorySet(0)},
    left=(~0, ~1),
    right=(1, ~2),
    leaf_value=(16.0, 32.0, 64.0),
    linear=(LinearLeaf(1.5, (0, 2), (2.0, 3.0)), LinearLeaf(0.5, (), ()), LinearLeaf(0.0, (1,), (1.0,))),
)
STUMP = Tree((), (), (), (), (), (0.25,))


def forest(*trees: Tree, **changes: object) -> Ensemble:
    values: dict[str, object] = {
        "feature_names": ("a", "b", "größe"),
        "categories": (None, None, ("red", 7, 1.5, True)),
        "objective": "regression",
        "transform": Transform.IDENTITY,
        "n_classes": 0,
        "n_outputs": 1,
        "trees": Trees.of(trees),
        "trees_per_round": 1,
        "base": np.zeros(1),
        "average": False,
        "tiny_is_zero": True,
        "source": "the tests",
    }
    return Ensemble(**(values | changes))  # type: ignore[arg-type]


ROWS = [
    [float(a), float(b), float(c)]
    for a in (-1.0, 0.0, 3.0, "nan")
    for b in (0.5, 0.500001, 2.25, 9.0, "nan")
    for c in (0.0, 1.0, 2.0, 1000.0, 1001.0, -1.0, "nan")
]


@pytest.mark.parametrize(
    "trees",
    [(NUMERIC,), (CATEGORICAL,), (STUMP,), (NUMERIC, STUMP, CATEGORICAL)],
    ids=["numeric", "sets", "stump", "all"],
)
def test_a_forest_comes_back_with_the_same_scores(trees: tuple[Tree, ...]) -> None:
    written = forest(*trees)

    back = ensemble_from_bytes(forest_bytes(written))

    assert reference.raw_scores(back, ROWS) == reference.raw_scores(written, ROWS)


def test_a_forest_comes_back_with_what_is_not_trees() -> None:
    written = forest(
        NUMERIC,
        STUMP,
        transform=Transform.SOFTMAX,
        n_outputs=2,
        n_classes=2,
        classes=("no", "yes"),
        trees_per_round=2,
        base=np.array([0.5, -0.0]),
        single_input=True,
        average=True,
        tiny_is_zero=False,
    )

    back = ensemble_from_bytes(forest_bytes(written))

    for name in (field.name for field in fields(Ensemble) if field.name not in {"trees", "base"}):
        assert getattr(back, name) == getattr(written, name)
    assert back.base.tolist() == written.base.tolist()


def test_a_forest_that_came_back_gives_the_same_bytes() -> None:
    data = forest_bytes(forest(NUMERIC, CATEGORICAL, STUMP))

    assert forest_bytes(ensemble_from_bytes(data)) == data


def test_the_same_model_gives_the_same_bytes_and_iris_fits_in_1504() -> None:
    first, second = (forest_bytes(read_ensemble(IRIS), statistics=False) for _ in range(2))

    assert first == second
    assert len(first) == 1504


def test_sections_lie_at_multiples_of_eight_and_the_digest_ends_the_file() -> None:
    data = forest_bytes(forest(NUMERIC, CATEGORICAL))

    assert len(data) % 8 == 0
    assert HEADER.unpack_from(data)[6] == len(data)
    assert struct.unpack("<Q", data[-8:])[0] == digest(data[:-8])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_digest_is_xxh64(text: bytes, expected: int) -> None:
    """Values: the xxHash specification's empty input, and the README of the Python package xxhash."""
    assert digest(text) == expected


def test_every_cut_of_a_file_is_an_error() -> None:
    data = forest_bytes(forest(NUMERIC, CATEGORICAL))

    for size in range(len(data)):
        with pytest.raises(ModelError):
            ensemble_from_bytes(data[:size])


def test_every_flipped_byte_is_an_error() -> None:
    data = forest_bytes(forest(NUMERIC, CATEGORICAL))

    for place in range(len(data)):
        with pytest.raises(ModelError):
            ensemble_from_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])


def test_the_reader_meets_bytes_that_were_altered_on_purpose_with_a_model_error_or_a_forest() -> None:
    data = forest_bytes(forest(NUMERIC, CATEGORICAL, STUMP))[:-8]

    for place in range(len(data)):
        for value in (0, 1, 0x7F, 0xFF):
            altered = data[:place] + bytes([value]) + data[place + 1 :]
            try:
                back = ensemble_from_bytes(altered + struct.pack("<Q", digest(altered)))
            except ModelError:
                continue
            assert isinstance(back, Ensemble)


def test_a_file_of_another_version_names_both() -> None:
    data = bytearray(forest_bytes(forest(STUMP)))
    data[8] = 9

    with pytest.raises(ModelError, match="version 9") as caught:
        ensemble_from_bytes(bytes(data))
    assert caught.value.problems[0].expected == "version 1 to 2"


def test_read_forest_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.forest").write_bytes(b"nothing")

    with pytest.raises(ModelError) as caught:
        read_forest_file(tmp_path / "a.forest")
    assert caught.value.problems[0].where == str(tmp_path / "a.forest")


def test_a_forest_file_is_a_model_file(tmp_path: Path) -> None:
    write_forest(forest(NUMERIC, CATEGORICAL), tmp_path / "m.forest")

    assert forest_bytes(read_ensemble(tmp_path / "m.forest")) == (tmp_path / "m.forest").read_bytes()


def test_a_forest_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.forest").write_bytes(forest_bytes(forest(NUMERIC))[:-8])

    with pytest.raises(ModelError, match="damaged") as caught:
        read_ensemble(tmp_path / "m.forest")
    assert caught.value.problems[0].where == str(tmp_path / "m.forest")
    assert caught.value.problems[0].fix == "import or package the model again"


def test_write_forest_leaves_nothing_behind_when_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "a.forest").mkdir()

    with pytest.raises(ModelError, match="cannot write the forest"):
        write_forest(forest(STUMP), tmp_path / "a.forest")
    assert [path.name for path in tmp_path.iterdir()] == ["a.forest"]


def test_a_name_with_a_nul_is_refused() -> None:
    with pytest.raises(ModelError, match="NUL"):
        forest_bytes(forest(STUMP, feature_names=("a", "b\0c", "d")))
