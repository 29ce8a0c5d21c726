"""Credentials never reach the disk, and what happened can still be followed."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.local.observe.mask import masked_headers, masked_json, masked_query

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
    assert masked_headers([(name, value)]) == [(name, kept)]


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
        assert json.loads(masked_json(json.dumps(event, separators=separators).encode())) == {
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

    assert json.loads(masked_json(json.dumps(answer).encode())) == {
        "cookies": ["s=***; Path=/"],
        "multiValueHeaders": {"Set-Cookie": ["t=***; Secure", "u=***"]},
    }


@given(VALUES, NAMES, st.integers(0, 300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_secret_is_left_in_json_and_none_in_a_part_of_it(rest, name, cut):
    whole = json.dumps({"before": rest, "headers": {name: SECRET, "x": [rest]}, "after": rest}).encode()

    masked = masked_json(whole)

    assert SECRET.encode() not in masked
    assert json.loads(masked) == {"before": rest, "headers": {name: "***", "x": [rest]}, "after": rest}
    assert SECRET.encode() not in masked_json(whole[:cut])


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_what_is_no_json_goes_through(text):
    assert isinstance(masked_json(text + b'"cookie": ' + text), bytes)


def test_a_presigned_query_loses_its_signature():
    assert masked_query("x-amz-signature=1&b=2") == "x-amz-signature=***&b=2"
    assert masked_query("a=1&b=2") == "a=1&b=2"
