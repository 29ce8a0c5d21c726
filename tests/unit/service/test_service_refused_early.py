"""What a deployment, or serve, would refuse later: check says it with its place."""

from __future__ import annotations

import pytest

FILE = """\
service: early
provider:
  name: aws
  runtime: python3.12
  httpApi:
    authorizers:
      people: {type: jwt, audience: [app], issuerUrl: ISSUER, identitySource: SOURCE}
functions:
  f:
    handler: app.f
    events:
      - httpApi: {method: GET, path: /x, authorizer: {name: people}}
      - EVENT
      - http: {method: POST, path: /g, request: {schemas: {application/json: SCHEMA}}}
"""
GOOD = {
    "ISSUER": "'https://issuer.test/'",
    "SOURCE": "$request.header.Authorization",
    "EVENT": "sqs: 'arn:aws:sqs:us-east-1:123456789012:jobs'",
    "SCHEMA": "{type: object, properties: {a: {$ref: '#/definitions/x~1y'}}, definitions: {x/y: {pattern: '^a'}}}",
}


@pytest.fixture(autouse=True)
def module(tmp_path):
    (tmp_path / "app.py").write_text("def f(event, context): ...\n")


def written(**changes: str) -> str:
    file = FILE
    for name, value in {**GOOD, **changes}.items():
        file = file.replace(name, value)
    return file


def test_what_fits_is_taken(load):
    assert load(written()).functions["f"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ISSUER": "not a url"}, "issuerUrl is 'not a url'"),
        ({"SOURCE": "header.X"}, "identitySource has 'header.X'"),
        ({"SOURCE": "request.header.Auth"}, "identitySource has 'request.header.Auth'"),
        ({"EVENT": "sqs: notanarn"}, "sqs is 'notanarn'"),
        ({"EVENT": "sns: ''"}, "sns is empty"),
        ({"EVENT": "s3: {bucket: b, event: 's3:ObjectMade'}"}, "s3.event is 's3:ObjectMade'"),
        ({"SCHEMA": "{type: object, properties: [1]}"}, "properties is [1]"),
        ({"SCHEMA": "{$ref: '#/definitions/x'}"}, "refers to #/definitions/x, which the schema does not have"),
        ({"SCHEMA": "{pattern: '['}"}, "pattern: '[' is no regular expression"),
        ({"SCHEMA": "{patternProperties: {'[': {}}}"}, "patternProperties: '[' is no regular expression"),
    ],
    ids=["issuer", "source", "dollar", "sqs", "sns", "s3", "properties", "reference", "pattern", "patterns"],
)
def test_what_does_not_fit_is_refused(refuse, changes, said):
    (problem,) = refuse(written(**changes))

    assert said in problem.found
    assert problem.where.startswith("serverless.yml:")
