"""`signature:` in serverless.yml: what it declares, and every problem with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.service.model import Feature, Output

HEAD = "model: lgb.model\nsignature:\n"

Read = Callable[..., Any]


def test_a_signature_declares_inputs_outputs_and_bounds(function: Read) -> None:
    found = function(
        HEAD
        + """\
  bounds: warn
  inputs:
    - age
    - {name: income, dtype: float, nullable: true, minimum: 0, maximum: 1.0e+6, column: inc}
    - {name: plan, dtype: string, enum: [basic, "1", pro], default: basic}
    - {name: since, dtype: datetime, minimum: 2020-01-01, maximum: "2026-01-01T00:00:00Z"}
  outputs:
    - {name: prediction, minimum: 0}
"""
    )

    assert found.features == (
        Feature("age"),
        Feature("income", True, "float", minimum=0, maximum=1000000, column="inc"),
        Feature("plan", None, "string", ("basic", "1", "pro"), default="basic"),
        Feature("since", None, "datetime", minimum="2020-01-01", maximum="2026-01-01T00:00:00Z"),
    )
    assert found.outputs == (Output("prediction", minimum=0),)
    assert (found.bounds, found.features_key) == ("warn", "signature.inputs")


@pytest.mark.parametrize("name", ["signature.json", "signature.yml"])
def test_a_signature_may_stand_in_a_file(function: Read, folder: Path, name: str) -> None:
    (folder / name).write_text(json.dumps({"bounds": "ignore", "inputs": [{"name": "a", "minimum": 1}]}))

    found = function(f"model: lgb.model\nsignature: {name}\n")

    assert found.features == (Feature("a", minimum=1),)
    assert found.bounds == "ignore"


@pytest.mark.parametrize(
    ("entry", "found", "expected", "fix"),
    [
        ("{dtype: int}", "inputs[0] has no name", "name: FEATURE", ""),
        ("{name: a, dtype: integer}", "inputs[0].dtype is 'integer'", "one of float, int, bool,", "write int"),
        ("{name: a, minimun: 1}", "has no key 'minimun'", "one of name, dtype,", "rename it to 'minimum'"),
        ("{name: a, dtype: int, minimum: 0.5}", "inputs[0].minimum is 0.5", "a whole number", ""),
        ("{name: a, dtype: float, minimum: x}", 'inputs[0].minimum is "x"', "a number", ""),
        ("{name: a, dtype: int, minimum: 5, maximum: 4}", "maximum is 4, below the minimum", "at least 5", ""),
        (
            "{name: a, dtype: string, minimum: 5}",
            "minimum is 5, and values are string",
            "only for float",
            "take minimum",
        ),
        ("{name: a, dtype: string, enum: [b, 5]}", "enum is 5", "a text", 'write "5" in quotes'),
        ("{name: a, dtype: string, enum: [b, b]}", 'enum is "b" twice', "each value once", ""),
        ("{name: a, dtype: string, enum: []}", "enum is an empty list", "at least one value", ""),
        ("{name: a, dtype: string, enum: [basic], default: basik}", 'default is "basik"', '"basic"', "write basic"),
        ("{name: a, dtype: bool, default: maybe}", 'default is "maybe"', "true or false", ""),
        ("{name: a, dtype: float, default: 9, maximum: 5}", "default is 9", "a number of at most 5", ""),
        ("{name: a, unknown: missed}", "unknown is 'missed'", "one of error, missing", "write missing"),
        (
            "{name: a, dtype: int, unknown: missing}",
            "unknown is missing, and values are int",
            "only for string and category",
            "take unknown out",
        ),
        ("{name: a, dtype: datetime, minimum: 31.3.2026}", 'minimum is "31.3.2026"', "ISO 8601", ""),
    ],
)
def test_a_key_that_does_not_fit_is_named_with_its_place(
    refuse_function: Read, entry: str, found: str, expected: str, fix: str
) -> None:
    (problem,) = refuse_function(f"{HEAD}  inputs:\n    - {entry}\n")

    assert found in problem.found
    assert expected in problem.expected
    assert fix in problem.fix
    assert problem.where.startswith("serverless.yml:10:")


def test_all_problems_come_at_once(refuse_function: Read) -> None:
    body = """\
  bounds: warning
  inputs:
    - {name: a, dtype: int, minimum: x}
    - {name: b, column: q}
    - {name: c, column: q}
    - a
  outputs:
    - {dtype: float}
"""

    found = [problem.found for problem in refuse_function(HEAD + body)]

    assert [text.partition("signature.")[2] for text in found] == [
        "bounds is 'warning'",
        "inputs has 'a' twice",
        'inputs[0].minimum is "x"',
        "inputs names the column 'q' twice",
        "outputs[0] has no name",
    ]


def test_features_and_signature_exclude_each_other(refuse_function: Read) -> None:
    (problem,) = refuse_function("model: lgb.model\nfeatures: [a]\nsignature: {inputs: [a]}\n")

    assert problem.found == "functions.predict has features and signature"
    assert problem.where == "serverless.yml:8:5"


def test_a_signature_wants_a_model(refuse_function: Read) -> None:
    (problem,) = refuse_function("handler: handler.predict\nsignature: {inputs: [a]}\n")

    assert problem.found == "functions.predict has signature and no model"


@pytest.mark.parametrize(
    ("name", "content", "found", "where"),
    [
        ("gone.json", None, "is 'gone.json', and there is no such file", "serverless.yml:8:16"),
        ("notes.txt", "x", "is 'notes.txt'", "serverless.yml:8:16"),
        ("s.json", "{", "not valid JSON", "s.json:1:2"),
        ("s.yml", "a: [", "not valid YAML", "s.yml:2:1"),
        ("s.json", "[1]", "s.json holds no mapping", "s.json:1:1"),
        ("s.json", '{\n"input": []}', "has no key 'input'", "s.json:2:1"),
        ("s.json", '{"inputs": [\n{"name": "a", "dtype": "int", "default": 1.5}]}', "default is 1.5", "s.json:2:42"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(
    refuse_function: Read, folder: Path, name: str, content: str | None, found: str, where: str
) -> None:
    if content is not None:
        (folder / name).write_text(content)

    (problem,) = refuse_function(f"model: lgb.model\nsignature: {name}\n")

    assert found in problem.found
    assert problem.where == where
