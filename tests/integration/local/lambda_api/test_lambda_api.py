"""Lambda's API as its clients use it: boto3, and requests that no SDK would send."""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError


def wait_for(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.005)
    return found


def fault(call: Callable[[], Any]) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def ended(served: Any, request_id: str) -> list[Any]:
    return [one for one in served.invocations if one.request_id == request_id]


def found_in(folder: Path) -> list[Path]:
    return list(folder.glob("began-*"))


# Names and payloads


@pytest.mark.parametrize(
    "name",
    [
        "echo",
        "service-dev-echo",
        "echo:$LATEST",
        "123456789012:function:service-dev-echo",
        "arn:aws:lambda:us-east-1:123456789012:function:service-dev-echo",
        "arn:aws:lambda:us-east-1:999999999999:function:service-dev-echo:$LATEST",
    ],
)
def test_a_function_by_each_of_its_names(boto: Any, name: str) -> None:
    answer = boto.invoke(FunctionName=name, Payload=b'{"a": 1}')

    assert json.loads(answer["Payload"].read()) == {"a": 1}


def test_no_payload_is_an_empty_object(boto: Any) -> None:
    assert boto.invoke(FunctionName="echo")["Payload"].read() == b"{}"


def test_any_json_is_an_event(boto: Any) -> None:
    for payload in (b'"text"', b"3.5", b"null", b"[1, 2]", b' {"a": "\\ud83d\\ude00"}\n', '"é"'.encode()):
        answer = boto.invoke(FunctionName="echo", Payload=payload)
        assert json.loads(answer["Payload"].read()) == json.loads(payload)


def test_six_mebibytes_pass_and_one_byte_more_does_not(boto: Any) -> None:
    limit = 6 * 1024 * 1024
    largest = b'"' + b"x" * (limit - 2) + b'"'

    assert len(boto.invoke(FunctionName="echo", Payload=largest)["Payload"].read()) == limit
    assert fault(lambda: boto.invoke(FunctionName="echo", Payload=largest + b" ")) == (
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    )


def test_an_event_has_less_room(boto: Any) -> None:
    payload = b'"' + b"x" * 1_048_576 + b'"'

    status, code, message = fault(lambda: boto.invoke(FunctionName="echo", Payload=payload, InvocationType="Event"))

    assert (status, code) == (413, "RequestEntityTooLargeException")
    assert message == "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)"


@pytest.mark.parametrize("context", ["no base64!", "WzFd", "ew=="], ids=["base64", "list", "half"])
def test_a_client_context_that_is_none(boto: Any, context: str) -> None:
    status, code, message = fault(lambda: boto.invoke(FunctionName="tells", ClientContext=context))

    assert (status, code) == (400, "InvalidRequestContentException")
    assert message == "Client context must be a valid Base64-encoded JSON object."


@pytest.mark.parametrize(
    ("setting", "name", "allowed"),
    [
        ({"InvocationType": "Later"}, "invocationType", "[Event, RequestResponse, DryRun]"),
        ({"LogType": "Head"}, "logType", "[None, Tail]"),
    ],
)
def test_a_setting_that_is_none(served: Any, setting: dict[str, str], name: str, allowed: str) -> None:
    status, code, message = fault(lambda: served.client().invoke(FunctionName="echo", **setting))

    assert (status, code) == (400, "ValidationException")
    assert f"at '{name}' failed to satisfy constraint: Member must satisfy enum value set: {allowed}" in message


# Answers


def test_the_trace_and_the_request_id_are_those_that_the_function_sees(served: Any) -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

    answer = httpx.post(
        f"{served.url}/2015-03-31/functions/tells/invocations", headers={"X-Amzn-Trace-Id": trace}, json={}
    )

    assert answer.json()["trace"] == trace
    assert answer.json()["aws_request_id"] == answer.headers["x-amzn-RequestId"]


@pytest.mark.parametrize(
    ("sent", "source"), [("sqs", "sqs"), ("eventBridge", "eventBridge"), ("not a word", "invoke"), ("x" * 21, "invoke")]
)
def test_a_tool_says_what_it_stands_for(served: Any, sent: str, source: str) -> None:
    answer = httpx.post(
        f"{served.url}/2015-03-31/functions/echo/invocations", headers={"X-Bareboat-Source": sent}, json={}
    )

    (invocation,) = ended(served, answer.headers["x-amzn-RequestId"])
    assert invocation.source == source


def test_the_tail_of_a_log_is_its_last_four_kilobytes(boto: Any) -> None:
    log = base64.b64decode(boto.invoke(FunctionName="talks", LogType="Tail")["LogResult"])

    assert len(log) == 4096
    assert log.startswith(b"xxx")
    assert b"the last line\nEND RequestId" in log


def test_an_answer_that_is_no_json_arrives_as_it_is(boto: Any) -> None:
    assert boto.invoke(FunctionName="bytes_")["Payload"].read() == b"not \xff JSON"


def test_a_timeout_and_an_import_that_fails_are_errors_of_the_function(boto: Any, tmp_path: Path) -> None:
    slow = boto.invoke(FunctionName="slow", Payload=json.dumps({"folder": str(tmp_path)}))
    missing = boto.invoke(FunctionName="missing")

    assert (slow["StatusCode"], slow["FunctionError"]) == (200, "Unhandled")
    assert json.loads(slow["Payload"].read())["errorType"] == "Sandbox.Timedout"
    assert json.loads(missing["Payload"].read())["errorType"] == "Runtime.HandlerNotFound"


def test_a_stream_has_the_payload_and_its_end(boto: Any) -> None:
    answer = boto.invoke_with_response_stream(FunctionName="echo", Payload=b'{"a": "b"}', LogType="Tail")
    chunk, complete = answer["EventStream"]

    assert answer["ExecutedVersion"] == "$LATEST"
    assert json.loads(chunk["PayloadChunk"]["Payload"]) == {"a": "b"}
    assert b"END RequestId" in base64.b64decode(complete["InvokeComplete"]["LogResult"])


def test_a_stream_of_a_function_that_fails(boto: Any) -> None:
    (complete,) = boto.invoke_with_response_stream(FunctionName="raises")["EventStream"]

    assert complete["InvokeComplete"]["ErrorCode"] == "Unhandled"
    assert "Handler fails" in complete["InvokeComplete"]["ErrorDetails"]


def test_a_large_stream_comes_in_pieces(boto: Any) -> None:
    payload = json.dumps("x" * 2_500_000).encode()

    events = list(boto.invoke_with_response_stream(FunctionName="echo", Payload=payload)["EventStream"])

    pieces = [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]
    assert len(pieces) == 3
    assert b"".join(pieces) == payload


# Concurrency


def test_one_more_than_the_concurrency_allows_is_refused(served: Any, boto: Any, tmp_path: Path) -> None:
    event = json.dumps({"folder": str(tmp_path)})
    with concurrent.futures.ThreadPoolExecutor() as threads:
        first = threads.submit(lambda: served.client().invoke(FunctionName="single", Payload=event))
        wait_for(lambda: found_in(tmp_path))

        assert fault(lambda: boto.invoke(FunctionName="single", Payload=event)) == (
            429,
            "TooManyRequestsException",
            "Rate Exceeded.",
        )
        (tmp_path / "go").touch()

        assert first.result(30)["Payload"].read() == b'"done"'
    assert boto.invoke(FunctionName="single", Payload=event)["Payload"].read() == b'"done"'


def test_an_sdk_that_tries_again_gets_its_answer(served: Any, tmp_path: Path) -> None:
    event = json.dumps({"folder": str(tmp_path)})
    refusals = served.refusals
    with concurrent.futures.ThreadPoolExecutor() as threads:
        first = threads.submit(lambda: served.client().invoke(FunctionName="single", Payload=event))
        wait_for(lambda: found_in(tmp_path))
        patient = threads.submit(lambda: served.client(attempts=9).invoke(FunctionName="single", Payload=event))
        wait_for(lambda: served.refusals > refusals)
        (tmp_path / "go").touch()

        assert first.result(30)["Payload"].read() == b'"done"'
        answer = patient.result(60)
    assert answer["Payload"].read() == b'"done"'
    assert answer["ResponseMetadata"]["RetryAttempts"] >= 1


# Asynchronous invocations


def test_an_event_is_answered_before_it_has_run(served: Any, boto: Any, tmp_path: Path) -> None:
    event = json.dumps({"folder": str(tmp_path)})

    answer = boto.invoke(FunctionName="waits", Payload=event, InvocationType="Event")

    request_id = answer["ResponseMetadata"]["RequestId"]
    wait_for(lambda: found_in(tmp_path))
    assert not ended(served, request_id)
    (tmp_path / "go").touch()
    (invocation,) = wait_for(lambda: ended(served, request_id))
    assert invocation.payload == b'"done"'
    assert invocation.source == "invoke"


def test_the_older_call_for_events(served: Any, boto: Any, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    event = json.dumps({"file": str(file), "line": "one"})

    assert boto.invoke_async(FunctionName="lines", InvokeArgs=event)["Status"] == 202

    wait_for(lambda: file.is_file() and file.read_text() == "one\n")


def test_a_failed_event_is_tried_twice_more_with_its_request_id(served: Any, boto: Any, tmp_path: Path) -> None:
    event = json.dumps({"folder": str(tmp_path), "fails": 99})

    answer = boto.invoke(FunctionName="fails", Payload=event, InvocationType="Event")

    request_id = answer["ResponseMetadata"]["RequestId"]
    wait_for(lambda: len(ended(served, request_id)) == 3)
    time.sleep(0.3)
    assert (tmp_path / "tries").read_text().splitlines() == [request_id] * 3


def test_an_event_that_succeeds_is_not_tried_again(served: Any, boto: Any, tmp_path: Path) -> None:
    event = json.dumps({"folder": str(tmp_path), "fails": 1})

    answer = boto.invoke(FunctionName="fails", Payload=event, InvocationType="Event")

    tries = wait_for(lambda: len(found := ended(served, answer["ResponseMetadata"]["RequestId"])) == 2 and found)
    time.sleep(0.3)
    assert [one.error for one in tries] == ["Unhandled", ""]
    assert len((tmp_path / "tries").read_text().splitlines()) == 2


def test_maximum_retry_attempts_of_none(served: Any, boto: Any, tmp_path: Path, caplog: Any) -> None:
    event = json.dumps({"folder": str(tmp_path), "fails": 99})

    answer = boto.invoke(FunctionName="once", Payload=event, InvocationType="Event")

    wait_for(lambda: ended(served, answer["ResponseMetadata"]["RequestId"]))
    wait_for(lambda: "is given up after 1 try: the function failed" in caplog.text)
    time.sleep(0.2)
    assert len((tmp_path / "tries").read_text().splitlines()) == 1


def test_events_of_a_function_that_runs_once_come_in_order(served: Any, boto: Any, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    for number in range(20):
        event = json.dumps({"file": str(file), "line": str(number)})
        boto.invoke(FunctionName="lines", Payload=event, InvocationType="Event")

    wait_for(lambda: file.is_file() and len(file.read_text().splitlines()) == 20)
    assert file.read_text().splitlines() == [str(number) for number in range(20)]


def test_an_event_waits_while_the_function_is_throttled(served: Any, boto: Any, tmp_path: Path) -> None:
    event = json.dumps({"folder": str(tmp_path)})
    with concurrent.futures.ThreadPoolExecutor() as threads:
        first = threads.submit(lambda: served.client().invoke(FunctionName="single", Payload=event))
        wait_for(lambda: found_in(tmp_path))
        answer = boto.invoke(FunctionName="single", Payload=event, InvocationType="Event")
        time.sleep(0.1)
        assert len(found_in(tmp_path)) == 1
        (tmp_path / "go").touch()
        first.result(30)

    (invocation,) = wait_for(lambda: ended(served, answer["ResponseMetadata"]["RequestId"]))
    assert invocation.error == ""


def test_events_beyond_the_queue_are_refused_and_lost_ones_are_told(
    start_lambda: Callable[..., Any], tmp_path: Path, caplog: Any
) -> None:
    small = start_lambda(max_events=3)
    client = small.client()
    event = json.dumps({"folder": str(tmp_path)})
    for _ in range(3):
        client.invoke(FunctionName="waits", Payload=event, InvocationType="Event")

    status, code, _ = fault(lambda: client.invoke(FunctionName="waits", Payload=event, InvocationType="Event"))
    wait_for(lambda: found_in(tmp_path))
    lost = small.run(small.queue.close(grace_s=0))

    assert (status, code) == (429, "TooManyRequestsException")
    assert lost == 3
    assert "3 asynchronous invocations are lost" in caplog.text


def test_an_event_that_runs_may_end_when_the_queue_closes(start_lambda: Callable[..., Any], tmp_path: Path) -> None:
    made = start_lambda()
    event = json.dumps({"folder": str(tmp_path)})
    made.client().invoke(FunctionName="waits", Payload=event, InvocationType="Event")
    wait_for(lambda: found_in(tmp_path))

    async def close() -> int:
        closing = asyncio.ensure_future(made.queue.close(grace_s=20))
        await asyncio.sleep(0.05)
        (tmp_path / "go").touch()
        return int(await closing)

    assert made.run(close()) == 0
    assert made.invocations[-1].payload == b'"done"'


# What else is asked


def test_waiters_of_boto3_end_at_once(boto: Any) -> None:
    for name in ("function_exists", "function_active_v2", "function_updated_v2", "function_active"):
        boto.get_waiter(name).wait(FunctionName="echo", WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_queues_are_mapped(boto: Any) -> None:
    (found,) = boto.list_event_source_mappings()["EventSourceMappings"]

    assert found["EventSourceArn"] == "arn:aws:sqs:us-east-1:123456789012:jobs"
    assert found["FunctionArn"] == "arn:aws:lambda:us-east-1:123456789012:function:service-dev-worker"
    assert (found["BatchSize"], found["State"]) == (3, "Enabled")
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert boto.list_event_source_mappings(FunctionName="echo")["EventSourceMappings"] == []
    assert boto.list_event_source_mappings(EventSourceArn=found["EventSourceArn"])["EventSourceMappings"] == [found]


def test_what_a_function_is(boto: Any) -> None:
    found = boto.get_function(FunctionName="named")
    said = found["Configuration"]

    assert found["Tags"] == {"team": "data"}
    assert said["Timeout"] == 6
    assert said["MemorySize"] == 128
    assert said["CodeSha256"] == base64.b64encode(bytes.fromhex("ab" * 32)).decode()
    assert "s3cret" not in json.dumps(found, default=str)
    assert said["Environment"]["Error"]["ErrorCode"] == "AccessDeniedException"
    assert boto.list_tags(Resource=said["FunctionArn"])["Tags"] == {"team": "data"}
    assert [one["Version"] for one in boto.list_versions_by_function(FunctionName="named")["Versions"]] == ["$LATEST"]
    assert boto.list_aliases(FunctionName="named")["Aliases"] == []
    assert boto.get_function_concurrency(FunctionName="single")["ReservedConcurrentExecutions"] == 1
    assert "ReservedConcurrentExecutions" not in boto.get_function_concurrency(FunctionName="echo")
    assert boto.get_function_event_invoke_config(FunctionName="once")["MaximumRetryAttempts"] == 0
    assert boto.list_function_url_configs(FunctionName="echo")["FunctionUrlConfigs"] == []
    assert fault(lambda: boto.get_policy(FunctionName="echo"))[:2] == (404, "ResourceNotFoundException")


def test_what_only_aws_has_is_named_and_not_tried_again(served: Any) -> None:
    client = served.client(attempts=3)

    for name, call in {
        "DeleteFunction": lambda: client.delete_function(FunctionName="echo"),
        "PublishVersion": lambda: client.publish_version(FunctionName="echo"),
        "UpdateFunctionCode": lambda: client.update_function_code(FunctionName="echo", ZipFile=b"x"),
        "ListLayers": client.list_layers,
    }.items():
        with pytest.raises(ClientError) as caught:
            call()
        response = caught.value.response
        assert response["Error"]["Code"] == "NotImplementedException"
        assert response["Error"]["Message"].startswith(f"{name} is not served by the local Lambda API")
        assert response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_path_of_no_operation(served: Any) -> None:
    answer = httpx.get(f"{served.url}/nothing")

    assert answer.status_code == 404
    assert answer.headers["x-amzn-ErrorType"] == "UnknownOperationException"


# Who is let in


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:3002"},
    ],
    ids=["origin", "null", "image", "rebinding", "subdomain"],
)
def test_a_web_page_calls_nothing(served: Any, headers: dict[str, str], tmp_path: Path) -> None:
    before = len(served.sources)

    for method, path in (
        ("POST", "/2015-03-31/functions/echo/invocations"),
        ("POST", "/2014-11-13/functions/echo/invoke-async/"),
        ("GET", "/2015-03-31/functions/"),
        ("OPTIONS", "/2015-03-31/functions/echo/invocations"),
    ):
        answer = httpx.request(method, served.url + path, headers=headers)
        assert answer.status_code == 403
        assert answer.headers["x-amzn-ErrorType"] == "AccessDeniedException"
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert len(served.sources) == before


def test_no_credentials_are_needed(served: Any) -> None:
    answer = httpx.post(f"{served.url}/2015-03-31/functions/echo/invocations", content=b'{"a": 1}')

    assert answer.json() == {"a": 1}


def test_what_is_no_http_is_refused(served: Any) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"what?\r\n\r\n")
        received = connection.recv(65_536)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"x-amzn-ErrorType: InvalidRequestException" in received
