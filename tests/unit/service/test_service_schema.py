"""The JSON schema for editors."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

import bareboat
from bareboat.service import json_schema
from bareboat.service.compose import compose
from bareboat.service.nodes import plain

TEMPLATES = sorted((Path(bareboat.__file__).parent / "templates").glob("*/serverless.yml"))


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def errors(validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(plain(compose(text.encode(), "serverless.yml")))]


def test_there_are_templates():
    assert len(TEMPLATES) >= 4


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.name)
def test_each_template_is_valid(validator, path):
    assert errors(validator, path.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "service: a1\nprovider: aws",
        "service: a1\nprovider: {name: aws, memorySize: '${opt:m}', httpApi: {cors: true}}",
        "service: a1\nprovider: {name: aws, iam: {role: {statements: []}}}",
        "service: a1\nprovider: {name: aws, iam: {role: !GetAtt R.Arn}}",
        "service: a1\nprovider: {name: aws}\nfunctions: [{a: {handler: x.y}}, '${file(b.yml)}']",
        "service: a1\nprovider: {name: aws}\nfunctions: {a: {handler: x.y, environment: {A: 1, B: !Ref T}}}",
        "service: a1\nprovider: {name: aws}\nframeworkVersion: 3\ncustom: {anything: 1}",
        "service: a1\nprovider: {name: aws}\nfunctions: {a: {model: m, features: [b, {name: c, nullable: true}]}}",
        "service: a1\nprovider: {name: aws}\nfunctions: {a: {handler: x.y, events: [{schedule: {rate: rate(1 day)}}]}}",
        "service: a1\nprovider: {name: aws}\npackage: {patterns: '!a/**', exclude: b}\nplugins: serverless-offline",
    ],
)
def test_what_load_service_takes_is_valid(validator, text):
    assert errors(validator, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "service: a1\nprovider: {name: aws}\nfucntions: {}",
        "service: a1\nprovider: {name: aws, memorysize: 128}",
        "service: a1\nprovider: {name: aws, memorySize: 64}",
        "service: a1\nprovider: {name: google}",
        "provider: {name: aws}",
        "service: a1\nprovider: {name: aws}\nfunctions: {a: {handler: x.y, memroySize: 512}}",
        "service: a1\nprovider: {name: aws}\nfunctions: {a: {handler: x.y, model: m}}",
        "service: a1\nprovider: aws\nfunctions: {a: {handler: x.y, events: [{httpApi: {path: /, methd: get}}]}}",
        "service: a1\nprovider: {name: aws}\nfunctions: {a: {handler: x.y, events: [{http: GET a, sqs: b}]}}",
        "service: a1\nprovider: {name: aws}\nfunctions: {a: {handler: x.y, runtime: nodejs20.x}}",
        "service: a1\nprovider: {name: aws}\ncustom: {pythonRequirements: {zipp: true}}",
    ],
)
def test_a_misspelt_or_wrong_value_is_invalid(validator, text):
    assert errors(validator, text)


def test_bareboat_s_keys_are_described():
    properties = json_schema()["$defs"]["FunctionKeys"]["properties"]

    for key in ("model", "features", "labels", "before", "after", "samples"):
        assert properties[key]["description"].startswith("bareboat:")
