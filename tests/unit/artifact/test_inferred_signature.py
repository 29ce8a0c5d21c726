"""What a table says of a model's inputs, and what is wrong with tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from bareboat.artifact.columns import inputs_from_mlflow
from bareboat.artifact.facts import facts_of_texts, read_facts
from bareboat.artifact.inference import Inferred, infer
from bareboat.errors import InputError
from bareboat.pipeline.ir import Column
from bareboat.project.signature_text import signature_text
from bareboat.service.model import Feature


@dataclass
class Model:
    """As much of a pipeline as inference looks at."""

    columns: tuple[Column, ...]
    classes: tuple[Any, ...] = field(default=())


CHURN = Model(
    (
        Column("age", "float"),
        Column("a.b c 📏", "float", nullable=False),
        Column("city", "string", ("Bonn", "Ulm"), others=True),
        Column("id", used=False),
    )
)


def table(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return path


def inferred(folder: Path, text: str, model: Any = CHURN, target: str | None = None) -> Inferred:
    return infer(model, table(folder, text), target)


def test_a_table_gives_types_ranges_and_what_may_be_missing(tmp_path: Path) -> None:
    found = inferred(tmp_path, "id,age,a.b c 📏,city,y\nu1,18,0.5,Ulm,1\nu2,,1.5,Bonn,0\nu3,80,-1,Kiel,1\n", target="y")

    assert found.inputs == (
        Feature("age", True, "int", minimum=18, maximum=80),
        Feature("a.b c 📏", None, "float", minimum=-1, maximum=1.5),
        Feature("city", False, "string"),
        Feature("id", True),
    )
    assert found.has_ranges
    assert found.notes == ("'city' has values that the model takes for others: 'Kiel'",)


def test_without_a_table_the_model_says_what_it_takes() -> None:
    assert infer(CHURN).inputs == (  # type: ignore[arg-type]
        Feature("age", True, "float"),
        Feature("a.b c 📏", None, "float"),
        Feature("city", True, "string"),
        Feature("id", True),
    )


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("age;city\n1;2\n", "the table lacks 'a.b c 📏', 'id'", "a column for each"),
        ("age:city\n1:2\n", "one column, called 'age:city'", "columns divided by"),
        ("age,age\n1,2\n", "2 columns are called 'age'", "each name once"),
        ("age,a.b c 📏,city,id\nabc,1,x,y\n", "'age' holds the text 'abc'", "numbers"),
        (
            "age,a.b c 📏,city,id\n1,1,x,y\n2,1,x,y\nabc,1,x,y\n",
            "'age' holds the text 'abc' in row 3 of the data",
            "numbers",
        ),
        ("", "an empty file", "a header and rows"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(tmp_path: Path, text: str, found: str, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        inferred(tmp_path, text)

    assert found in str(refused.value)
    assert expected in str(refused.value)
    assert "rows.csv" in str(refused.value)


def test_decimal_commas_are_read_as_points_and_told(tmp_path: Path) -> None:
    found = inferred(tmp_path, "age;a.b c 📏;city;id\n3,5;1;Ulm;u\n40;2;Ulm;v\n")

    assert (found.inputs[0].dtype, found.inputs[0].minimum, found.inputs[0].maximum) == ("float", 3.5, 40)
    assert "decimal commas are read as points, which requests must have: 'age'" in found.notes


def test_another_table_is_not_told_to_rename_its_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        inferred(tmp_path, "ages,cities\n1,2\n")

    assert refused.value.problems[0].fix == "--from with the table that the model was trained on"


@pytest.mark.parametrize(("target", "found"), [("yy", "there is no column 'yy'"), ("age", "'age' is an input")])
def test_a_target_that_is_none_is_refused(tmp_path: Path, target: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        inferred(tmp_path, "age,a.b c 📏,city,id,y\n1,2,3,4,5\n", target=target)


def test_a_missing_value_that_the_model_cannot_answer_is_told(tmp_path: Path) -> None:
    found = inferred(tmp_path, "age,a.b c 📏,city,id\n1,,Ulm,u\n2,3,Ulm,v\n")

    assert not found.inputs[1].nullable
    assert "'a.b c 📏' is missing in 1 rows, which the model cannot answer" in found.notes


def test_columns_that_no_model_describes_are_declared_from_the_table(tmp_path: Path) -> None:
    rows = "".join(f"{place},{'ab'[place % 2]},{'true' if place % 3 else 'false'},0{place}\n" for place in range(40))

    found = inferred(tmp_path, f"n,kind,flag,zip\n{rows}", Model(()))

    assert found.inputs == (
        Feature("n", None, "int", minimum=0, maximum=39),
        Feature("kind", None, "string", ("a", "b")),
        Feature("flag", None, "bool"),
        Feature("zip", None, "string"),
    )
    assert found.notes == ("'zip' has 40 values in 40 rows: is it an identifier?",)


def test_a_million_categories_are_no_choice_among_a_few() -> None:
    facts = facts_of_texts("id", [f"u{place}" for place in range(1_000_000)])

    assert (facts.dtype, facts.n_values, facts.values) == ("string", 1_000_000, ())


def test_a_constant_column_has_no_range(tmp_path: Path) -> None:
    found = inferred(tmp_path, "age,a.b c 📏,city,id\n5,1,Ulm,u\n5,3,Ulm,v\n")

    assert found.inputs[0] == Feature("age", False, "int")
    assert "'age' is 5 in every row; it is given no range" in found.notes


def test_parquet_brings_its_types(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    columns = {"n": [1, None], "x": [0.5, 2.0], "zip": ["04109", "10115"], "b": [True, None]}
    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.table(columns), path)

    assert [(each.dtype, each.n_missing, each.minimum) for each in read_facts(path).values()] == [
        ("int", 1, 1),
        ("float", 0, 0.5),
        ("string", 0, None),
        ("bool", 1, None),
    ]


def test_the_text_reads_back_as_what_was_inferred() -> None:
    inputs = (
        Feature("age", True, "int", minimum=-1, maximum=1.5),
        Feature("yes", None, "string", ("no", "1", 'a"b', "größe 📏")),
        Feature("a: b"),
    )

    assert yaml.safe_load(signature_text(inputs, "warn", 4)) == {
        "bounds": "warn",
        "inputs": [
            {"name": "age", "dtype": "int", "nullable": True, "minimum": -1, "maximum": 1.5},
            {"name": "yes", "dtype": "string", "enum": ["no", "1", 'a"b', "größe 📏"]},
            "a: b",
        ],
    }


def test_an_mlflow_signature_gives_columns() -> None:
    inputs = [
        {"type": "double", "name": "x", "required": True},
        {"type": "long", "name": "n", "required": True},
        {"type": "string", "name": "s", "required": False},
        {"type": "boolean", "name": "b"},
        {"type": "datetime", "name": "t", "optional": True},
    ]

    assert inputs_from_mlflow(inputs) == (
        Column("x", "float", nullable=True),
        Column("n", "int", nullable=False),
        Column("s", "string", nullable=True),
        Column("b", "bool", nullable=False),
        Column("t", "datetime", nullable=True),
    )
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]
    assert [column.name for column in inputs_from_mlflow(tensor)] == ["0", "1"]
    assert inputs_from_mlflow([{"type": "array", "name": "a"}]) == ()
