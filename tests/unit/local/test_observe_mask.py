"""Credentials never reach the disk, and what happened can still be followed."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.local.observe.mask import ALWAYS, Mask, mask_of
from bareboat.service.api import JwtAuthorizer, LambdaAuthorizer
from bareboat.service.model import Place
from bareboat.service.triggers import HttpApiEvent, HttpEvent

TEXTS = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SECRET = "5ecret-Value"
NAMES = st.sampled_from(
    ["Authorization", "authorization", "X-Api-Key", "x-api-key", "X-Amz-Security-Token", "apiKey", "authorizationToken",
     "identitySource", "Proxy-Authorization", "usageIdentifierKey"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("Authorization", "Bearer a.b.c", "Bearer ***"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=1", "AWS4-HMAC-SHA256 ***"),
        ("authorization", "only-a-token", "***"),
        ("X-API-Key", "abc", "***"),
        ("Cookie", "session=1; theme=dark", "session=***; theme=***"),
        ("Set-Cookie", "session=1; Path=/; HttpOnly", "session=***; Path=/; HttpOnly"),
        ("X-Amz-Security-Token", "t", "***"),
        ("X-Other", "Bearer a", "Bearer a"),
        ("Authorization", "", ""),
    ],
)
def test_a_header_keeps_what_is_no_secret(name, value, kept):
    assert ALWAYS.headers([(name, value)]) == [(name, kept)]


def test_an_event_keeps_its_form():
    event = {
        "headers": {"authorization": "Bearer x", "cookie": "a=1", "accept": "*/*"},
        "multiValueHeaders": {"X-Api-Key": ["k1", "k2"], "Accept": ["*/*"]},
        "cookies": ["a=1", "b=2"],
        "requestContext": {"identity": {"apiKey": "k1", "apiKeyId": "id"}},
        "authorizationToken": "Bearer x",
        "identitySource": ["Bearer x", "k1"],
        "rawQueryString": "a=1&X-Amz-Security-Token=abc&X-Amz-Signature=12&b=2",
        "body": '{"cookie": "not a header"}',
    }

    for separators in ((",", ":"), (", ", ": ")):
        assert json.loads(ALWAYS.json(json.dumps(event, separators=separators).encode())) == {
            "headers": {"authorization": "Bearer ***", "cookie": "a=***", "accept": "*/*"},
            "multiValueHeaders": {"X-Api-Key": ["***", "***"], "Accept": ["*/*"]},
            "cookies": ["a=***", "b=***"],
            "requestContext": {"identity": {"apiKey": "***", "apiKeyId": "id"}},
            "authorizationToken": "Bearer ***",
            "identitySource": ["Bearer ***", "***"],
            "rawQueryString": "a=1&X-Amz-Security-Token=***&X-Amz-Signature=***&b=2",
            "body": '{"cookie": "not a header"}',
        }


def test_an_answer_keeps_the_attributes_of_its_cookies():
    answer = {"cookies": ["s=1; Path=/"], "multiValueHeaders": {"Set-Cookie": ["t=2; Secure", "u=3"]}}

    assert json.loads(ALWAYS.json(json.dumps(answer).encode())) == {
        "cookies": ["s=***; Path=/"],
        "multiValueHeaders": {"Set-Cookie": ["t=***; Secure", "u=***"]},
    }


@given(VALUES, NAMES, st.integers(0, 300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_secret_is_left_in_json_and_none_in_a_part_of_it(rest, name, cut):
    whole = json.dumps({"before": rest, "headers": {name: SECRET, "x": [rest]}, "after": rest}).encode()

    masked = ALWAYS.json(whole)

    assert SECRET.encode() not in masked
    assert json.loads(masked) == {"before": rest, "headers": {name: "***", "x": [rest]}, "after": rest}
    assert SECRET.encode() not in ALWAYS.json(whole[:cut])


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_what_is_no_json_goes_through(text):
    assert isinstance(ALWAYS.json(text + b'"cookie": ' + text), bytes)


def test_a_presigned_query_loses_its_signature():
    assert ALWAYS.query("x-amz-signature=1&b=2") == "x-amz-signature=***&b=2"
    assert ALWAYS.query("a=1&b=2") == "a=1&b=2"


OWN = Mask(["X-Token", "Authorization"], ["key", "access_token"])


def test_what_the_authorizers_of_a_service_read_is_hidden_too():
    assert OWN.headers([("x-token", "5ecret and more"), ("X-Other", "a")]) == [("x-token", "***"), ("X-Other", "a")]
    assert OWN.query("a=1&Key=5ecret&keys=2") == "a=1&Key=***&keys=2"
    assert ALWAYS.query("access_token=5ecret") == "access_token=***"
    event = {
        "headers": {"x-token": SECRET, "x-other": "a"},
        "multiValueHeaders": {"X-Token": [SECRET, SECRET]},
        "rawQueryString": f"a=1&key={SECRET}",
        "queryStringParameters": {"key": SECRET, "a": "1"},
        "multiValueQueryStringParameters": {"key": [SECRET]},
        "path": f"/x?access_token={SECRET}",
    }

    masked = OWN.json(json.dumps(event).encode())

    assert SECRET not in masked.decode()
    assert json.loads(masked)["headers"] == {"x-token": "***", "x-other": "a"}
    assert json.loads(masked)["queryStringParameters"] == {"key": "***", "a": "1"}


def test_what_a_service_reads_is_found_in_its_authorizers():
    here = Place("serverless.yml", 1, 1)
    asks = LambdaAuthorizer("a", here, "f", identity_sources=("$request.header.X-Token", "$context.path"))
    rest = LambdaAuthorizer("r", here, "f", identity_sources=("method.request.querystring.key",))
    jwt = JwtAuthorizer("j", here, "https://i", identity_source="$request.querystring.jwt")
    events = (
        HttpApiEvent("GET", "/a", here, authorizer=asks),
        HttpEvent("GET", "/b", here, authorizer=rest),
        HttpApiEvent("GET", "/c", here, authorizer=jwt),
        HttpApiEvent("GET", "/d", here),
    )
    function = SimpleNamespace(events=events)

    mask = mask_of(SimpleNamespace(functions={"f": function}))

    assert mask.headers([("X-Token", "abc")]) == [("X-Token", "***")]
    assert mask.query("key=1&jwt=2&path=3") == "key=***&jwt=***&path=3"
