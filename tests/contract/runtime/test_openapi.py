"""The OpenAPI document against its specification, and its schemas against what requests are accepted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from bareboat.artifact.openapi import openapi
from bareboat.artifact.schemas import request_schema
from bareboat.errors import ConfigurationError, InputError
from bareboat.runtime.signature import signature_of
from bareboat.service import load_service

IRIS = Path(__file__).parents[3] / "src" / "bareboat" / "templates" / "lightgbm-iris"


def declared(name: str, dtype: str, **more: Any) -> dict[str, Any]:
    plain = dict.fromkeys(["values", "enum", "minimum", "maximum", "default"])
    return {"name": name, "aliases": [], "dtype": dtype, "nullable": False, "others": True, **plain, **more}


INPUTS = [
    declared("number", "float", minimum=-1, maximum=2.5),
    declared("whole", "int", nullable=True),
    declared("flag", "bool"),
    declared("only true", "bool", enum=[True], others=False),
    declared("known", "string", values=["a", "b", None], others=False, nullable=True),
    declared("any text", "string", values=["a"]),
    declared("kind", "category", values=["x", 7, True], others=False),
    declared("kinds", "category", values=["x", 7]),
    declared("day", "datetime", default="2026-01-01"),
    declared("choice", "float", enum=[1, 2.5], others=False),
    declared("a.b 📏", "string", values=["a", "b", "c"], others=False, enum=["b"]),
    declared("unread", "any", nullable=True),
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.floats(-3, 9),
    st.sampled_from(
        [sign * 2**63 + way * far for sign in (1, -1) for way in (1, -1) for far in (0, 1, 512, 513, 1024, 1025)]
    ),
    st.sampled_from(["a", "b", "x", "z", "", 1, 2.5, 7, "2026-02-28", "2026-02-28T12:00:00Z", "2026-13-01", [], {}]),
)
GOOD = {
    "number": 1,
    "whole": 3,
    "flag": True,
    "only true": 1,
    "known": "a",
    "any text": "z",
    "kind": 7,
    "kinds": 8.5,
    "day": "2026-02-28T12:00",
    "choice": 2.5,
    "a.b 📏": "b",
    "unread": None,
}
NAMES = [each["name"] for each in INPUTS]
ROWS = st.one_of(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2).map(lambda wrong: GOOD | wrong),
    st.sets(st.sampled_from(NAMES), max_size=2).map(lambda out: {k: v for k, v in GOOD.items() if k not in out}),
    st.just(GOOD | {"stranger": 1}),
)
REQUESTS = st.one_of(
    ROWS,
    ROWS.map(lambda row: list(row.values())),
    st.lists(ROWS, max_size=3).map(lambda rows: {"instances": rows}),
    st.just({"instances": [GOOD], "more": 1}),
)


@pytest.mark.parametrize("engine", ["pipeline", "framework"])
@pytest.mark.parametrize("bounds", ["error", "warn"])
@given(request=REQUESTS)
@settings(max_examples=60, deadline=None)
def test_a_request_is_accepted_just_when_its_schema_accepts_it(engine: str, bounds: str, request: Any) -> None:
    document = {"inputs": INPUTS, "bounds": bounds, "engine": engine}
    validator = Draft202012Validator(request_schema(document, 2))
    try:
        signature_of(document, 2).read(request)
        is_accepted = True
    except InputError:
        is_accepted = False

    assert validator.is_valid(request) == is_accepted


def test_the_document_of_a_service_is_one_of_openapi(tmp_path: Path) -> None:
    (tmp_path / "lgb.model").write_bytes((IRIS / "lgb.model").read_bytes())
    (tmp_path / "wrap.py").write_text("")
    (tmp_path / "serverless.yml").write_text(
        """\
service: flowers
provider: {name: aws, runtime: python3.13}
functions:
  predict:
    model: lgb.model
    signature:
      bounds: warn
      inputs: [{name: "sepal length", minimum: 4, maximum: 8}, {name: b, column: "petal_width_(cm)"},
               {name: a, column: "sepal_width_(cm)", nullable: true}, {name: c, column: "petal_length_(cm)"}]
    labels: [setosa, versicolor, virginica]
    events: [httpApi: "POST /flowers/{id}", httpApi: GET /flowers, httpApi: "*"]
  wrapped: {model: lgb.model, before: wrap.a, after: wrap.b, events: [httpApi: ANY /wrapped]}
  score: {model: lgb.model, protocol: mlflow, events: [httpApi: "ANY /m/{proxy+}"]}
  infer: {model: lgb.model, protocol: oip, events: [httpApi: "ANY /o/{proxy+}"]}
  maker: {model: lgb.model, protocol: sagemaker, events: [httpApi: POST /invocations]}
  many: {models: {a: lgb.model, b: lgb.model}, events: [httpApi: "ANY /all/{proxy+}"]}
""".replace('name: "sepal length"', 'name: "sepal length", column: "sepal_length_(cm)"'),
        encoding="utf-8",
    )

    document = openapi(load_service(tmp_path))

    OpenAPIV31SpecValidator(document).validate()
    assert list(document["paths"]) == [
        "/flowers/{id}", "/flowers", "/", "/wrapped", "/m/invocations", "/m/ping", "/m/health", "/m/version",
        "/o/v2", "/o/v2/health/live", "/o/v2/health/ready", "/o/v2/models/{model}", "/o/v2/models/{model}/infer",
        "/invocations", "/all/models", "/all/models/{name}",
    ]  # fmt: skip
    row = document["components"]["schemas"]["predict.Row"]
    assert list(row["properties"]) == ["sepal length", "a", "c", "b"]
    assert row["properties"]["sepal length"]["description"] == "Expected: minimum 4, maximum 8."
    assert row["required"] == ["sepal length", "c", "b"]
    answer = document["components"]["schemas"]["predict.Answer"]
    assert Draft202012Validator(answer).is_valid({"proba": [0.1, 0.2, 0.7], "label": "virginica"})
    assert not Draft202012Validator(answer).is_valid({"proba": [0.1, 0.9], "label": "rose"})
    posted = document["paths"]["/flowers/{id}"]["post"]
    assert "x-bareboat-warning" in posted["responses"]["200"]["headers"]
    assert [each["name"] for each in document["paths"]["/flowers"]["get"]["parameters"]] == list(row["properties"])


def test_a_function_without_a_route_is_not_described(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("")
    (tmp_path / "serverless.yml").write_text(
        "service: plain\nprovider: {name: aws, runtime: python3.13}\nfunctions: {run: {handler: handler.run}}\n"
    )
    service = load_service(tmp_path)

    for name, found in ((None, "plain has no route"), ("run", "functions.run has no route")):
        with pytest.raises(ConfigurationError, match=found):
            openapi(service, name)


def test_a_float_that_json_has_not_is_refused_whatever_the_schema_says() -> None:
    document = {"inputs": [declared("x", "float")], "bounds": "error", "engine": "pipeline"}

    for value in (math.inf, math.nan, 10**400):
        with pytest.raises(InputError):
            signature_of(document, 1).read({"x": value})
