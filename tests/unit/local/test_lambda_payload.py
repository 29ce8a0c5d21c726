from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.local.lambda_api.event_stream import message
from bareboat.local.lambda_api.payload import check
from bareboat.local.lambda_api.refusal import ApiError

PLACE = re.compile(r"line: (\d+), column: (\d+)\]")


def words(data: bytes) -> str:
    with pytest.raises(ApiError) as caught:
        check(data)
    assert (caught.value.status, caught.value.code) == (400, "InvalidRequestContentException")
    return caught.value.fields["message"]


@pytest.mark.parametrize(
    ("data", "said", "place"),
    [  # the words of issues: aws/aws-sdk-js #1876, module-ballerina-c2c #15, podaac/hydrocron #64
        (b"e30", "Unrecognized token 'e30': was expecting (JSON String, ", ("1", "4")),
        (b'0D\x06"', "Unexpected character ('D' (code 68)): Expected space separating root-level values", ("1", "2")),
        (
            b'{\n"a": "b"\n"c": 1}',
            """Unexpected character ('"' (code 34)): was expecting comma to separate""",
            ("3", "1"),
        ),
        (b"{a: 1}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name", ("1", "2")),
        (b'{"a" 1}', "was expecting a colon to separate field name and value", ("1", "6")),
        (b'{"a": NaN}', "Non-standard token 'NaN'", ("1", "7")),
        (b'{"a": 1', "Unexpected end-of-input", ("1", "8")),
        (b'["a', "Unexpected end-of-input: was expecting closing quote for a string value", ("1", "4")),
        (b'{"a": "\xff"}', "Invalid UTF-8 start byte 0xff", ("1", "9")),
        (b"[" * 3000, "Document nesting depth exceeds the maximum allowed (1000)", ("1", "1")),
    ],
    ids=["word", "number", "comma", "name", "colon", "nan", "end", "string", "utf8", "depth"],
)
def test_what_is_wrong_is_said_with_its_place(data: bytes, said: str, place: tuple[str, str]) -> None:
    found = words(data)

    assert found.startswith("Could not parse request body into json: Could not parse payload into json: ")
    assert said in found
    where = PLACE.search(found)
    assert where is not None
    assert where.groups() == place


@pytest.mark.parametrize("data", [b"1e999", b'"\\ud800"', b' {"a": 1}\r\n', b"-0", b'""'])
def test_all_of_json_passes(data: bytes) -> None:
    check(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_every_document_that_python_writes_passes(document: object) -> None:
    check(json.dumps(document).encode())


@given(st.binary(min_size=1, max_size=40))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    try:
        json.loads(data.decode("utf-8"), parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        words(data)
    else:
        check(data)


def test_a_message_of_an_event_stream_is_what_botocore_reads() -> None:
    from botocore.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    buffer.add_data(message("PayloadChunk", "application/octet-stream", b"\0\xff" * 1000) + message("End", "x/y", b""))

    first, second = (event.to_response_dict() for event in buffer)

    assert first["body"] == b"\0\xff" * 1000
    assert first["headers"][":event-type"] == "PayloadChunk"
    assert second["headers"] == {":message-type": "event", ":event-type": "End", ":content-type": "x/y"}
