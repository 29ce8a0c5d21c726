"""Recordings of the real Lambda's API replayed with boto3 as the client.

What a client gets is compared whole, after masking: ids, dates, ARNs' accounts, hashes and the headers of a response,
of which the recordings hold none.
"""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

BEHAVIOUR = "lambda___test_lambda"
API = "lambda___test_lambda_api"


@cache
def snapshot(path: Path) -> Any:
    return json.loads(path.read_bytes())


@pytest.fixture
def recorded(oracle: Path) -> Any:
    """Return what a recording holds, by the end of its test's name; of two of a name the later one."""

    def find(file: str, name: str) -> Any:
        found = [
            entry["recorded-content"]
            for key, entry in snapshot(oracle / "localstack" / f"{file}.snapshot.json").items()
            if key.partition("lambda_/")[2].partition("::")[2] == name
        ]
        return found[-1]

    return find


def masked(answer: dict[str, Any], name: str = "") -> Any:
    """An answer as the recordings have it."""
    answer = dict(answer)
    answer["ResponseMetadata"] = {
        "HTTPHeaders": {},
        "HTTPStatusCode": answer["ResponseMetadata"]["HTTPStatusCode"],
    }
    if "Payload" in answer:
        payload = answer["Payload"].read().decode()
        parsed = json.loads(payload) if payload else ""
        answer["Payload"] = parsed if isinstance(parsed, dict) else payload
    text = json.dumps(answer).replace(f"service-dev-{name}", "<function-name:1>") if name else json.dumps(answer)
    text = re.sub(r"arn:aws:(\w+):us-east-1:\d{12}:", r"arn:<partition>:\1:<region>:111111111111:", text)
    return json.loads(text)


def refused(call: Any, **arguments: Any) -> Any:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return masked(caught.value.response)


@pytest.mark.parametrize(
    ("test", "function", "kind"),
    [
        ("test_invocation_type_request_response[python3.10]", "empty", "RequestResponse"),
        ("test_invocation_type_event[python3.10]", "empty", "Event"),
        ("test_invocation_type_dry_run[python3.10]", "empty", "DryRun"),
        ("test_invocation_type_no_return_payload[python-RequestResponse]", "nothing", "RequestResponse"),
        ("test_invocation_type_no_return_payload[python-Event]", "nothing", "Event"),
    ],
)
def test_each_type_of_invocation(boto: Any, recorded: Any, test: str, function: str, kind: str) -> None:
    expected = recorded(BEHAVIOUR, f"TestLambdaFeatures::{test}")["invoke-result"]

    answer = boto.invoke(FunctionName=f"service-dev-{function}", Payload=b"{}", InvocationType=kind)

    assert masked(answer) == expected


def test_the_log_of_an_invocation(boto: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaFeatures::test_invocation_with_logs[python3.10]")
    boto.invoke(FunctionName="prints")  # warm

    answer = boto.invoke(FunctionName="prints", Payload=b"{}", LogType="Tail")

    log = base64.b64decode(answer["LogResult"]).decode()
    answer["LogResult"] = "log-result"
    assert masked(answer) == expected["invoke"]
    log = log.replace(answer["ResponseMetadata"]["RequestId"], "<request-id>")
    log = re.sub(r"(Duration): [\d.]+ ms", r"\1: <duration> ms", log)
    log = re.sub(r"Max Memory Used: \d+ MB", "Max Memory Used: <memory> MB", log)
    lines = [line.replace("Init Duration: <duration> ms\t", "") for line in expected["logs"]["logs"]]
    assert log.splitlines(keepends=True) == lines


def test_a_function_that_is_not_there(boto: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaFeatures::test_invoke_exceptions")["invoke_function_doesnotexist"]

    assert refused(boto.invoke, FunctionName="doesnotexist") == expected


@pytest.mark.parametrize(
    ("name", "key", "payload"),
    [
        (r"body-n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt", "body", b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt"),
        (r"message-\x99\xeb,j\x07\xa1zYh", "message", b"\x99\xeb,j\x07\xa1zYh"),
    ],
    ids=["body", "message"],
)
def test_a_payload_that_is_no_json(boto: Any, recorded: Any, name: str, key: str, payload: bytes) -> None:
    entry = recorded(BEHAVIOUR, f"TestLambdaErrors::test_lambda_invoke_payload_encoding_error[{name}]")

    found = refused(boto.invoke, FunctionName="echo", Payload=payload)

    assert found == entry[f"invoke_function_invalid_payload_{key}"]


def test_a_function_that_raises(boto: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaErrors::test_lambda_handler_error")["invocation_error"]

    answer = boto.invoke(FunctionName="raises", Payload=b"{}")

    request_id = answer["ResponseMetadata"]["RequestId"]
    found = masked(answer)
    assert found["Payload"].pop("stackTrace")
    assert found["Payload"].pop("requestId") == request_id
    for name in ("stackTrace", "requestId"):
        del expected["Payload"][name]
    assert found == expected


@pytest.mark.parametrize("name", ["invoke_result", "invoke_result_2"])
def test_a_response_that_is_too_large(boto: Any, recorded: Any, name: str) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBaseFeatures::test_lambda_too_large_response")[name]

    found = masked(boto.invoke(FunctionName="large", Payload=b"{}"))

    assert found == expected


def test_a_qualifier_ends_the_invoked_arn(boto: Any, oracle: Path) -> None:
    entries = snapshot(oracle / "localstack" / "lambda___test_lambda_common.snapshot.json")
    (expected,) = (
        entry["recorded-content"]["invocation_result_payload_qualified"]["ctx"]
        for key, entry in entries.items()
        if key.endswith("test_introspection_invoke[python3.13]")
    )

    found = masked(boto.invoke(FunctionName="tells", Qualifier="$LATEST"), "tells")

    assert found["ExecutedVersion"] == "$LATEST"
    for name in ("function_name", "function_version", "invoked_function_arn"):
        assert found["Payload"][name] == expected[name]


def test_a_client_context_arrives(boto: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaFeatures::test_lambda_with_context")["invocation"]
    context = expected["Payload"]["context"]["clientContext"]
    context["client"] = {}  # Python's client takes known names alone
    sent = base64.b64encode(json.dumps(context).encode()).decode()

    found = masked(boto.invoke(FunctionName="tells", Payload=b"{}", ClientContext=sent))

    assert found["Payload"]["client_context"]["custom"] == context["custom"]
    assert found["Payload"]["client_context"]["env"] == context["env"]
    assert {**found, "Payload": 0} == {**expected, "Payload": 0}


def test_a_request_to_a_function_whose_concurrency_is_none(boto: Any, recorded: Any) -> None:
    entry = recorded(BEHAVIOUR, "TestLambdaConcurrency::test_reserved_concurrency")

    assert refused(boto.invoke, FunctionName="off") == entry["exc_no_cap_requestresponse"]
    assert masked(boto.invoke(FunctionName="off", InvocationType="Event")) == entry["invoke_result"]


LONG = {"<a:len(65)>": "a" * 65, "<a:len(129)>": "a" * 129, "<a:len(170)>": "a" * 170}
NAMES: dict[str, tuple[str, str | None]] = {  # what was sent, as the recorded messages tell
    "function_name_is_single_invalid": ("*", None),
    "invalid_characters_in_function_name": ("my-function!", None),
    "invalid_characters_in_qualifier": ("my-function", "invalid!"),
    "qualifier_too_long0": ("my-function", "a" * 129),
    "qualifier_too_long1": ("my-function", "a" * 65),
    "qualifier_too_long": ("my-function", "a" * 129),
    "function_name_and_qualifier_too_long": ("my-function", "a" * 65),
    "invalid_account_id_in_partial_arn": ("invalid-account:function:my-function", None),
    "invalid_region_in_arn": ("arn:aws:lambda:invalid-region:123456789012:function:my-function", None),
    "non_lambda_arn": ("arn:aws:ec2:us-east-1:123456789012:instance:i-1234567890abcdef0", None),
    "function_name_too_long": ("a" * 65, None),
    "function_name_too_long_and_invalid_region": (
        "arn:aws:lambda:invalid-region:123456789012:function:my-function" + "a" * 170,
        None,
    ),
    "full_arn_and_qualifier_too_long_and_invalid_region": (
        "arn:aws:lambda:invalid-region:123456789012:function:my-function-" + "a" * 170,
        "a" * 129,
    ),
    "full_arn_with_multiple_qualifiers": ("arn:aws:lambda:us-east-1:123456789012:function:my-function:1:2", None),
    "incomplete_arn": ("arn:aws:lambda:us-east-1:123456789012:function", None),
    "partial_arn_with_extra_qualifier": ("function:my-function:$LATEST:extra", None),
    "latest_version_with_additional_qualifier": ("my-function:$LATEST", "1"),
    "lowercase_latest_qualifier": ("my-function", "$latest"),
    "missing_region_in_arn": ("arn:aws:lambda::123456789012:function:my-function", None),
    "missing_account_id_in_arn": ("arn:aws:lambda:us-east-1::function:my-function", None),
    "misspelled_latest_in_arn": ("arn:aws:lambda:us-east-1:123456789012:function:my-function:$LATES", None),
}


@pytest.fixture(scope="module")
def unchecked(served: Any) -> Any:
    """A client that sends what it is given: the recorded ones did not check names themselves."""
    return served.client(parameter_validation=False)


@pytest.mark.parametrize("operation", ["invoke", "get_function"])
@pytest.mark.parametrize("case", sorted(NAMES))
def test_names_and_qualifiers(unchecked: Any, recorded: Any, case: str, operation: str) -> None:
    name, qualifier = NAMES[case]
    test = f"TestLambdaFunction::test_function_name_and_qualifier_validation[{case}-{operation}]"
    expected = recorded(API, test)[f"{operation}_exception"]
    arguments = {"FunctionName": name} | ({} if qualifier is None else {"Qualifier": qualifier})

    error = refused(getattr(unchecked, operation), **arguments)["Error"]

    if "Errors" in expected:  # a validation message, taken apart
        count, _, faults = error["Message"].partition(" detected: ")
        assert error["Code"] == expected["Code"]
        assert count == f"{expected['Count']} validation error{'s' if expected['Count'] > 1 else ''}"
        said = faults.split("; ")
    else:
        assert error["Code"] == expected["Code"]
        said = [error["Message"]]
    shown = "\n".join(said).replace("arn:aws:", "arn:<partition>:").replace("us-east-1", "<region>")
    shown = re.sub(r"123456789012|111111111111", "111111111111", shown)
    for mark, text in sorted(LONG.items(), key=lambda pair: -len(pair[1])):
        shown = shown.replace(text, mark)
    assert shown.splitlines() == expected.get("Errors", [expected.get("Message")])


def test_a_name_with_a_sign_that_no_arn_has(unchecked: Any, recorded: Any) -> None:
    expected = recorded(API, "TestLambdaFunction::test_invalid_invoke")["invoke_function_name_pattern_exc"]
    name = "arn:aws:lambda:us-east-1:123400000000@function:myfn"

    found = refused(unchecked.invoke, FunctionName=name)

    shown = found["Error"]["Message"].replace("arn:aws:", "arn:<partition>:").replace("us-east-1", "<region>")
    assert {**found, "Error": {**found["Error"], "Message": shown}} == expected


@pytest.mark.parametrize("operation", ["get_function", "get_function_configuration"])
def test_a_qualifier_that_is_not_that_of_the_name(boto: Any, recorded: Any, operation: str) -> None:
    entry = recorded(API, f"TestLambdaFunction::test_ops_with_arn_qualifier_mismatch[{operation}]")
    name = "arn:aws:lambda:us-east-1:123456789012:function:some-function:$LATEST"

    assert refused(getattr(boto, operation), FunctionName=name, Qualifier="1") == entry["not_match_exception"]
    assert refused(getattr(boto, operation), FunctionName=name, Qualifier="$LATEST") == entry["match_exception"]


@pytest.mark.parametrize(
    "operation", ["get_function", "get_function_configuration", "get_function_event_invoke_config"]
)
def test_a_version_that_is_not_there(boto: Any, recorded: Any, operation: str) -> None:
    entry = recorded(API, f"TestLambdaFunction::test_ops_on_nonexisting_version[{operation}]")

    found = refused(getattr(boto, operation), FunctionName="echo", Qualifier="1221")

    text = json.dumps(found).replace("service-dev-echo", "<fn-name>")
    assert json.loads(text) == entry["version_not_found_exception"]


@pytest.mark.parametrize(
    "operation",
    [
        "get_function", "get_function_configuration", "get_function_url_config", "get_function_event_invoke_config",
        "get_function_concurrency",
    ],
)  # fmt: skip
def test_what_is_asked_of_a_function_that_is_not_there(boto: Any, recorded: Any, operation: str) -> None:
    expected = recorded(API, f"TestLambdaFunction::test_ops_on_nonexisting_fn[{operation}]")["not_found_exception"]

    found = refused(getattr(boto, operation), FunctionName="not-there")

    assert json.loads(json.dumps(found).replace("not-there", "<nonexisting-fn-name>")) == expected


@pytest.mark.parametrize(
    "operation",
    [
        "get_function", "get_function_configuration", "get_function_event_invoke_config", "get_function_concurrency",
        "invoke",
    ],
)  # fmt: skip
def test_an_arn_of_another_region(boto: Any, recorded: Any, operation: str) -> None:
    entry = recorded(API, f"TestLambdaFunction::test_get_function_wrong_region[{operation}]")
    name = "arn:aws:lambda:eu-west-3:123456789012:function:service-dev-echo"

    found = refused(getattr(boto, operation), FunctionName=name)

    text = json.dumps(found).replace("eu-west-3", "<wrong-region>").replace("us-east-1", "<region>")
    assert json.loads(text) == entry["wrong_region_exception"]


def test_the_functions_in_a_list(boto: Any, recorded: Any, unchecked: Any) -> None:
    expected = recorded(API, "TestLambdaFunction::test_list_functions")
    keys = set(expected["list_default"]["Functions"][0]) - {"Environment"}  # left out where none is set

    listed = {item["FunctionName"]: item for item in boto.list_functions()["Functions"]}

    assert set(listed["service-dev-echo"]) == keys
    assert listed["service-dev-echo"]["FunctionArn"].endswith(":function:service-dev-echo")
    (every,) = (
        f for f in boto.list_functions(FunctionVersion="ALL")["Functions"] if f["FunctionName"].endswith("echo")
    )
    assert every["FunctionArn"].endswith(":function:service-dev-echo:$LATEST")
    assert (
        refused(unchecked.list_functions, FunctionVersion="invalid")
        == (expected["list_functions_invalid_functionversion"])
    )


def test_a_function_as_it_is_described(boto: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaURL::test_lambda_url_invocation_exception")["get_fn_result"]
    del expected["Configuration"]["Environment"]  # left out where none is set

    found = masked(boto.get_function(FunctionName="echo"), "echo")

    said = found["Configuration"]
    assert set(said) == set(expected["Configuration"])
    ours = {  # of our function, not of AWS's answer
        "CodeSha256": "code-sha256", "CodeSize": "<code-size>", "LastModified": "date", "RevisionId": "<uuid:1>",
        "Role": "arn:<partition>:iam::111111111111:role/<resource:1>", "Runtime": "python3.12",
        "Handler": "handler.handler", "Timeout": 30,
        "RuntimeVersionConfig": {"RuntimeVersionArn": "arn:<partition>:lambda:<region>::runtime:<resource:2>"},
    }  # fmt: skip
    assert {**said, **ours} == expected["Configuration"]
    assert set(found) == set(expected)
    assert set(found["Code"]) == set(expected["Code"])


def test_the_settings_of_the_account(boto: Any, recorded: Any) -> None:
    expected = recorded(API, "TestLambdaAccountSettings::test_account_settings")["acc_settings_modded"]

    found = boto.get_account_settings()

    assert sorted(found["AccountLimit"]) == expected["AccountLimit"]
    assert sorted(found["AccountUsage"]) == expected["AccountUsage"]


def test_every_operation_of_the_api_is_known() -> None:
    from bareboat.local.lambda_api import operations

    model = Session().get_service_model("lambda")
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = re.sub(r"\{\w+\}", "a%3Ab", http["requestUri"].partition("?")[0])
        found = operations.find(http["method"], path)
        assert found is not None, f"{name}: {http['method']} {path}"
        if "?" not in http["requestUri"]:  # two operations share a path and differ in the query
            assert found.operation == name
        assert all(value == "a:b" for value in found.names)
