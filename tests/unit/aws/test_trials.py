"""Samples -> requests to routes, and what of a route cannot be tried."""

from __future__ import annotations

import json

import pytest

from bareboat.aws.trials import Trial, made_up_row, targets, trials_of
from bareboat.service import load_service

SERVICE = """\
service: shop
provider: {{name: aws, runtime: python3.13}}
functions:
  go:
    handler: app.go
    samples: {samples}
    events: {events}
"""


@pytest.fixture
def requests_of(tmp_path):
    """Return what is sent to the routes of a function with these samples, or why nothing is."""

    def made(events, *samples):
        (tmp_path / "app.py").write_text("def go(event, context): ...\n")
        text = SERVICE.format(samples=json.dumps(list(samples)), events=json.dumps(events))
        (tmp_path / "serverless.yml").write_text(text)
        service = load_service(tmp_path, env={})
        found = [each for target in targets(service) for each in trials_of(service, target, None)]
        return [
            (each.asked.method, each.asked.path, each.asked.query, each.asked.body)
            if isinstance(each, Trial)
            else each.why
            for each in found
        ]

    return made


def test_a_document_is_the_body_of_a_post_and_the_query_of_a_get(requests_of):
    events = [{"httpApi": "POST /a"}, {"httpApi": "GET /a"}]

    assert requests_of(events, {"x": 1.5, "y": "z", "n": None}) == [
        ("POST", "/a", (), b'{"x": 1.5, "y": "z", "n": null}'),
        ("GET", "/a", (("x", "1.5"), ("y", "z"), ("n", "")), b""),
    ]


def test_the_parts_of_an_event_become_those_of_the_request(requests_of):
    event = {
        "body": "aGk=",
        "isBase64Encoded": True,
        "pathParameters": {"id": "7"},
        "queryStringParameters": {"a": "1"},
    }

    assert requests_of([{"httpApi": "PUT /items/{id}"}], event) == [("PUT", "/items/7", (("a", "1"),), b"hi")]


def test_events_of_both_formats_are_sent_to_their_own_route(requests_of):
    new = {"version": "2.0", "requestContext": {"http": {"method": "GET"}}, "rawPath": "/items/a%20b",
           "rawQueryString": "q=1&q=2"}  # fmt: skip
    old = {"httpMethod": "POST", "path": "/items", "body": "{}", "requestContext": {"stage": "dev"},
           "multiValueQueryStringParameters": {"a": ["1", "2"]}}  # fmt: skip

    assert requests_of([{"httpApi": "GET /items/{id}"}, {"http": "POST /items"}], new, old) == [
        ("GET", "/items/a%20b", (("q", "1"), ("q", "2")), b""),
        ("POST", "/items", (("a", "1"), ("a", "2")), b"{}"),
    ]


def test_the_stage_in_a_recorded_path_is_taken_off(requests_of):
    event = {"version": "2.0", "requestContext": {"stage": "dev", "http": {"method": "GET"}}, "rawPath": "/dev/items"}

    assert requests_of([{"httpApi": "GET /items"}], event) == [("GET", "/items", (), b"")]


def test_any_method_is_a_post_with_a_body_and_a_get_without(requests_of):
    assert requests_of([{"httpApi": "* /a"}], {"body": "x"}, {"queryStringParameters": {"a": "1"}}) == [
        ("POST", "/a", (), b"x"),
        ("GET", "/a", (("a", "1"),), b""),
    ]


def test_what_stands_in_a_variable_is_encoded(requests_of):
    events = [{"httpApi": "GET /items/{id}"}, {"httpApi": "GET /files/{id+}"}]

    assert [each[1] for each in requests_of(events, {"pathParameters": {"id": "a/b c"}})] == [
        "/items/a%2Fb%20c",
        "/files/a/b%20c",
    ]


def test_the_catch_all_is_tried_at_the_root(requests_of):
    assert requests_of([{"httpApi": "*"}], {"body": "x"}) == [("POST", "/", (), b"x")]


@pytest.mark.parametrize(
    ("events", "samples", "why"),
    [
        ([{"httpApi": "POST /a"}], [], "there is no sample of a request"),
        ([{"httpApi": "GET /a/{id}"}], [], "nothing says what id is in /a/{id}"),
        ([{"httpApi": "GET /a/{id}"}], [{"x": 1}], "samples[0] says nothing of id in /a/{id}"),
        ([{"httpApi": "GET /a/{id}"}], [{"body": "x"}], "samples[0] has no pathParameters for /a/{id}"),
        ([{"httpApi": "DELETE /a"}], [{"x": [1]}], "samples[0] does not fit into the query of a DELETE"),
        ([{"httpApi": "POST /a"}], [{"httpMethod": "GET", "path": "/b"}], "samples[0] is GET /b"),
    ],
)
def test_what_cannot_be_tried_is_told(requests_of, events, samples, why):
    assert requests_of(events, *samples) == [why]


def test_a_get_without_variables_needs_no_sample(requests_of):
    assert requests_of([{"httpApi": "GET /health"}]) == [("GET", "/health", (), b"")]


def test_a_row_is_made_up_of_what_the_signature_takes():
    def declared(name, dtype, **more):
        plain = dict.fromkeys(("enum", "values", "minimum", "maximum", "default", "shape"))
        return {"name": name, "dtype": dtype, **plain, **more}

    document = {
        "inputs": [
            declared("free", "float"),
            declared("between", "float", minimum=10, maximum=20),
            declared("whole", "int", minimum=1, maximum=4),
            declared("above", "int", minimum=5),
            declared("one", "category", values=[None, "gas", "oil"]),
            declared("fixed", "string", default="x"),
            declared("listed", "string", enum=["a", "b"]),
            declared("when", "datetime"),
            declared("tensor", "float", shape=[2, None]),
        ]
    }

    assert made_up_row({"default": "m", "models": {"m": {"1": document}}}) == {
        "free": 1.5, "between": 15.0, "whole": 2, "above": 5, "one": "gas", "fixed": "x", "listed": "a",
        "when": "2026-01-02T03:04:05Z", "tensor": [[0.5], [0.5]],
    }  # fmt: skip


def test_functions_that_are_images_are_told(tmp_path):
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/shop@sha256:{'a' * 64}"
    (tmp_path / "serverless.yml").write_text(
        "service: shop\nprovider: {name: aws, runtime: python3.13}\n"
        f"functions: {{go: {{image: '{image}', events: [{{httpApi: GET /go}}]}}}}\n"
    )
    service = load_service(tmp_path, env={})

    (found,) = [each for target in targets(service) for each in trials_of(service, target, None)]

    assert "is a container image" in found.why
