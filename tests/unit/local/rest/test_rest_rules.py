"""What a request to a REST API must hold, and what OPTIONS answers."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib

import pytest

from bareboat.errors import LocalError
from bareboat.local.rest.binary import BinaryTypes
from bareboat.local.rest.validation import Validator
from bareboat.service.api import RequestRules, RestApi, RestCors, Schema

NUMBERS = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
    "required": ["a", "b"],
}
REQUIRED = {"path.test": True, "querystring.qs1": True, "header.x-header-param": True, "querystring.free": False}
JSON = {"Content-Type": "application/json"}


def rules(kit, *, content_type: str = "application/json", parameters=None, schema=NUMBERS) -> RequestRules:
    return RequestRules(REQUIRED if parameters is None else parameters, (Schema(content_type, schema, kit.HERE),))


# The order and the words were recorded on AWS 2024-01-10 (LocalStack, test_api_gateway_request_validator).
@pytest.mark.parametrize(
    ("headers", "target", "missing"),
    [
        ({}, "/dev/nested/value", "x-header-param, qs1"),
        ({}, "/dev/nested/value?qs1=test", "x-header-param"),
        ({"X-Header-Param": "test"}, "/dev/nested/value", "qs1"),
        ({"x-header-param": ""}, "/dev/nested/value?qs1=", "x-header-param, qs1"),
    ],
)
def test_missing_parameters_are_named_before_the_body_is_looked_at(kit, headers, target, missing):
    rest = kit.Rest(kit.service(kit.http("POST /nested/{test}", rules=rules(kit))))

    response = rest.ask("POST", target, headers, b"no JSON")

    assert response.status == 400
    assert json.loads(response.body) == {"message": f"Missing required request parameters: [{missing}]"}
    assert dict(response.headers)["x-amzn-ErrorType"] == "BadRequestException"
    assert rest.records[0].refused == "BAD_REQUEST_PARAMETERS"
    assert rest.invoke.calls == []


def test_a_path_parameter_that_the_path_has_not_is_missing_as_recorded(kit):
    parameters = {"path.issuer": True, "querystring.qs1": True, "header.x-header-param": True}
    rest = kit.Rest(kit.service(kit.http("POST /nested/{test}", rules=rules(kit, parameters=parameters))))

    response = rest.ask("POST", "/dev/nested/value", JSON, b'{"test": "test"}')

    message = "Missing required request parameters: [x-header-param, issuer, qs1]"
    assert json.loads(response.body) == {"message": message}


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (JSON, b'{"a": 1, "b": 2}', 200),
        (JSON, b'{"test": "test"}', 400),  # this, and the two without a body: recorded in the same test
        (JSON, b"", 400),
        ({}, b"", 400),
        ({}, b'{"a": 1, "b": 2}', 200),
        ({"Content-Type": "application/json; charset=utf-8"}, b'{"a": 1}', 400),
        (JSON, b"{", 400),
        (JSON, b"[" * 100_000, 400),
        (JSON, b'{"a": 1, "b": "\xff"}', 400),
        ({"Content-Type": "text/plain"}, b"anything", 200),
    ],
)
def test_a_body_must_fit_the_model_of_its_type(kit, headers, body, status):
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}))))

    response = rest.ask("POST", "/dev/x", headers, body)

    assert response.status == status
    if status == 400:
        assert response.body == b'{"message": "Invalid request body"}'
        assert rest.records[0].refused == "BAD_REQUEST_BODY"
        assert rest.records[0].error


def test_a_default_model_is_for_every_type(kit):
    event = kit.http("POST /x", rules=rules(kit, content_type="$default", parameters={}))

    assert kit.Rest(kit.service(event)).ask("POST", "/dev/x", {"Content-Type": "text/plain"}, b"x").status == 400


# Both accepted and refused bodies were checked against AWS 2024-10-28 (LocalStack, ..._with_ref_one_ofmodels).
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": None}, 200),
        ({"status": {"Status": "new", "Order": 1}}, 200),
        ({}, 400),
        ({"status": {"Order": 1}}, 400),
    ],
)
def test_a_model_refers_to_another(kit, body, status):
    reference = {"$ref": "https://apigateway.amazonaws.com/restapis/abc/models/StatusModel"}
    status_model = {
        "type": "object",
        "properties": {"Status": {"type": "string"}, "Order": {"type": "integer"}},
        "required": ["Status", "Order"],
    }
    test_model = {
        "type": "object",
        "properties": {"status": {"oneOf": [{"type": "null"}, reference]}},
        "required": ["status"],
    }
    schemas = (Schema("application/json", test_model, kit.HERE, "TestModel"),)
    other = (Schema("application/json", status_model, kit.HERE, "StatusModel"),)
    service = kit.service(
        kit.http("POST /x", rules=RequestRules(schemas=schemas)), kit.http("POST /y", rules=RequestRules(schemas=other))
    )

    assert kit.Rest(service).ask("POST", "/dev/x", JSON, json.dumps(body).encode()).status == status


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "https://apigateway.amazonaws.com/restapis/a/models/Nobody"}, "models/Nobody"),
        ({"$ref": "https://example.com/schema.json"}, "example.com"),
        ({"$ref": "#/definitions/none"}, "#/definitions/none"),
        ({"type": "nothing"}, "no JSON schema"),
        ({"required": True}, "no JSON schema"),
    ],
)
def test_a_model_that_cannot_be_read_is_refused_with_its_place(kit, schema, words):
    with pytest.raises(LocalError, match=words) as caught:
        kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, schema=schema))))

    assert "serverless.yml:1:1" in str(caught.value)


def test_a_schema_may_refer_to_itself(kit):
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}, schema=tree))))

    assert rest.ask("POST", "/dev/x", JSON, b'{"next": {"next": {}}}').status == 200
    assert rest.ask("POST", "/dev/x", JSON, b'{"next": {"last": {}}}').status == 400


SLOW = "^(a|a)*$"  # twice as long with each a


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ({"properties": {"a": {"pattern": SLOW}}}, {"a": "a" * 40 + "!"}),
        ({"items": {"pattern": SLOW}}, ["a" * n + "!" for n in range(14, 24)] * 100),
        ({"patternProperties": {SLOW: {}}}, {"a" * 40 + "!": 1}),
        ({"patternProperties": {SLOW: {}}, "additionalProperties": False}, {"a" * 40 + "!": 1}),
    ],
    ids=["one", "many", "name", "additional"],
)
def test_a_pattern_without_end_refuses_the_request(kit, schema, document):
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}, schema=schema))))

    began = time.perf_counter()
    response = rest.ask("POST", "/dev/x", JSON, json.dumps(document).encode())

    assert response.status == 400
    assert time.perf_counter() - began < 5
    assert "took longer than 0.2 s" in rest.records[0].error
    assert rest.invoke.calls == []


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"x-a": 1, "b": 2}, 200),
        ({"x-a": "1"}, 400),
        ({"c": 1}, 400),
        ({"b": "x"}, 200),
        ([], 200),
    ],
)
def test_names_by_pattern_and_those_beside_them(kit, document, status):
    schema = {
        "properties": {"b": {}},
        "patternProperties": {"^x-": {"type": "number"}},
        "additionalProperties": False,
    }
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}, schema=schema))))

    assert rest.ask("POST", "/dev/x", JSON, json.dumps(document).encode()).status == status


def test_additional_properties_may_have_a_schema(kit):
    schema = {"properties": {"b": {}}, "additionalProperties": {"type": "number"}}
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}, schema=schema))))

    assert rest.ask("POST", "/dev/x", JSON, b'{"b": "x", "c": 1}').status == 200
    assert rest.ask("POST", "/dev/x", JSON, b'{"c": "1"}').status == 400


@pytest.mark.parametrize("referred", [False, True])
def test_unique_items_of_a_large_body_are_compared_quickly(kit, referred):
    schema = {"$schema": NUMBERS["$schema"], "type": "array", "uniqueItems": True}
    if referred:
        name = {"$ref": "https://apigateway.amazonaws.com/restapis/a/models/Unique"}
        schemas = (
            Schema("application/json", {"allOf": [name]}, kit.HERE, "All"),
            Schema("text/plain", schema, kit.HERE, "Unique"),
        )
    else:
        schemas = (Schema("application/json", schema, kit.HERE),)
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=RequestRules(schemas=schemas))))
    items = [{"a": i} for i in range(20_000)]

    began = time.perf_counter()
    assert rest.ask("POST", "/dev/x", JSON, json.dumps(items).encode()).status == 200
    assert rest.ask("POST", "/dev/x", JSON, json.dumps([*items, {"a": 7.0}]).encode()).status == 400
    assert time.perf_counter() - began < 10  # compared in pairs, minutes


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ("[1, 1.0]", False),
        ("[1, true]", True),
        ('[0, false, null, ""]', True),
        ('[{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]', False),
        ('["1", 1]', True),
        ("[[1, 2], [2, 1]]", True),
        ("[9007199254740993, 9007199254740992.0]", True),
    ],
)
def test_unique_items_are_those_of_json_schema(kit, items, unique):
    schema = {"type": "array", "uniqueItems": True}
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}, schema=schema))))

    assert rest.ask("POST", "/dev/x", JSON, items.encode()).status == (200 if unique else 400)


def test_a_large_body_is_validated_beside_the_event_loop(kit, monkeypatch):
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}))))
    threads = []
    check = Validator.check
    monkeypatch.setattr(Validator, "check", lambda *asked: threads.append(threading.current_thread()) or check(*asked))

    rest.ask("POST", "/dev/x", JSON, b'{"a": 1, "b": 2}')
    large = rest.ask("POST", "/dev/x", JSON, json.dumps({"a": 1, "b": "b" * 20_000}).encode())

    assert large.status == 400
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 400 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        '{"a": 2}'.encode("utf-16"),
        b'\xef\xbb\xbf{"a": 2}',
        b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=["NaN", "infinite", "large", "huge", "utf-16", "mark", "deep"],
)
def test_what_no_validator_can_read_is_a_bad_request(kit, body):
    schema = {"properties": {"a": {"multipleOf": 0.1}}}
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}, schema=schema))))

    response = rest.ask("POST", "/dev/x", JSON, body)

    assert (response.status, json.loads(response.body)) == (400, {"message": "Invalid request body"})
    assert rest.invoke.calls == []


def test_of_two_content_types_the_last_counts_as_in_the_event(kit):
    rest = kit.Rest(kit.service(kit.http("POST /x", rules=rules(kit, parameters={}))))

    sent = [("Content-Type", "text/plain"), ("Content-Type", "application/json")]

    assert rest.ask("POST", "/dev/x", sent, b"{}").status == 400
    assert rest.ask("POST", "/dev/x", sent[::-1], b"{}").status == 200


# CORS: the headers that the Serverless Framework generates


def preflight(kit, cors: RestCors, origin: str = "", key: str = "GET /x"):
    rest = kit.Rest(kit.service(kit.http(key, cors=cors)))
    response = rest.ask("OPTIONS", "/dev/x", {"Origin": origin} if origin else {})
    assert rest.invoke.calls == []
    return response


def test_options_answers_the_configured_headers_whatever_is_asked(kit):
    cors = RestCors(
        ("*",),
        ("OPTIONS", "GET"),
        ("Content-Type", "X-A"),
        allow_credentials=True,
        max_age_s=60,
        cache_control="max-age=1",
    )

    response = preflight(kit, cors)

    headers = dict(response.headers)
    assert (response.status, response.body) == (200, b"")
    assert headers.pop("x-amzn-RequestId")
    assert headers.pop("x-amz-apigw-id")
    assert headers == {
        "Content-Type": "application/json",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "Content-Type,X-A",
        "Access-Control-Allow-Methods": "OPTIONS,GET",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Max-Age": "60",
        "Cache-Control": "max-age=1",
    }


@pytest.mark.parametrize(
    ("origin", "answered"),
    [
        ("", "https://a.com"),
        ("https://a.com", "https://a.com"),
        ("https://x.b.com", "https://x.b.com"),
        ("https://.b.com", "https://a.com"),
        ("https://xbbcom", "https://a.com"),
    ],
)
def test_of_several_origins_the_requests_own_is_named_where_it_fits(kit, origin, answered):
    response = preflight(kit, RestCors(("https://a.com", "https://*.b.com"), ("OPTIONS", "GET")), origin)

    assert dict(response.headers)["Access-Control-Allow-Origin"] == answered


def test_other_methods_get_no_headers_and_any_is_not_asked_for_options(kit):
    rest = kit.Rest(kit.service(kit.http("ANY /x", cors=RestCors(methods=("OPTIONS", "GET")))))

    rest.ask("OPTIONS", "/dev/x", {"Origin": "https://a.com"})
    response = rest.ask("GET", "/dev/x", {"Origin": "https://a.com"})

    assert [call[1]["httpMethod"] for call in rest.invoke.calls] == ["GET"]
    assert not any(name.startswith("Access-Control") for name, _ in response.headers)


def test_a_method_for_options_of_ones_own_comes_first(kit):
    rest = kit.Rest(kit.service(kit.http("GET /x", cors=RestCors(methods=("OPTIONS",))), kit.http("OPTIONS /x")))

    rest.ask("OPTIONS", "/dev/x")

    assert len(rest.invoke.calls) == 1


# Binary responses. All cases were checked against AWS (LocalStack, test_aws_proxy_binary_response), but */*.


@pytest.mark.parametrize(
    ("types", "accept", "binary"),
    [
        ((), "image/png", False),
        (("image/png", "*/test"), "image/png", True),
        (("image/png", "*/test"), "image/jpg", False),
        (("image/png", "*/test"), "image/*", False),
        (("image/png", "*/test"), "*/test", False),
        (("image/png", "*/test"), "random/test", False),
        (("image/png", "*/test"), "*/*", False),
        (("image/png", "*/test"), "image/webp,image/png,*/*;q=0.8", False),
        (("image/png", "*/test"), "image/png,image/*,*/*;q=0.8", True),
        (("application/*", "image/jpg"), "application/whatever", True),
        (("application/*", "image/jpg"), "application/*", True),
        (("application/*", "image/jpg"), "application", False),
        (("application/*", "image/jpg"), "", False),
        (("*/*",), "", True),
        (("*/*",), "image/png", True),
    ],
)
def test_base64_is_decoded_for_clients_that_accept_a_binary_type(kit, types, accept, binary):
    answer = {"body": "AP8=", "isBase64Encoded": True}
    rest = kit.Rest(kit.service(kit.http("GET /x"), rest=RestApi(binary_types=types)), kit.Functions(lambda _: answer))

    response = rest.ask("GET", "/dev/x", {"Accept": accept} if accept else {})

    assert response.body == (b"\x00\xff" if binary else b"AP8=")


def test_base64_that_is_none_is_a_500(kit):
    answer = {"body": "èé+à)(", "isBase64Encoded": True}  # checked against AWS in the same test
    rest = kit.Rest(
        kit.service(kit.http("GET /x"), rest=RestApi(binary_types=("image/png",))), kit.Functions(lambda _: answer)
    )

    assert rest.ask("GET", "/dev/x", {"Accept": "image/png"}).status == 500


def test_types_are_compared_without_case_and_parameters():
    types = BinaryTypes(("Image/PNG", "application/*"))

    assert types.has("image/png; charset=x")
    assert types.has("APPLICATION/zip")
    assert not types.has("image/png2")


# Compression


@pytest.mark.parametrize(
    ("accept", "coding"),
    [("gzip, deflate", "gzip"), ("br, deflate", "deflate"), ("identity, gzip", ""), ("br", ""), ("", "")],
)
def test_a_large_response_is_compressed_with_what_the_client_names_first(kit, accept, coding):
    service = kit.service(kit.http("GET /x"), rest=RestApi(compress_from_bytes=100))
    rest = kit.Rest(service, kit.Functions(lambda _: {"body": "x" * 100}))

    response = rest.ask("GET", "/dev/x", {"Accept-Encoding": accept})

    unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress, "": bytes}[coding]
    assert unpack(response.body) == b"x" * 100
    assert dict(response.headers).get("Content-Encoding", "") == coding


def test_small_and_encoded_responses_stay_as_they_are(kit):
    def handler(event):
        body = "x" * int(event["queryStringParameters"]["n"])
        return {"body": body, "headers": {"Content-Encoding": "br"} if len(body) > 99 else {}}

    rest = kit.Rest(kit.service(kit.http("GET /x"), rest=RestApi(compress_from_bytes=10)), kit.Functions(handler))

    assert rest.ask("GET", "/dev/x?n=9", {"Accept-Encoding": "gzip"}).body == b"x" * 9
    assert rest.ask("GET", "/dev/x?n=100", {"Accept-Encoding": "gzip"}).body == b"x" * 100


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("gzip", gzip.compress(b"text"), 200),
        ("deflate", zlib.compress(b"text"), 200),
        ("identity", b"text", 200),
        ("br", b"text", 415),
        ("gzip", b"text", 415),
        ("gzip", gzip.compress(b"text")[:-9], 415),
        ("gzip", gzip.compress(bytes(11 * 1024 * 1024)), 413),
    ],
    ids=["gzip", "deflate", "identity", "br", "no-gzip", "half", "bomb"],
)
def test_a_packed_body_is_unpacked_where_the_api_compresses(kit, coding, body, status):
    rest = kit.Rest(kit.service(kit.http("POST /x"), rest=RestApi(compress_from_bytes=0)))

    response = rest.ask("POST", "/dev/x", {"Content-Encoding": coding}, body)

    assert response.status == status
    if status == 200:
        assert rest.event["body"] == "text"
