"""What a function returned, as a response. Expectations: AWS's guide; recordings named where they decide."""

from __future__ import annotations

import base64
import json

import pytest

from bareboat.local.gateway.response import canonical_name, message, parse_v1, parse_v2
from bareboat.local.gateway.returned import MalformedResponseError

BOTH = pytest.mark.parametrize("parse", [parse_v1, parse_v2])


def answer(**fields) -> bytes:
    return json.dumps({"statusCode": 200, **fields}).encode()


@BOTH
def test_the_default_type_is_plain_text(parse):
    # Recorded on HTTP APIs 2025-04-14: aws-lambda-dotnet, LambdaTestTool-v2, V1_APIHeadersHttpV1, V2_HttpAPIHeaders.
    response = parse(answer(body="Test body"))

    assert response.headers == [("Content-Type", "text/plain; charset=utf-8")]
    assert response.body == b"Test body"


@BOTH
def test_the_functions_own_type_wins_whatever_its_case(parse):
    response = parse(answer(body="<p>", headers={"content-TYPE": "text/html"}))

    assert response.headers == [("Content-Type", "text/html")]


@BOTH
@pytest.mark.parametrize("nothing", [{}, {"body": None}, {"body": ""}])
def test_no_body_is_an_empty_one(parse, nothing):
    response = parse(answer(headers=None, **nothing))

    assert (response.status, response.body, response.headers) == (200, b"", [])


@BOTH
def test_header_names_are_written_as_http_apis_write_them(parse):
    # Recorded on an HTTP API 2025-04-14: V2_HandlesHeadersCorrectly sends myheader, the client gets Myheader.
    response = parse(answer(headers={"myheader": "test,shouldhavesecondvalue", "x-amzn-RequestId": "1"}))

    assert response.headers == [("Myheader", "test,shouldhavesecondvalue"), ("X-Amzn-Requestid", "1")]


@BOTH
def test_header_values_that_are_not_strings_are_written_as_json(parse):
    response = parse(answer(headers={"a": True, "b": False, "c": 3, "d": 1.5, "e": None, "f": "", "g": "ä\t"}))

    assert response.headers == [("A", "true"), ("B", "false"), ("C", "3"), ("D", "1.5"), ("F", ""), ("G", "ä\t")]


@BOTH
def test_framing_headers_of_a_function_are_left_out(parse):
    response = parse(answer(headers={"Content-Length": "5", "Transfer-Encoding": "chunked", "Connection": "close"}))

    assert response.headers == []


@BOTH
@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nSet-Cookie: b"}, {"X": "a\nb"}, {"X": "a\0"}, {"X\r\nY": "a"}, {"": "a"}, {"a b": "c"}, {"ä": "b"},
        {"a:": "b"}, {"X": ["a"]}, {"X": {"a": "b"}}, ["X"], "X: a", 3, True,
    ],
)  # fmt: skip
def test_headers_that_cannot_be_headers_are_malformed(parse, headers):
    with pytest.raises(MalformedResponseError):
        parse(answer(headers=headers))


@BOTH
@pytest.mark.parametrize(("status", "code"), [(200, 200), (599, 599), ("201", 201), (404, 404)])
def test_a_status_may_be_a_number_or_its_text(parse, status, code):
    # REST recorded 2024-11-15: invoke-api-status-code-str.
    assert parse(json.dumps({"statusCode": status}).encode()).status == code


@BOTH
@pytest.mark.parametrize(
    "status", ["test", "", "20", "2000", "²⁰⁰", 0, -200, 199, 600, 10**40, 200.5, 200.0, None, True, [200], {"a": 1}]
)
def test_a_status_that_is_none_is_malformed(parse, status):
    # Recorded: "test" (REST 2024-11-15), 200.5 (HTTP API 2025-04-14), 0 (asserted on an HTTP API by aws-lambda-dotnet).
    with pytest.raises(MalformedResponseError, match="statusCode is"):
        parse(json.dumps({"statusCode": status}).encode())


@BOTH
@pytest.mark.parametrize("body", [{"a": 1}, [1], 3, 1.5, True])
def test_a_body_that_is_no_string_is_malformed(parse, body):
    with pytest.raises(MalformedResponseError, match="body is"):
        parse(answer(body=body))


@BOTH
def test_base64_is_decoded_whatever_the_type(parse):
    # Recorded on an HTTP API 2025-04-14: ToHttpResponse_HttpV1APIGatewayV1DecodesBase64.
    data = bytes(range(256))

    response = parse(answer(body=base64.b64encode(data).decode(), isBase64Encoded=True))

    assert response.body == data
    assert parse(answer(body="dGVzdA", isBase64Encoded=True)).body == b"test"
    assert parse(answer(body="dGVzdA==", isBase64Encoded=False)).body == b"dGVzdA=="
    assert parse(answer(body="dGVzdA==", isBase64Encoded=None)).body == b"dGVzdA=="


@BOTH
@pytest.mark.parametrize("body", ["not base64!", "dGVz\ndA==", "a", "dGVzdA==x", "☕☕☕☕", "===="])
def test_what_is_not_base64_is_malformed(parse, body):
    with pytest.raises(MalformedResponseError, match="base64"):
        parse(answer(body=body, isBase64Encoded=True))


@BOTH
@pytest.mark.parametrize("flag", ["true", 1, [], {}])
def test_a_base64_flag_that_is_no_boolean_is_malformed(parse, flag):
    with pytest.raises(MalformedResponseError, match="isBase64Encoded"):
        parse(answer(body="dGVzdA==", isBase64Encoded=flag))


@BOTH
@pytest.mark.parametrize(
    "payload",
    [
        b"", b"nonsense", b"{", b'{"statusCode": 200, "body": "x"', b'{"proba": NaN}', b'{"statusCode": 200, "x": NaN}',
        b"NaN", b"Infinity", b'{"statusCode": 200}{}', b'{"statusCode": 200, "body": "\xff"}', b"\xff\xfe", b"1e400",
        b"[" * 100_000 + b"]" * 100_000, b'"\\ud800"', b"{'statusCode': 200}", b'"a\nb"',
    ],
)  # fmt: skip
def test_what_is_not_json_is_malformed(parse, payload):
    with pytest.raises(MalformedResponseError):
        parse(payload)


@BOTH
def test_unknown_fields_do_no_harm(parse):
    assert parse(answer(body="a", wrongValue=1)).body == b"a"


# Format 2.0


def test_cookies_are_one_header_each():
    # aws-lambda-go lambda-urls-response.json
    cookies = ["Cookie_1=Value1; Expires=21 Oct 2021 07:48 GMT", "Cookie_2=Value2; Max-Age=78000"]

    response = parse_v2(answer(cookies=cookies))

    assert response.headers == [("Set-Cookie", cookie) for cookie in cookies]
    assert parse_v2(answer(cookies=[])).headers == []
    assert parse_v2(answer(cookies=None)).headers == []


@pytest.mark.parametrize("cookies", ["a=b", {"a": "b"}, [["a=b"]], [None], ["a=b\r\nX: y"]])
def test_cookies_that_are_no_list_of_strings_are_malformed(cookies):
    with pytest.raises(MalformedResponseError):
        parse_v2(answer(cookies=cookies))


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'{"hello": "world"}', b'{"hello":"world"}'),
        (b'{"proba": [0.10, 1e-7, 1.0], "label": "\xc3\xa4"}', '{"proba":[0.10,1e-7,1.0],"label":"ä"}'.encode()),
        (b"null", b"null"),
        (b"[]", b"[]"),
        (b'""', b""),
        (b'"a \\"b\\" \\u00e4"', 'a "b" ä'.encode()),
        (b'{"headers": {"content-type": "application/xml"}, "body": "x"}',
         b'{"headers":{"content-type":"application/xml"},"body":"x"}'),
        (b"123456789012345678901234567890", b"123456789012345678901234567890"),
    ],
)  # fmt: skip
def test_without_a_status_the_answer_is_the_body(payload, body):
    response = parse_v2(payload)

    assert (response.status, response.headers, response.body) == (200, [("Content-Type", "application/json")], body)


# Format 1.0


@pytest.mark.parametrize("payload", [b"null", b'"hello"', b"[]", b"3", b"{}", b'{"body": "a"}', b'{"headers": {}}'])
def test_format_1_infers_nothing(payload):
    with pytest.raises(MalformedResponseError):
        parse_v1(payload)


def test_single_and_several_values_are_lines_of_their_own_single_first():
    # Recorded on an HTTP API 2025-04-14: V1_CombinesSingleAndMultiValueHeadersHttpV1.
    response = parse_v1(
        answer(
            headers={"Combined-Header": "single-value"},
            multiValueHeaders={"combined-header": ["multi-value1", "multi-value2"], "Set-Cookie": ["a=1", "b=2"]},
        )
    )

    assert response.headers == [
        ("Combined-Header", "single-value"),
        ("Combined-Header", "multi-value1"),
        ("Combined-Header", "multi-value2"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    ]


@pytest.mark.parametrize("several", [{"a": "b"}, {"a": None}, ["a"], "a", {"a": [["b"]]}, {"a": ["b\nc"]}])
def test_several_values_that_are_no_lists_of_strings_are_malformed(several):
    with pytest.raises(MalformedResponseError):
        parse_v1(answer(multiValueHeaders=several))


def test_cookies_mean_nothing_in_format_1():
    assert parse_v1(answer(cookies="a=b")).headers == []


# The gateway's own


def test_the_gateways_own_answers():
    response = message(404)

    assert response.body == b'{"message":"Not Found"}'
    assert message(500).body == b'{"message":"Internal Server Error"}'
    assert message(503).body == b'{"message":"Service Unavailable"}'
    assert message(413).body == b'{"message":"Request Entity Too Large"}'
    assert response.headers == [("Content-Type", "application/json")]


def test_canonical_names():
    assert canonical_name("x-a--B-c1d") == "X-A--B-C1d"
    assert canonical_name("ETag") == "Etag"
